//! The calls of the model that an answer lists, taken out of the usage that it states for all.

use crate::{MeteredUsage, Usage};

/// Splits the usage of an answer by the calls that it lists, in their order.
#[derive(Debug, Clone)]
pub struct CallSplit {
    rest: MeteredUsage,
    /// The round listed last so far: the call that gave the answer, unless another one follows.
    last_round: Option<MeteredUsage>,
    calls: Vec<MeteredUsage>,
    has_parts: bool,
    are_parts: bool,
}

impl CallSplit {
    /// `sum` is the usage that the answer states.
    #[must_use]
    pub const fn of(sum: MeteredUsage) -> Self {
        Self { rest: sum, last_round: None, calls: Vec::new(), has_parts: false, are_parts: true }
    }

    /// Adds a call that the sum counts. False at more than [`Usage::INNER_CALLS_MAX`].
    #[must_use]
    pub fn add_round(&mut self, round: MeteredUsage) -> bool {
        let Some(before) = self.last_round.replace(round) else { return true };
        self.has_parts = true;
        if !self.are_parts {
            return true;
        }
        let taken = self.rest.take_call(&before);
        self.are_parts = taken.is_some();
        taken.is_none_or(|call| self.add_extra(call))
    }

    /// Adds a call that the sum does not count. One without a count costs nothing and is left out. False
    /// at more than [`Usage::INNER_CALLS_MAX`].
    #[must_use]
    pub fn add_extra(&mut self, call: MeteredUsage) -> bool {
        if call == MeteredUsage::default() {
            return true;
        }
        let has_room = self.calls.len() < Usage::INNER_CALLS_MAX;
        if has_room {
            self.calls.push(call);
        }
        has_room
    }

    /// True if the rounds are those that the sum counts: what is left of it is the last one.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let is_rest = |last: MeteredUsage| self.rest.tokens().input() == last.tokens().input();
        !self.has_parts || (self.are_parts && self.last_round.is_some_and(is_rest))
    }

    /// The calls beside the one that gave the answer: [`Usage::inner_calls`].
    #[must_use]
    pub fn into_inner_calls(self) -> Vec<MeteredUsage> {
        self.calls
    }
}
