//! Turns as Anthropic, Gemini and Ollama demand them: user and assistant in alternation, every call
//! answered in the very next turn, instructions on top.

use crate::neutral::{Message, Part};

/// The leading system parts, and the other turns with late instructions folded, in their order and
/// marked as such, into the user's next turn. They are never hoisted to the top: that would change
/// the cached prefix and what the model had seen when it spoke.
pub(crate) fn split_system(messages: &[Message]) -> (Vec<Part>, Vec<Message>) {
    let _ = messages;
    (Vec::new(), Vec::new())
}

/// Turns in alternation, beginning with the user's: neighbours merged, empty texts dropped, the
/// results of a turn's calls first in the next one, complete (a missing one is sent as empty) and in
/// the order of the calls; a result without its call becomes text.
pub(crate) fn alternate(messages: Vec<Message>) -> Vec<Message> {
    messages
}
