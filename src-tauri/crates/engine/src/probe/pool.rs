//! Merges the probes with each key of a backend into one report. The best key decides the backend's
//! finding; the steps of all keys are kept.

use domain::CredentialId;
use monitor::Finding;

use super::{KeyReport, ProbeReport, ProbeStep};

/// Merges the reports per key. A single report is returned as it is. `looks` must not be empty.
pub(super) fn together(looks: Vec<(CredentialId, ProbeReport)>) -> ProbeReport {
    let keys: Vec<KeyReport> = looks.iter().map(|(key, look)| of_key(key, look)).collect();
    let several = looks.len() > 1;
    let mut whole: Option<ProbeReport> = None;
    for (key, mut look) in looks {
        if several {
            look.steps = look.steps.into_iter().map(|step| with_key(step, &key)).collect();
        }
        whole = Some(match whole {
            Some(before) => joined(before, look),
            None => look,
        });
    }
    let mut whole = whole.unwrap_or_else(nothing);
    let refused: Vec<&KeyReport> =
        keys.iter().filter(|key| key.finding != Finding::Answered).collect();
    if several && refused.len() < keys.len() {
        for key in refused {
            whole.detail =
                format!("{}; with the key {}: {}", whole.detail, key.credential, key.detail);
        }
    }
    ProbeReport { keys, ..whole }
}

fn of_key(key: &CredentialId, look: &ProbeReport) -> KeyReport {
    KeyReport {
        credential: key.clone(),
        finding: look.finding,
        missing: look.key_missing,
        detail: look.detail.clone(),
        fix: look.fix.clone(),
    }
}

/// The better report decides the finding; the steps of both are kept.
fn joined(before: ProbeReport, next: ProbeReport) -> ProbeReport {
    let (mut better, other) = match goodness(next.finding) > goodness(before.finding) {
        true => (next.clone(), before.clone()),
        false => (before.clone(), next.clone()),
    };
    better.steps = before.steps.into_iter().chain(next.steps).collect();
    better.fix = better.fix.or(other.fix);
    better.models = better.models.or(other.models);
    better.key_missing = better.key_missing && other.key_missing;
    better
}

const fn goodness(finding: Finding) -> u8 {
    match finding {
        Finding::Answered => 4,
        Finding::RateLimited => 3,
        Finding::KeyRejected => 2,
        Finding::Failed => 1,
        Finding::LocalFault => 0,
    }
}

fn with_key(step: ProbeStep, key: &CredentialId) -> ProbeStep {
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

fn nothing() -> ProbeReport {
    ProbeReport {
        finding: Finding::Failed,
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

    fn look(finding: Finding, detail: &str) -> ProbeReport {
        ProbeReport {
            finding,
            detail: detail.to_owned(),
            models: (finding == Finding::Answered).then(|| vec![detail.to_owned()]),
            key_missing: finding == Finding::Failed,
            steps: vec![ProbeStep::Skipped { title: "Key accepted".to_owned() }],
            duration: Duration::from_millis(7),
            ..nothing()
        }
    }

    #[test]
    fn one_key_is_told_as_if_there_were_no_pool() {
        let report = together(vec![(key("a"), look(Finding::KeyRejected, "it said no"))]);
        assert_eq!((report.finding, report.detail.as_str()), (Finding::KeyRejected, "it said no"));
        assert!(
            matches!(&report.steps[..], [ProbeStep::Skipped { title }] if title == "Key accepted")
        );
        assert_eq!(report.keys.len(), 1);
    }

    #[test]
    fn the_best_key_says_how_the_backend_is_and_the_others_are_told() {
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let looks = [
                (key("gone"), look(Finding::Failed, "it is not in this vault")),
                (key("good"), look(Finding::Answered, "it answers")),
                (key("old"), look(Finding::KeyRejected, "it said no")),
            ];
            let report =
                together(order.iter().filter_map(|place| looks.get(*place).cloned()).collect());
            assert_eq!(report.finding, Finding::Answered);
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
