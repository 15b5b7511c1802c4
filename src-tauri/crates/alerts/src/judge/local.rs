//! What is said of measurements of this program and of the machine that it runs on.

use domain::{count_noun, group_digits};

use crate::condition::{Condition, Fingerprint};
use crate::facts::Facts;
use crate::measurement::Measurement;
use crate::notification::{cut_title, join_sentences};
use crate::rule::AlertRule;

const PATH: &str = "/health/local";

impl Measurement {
    pub(super) fn about_local(&self, base: Condition, facts: &Facts) -> Condition {
        let (title, details, over): (_, [String; 2], _) = match self {
            Self::Start { fastest, stage } => (
                "Gatehouse starts slowly",
                [
                    format!("The last three starts took {} ms or more.", fastest.as_millis()),
                    format!("Longest stage: {stage}. See Health, Local."),
                ],
                None,
            ),
            Self::AppMemory { megabytes } => (
                "Gatehouse uses much memory",
                [
                    format!("{} MB.", group_digits(*megabytes)),
                    "A smaller response cache uses less.".to_owned(),
                ],
                Some(("Gatehouse uses less memory", "It is below its bound.")),
            ),
            Self::AppProcessor { percent } => (
                "Gatehouse keeps a processor core busy",
                [
                    format!("It uses {percent:.0} % of one."),
                    "A client that never stops? See Requests.".to_owned(),
                ],
                Some(("Gatehouse uses less of the processor", "It was so for five minutes.")),
            ),
            Self::MachineMemory { percent } => (
                "This machine's memory is almost full",
                [
                    format!("{percent:.0} % is in use, mostly by other programs."),
                    "Local models use the most. Close what you do not need.".to_owned(),
                ],
                Some(("This machine has memory again", "It was so for five minutes.")),
            ),
            Self::SlowQueries { count } => (
                "The ledger answers slowly",
                [
                    format!(
                        "{} took 100 ms or longer in an hour.",
                        count_noun(*count, "statement")
                    ),
                    "Health, Local, names them. Keep requests for fewer days.".to_owned(),
                ],
                Some(("The ledger is fast again", "It was so for ten minutes.")),
            ),
            Self::ProbeCoverage { percent } => (
                "Backends are not checked as they should be",
                [
                    format!("Their state was known for {percent:.1} % of the last hour."),
                    "Alerts about them may come late.".to_owned(),
                ],
                Some(("Backends are checked again", "Their state is known.")),
            ),
            _ => return base,
        };
        let [first, second] = &details;
        Condition {
            title: cut_title(title),
            detail: join_sentences(&[first, second]),
            path: PATH.to_owned(),
            over: over.map(|(title, body)| (cut_title(title), body.to_owned())),
            inhibited_by: self.local_causes(facts),
            ..base
        }
    }

    /// A ledger with a problem of its own is slow by that.
    fn local_causes(&self, facts: &Facts) -> Vec<Fingerprint> {
        let ledger = facts.ledger.iter().filter(|_| matches!(self, Self::SlowQueries { .. }));
        ledger.map(|fault| Fingerprint::new(AlertRule::LedgerFault, &fault.cause)).collect()
    }
}
