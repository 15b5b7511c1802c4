//! Request and view types for prices: the list, one's own price, an import and its preview.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, NanoDollars, UnixMs};

use ::domain::Meter;
pub use ::domain::PriceTier;
pub use ::pricing::{PriceConfidence, PriceFileFormat};

/// Which prices to list. An empty text is no filter.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
pub struct PricesQuery {
    /// Part of a model's id.
    pub model: String,
    /// A provider's id or a backend's.
    pub owner: String,
    /// Rows in one answer; the view says how many there are.
    pub limit: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PricesView {
    /// "440 prices of 22 providers and 3 of your own."
    pub sentence: String,
    /// By owner and model; the newest row of each first.
    pub rows: Vec<ListedPriceView>,
    /// Rows that match, those left out included.
    pub found: Count,
    /// The change that `price_undo` takes back; None if there is none.
    pub last_change: Option<PriceChangeView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ListedPriceView {
    pub id: String,
    /// The provider's or backend's name.
    pub owner: String,
    /// The backend, if this is a price for one backend.
    pub backend: Option<String>,
    /// `*` for what all models of the owner share.
    pub model: String,
    pub state: PriceRowState,
    /// First day, `2026-11-01`.
    pub from: String,
    /// The first day without it; None while it holds.
    pub until: Option<String>,
    /// The page it comes from, or "set by you".
    pub source: String,
    pub confidence: PriceConfidence,
    /// Standard rates per million tokens; None if not known.
    pub input: Option<NanoDollars>,
    pub cache_read: Option<NanoDollars>,
    pub output: Option<NanoDollars>,
    /// Every rate, as an invoice names it.
    pub rates: Vec<PriceRateView>,
    /// Factors of regions: "us × 1.1".
    pub regions: Vec<String>,
}

domain::words! {
    /// When a price holds.
    PriceRowState {
        InForce = "in_force",
        /// From a later day on.
        Upcoming = "upcoming",
        Ended = "ended",
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceRateView {
    pub meter: Meter,
    /// None for the standard tier.
    pub tier: Option<PriceTier>,
    /// For requests with more input tokens than this.
    pub above_tokens: Option<Count>,
    pub rate: NanoDollars,
    /// "per million tokens", "per thousand calls".
    pub unit: String,
}

/// One's own price of a model at a backend, from now on. Earlier requests without a price are priced
/// with it too.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceSet {
    pub backend: String,
    pub model: String,
    /// At least one, unless a region is given. What is not stated stays as it is.
    pub rates: Vec<PriceSetRate>,
    /// None for the standard tier.
    #[serde(default)]
    #[specta(optional)]
    pub tier: Option<PriceTier>,
    /// For requests with more input tokens than this; None for all.
    #[serde(default)]
    #[specta(optional)]
    pub above_tokens: Option<Count>,
    #[serde(default)]
    #[specta(optional)]
    pub region: Option<PriceSetRegion>,
}

/// A rate of one meter.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceSetRate {
    pub meter: Meter,
    /// US dollars as in `2.50`: for a million tokens, a thousand calls, an image, a second or a
    /// request.
    pub price: String,
}

/// What tokens cost where an answer is made, as a factor.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceSetRegion {
    pub name: String,
    /// As in `1.1`.
    pub factor: String,
}

/// A price list to look at.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PriceImport {
    /// The text of a file.
    Text {
        /// Shown as the source of rows that name none.
        name: String,
        text: String,
    },
    /// An address that the list is fetched from.
    Address { url: String },
}

/// What an import would change. Nothing has changed yet.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceImportView {
    /// Names this preview for `price_import_apply`.
    pub id: Count,
    pub format: PriceFileFormat,
    /// "3 prices change, 12 are new, 120 stay as they are."
    pub sentence: String,
    pub changed: Count,
    pub new: Count,
    pub same: Count,
    /// Rows of providers that are not kept here.
    pub foreign: Count,
    /// Largest change first; at most some hundred.
    pub differences: Vec<PriceDifferenceView>,
    /// Rows and fields that were not read.
    pub problems: Vec<PriceProblemView>,
    pub problems_found: Count,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceDifferenceView {
    pub owner: String,
    pub model: String,
    /// What changes: "input $2.00 → $2.50 (+25 %)".
    pub changes: Vec<String>,
    /// True if the model had no price.
    pub is_new: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceProblemView {
    pub line: Count,
    pub row: String,
    pub field: String,
    pub problem: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceImportRef {
    pub id: Count,
}

/// A change of prices.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PriceChangeView {
    /// "Set the price of llama-3 at home. 120 requests without a price now cost $0.42."
    pub sentence: String,
    pub at: UnixMs,
    /// Prices that were added.
    pub prices: Count,
    /// Requests that had no price and have one now.
    pub repriced: Count,
}
