//! The result of probing a backend, for the monitor and for everybody who shows it.

use std::time::Duration;

use domain::CredentialId;

use crate::health::{HealthFinding, Observation, ObservationSource};

/// Result of probing a backend, with each of its keys in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReport {
    pub finding: HealthFinding,
    /// The result in words, without secrets.
    pub detail: String,
    pub fix: Option<String>,
    /// Models the backend lists; `None` if it did not list any.
    pub models: Option<Vec<String>>,
    /// True if the backend's key is not in the vault.
    pub key_missing: bool,
    pub steps: Vec<ProbeStep>,
    /// Results per key, in the order of the pool; empty for a backend without keys.
    pub keys: Vec<KeyProbeReport>,
    pub duration: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProbeReport {
    pub credential: CredentialId,
    pub finding: HealthFinding,
    /// True if the key is not in the vault.
    pub missing: bool,
    /// True if it listed models. A backend may answer a key without that, which says little of it.
    pub has_models: bool,
    /// The result in words.
    pub detail: String,
    pub fix: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeStep {
    Passed {
        title: String,
        detail: String,
        /// `None` where a duration means nothing.
        duration: Option<Duration>,
    },
    Failed {
        title: String,
        detail: String,
        fix: Option<String>,
    },
    /// Not tried, because an earlier step failed.
    Skipped {
        title: String,
    },
}

impl ProbeReport {
    /// A report without steps, keys and models.
    #[must_use]
    pub fn new(finding: HealthFinding, detail: impl Into<String>, duration: Duration) -> Self {
        Self {
            finding,
            detail: detail.into(),
            fix: None,
            models: None,
            key_missing: false,
            steps: Vec::new(),
            keys: Vec::new(),
            duration,
        }
    }

    /// What the probe says about the backend's health.
    #[must_use]
    pub fn observation(&self) -> Observation {
        Observation {
            source: ObservationSource::Probe,
            finding: self.finding,
            reason: match self.finding {
                HealthFinding::Answered => String::new(),
                _ => self.detail.clone(),
            },
            duration: self.duration,
        }
    }

    /// Merges the reports per key. The best key decides the finding; the steps of all keys are
    /// kept. A single report is returned as it is.
    #[must_use]
    pub fn merge(reports: Vec<(CredentialId, Self)>) -> Self {
        let keys: Vec<KeyProbeReport> =
            reports.iter().map(|(key, report)| key_probe_report(key, report)).collect();
        let several = reports.len() > 1;
        let mut whole: Option<Self> = None;
        for (key, mut report) in reports {
            if several {
                let steps = report.steps.into_iter();
                report.steps = steps.map(|step| step_with_key(step, &key)).collect();
            }
            whole = Some(match whole {
                Some(before) => merge_pair(before, report),
                None => report,
            });
        }
        let none = || Self::new(HealthFinding::Failed, "no key was tried", Duration::ZERO);
        let mut whole = whole.unwrap_or_else(none);
        let refused: Vec<&KeyProbeReport> =
            keys.iter().filter(|key| key.finding != HealthFinding::Answered).collect();
        if several && refused.len() < keys.len() {
            for key in refused {
                whole.detail =
                    format!("{}; with the key {}: {}", whole.detail, key.credential, key.detail);
            }
        }
        Self { keys, ..whole }
    }
}

fn key_probe_report(key: &CredentialId, report: &ProbeReport) -> KeyProbeReport {
    KeyProbeReport {
        credential: key.clone(),
        finding: report.finding,
        missing: report.key_missing,
        has_models: report.models.is_some(),
        detail: report.detail.clone(),
        fix: report.fix.clone(),
    }
}

/// The better report decides the finding; the steps of both are kept.
fn merge_pair(before: ProbeReport, next: ProbeReport) -> ProbeReport {
    let (mut better, other) = match finding_rank(next.finding) > finding_rank(before.finding) {
        true => (next.clone(), before.clone()),
        false => (before.clone(), next.clone()),
    };
    better.steps = before.steps.into_iter().chain(next.steps).collect();
    better.fix = better.fix.or(other.fix);
    better.models = better.models.or(other.models);
    better.key_missing = better.key_missing && other.key_missing;
    better
}

const fn finding_rank(finding: HealthFinding) -> u8 {
    match finding {
        HealthFinding::Answered => 4,
        HealthFinding::RateLimited => 3,
        HealthFinding::KeyRejected => 2,
        HealthFinding::Failed => 1,
        HealthFinding::LocalFault => 0,
    }
}

fn step_with_key(step: ProbeStep, key: &CredentialId) -> ProbeStep {
    let named = |title: String| format!("{title}: {key}");
    match step {
        ProbeStep::Passed { title, detail, duration } => {
            ProbeStep::Passed { title: named(title), detail, duration }
        }
        ProbeStep::Failed { title, detail, fix } => {
            ProbeStep::Failed { title: named(title), detail, fix }
        }
        ProbeStep::Skipped { title } => ProbeStep::Skipped { title: named(title) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> CredentialId {
        CredentialId::new(name).expect("an id")
    }

    fn look(finding: HealthFinding, detail: &str) -> ProbeReport {
        ProbeReport {
            models: (finding == HealthFinding::Answered).then(|| vec![detail.to_owned()]),
            key_missing: finding == HealthFinding::Failed,
            steps: vec![ProbeStep::Skipped { title: "Key accepted".to_owned() }],
            ..ProbeReport::new(finding, detail, Duration::from_millis(7))
        }
    }

    #[test]
    fn the_report_of_a_single_key_stays_unchanged() {
        let report =
            ProbeReport::merge(vec![(key("a"), look(HealthFinding::KeyRejected, "it said no"))]);
        assert_eq!(
            (report.finding, report.detail.as_str()),
            (HealthFinding::KeyRejected, "it said no")
        );
        assert!(
            matches!(&report.steps[..], [ProbeStep::Skipped { title }] if title == "Key accepted")
        );
        assert_eq!(report.keys.len(), 1);
    }

    #[test]
    fn the_best_key_decides_the_finding_and_failed_keys_are_named() {
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let looks = [
                (key("gone"), look(HealthFinding::Failed, "it is not in this vault")),
                (key("good"), look(HealthFinding::Answered, "it answers")),
                (key("old"), look(HealthFinding::KeyRejected, "it said no")),
            ];
            let report = ProbeReport::merge(
                order.iter().filter_map(|place| looks.get(*place).cloned()).collect(),
            );
            assert_eq!(report.finding, HealthFinding::Answered);
            assert!(report.detail.starts_with("it answers; with the key "), "{}", report.detail);
            for told in
                ["with the key old: it said no", "with the key gone: it is not in this vault"]
            {
                assert!(report.detail.contains(told), "{}", report.detail);
            }
            assert_eq!(report.models, Some(vec!["it answers".to_owned()]));
            assert_eq!((report.key_missing, report.steps.len(), report.keys.len()), (false, 3, 3));
            let missing: Vec<&str> = report
                .keys
                .iter()
                .filter(|key| key.missing)
                .map(|key| key.credential.as_str())
                .collect();
            assert_eq!(missing, ["gone"]);
        }
    }
}
