//! Client tools and how to point them at the gateway. Their tokens are not shown: snippets fetch
//! them through the command line.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{CacheWishView, ClientPriorityView, LimitsView, SpendView, UnixMs};

/// A tool that may call the gateway.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientView {
    /// Its name.
    pub id: String,
    /// When its token was made.
    pub created_at: UnixMs,
    /// When its token ends.
    pub expires_at: Option<UnixMs>,
    /// Whether its token has ended.
    pub expired: bool,
    /// When it was last heard of.
    pub seen_at: Option<UnixMs>,
    /// The last 30 days.
    pub last_month: SpendView,
    /// How much it may ask of the gateway.
    pub limits: LimitsView,
    /// Whether its answers may come from the cache; none leaves it to the request.
    pub cache: Option<CacheWishView>,
    /// Whether somebody waits for its answers.
    pub priority: ClientPriorityView,
    /// How to use it.
    pub snippets: Vec<SnippetView>,
}

/// A piece of code to copy.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SnippetView {
    /// `curl`, `Python`, `Node`, …
    pub title: String,
    /// The code. Holds no token: it asks `gatehouse token` for it.
    pub code: String,
}

/// Makes a token for a client.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientAdd {
    /// Its name.
    pub id: String,
    /// Days until the token ends; none for never.
    pub expires_in_days: Option<u32>,
}

/// Changes what a client may do. Its token stays.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientEdit {
    /// Which.
    pub id: String,
    /// How much it may ask of the gateway.
    pub limits: LimitsView,
    /// Whether its answers may come from the cache; none leaves it to the request.
    pub cache: Option<CacheWishView>,
    /// Whether somebody waits for its answers.
    pub priority: ClientPriorityView,
}

/// Names one client.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientRef {
    /// Which.
    pub id: String,
}
