//! Assembles pieces of an answer, in any order, into ordered events.
//!
//! Providers interleave parallel calls, repeat names, omit ids and indexes, send text next to a
//! call and arguments as one object or byte by byte (FAULTS F51 to F54). This module normalises
//! that for all dialects: parts follow each other, each starts once and stops once; the open part
//! streams, other calls are buffered until it ends.

mod calls;
mod choice;

use std::collections::BTreeMap;
use std::sync::Arc;

use choice::ChoiceAssembler;

use crate::answer::CHOICES_MAX;
use crate::answer::is_model_name;
use crate::dialect::tool_names::ToolNames;
use crate::neutral::{AnswerEvent, Finish, ProviderEvent};
use crate::{AnswerFacts, StreamFault};

/// Maximum number of bytes of calls and texts buffered while another part is open, over all
/// choices.
pub(crate) const BUFFERED_BYTES_MAX: usize = 16_777_216;

#[derive(Debug)]
pub(crate) struct Assembler {
    names: Arc<ToolNames>,
    /// Makes generated call ids unique among all answers.
    id_seed: String,
    facts: AnswerFacts,
    id: Option<String>,
    has_begun: bool,
    choices: BTreeMap<u32, ChoiceAssembler>,
    late_events: u32,
    content_seen: bool,
}

impl Assembler {
    /// `names` restores the client's tool names; `id_seed` (letters and digits) is unique to the
    /// answer.
    pub(crate) fn new(names: Arc<ToolNames>, id_seed: &str) -> Self {
        Self {
            names,
            id_seed: id_seed.to_owned(),
            facts: AnswerFacts::default(),
            id: None,
            has_begun: false,
            choices: BTreeMap::new(),
            late_events: 0,
            content_seen: false,
        }
    }

    /// Returns the events that `piece` completes. [`ProviderEvent::RelayEnd`] returns the rest, and
    /// [`AnswerEvent::RelayEnd`] if every choice has a finish reason, else nothing. The caller handles
    /// [`ProviderEvent::Error`].
    pub(crate) fn push_event(
        &mut self,
        piece: ProviderEvent,
    ) -> Result<Vec<AnswerEvent>, StreamFault> {
        let mut events = Vec::new();
        match piece {
            ProviderEvent::Begin { id, model } => {
                self.id = self.id.take().or(id);
                if let Some(model) = model.filter(|model| is_model_name(model)) {
                    self.facts.model.get_or_insert(model);
                }
            }
            ProviderEvent::Usage(report) => self.facts.usage = Some(report),
            ProviderEvent::BilledBeside(usage) => self.facts.billed_beside = usage,
            ProviderEvent::Error(_) => {}
            ProviderEvent::End => self.end(&mut events),
            ProviderEvent::Finish { choice, finish } => {
                self.finish_choice(choice, finish, &mut events)?;
            }
            ProviderEvent::Text { choice, text } => {
                self.add_content(choice, text.len(), &mut events, |c, out| c.push_text(text, out))?;
            }
            ProviderEvent::Refusal { choice, text } => {
                self.add_content(choice, text.len(), &mut events, |c, out| {
                    c.push_refusal(text, out)
                })?;
            }
            ProviderEvent::Thinking { choice, text } => {
                self.add_content(choice, text.len(), &mut events, |c, out| {
                    c.push_thinking(text, out)
                })?;
            }
            ProviderEvent::Signature { choice, signature } => {
                self.add_content(choice, 0, &mut events, |c, out| {
                    c.push_signature(signature, out)
                })?;
            }
            ProviderEvent::RedactedThinking { choice, signature } => {
                self.add_content(choice, 1, &mut events, |c, out| {
                    c.push_redacted_thinking(signature, out)
                })?;
            }
            ProviderEvent::Media { choice, media } => {
                self.add_content(choice, 1, &mut events, |c, out| c.push_media(media, out))?;
            }
            ProviderEvent::PartDone { choice } => {
                self.add_content(choice, 0, &mut events, ChoiceAssembler::end_text_part)?;
            }
            ProviderEvent::CallDone { choice, key } => {
                self.add_content(choice, 0, &mut events, |c, out| c.end_call(&key, out))?;
            }
            ProviderEvent::Call { choice, key, id, name, kind, arguments } => {
                let piece = calls::CallFragment { key, id, name, kind, arguments };
                let bytes = piece.arguments.len().max(1);
                self.add_content(choice, bytes, &mut events, |c, out| c.push_call(&piece, out))?;
            }
        }
        Ok(events)
    }

    /// The opening event, unless already sent: for a client that must receive something now.
    pub(crate) fn begin(&mut self) -> Option<AnswerEvent> {
        if std::mem::replace(&mut self.has_begun, true) {
            return None;
        }
        let (id, model) = (self.id.clone(), self.facts.model.clone());
        Some(AnswerEvent::Begin { id, model, usage: self.facts.usage.clone() })
    }

    /// True if at least one choice has begun and all of them have a finish reason.
    pub(crate) fn is_finished(&self) -> bool {
        !self.choices.is_empty() && self.choices.values().all(ChoiceAssembler::is_finished)
    }

    /// True once text, thinking, media or a call has arrived.
    pub(crate) const fn content_seen(&self) -> bool {
        self.content_seen
    }

    /// Number of pieces dropped because they arrived after their choice finished.
    pub(crate) const fn late_events(&self) -> u32 {
        self.late_events
    }

    pub(crate) const fn facts(&self) -> &AnswerFacts {
        &self.facts
    }

    pub(crate) fn into_facts(self) -> AnswerFacts {
        self.facts
    }

    fn add_content(
        &mut self,
        choice: u32,
        bytes: usize,
        events: &mut Vec<AnswerEvent>,
        add: impl FnOnce(&mut ChoiceAssembler, &mut Vec<AnswerEvent>) -> Result<(), StreamFault>,
    ) -> Result<(), StreamFault> {
        let assembler = self.choice_mut(choice)?;
        let mut added = Vec::new();
        let late_before = assembler.late_events();
        add(assembler, &mut added)?;
        let late = assembler.late_events() - late_before;
        self.late_events = self.late_events.saturating_add(late);
        if bytes > 0 && late == 0 {
            self.content_seen = true;
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            self.facts.content_bytes = self.facts.content_bytes.saturating_add(bytes);
        }
        let kept: usize = self.choices.values().map(ChoiceAssembler::kept_bytes).sum();
        if kept > BUFFERED_BYTES_MAX {
            return Err(StreamFault::AnswerTooLarge);
        }
        self.emit(added, events);
        Ok(())
    }

    fn finish_choice(
        &mut self,
        choice: u32,
        finish: Finish,
        events: &mut Vec<AnswerEvent>,
    ) -> Result<(), StreamFault> {
        let word = crate::error::sanitize(&finish.word, crate::error::ERROR_FIELD_CHARS_MAX);
        let mut added = Vec::new();
        self.choice_mut(choice)?.finish(finish, &mut added)?;
        self.facts.finish_reason.get_or_insert(word);
        self.emit(added, events);
        Ok(())
    }

    fn end(&mut self, events: &mut Vec<AnswerEvent>) {
        if self.is_finished() {
            let usage = self.facts.usage.clone();
            self.emit(vec![AnswerEvent::End { usage }], events);
        }
    }

    fn emit(&mut self, added: Vec<AnswerEvent>, events: &mut Vec<AnswerEvent>) {
        if added.is_empty() {
            return;
        }
        events.extend(self.begin());
        events.extend(added);
    }

    fn choice_mut(&mut self, index: u32) -> Result<&mut ChoiceAssembler, StreamFault> {
        if usize::try_from(index).unwrap_or(usize::MAX) >= CHOICES_MAX {
            return Err(StreamFault::TooManyChoices);
        }
        let (names, seed) = (&self.names, &self.id_seed);
        let new = || ChoiceAssembler::new(index, Arc::clone(names), seed);
        Ok(self.choices.entry(index).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests;
