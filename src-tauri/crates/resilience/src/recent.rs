//! A count over the last minute in a fixed number of steps: no history is kept, so memory does not
//! grow with traffic.

use std::time::Duration;

use domain::Moment;

/// Length of a step.
const STEP: Duration = Duration::from_secs(5);

/// Steps that make the minute.
const STEPS: u64 = 12;

/// One more than [`STEPS`]: the oldest is partly outside the minute.
const SLOTS: usize = 13;

/// A count over the last minute, known between two bounds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent {
    slots: [u64; SLOTS],
    /// Number of the newest step, counted from the start of the clock.
    newest: u64,
}

impl Recent {
    /// Adds to the step of `now`. A moment before the newest step counts as the newest.
    pub(crate) fn add(&mut self, amount: u64, now: Moment) {
        self.advance(step(now));
        if let Some(slot) = self.slots.get_mut(place(self.newest)) {
            *slot = slot.saturating_add(amount);
        }
    }

    /// What was counted in the last 55 to 60 seconds: never more than in the last minute.
    pub(crate) fn within(&self, now: Moment) -> u64 {
        self.sum(now, STEPS)
    }

    /// What was counted in the last 60 to 65 seconds: never less than in the last minute.
    pub(crate) fn at_most(&self, now: Moment) -> u64 {
        self.sum(now, STEPS + 1)
    }

    fn sum(&self, now: Moment, steps: u64) -> u64 {
        let present = step(now).max(self.newest);
        let oldest = (present + 1).saturating_sub(steps);
        (oldest..=self.newest)
            .filter(|number| number + SLOTS as u64 > self.newest)
            .filter_map(|number| self.slots.get(place(number)))
            .sum()
    }

    fn advance(&mut self, present: u64) {
        let gone = present.saturating_sub(self.newest);
        for number in (1..=gone.min(SLOTS as u64)).map(|ahead| present + 1 - ahead) {
            if let Some(slot) = self.slots.get_mut(place(number)) {
                *slot = 0;
            }
        }
        self.newest = self.newest.max(present);
    }
}

fn step(now: Moment) -> u64 {
    let length = u64::try_from(STEP.as_micros()).unwrap_or(u64::MAX);
    now.as_micros() / length
}

fn place(number: u64) -> usize {
    usize::try_from(number % SLOTS as u64).unwrap_or(0)
}
