//! How a call ends: five exit codes that scripts can rely on, and one error type with message and
//! hint.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use control::{ApiError, ConfigError, ErrorCode, LockError, ServeError, StartError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Success, or a positive answer.
    Fine,
    /// A negative answer: not ready, a check failed, not found.
    No,
    /// Wrong usage, or a value was not accepted.
    Usage,
    /// An internal error.
    Fault,
    /// A time limit was exceeded.
    TimeOut,
}

impl Exit {
    /// The process's exit code.
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
    /// The error code for programs where the core gives none.
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

#[derive(Debug)]
pub(crate) enum Failure {
    /// An error to print.
    Told {
        exit: Exit,
        /// The error code for programs: one of [`ErrorCode`]'s words or of [`Exit`]'s.
        code: &'static str,
        /// The flag or setting that is wrong.
        field: Option<String>,
        message: String,
        hint: Option<String>,
    },
    /// The reader of the output closed the pipe (`| head`): there is nothing to print.
    ReaderLeft,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self::Told { exit, code: exit.word(), field: None, message: message.into(), hint: None }
    }

    pub(crate) fn with_hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Told { exit, code, field, message, .. } => {
                Self::Told { exit, code, field, message, hint: Some(text.into()) }
            }
            Self::ReaderLeft => Self::ReaderLeft,
        }
    }

    /// An internal error, with the messages of all its sources.
    pub(crate) fn fault(error: &dyn Error) -> Self {
        Self::new(Exit::Fault, chain(error))
    }

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
        let field = error.field.as_deref().and_then(flag);
        let message = match &field {
            Some(flag) => format!("{flag}: {}", error.message),
            None => error.message,
        };
        Self::Told { exit, code, field, message, hint: error.hint }
    }
}

/// The flag for a field of a request; `None` if the message names the field itself.
fn flag(field: &str) -> Option<String> {
    match field {
        "" | "id" | "key" | "from" | "kind" | "prompt" | "passphrase" | "secret" => None,
        field => Some(format!("--{}", field.replace('_', "-"))),
    }
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

/// A failed write of output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderLeft,
            _ => Self::new(Exit::Fault, format!("the output could not be written: {error}")),
        }
    }
}

/// Joins the messages of an error and its sources, outermost first.
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
        let told = |field| {
            let error = ApiError::invalid(field, "no scheme").with_hint("Begin with https://");
            let Failure::Told { message, hint, .. } = Failure::from(error) else {
                panic!("something to tell")
            };
            assert_eq!(hint.as_deref(), Some("Begin with https://"));
            message
        };
        assert_eq!(told("base_url"), "--base-url: no scheme");
        // The message for a name already says what it is about.
        assert_eq!(told("id"), "no scheme");
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
