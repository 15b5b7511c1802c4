//! Saved views: filters of requests under a name, in the settings file.

use domain::ViewId;
use engine::Engine;
use serde_json::{Map, Value};
use settings::{VIEW_QUERY_CHARS_MAX, VIEWS_MAX, ViewSettings};

use super::filter;
use crate::operation::input;
use crate::view::{CacheOutcome, RequestsQuery, SavedView, SavedViewRef};
use crate::{ApiError, unknown_name_error};

pub(crate) async fn saved_views(engine: &Engine) -> Result<Vec<SavedView>, ApiError> {
    let settings = engine.settings();
    let views = settings.views.iter().map(|(id, view)| SavedView {
        name: id.to_string(),
        // A view that was edited into nonsense shows all requests; `settings check` cannot know.
        query: parse_query(&view.query).unwrap_or_default(),
    });
    Ok(views.collect())
}

pub(crate) async fn saved_view_set(engine: &Engine, req: SavedView) -> Result<(), ApiError> {
    let id: ViewId = input::parse_id("name", &req.name)?;
    let query = RequestsQuery { before: None, limit: 0, ended_since: None, ..req.query };
    filter::filters(&query, engine.clock().wall())?;
    let query = render_query(&query);
    if query.is_empty() {
        return Err(ApiError::invalid("query", "set a filter first"));
    }
    if query.chars().count() > VIEW_QUERY_CHARS_MAX {
        return Err(ApiError::invalid("query", "these filters are too long to save"));
    }
    let views = &engine.settings().views;
    if views.len() >= VIEWS_MAX && !views.contains_key(&id) {
        let message = format!("there are {VIEWS_MAX} saved views; remove one first");
        return Err(ApiError::invalid("name", message));
    }
    let save = move |draft: &mut settings::Settings| {
        draft.views.insert(id, ViewSettings { query });
    };
    engine.settings_editor().edit(save).await?;
    Ok(())
}

pub(crate) async fn saved_view_remove(engine: &Engine, req: SavedViewRef) -> Result<(), ApiError> {
    let id: ViewId = input::parse_id("name", &req.name)?;
    let settings = engine.settings();
    if !settings.views.contains_key(&id) {
        let known = settings.views.keys().map(ViewId::as_str);
        return Err(unknown_name_error("view", id.as_str(), known));
    }
    engine.settings_editor().edit(move |draft| drop(draft.views.shift_remove(&id))).await?;
    Ok(())
}

/// The filters as in the panel's address.
fn render_query(query: &RequestsQuery) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    let fields = serde_json::to_value(query).unwrap_or_default();
    let mut fields: Vec<_> = fields.as_object().into_iter().flatten().collect();
    fields.sort_by_key(|(name, _)| *name);
    for (name, value) in fields {
        match value {
            Value::Null => {}
            Value::String(word) => drop(text.append_pair(name, word)),
            _ if name == "limit" => {}
            other => drop(text.append_pair(name, &other.to_string())),
        }
    }
    text.finish()
}

/// `None` for a value of another type. An unknown name is left out, as in the panel's address.
fn parse_query(text: &str) -> Option<RequestsQuery> {
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    let fields = pairs.map(|(name, word)| {
        let value = match &*name {
            "since" | "until" => word.parse::<i64>().map_or(Value::Null, Value::from),
            "unpriced" => Value::Bool(word == "true"),
            // Read by its other word, too, which views saved by an earlier version have.
            "cache" => {
                let known = word.parse().map(CacheOutcome::word);
                Value::from(known.unwrap_or(&*word))
            }
            _ => Value::from(&*word),
        };
        (name.into_owned(), value)
    });
    serde_json::from_value(Value::Object(fields.collect::<Map<_, _>>())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{RequestState, UnixMs};

    #[test]
    fn filters_survive_the_settings_file() {
        let text = |text: &str| Some(text.to_owned());
        let query = RequestsQuery {
            state: Some(RequestState::Failed),
            cache: Some(CacheOutcome::Miss),
            model: text("*gpt 4&5*"),
            http_status: text("503"),
            within: text("24h"),
            unpriced: Some(true),
            until: Some(UnixMs(5)),
            ..RequestsQuery::default()
        };
        let line = render_query(&query);
        assert_eq!(
            line,
            "cache=miss&http_status=503&model=*gpt+4%265*&state=failed&unpriced=true&until=5&within=24h"
        );
        assert_eq!(parse_query(&line), Some(query));
        assert_eq!(render_query(&RequestsQuery::default()), "");
        assert_eq!(parse_query("colour=red"), Some(RequestsQuery::default()));
        assert_eq!(parse_query("state=sleepy"), None);
        let shared = parse_query("cache=joined").expect("an earlier word");
        assert_eq!(shared.cache, Some(CacheOutcome::Coalesced));
    }
}
