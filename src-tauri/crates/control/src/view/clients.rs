//! Request and view types for clients, and snippets that point them at the gateway. Tokens are not
//! shown: snippets fetch them through the command line.

use domain::{ClientProgram, IdError, Secret};
use engine::{ClientRefusals, ClientState};
use serde::{Deserialize, Serialize};
use settings::ClientScope;
use specta::Type;

use crate::ApiError;

use super::{CacheMode, ClientPriority, Count, SpendView, TrafficLimitsView, UnixMs};

/// A tool that may call the gateway.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientView {
    pub id: String,
    pub state: ClientState,
    /// When the token was created.
    pub created_at: UnixMs,
    /// When the token expires; None for never.
    pub expires_at: Option<UnixMs>,
    pub expired: bool,
    /// True while its requests are refused, though its token is valid.
    pub blocked: bool,
    /// What it has sent since it was blocked, or since the program's start; None if it sent nothing. These
    /// requests are not among the others.
    pub refused: Option<RefusedRequestsView>,
    pub seen_at: Option<UnixMs>,
    /// The program that it called with last, as it calls itself; None if it never said.
    pub program: Option<ClientProgramView>,
    /// The last 30 days.
    pub last_month: SpendView,
    pub limits: TrafficLimitsView,
    /// None leaves the cache mode to the request.
    pub cache: Option<CacheMode>,
    pub priority: ClientPriority,
    pub scope: ClientScopeView,
    /// What it can be switched to, the routing rules first; one is current. Empty if it reads metrics.
    pub targets: Vec<ClientTargetView>,
    /// True if its token also opens MCP over HTTP.
    pub mcp: bool,
    /// True if its token reads `/metrics` and opens nothing else.
    pub reads_metrics: bool,
    /// The project that its requests belong to, whatever they say; None for the one that each names.
    pub project: Option<String>,
    pub snippets: Vec<SnippetView>,
    /// The budget for its requests that has its name, as one made with it has; it ends with it.
    pub own_budget: Option<String>,
    /// Other budgets of its requests. They stay when it is revoked.
    pub other_budgets: Vec<String>,
}

/// What ended with a client.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct RevokedClientView {
    pub id: String,
    /// The budget that ended with it.
    pub budget: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SnippetView {
    /// `curl`, `Python`, `Node`, …
    pub title: String,
    /// Contains no token; it calls `gatehouse token`.
    pub code: String,
}

/// Creates a client and its token.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientAdd {
    /// Converted to a valid id if needed: `Claude Code` becomes `claude-code`.
    pub id: String,
    /// Days until the token expires; None for never.
    pub expires_in_days: Option<u32>,
    pub scope: ClientScopeView,
    /// True for a token that reads `/metrics` and opens nothing else.
    #[serde(default)]
    #[specta(optional)]
    pub reads_metrics: bool,
    /// Dollars a month, as a budget of its own that refuses what is above; None for no budget.
    #[serde(default)]
    #[specta(optional)]
    pub monthly_limit_usd: Option<String>,
    /// The project that its requests belong to; None for the one that each names.
    #[serde(default)]
    #[specta(optional)]
    pub project: Option<String>,
}

impl ClientAdd {
    /// A client that may ask for everything, and whose token does not expire.
    #[must_use]
    pub fn unlimited(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            expires_in_days: None,
            scope: ClientScopeView::default(),
            reads_metrics: false,
            monthly_limit_usd: None,
            project: None,
        }
    }
}

/// The refused requests of a blocked client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RefusedRequestsView {
    pub count: Count,
    pub last_at: UnixMs,
}

impl From<ClientRefusals> for RefusedRequestsView {
    fn from(ClientRefusals { count, last }: ClientRefusals) -> Self {
        Self { count: count.into(), last_at: last.into() }
    }
}

/// A program, as its `User-Agent` header names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ClientProgramView {
    pub name: String,
    /// None if it states none.
    pub version: Option<String>,
}

impl From<ClientProgram> for ClientProgramView {
    fn from(ClientProgram { name, version }: ClientProgram) -> Self {
        Self { name, version }
    }
}

/// Where the requests of a client can go. Without a backend and a route: where the routing rules send them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ClientTargetView {
    pub backend: Option<String>,
    pub route: Option<String>,
    pub label: String,
    pub current: bool,
    /// Why a current target may no longer be used; completes "it …". None for all others.
    pub unavailable: Option<String>,
}

/// Sends a client's requests to one backend or one route. Without both, the routing rules decide again.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientSwitch {
    pub id: String,
    #[serde(default)]
    #[specta(optional)]
    pub backend: Option<String>,
    #[serde(default)]
    #[specta(optional)]
    pub route: Option<String>,
}

/// What a client may request. An empty list allows everything of its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ClientScopeView {
    /// Model names as used in requests; a trailing `*` matches any rest.
    pub models: Vec<String>,
    pub backends: Vec<String>,
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
    /// Parses the scope, whatever exists. An error names the list that is wrong.
    pub(crate) fn to_client_scope(&self) -> Result<ClientScope, ApiError> {
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

/// A new client's token. Only the command line receives it.
#[derive(Debug, Deserialize)]
pub struct IssuedToken {
    pub client: String,
    /// The gateway keeps only its hash.
    pub token: Secret,
    /// Why the vault did not store the token; None if it did. The token is valid either way.
    pub not_stored: Option<TokenNotStoredView>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenNotStoredView {
    pub reason: String,
    pub hint: Option<String>,
}

/// Changes a client's limits, cache mode, priority, scope, project and expiry. Its token stays.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientEdit {
    pub id: String,
    pub limits: TrafficLimitsView,
    /// None leaves the cache mode to the request.
    pub cache: Option<CacheMode>,
    pub priority: ClientPriority,
    pub scope: ClientScopeView,
    /// True if its token also opens MCP over HTTP.
    pub mcp: bool,
    /// The project that its requests belong to; None for the one that each names.
    pub project: Option<String>,
    /// When its token ends; None for never.
    pub expires_at: Option<UnixMs>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientRef {
    pub id: String,
}
