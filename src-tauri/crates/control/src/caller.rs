//! Who calls an operation: a shell of this program, or an agent that tells its name. The audit log
//! keeps it. A shell that calls the engine of another process tells it in a header. The client with
//! whose token an agent came over HTTP is in no header: the process that checked the token serves it.

use std::sync::Arc;

use domain::{CallerKind, ClientId};

/// Longest name and version of an agent, in characters.
const AGENT_CHARS_MAX: usize = 64;

/// What separates the parts of a header value. No part contains it.
const SEPARATOR: &str = ";";

/// The part of a header value that says what a person answered, after kind, name and version.
const ANSWER_PART: usize = 3;

/// Caller of operations. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub kind: CallerKind,
    pub agent: Option<Arc<AgentName>>,
    /// The client whose token it has, which was checked. None for all that need no token.
    pub client: Option<Arc<ClientId>>,
    /// What came of asking a person about an agent's call. None where nobody was asked.
    pub answer: Option<PersonAnswer>,
}

domain::words! {
    /// What came of asking a person.
    PersonAnswer {
        Confirmed = "confirmed",
        /// Or dismissed the question.
        Declined = "declined",
        /// No answer came, for whatever cause.
        Missing = "unanswered",
    }
}

/// What an agent calls itself. It may be untrue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentName {
    pub name: String,
    pub version: Option<String>,
}

impl Caller {
    #[must_use]
    pub const fn new(kind: CallerKind) -> Self {
        Self { kind, agent: None, client: None, answer: None }
    }

    /// An agent. Of its name and version only plain letters and signs are kept, and nothing that
    /// looks like a key.
    #[must_use]
    pub fn agent(name: &str, version: &str) -> Self {
        let agent =
            plain_text(name).map(|name| Arc::new(AgentName { name, version: plain_text(version) }));
        Self { kind: CallerKind::Mcp, agent, client: None, answer: None }
    }

    /// With the client whose token it has.
    #[must_use]
    pub fn with_client(mut self, client: Option<Arc<ClientId>>) -> Self {
        self.client = client;
        self
    }

    /// True if a person confirmed the call, false if one declined it. None where nobody was asked or no
    /// answer came.
    #[must_use]
    pub const fn confirmed(&self) -> Option<bool> {
        match self.answer {
            Some(PersonAnswer::Confirmed) => Some(true),
            Some(PersonAnswer::Declined) => Some(false),
            Some(PersonAnswer::Missing) | None => None,
        }
    }

    /// The value of the header that tells it to another process.
    pub(crate) fn header(&self) -> String {
        let mut parts = vec![self.kind.word()];
        if let Some(agent) = &self.agent {
            parts.extend([agent.name.as_str(), agent.version.as_deref().unwrap_or_default()]);
        }
        if let Some(answer) = self.answer {
            parts.resize(ANSWER_PART, "");
            parts.push(answer.word());
        }
        parts.join(SEPARATOR)
    }

    /// The caller that a header names: the command line if there is none.
    pub(crate) fn from_header(text: Option<&str>) -> Self {
        let mut parts = text.unwrap_or_default().split(SEPARATOR);
        let kind = parts.next().and_then(|word| word.parse().ok());
        match (kind, parts.next()) {
            (Some(CallerKind::Mcp), Some(name)) => {
                let agent = Self::agent(name, parts.next().unwrap_or_default());
                let answer = parts.next().and_then(|word| word.parse().ok());
                Self { answer, ..agent }
            }
            (Some(kind), _) => Self::new(kind),
            (None, _) => Self::new(CallerKind::CommandLine),
        }
    }
}

/// None if nothing is left.
fn plain_text(text: &str) -> Option<String> {
    let text = domain::redact(text);
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || " ._-/()+@".contains(*letter);
    let kept: String = text.chars().filter(is_plain).take(AGENT_CHARS_MAX).collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_survives_its_header() {
        for caller in [
            Caller::new(CallerKind::Window),
            Caller::new(CallerKind::CommandLine),
            Caller::agent("Claude Code", "2.1.0"),
            Caller::agent("codex", ""),
            Caller::agent("", "1"),
            Caller { answer: Some(PersonAnswer::Confirmed), ..Caller::agent("codex", "") },
            Caller { answer: Some(PersonAnswer::Declined), ..Caller::new(CallerKind::Mcp) },
            Caller { answer: Some(PersonAnswer::Missing), ..Caller::new(CallerKind::Mcp) },
        ] {
            assert_eq!(Caller::from_header(Some(&caller.header())), caller);
        }
        for unknown in [None, Some(""), Some("root"), Some("root;x")] {
            assert_eq!(Caller::from_header(unknown), Caller::new(CallerKind::CommandLine));
        }
    }

    #[test]
    fn of_a_name_plain_text_is_kept_and_no_key() {
        let named = |name: &str| Caller::agent(name, "").agent.map(|agent| agent.name.clone());
        assert_eq!(named("a;b\r\nx: y"), Some("abx y".to_owned()));
        assert_eq!(named("\u{1b}[31m"), Some("31m".to_owned()));
        assert_eq!(named(&"x".repeat(100)).map(|name| name.len()), Some(AGENT_CHARS_MAX));
        let key = "sk-ant-api03-7f3a9c51e2b84d06";
        assert!(named(key).is_none_or(|name| !name.contains("7f3a9c51")), "{:?}", named(key));
    }
}
