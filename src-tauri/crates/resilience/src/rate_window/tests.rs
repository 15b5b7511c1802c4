//! Windows at their limit, and against a full history.

use proptest::prelude::*;

use super::*;

const fn ms(ms: u64) -> Moment {
    Moment::from_micros(ms * 1_000)
}

#[test]
fn the_limit_fits_and_one_more_waits_until_the_first_second_has_left() {
    let mut window = RateWindow::new(3);
    for at in [500, 1_500, 2_500] {
        assert!(window.try_take(1, ms(at)).is_ok());
    }
    assert_eq!(window.headroom_percent(ms(2_500)), 0);
    // The step that contains 0.5 s ends at 1 s, so it is certainly outside at 61 s.
    assert_eq!(window.try_take(1, ms(2_500)), Err(Duration::from_millis(58_500)));
    assert_eq!(window.try_take(1, ms(60_999)), Err(Duration::from_millis(1)));
    assert!(window.try_take(1, ms(61_000)).is_ok());
    assert_eq!(window.try_take(1, ms(61_000)), Err(Duration::from_secs(1)));
    assert_eq!(window.try_take(2, ms(61_000)), Err(Duration::from_secs(2)));
}

#[test]
fn more_than_the_limit_waits_for_an_empty_window() {
    let mut window = RateWindow::new(100);
    assert!(window.try_take(1, ms(0)).is_ok());
    assert_eq!(window.try_take(5_000, ms(0)), Err(Duration::from_secs(61)));
    let taken = window.try_take(5_000, ms(61_000)).unwrap();
    assert!(window.try_take(1, ms(61_000)).is_err());
    window.settle(taken, 5_000, ms(90_000));
    assert!(window.try_take(1, ms(150_999)).is_err(), "4,900 count from 90 s on");
    assert!(window.try_take(1, ms(151_000)).is_ok());
}

#[test]
fn zero_admits_nothing() {
    assert_eq!(RateWindow::new(0).try_take(0, ms(0)), Err(SPAN));
    assert_eq!(RateWindow::new(0).headroom_percent(ms(0)), 0);
}

#[test]
fn settlement_gives_back_to_the_second_it_was_taken_in() {
    let mut window = RateWindow::new(100);
    let early = window.try_take(60, ms(0)).unwrap();
    let late = window.try_take(40, ms(30_000)).unwrap();
    window.settle(early, 10, ms(31_000));
    assert_eq!(window.headroom_percent(ms(31_000)), 50);
    window.settle(late, 45, ms(32_000));
    assert_eq!(window.headroom_percent(ms(32_000)), 45);
    assert_eq!(window.headroom_percent(ms(61_000)), 55);
    // An amount that has left the window is not returned to it.
    let long = window.try_take(10, ms(61_000)).unwrap();
    assert_eq!(window.headroom_percent(ms(200_000)), 100);
    window.settle(long, 0, ms(200_000));
    assert!(window.try_take(100, ms(200_000)).is_ok());
    assert!(window.try_take(1, ms(200_000)).is_err());
}

#[test]
fn both_limits_are_taken_together_or_not_at_all() {
    let rules = RateRules { requests_per_minute: Some(2), tokens_per_minute: Some(100) };
    let mut limits = RateLimits::new(rules);
    let first = limits.try_take(90, ms(0)).unwrap();
    let refused = limits.try_take(20, ms(0)).unwrap_err();
    assert_eq!((refused.kind, refused.wait), (RateKind::Tokens, Duration::from_secs(61)));
    limits.settle(first, 50, ms(10));
    let _second = limits.try_take(20, ms(10)).unwrap();
    assert_eq!(limits.try_take(1, ms(10)).unwrap_err().kind, RateKind::Requests);
    assert_eq!(limits.headroom_percent(ms(10)), Some(0));
}

#[test]
fn without_rules_everything_fits_and_a_new_rule_keeps_what_was_taken() {
    let mut limits = RateLimits::default();
    assert!(limits.try_take(u32::MAX, ms(0)).is_ok());
    assert_eq!(limits.headroom_percent(ms(0)), None);
    limits.set_rules(RateRules { requests_per_minute: Some(10), tokens_per_minute: None });
    assert!(limits.try_take(1, ms(0)).is_ok());
    limits.set_rules(RateRules { requests_per_minute: Some(1), tokens_per_minute: None });
    let refused = limits.try_take(1, ms(1_000)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the limit of requests per minute is reached; try again in 60 s"
    );
}

/// A moment, the amount that counts from then on, and the settlement at that moment.
type Event = (Moment, u64, Option<(RateReservation, u64)>);

proptest! {
    /// No 60 seconds admit more than the limit, and a returned wait is long enough.
    #[test]
    fn no_minute_has_more_than_the_limit(
        limit in 1_u32..40,
        asked in prop::collection::vec((0_u64..20_000, 1_u32..8), 1..200),
    ) {
        let mut window = RateWindow::new(limit);
        let mut admitted: Vec<(Moment, u64)> = Vec::new();
        let mut now = Moment::default();
        for (pause_ms, amount) in asked {
            now = now + Duration::from_millis(pause_ms);
            match window.try_take(amount, now) {
                Ok(taken) => admitted.push((now, taken.amount)),
                Err(wait) => {
                    prop_assert!(wait > Duration::ZERO && wait <= SPAN + Duration::from_secs(1));
                    prop_assert!(window.clone().try_take(amount, now + wait).is_ok());
                    let sooner = now + (wait - Duration::from_micros(1));
                    prop_assert!(window.clone().try_take(amount, sooner).is_err());
                }
            }
            let minute = admitted.iter().filter(|(at, _)| now.since(*at) <= SPAN);
            prop_assert!(minute.map(|(_, amount)| amount).sum::<u64>() <= u64::from(limit));
        }
    }

    /// With settlement, the window matches a full history except for the oldest step.
    #[test]
    fn settlement_leaves_what_was_used(
        asked in prop::collection::vec((0_u64..9_000, 1_u32..50, 0_u64..50, 0_u64..90_000), 1..80),
    ) {
        let mut window = RateWindow::new(1_000_000);
        let mut steps: Vec<Event> = Vec::new();
        let mut now = Moment::default();
        for (pause_ms, amount, used, lasts_ms) in asked {
            now = now + Duration::from_millis(pause_ms);
            let end = now + Duration::from_millis(lasts_ms);
            let taken = window.try_take(amount, now).unwrap();
            let kept = u64::from(amount).min(used);
            // Settled below in the order of time. What remains counts from the start of the
            // request.
            steps.push((now, kept, None));
            steps.push((end, used.saturating_sub(u64::from(amount)), Some((taken, used))));
        }
        steps.sort_by_key(|(at, ..)| *at);
        let end = steps.last().map(|(at, ..)| *at).unwrap().max(now);
        let mut expected = Vec::new();
        for (at, counted, settle) in steps {
            if let Some((taken, used)) = settle {
                window.settle(taken, used, at.max(now));
                expected.push((at.max(now), counted));
            } else {
                expected.push((at, counted));
            }
        }
        let end = end.max(now);
        let second = |at: Moment| at.as_micros() / 1_000_000;
        let counted: u64 = expected
            .iter()
            .filter(|(at, _)| second(*at) + STEPS as u64 > second(end))
            .map(|(_, counted)| counted)
            .sum();
        prop_assert_eq!(window.recent.count_at_most(end), counted);
    }
}
