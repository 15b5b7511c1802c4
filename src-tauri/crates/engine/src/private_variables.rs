//! Keeps keys and the passphrase out of the environment that child processes inherit.
//!
//! Any program of the user can read the environment of the window's web processes, and so can a
//! page that escapes its sandbox. `std::env::remove_var` is unsafe and leaves the variables in
//! `/proc/PID/environ`. So the program first re-executes itself (`exec`, same process id) without
//! these variables and passes their values as standard input, an in-memory file that is emptied
//! once read.
//!
//! Linux only: on macOS web processes start with their own environment; on Windows the WebView2
//! processes still inherit ours.

use std::ffi::OsString;

/// Variables as the system provides them.
pub type Variables = Vec<(OsString, OsString)>;

/// Command line and environment of a program.
#[derive(Debug, Default)]
pub struct Started {
    /// The program's name and its arguments.
    pub arguments: Vec<OsString>,
    pub variables: Variables,
}

/// Variables that give other programs control of a release's window: WebKit's automation and
/// inspector.
#[cfg(target_os = "linux")]
const DOORS_TO_WINDOW: [&str; 3] =
    ["TAURI_WEBVIEW_AUTOMATION", "WEBKIT_INSPECTOR_SERVER", "WEBKIT_INSPECTOR_HTTP_SERVER"];

/// Returns the variables that are valid text, keys included, after making sure that no child can
/// inherit the private ones. Call it before the first thread and the first child. On Linux the
/// program may re-execute itself here.
#[cfg(target_os = "linux")]
pub fn private_variables(started: Started) -> std::io::Result<Vec<(String, String)>> {
    linux::private_variables(started)
}

/// Returns the variables that are valid text.
#[cfg(not(target_os = "linux"))]
pub fn private_variables(started: Started) -> std::io::Result<Vec<(String, String)>> {
    Ok(readable(started.variables))
}

fn readable(variables: Variables) -> Vec<(String, String)> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    variables.into_iter().filter_map(text).collect()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::{self, Read as _, Seek as _, Write as _};
    use std::os::fd::AsFd as _;
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use rustix::fs::{MemfdFlags, memfd_create};
    use zeroize::Zeroizing;

    use super::{DOORS_TO_WINDOW, OsString, Started, Variables, readable};

    /// Set when the private variables are on standard input.
    const ON_STDIN: &str = "GATEHOUSE_VARIABLES_ON_STDIN";

    /// Above the system's limit for a whole environment (`ARG_MAX`), in bytes.
    const HANDED_BYTES_MAX: u64 = 4_194_304;

    pub(super) fn private_variables(started: Started) -> io::Result<Vec<(String, String)>> {
        let Started { arguments, variables } = started;
        if variables.iter().any(|(name, _)| name == ON_STDIN) {
            // `Stdin` would keep a copy in its buffer.
            let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
            let mut handed = Zeroizing::new(Vec::new());
            (&file).take(HANDED_BYTES_MAX).read_to_end(&mut handed)?;
            file.set_len(0)?;
            let kept = variables.into_iter().filter(|(name, _)| name != ON_STDIN);
            return Ok(readable(kept.chain(decoded(&handed)).collect()));
        }
        let (private, kept) = split(variables);
        match private.is_empty() {
            true => Ok(readable(kept)),
            false => Err(begin_anew(&arguments, &private, kept)),
        }
    }

    /// Splits into private variables and those that children may inherit. In a release, variables
    /// that open the window to other programs count as private too: passed on standard input, they
    /// have no effect.
    fn split(variables: Variables) -> (Variables, Variables) {
        let is_private = |name: &OsString| {
            let Some(name) = name.to_str() else { return false };
            let opens_window = !cfg!(debug_assertions) && DOORS_TO_WINDOW.contains(&name);
            let known = || vault::KNOWN_VARIABLES.iter().any(|known| known.variable == name);
            name == crate::config::PASSPHRASE_VARIABLE || opens_window || known()
        };
        variables.into_iter().partition(|(name, _)| is_private(name))
    }

    /// Re-executes the program; returns only on failure.
    fn begin_anew(arguments: &[OsString], private: &Variables, kept: Variables) -> io::Error {
        let handed = || -> io::Result<File> {
            let mut file = File::from(memfd_create("gatehouse", MemfdFlags::CLOEXEC)?);
            file.write_all(&encoded(private))?;
            file.rewind()?;
            Ok(file)
        };
        let (handed, program) = match (handed(), std::env::current_exe()) {
            (Ok(handed), Ok(program)) => (handed, program),
            (Err(error), _) | (_, Err(error)) => return error,
        };
        let mut command = Command::new(program);
        command.env_clear().envs(kept).env(ON_STDIN, "1").stdin(handed);
        if let Some((name, rest)) = arguments.split_first() {
            command.arg0(name).args(rest);
        }
        command.exec()
    }

    /// Encodes names and values, each ended by a NUL byte, which neither can contain.
    fn encoded(variables: &Variables) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::new());
        for part in variables.iter().flat_map(|(name, value)| [name, value]) {
            bytes.extend_from_slice(part.as_bytes());
            bytes.push(0);
        }
        bytes
    }

    fn decoded(bytes: &[u8]) -> Variables {
        let mut parts =
            bytes.split(|byte| *byte == 0).map(|part| OsString::from_vec(part.to_vec()));
        std::iter::from_fn(|| Some((parts.next()?, parts.next()?))).collect()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn variables(pairs: &[(&str, &str)]) -> Variables {
            pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
        }

        #[test]
        fn keys_and_the_passphrase_are_private_and_nothing_else() {
            for known in vault::KNOWN_VARIABLES {
                assert_eq!(split(variables(&[(known.variable, "k")])).0.len(), 1);
            }
            let (private, kept) = split(variables(&[
                ("GATEHOUSE_PASSPHRASE", "correct horse"),
                ("GATEHOUSE_HOME", "/h"),
                ("PATH", "/bin"),
            ]));
            assert_eq!(private, variables(&[("GATEHOUSE_PASSPHRASE", "correct horse")]));
            assert_eq!(kept, variables(&[("GATEHOUSE_HOME", "/h"), ("PATH", "/bin")]));
        }

        #[test]
        fn what_is_handed_over_arrives_as_it_was() {
            for pairs in [&[][..], &[("A", "")], &[("A", "1=2\n"), ("B", "ü")]] {
                assert_eq!(decoded(&encoded(&variables(pairs))), variables(pairs));
            }
        }

        #[test]
        fn without_a_private_variable_the_program_goes_on() {
            let started = Started { arguments: Vec::new(), variables: variables(&[("A", "b")]) };
            let read = private_variables(started).expect("read");
            assert_eq!(read, [("A".to_owned(), "b".to_owned())]);
        }
    }
}
