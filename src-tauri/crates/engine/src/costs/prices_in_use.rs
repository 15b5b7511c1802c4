//! The price book in use.

use std::sync::Arc;

use arc_swap::ArcSwap;
use pricing::PriceBook;

/// Replaced whole when prices change.
pub(crate) type PricesInUse = Arc<ArcSwap<PriceBook>>;
