//! Prices and costs: the price book, rates, the cost of a usage and its origin.
//!
//! Pure: no IO, no clock, no lock. The ledger stores the prices that a cost was computed with.
//! Invariant: an unknown cost is unknown, never zero.
//!
//! A meter is a variant of [`domain::Meter`]; a price list has [`Rates`] by meter, for each tier and
//! length of input ([`PriceTerms`]); an attempt's cost is the sum of its [`LineItem`]s.

mod bundled_prices;
mod cost;
mod difference;
mod line_item;
mod price;
mod price_book;
mod price_file;
mod provider;
mod rates;
mod terms;
mod undated_price;
mod unpriced;

pub use bundled_prices::{
    bundled_as_of, bundled_fingerprint, bundled_price, bundled_prices, listed_by,
};
pub use cost::{AttemptCost, AttemptPricing, Cost};
pub use difference::RateChange;
pub use line_item::LineItem;
pub use price::{ATTEMPT_COST_MAX, ATTEMPT_TOKENS_MAX, Price, PriceConfidence, PriceOwner};
pub use price_book::PriceBook;
pub use price_file::{
    PriceFile, PriceFileError, PriceFileFormat, PriceFilePlace, PriceFileProblem, PriceFileRow,
    PriceFileValue, read_price_file,
};
pub use provider::Provider;
pub use rates::{Rate, RateError, Rates};
pub use terms::{Factor, PriceTerms, RatesAbove, TierTerms};
pub use unpriced::{MissingPrice, Unpriced, UnpricedReason};
