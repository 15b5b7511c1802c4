//! `gatehouse routes add`, `edit` and `move`: merges the typed changes into the full route that the
//! core takes.

use std::str::FromStr;

use control::Core;
use control::view::{
    BalanceWeightsView, CacheMode, RouteCandidateEdit, RouteEdit, RoutePolicy, RouteRef,
    RoutesOrder, STICKY_SECS_DEFAULT, TranslationMode,
};

use super::{find_route, render_route};
use crate::command::completers;
use crate::confirm::{YesArgument, confirm_removal, describe_freed_clients};
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::text::render_sentence;
use crate::word::{WordOr, word, word_or_default};

#[derive(Debug, clap::Args)]
pub(crate) struct AddRouteArguments {
    /// The route's name, which requests use as the model
    #[arg(value_name = "NAME")]
    id: String,
    /// Its backends, first choice first: BACKEND, BACKEND/MODEL, or either with =WEIGHT
    #[arg(value_name = "BACKEND[/MODEL][=WEIGHT]", required = true,
        add = completers::candidates_from(completers::model_names))]
    candidates: Vec<RouteCandidateArgument>,
    #[command(flatten)]
    rules: RouteRuleArguments,
}

/// What changes in a route; everything else stays.
#[derive(Debug, clap::Args)]
pub(crate) struct EditRouteArguments {
    /// The route
    #[arg(value_name = "NAME", add = completers::candidates_from(completers::route_names))]
    id: String,
    /// Its new backends, first choice first
    #[arg(value_name = "BACKEND[/MODEL][=WEIGHT]", add = completers::candidates_from(completers::model_names))]
    candidates: Vec<RouteCandidateArgument>,
    /// A new name
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    #[command(flatten)]
    rules: RouteRuleArguments,
}

#[derive(Debug, clap::Args)]
struct RouteRuleArguments {
    /// A model name it serves (repeatable); * matches anything. Defaults to the route's name
    #[arg(long = "model", value_name = "NAME")]
    models: Vec<String>,
    /// How it chooses among its backends
    #[arg(long, value_parser = word::<RoutePolicy>())]
    policy: Option<RoutePolicy>,
    /// Only for this client (repeatable)
    #[arg(long = "client", value_name = "CLIENT", add = completers::candidates_from(completers::client_names))]
    clients: Vec<String>,
    /// Only for this project (repeatable)
    #[arg(long = "project", value_name = "PROJECT")]
    projects: Vec<String>,
    /// Seconds to keep a conversation on one backend; 0 turns this off
    #[arg(long, value_name = "SECS")]
    sticky_secs: Option<u32>,
    /// Use the response cache
    #[arg(long, value_parser = word_or_default::<CacheMode>("Leave it to the request"))]
    cache: Option<WordOr<CacheMode>>,
    /// What to do with fields that a backend's protocol does not support
    #[arg(long, value_parser = word_or_default::<TranslationMode>("Leave it to the backend"))]
    crossing: Option<WordOr<TranslationMode>>,
}

/// A backend as it is typed: `groq`, `groq/llama-3.3-70b`, `groq/llama-3.3-70b=3`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RouteCandidateArgument(String, Option<String>, u16);

impl FromStr for RouteCandidateArgument {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (place, weight) = match text.rsplit_once('=') {
            Some((place, weight)) => {
                let weight = weight.parse();
                (
                    place,
                    weight
                        .map_err(|_| "the weight after = must be a whole number from 1 to 1000")?,
                )
            }
            None => (text, 1),
        };
        let (backend, model) = match place.split_once('/') {
            Some((backend, model)) => (backend, Some(model.to_owned())),
            None => (place, None),
        };
        Ok(Self(backend.to_owned(), model, weight))
    }
}

impl From<RouteCandidateArgument> for RouteCandidateEdit {
    fn from(RouteCandidateArgument(backend, model, weight): RouteCandidateArgument) -> Self {
        Self { backend, model, weight }
    }
}

impl RouteRuleArguments {
    /// Takes the typed values, and `edit` for those not typed.
    fn merge_with(self, edit: RouteEdit) -> RouteEdit {
        let named = |typed: Vec<String>, known: Vec<String>| {
            if typed.is_empty() { known } else { typed }
        };
        RouteEdit {
            models: named(self.models, edit.models),
            clients: named(self.clients, edit.clients),
            projects: named(self.projects, edit.projects),
            policy: self.policy.unwrap_or(edit.policy),
            sticky_secs: match self.sticky_secs {
                Some(0) => None,
                Some(secs) => Some(secs),
                None => edit.sticky_secs,
            },
            cache: self.cache.unwrap_or(edit.cache),
            crossing: self.crossing.unwrap_or(edit.crossing),
            ..edit
        }
    }
}

pub(super) async fn add(
    wanted: AddRouteArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let fresh = RouteEdit {
        replaces: None,
        id: wanted.id,
        models: Vec::new(),
        clients: Vec::new(),
        projects: Vec::new(),
        policy: RoutePolicy::Ordered,
        weights: BalanceWeightsView { latency: 50, cost: 30, headroom: 20 },
        sticky_secs: Some(STICKY_SECS_DEFAULT),
        crossing: None,
        cache: None,
        enabled: true,
        candidates: wanted.candidates.into_iter().map(Into::into).collect(),
    };
    let route = control::route_set(core, wanted.rules.merge_with(fresh)).await?;
    console.print_view(&route, render_route)
}

pub(super) async fn edit(
    wanted: EditRouteArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let mut edit = find_route(core, &wanted.id).await?.into_edit();
    if !wanted.candidates.is_empty() {
        edit.candidates = wanted.candidates.into_iter().map(Into::into).collect();
    }
    edit.id = wanted.rename.unwrap_or(edit.id);
    let route = control::route_set(core, wanted.rules.merge_with(edit)).await?;
    console.print_view(&route, render_route)
}

pub(super) async fn set_enabled(
    name: &str,
    enabled: bool,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let edit = RouteEdit { enabled, ..find_route(core, name).await?.into_edit() };
    let route = control::route_set(core, edit).await?;
    let what = if enabled { "Enabled" } else { "Disabled" };
    console.print_view(&route, |route| render_sentence(&format!("{what} the route {}.", route.id)))
}

pub(super) async fn remove(
    name: &str,
    yes: YesArgument,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let route = find_route(core, name).await?;
    let models = route.models.join(", ");
    let mut told = vec![format!("Requests for {models} will go by model name, or fail.")];
    if !route.switched_clients.is_empty() {
        told.push(describe_freed_clients(&route.switched_clients));
    }
    confirm_removal(&format!("Remove the route {name}?"), &told, yes, console)?;
    control::route_remove(core, RouteRef { id: route.id }).await?;
    console.print_view(&(), |()| render_sentence(&format!("Removed the route {name}.")))?;
    Ok(Exit::Success)
}

/// Where a route goes among the others; of routes that match a request equally well, the first wins.
#[derive(Debug, clap::Args)]
pub(crate) struct MoveRouteArguments {
    /// The route
    #[arg(value_name = "NAME", add = completers::candidates_from(completers::route_names))]
    name: String,
    #[command(flatten)]
    place: RoutePositionArguments,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct RoutePositionArguments {
    /// Before all others
    #[arg(long)]
    first: bool,
    /// After all others
    #[arg(long)]
    last: bool,
    /// Before this route
    #[arg(long, value_name = "ROUTE", add = completers::candidates_from(completers::route_names))]
    before: Option<String>,
    /// After this route
    #[arg(long, value_name = "ROUTE", add = completers::candidates_from(completers::route_names))]
    after: Option<String>,
}

pub(super) async fn reorder(
    wanted: MoveRouteArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    find_route(core, &wanted.name).await?;
    let known = control::routes(core).await?.routes.into_iter().map(|route| route.id);
    let mut ids: Vec<String> = known.filter(|id| *id != wanted.name).collect();
    let place_of = |ids: &[String], name: &str| ids.iter().position(|id| id == name);
    let at = match &wanted.place {
        RoutePositionArguments { before: Some(name), .. } => {
            place_of(&ids, &find_route(core, name).await?.id)
        }
        RoutePositionArguments { after: Some(name), .. } => {
            place_of(&ids, &find_route(core, name).await?.id).map(|at| at + 1)
        }
        RoutePositionArguments { first: true, .. } => Some(0),
        RoutePositionArguments { .. } => None,
    };
    ids.insert(at.unwrap_or(ids.len()).min(ids.len()), wanted.name);
    let routes = control::routes_order(core, RoutesOrder { ids }).await?;
    console.print_view(&routes, super::table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_a_backend_with_or_without_a_model_and_a_weight() {
        let check = |typed: &str, backend: &str, model: Option<&str>, weight: u16| {
            let wanted =
                RouteCandidateArgument(backend.to_owned(), model.map(str::to_owned), weight);
            assert_eq!(typed.parse(), Ok(wanted), "{typed}");
        };
        check("groq", "groq", None, 1);
        check("groq=3", "groq", None, 3);
        check("or/meta/llama-3:free=20", "or", Some("meta/llama-3:free"), 20);
        assert!("groq=many".parse::<RouteCandidateArgument>().is_err());
    }
}
