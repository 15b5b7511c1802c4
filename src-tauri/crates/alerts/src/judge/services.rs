//! Services that do not work.

use domain::AlertSeverity;

use crate::condition::{Condition, Conditions, Fingerprint, condition};
use crate::facts::{Facts, ServiceFact};
use crate::notification::{cut_title, join_sentences, to_sentence};
use crate::rule::AlertRule;

/// Whether work stops without a service is what the user says.
pub(super) fn add_services(all: &mut Conditions, facts: &Facts) {
    for service in &facts.services {
        let is_cut_off = facts.is_offline && !service.is_local;
        match service.is_down.filter(|_| !is_cut_off) {
            None => {
                let own = Fingerprint::new(AlertRule::ServiceDown, service.id.as_str());
                all.unknown.insert(own);
            }
            Some(false) => {}
            Some(true) => all.held.push(service_down(service)),
        }
    }
}

fn service_down(service: &ServiceFact) -> Condition {
    let sentence = match service.is_required {
        true => "You marked it as required.",
        false => "It is optional.",
    };
    Condition {
        severity: if service.is_required { AlertSeverity::High } else { AlertSeverity::Low },
        title: cut_title(&format!("{} is down", service.label)),
        detail: join_sentences(&[sentence, &to_sentence(&service.reason)]),
        path: "/health".to_owned(),
        over: Some((
            cut_title(&format!("{} works again", service.label)),
            "Its check passes.".to_owned(),
        )),
        ..condition(AlertRule::ServiceDown, service.id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `+` works, `-` is down, `?` is not confirmed; `!` before it: required; `@` before that: on this
    /// machine.
    fn judged(services: &[&str], is_offline: bool) -> (Vec<String>, usize) {
        let fact = |(number, text): (usize, &&str)| ServiceFact {
            id: format!("s{number}").parse().expect("an id"),
            label: format!("Store {number}"),
            is_local: text.contains('@'),
            is_required: text.contains('!'),
            is_down: match text.chars().last() {
                Some('+') => Some(false),
                Some('-') => Some(true),
                _ => None,
            },
            reason: "it answers with status 503, not 200".to_owned(),
        };
        let services = services.iter().enumerate().map(fact).collect();
        let facts = Facts { is_offline, services, ..Facts::default() };
        let mut all = Conditions::default();
        add_services(&mut all, &facts);
        let told = |it: &Condition| format!("{} {}: {}", it.severity, it.title, it.detail);
        (all.held.iter().map(told).collect(), all.unknown.len())
    }

    #[test]
    fn a_service_that_is_down_fires_by_what_the_user_says_of_it() {
        let (held, unknown) = judged(&["+", "-", "!-", "?"], false);
        assert_eq!(
            held,
            [
                "low Store 1 is down: It is optional. It answers with status 503, not 200.",
                "high Store 2 is down: You marked it as required. It answers with status 503, not 200.",
            ]
        );
        assert_eq!(unknown, 1);
    }

    #[test]
    fn while_offline_only_services_of_this_machine_are_known_to_be_down() {
        let (held, unknown) = judged(&["!-", "@!-"], true);
        assert_eq!((held.len(), unknown), (1, 1));
        assert!(held[0].contains("Store 1"), "{held:?}");
    }
}
