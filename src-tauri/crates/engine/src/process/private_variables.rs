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
pub type EnvironmentVariables = Vec<(OsString, OsString)>;

/// Command line and environment of a program.
#[derive(Debug, Default)]
pub struct LaunchContext {
    /// The program's name and its arguments.
    pub arguments: Vec<OsString>,
    pub variables: EnvironmentVariables,
}

/// Variables that give other programs control of a release's window: WebKit's automation and
/// inspector.
#[cfg(target_os = "linux")]
const WINDOW_CONTROL_VARIABLES: [&str; 3] =
    ["TAURI_WEBVIEW_AUTOMATION", "WEBKIT_INSPECTOR_SERVER", "WEBKIT_INSPECTOR_HTTP_SERVER"];

/// Set when the private variables are on standard input.
const VARIABLES_ON_STDIN: &str = "GATEHOUSE_VARIABLES_ON_STDIN";

/// Variables that no program of others gets from this one.
pub fn private_variable_names() -> impl Iterator<Item = &'static str> {
    let keys = domain::known_variables().map(|known| known.variable);
    keys.chain([crate::config::PASSPHRASE_VARIABLE, VARIABLES_ON_STDIN])
}

/// Returns the variables that are valid text, keys included, after making sure that no child can
/// inherit the private ones. Call it before the first thread and the first child. On Linux the
/// program may re-execute itself here.
#[cfg(target_os = "linux")]
pub fn private_variables(started: LaunchContext) -> std::io::Result<Vec<(String, String)>> {
    linux::private_variables(started)
}

/// Returns the variables that are valid text.
#[cfg(not(target_os = "linux"))]
pub fn private_variables(started: LaunchContext) -> std::io::Result<Vec<(String, String)>> {
    Ok(text_variables(started.variables))
}

fn text_variables(variables: EnvironmentVariables) -> Vec<(String, String)> {
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

    use super::{
        EnvironmentVariables, LaunchContext, OsString, VARIABLES_ON_STDIN,
        WINDOW_CONTROL_VARIABLES, text_variables,
    };

    /// Above the system's limit for a whole environment (`ARG_MAX`), in bytes.
    const PRIVATE_VARIABLES_BYTES_MAX: u64 = 4_194_304;

    pub(super) fn private_variables(started: LaunchContext) -> io::Result<Vec<(String, String)>> {
        let LaunchContext { arguments, variables } = started;
        if variables.iter().any(|(name, _)| name == VARIABLES_ON_STDIN) {
            // `Stdin` would keep a copy in its buffer.
            let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
            let mut handed = Zeroizing::new(Vec::new());
            (&file).take(PRIVATE_VARIABLES_BYTES_MAX).read_to_end(&mut handed)?;
            file.set_len(0)?;
            let kept = variables.into_iter().filter(|(name, _)| name != VARIABLES_ON_STDIN);
            return Ok(text_variables(kept.chain(decode_variables(&handed)).collect()));
        }
        let (private, kept) = split_private(variables, Build::of_this_program());
        match private.is_empty() {
            true => Ok(text_variables(kept)),
            false => Err(re_execute(&arguments, &private, kept)),
        }
    }

    /// Who a build is for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Build {
        /// Its users.
        Release,
        /// Developers and the tests, which drive its window.
        Debug,
    }

    impl Build {
        const fn of_this_program() -> Self {
            if cfg!(debug_assertions) { Self::Debug } else { Self::Release }
        }
    }

    /// Private variables, and those that children may have. What opens the window of a release to
    /// others counts among the private ones: it has no effect from there.
    fn split_private(
        variables: EnvironmentVariables,
        build: Build,
    ) -> (EnvironmentVariables, EnvironmentVariables) {
        let is_private = |name: &OsString| {
            let Some(name) = name.to_str() else { return false };
            let opens_window = build == Build::Release && WINDOW_CONTROL_VARIABLES.contains(&name);
            let known = || domain::known_variables().any(|known| known.variable == name);
            name == crate::config::PASSPHRASE_VARIABLE || opens_window || known()
        };
        variables.into_iter().partition(|(name, _)| is_private(name))
    }

    /// Re-executes the program; returns only on failure.
    fn re_execute(
        arguments: &[OsString],
        private: &EnvironmentVariables,
        kept: EnvironmentVariables,
    ) -> io::Error {
        let handed = || -> io::Result<File> {
            let mut file = File::from(memfd_create("gatehouse", MemfdFlags::CLOEXEC)?);
            file.write_all(&encode_variables(private))?;
            file.rewind()?;
            Ok(file)
        };
        let (handed, program) = match (handed(), std::env::current_exe()) {
            (Ok(handed), Ok(program)) => (handed, program),
            (Err(error), _) | (_, Err(error)) => return error,
        };
        let mut command = Command::new(program);
        command.env_clear().envs(kept).env(VARIABLES_ON_STDIN, "1").stdin(handed);
        if let Some((name, rest)) = arguments.split_first() {
            command.arg0(name).args(rest);
        }
        command.exec()
    }

    /// Encodes names and values, each ended by a NUL byte, which neither can contain.
    fn encode_variables(variables: &EnvironmentVariables) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::new());
        for part in variables.iter().flat_map(|(name, value)| [name, value]) {
            bytes.extend_from_slice(part.as_bytes());
            bytes.push(0);
        }
        bytes
    }

    fn decode_variables(bytes: &[u8]) -> EnvironmentVariables {
        let mut parts =
            bytes.split(|byte| *byte == 0).map(|part| OsString::from_vec(part.to_vec()));
        std::iter::from_fn(|| Some((parts.next()?, parts.next()?))).collect()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn variables(pairs: &[(&str, &str)]) -> EnvironmentVariables {
            pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
        }

        #[test]
        fn keys_and_the_passphrase_are_private_and_nothing_else() {
            for build in [Build::Release, Build::Debug] {
                for known in domain::known_variables() {
                    assert_eq!(
                        split_private(variables(&[(known.variable, "k")]), build).0.len(),
                        1
                    );
                }
                let given = variables(&[
                    ("GATEHOUSE_PASSPHRASE", "correct horse"),
                    ("GATEHOUSE_HOME", "/h"),
                    ("PATH", "/bin"),
                ]);
                let (private, kept) = split_private(given, build);
                assert_eq!(private, variables(&[("GATEHOUSE_PASSPHRASE", "correct horse")]));
                assert_eq!(kept, variables(&[("GATEHOUSE_HOME", "/h"), ("PATH", "/bin")]));
            }
        }

        #[test]
        fn nothing_opens_the_window_of_a_release_from_outside() {
            let doors = variables(&[
                ("TAURI_WEBVIEW_AUTOMATION", "true"),
                ("WEBKIT_INSPECTOR_SERVER", "127.0.0.1:1"),
                ("WEBKIT_INSPECTOR_HTTP_SERVER", "127.0.0.1:1"),
            ]);
            let given = || [doors.clone(), variables(&[("DISPLAY", ":0")])].concat();
            let (private, kept) = split_private(given(), Build::Release);
            assert_eq!((private, kept), (doors.clone(), variables(&[("DISPLAY", ":0")])));
            // The tests of the window need them.
            assert_eq!(split_private(given(), Build::Debug), (Vec::new(), given()));
        }

        #[test]
        fn what_is_handed_over_arrives_as_it_was() {
            for pairs in [&[][..], &[("A", "")], &[("A", "1=2\n"), ("B", "ü")]] {
                assert_eq!(
                    decode_variables(&encode_variables(&variables(pairs))),
                    variables(pairs)
                );
            }
        }

        #[test]
        fn without_a_private_variable_the_program_goes_on() {
            let started =
                LaunchContext { arguments: Vec::new(), variables: variables(&[("A", "b")]) };
            let read = private_variables(started).expect("read");
            assert_eq!(read, [("A".to_owned(), "b".to_owned())]);
        }
    }
}
