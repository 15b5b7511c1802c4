//! The attempt plan case by case: order of candidates, waits, and reasons to stop.

use domain::{BackendId, CredentialId};

use super::*;
use crate::{FailureClass as Class, RetryBudgetRules};

/// Consecutive failures, written as `place class → step`, from the first step on.
struct AttemptScript {
    attempts: AttemptPlan,
    budget: RetryBudget,
    at: AttemptContext,
}

/// Parses `backend`, `backend:key` or `backend:key/model`.
fn candidate(text: &str) -> (Endpoint, String) {
    let (endpoint, model) = text.split_once('/').unwrap_or((text, "m"));
    let (backend, credential) = match endpoint.split_once(':') {
        Some((backend, key)) => (backend, Some(CredentialId::new(key).unwrap())),
        None => (endpoint, None),
    };
    (Endpoint { backend: BackendId::new(backend).unwrap(), credential }, model.to_owned())
}

impl AttemptScript {
    fn over(candidates: &str) -> Self {
        Self::with(AttemptRules::default(), candidates)
    }

    fn with(rules: AttemptRules, candidates: &str) -> Self {
        let candidates: Vec<_> = candidates.split_whitespace().map(candidate).collect();
        let pairs = candidates.iter().map(|(endpoint, model)| (endpoint, model.as_str()));
        Self {
            attempts: AttemptPlan::new(rules, pairs),
            budget: RetryBudget::default(),
            at: AttemptContext {
                now: Moment::from_secs(100),
                left: Duration::from_secs(600),
                chance: 1.0,
            },
        }
    }

    fn failed(&mut self, place: usize, failure: impl Into<AttemptFailure>) -> AttemptStep {
        self.attempts.next_after_failure(place, failure.into(), &mut self.budget, self.at)
    }

    fn closed(&mut self, place: usize) -> AttemptStep {
        self.attempts.next_after_rejection(place, &mut self.budget, self.at)
    }

    /// Fails every attempt with the same class. Returns the places that were tried and why it
    /// stopped.
    fn all_fail(&mut self, class: Class) -> (Vec<usize>, StopReason) {
        let mut tried = Vec::new();
        let mut step = self.attempts.first_step();
        loop {
            match step {
                AttemptStep::Try(place) | AttemptStep::TryAfter(place, _) => {
                    tried.push(place);
                    step = self.failed(place, class);
                }
                AttemptStep::TrySoleTrial => panic!("something was tried"),
                AttemptStep::Stop(why) => return (tried, why),
            }
        }
    }
}

fn rate_limited(wait: Duration) -> AttemptFailure {
    AttemptFailure { wait: Some(wait), ..Class::RateLimited.into() }
}

#[test]
fn each_class_goes_where_its_row_says() {
    // One backend with two keys, and another backend.
    let tried = |class| {
        let (tried, why) = AttemptScript::over("a:k1 a:k2 b").all_fail(class);
        (tried, why.word())
    };
    let elsewhere_then_again = (vec![0, 2, 0], "attempts-spent");
    let elsewhere = (vec![0, 2], "no-candidates");
    let every_key = (vec![0, 1, 2], "attempts-spent");
    let once = (vec![0], "not-retryable");
    for class in Class::ALL {
        let expected = match class {
            Class::Connect
            | Class::Server
            | Class::Overloaded
            | Class::NonConforming
            | Class::ConflictOrTimeout => &elsewhere_then_again,
            Class::Offline
            | Class::Dns
            | Class::Tls
            | Class::FirstTokenTimeout
            | Class::Stalled
            | Class::ModelMissing => &elsewhere,
            Class::Paused
            | Class::KeyRejected
            | Class::KeyExpired
            | Class::Forbidden
            | Class::Unpaid
            | Class::SpendLimit
            | Class::RateLimited
            | Class::Quota => &every_key,
            Class::Local | Class::BadRequest | Class::Cancelled => &once,
        };
        assert_eq!(&tried(*class), expected, "{class}");
    }
}

#[test]
fn alone_a_backend_is_repeated_as_often_as_its_row_says() {
    let tried = |class| {
        let (tried, why) = AttemptScript::over("a").all_fail(class);
        (tried.len(), why)
    };
    assert_eq!(tried(Class::Server), (3, StopReason::Spent));
    assert_eq!(tried(Class::Connect), (2, StopReason::NoCandidates));
    assert_eq!(tried(Class::Paused), (2, StopReason::NoCandidates));
    assert_eq!(tried(Class::Overloaded), (2, StopReason::NoCandidates));
    assert_eq!(tried(Class::NonConforming), (2, StopReason::NoCandidates));
    assert_eq!(tried(Class::ConflictOrTimeout), (2, StopReason::NoCandidates));
    for class in [Class::Dns, Class::Tls, Class::FirstTokenTimeout, Class::Stalled, Class::Quota] {
        assert_eq!(tried(class), (1, StopReason::NoCandidates), "{class}");
    }
    assert_eq!(tried(Class::RateLimited), (1, StopReason::NoCandidates), "no wait was named");
}

#[test]
fn three_attempts_in_all_over_many_backends() {
    let (tried, why) = AttemptScript::over("a b c d e").all_fail(Class::Server);
    assert_eq!((tried, why), (vec![0, 1, 2], StopReason::Spent));
    let rules = AttemptRules { attempts_max: 1, ..AttemptRules::default() };
    assert_eq!(
        AttemptScript::with(rules, "a b").all_fail(Class::Server),
        (vec![0], StopReason::Spent)
    );
    let rules = AttemptRules { attempts_max: 0, ..AttemptRules::default() };
    assert_eq!(
        AttemptScript::with(rules, "a b").all_fail(Class::Server),
        (vec![], StopReason::Spent)
    );
}

#[test]
fn a_move_is_at_once_and_a_repetition_waits() {
    let mut play = AttemptScript::over("a b");
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(play.failed(0, Class::Server), AttemptStep::Try(1));
    assert_eq!(play.failed(1, Class::Server), AttemptStep::TryAfter(0, Duration::from_millis(500)));
    assert_eq!(play.attempts.attempts_made(), 3);

    let mut play = AttemptScript::over("a");
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(play.failed(0, Class::Server), AttemptStep::TryAfter(0, Duration::from_millis(500)));
    assert_eq!(play.failed(0, Class::Server), AttemptStep::TryAfter(0, Duration::from_secs(1)));

    let mut play = AttemptScript::over("a");
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(play.failed(0, Class::Connect), AttemptStep::TryAfter(0, Duration::from_millis(50)));

    let mut play = AttemptScript::over("a");
    play.at.chance = 0.0;
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(play.failed(0, Class::Server), AttemptStep::Try(0), "no wait is no TryAfter");
}

#[test]
fn a_short_wait_is_waited_only_if_nobody_else_can_answer() {
    let wait = Duration::from_secs(5);
    let mut play = AttemptScript::over("a:k1 a:k2 b");
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(play.failed(0, rate_limited(wait)), AttemptStep::Try(1));
    assert_eq!(play.failed(1, rate_limited(wait)), AttemptStep::Try(2));
    assert_eq!(play.failed(2, rate_limited(wait)), AttemptStep::Stop(StopReason::Spent));

    let mut play = AttemptScript::over("a");
    play.at.chance = 0.0;
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(play.failed(0, rate_limited(wait)), AttemptStep::TryAfter(0, wait));
    play.at.chance = 1.0;
    let spread = wait.mul_f64(1.2);
    assert_eq!(play.failed(0, rate_limited(wait)), AttemptStep::TryAfter(0, spread));

    let mut play = AttemptScript::over("a");
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    let longer = wait + Duration::from_micros(1);
    assert_eq!(play.failed(0, rate_limited(longer)), AttemptStep::Stop(StopReason::NoCandidates));
}

#[test]
fn a_server_that_names_a_wait_is_not_repeated_sooner() {
    let failure =
        |secs| AttemptFailure { wait: Some(Duration::from_secs(secs)), ..Class::Server.into() };
    let mut play = AttemptScript::over("a");
    play.at.chance = 0.0;
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(play.failed(0, failure(2)), AttemptStep::TryAfter(0, Duration::from_secs(2)));
    assert_eq!(play.failed(0, failure(6)), AttemptStep::Stop(StopReason::NoCandidates));
}

#[test]
fn a_server_that_wants_no_repetition_gets_none_but_another_backend_is_asked() {
    let failure = AttemptFailure { advice: ServerRetryHint::DoNotRetry, ..Class::Server.into() };
    let mut play = AttemptScript::over("a b");
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(play.failed(0, failure), AttemptStep::Try(1));
    assert_eq!(play.failed(1, failure), AttemptStep::Stop(StopReason::NoCandidates));
}

#[test]
fn nothing_goes_beyond_the_deadline() {
    let mut play = AttemptScript::over("a b");
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    play.at.left = Duration::from_millis(1);
    assert_eq!(play.failed(0, Class::Server), AttemptStep::Try(1), "a move needs no wait");
    play.at.left = Duration::from_millis(500);
    assert_eq!(play.failed(1, Class::Server), AttemptStep::Stop(StopReason::DeadlineNear));
    assert_eq!(play.budget.retries_left(play.at.now), 3, "what is not tried takes no budget");

    let mut play = AttemptScript::over("a b");
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    play.at.left = Duration::ZERO;
    assert_eq!(play.failed(0, Class::Server), AttemptStep::Stop(StopReason::DeadlineNear));
}

#[test]
fn a_repetition_costs_budget_and_a_move_does_not() {
    let mut play = AttemptScript::over("a b");
    play.budget = RetryBudget::new(RetryBudgetRules { percent: 0, reserve: 1 });
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(play.failed(0, Class::Connect), AttemptStep::Try(1));
    assert_eq!(play.budget.retries_left(play.at.now), 1);
    assert!(matches!(play.failed(1, Class::Server), AttemptStep::TryAfter(0, _)));
    assert_eq!(play.budget.retries_left(play.at.now), 0);

    let budget = play.budget;
    let mut play = AttemptScript::over("a b");
    play.budget = budget;
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(
        play.failed(0, Class::Connect),
        AttemptStep::Try(1),
        "a healthy backend is still reached"
    );
    assert_eq!(play.failed(1, Class::Connect), AttemptStep::Stop(StopReason::BudgetSpent));
}

#[test]
fn another_model_of_a_backend_in_trouble_comes_last_and_within_the_budget() {
    let mut play = AttemptScript::over("a/large a/small b/large");
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(play.failed(0, Class::Overloaded), AttemptStep::Try(2));
    let later = Duration::from_millis(500);
    assert_eq!(play.failed(2, Class::Overloaded), AttemptStep::TryAfter(1, later));
    assert_eq!(play.budget.retries_left(play.at.now), 2);

    let (tried, _) = AttemptScript::over("a/large a/small").all_fail(Class::Connect);
    assert_eq!(tried, [0, 0], "a host that refuses has no other model");
    let (tried, _) = AttemptScript::over("a/large a/small").all_fail(Class::ModelMissing);
    assert_eq!(tried, [0, 1]);
    let (tried, _) =
        AttemptScript::over("a:k1/large a:k2/large a:k1/small").all_fail(Class::ModelMissing);
    assert_eq!(tried, [0, 2], "a model that is missing is missing for every key");
}

#[test]
fn what_is_not_admitted_costs_no_attempt() {
    let mut play = AttemptScript::over("a b c");
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(play.closed(0), AttemptStep::Try(1));
    assert_eq!(play.closed(1), AttemptStep::Try(2));
    assert_eq!(play.attempts.attempts_made(), 1);
    assert_eq!(play.closed(2), AttemptStep::TrySoleTrial);
    assert_eq!(play.attempts.attempts_made(), 0);
}

/// A script over `a` and `b` that were both refused.
fn at_last_resort() -> AttemptScript {
    let mut play = AttemptScript::over("a b");
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(play.closed(0), AttemptStep::Try(1));
    assert_eq!(play.closed(1), AttemptStep::TrySoleTrial);
    play
}

#[test]
fn a_failed_sole_trial_is_the_only_attempt_and_costs_no_budget() {
    for class in [Class::Connect, Class::Server, Class::RateLimited, Class::KeyRejected] {
        let mut play = at_last_resort();
        play.attempts.start_sole_trial(1);
        assert_eq!(play.attempts.attempts_made(), 1);
        let left = play.budget.retries_left(play.at.now);
        assert_eq!(play.failed(1, class), AttemptStep::Stop(StopReason::NoCandidates), "{class}");
        assert_eq!(play.budget.retries_left(play.at.now), left);
    }
}

#[test]
fn a_sole_trial_that_did_not_begin_is_not_asked_for_again() {
    let mut play = at_last_resort();
    play.attempts.start_sole_trial(0);
    assert_eq!(play.closed(0), AttemptStep::Stop(StopReason::NoCandidates));
    assert_eq!(play.attempts.attempts_made(), 0);
}

#[test]
fn without_an_attempt_or_time_left_there_is_no_sole_trial() {
    let rules = AttemptRules { attempts_max: 0, ..AttemptRules::default() };
    let mut play = AttemptScript::with(rules, "a");
    assert_eq!(play.attempts.first_step(), AttemptStep::Stop(StopReason::Spent));
    let mut play = AttemptScript::over("a");
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    play.at.left = Duration::ZERO;
    assert_eq!(play.closed(0), AttemptStep::Stop(StopReason::DeadlineNear));
}

#[test]
fn when_the_others_are_closed_the_failed_one_is_repeated() {
    let mut play = AttemptScript::over("a b");
    assert_eq!(play.attempts.first_step(), AttemptStep::Try(0));
    assert_eq!(play.failed(0, Class::Connect), AttemptStep::Try(1));
    assert_eq!(play.closed(1), AttemptStep::TryAfter(0, Duration::from_millis(50)));
    assert_eq!(play.attempts.attempts_made(), 2);
    assert_eq!(play.closed(0), AttemptStep::Stop(StopReason::NoCandidates));
    assert_eq!(play.attempts.attempts_made(), 1);
}

#[test]
fn no_candidates_is_an_answer_too() {
    let mut play = AttemptScript::over("");
    assert_eq!(play.attempts.first_step(), AttemptStep::Stop(StopReason::NoCandidates));
    assert_eq!(play.attempts.attempts_made(), 0);
}
