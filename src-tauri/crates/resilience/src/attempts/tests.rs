//! The attempt plan case by case: order of candidates, waits, and reasons to stop.

use domain::{BackendId, CredentialId};

use super::*;
use crate::{FailureClass as Class, RetryBudgetRules};

/// Consecutive failures, written as `place class → step`, from the first step on.
struct Play {
    attempts: Attempts,
    budget: RetryBudget,
    at: Circumstances,
}

/// Parses `backend`, `backend:key` or `backend:key/model`.
fn candidate(text: &str) -> (Access, String) {
    let (access, model) = text.split_once('/').unwrap_or((text, "m"));
    let (backend, credential) = match access.split_once(':') {
        Some((backend, key)) => (backend, Some(CredentialId::new(key).unwrap())),
        None => (access, None),
    };
    (Access { backend: BackendId::new(backend).unwrap(), credential }, model.to_owned())
}

impl Play {
    fn over(candidates: &str) -> Self {
        Self::with(AttemptRules::default(), candidates)
    }

    fn with(rules: AttemptRules, candidates: &str) -> Self {
        let candidates: Vec<_> = candidates.split_whitespace().map(candidate).collect();
        let pairs = candidates.iter().map(|(access, model)| (access, model.as_str()));
        Self {
            attempts: Attempts::new(rules, pairs),
            budget: RetryBudget::default(),
            at: Circumstances {
                now: Moment::from_secs(100),
                left: Duration::from_secs(600),
                chance: 1.0,
            },
        }
    }

    fn failed(&mut self, place: usize, failure: impl Into<Failure>) -> Step {
        self.attempts.failed(place, failure.into(), &mut self.budget, self.at)
    }

    fn closed(&mut self, place: usize) -> Step {
        self.attempts.not_admitted(place, &mut self.budget, self.at)
    }

    /// Fails every attempt with the same class. Returns the places that were tried and why it
    /// stopped.
    fn all_fail(&mut self, class: Class) -> (Vec<usize>, Stopped) {
        let mut tried = Vec::new();
        let mut step = self.attempts.begin();
        loop {
            match step {
                Step::Try(place) | Step::TryAfter(place, _) => {
                    tried.push(place);
                    step = self.failed(place, class);
                }
                Step::Stop(why) => return (tried, why),
            }
        }
    }
}

fn rate_limited(wait: Duration) -> Failure {
    Failure { wait: Some(wait), ..Class::RateLimited.into() }
}

#[test]
fn each_class_goes_where_its_row_says() {
    // One backend with two keys, and another backend.
    let tried = |class| {
        let (tried, why) = Play::over("a:k1 a:k2 b").all_fail(class);
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
        let (tried, why) = Play::over("a").all_fail(class);
        (tried.len(), why)
    };
    assert_eq!(tried(Class::Server), (3, Stopped::Spent));
    assert_eq!(tried(Class::Connect), (2, Stopped::NoCandidates));
    assert_eq!(tried(Class::Paused), (2, Stopped::NoCandidates));
    assert_eq!(tried(Class::Overloaded), (2, Stopped::NoCandidates));
    assert_eq!(tried(Class::NonConforming), (2, Stopped::NoCandidates));
    assert_eq!(tried(Class::ConflictOrTimeout), (2, Stopped::NoCandidates));
    for class in [Class::Dns, Class::Tls, Class::FirstTokenTimeout, Class::Stalled, Class::Quota] {
        assert_eq!(tried(class), (1, Stopped::NoCandidates), "{class}");
    }
    assert_eq!(tried(Class::RateLimited), (1, Stopped::NoCandidates), "no wait was named");
}

#[test]
fn three_attempts_in_all_over_many_backends() {
    let (tried, why) = Play::over("a b c d e").all_fail(Class::Server);
    assert_eq!((tried, why), (vec![0, 1, 2], Stopped::Spent));
    let rules = AttemptRules { attempts_max: 1, ..AttemptRules::default() };
    assert_eq!(Play::with(rules, "a b").all_fail(Class::Server), (vec![0], Stopped::Spent));
    let rules = AttemptRules { attempts_max: 0, ..AttemptRules::default() };
    assert_eq!(Play::with(rules, "a b").all_fail(Class::Server), (vec![], Stopped::Spent));
}

#[test]
fn a_move_is_at_once_and_a_repetition_waits() {
    let mut play = Play::over("a b");
    assert_eq!(play.attempts.begin(), Step::Try(0));
    assert_eq!(play.failed(0, Class::Server), Step::Try(1));
    assert_eq!(play.failed(1, Class::Server), Step::TryAfter(0, Duration::from_millis(500)));
    assert_eq!(play.attempts.made(), 3);

    let mut play = Play::over("a");
    assert_eq!(play.attempts.begin(), Step::Try(0));
    assert_eq!(play.failed(0, Class::Server), Step::TryAfter(0, Duration::from_millis(500)));
    assert_eq!(play.failed(0, Class::Server), Step::TryAfter(0, Duration::from_secs(1)));

    let mut play = Play::over("a");
    assert_eq!(play.attempts.begin(), Step::Try(0));
    assert_eq!(play.failed(0, Class::Connect), Step::TryAfter(0, Duration::from_millis(50)));

    let mut play = Play::over("a");
    play.at.chance = 0.0;
    assert_eq!(play.attempts.begin(), Step::Try(0));
    assert_eq!(play.failed(0, Class::Server), Step::Try(0), "no wait is no TryAfter");
}

#[test]
fn a_short_wait_is_waited_only_if_nobody_else_can_answer() {
    let wait = Duration::from_secs(5);
    let mut play = Play::over("a:k1 a:k2 b");
    assert_eq!(play.attempts.begin(), Step::Try(0));
    assert_eq!(play.failed(0, rate_limited(wait)), Step::Try(1));
    assert_eq!(play.failed(1, rate_limited(wait)), Step::Try(2));
    assert_eq!(play.failed(2, rate_limited(wait)), Step::Stop(Stopped::Spent));

    let mut play = Play::over("a");
    play.at.chance = 0.0;
    assert_eq!(play.attempts.begin(), Step::Try(0));
    assert_eq!(play.failed(0, rate_limited(wait)), Step::TryAfter(0, wait));
    play.at.chance = 1.0;
    let spread = wait.mul_f64(1.2);
    assert_eq!(play.failed(0, rate_limited(wait)), Step::TryAfter(0, spread));

    let mut play = Play::over("a");
    assert_eq!(play.attempts.begin(), Step::Try(0));
    let longer = wait + Duration::from_micros(1);
    assert_eq!(play.failed(0, rate_limited(longer)), Step::Stop(Stopped::NoCandidates));
}

#[test]
fn a_server_that_names_a_wait_is_not_repeated_sooner() {
    let failure = |secs| Failure { wait: Some(Duration::from_secs(secs)), ..Class::Server.into() };
    let mut play = Play::over("a");
    play.at.chance = 0.0;
    assert_eq!(play.attempts.begin(), Step::Try(0));
    assert_eq!(play.failed(0, failure(2)), Step::TryAfter(0, Duration::from_secs(2)));
    assert_eq!(play.failed(0, failure(6)), Step::Stop(Stopped::NoCandidates));
}

#[test]
fn a_server_that_wants_no_repetition_gets_none_but_another_backend_is_asked() {
    let failure = Failure { advice: Advice::NotAgain, ..Class::Server.into() };
    let mut play = Play::over("a b");
    assert_eq!(play.attempts.begin(), Step::Try(0));
    assert_eq!(play.failed(0, failure), Step::Try(1));
    assert_eq!(play.failed(1, failure), Step::Stop(Stopped::NoCandidates));
}

#[test]
fn nothing_goes_beyond_the_deadline() {
    let mut play = Play::over("a b");
    assert_eq!(play.attempts.begin(), Step::Try(0));
    play.at.left = Duration::from_millis(1);
    assert_eq!(play.failed(0, Class::Server), Step::Try(1), "a move needs no wait");
    play.at.left = Duration::from_millis(500);
    assert_eq!(play.failed(1, Class::Server), Step::Stop(Stopped::DeadlineNear));
    assert_eq!(play.budget.left(play.at.now), 3, "what is not tried takes no budget");

    let mut play = Play::over("a b");
    assert_eq!(play.attempts.begin(), Step::Try(0));
    play.at.left = Duration::ZERO;
    assert_eq!(play.failed(0, Class::Server), Step::Stop(Stopped::DeadlineNear));
}

#[test]
fn a_repetition_costs_budget_and_a_move_does_not() {
    let mut play = Play::over("a b");
    play.budget = RetryBudget::new(RetryBudgetRules { percent: 0, reserve: 1 });
    assert_eq!(play.attempts.begin(), Step::Try(0));
    assert_eq!(play.failed(0, Class::Connect), Step::Try(1));
    assert_eq!(play.budget.left(play.at.now), 1);
    assert!(matches!(play.failed(1, Class::Server), Step::TryAfter(0, _)));
    assert_eq!(play.budget.left(play.at.now), 0);

    let budget = play.budget;
    let mut play = Play::over("a b");
    play.budget = budget;
    assert_eq!(play.attempts.begin(), Step::Try(0));
    assert_eq!(play.failed(0, Class::Connect), Step::Try(1), "a healthy backend is still reached");
    assert_eq!(play.failed(1, Class::Connect), Step::Stop(Stopped::BudgetSpent));
}

#[test]
fn another_model_of_a_backend_in_trouble_comes_last_and_within_the_budget() {
    let mut play = Play::over("a/large a/small b/large");
    assert_eq!(play.attempts.begin(), Step::Try(0));
    assert_eq!(play.failed(0, Class::Overloaded), Step::Try(2));
    let later = Duration::from_millis(500);
    assert_eq!(play.failed(2, Class::Overloaded), Step::TryAfter(1, later));
    assert_eq!(play.budget.left(play.at.now), 2);

    let (tried, _) = Play::over("a/large a/small").all_fail(Class::Connect);
    assert_eq!(tried, [0, 0], "a host that refuses has no other model");
    let (tried, _) = Play::over("a/large a/small").all_fail(Class::ModelMissing);
    assert_eq!(tried, [0, 1]);
    let (tried, _) = Play::over("a:k1/large a:k2/large a:k1/small").all_fail(Class::ModelMissing);
    assert_eq!(tried, [0, 2], "a model that is missing is missing for every key");
}

#[test]
fn what_is_not_admitted_costs_no_attempt() {
    let mut play = Play::over("a b c");
    assert_eq!(play.attempts.begin(), Step::Try(0));
    assert_eq!(play.closed(0), Step::Try(1));
    assert_eq!(play.closed(1), Step::Try(2));
    assert_eq!(play.attempts.made(), 1);
    assert_eq!(play.closed(2), Step::Stop(Stopped::NoCandidates));
    assert_eq!(play.attempts.made(), 0);
    assert_eq!(play.attempts.last_chance(1), Step::Try(1));
    assert_eq!(play.attempts.made(), 1);
    assert_eq!(play.attempts.last_chance(2), Step::Stop(Stopped::NoCandidates), "one and no more");
}

#[test]
fn when_the_others_are_closed_the_failed_one_is_repeated() {
    let mut play = Play::over("a b");
    assert_eq!(play.attempts.begin(), Step::Try(0));
    assert_eq!(play.failed(0, Class::Connect), Step::Try(1));
    assert_eq!(play.closed(1), Step::TryAfter(0, Duration::from_millis(50)));
    assert_eq!(play.attempts.made(), 2);
    assert_eq!(play.closed(0), Step::Stop(Stopped::NoCandidates));
    assert_eq!(play.attempts.made(), 1);
    assert_eq!(play.attempts.last_chance(0), Step::Stop(Stopped::NoCandidates));
}

#[test]
fn no_candidates_is_an_answer_too() {
    let mut play = Play::over("");
    assert_eq!(play.attempts.begin(), Step::Stop(Stopped::NoCandidates));
    assert_eq!(play.attempts.last_chance(0), Step::Stop(Stopped::NoCandidates));
    assert_eq!(play.attempts.made(), 0);
}
