//! OpenCode: one database, in older versions a JSON document for each message.
//!
//! Both may hold the same messages, and a fork copies them under new ids. A finished answer is
//! therefore recognised by its time, model and tokens.

use std::path::Path;
use std::time::Duration;

use domain::{PriceTier, TokenUsage};
use rusqlite::{Connection, OpenFlags, Row};
use serde::Deserialize;

use crate::fields::Raw;
use crate::part::PartBuilder;
use crate::record::{RecordKey, UsageRecord};

/// Longest message that is read, in bytes. Contents lie in other rows.
const MESSAGE_BYTES_MAX: i64 = 4_194_304;

const LOCK_WAIT: Duration = Duration::from_secs(2);

/// Tables that hold messages, in older and newer versions.
const MESSAGE_TABLES: [&str; 2] = ["message", "session_message"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    #[serde(rename = "sessionID")]
    session_id: Raw<'a>,
    #[serde(rename = "modelID")]
    model_id: Raw<'a>,
    #[serde(rename = "providerID")]
    provider_id: Raw<'a>,
    /// In newer versions instead of the two before.
    model: Raw<'a>,
    time: Raw<'a>,
    path: Raw<'a>,
    cost: Raw<'a>,
    tokens: Raw<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Model<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    #[serde(rename = "providerID")]
    provider_id: Raw<'a>,
}

#[derive(Deserialize)]
struct Times<'a> {
    #[serde(borrow)]
    created: Raw<'a>,
    completed: Raw<'a>,
}

#[derive(Deserialize)]
struct Folders<'a> {
    #[serde(borrow)]
    cwd: Raw<'a>,
}

#[derive(Deserialize)]
struct Tokens<'a> {
    #[serde(borrow)]
    total: Raw<'a>,
    input: Raw<'a>,
    output: Raw<'a>,
    reasoning: Raw<'a>,
    cache: Raw<'a>,
}

#[derive(Deserialize)]
struct Cache<'a> {
    #[serde(borrow)]
    read: Raw<'a>,
    write: Raw<'a>,
}

/// What the row of a message says beside it.
#[derive(Debug, Default)]
struct RowContext {
    id: Option<String>,
    session: Option<String>,
    folder: Option<String>,
}

pub(crate) fn read_document(text: &str, part: &mut PartBuilder) {
    read_message(text, "", RowContext::default(), part);
}

/// Reads the messages that were changed at `since_ms` or later, oldest change first. `store` gets
/// the builder and the time of the last change after each message, and stops the reading by `false`.
pub(crate) fn read_database(
    path: &Path,
    since_ms: i64,
    part: &mut PartBuilder,
    mut store: impl FnMut(&mut PartBuilder, i64) -> bool,
) -> rusqlite::Result<()> {
    let connection = sqlite_file::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, LOCK_WAIT)?;
    let has_sessions = has_columns(&connection, "session", &["id", "directory"])?;
    let columns = ["id", "session_id", "time_updated", "data"];
    let mut selects = Vec::new();
    for table in MESSAGE_TABLES {
        if has_columns(&connection, table, &columns)? {
            let folder = match has_sessions {
                true => "(SELECT directory FROM session WHERE session.id = m.session_id)",
                false => "NULL",
            };
            selects.push(format!(
                "SELECT id, session_id, time_updated, data, {folder} AS folder FROM {table} AS m
                 WHERE time_updated >= ?1 AND length(data) <= ?2"
            ));
        }
    }
    if selects.is_empty() {
        part.problem("", "has no table of messages that this version knows");
        return Ok(());
    }
    let sql = format!("{} ORDER BY time_updated", selects.join(" UNION ALL "));
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([since_ms, MESSAGE_BYTES_MAX])?;
    while let Some(row) = rows.next()? {
        let changed: i64 = row.get("time_updated")?;
        read_row(row, part);
        if !store(part, changed) {
            break;
        }
    }
    Ok(())
}

fn has_columns(connection: &Connection, table: &str, names: &[&str]) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let found = statement.query_map([table], |row| row.get::<_, String>(0))?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(names.iter().all(|name| found.iter().any(|column| column == name)))
}

fn read_row(row: &Row<'_>, part: &mut PartBuilder) {
    let text = |column: &str| row.get::<_, Option<String>>(column).ok().flatten();
    let context =
        RowContext { id: text("id"), session: text("session_id"), folder: text("folder") };
    let place = context.id.clone().unwrap_or_default();
    match row.get_ref("data").map(|data| data.as_str().map(str::to_owned)) {
        Ok(Ok(data)) if data.contains(r#""tokens""#) => read_message(&data, &place, context, part),
        Ok(Ok(_)) => {}
        _ => part.problem(&place, "is not a text"),
    }
}

fn read_message(text: &str, place: &str, row: RowContext, part: &mut PartBuilder) {
    let at = |name: &str| match place {
        "" => name.to_owned(),
        place => format!("{place} {name}"),
    };
    let Some(message) = part.parse::<Message<'_>>(place, text) else { return };
    let Some(tokens) = part.object::<Tokens<'_>>(&at("tokens"), message.tokens) else { return };
    let Some(times) = part.object::<Times<'_>>(&at("time"), message.time) else { return };
    let reference = part.object::<Model<'_>>(&at("model"), message.model.filter(is_object));
    let (new_model, new_provider) =
        reference.map_or((None, None), |model| (model.id, model.provider_id));
    let folders = part.object::<Folders<'_>>(&at("path"), message.path);
    let id = part.text(&at("id"), message.id).or(row.id);
    let session = part.text(&at("sessionID"), message.session_id).or(row.session);
    let model = part.text(&at("modelID"), message.model_id.or(new_model));
    let provider = part.text(&at("providerID"), message.provider_id.or(new_provider));
    let project = folders.and_then(|folders| part.text(&at("path.cwd"), folders.cwd));
    let time = part.time(&at("time.created"), times.created);
    let stated_cost = part.amount(&at("cost"), message.cost);
    part.check_names(&at("tokens"), message.tokens, &COUNT_NAMES);
    part.check_names(&at("tokens.cache"), tokens.cache, &["read", "write"]);
    let usage = read_usage(part, at, &tokens, provider.as_deref());
    let identity = match (times.completed, &id) {
        (None, Some(id)) => id.clone(),
        _ => format!("{} {:?} {usage:?}", time.unix_ms(), model),
    };
    let record = UsageRecord {
        key: RecordKey::of(part.tool(), &[&identity]),
        session,
        message_id: id,
        request_id: None,
        time,
        model,
        provider,
        project: project.or(row.folder),
        usage,
        inner_calls: Vec::new(),
        web_searches: 0,
        service_tier: PriceTier::Standard,
        region: None,
        unread: None,
        stated_cost,
        line: part.line(),
    };
    part.add(record);
}

fn is_object(raw: &&serde_json::value::RawValue) -> bool {
    raw.get().starts_with('{')
}

/// Counts that are read, and their sum.
const COUNT_NAMES: [&str; 5] = ["total", "input", "output", "reasoning", "cache"];

/// Input excludes the caches. Whether reasoning is part of the output depends on the version and
/// the provider; the total tells, and else the provider: Google counts it apart.
fn read_usage(
    part: &mut PartBuilder,
    at: impl Fn(&str) -> String,
    tokens: &Tokens<'_>,
    provider: Option<&str>,
) -> TokenUsage {
    let cache = part.object::<Cache<'_>>(&at("tokens.cache"), tokens.cache);
    let (read, write) = cache.map_or((None, None), |cache| (cache.read, cache.write));
    let mut count = |name: &str, raw| part.count(&at(name), raw);
    let input_uncached = count("tokens.input", tokens.input);
    let output = count("tokens.output", tokens.output);
    let reasoning = count("tokens.reasoning", tokens.reasoning);
    let cache_read = count("tokens.cache.read", read);
    let cache_write_5m = count("tokens.cache.write", write);
    let total = count("tokens.total", tokens.total);
    let without = input_uncached + output + cache_read + cache_write_5m;
    let is_apart = match total {
        0 => provider.is_some_and(|provider| provider.starts_with("google")),
        total => total >= without.saturating_add(reasoning),
    };
    let reasoning = if is_apart { reasoning } else { part.part_of(reasoning, output) };
    let visible = if is_apart { output } else { output - reasoning };
    TokenUsage {
        input_uncached,
        cache_read,
        cache_write_5m,
        cache_write_1h: 0,
        output_visible: visible,
        reasoning,
    }
}
