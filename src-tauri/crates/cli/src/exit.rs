//! How a call ends: five exit codes that scripts may rely on, and one error that says what happened
//! and what to do.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use control::{ApiError, ConfigError, ErrorCode, LockError, ServeError, StartError};

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or the answer is yes.
    Fine,
    /// The answer is no: not ready, a check failed, no such thing.
    No,
    /// Called wrongly, or a value was not accepted.
    Usage,
    /// The program itself failed.
    Fault,
    /// It took longer than was allowed.
    TimeOut,
}

impl Exit {
    /// The number the shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Fault => 3,
            Self::TimeOut => 4,
        }
    }
}

impl Exit {
    /// The word by which a program knows it.
    const fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::No => "no",
            Self::Usage => "usage",
            Self::Fault => "internal",
            Self::TimeOut => "timeout",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a call ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something to tell.
    Told {
        /// How the call ends.
        exit: Exit,
        /// What a program branches on, one of [`ErrorCode`]'s words or of [`Exit`]'s.
        code: &'static str,
        /// The field of the request that is wrong; after [`Failure::named_by`], its switch.
        field: Option<String>,
        /// What happened.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Whoever read the output has left (`| head`): nothing to tell, and nobody to tell it to.
    ReaderLeft,
}

impl Failure {
    /// A failure without a hint.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self::Told { exit, code: exit.word(), field: None, message: message.into(), hint: None }
    }

    /// The same with what to do about it.
    pub(crate) fn with_hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Told { exit, code, field, message, .. } => {
                Self::Told { exit, code, field, message, hint: Some(text.into()) }
            }
            Self::ReaderLeft => Self::ReaderLeft,
        }
    }

    /// Names what is wrong as the command that was called has it, which has these switches.
    pub(crate) fn named_by(self, switches: &[String]) -> Self {
        let Self::Told { exit, code, field, message, hint } = self else { return self };
        let field = field.and_then(|field| flag(&field, switches));
        let message = match &field {
            Some(flag) => format!("{flag}: {message}"),
            None => message,
        };
        Self::Told { exit, code, field, message, hint }
    }

    /// Something broke, with everything that the error's sources say.
    pub(crate) fn fault(error: &dyn Error) -> Self {
        Self::new(Exit::Fault, chain(error))
    }

    /// How the call ends.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Told { exit, .. } => *exit,
            Self::ReaderLeft => Exit::Fine,
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let exit = match error.code {
            ErrorCode::InvalidInput => Exit::Usage,
            ErrorCode::NotFound => Exit::No,
            ErrorCode::TimedOut => Exit::TimeOut,
            ErrorCode::VaultUnavailable
            | ErrorCode::SettingsInvalid
            | ErrorCode::Offline
            | ErrorCode::Failed => Exit::Fault,
        };
        let code = code_word(error.code);
        Self::Told { exit, code, field: error.field, message: error.message, hint: error.hint }
    }
}

/// Fields whose switch has another name.
const RENAMED: [(&str, &str); 13] = [
    ("clients", "client"),
    ("closed", "down"),
    ("credential", "key"),
    ("draws", "requests"),
    ("http_status", "status"),
    ("models", "model"),
    ("name", "model"),
    ("pool", "key"),
    ("projects", "project"),
    ("range", "since"),
    ("scope.backends", "allow-backend"),
    ("scope.models", "allow-model"),
    ("scope.routes", "allow-route"),
];

/// What a person types for a field of a request, of these switches; none where the message names it by
/// itself, and where the command takes it without a switch.
fn flag(field: &str, switches: &[String]) -> Option<String> {
    if matches!(field, "id" | "key" | "from" | "kind" | "prompt" | "passphrase" | "secret") {
        return None;
    }
    let renamed = RENAMED.iter().find(|(known, _)| *known == field);
    let switch = renamed.map_or_else(|| field.replace('_', "-"), |(_, name)| (*name).to_owned());
    switches.contains(&switch).then(|| format!("--{switch}"))
}

const fn code_word(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::InvalidInput => "invalid_input",
        ErrorCode::NotFound => "not_found",
        ErrorCode::VaultUnavailable => "vault_unavailable",
        ErrorCode::SettingsInvalid => "settings_invalid",
        ErrorCode::Offline => "offline",
        ErrorCode::TimedOut => "timed_out",
        ErrorCode::Failed => "failed",
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Lock(LockError::Held(_)) => Self::new(Exit::TimeOut, chain(&error)),
            _ => Self::fault(&error),
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        Self::fault(&error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Usage, chain(&error))
    }
}

/// Output that could not be written.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderLeft,
            _ => Self::new(Exit::Fault, format!("the output could not be written: {error}")),
        }
    }
}

/// The error and its sources, outermost first.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_of_an_error_has_its_exit_code() {
        let check = |code: ErrorCode, exit: u8| {
            let error = ApiError { code, ..ApiError::failed("m") };
            assert_eq!(Failure::from(error).exit().code(), exit, "{code:?}");
        };
        check(ErrorCode::InvalidInput, 2);
        check(ErrorCode::NotFound, 1);
        check(ErrorCode::VaultUnavailable, 3);
        check(ErrorCode::SettingsInvalid, 3);
        check(ErrorCode::Offline, 3);
        check(ErrorCode::Failed, 3);
        check(ErrorCode::TimedOut, 4);
        assert_eq!((Exit::Fine.code(), Exit::TimeOut.code()), (0, 4));
    }

    #[test]
    fn invalid_input_names_the_flag_and_keeps_its_hint() {
        let switches = ["base-url", "status", "key"].map(str::to_owned);
        let told = |field| {
            let error = ApiError::invalid(field, "no scheme").with_hint("Begin with https://");
            let Failure::Told { message, hint, .. } = Failure::from(error).named_by(&switches)
            else {
                panic!("something to tell")
            };
            assert_eq!(hint.as_deref(), Some("Begin with https://"));
            message
        };
        assert_eq!(told("base_url"), "--base-url: no scheme");
        assert_eq!(told("http_status"), "--status: no scheme");
        // The message of a name says by itself what it is about.
        assert_eq!(told("id"), "no scheme");
        // The command takes these without a switch.
        assert_eq!((told("model"), told("candidates")), ("no scheme".into(), "no scheme".into()));
    }

    #[test]
    fn a_reader_that_left_is_no_failure() {
        let left = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(left.exit(), Exit::Fine);
        let full = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.exit(), Exit::Fault);
    }

    #[test]
    fn a_chain_says_each_thing_once() {
        #[derive(Debug)]
        struct Outer(io::Error);
        impl std::fmt::Display for Outer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("could not open the ledger")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        assert_eq!(
            chain(&Outer(io::Error::other("disk full"))),
            "could not open the ledger: disk full"
        );
    }
}
