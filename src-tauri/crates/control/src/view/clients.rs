//! Client tools and how to point them at the gateway. Their tokens are not shown: snippets fetch
//! them through the command line.

use domain::{IdError, Secret};
use serde::{Deserialize, Serialize};
use settings::ClientScope;
use specta::Type;

use crate::ApiError;

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
    /// What it may ask for.
    pub scope: ClientScopeView,
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
    /// Its name; one that is no id becomes one: `Claude Code` is `claude-code`.
    pub id: String,
    /// Days until the token ends; none for never.
    pub expires_in_days: Option<u32>,
    /// What it may ask for.
    pub scope: ClientScopeView,
}

/// What a client may ask for. An empty list allows everything of its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ClientScopeView {
    /// Models, by the names that requests use; a `*` at the end stands for any rest.
    pub models: Vec<String>,
    /// Backends that may answer.
    pub backends: Vec<String>,
    /// Routes that requests may take.
    pub routes: Vec<String>,
}

impl From<&ClientScope> for ClientScopeView {
    fn from(scope: &ClientScope) -> Self {
        Self {
            models: scope.models.clone(),
            backends: scope.backends.iter().map(ToString::to_string).collect(),
            routes: scope.routes.iter().map(ToString::to_string).collect(),
        }
    }
}

impl ClientScopeView {
    /// As the settings have it; an error names the list. Names need not exist yet.
    pub(crate) fn parsed(&self) -> Result<ClientScope, ApiError> {
        fn ids<Id: std::str::FromStr<Err = IdError>>(
            field: &str,
            names: &[String],
        ) -> Result<Vec<Id>, ApiError> {
            let wrong = |error: IdError| ApiError::invalid(field, error.to_string());
            names.iter().map(|name| name.trim().parse().map_err(wrong)).collect()
        }
        Ok(ClientScope {
            models: self.models.iter().map(|model| model.trim().to_owned()).collect(),
            backends: ids("scope.backends", &self.backends)?,
            routes: ids("scope.routes", &self.routes)?,
        })
    }
}

/// A client's new token, for the command line only.
#[derive(Debug, Deserialize)]
pub struct IssuedToken {
    /// The client's id.
    pub client: String,
    /// The token. The gateway keeps its hash alone.
    pub token: Secret,
    /// Why the vault did not store it; none when it did. It admits the client all the same.
    pub not_stored: Option<NotStoredView>,
}

/// Why a token was not stored, and what to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotStoredView {
    /// Why.
    pub reason: String,
    /// What to do.
    pub hint: Option<String>,
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
    /// What it may ask for.
    pub scope: ClientScopeView,
}

/// Names one client.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientRef {
    /// Which.
    pub id: String,
}
