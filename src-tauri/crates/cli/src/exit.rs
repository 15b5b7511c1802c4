//! How a call ends: five exit codes that scripts can rely on, and one error type with message and
//! hint.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use control::{ApiError, ConfigError, ErrorCode, LockError, ServeError, StartError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Success, or a positive answer.
    Success,
    /// A negative answer: not ready, a check failed, not found.
    Negative,
    /// Wrong usage, or a value was not accepted.
    Usage,
    Internal,
    /// A time limit was exceeded.
    TimedOut,
}

impl Exit {
    /// The process's exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Negative => 1,
            Self::Usage => 2,
            Self::Internal => 3,
            Self::TimedOut => 4,
        }
    }
}

impl Exit {
    /// The error code for programs where the core gives none.
    const fn word(self) -> &'static str {
        match self {
            Self::Success => "ok",
            Self::Negative => "no",
            Self::Usage => "usage",
            Self::Internal => "internal",
            Self::TimedOut => "timeout",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[derive(Debug)]
pub(crate) enum CommandError {
    /// An error to print.
    Reported {
        exit: Exit,
        /// The error code for programs: one of [`ErrorCode`]'s words or of [`Exit`]'s.
        code: &'static str,
        /// The field of the request that is wrong; after [`CommandError::named_by`], its switch.
        field: Option<String>,
        message: String,
        hint: Option<String>,
    },
    /// The reader of the output closed the pipe (`| head`): there is nothing to print.
    OutputClosed,
}

impl CommandError {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self::Reported { exit, code: exit.word(), field: None, message: message.into(), hint: None }
    }

    pub(crate) fn with_hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Reported { exit, code, field, message, .. } => {
                Self::Reported { exit, code, field, message, hint: Some(text.into()) }
            }
            Self::OutputClosed => Self::OutputClosed,
        }
    }

    /// Names the wrong field by its switch, if the called command has one.
    pub(crate) fn named_by(self, switches: &[String]) -> Self {
        let Self::Reported { exit, code, field, message, hint } = self else { return self };
        let field = field.and_then(|field| flag(&field, switches));
        let message = match &field {
            Some(flag) => format!("{flag}: {message}"),
            None => message,
        };
        Self::Reported { exit, code, field, message, hint }
    }

    /// An internal error, with the messages of all its sources.
    pub(crate) fn internal(error: &dyn Error) -> Self {
        Self::new(Exit::Internal, join_error_chain(error))
    }

    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Reported { exit, .. } => *exit,
            Self::OutputClosed => Exit::Success,
        }
    }
}

impl From<ApiError> for CommandError {
    fn from(error: ApiError) -> Self {
        let exit = match error.code {
            // The person's own file has a value that is not accepted.
            ErrorCode::InvalidInput | ErrorCode::SettingsInvalid => Exit::Usage,
            ErrorCode::NotFound => Exit::Negative,
            ErrorCode::TimedOut => Exit::TimedOut,
            ErrorCode::VaultUnavailable | ErrorCode::Offline | ErrorCode::Failed => Exit::Internal,
        };
        let code = error.code.word();
        Self::Reported { exit, code, field: error.field, message: error.message, hint: error.hint }
    }
}

/// Fields whose switch has another name.
const RENAMED: [(&str, &str); 14] = [
    ("clients", "client"),
    ("closed", "down"),
    ("credential", "key"),
    ("draws", "requests"),
    ("failure", "class"),
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

impl From<StartError> for CommandError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Lock(LockError::Held(_)) => {
                Self::new(Exit::TimedOut, join_error_chain(&error))
            }
            _ => Self::internal(&error),
        }
    }
}

impl From<ServeError> for CommandError {
    fn from(error: ServeError) -> Self {
        Self::internal(&error)
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Usage, join_error_chain(&error))
    }
}

/// A failed write of output.
impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::new(Exit::Internal, format!("the output could not be written: {error}")),
        }
    }
}

/// Joins the messages of an error and its sources, outermost first.
fn join_error_chain(error: &dyn Error) -> String {
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
            assert_eq!(CommandError::from(error).exit().code(), exit, "{code:?}");
        };
        check(ErrorCode::InvalidInput, 2);
        check(ErrorCode::NotFound, 1);
        check(ErrorCode::VaultUnavailable, 3);
        check(ErrorCode::SettingsInvalid, 2);
        check(ErrorCode::Offline, 3);
        check(ErrorCode::Failed, 3);
        check(ErrorCode::TimedOut, 4);
        assert_eq!((Exit::Success.code(), Exit::TimedOut.code()), (0, 4));
    }

    #[test]
    fn invalid_input_names_the_flag_and_keeps_its_hint() {
        let switches = ["base-url", "status", "key"].map(str::to_owned);
        let told = |field| {
            let error = ApiError::invalid(field, "no scheme").with_hint("Begin with https://");
            let CommandError::Reported { message, hint, .. } =
                CommandError::from(error).named_by(&switches)
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
        let left = CommandError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(left.exit(), Exit::Success);
        let full = CommandError::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.exit(), Exit::Internal);
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
            join_error_chain(&Outer(io::Error::other("disk full"))),
            "could not open the ledger: disk full"
        );
    }
}
