//! `gatehouse clients edit`: changes what a client may do, and prints what it may do now.

use control::view::{CacheMode, ClientEdit, ClientPriority, ClientView, TrafficLimitsView, UnixMs};
use control::{ApiError, Core};

use super::scope::ClientScopeArguments;
use super::show::render_edited;
use super::{ClientArgument, find_client, parse_expiry, project_name};
use crate::console::Console;
use crate::exit::CommandError;
use crate::word::{WordOr, word, word_or_default};

/// What changes for a client; everything else stays.
#[derive(Debug, clap::Args)]
pub(crate) struct EditClientArguments {
    #[command(flatten)]
    client: ClientArgument,
    /// Max requests per minute; `none` for no limit
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<LimitArgument>,
    /// Max tokens per minute, input and output; `none` for no limit
    #[arg(long, value_name = "N")]
    tokens_per_minute: Option<LimitArgument>,
    /// Max concurrent requests; `none` for no limit
    #[arg(long, value_name = "N")]
    in_flight_max: Option<LimitArgument>,
    /// Use the response cache; `default` leaves it to the request
    #[arg(long, value_parser = word_or_default::<CacheMode>("Leave it to the request"))]
    cache: Option<WordOr<CacheMode>>,
    /// Priority when the gateway is busy
    #[arg(long, value_parser = word::<ClientPriority>())]
    priority: Option<ClientPriority>,
    /// Let it use MCP over HTTP too, if that is on; its prompts there count to the project agents
    #[arg(long, value_name = "true|false")]
    mcp: Option<bool>,
    /// When its token expires: a date such as 2026-12-31, a span such as 90d, or `never`
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// The project that its requests belong to; `none` for the one that each names
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    #[command(flatten)]
    allowed: ClientScopeArguments,
}

/// A limit as it is typed: a number, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LimitArgument(Option<u32>);

impl std::str::FromStr for LimitArgument {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(None)),
            number => number
                .parse()
                .map(|number| Self(Some(number)))
                .map_err(|_| "write a number or `none`".to_owned()),
        }
    }
}

impl EditClientArguments {
    /// The new settings: the typed values, and `known` for those not typed.
    fn merge_with(self, known: ClientView, now: UnixMs) -> Result<ClientEdit, ApiError> {
        let expires_at = parse_expiry(self.expires.as_deref(), known.expires_at, now)?;
        let limit =
            |typed: Option<LimitArgument>, known: Option<u32>| typed.map_or(known, |limit| limit.0);
        Ok(ClientEdit {
            id: known.id,
            expires_at,
            scope: self.allowed.merge_with(known.scope)?,
            limits: TrafficLimitsView {
                requests_per_minute: limit(
                    self.requests_per_minute,
                    known.limits.requests_per_minute,
                ),
                tokens_per_minute: limit(self.tokens_per_minute, known.limits.tokens_per_minute),
                in_flight_max: limit(self.in_flight_max, known.limits.in_flight_max),
            },
            cache: self.cache.unwrap_or(known.cache),
            priority: self.priority.unwrap_or(known.priority),
            mcp: self.mcp.unwrap_or(known.mcp),
            project: match self.project {
                None => known.project,
                Some(name) => project_name(name),
            },
        })
    }
}

pub(super) async fn run(
    wanted: EditClientArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let found = find_client(core, &wanted.client.name).await?;
    let edited = control::client_edit(core, wanted.merge_with(found, console.now())?).await?;
    let now = console.now();
    console.print_view(&edited, |client| render_edited(client, now))
}
