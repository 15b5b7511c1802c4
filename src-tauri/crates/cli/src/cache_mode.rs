//! The `--cache` option, shared by routes and clients.

use clap::ValueEnum;
use control::view::CacheModeView;

/// When answers come out of the cache.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum CacheModeArg {
    /// Leave it to the request
    Default,
    /// Only repeatable requests
    Auto,
    On,
    Off,
    /// Always ask the backend, then store the response
    Refresh,
}

impl CacheModeArg {
    pub(crate) const fn view(self) -> Option<CacheModeView> {
        match self {
            Self::Default => None,
            Self::Auto => Some(CacheModeView::Auto),
            Self::On => Some(CacheModeView::On),
            Self::Off => Some(CacheModeView::Off),
            Self::Refresh => Some(CacheModeView::Refresh),
        }
    }
}
