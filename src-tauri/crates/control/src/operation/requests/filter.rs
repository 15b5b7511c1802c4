//! Filters of requests, from texts to the ledger's query. Errors name the filter.

use std::ops::RangeInclusive;
use std::time::Duration;

use domain::{IdError, NanoUsd, WallTime};
use ledger::{GroupBy, RequestQuery};

use crate::ApiError;
use crate::amount::{parse_dollars, parse_span};
use crate::operation::input;
use crate::typed_period::parse_typed_period;
use crate::view::{RequestsQuery, TimeZoneChoice, UnixMs};

/// Most requests in one page.
const REQUESTS_PAGE_MAX: u32 = 500;

pub(super) fn ledger_query(req: &RequestsQuery, now: WallTime) -> Result<RequestQuery, ApiError> {
    if !(1..=REQUESTS_PAGE_MAX).contains(&req.limit) {
        let message = format!("choose 1 to {REQUESTS_PAGE_MAX} requests");
        return Err(ApiError::invalid("limit", message));
    }
    Ok(RequestQuery {
        limit: usize::try_from(req.limit).unwrap_or(usize::MAX),
        before: parse_optional_id("before", req.before.as_deref())?,
        ..filters(req, now)?
    })
}

/// The filters without a page.
pub(super) fn filters(req: &RequestsQuery, now: WallTime) -> Result<RequestQuery, ApiError> {
    let since = req.since.map(wall_time);
    let typed = req.within.as_deref();
    let typed = typed.map(|text| parse_typed_period(text, now, TimeZoneChoice::Local)).transpose();
    let (within, ended) =
        typed.map_err(|problem| ApiError::invalid("within", problem))?.unwrap_or_default();
    let until = req.until.map(wall_time);
    Ok(RequestQuery {
        backend: parse_optional_id("backend", named(req.backend.as_deref()))?,
        credential: parse_optional_id("key", named(req.key.as_deref()))?,
        client: parse_optional_id("client", named(req.client.as_deref()))?,
        project: named(req.project.as_deref()).map(str::to_owned),
        route: named(req.route.as_deref()).map(str::to_owned),
        model: named(req.model.as_deref()).map(str::to_owned),
        without: without(req),
        http_status: req.http_status.as_deref().map(parse_http_statuses).transpose()?,
        state: req.state,
        failure: req.failure.clone(),
        cache: req.cache,
        cost_min: optional_dollars("min_cost", req.min_cost.as_deref())?,
        cost_max: optional_dollars("max_cost", req.max_cost.as_deref())?,
        is_unpriced: req.unpriced == Some(true),
        took_min: optional_span("slower_than", req.slower_than.as_deref())?,
        took_max: optional_span("faster_than", req.faster_than.as_deref())?,
        since: since.max(within),
        until: until.into_iter().chain(ended).min(),
        ended_since: req.ended_since.map(wall_time),
        waste: req.waste,
        ..RequestQuery::newest(1)
    })
}

/// The name that is asked for; an empty one is in [`without`].
fn named(text: Option<&str>) -> Option<&str> {
    text.filter(|name| !name.is_empty())
}

/// What has an empty name: as in reports of usage, that stands for the requests without.
fn without(req: &RequestsQuery) -> Vec<GroupBy> {
    let names = [
        (GroupBy::Backend, &req.backend),
        (GroupBy::Credential, &req.key),
        (GroupBy::Client, &req.client),
        (GroupBy::Project, &req.project),
        (GroupBy::Route, &req.route),
        (GroupBy::Model, &req.model),
    ];
    let empty = names.into_iter().filter(|(_, name)| name.as_deref().is_some_and(str::is_empty));
    empty.map(|(dimension, _)| dimension).collect()
}

fn wall_time(at: UnixMs) -> WallTime {
    WallTime::from_unix_ms(at.0)
}

fn parse_optional_id<T: std::str::FromStr<Err = IdError>>(
    field: &str,
    text: Option<&str>,
) -> Result<Option<T>, ApiError> {
    text.map(|text| input::parse_id(field, text)).transpose()
}

fn optional_dollars(field: &str, text: Option<&str>) -> Result<Option<NanoUsd>, ApiError> {
    let parsed = text.map(|text| parse_dollars(text).ok_or_else(|| text.to_owned())).transpose();
    parsed.map_err(|_| ApiError::invalid(field, "enter an amount in US dollars, such as 0.10"))
}

fn optional_span(field: &str, text: Option<&str>) -> Result<Option<Duration>, ApiError> {
    let parsed = text.map(|text| parse_span(text).ok_or_else(|| text.to_owned())).transpose();
    parsed.map_err(|_| ApiError::invalid(field, "enter a time span, such as 800ms, 5s, 90m or 7d"))
}

/// Parses `503` as a range of one status, and `5xx` as the range of its class.
fn parse_http_statuses(text: &str) -> Result<RangeInclusive<u16>, ApiError> {
    let lower = text.trim().to_ascii_lowercase();
    let range = match lower.strip_suffix("xx") {
        Some(class) => {
            class.parse::<u16>().ok().filter(|class| (1..=5).contains(class)).map(|class| {
                let least = 100 * class;
                least..=least + 99
            })
        }
        None => lower.parse().ok().filter(|it| (100..=599).contains(it)).map(|one| one..=one),
    };
    let message = "enter an HTTP status such as 503, or a class such as 5xx";
    range.ok_or_else(|| ApiError::invalid("http_status", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_status_is_one_or_a_class() {
        let check = |text: &str, expected: Option<RangeInclusive<u16>>| {
            let found = parse_http_statuses(text);
            assert_eq!(found.as_ref().ok(), expected.as_ref(), "{text}");
            if let Err(error) = found {
                assert_eq!(error.field.as_deref(), Some("http_status"));
            }
        };
        check("503", Some(503..=503));
        check(" 5XX ", Some(500..=599));
        check("1xx", Some(100..=199));
        for wrong in ["", "xx", "0xx", "6xx", "99", "600", "50", "5x", "failed", "-1", "65536"] {
            check(wrong, None);
        }
    }

    #[test]
    fn an_empty_name_asks_for_the_requests_without_one() {
        let query = RequestsQuery {
            backend: Some("home".to_owned()),
            key: Some(String::new()),
            project: Some(String::new()),
            ..RequestsQuery::default()
        };
        let found = filters(&query, WallTime::default()).expect("filters");
        assert_eq!(found.without, [GroupBy::Credential, GroupBy::Project]);
        assert_eq!((found.credential, found.project), (None, None));
        assert_eq!(found.backend.as_ref().map(domain::BackendId::as_str), Some("home"));
    }

    #[test]
    fn amounts_and_spans_are_read_and_a_wrong_one_names_its_filter() {
        let now = WallTime::from_unix_ms(10_000_000);
        let text = |text: &str| Some(text.to_owned());
        let query = RequestsQuery {
            min_cost: text("0.10"),
            max_cost: text("$2"),
            slower_than: text("5s"),
            faster_than: text("800ms"),
            within: text("1h"),
            since: Some(UnixMs(7_000_000)),
            ..RequestsQuery::default()
        };
        let found = filters(&query, now).expect("filters");
        assert_eq!(found.cost_min, Some(NanoUsd::new(100_000_000)));
        assert_eq!(found.cost_max, Some(NanoUsd::new(2_000_000_000)));
        assert_eq!(found.took_min, Some(Duration::from_secs(5)));
        assert_eq!(found.took_max, Some(Duration::from_millis(800)));
        assert_eq!(found.since, Some(WallTime::from_unix_ms(7_000_000)), "the later of the two");
        let ended = RequestsQuery {
            within: text("..30m"),
            until: Some(UnixMs(9_000_000)),
            ..RequestsQuery::default()
        };
        let found = filters(&ended, now).expect("filters");
        assert_eq!(found.until, Some(WallTime::from_unix_ms(8_200_000)), "the earlier of the two");
        let check = |query: RequestsQuery, field: &str| {
            let error = filters(&query, now).expect_err("refused");
            assert_eq!(error.field.as_deref(), Some(field));
        };
        check(RequestsQuery { min_cost: text("cheap"), ..RequestsQuery::default() }, "min_cost");
        check(RequestsQuery { within: text("1"), ..RequestsQuery::default() }, "within");
        check(RequestsQuery { key: text("a b"), ..RequestsQuery::default() }, "key");
    }
}
