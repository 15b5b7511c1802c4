//! The invoice of an attempt, from the lines that were recorded with it.

use domain::{Meter, capitalize};
use engine::Engine;
use ledger::AttemptRecord;
use pricing::{Cost, LineItem, MissingPrice, Price, Rate, Unpriced, UnpricedReason};

use crate::ApiError;
use crate::view::{
    InvoiceView, LineItemView, MissingPriceView, NanoDollars, PriceRowView, UnpricedView,
};

pub(super) async fn invoice_view(
    engine: &Engine,
    attempt: &AttemptRecord,
) -> Result<InvoiceView, ApiError> {
    let price = match attempt.cost.price_id() {
        Some(id) => engine.ledger().price(id.to_owned()).await?,
        None => None,
    };
    let amounts: Option<Vec<_>> = attempt.lines.iter().map(|line| line.amount).collect();
    let computed = amounts.filter(|amounts| !amounts.is_empty());
    let stated = match attempt.cost {
        Cost::Reported(amount) => Some(amount),
        _ => None,
    };
    Ok(InvoiceView {
        lines: attempt.lines.iter().map(line_view).collect(),
        computed_nano_usd: computed
            .map(|amounts| amounts.into_iter().sum::<domain::NanoUsd>().into()),
        stated_nano_usd: stated.map(Into::into),
        price: price.as_ref().map(price_row_view),
        unpriced: attempt.unpriced.as_ref().map(unpriced_view),
    })
}

fn line_view(line: &LineItem) -> LineItemView {
    let unit = line.meter.unit();
    let quote = |rate: Rate| NanoDollars(rate.amount(unit.quoted_for()).nanos());
    LineItemView {
        meter: meter_label(line.meter),
        quantity: line.quantity.into(),
        unit,
        rate_nano_usd: line.rate.map(quote),
        quoted_for: unit.quoted_for().into(),
        amount_nano_usd: line.amount.map(Into::into),
    }
}

fn price_row_view(price: &Price) -> PriceRowView {
    PriceRowView {
        id: price.id.clone(),
        valid_from: price.valid_from.to_day(),
        source: price.source.clone(),
    }
}

/// The meter's word as people write it: `cache_read` is "Cache read".
pub(crate) fn meter_label(meter: Meter) -> String {
    capitalize(&meter.word().replace('_', " "))
}

pub(super) fn unpriced_view(why: &Unpriced) -> UnpricedView {
    let detail = why.detail.as_deref().unwrap_or_default();
    let sentence = match why.reason {
        UnpricedReason::NoUsage => "The backend reported no usage.".to_owned(),
        UnpricedReason::UnknownUsage => {
            format!("The backend reported “{detail}”, which may cost money and has no price here.")
        }
        UnpricedReason::NoPrice if !detail.is_empty() => {
            format!("Another model answered: “{detail}”, for which no price is known.")
        }
        UnpricedReason::NotCounted => {
            format!("The model is billed by the {detail}, which Gatehouse does not count.")
        }
        UnpricedReason::NoPrice => "No price is known for this model at this backend.".to_owned(),
        UnpricedReason::NoRate => {
            format!("The model's price has no rate for {}.", detail.replace('_', " "))
        }
        UnpricedReason::UnknownTier => {
            format!("The model's price has no rates for the service tier “{detail}”.")
        }
        UnpricedReason::UnknownRegion => {
            format!("The model's price does not say what the region “{detail}” costs.")
        }
        UnpricedReason::Implausible => {
            "The reported usage would cost more than any request can.".to_owned()
        }
    };
    let missing = why.missing().map(|MissingPrice { meter, tier, region }| MissingPriceView {
        meter,
        tier,
        region,
    });
    UnpricedView { reason: why.reason, sentence, missing }
}
