//! The `--cache` option, shared by routes and clients.

use clap::ValueEnum;
use control::view::CacheWishView;

/// When answers come out of the cache.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum CacheMode {
    /// Leave it to the request
    Default,
    /// Only repeatable requests
    Auto,
    On,
    Off,
    /// Always ask the backend, then store the response
    Refresh,
}

impl CacheMode {
    pub(crate) const fn view(self) -> Option<CacheWishView> {
        match self {
            Self::Default => None,
            Self::Auto => Some(CacheWishView::Auto),
            Self::On => Some(CacheWishView::On),
            Self::Off => Some(CacheWishView::Off),
            Self::Refresh => Some(CacheWishView::Refresh),
        }
    }
}
