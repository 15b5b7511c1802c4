//! The models that a tool with a list of its own is told.

use domain::ClientId;
use engine::Engine;
use routing::{ModelEntry, ModelFacts, Support, find_model_facts};
use settings::Settings;
use wiring::{ToolModel, ToolModelLimits};

/// The models that `client` may ask for: names of routes, then those of each backend with the backend
/// in front. The mock is listed where there is nothing else.
pub(super) fn tool_models(engine: &Engine, client: &ClientId) -> Vec<ToolModel> {
    let settings = engine.settings();
    let mut entries = engine.snapshots().current().routes.list_models(Some(client));
    entries.retain(|entry| is_route_name(&settings, &entry.id) || names_its_backend(entry));
    let is_mock = |entry: &ModelEntry| entry.backend == *engine.mock_id();
    if !entries.iter().all(is_mock) {
        entries.retain(|entry| !is_mock(entry));
    }
    entries.into_iter().map(|entry| tool_model(&settings, entry)).collect()
}

fn is_route_name(settings: &Settings, name: &str) -> bool {
    settings.routes.values().any(|route| route.models.iter().any(|model| model == name))
}

/// A bare name is asked for at one of the backends that are listed with it.
fn names_its_backend(entry: &ModelEntry) -> bool {
    entry.id.strip_prefix(entry.backend.as_str()).is_some_and(|rest| rest.starts_with('/'))
}

fn tool_model(settings: &Settings, entry: ModelEntry) -> ToolModel {
    let facts = facts_of(settings, &entry.id);
    let limits = facts.and_then(|facts| {
        let limits = facts.input_tokens_max.zip(facts.output_tokens_max);
        limits.map(|(input_tokens_max, output_tokens_max)| ToolModelLimits {
            input_tokens_max,
            output_tokens_max,
        })
    });
    ToolModel {
        limits,
        tools: facts.is_none_or(|facts| facts.tools != Support::No),
        images: facts.is_some_and(|facts| facts.images == Support::Yes),
        name: entry.id,
    }
}

/// Of a route, those of the model that it asks first.
fn facts_of(settings: &Settings, name: &str) -> Option<&'static ModelFacts> {
    let route = settings.routes.values().find(|route| route.models.iter().any(|it| it == name));
    match route.and_then(|route| route.candidates.first()) {
        Some(first) => find_model_facts(first.model.as_deref().unwrap_or(name)),
        None => find_model_facts(name),
    }
}
