//! The documented answers of the three cost reports, and what is refused.

use billing::{BilledDays, ReportError, read_report, report_path};
use domain::BillingProvider::{self, Anthropic, OpenAi, OpenRouter};
use domain::NanoUsd;
use jiff::civil::{Date, date};

const FROM: Date = date(2026, 11, 18);
const UNTIL: Date = date(2026, 11, 21);

fn days(amounts: &[(i8, &[(&str, i64)])]) -> BilledDays {
    let lines = |lines: &[(&str, i64)]| {
        lines.iter().map(|(line, nanos)| ((*line).to_owned(), NanoUsd::new(*nanos))).collect()
    };
    amounts.iter().map(|(day, named)| (date(2026, 11, *day), lines(named))).collect()
}

fn read(provider: BillingProvider, body: &str) -> Result<BilledDays, ReportError> {
    read_report(provider, body, FROM, UNTIL).map(|page| page.days)
}

#[test]
fn openai_costs_are_dollars_by_line_item() {
    let body = r#"{"object": "page", "data": [
        {"object": "bucket", "start_time": 1795046400, "end_time": 1795132800, "results": [
          {"object": "organization.costs.result", "amount": {"value": 0.06, "currency": "usd"},
           "line_item": "gpt-5-nano, input", "project_id": null, "quantity": null},
          {"object": "organization.costs.result",
           "amount": {"value": "0.003835980000000000000000000000", "currency": "usd"},
           "line_item": "gpt-5-nano, input", "project_id": "p"},
          {"object": "organization.costs.result", "amount": {"value": -1.5e-3, "currency": "USD"},
           "line_item": null}]},
        {"object": "bucket", "start_time": 1795132800, "end_time": 1795219200, "results": []},
        {"object": "bucket", "start_time": 1795305600, "end_time": 1795392000, "results": []}],
      "has_more": true, "next_page": "page_AAA="}"#;
    let page = read_report(OpenAi, body, FROM, UNTIL).expect("a report");
    let expected =
        [(19, &[("gpt-5-nano, input", 63_835_980), ("total", -1_500_000)][..]), (20, &[][..])];
    assert_eq!(page.days, days(&expected), "the 22nd was not asked for");
    assert_eq!(page.next.as_deref(), Some("page_AAA="));
    assert_eq!(
        report_path(OpenAi, FROM, UNTIL, page.next.as_deref()),
        "/v1/organization/costs?start_time=1794960000&end_time=1795219200&bucket_width=1d\
         &group_by=line_item&limit=30&page=page_AAA%3D"
    );
}

#[test]
fn anthropic_amounts_are_cents() {
    let body = r#"{"data": [{"starting_at": "2026-11-18T00:00:00Z",
        "ending_at": "2026-11-19T00:00:00Z", "results": [
          {"amount": "123.78912", "currency": "USD", "cost_type": "tokens", "workspace_id": null,
           "description": "Claude Sonnet 4.5 Usage - Input Tokens"},
          {"amount": "10", "currency": "USD", "description": null}]}],
      "has_more": false, "next_page": null}"#;
    let expected = [(
        18,
        &[("Claude Sonnet 4.5 Usage - Input Tokens", 1_237_891_200), ("total", 100_000_000)][..],
    )];
    assert_eq!(read(Anthropic, body), Ok(days(&expected)));
    assert_eq!(
        report_path(Anthropic, FROM, UNTIL, None),
        "/v1/organizations/cost_report?starting_at=2026-11-18T00:00:00Z\
         &ending_at=2026-11-21T00:00:00Z&bucket_width=1d&group_by%5B%5D=description&limit=30"
    );
}

#[test]
fn openrouter_days_without_activity_are_days_without_costs() {
    let body = r#"{"data": [
        {"date": "2026-11-19", "model": "openai/gpt-5", "usage": 0.015,
         "byok_usage_inference": 0.012, "requests": 5, "provider_name": "OpenAI"},
        {"date": "2026-11-19 00:00:00", "model": "openai/gpt-5", "usage": 1,
         "byok_usage_inference": 0},
        {"date": "2026-10-31", "model": "x", "usage": 9, "byok_usage_inference": null}]}"#;
    let expected = [
        (18, &[][..]),
        (19, &[("openai/gpt-5", 1_015_000_000), ("openai/gpt-5 (own key)", 12_000_000)][..]),
        (20, &[][..]),
    ];
    assert_eq!(read(OpenRouter, body), Ok(days(&expected)));
}

#[test]
fn what_is_no_report_is_named_with_its_field() {
    let check = |provider, body: &str, text: &str| {
        let error = read(provider, body).expect_err("refused").to_string();
        assert!(error.contains(text), "{error}");
    };
    check(OpenAi, "<html>", "expected value");
    check(OpenAi, "{}", "missing field `data`");
    check(OpenRouter, r#"{"error": {"code": 403}}"#, "missing field `data`");
    check(
        OpenAi,
        r#"{"data": [{"start_time": 1795046400, "results": [{"amount": {"value": "x", "currency": "usd"}}]}], "has_more": false}"#,
        "data[0].results[0].amount.value: this is no decimal amount",
    );
    check(
        OpenAi,
        r#"{"data": [{"start_time": 1795046400, "results": [{"amount": {"value": 1, "currency": "eur"}}]}], "has_more": false}"#,
        "data[0].results[0].amount.currency: \"eur\" is billed",
    );
    check(
        Anthropic,
        r#"{"data": [{"starting_at": "yesterday", "results": []}], "has_more": false}"#,
        "data[0].starting_at: this is no day",
    );
    check(Anthropic, r#"{"data": [], "has_more": true, "next_page": null}"#, "incomplete");
    check(
        OpenRouter,
        r#"{"data": [{"date": "2026-11-19T10:00:00+02:00", "model": "m", "usage": 1}]}"#,
        "data[0].date: this is no day",
    );
}
