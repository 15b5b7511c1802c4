//! Prices and costs: the price book, rates, the cost of a usage and its origin.
//!
//! Pure: no IO, no clock, no lock. The ledger stores the prices that a cost was computed with.
//! Invariant: an unknown cost is unknown, never zero.
//!
//! A class of usage is a row of [`domain::TokenUsage`], a rate is a row of [`Rates`], and
//! [`RateKind::of`] says which rate prices which class.

mod bundled_prices;
mod cost;
mod price;
mod price_book;
mod provider;
mod rates;

pub use bundled_prices::bundled_prices;
pub use cost::{AttemptPricing, Cost};
pub use price::{LongContextRates, Price, PriceConfidence, PriceOwner};
pub use price_book::PriceBook;
pub use provider::Provider;
pub use rates::{RateKind, Rates};
