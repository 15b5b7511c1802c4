//! What an attempt costs, as an invoice has it.

use domain::{Meter, PriceTier, Unit};
use pricing::UnpricedReason;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, NanoDollars};

/// The lines of an attempt.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct InvoiceView {
    /// In the order of the meters; empty if nothing was counted.
    pub lines: Vec<LineItemView>,
    /// The sum of the lines; None if one of them has no rate.
    pub computed_nano_usd: Option<NanoDollars>,
    /// The cost that the backend stated. It counts, not the computed one.
    pub stated_nano_usd: Option<NanoDollars>,
    /// The row of the price table.
    pub price: Option<PriceRowView>,
    /// None if the cost is known.
    pub unpriced: Option<UnpricedView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LineItemView {
    /// What was counted, in words: "Cache read".
    pub meter: String,
    pub quantity: Count,
    pub unit: Unit,
    /// The price of `quoted_for` units; None if the price list has none.
    pub rate_nano_usd: Option<NanoDollars>,
    pub quoted_for: Count,
    pub amount_nano_usd: Option<NanoDollars>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceRowView {
    /// `openai/gpt-4.1@2026-11-01`
    pub id: String,
    /// First day, as `2026-11-01`.
    pub valid_from: String,
    /// The page or person it comes from.
    pub source: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UnpricedView {
    pub reason: UnpricedReason,
    /// One sentence.
    pub sentence: String,
    /// None if no price of one's own helps.
    pub missing: Option<MissingPriceView>,
}

/// What a price of one's own has to state so that the cost is known.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct MissingPriceView {
    /// None if all rates are missing, or it is not known which.
    pub meter: Option<Meter>,
    pub tier: PriceTier,
    pub region: Option<String>,
}
