//! Merges the probes with each key of a backend into one report. The best key decides the backend's
//! finding; the steps of all keys are kept.

use domain::CredentialId;
use monitor::HealthFinding;

use super::{BackendProbeReport, KeyProbeReport, ProbeStep};

/// Merges the reports per key. A single report is returned as it is. `looks` must not be empty.
pub(super) fn merge_reports(looks: Vec<(CredentialId, BackendProbeReport)>) -> BackendProbeReport {
    let keys: Vec<KeyProbeReport> =
        looks.iter().map(|(key, look)| key_probe_report(key, look)).collect();
    let several = looks.len() > 1;
    let mut whole: Option<BackendProbeReport> = None;
    for (key, mut look) in looks {
        if several {
            look.steps = look.steps.into_iter().map(|step| step_with_key(step, &key)).collect();
        }
        whole = Some(match whole {
            Some(before) => merge_pair(before, look),
            None => look,
        });
    }
    let mut whole = whole.unwrap_or_else(empty_report);
    let refused: Vec<&KeyProbeReport> =
        keys.iter().filter(|key| key.finding != HealthFinding::Answered).collect();
    if several && refused.len() < keys.len() {
        for key in refused {
            whole.detail =
                format!("{}; with the key {}: {}", whole.detail, key.credential, key.detail);
        }
    }
    BackendProbeReport { keys, ..whole }
}

fn key_probe_report(key: &CredentialId, look: &BackendProbeReport) -> KeyProbeReport {
    KeyProbeReport {
        credential: key.clone(),
        finding: look.finding,
        missing: look.key_missing,
        detail: look.detail.clone(),
        fix: look.fix.clone(),
    }
}

/// The better report decides the finding; the steps of both are kept.
fn merge_pair(before: BackendProbeReport, next: BackendProbeReport) -> BackendProbeReport {
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

fn empty_report() -> BackendProbeReport {
    BackendProbeReport {
        finding: HealthFinding::Failed,
        detail: "no key was tried".to_owned(),
        fix: None,
        models: None,
        key_missing: false,
        steps: Vec::new(),
        keys: Vec::new(),
        duration: std::time::Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(name: &str) -> CredentialId {
        CredentialId::new(name).expect("an id")
    }

    fn look(finding: HealthFinding, detail: &str) -> BackendProbeReport {
        BackendProbeReport {
            finding,
            detail: detail.to_owned(),
            models: (finding == HealthFinding::Answered).then(|| vec![detail.to_owned()]),
            key_missing: finding == HealthFinding::Failed,
            steps: vec![ProbeStep::Skipped { title: "Key accepted".to_owned() }],
            duration: Duration::from_millis(7),
            ..empty_report()
        }
    }

    #[test]
    fn the_report_of_a_single_key_stays_unchanged() {
        let report =
            merge_reports(vec![(key("a"), look(HealthFinding::KeyRejected, "it said no"))]);
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
            let report = merge_reports(
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
