//! Assembles one choice: the open part, and the queue behind it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::calls::{CallFragment, EmittedArguments, PendingCalls};
use crate::StreamFault;
use crate::dialect::tool_names::ToolNames;
use crate::neutral::{
    AnswerEvent, CallKey, CallKind, Finish, FinishReason, MediaContent, PartDelta, PartHead,
    ThoughtSignature,
};

#[derive(Debug)]
pub(super) struct ChoiceAssembler {
    index: u32,
    names: Arc<ToolNames>,
    id_seed: String,
    next_part: u32,
    open: Option<OpenAnswerPart>,
    queue: VecDeque<QueuedPart>,
    calls: PendingCalls,
    ids: HashSet<String>,
    /// A signature that belongs to the next part.
    signature: Option<ThoughtSignature>,
    is_finished: bool,
    late_events: u32,
    kept_bytes: usize,
}

/// The part that is being streamed.
#[derive(Debug)]
struct OpenAnswerPart {
    part: u32,
    kind: OpenAnswerPartKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenAnswerPartKind {
    Text,
    Refusal,
    Thinking,
    Call { place: usize, kind: CallKind, gave: EmittedArguments },
}

/// What waits until the open call ends.
#[derive(Debug)]
enum QueuedPart {
    Text(OpenAnswerPartKind, String),
    Whole(PartHead),
    Signature(ThoughtSignature),
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
            queue: VecDeque::new(),
            calls: PendingCalls::default(),
            ids: HashSet::new(),
            signature: None,
            is_finished: false,
            late_events: 0,
            kept_bytes: 0,
        }
    }

    pub(super) const fn is_finished(&self) -> bool {
        self.is_finished
    }

    pub(super) const fn late_events(&self) -> u32 {
        self.late_events
    }

    pub(super) const fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    pub(super) fn push_text(
        &mut self,
        text: String,
        out: &mut Vec<AnswerEvent>,
    ) -> Result<(), StreamFault> {
        self.push_words_of(OpenAnswerPartKind::Text, text, out);
        Ok(())
    }

    pub(super) fn push_refusal(
        &mut self,
        text: String,
        out: &mut Vec<AnswerEvent>,
    ) -> Result<(), StreamFault> {
        self.push_words_of(OpenAnswerPartKind::Refusal, text, out);
        Ok(())
    }

    pub(super) fn push_thinking(
        &mut self,
        text: String,
        out: &mut Vec<AnswerEvent>,
    ) -> Result<(), StreamFault> {
        self.push_words_of(OpenAnswerPartKind::Thinking, text, out);
        Ok(())
    }

    pub(super) fn push_signature(
        &mut self,
        signature: ThoughtSignature,
        out: &mut Vec<AnswerEvent>,
    ) -> Result<(), StreamFault> {
        if let Some(OpenAnswerPart { part, kind: OpenAnswerPartKind::Thinking }) = self.open {
            self.write_delta(part, PartDelta::Signature(signature), out);
            self.close_part(out);
        } else if !self.count_if_late()
            && let Some(before) = self.signature.replace(signature)
        {
            // A second signature before any part: the first one stands alone.
            self.enqueue(QueuedPart::Signature(before), out);
        }
        Ok(())
    }

    pub(super) fn push_redacted_thinking(
        &mut self,
        signature: ThoughtSignature,
        out: &mut Vec<AnswerEvent>,
    ) -> Result<(), StreamFault> {
        self.push_whole_part(PartHead::RedactedThinking(signature), out);
        Ok(())
    }

    pub(super) fn push_media(
        &mut self,
        media: MediaContent,
        out: &mut Vec<AnswerEvent>,
    ) -> Result<(), StreamFault> {
        self.push_whole_part(PartHead::Media(media), out);
        Ok(())
    }

    /// Ends an open text or thinking part; a call ends with [`Self::end_call`].
    pub(super) fn end_text_part(&mut self, out: &mut Vec<AnswerEvent>) -> Result<(), StreamFault> {
        if !self.is_in_call() {
            self.close_part(out);
        }
        Ok(())
    }

    pub(super) fn push_call(
        &mut self,
        piece: &CallFragment,
        out: &mut Vec<AnswerEvent>,
    ) -> Result<(), StreamFault> {
        if self.is_finished {
            return Err(StreamFault::LateToolCall);
        }
        let known = self.calls.len();
        let place = self.calls.index_for(piece)?;
        self.kept_bytes = self.kept_bytes.saturating_add(piece.arguments.len());
        if let Some(call) = self.calls.get_mut(place) {
            call.push_arguments(&piece.arguments);
        }
        if place == known {
            self.queue_signature();
            self.queue.push_back(QueuedPart::Call(place));
        }
        self.stream_arguments(out);
        self.drain_queue(out)
    }

    pub(super) fn end_call(
        &mut self,
        key: &CallKey,
        out: &mut Vec<AnswerEvent>,
    ) -> Result<(), StreamFault> {
        if let Some(call) = self.calls.index_of_key(key).and_then(|place| self.calls.get_mut(place))
        {
            call.is_done = true;
        }
        self.drain_queue(out)
    }

    /// Ends the choice: emits everything in the queue, then the finish reason. The first reason
    /// counts.
    pub(super) fn finish(
        &mut self,
        finish: Finish,
        out: &mut Vec<AnswerEvent>,
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
        self.drain_queue(out)?;
        self.close_part(out);
        self.is_finished = true;
        let reason = match (finish.reason, self.ids.is_empty()) {
            // Gemini, Ollama and others end calls with a plain "stop".
            (FinishReason::EndTurn, false) => FinishReason::ToolUse,
            (FinishReason::ToolUse, true) => FinishReason::EndTurn,
            (reason, _) => reason,
        };
        out.push(AnswerEvent::Finish { choice: self.index, finish: Finish { reason, ..finish } });
        Ok(())
    }

    fn push_words_of(
        &mut self,
        kind: OpenAnswerPartKind,
        text: String,
        out: &mut Vec<AnswerEvent>,
    ) {
        if text.is_empty() || self.count_if_late() {
            return;
        }
        match &self.open {
            Some(open) if open.kind == kind => {
                let part = open.part;
                self.write_delta(part, PartDelta::Text(text), out);
            }
            Some(_) if self.is_in_call() => self.queue_text(kind, text),
            _ => {
                self.close_part(out);
                self.write_pending_signature(out);
                self.write_text(kind, text, out);
            }
        }
    }

    fn queue_text(&mut self, kind: OpenAnswerPartKind, text: String) {
        self.kept_bytes = self.kept_bytes.saturating_add(text.len());
        match self.queue.back_mut() {
            Some(QueuedPart::Text(same, words)) if *same == kind => words.push_str(&text),
            _ => {
                self.queue_signature();
                self.queue.push_back(QueuedPart::Text(kind, text));
            }
        }
    }

    fn push_whole_part(&mut self, head: PartHead, out: &mut Vec<AnswerEvent>) {
        if !self.count_if_late() {
            self.queue_signature();
            self.enqueue(QueuedPart::Whole(head), out);
        }
    }

    /// Counts and reports a piece that arrived after the end, which the caller drops.
    fn count_if_late(&mut self) -> bool {
        self.late_events = self.late_events.saturating_add(u32::from(self.is_finished));
        self.is_finished
    }

    const fn is_in_call(&self) -> bool {
        matches!(self.open, Some(OpenAnswerPart { kind: OpenAnswerPartKind::Call { .. }, .. }))
    }

    fn queue_signature(&mut self) {
        if let Some(signature) = self.signature.take() {
            self.queue.push_back(QueuedPart::Signature(signature));
        }
    }

    fn write_pending_signature(&mut self, out: &mut Vec<AnswerEvent>) {
        if let Some(signature) = self.signature.take() {
            self.write_signature(signature, out);
        }
    }

    fn enqueue(&mut self, waiting: QueuedPart, out: &mut Vec<AnswerEvent>) {
        self.queue.push_back(waiting);
        // Only a nameless call can fail here, and that one waits for its name.
        let _ = self.drain_queue(out);
    }

    /// Emits what can be emitted now, in order.
    fn drain_queue(&mut self, out: &mut Vec<AnswerEvent>) -> Result<(), StreamFault> {
        loop {
            if let Some(OpenAnswerPart { kind: OpenAnswerPartKind::Call { place, .. }, .. }) =
                self.open
            {
                if !self.calls.get(place).is_some_and(|call| call.is_done) {
                    return Ok(());
                }
                self.close_part(out);
            }
            let Some(next) = self.queue.pop_front() else { return Ok(()) };
            match next {
                QueuedPart::Call(place) => {
                    if !self.begin_call(place, out)? {
                        self.queue.push_front(QueuedPart::Call(place));
                        return Ok(());
                    }
                }
                QueuedPart::Text(kind, text) => {
                    self.close_part(out);
                    self.write_text(kind, text, out);
                }
                QueuedPart::Whole(head) => {
                    self.close_part(out);
                    self.start_part(head, out);
                    self.stop_part(self.next_part - 1, out);
                }
                QueuedPart::Signature(signature) => {
                    self.close_part(out);
                    self.write_signature(signature, out);
                }
            }
        }
    }

    /// Starts the call at `place`. Returns false while its name is unknown.
    fn begin_call(
        &mut self,
        place: usize,
        out: &mut Vec<AnswerEvent>,
    ) -> Result<bool, StreamFault> {
        let Some(call) = self.calls.get(place) else { return Ok(true) };
        let Some(name) = &call.name else {
            return match (call.is_done, call.buffered.trim().is_empty()) {
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
        self.close_part(out);
        let (name, namespace) = (restored.name, restored.namespace);
        self.start_part(PartHead::Call { id, name, namespace, kind }, out);
        let part = self.next_part - 1;
        self.open = Some(OpenAnswerPart {
            part,
            kind: OpenAnswerPartKind::Call { place, kind, gave: EmittedArguments::Nothing },
        });
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

    fn stream_arguments(&mut self, out: &mut Vec<AnswerEvent>) {
        let Some(OpenAnswerPart { part, kind: OpenAnswerPartKind::Call { place, kind, .. } }) =
            self.open
        else {
            return;
        };
        let more = self.calls.get_mut(place).and_then(|call| call.take_streamable(kind));
        if let Some(more) = more {
            self.kept_bytes = self.kept_bytes.saturating_sub(more.len());
            let gave = EmittedArguments::Something;
            self.open =
                Some(OpenAnswerPart { part, kind: OpenAnswerPartKind::Call { place, kind, gave } });
            self.write_delta(part, PartDelta::Arguments(more), out);
        }
    }

    fn write_text(&mut self, kind: OpenAnswerPartKind, text: String, out: &mut Vec<AnswerEvent>) {
        let head = match kind {
            OpenAnswerPartKind::Refusal => PartHead::Refusal,
            OpenAnswerPartKind::Thinking => PartHead::Thinking,
            OpenAnswerPartKind::Text | OpenAnswerPartKind::Call { .. } => PartHead::Text,
        };
        self.start_part(head, out);
        let part = self.next_part - 1;
        self.open = Some(OpenAnswerPart { part, kind });
        self.write_delta(part, PartDelta::Text(text), out);
    }

    fn write_signature(&mut self, signature: ThoughtSignature, out: &mut Vec<AnswerEvent>) {
        self.start_part(PartHead::Thinking, out);
        let part = self.next_part - 1;
        self.write_delta(part, PartDelta::Signature(signature), out);
        self.stop_part(part, out);
    }

    fn start_part(&mut self, head: PartHead, out: &mut Vec<AnswerEvent>) {
        out.push(AnswerEvent::Start { choice: self.index, index: self.next_part, head });
        self.next_part = self.next_part.saturating_add(1);
    }

    fn write_delta(&self, part: u32, delta: PartDelta, out: &mut Vec<AnswerEvent>) {
        out.push(AnswerEvent::Delta { choice: self.index, index: part, delta });
    }

    fn stop_part(&self, part: u32, out: &mut Vec<AnswerEvent>) {
        out.push(AnswerEvent::Stop { choice: self.index, index: part });
    }

    /// Ends the open part; a call first gets the rest of its arguments.
    fn close_part(&mut self, out: &mut Vec<AnswerEvent>) {
        let Some(OpenAnswerPart { part, kind }) = self.open.take() else { return };
        if let OpenAnswerPartKind::Call { place, kind, gave } = kind {
            let rest = self.calls.get_mut(place).and_then(|call| {
                let kept = call.buffered.len();
                self.kept_bytes = self.kept_bytes.saturating_sub(kept);
                call.take_rest(kind, gave)
            });
            if let Some(rest) = rest {
                self.write_delta(part, PartDelta::Arguments(rest), out);
            }
        }
        self.stop_part(part, out);
    }
}
