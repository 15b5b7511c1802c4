//! Which model is proposed, and which price is accepted.

use super::*;

/// The models in the order in which they are proposed.
#[track_caller]
fn check_order(known: &[(&str, bool, Option<i64>)], expected: &[&str]) {
    let models = known.iter().map(|(name, in_routes, _)| ((*name).to_owned(), *in_routes));
    let price = |model: &str| {
        let found = known.iter().find(|(name, ..)| *name == model);
        found.and_then(|(.., cost)| cost.map(NanoUsd::new))
    };
    let ranked = rank_models(models.collect(), price);
    let names: Vec<&str> = ranked.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(names, expected);
}

#[test]
fn what_routes_use_comes_first_then_the_cheapest_with_a_price() {
    check_order(
        &[
            ("gpt-4.1-nano", false, Some(1)),
            ("gpt-4.1", true, Some(20)),
            ("gpt-4.1-mini", true, Some(4)),
            ("gpt-4o", false, None),
            ("text-embedding-3-small", false, Some(0)),
        ],
        &["gpt-4.1-mini", "gpt-4.1", "gpt-4.1-nano", "gpt-4o", "text-embedding-3-small"],
    );
    // Nothing tells them apart: the order of the backend's list stays.
    check_order(&[("b", false, None), ("a", false, None)], &["b", "a"]);
}

#[test]
fn a_price_above_the_one_that_was_shown_is_refused() {
    let check = |accepted: Option<i64>, now: Option<i64>, is_accepted: bool| {
        let outcome =
            check_accepted(accepted.map(NanoUsd::new), now.map(NanoUsd::new), ShownCurrency::USD);
        assert_eq!(outcome.is_ok(), is_accepted, "{accepted:?} {now:?}");
        outcome.err().map(|error| error.message)
    };
    check(Some(100), Some(100), true);
    check(Some(100), Some(60), true);
    check(None, None, true);
    check(None, Some(0), true);
    let dearer = check(Some(0), Some(140_000), false);
    assert_eq!(
        dearer.as_deref(),
        Some("the price changed since it was shown; now: At most $0.0002")
    );
    let found = check(None, Some(140_000), false);
    assert_eq!(found, dearer, "shown as unknown, it is known by now");
    let unknown = check(Some(0), None, false);
    assert_eq!(
        unknown.as_deref(),
        Some("the price changed since it was shown; now: Price unknown")
    );
}

#[test]
fn a_model_is_named_with_or_without_its_backend() {
    let id = BackendId::new("up").expect("an id");
    assert_eq!(parse_model(&id, " up/org/m ").expect("a name"), "org/m");
    assert_eq!(parse_model(&id, "org/m").expect("a name"), "org/m");
    let error = parse_model(&id, "up/").expect_err("no name");
    assert_eq!(error.field.as_deref(), Some("model"));
}
