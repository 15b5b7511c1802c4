//! A count over the last minute in a fixed number of steps. Memory does not grow with traffic.

use std::time::Duration;

use domain::Moment;

/// Length of the counted period.
pub(crate) const SPAN: Duration = Duration::from_secs(60);

/// A count over the last minute, known within two bounds. `SLOTS` - 1 steps make a minute; the
/// extra slot holds the oldest step, which is partly outside it.
#[derive(Debug, Clone)]
pub(crate) struct MinuteCounter<const SLOTS: usize> {
    slots: [u64; SLOTS],
    /// Number of the newest step since the start of the clock.
    newest: u64,
}

impl<const SLOTS: usize> Default for MinuteCounter<SLOTS> {
    fn default() -> Self {
        Self { slots: [0; SLOTS], newest: 0 }
    }
}

impl<const SLOTS: usize> MinuteCounter<SLOTS> {
    /// Length of a step in microseconds.
    const STEP: u64 = 60_000_000 / (SLOTS as u64 - 1);

    /// Adds to the step of `now`, or to the newest step if `now` is older.
    pub(crate) fn add(&mut self, amount: u64, now: Moment) {
        self.advance(now.as_micros() / Self::STEP);
        if let Some(slot) = self.slots.get_mut(Self::slot_index(self.newest)) {
            *slot = slot.saturating_add(amount);
        }
    }

    /// Subtracts what was added at `then`, if that step is still counted.
    pub(crate) fn subtract(&mut self, amount: u64, then: Moment) {
        let number = then.as_micros() / Self::STEP;
        if self.known_steps().contains(&number)
            && let Some(slot) = self.slots.get_mut(Self::slot_index(number))
        {
            *slot = slot.saturating_sub(amount);
        }
    }

    /// Lower bound: counts the last minute minus up to one step.
    pub(crate) fn count_at_least(&self, now: Moment) -> u64 {
        self.sum(now, SLOTS as u64 - 1)
    }

    /// Upper bound: counts the last minute plus up to one step.
    pub(crate) fn count_at_most(&self, now: Moment) -> u64 {
        self.sum(now, SLOTS as u64)
    }

    /// Time until [`Self::count_at_most`] is no more than `amount`, if nothing is added.
    pub(crate) fn time_until_at_most(&self, amount: u64, now: Moment) -> Duration {
        let mut left = self.count_at_most(now);
        let mut until = now;
        for number in self.known_steps() {
            if left <= amount {
                break;
            }
            let slot = self.slots.get(Self::slot_index(number)).copied().unwrap_or(0);
            let leaves = Moment::from_micros((number + SLOTS as u64).saturating_mul(Self::STEP));
            if leaves > now && slot > 0 {
                left = left.saturating_sub(slot);
                until = leaves;
            }
        }
        until.since(now)
    }

    fn sum(&self, now: Moment, steps: u64) -> u64 {
        let present = (now.as_micros() / Self::STEP).max(self.newest);
        let oldest = (present + 1).saturating_sub(steps);
        self.known_steps()
            .filter(|number| *number >= oldest)
            .filter_map(|number| self.slots.get(Self::slot_index(number)))
            .sum()
    }

    /// Numbers of the steps that have a slot, oldest first.
    fn known_steps(&self) -> std::ops::RangeInclusive<u64> {
        (self.newest + 1).saturating_sub(SLOTS as u64)..=self.newest
    }

    fn advance(&mut self, present: u64) {
        let gone = present.saturating_sub(self.newest);
        for number in (0..gone.min(SLOTS as u64)).map(|back| present - back) {
            if let Some(slot) = self.slots.get_mut(Self::slot_index(number)) {
                *slot = 0;
            }
        }
        self.newest = self.newest.max(present);
    }

    fn slot_index(number: u64) -> usize {
        usize::try_from(number % SLOTS as u64).unwrap_or(0)
    }
}
