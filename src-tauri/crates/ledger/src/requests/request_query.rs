//! Pages of requests that match filters, newest first.
//!
//! One filter with an index leads: its rows are read in the order of their ids, and each is checked
//! against the other filters. A client, a backend, a key, a project, a route and a model have no
//! index, which would cost a twentieth of the file each; the hourly roll-ups tell in which hours
//! they have requests, and only those hours are read. A call looks at no more than [`REQUESTS_EXAMINED_MAX`] rows, so
//! that filters that match rarely return soon with a cursor to go on from.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use domain::{BackendId, ClientId, CredentialId, HOUR_MS, NanoUsd, RequestId, WallTime};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::columns::integer_columns::{clamp_cost, clamp_micros, get_named, row_count};
use crate::requests::attempt_costs::booked_model;
use crate::requests::failed_requests::RETRIED;
use crate::requests::{NO_ID_MAX, find, oldest_id_at};
use crate::rollup::{hourly_rollup, rollup_range};
use crate::{CacheOutcome, GroupBy, Purpose, RequestRow, RequestState, WasteKind, requests};

/// Most rows per page.
pub const REQUESTS_PAGE_ROWS_MAX: usize = 500;

/// Most rows that one call checks against the filters. They take at most some 30 ms.
pub(crate) const REQUESTS_EXAMINED_MAX: usize = 5_000;

/// Filters of a list of requests, newest first. All set filters must match.
#[derive(Debug, Clone, Default)]
pub struct RequestQuery {
    /// Only requests older than this one, the cursor of the previous page.
    pub before: Option<RequestId>,
    /// Rows per page; at most [`REQUESTS_PAGE_ROWS_MAX`].
    pub limit: usize,
    /// Inclusive.
    pub since: Option<WallTime>,
    /// Exclusive.
    pub until: Option<WallTime>,
    pub client: Option<ClientId>,
    pub project: Option<String>,
    /// The backend that answered or failed last. With `is_unpriced` or [`WasteKind::Retries`], one at
    /// which any attempt of unknown cost was made, or any that failed; so for the key and an exact
    /// model.
    pub backend: Option<BackendId>,
    /// The key of that backend.
    pub credential: Option<CredentialId>,
    pub route: Option<String>,
    /// Only requests without a name in these dimensions, such as without a project. A name that is asked
    /// for in one of them is not looked at.
    pub without: Vec<GroupBy>,
    /// The requested or billed model; `*` matches any text, and then case is ignored.
    pub model: Option<String>,
    pub http_status: Option<RangeInclusive<u16>>,
    pub state: Option<RequestState>,
    /// The class of a failed attempt, or the error code that the client got.
    pub failure: Option<String>,
    pub cache: Option<CacheOutcome>,
    /// Inclusive bounds. A request without a known cost never matches them.
    pub cost_min: Option<NanoUsd>,
    pub cost_max: Option<NanoUsd>,
    /// Only requests whose cost is not known, or only a part of it.
    pub is_unpriced: bool,
    /// Inclusive bounds of the time to the last byte.
    pub took_min: Option<Duration>,
    pub took_max: Option<Duration>,
    /// Inclusive. Combine it with `since`, or the walk goes back to the first request.
    pub ended_since: Option<WallTime>,
    /// With a [`WasteKind`], whose purpose decides, it is not looked at.
    pub purpose: Option<Purpose>,
    /// Only settled requests that were wasted in this way.
    pub waste: Option<WasteKind>,
}

/// A page of requests, newest first.
#[derive(Debug, Clone, Default)]
pub struct RequestPage {
    pub rows: Vec<RequestRow>,
    /// `before` of the next page; `None` if there is none.
    pub next: Option<RequestId>,
    /// True if the call stopped at `REQUESTS_EXAMINED_MAX` rows and older requests may match.
    pub is_cut: bool,
}

impl RequestQuery {
    /// The newest `limit` requests of the user's own traffic.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self { limit, purpose: Some(Purpose::User), ..Self::default() }
    }

    /// The statement that walks at most `rows_max` ids of `range`, newest first, with its values.
    /// Each row has an id and whether all filters match. Values are bound, never written into the
    /// text.
    fn walk(&self, range: &IdRange, rows_max: usize) -> (String, Vec<Value>) {
        let mut filters = self.filters();
        let leading = filters.iter().position(|filter| !filter.sources.is_empty());
        let leading = leading.map(|place| filters.remove(place));
        let matches = match filters.is_empty() {
            true => "1".to_owned(),
            false => filters.iter().map(|one| &*one.condition).collect::<Vec<_>>().join(" AND "),
        };
        let sources = leading.as_ref().map_or(&[NEWEST] as &[_], |filter| filter.sources);
        let mut values = Vec::new();
        let walks = sources.iter().map(|Source { from, id, condition }| {
            values.extend(filters.iter().flat_map(|filter| filter.values.iter().cloned()));
            values.extend([range.before.clone().into(), range.since.clone().into()]);
            values.extend(leading.iter().flat_map(|filter| filter.values.iter().cloned()));
            format!(
                "SELECT {id} AS id, ({matches}) AS matches FROM {from}
                 WHERE {id} < ? AND {id} >= ? AND {condition}"
            )
        });
        // SQLite merges two walks by their order, without sorting.
        let walks = walks.collect::<Vec<_>>().join(" UNION ALL ");
        values.push(row_count(rows_max).into());
        (format!("{walks} ORDER BY id DESC LIMIT ?"), values)
    }

    fn page_rows(&self) -> usize {
        self.limit.min(REQUESTS_PAGE_ROWS_MAX)
    }

    /// The statement of the first walk and its values, for tests of its plan.
    #[cfg(test)]
    pub(crate) fn first_walk(&self) -> (String, Vec<Value>) {
        self.walk(&self.id_range(), REQUESTS_EXAMINED_MAX)
    }

    /// Where requests can match, newest first.
    fn id_ranges(&self, connection: &Connection) -> rusqlite::Result<Vec<IdRange>> {
        let whole = self.id_range();
        let named: Vec<_> = GroupBy::ALL
            .iter()
            .filter_map(|dimension| {
                let name = self.name_of(*dimension)?;
                let is_pattern = *dimension == GroupBy::Model && name.contains('*');
                (!is_pattern).then(|| (dimension.word(), name))
            })
            .collect();
        if named.is_empty() || self.filters().iter().any(|filter| !filter.sources.is_empty()) {
            return Ok(vec![whole]);
        }
        let mut hours = hourly_rollup::hours_with(connection, &named)?;
        hours.extend(requests::reserved_hours(connection)?);
        hours.sort_unstable_by(|one, other| other.cmp(one));
        let unfolded = rollup_range::folded_until(connection)?.unix_ms();
        let mut spans = vec![(unfolded, i64::MAX)];
        for hour in hours.into_iter().filter(|hour| *hour < unfolded) {
            match spans.last_mut() {
                Some((from, _)) if hour + HOUR_MS >= *from => *from = hour.min(*from),
                _ => spans.push((hour, hour + HOUR_MS)),
            }
        }
        Ok(spans.into_iter().filter_map(|(from, to)| whole.within(from, to)).collect())
    }

    fn id_range(&self) -> IdRange {
        let before = self.before.map_or_else(|| NO_ID_MAX.to_owned(), |id| id.to_string());
        let before = match self.until {
            Some(until) => before.min(oldest_id_at(until)),
            None => before,
        };
        IdRange { since: self.since.map_or_else(String::new, oldest_id_at), before }
    }

    /// The filters in use. Those with an index come first, the most selective before the others.
    fn filters(&self) -> Vec<Filter> {
        let (running, complete, trouble) = match self.state.map(|state| (state, state.word())) {
            None => (None, None, None),
            Some((RequestState::Running, _)) => (Some("reserved"), None, None),
            Some((RequestState::Complete, word)) => (None, Some(word), None),
            Some((_, word)) => (None, None, Some(word)),
        };
        let errors = self.http_status.as_ref().filter(|range| *range.start() >= 400);
        let owned = |dimension| self.name_of(dimension).map(str::to_owned);
        let (exact, pattern) = match self.name_of(GroupBy::Model) {
            Some(model) if model.contains('*') => (None, Some(like_pattern(model))),
            model => (model, None),
        };
        let purpose = match self.waste {
            Some(kind) => Some(kind.purpose()),
            None => self.purpose,
        };
        let filters = [
            indexed(self.failure.as_deref(), "", FAILURE),
            indexed(running, "requests.state = ?", RUNNING),
            errors.map(|_| Filter {
                condition: "requests.http_status >= 400".into(),
                values: Vec::new(),
                sources: ERROR_STATUS,
            }),
            indexed(trouble, "requests.state = ?", TROUBLE),
            self.waste.map(wasted),
            checked(owned(GroupBy::Route), "requests.route = ?"),
            // The words decide the plan, so that a name is compared with the column alone.
            checked(
                owned(GroupBy::Project),
                match self.without.contains(&GroupBy::Project) {
                    true => "coalesce(requests.project, '') = ?",
                    false => "requests.project = ?",
                },
            ),
            checked(owned(GroupBy::Client), "requests.client = ?"),
            self.http_status.as_ref().map(|range| Filter {
                values: vec![(*range.start()).into(), (*range.end()).into()],
                ..Filter::checked("requests.http_status BETWEEN ? AND ?")
            }),
            pattern.map(|pattern| Filter {
                values: vec![pattern.clone().into(), pattern.into()],
                ..Filter::checked(
                    r"(requests.model_asked LIKE ? ESCAPE '\'
                    OR requests.model_billed <> requests.model_asked
                        AND requests.model_billed LIKE ? ESCAPE '\')",
                )
            }),
            checked(complete.map(str::to_owned), "requests.state = ?"),
            checked(self.cache.map(|cache| cache.word().to_owned()), "requests.cache = ?"),
            checked(self.cost_min.map(clamp_cost), "requests.cost_nano_usd >= ?"),
            checked(self.cost_max.map(clamp_cost), "requests.cost_nano_usd <= ?"),
            self.is_unpriced.then(|| {
                Filter::checked(
                    "(requests.cost_basis = 'unpriced' OR requests.unpriced_attempts > 0)",
                )
            }),
            checked(self.took_min.map(clamp_micros), "requests.total_us >= ?"),
            checked(self.took_max.map(clamp_micros), "requests.total_us <= ?"),
            checked(self.ended_since.map(|at| at.unix_ms()), "requests.ended_ms >= ?"),
            checked(purpose.map(|purpose| purpose.word().to_owned()), "requests.purpose = ?"),
            // The last, since it may look at attempts.
            self.made_at(exact),
        ];
        filters.into_iter().flatten().collect()
    }

    /// The name that is asked for in a dimension; empty for requests without one.
    fn name_of(&self, dimension: GroupBy) -> Option<&str> {
        if self.without.contains(&dimension) {
            return Some("");
        }
        match dimension {
            GroupBy::Backend => self.backend.as_ref().map(BackendId::as_str),
            GroupBy::Model => self.model.as_deref(),
            GroupBy::Client => self.client.as_ref().map(ClientId::as_str),
            GroupBy::Credential => self.credential.as_ref().map(CredentialId::as_str),
            GroupBy::Project => self.project.as_deref(),
            GroupBy::Route => self.route.as_deref(),
        }
    }

    /// The backend, key and model in use: those of the request or of the attempts that the query is
    /// about.
    fn made_at(&self, model: Option<&str>) -> Option<Filter> {
        // NULL stands for no backend and no key.
        let value = |dimension| match self.name_of(dimension)? {
            "" => Some(Value::Null),
            name => Some(name.to_owned().into()),
        };
        let wanted = [
            (value(GroupBy::Backend), "backend IS ?"),
            (value(GroupBy::Credential), "credential IS ?"),
        ];
        let wanted: Vec<_> =
            wanted.into_iter().filter_map(|(value, equal)| Some((value?, equal))).collect();
        let all_of = |table: &str, names: &str| {
            let equal = wanted.iter().map(|(_, equal)| format!("{table}.{equal}"));
            let model = model.map(|_| format!("? IN ({names})"));
            equal.chain(model).collect::<Vec<_>>().join(" AND ")
        };
        let model = model.map(|name| Value::from(name.to_owned()));
        let values = || wanted.iter().map(|(value, _)| value.clone()).chain(model.clone());
        let own = all_of("requests", "requests.model_asked, requests.model_billed");
        let about = match (self.is_unpriced, self.waste) {
            _ if own.is_empty() => return None,
            (true, _) => "made.cost_nano_usd IS NULL",
            (_, Some(WasteKind::Retries)) => "made.error_class IS NOT NULL",
            _ => {
                return Some(Filter { values: values().collect(), ..Filter::checked(own) });
            }
        };
        let booked = booked_model("made");
        let made = all_of("made", &format!("requests.model_asked, {booked}"));
        // A request without such an attempt counts where it ended.
        let condition = format!(
            "coalesce((SELECT max({made}) FROM attempts made
              WHERE made.request_id = requests.id AND {about}), {own})"
        );
        let values = values().chain(values()).collect();
        Some(Filter { values, ..Filter::checked(condition) })
    }
}

/// Ids from `since` on and less than `before`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct IdRange {
    since: String,
    before: String,
}

impl IdRange {
    /// The part of the requests that began in `from_ms..to_ms`.
    fn within(&self, from_ms: i64, to_ms: i64) -> Option<Self> {
        let id_at = |ms| oldest_id_at(WallTime::from_unix_ms(ms));
        let to = if to_ms == i64::MAX { self.before.clone() } else { id_at(to_ms) };
        let range = Self {
            since: self.since.clone().max(id_at(from_ms)),
            before: to.min(self.before.clone()),
        };
        (range.since < range.before).then_some(range)
    }
}

/// A condition on a request, with a `?` for each value.
struct Filter {
    condition: Cow<'static, str>,
    values: Vec<Value>,
    /// Where the matching requests can be read in order; empty without an index.
    sources: &'static [Source],
}

impl Filter {
    fn checked(condition: impl Into<Cow<'static, str>>) -> Self {
        Self { condition: condition.into(), values: Vec::new(), sources: &[] }
    }
}

fn checked<V>(value: Option<V>, condition: &'static str) -> Option<Filter>
where
    Value: From<V>,
{
    Some(Filter { values: vec![value?.into()], ..Filter::checked(condition) })
}

fn indexed(
    value: Option<&str>,
    condition: &'static str,
    sources: &'static [Source],
) -> Option<Filter> {
    Some(Filter { condition: condition.into(), values: vec![value?.to_owned().into()], sources })
}

fn wasted(kind: WasteKind) -> Filter {
    // The purpose is a filter of its own.
    let (condition, sources) = match kind {
        WasteKind::Failed => ("requests.state = 'failed'", FAILED),
        WasteKind::Retries => (RETRIED, RETRIES),
        WasteKind::Health => ("requests.state <> 'reserved'", HEALTH),
        WasteKind::Checks => ("requests.state <> 'reserved'", CHECKS),
    };
    Filter { condition: condition.into(), values: Vec::new(), sources }
}

/// A walk over one index. Its condition has the same values as its filter's.
struct Source {
    from: &'static str,
    id: &'static str,
    condition: &'static str,
}

const fn of_requests(condition: &'static str) -> Source {
    Source { from: "requests", id: "requests.id", condition }
}

// A partial index is used only if the statement repeats its condition literally.
const NEWEST: Source = of_requests("1");
/// The first filter wherever it is set, so it needs no condition on a single request.
const FAILURE: &[Source] = &[
    Source {
        from: "attempts CROSS JOIN requests ON requests.id = attempts.request_id",
        id: "attempts.request_id",
        condition: "attempts.class = ?",
    },
    of_requests("requests.error_class = ?"),
];
const RUNNING: &[Source] = &[of_requests("requests.state = ? AND requests.state = 'reserved'")];
const ERROR_STATUS: &[Source] = &[of_requests("requests.http_status >= 400")];
const TROUBLE: &[Source] =
    &[of_requests("requests.state = ? AND requests.state NOT IN ('complete', 'reserved')")];
const FAILED: &[Source] =
    &[of_requests("requests.state = 'failed' AND requests.state NOT IN ('complete', 'reserved')")];
const RETRIES: &[Source] = &[of_requests(RETRIED)];
const HEALTH: &[Source] = &[of_requests(
    "requests.purpose = 'health' AND requests.purpose <> 'user' AND requests.state <> 'reserved'",
)];
const CHECKS: &[Source] = &[of_requests(
    "requests.purpose = 'check' AND requests.purpose <> 'user' AND requests.state <> 'reserved'",
)];

/// Only `*` is special in a model's pattern; the characters that LIKE treats specially are escaped.
fn like_pattern(model: &str) -> String {
    let mut pattern = String::with_capacity(model.len() + 2);
    for character in model.chars() {
        match character {
            '*' => pattern.push('%'),
            '%' | '_' | '\\' => pattern.extend(['\\', character]),
            other => pattern.push(other),
        }
    }
    pattern
}

pub(crate) fn list_page(
    connection: &Connection,
    query: &RequestQuery,
) -> rusqlite::Result<RequestPage> {
    // One state of the file for the walk and for the rows it found.
    let snapshot = connection.unchecked_transaction()?;
    let mut page = RequestPage::default();
    let examined = read_ranges(&snapshot, query, REQUESTS_EXAMINED_MAX, &mut page)?;
    if page.rows.len() == query.page_rows() {
        return Ok(page);
    }
    match examined == REQUESTS_EXAMINED_MAX {
        true => Ok(RequestPage { is_cut: true, ..page }),
        false => Ok(RequestPage { next: None, ..page }),
    }
}

/// The newest match among the `rows_max` newest requests where there can be one.
pub(crate) fn find_newest(
    connection: &Connection,
    query: &RequestQuery,
    rows_max: usize,
) -> rusqlite::Result<Option<RequestRow>> {
    let mut page = RequestPage::default();
    read_ranges(connection, query, rows_max, &mut page)?;
    Ok(page.rows.pop())
}

/// [`read_range`] for every range with possible matches, newest first.
fn read_ranges(
    connection: &Connection,
    query: &RequestQuery,
    rows_max: usize,
    page: &mut RequestPage,
) -> rusqlite::Result<usize> {
    let mut examined = 0;
    for range in query.id_ranges(connection)? {
        examined += read_range(connection, query, &range, rows_max - examined, page)?;
        if page.rows.len() == query.page_rows() || examined == rows_max {
            break;
        }
    }
    Ok(examined)
}

/// Adds the matching requests of `range` to the page until it is full or `rows_max` were examined.
/// Returns how many were.
fn read_range(
    connection: &Connection,
    query: &RequestQuery,
    range: &IdRange,
    rows_max: usize,
    page: &mut RequestPage,
) -> rusqlite::Result<usize> {
    let (sql, values) = query.walk(range, rows_max);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut walk = statement.query(params_from_iter(values))?;
    let mut examined = 0;
    while page.rows.len() < query.page_rows() {
        let Some(row) = walk.next()? else { break };
        examined += 1;
        // Two failed attempts of one class are next to each other.
        let id = Some(get_named(row, "id")?);
        if page.next == id {
            continue;
        }
        page.next = id;
        if row.get::<_, Option<bool>>("matches")? == Some(true) {
            page.rows.extend(id.map(|id| find(connection, id)).transpose()?.flatten());
        }
    }
    Ok(examined)
}
