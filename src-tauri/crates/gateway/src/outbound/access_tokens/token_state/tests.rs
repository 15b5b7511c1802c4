//! The times of a token, on clocks that a test moves.

use domain::{Clock as _, ManualClock, Secret};

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

struct Scene {
    clock: ManualClock,
    state: TokenState,
}

impl Scene {
    fn new() -> Self {
        let clock = ManualClock::starting_at(WallTime::from_unix_ms(1_795_248_000_000));
        let mut state = TokenState::default();
        state.want();
        Self { clock, state }
    }

    fn at(&self) -> ClockReading {
        ClockReading::read(&self.clock)
    }

    fn issue(&mut self, life: Option<Duration>, chance: f64) {
        let token = Arc::new(secret("access-0001"));
        let issued = RefreshOutcome::Issued { token, asked: self.at(), life, unsaved: None };
        self.state.settle(issued, self.at(), chance);
    }

    fn fail(&mut self, fault: RefreshFault) {
        self.state.settle(RefreshOutcome::Failed(fault), self.at(), 1.0);
    }

    fn use_now(&self) -> &'static str {
        match self.state.token(self.at()) {
            TokenUse::Usable(_) => "usable",
            TokenUse::Awaited => "awaited",
            TokenUse::Failed(fault) if fault.is_final => "rejected",
            TokenUse::Failed(_) => "failed",
        }
    }

    fn due_in(&self) -> Option<Duration> {
        self.state.due_in(self.at())
    }
}

fn secret(text: &str) -> BoundSecret {
    BoundSecret::new(Secret::parse(text.to_owned()).expect("a secret"), None)
}

fn down() -> RefreshFault {
    RefreshFault::temporary("it is down".to_owned())
}

#[test]
fn it_is_asked_for_once_and_refreshed_at_four_fifths_of_its_life() {
    assert_eq!(TokenState::default().due_in(Scene::new().at()), None, "nobody asks for it");
    let mut scene = Scene::new();
    assert_eq!((scene.use_now(), scene.due_in()), ("awaited", Some(Duration::ZERO)));
    assert!(scene.state.begin().is_none());
    assert_eq!(scene.due_in(), None, "one attempt at a time");
    scene.issue(Some(HOUR), 0.0);
    assert_eq!(scene.due_in(), Some(HOUR.mul_f64(0.8)));
    scene.issue(Some(HOUR), 1.0);
    assert_eq!(scene.due_in(), Some(HOUR.mul_f64(0.75)), "jitter is towards earlier only");
    scene.clock.advance(HOUR.mul_f64(0.8));
    assert_eq!((scene.use_now(), scene.due_in()), ("usable", Some(Duration::ZERO)));
}

#[test]
fn it_is_not_sent_once_it_has_ended_nor_just_before() {
    let mut scene = Scene::new();
    scene.issue(Some(HOUR), 0.0);
    scene.clock.advance(HOUR - EXPIRY_MARGIN_MAX - Duration::from_millis(1));
    assert_eq!(scene.use_now(), "usable");
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(scene.use_now(), "awaited");
    // Of a short life the margin is a tenth.
    scene.issue(Some(Duration::from_secs(20)), 0.0);
    scene.clock.advance(Duration::from_millis(17_999));
    assert_eq!(scene.use_now(), "usable");
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(scene.use_now(), "awaited");
}

#[test]
fn a_sleep_ends_it_by_the_wall_clock_and_a_clock_set_back_does_not_prolong_it() {
    let mut scene = Scene::new();
    scene.issue(Some(HOUR), 0.0);
    let slept = WallTime::from_unix_ms(scene.clock.wall().unix_ms() + 3_600_000);
    scene.clock.set_wall(slept);
    assert_eq!((scene.use_now(), scene.due_in()), ("awaited", Some(Duration::ZERO)));

    scene.issue(Some(HOUR), 0.0);
    scene.clock.set_wall(WallTime::from_unix_ms(0));
    scene.clock.advance(HOUR);
    assert_eq!(scene.use_now(), "awaited");
}

#[test]
fn a_failure_is_tried_again_ever_later_and_the_token_is_used_to_its_end() {
    let mut scene = Scene::new();
    scene.issue(Some(HOUR), 0.0);
    scene.clock.advance(HOUR.mul_f64(0.8));
    for secs in [2, 4, 8, 16, 32, 60, 60] {
        scene.fail(down());
        assert_eq!(scene.due_in(), Some(Duration::from_secs(secs)));
        assert_eq!(scene.use_now(), "usable");
        scene.clock.advance(Duration::from_secs(secs));
    }
    scene.clock.advance(HOUR);
    assert_eq!(scene.use_now(), "failed");
    scene.issue(Some(HOUR), 0.0);
    assert_eq!((scene.use_now(), scene.state.fault()), ("usable", None));
    scene.fail(down());
    assert_eq!(scene.due_in(), Some(RETRY_FIRST), "the row of failures begins anew");
}

#[test]
fn a_rejection_is_tried_again_by_the_user_alone() {
    let mut scene = Scene::new();
    scene.issue(Some(HOUR), 0.0);
    scene.fail(RefreshFault::rejected("revoked".to_owned()));
    assert_eq!((scene.use_now(), scene.due_in()), ("usable", None));
    scene.clock.advance(HOUR);
    assert_eq!((scene.use_now(), scene.due_in()), ("rejected", None));
    scene.state.clear_fault();
    assert_eq!((scene.use_now(), scene.due_in()), ("awaited", Some(Duration::ZERO)));
}

#[test]
fn a_token_that_the_provider_refuses_is_dropped_but_not_a_new_one() {
    let mut scene = Scene::new();
    scene.issue(Some(HOUR), 0.0);
    scene.clock.advance(REFUSED_AGE_MIN - Duration::from_millis(1));
    scene.state.refuse_token(scene.at());
    assert_eq!(scene.use_now(), "usable");
    scene.clock.advance(Duration::from_millis(1));
    scene.state.refuse_token(scene.at());
    assert_eq!((scene.use_now(), scene.due_in()), ("awaited", Some(Duration::ZERO)));
}

#[test]
fn a_refresh_token_that_could_not_be_stored_is_stored_before_anything_else() {
    let mut scene = Scene::new();
    let (token, rotated) = (Arc::new(secret("access-0001")), secret("refresh-0002"));
    let unsaved = Some((rotated.clone(), down()));
    let issued = RefreshOutcome::Issued { token, asked: scene.at(), life: Some(HOUR), unsaved };
    scene.state.settle(issued, scene.at(), 1.0);
    assert_eq!((scene.use_now(), scene.due_in()), ("usable", Some(RETRY_FIRST)));
    scene.clock.advance(RETRY_FIRST);
    assert_eq!(scene.state.begin(), Some(rotated.clone()));
    scene.fail(down());
    assert_eq!(scene.state.begin(), Some(rotated));
    scene.state.settle(RefreshOutcome::Saved, scene.at(), 1.0);
    assert_eq!(scene.state.begin(), None);
    assert_eq!(scene.state.fault(), None);
}

#[test]
fn a_life_that_is_not_named_or_not_believed_has_a_limit() {
    let mut scene = Scene::new();
    scene.issue(None, 0.0);
    let end = |scene: &Scene| scene.state.times().map(|(from, to)| to.unix_ms() - from.unix_ms());
    assert_eq!(end(&scene), Some(3_600_000));
    scene.issue(Some(Duration::from_secs(u64::MAX)), 0.0);
    assert_eq!(end(&scene), i64::try_from(LIFE_MAX.as_millis()).ok());
}
