//! How a call ends: five exit codes that scripts may rely on, and one error that says what happened
//! and what to do.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use control::{ApiError, ConfigError, ErrorCode, ServeError, StartError};

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or the answer is yes.
    Fine,
    /// The answer is no: not ready, a check failed, no such thing.
    No,
    /// Called wrongly, or a value was not accepted.
    Usage,
    /// Something broke.
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
        Self::Told { exit, message: message.into(), hint: None }
    }

    /// The same with what to do about it.
    pub(crate) fn with_hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Told { exit, message, .. } => {
                Self::Told { exit, message, hint: Some(text.into()) }
            }
            Self::ReaderLeft => Self::ReaderLeft,
        }
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
            ErrorCode::VaultUnavailable
            | ErrorCode::SettingsInvalid
            | ErrorCode::Offline
            | ErrorCode::Failed => Exit::Fault,
        };
        let message = match error.field {
            Some(field) => format!("{field}: {}", error.message),
            None => error.message,
        };
        Self::Told { exit, message, hint: error.hint }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::fault(&error)
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
        assert_eq!((Exit::Fine.code(), Exit::TimeOut.code()), (0, 4));
    }

    #[test]
    fn invalid_input_names_its_field_and_keeps_its_hint() {
        let error = ApiError::invalid("base_url", "no scheme").with_hint("Begin with https://");
        let Failure::Told { message, hint, .. } = Failure::from(error) else {
            panic!("something to tell")
        };
        assert_eq!(message, "base_url: no scheme");
        assert_eq!(hint.as_deref(), Some("Begin with https://"));
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
