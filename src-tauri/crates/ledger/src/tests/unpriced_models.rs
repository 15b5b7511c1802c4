//! Models without a price.

use domain::HOUR_MS;
use pricing::{Cost, Unpriced, UnpricedReason};

use super::{LedgerFixture, answered_attempt, at, backend, settlement};
use crate::{DimensionFilter, GroupBy, UnpricedModel};

#[tokio::test]
async fn models_without_a_price_are_listed_with_the_newest_reason() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let reason = |reason: UnpricedReason| Unpriced { reason, detail: None };
    // Folded hours, quarter hours that are not folded, and a request with a price.
    for (number, model, at_backend, why) in [
        (1, "llama", "home", Some(UnpricedReason::NoPrice)),
        (2, "llama", "home", Some(UnpricedReason::NoUsage)),
        (3, "gpt", "away", Some(UnpricedReason::UnknownTier)),
        (4 * 3_600, "llama", "home", None),
        (4 * 3_600 + 1, "llama", "away", Some(UnpricedReason::NoPrice)),
        (4 * 3_600 + 2, "llama", "home", Some(UnpricedReason::NoPrice)),
    ] {
        let mut ended = settlement(number);
        ended.request.model_asked = model.to_owned();
        ended.model_billed = None;
        ended.backend = Some(backend(at_backend));
        if let Some(why) = why {
            let mut attempt = answered_attempt();
            (attempt.cost, attempt.unpriced) = (Cost::Unpriced, Some(reason(why)));
            (attempt.backend, attempt.model) = (backend(at_backend), model.to_owned());
            attempt.credential = ended.credential.clone();
            (ended.cost, ended.attempts) = (Cost::Unpriced, vec![attempt]);
        }
        ledger.settle(ended).await.expect("settled");
    }
    let listed = |model: &str, at_backend: &str, requests, why| UnpricedModel {
        model: model.to_owned(),
        backend: Some(at_backend.to_owned()),
        requests,
        unpriced: Some(reason(why)),
    };
    let all = ledger.unpriced_models(at(0), at(9 * HOUR_MS), DimensionFilter::default()).await;
    let expected = [
        listed("llama", "home", 3, UnpricedReason::NoPrice),
        listed("gpt", "away", 1, UnpricedReason::UnknownTier),
        listed("llama", "away", 1, UnpricedReason::NoPrice),
    ];
    assert_eq!(all.expect("read"), expected);
    let away = [(GroupBy::Backend, "away".to_owned())].into_iter().collect();
    let early = ledger.unpriced_models(at(0), at(HOUR_MS), away).await.expect("read");
    assert_eq!(early, expected[1..2]);
}
