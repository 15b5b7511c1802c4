//! Assembles one choice: the open part, and the queue behind it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::calls::{CallPiece, Calls, Gave};
use crate::StreamFault;
use crate::names::ToolNames;
use crate::neutral::{
    CallKey, CallKind, Event, Finish, FinishReason, Media, PartDelta, PartHead, Signature,
};

#[derive(Debug)]
pub(super) struct ChoiceAssembler {
    index: u32,
    names: Arc<ToolNames>,
    id_seed: String,
    next_part: u32,
    open: Option<Open>,
    waiting: VecDeque<Waiting>,
    calls: Calls,
    ids: HashSet<String>,
    /// A signature that belongs to the next part.
    signature: Option<Signature>,
    is_finished: bool,
    late_pieces: u32,
    kept_bytes: usize,
}

/// The part that is being streamed.
#[derive(Debug)]
struct Open {
    part: u32,
    kind: OpenKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenKind {
    Text,
    Refusal,
    Thinking,
    Call { place: usize, kind: CallKind, gave: Gave },
}

/// What waits until the open call ends.
#[derive(Debug)]
enum Waiting {
    Words(OpenKind, String),
    Whole(PartHead),
    Signed(Signature),
    Call(usize),
}

impl ChoiceAssembler {
    pub(super) fn new(index: u32, names: Arc<ToolNames>, id_seed: &str) -> Self {
        Self {
            index,
            names,
            id_seed: id_seed.to_owned(),
            next_part: 0,
            open: None,
            waiting: VecDeque::new(),
            calls: Calls::default(),
            ids: HashSet::new(),
            signature: None,
            is_finished: false,
            late_pieces: 0,
            kept_bytes: 0,
        }
    }

    pub(super) const fn is_finished(&self) -> bool {
        self.is_finished
    }

    pub(super) const fn late_pieces(&self) -> u32 {
        self.late_pieces
    }

    pub(super) const fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    pub(super) fn text(&mut self, text: String, out: &mut Vec<Event>) -> Result<(), StreamFault> {
        self.words(OpenKind::Text, text, out);
        Ok(())
    }

    pub(super) fn refusal(
        &mut self,
        text: String,
        out: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        self.words(OpenKind::Refusal, text, out);
        Ok(())
    }

    pub(super) fn thinking(
        &mut self,
        text: String,
        out: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        self.words(OpenKind::Thinking, text, out);
        Ok(())
    }

    pub(super) fn signature(
        &mut self,
        signature: Signature,
        out: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        if let Some(Open { part, kind: OpenKind::Thinking }) = self.open {
            self.delta(part, PartDelta::Signature(signature), out);
            self.close(out);
        } else if !self.is_late()
            && let Some(before) = self.signature.replace(signature)
        {
            // A second signature before any part: the first one stands alone.
            self.enqueue_or(Waiting::Signed(before), out);
        }
        Ok(())
    }

    pub(super) fn redacted(
        &mut self,
        signature: Signature,
        out: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        self.whole(PartHead::RedactedThinking(signature), out);
        Ok(())
    }

    pub(super) fn media(&mut self, media: Media, out: &mut Vec<Event>) -> Result<(), StreamFault> {
        self.whole(PartHead::Media(media), out);
        Ok(())
    }

    /// Ends an open text or thinking part; a call ends with [`Self::call_done`].
    pub(super) fn part_done(&mut self, out: &mut Vec<Event>) -> Result<(), StreamFault> {
        if !self.is_in_call() {
            self.close(out);
        }
        Ok(())
    }

    pub(super) fn call(
        &mut self,
        piece: &CallPiece,
        out: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        if self.is_finished {
            return Err(StreamFault::LateToolCall);
        }
        let known = self.calls.len();
        let place = self.calls.place(piece)?;
        self.kept_bytes = self.kept_bytes.saturating_add(piece.arguments.len());
        if let Some(call) = self.calls.get_mut(place) {
            call.push(&piece.arguments);
        }
        if place == known {
            self.queue_signature();
            self.waiting.push_back(Waiting::Call(place));
        }
        self.stream_arguments(out);
        self.advance(out)
    }

    pub(super) fn call_done(
        &mut self,
        key: &CallKey,
        out: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        if let Some(call) = self.calls.keyed(key).and_then(|place| self.calls.get_mut(place)) {
            call.is_done = true;
        }
        self.advance(out)
    }

    /// Ends the choice: emits everything in the queue, then the finish reason. The first reason
    /// counts.
    pub(super) fn finish(
        &mut self,
        finish: Finish,
        out: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        if self.is_finished {
            return Ok(());
        }
        for place in 0..self.calls.len() {
            if let Some(call) = self.calls.get_mut(place) {
                call.is_done = true;
            }
        }
        self.queue_signature();
        self.advance(out)?;
        self.close(out);
        self.is_finished = true;
        let reason = match (finish.reason, self.ids.is_empty()) {
            // Gemini, Ollama and others end calls with a plain "stop".
            (FinishReason::EndTurn, false) => FinishReason::ToolUse,
            (FinishReason::ToolUse, true) => FinishReason::EndTurn,
            (reason, _) => reason,
        };
        out.push(Event::Finish { choice: self.index, finish: Finish { reason, ..finish } });
        Ok(())
    }

    fn words(&mut self, kind: OpenKind, text: String, out: &mut Vec<Event>) {
        if text.is_empty() || self.is_late() {
            return;
        }
        match &self.open {
            Some(open) if open.kind == kind => {
                let part = open.part;
                self.delta(part, PartDelta::Text(text), out);
            }
            Some(_) if self.is_in_call() => self.queue_words(kind, text),
            _ => {
                self.close(out);
                self.put_signature(out);
                self.write_words(kind, text, out);
            }
        }
    }

    fn queue_words(&mut self, kind: OpenKind, text: String) {
        self.kept_bytes = self.kept_bytes.saturating_add(text.len());
        match self.waiting.back_mut() {
            Some(Waiting::Words(same, words)) if *same == kind => words.push_str(&text),
            _ => {
                self.queue_signature();
                self.waiting.push_back(Waiting::Words(kind, text));
            }
        }
    }

    fn whole(&mut self, head: PartHead, out: &mut Vec<Event>) {
        if !self.is_late() {
            self.queue_signature();
            self.enqueue_or(Waiting::Whole(head), out);
        }
    }

    /// Counts and reports a piece that arrived after the end, which the caller drops.
    fn is_late(&mut self) -> bool {
        self.late_pieces = self.late_pieces.saturating_add(u32::from(self.is_finished));
        self.is_finished
    }

    const fn is_in_call(&self) -> bool {
        matches!(self.open, Some(Open { kind: OpenKind::Call { .. }, .. }))
    }

    fn queue_signature(&mut self) {
        if let Some(signature) = self.signature.take() {
            self.waiting.push_back(Waiting::Signed(signature));
        }
    }

    fn put_signature(&mut self, out: &mut Vec<Event>) {
        if let Some(signature) = self.signature.take() {
            self.write_signature(signature, out);
        }
    }

    fn enqueue_or(&mut self, waiting: Waiting, out: &mut Vec<Event>) {
        self.waiting.push_back(waiting);
        // Only a nameless call can fail here, and that one waits for its name.
        let _ = self.advance(out);
    }

    /// Emits what can be emitted now, in order.
    fn advance(&mut self, out: &mut Vec<Event>) -> Result<(), StreamFault> {
        loop {
            if let Some(Open { kind: OpenKind::Call { place, .. }, .. }) = self.open {
                if !self.calls.get(place).is_some_and(|call| call.is_done) {
                    return Ok(());
                }
                self.close(out);
            }
            let Some(next) = self.waiting.pop_front() else { return Ok(()) };
            match next {
                Waiting::Call(place) => {
                    if !self.begin_call(place, out)? {
                        self.waiting.push_front(Waiting::Call(place));
                        return Ok(());
                    }
                }
                Waiting::Words(kind, text) => {
                    self.close(out);
                    self.write_words(kind, text, out);
                }
                Waiting::Whole(head) => {
                    self.close(out);
                    self.start(head, out);
                    self.stop(self.next_part - 1, out);
                }
                Waiting::Signed(signature) => {
                    self.close(out);
                    self.write_signature(signature, out);
                }
            }
        }
    }

    /// Starts the call at `place`. Returns false while its name is unknown.
    fn begin_call(&mut self, place: usize, out: &mut Vec<Event>) -> Result<bool, StreamFault> {
        let Some(call) = self.calls.get(place) else { return Ok(true) };
        let Some(name) = &call.name else {
            return match (call.is_done, call.kept.trim().is_empty()) {
                (false, _) => Ok(false),
                // A phantom call: neither a name nor arguments.
                (true, true) => Ok(true),
                (true, false) => Err(StreamFault::NamelessToolCall),
            };
        };
        let restored = self.names.restore(name);
        let kind = match call.kind {
            CallKind::Custom => CallKind::Custom,
            CallKind::Function => restored.kind,
        };
        let id = self.unique_id(place);
        self.close(out);
        let (name, namespace) = (restored.name, restored.namespace);
        self.start(PartHead::Call { id, name, namespace, kind }, out);
        let part = self.next_part - 1;
        self.open = Some(Open { part, kind: OpenKind::Call { place, kind, gave: Gave::Nothing } });
        self.stream_arguments(out);
        Ok(true)
    }

    /// The provider's id if it is new in this answer, else a generated one.
    fn unique_id(&mut self, place: usize) -> String {
        let given = self.calls.get(place).and_then(|call| call.id.clone());
        let id = given
            .filter(|id| !self.ids.contains(id))
            .unwrap_or_else(|| format!("call_{}_{}_{place}", self.id_seed, self.index));
        self.ids.insert(id.clone());
        id
    }

    fn stream_arguments(&mut self, out: &mut Vec<Event>) {
        let Some(Open { part, kind: OpenKind::Call { place, kind, .. } }) = self.open else {
            return;
        };
        let more = self.calls.get_mut(place).and_then(|call| call.streamable(kind));
        if let Some(more) = more {
            self.kept_bytes = self.kept_bytes.saturating_sub(more.len());
            let gave = Gave::Something;
            self.open = Some(Open { part, kind: OpenKind::Call { place, kind, gave } });
            self.delta(part, PartDelta::Arguments(more), out);
        }
    }

    fn write_words(&mut self, kind: OpenKind, text: String, out: &mut Vec<Event>) {
        let head = match kind {
            OpenKind::Refusal => PartHead::Refusal,
            OpenKind::Thinking => PartHead::Thinking,
            OpenKind::Text | OpenKind::Call { .. } => PartHead::Text,
        };
        self.start(head, out);
        let part = self.next_part - 1;
        self.open = Some(Open { part, kind });
        self.delta(part, PartDelta::Text(text), out);
    }

    fn write_signature(&mut self, signature: Signature, out: &mut Vec<Event>) {
        self.start(PartHead::Thinking, out);
        let part = self.next_part - 1;
        self.delta(part, PartDelta::Signature(signature), out);
        self.stop(part, out);
    }

    fn start(&mut self, head: PartHead, out: &mut Vec<Event>) {
        out.push(Event::Start { choice: self.index, index: self.next_part, head });
        self.next_part = self.next_part.saturating_add(1);
    }

    fn delta(&self, part: u32, delta: PartDelta, out: &mut Vec<Event>) {
        out.push(Event::Delta { choice: self.index, index: part, delta });
    }

    fn stop(&self, part: u32, out: &mut Vec<Event>) {
        out.push(Event::Stop { choice: self.index, index: part });
    }

    /// Ends the open part; a call first gets the rest of its arguments.
    fn close(&mut self, out: &mut Vec<Event>) {
        let Some(Open { part, kind }) = self.open.take() else { return };
        if let OpenKind::Call { place, kind, gave } = kind {
            let rest = self.calls.get_mut(place).and_then(|call| {
                let kept = call.kept.len();
                self.kept_bytes = self.kept_bytes.saturating_sub(kept);
                call.rest(kind, gave)
            });
            if let Some(rest) = rest {
                self.delta(part, PartDelta::Arguments(rest), out);
            }
        }
        self.stop(part, out);
    }
}
