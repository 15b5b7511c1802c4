//! Whether hosts that cannot be reached are at fault themselves, or the network between.
//!
//! The system's route tells nothing of an uplink that is dead behind it. What does is that no host
//! at all can be reached any more: at least [`HOSTS_MIN`], so that a single one that fails is its
//! own fault. A host that failed while others were reached says nothing until it answers again.

use std::collections::BTreeSet;

/// Fewest hosts that must be unreachable at once for the network to be at fault.
pub(crate) const HOSTS_MIN: usize = 2;

/// What is known of the network by the hosts that were asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkReach {
    is_down: bool,
    /// Hosts that could not be reached while others were.
    faulty: BTreeSet<String>,
}

impl NetworkReach {
    /// True while no host can be reached.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.is_down
    }

    /// Takes in which hosts were reached when all were asked at once. Says whether the network is to
    /// blame for those that were not.
    pub fn judge<'a>(&mut self, asked: impl IntoIterator<Item = (&'a str, bool)>) -> bool {
        let (reached, missed): (BTreeSet<_>, BTreeSet<_>) =
            asked.into_iter().partition(|(_, is_reached)| *is_reached);
        if reached.is_empty() {
            let telling = missed.iter().filter(|(host, _)| !self.faulty.contains(*host)).count();
            self.is_down |= telling >= HOSTS_MIN;
        } else {
            self.is_down = false;
            reached.into_iter().for_each(|(host, _)| drop(self.faulty.take(host)));
            self.faulty.extend(missed.into_iter().map(|(host, _)| host.to_owned()));
        }
        self.is_down
    }

    /// Takes in that a host answered.
    pub fn record_answer(&mut self, host: &str) {
        self.is_down = false;
        self.faulty.remove(host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reach: &mut NetworkReach, asked: &[(&str, bool)], is_down: bool) {
        assert_eq!(reach.judge(asked.iter().copied()), is_down, "{asked:?}");
        assert_eq!(reach.is_down(), is_down);
    }

    #[test]
    fn one_dead_host_is_its_own_fault_and_two_are_the_networks() {
        let mut reach = NetworkReach::default();
        check(&mut reach, &[], false);
        check(&mut reach, &[("a", false)], false);
        check(&mut reach, &[("a", false), ("a", false)], false);
        check(&mut reach, &[("a", false), ("b", true)], false);
        reach.record_answer("a");
        check(&mut reach, &[("a", false), ("b", false)], true);
        // Once down, one host that is asked alone does not end it; one that answers does.
        check(&mut reach, &[("a", false)], true);
        check(&mut reach, &[("a", false), ("b", true)], false);
    }

    #[test]
    fn a_host_that_failed_among_others_is_no_sign_of_the_network_until_it_answers() {
        let mut reach = NetworkReach::default();
        check(&mut reach, &[("a", false), ("b", true)], false);
        check(&mut reach, &[("a", false), ("b", false)], false);
        check(&mut reach, &[("a", false), ("b", false), ("c", false)], true);
        check(&mut reach, &[("a", true), ("b", true)], false);
        check(&mut reach, &[("a", false), ("b", false)], true);
        reach.record_answer("b");
        assert!(!reach.is_down());
    }
}
