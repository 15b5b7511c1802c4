//! Both clocks, and the way from one to the other.

use std::time::Duration;

use domain::{Clock, Moment, WallTime};
use resilience::EndpointTransition;

/// Both clocks, read together, to convert between them.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    pub now: Moment,
    pub wall: WallTime,
}

impl Clocks {
    #[must_use]
    pub fn read(clock: &dyn Clock) -> Self {
        Self { now: clock.now(), wall: clock.wall() }
    }

    /// Converts a point of the monotonic clock to the wall clock.
    #[must_use]
    pub fn wall_at(&self, moment: Moment) -> WallTime {
        let ms = |interval: Duration| i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
        let (ahead, behind) = (moment.since(self.now), self.now.since(moment));
        let at = self.wall.unix_ms().saturating_add(ms(ahead)).saturating_sub(ms(behind));
        WallTime::from_unix_ms(at)
    }

    pub(crate) fn ledger_transition(
        &self,
        transition: &EndpointTransition,
    ) -> ledger::TransitionRecord {
        ledger::TransitionRecord {
            at: self.wall_at(transition.at),
            endpoint: transition.endpoint.clone(),
            model: transition.model.clone(),
            from: transition.from.to_string(),
            to: transition.to.to_string(),
            rule: transition.rule.to_string(),
            evidence: transition.evidence.clone(),
            lasts: transition.until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_on_one_clock_is_a_point_on_the_other() {
        let clocks =
            Clocks { now: Moment::from_secs(100), wall: WallTime::from_unix_ms(1_000_000) };
        let at = |secs| clocks.wall_at(Moment::from_secs(secs)).unix_ms();
        assert_eq!((at(100), at(160), at(40)), (1_000_000, 1_060_000, 940_000));
    }
}
