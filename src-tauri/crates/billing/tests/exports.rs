//! The files of the three consoles, and files that are broken.

use billing::{Export, read_export};
use domain::BillingProvider::{self, Anthropic, OpenAi, OpenRouter};
use jiff::civil::date;

fn read(provider: BillingProvider, text: &str) -> Export {
    read_export(provider, "cost.csv", text.as_bytes())
}

/// The day of November 2026, the line and the nano-dollars of each amount.
fn amounts(export: &Export) -> Vec<(i8, &str, i64)> {
    let lines = export.days.iter().flat_map(|(day, lines)| {
        lines.iter().map(|(line, amount)| (day.day(), line.as_str(), amount.nanos()))
    });
    lines.collect()
}

/// The line, column and text of each problem.
fn problems(export: &Export) -> Vec<(u64, &str, &str)> {
    assert!(export.problems.iter().all(|problem| problem.file == "cost.csv"));
    let of = |it| -> (u64, &str, &str) {
        let problem: &billing::ExportProblem = it;
        (problem.line, &problem.field, &problem.problem)
    };
    export.problems.iter().map(of).collect()
}

const OPENAI_HEADER: &str = "start_time,end_time,start_time_iso,end_time_iso,amount_value,\
    amount_currency,quantity,quantity_unit,line_item,user_id,api_key_id,project_id,\
    organization_id,project_name,organization_name,user_email,api_source\n";

#[test]
fn an_export_of_openai_has_a_line_for_each_day_and_item() {
    let text = format!(
        "\u{feff}{OPENAI_HEADER}\
         1,2,2026-11-19T00:00:00+00:00,2026-11-20T00:00:00+00:00,,,,,,,,,,,,,\n\
         1,2,2026-11-20T00:00:00,2026-11-21T00:00:00,0.003835980000000000000000000000,usd,,,,,,,o,,F,x@y,\n\
         1,2,2026-11-20T00:00:00,2026-11-21T00:00:00,0.5,usd,1000,tokens,\"gpt-5-nano, input\",,k,p,o,P,F,,\n"
    );
    let export = read(OpenAi, &text);
    assert_eq!(problems(&export), []);
    assert_eq!(
        amounts(&export),
        [(20, "gpt-5-nano, input", 500_000_000), (20, "total", 3_835_980)]
    );
    assert_eq!((export.days.len(), export.lines), (2, 3), "the 19th has no costs");
}

#[test]
fn an_export_of_anthropic_is_summed_by_model_and_kind_of_token() {
    let export = read(
        Anthropic,
        "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,\
         list_price_usd,cost_type,inference_geo,speed,api_key_id,api_key_status\r\n\
         2026-11-20,Claude Haiku 4.5,Default,a,message,≤ 200k,output,0.05,0.05,token,global,,k,active\r\n\
         2026-11-20,Claude Haiku 4.5,Default,b,message,≤ 200k,output,0.02,0.02,token,global,,k,active\r\n\
         2026-11-20,,Default,b,message,,web_search,-0.01,0,credit,global,,k,active\r\n",
    );
    assert_eq!(problems(&export), []);
    let expected = [(20, "Claude Haiku 4.5, output", 70_000_000), (20, "web_search", -10_000_000)];
    assert_eq!(amounts(&export), expected);
}

#[test]
fn an_export_of_openrouter_is_by_day_or_by_generation() {
    let by_day = read(
        OpenRouter,
        "Date,Slug,Usage,BYOK Usage,Requests,Prompt Tokens,Completion Tokens,Reasoning Tokens\n\
         \"2026-11-20 00:00:00\",\"anthropic/claude-opus-4.7\",\"430.07\",\"0.5\",\"4\",\"7\",\"3\",\"0\"\n",
    );
    let (slug, own) = ("anthropic/claude-opus-4.7", "anthropic/claude-opus-4.7 (own key)");
    assert_eq!(amounts(&by_day), [(20, slug, 430_070_000_000), (20, own, 500_000_000)]);
    let by_generation = read(
        OpenRouter,
        "generation_id,created_at,cost_total,tokens_prompt,model_permaslug\n\
         gen-1,2026-11-20 03:46:57.713,0.0123,10389,openai/gpt-oss-120b\n\
         gen-2,2026-11-20T23:59:59Z,0.0007,1,openai/gpt-oss-120b\n",
    );
    assert_eq!(amounts(&by_generation), [(20, "openai/gpt-oss-120b", 13_000_000)]);
    assert_eq!((problems(&by_day), problems(&by_generation)), (vec![], vec![]));
}

#[test]
fn a_bad_line_is_named_and_its_day_is_not_stored_with_less_than_was_billed() {
    let export = read(
        Anthropic,
        "usage_date_utc,model,token_type,cost_usd,discount\n\
         2026-11-18,a,output,1,\n\
         2026-11-19,a,output,1,\n\
         2026-11-19,a,output,=1+1,\n\
         2026-11-20,a,output,\"1,5\",\n\
         20.11.2026,a,output,1,\n\
         2026-11-18,a,output\n",
    );
    assert_eq!(
        problems(&export),
        [
            (1, "discount", "this column is not known and was not used"),
            (4, "cost_usd", "\"=1+1\" is no amount"),
            (5, "cost_usd", "\"1,5\" is no amount"),
            (6, "usage_date_utc", "\"20.11.2026\" is no day in UTC"),
            (7, "", "3 cells, but 5 columns"),
        ]
    );
    assert_eq!((amounts(&export), export.lines), (vec![], 2));
    let good = read(Anthropic, "usage_date_utc,cost_usd\n2026-11-18,1\n2026-11-19,x\n");
    assert_eq!(good.days.keys().copied().collect::<Vec<_>>(), [date(2026, 11, 18)]);
}

#[test]
fn a_wrong_encoding_and_a_wrong_file_are_named() {
    let latin = b"usage_date_utc,model,cost_usd\n2026-11-18,caf\xE9,1\n2026-11-19,b,2\n";
    let export = read_export(Anthropic, "cost.csv", latin);
    assert_eq!(problems(&export), [(2, "model", "this is not UTF-8 text")]);
    assert_eq!(amounts(&export), [(19, "b", 2_000_000_000)]);
    let lossy = read(Anthropic, &String::from_utf8_lossy(latin));
    assert_eq!(lossy, export, "text in which such bytes were replaced reads alike");
    let utf16 = read_export(Anthropic, "cost.csv", b"\xFF\xFEu\0s\0");
    assert_eq!(problems(&utf16), [(1, "", "this is UTF-16 text; save the file as UTF-8")]);
    let missing = "this column is missing, so this is no cost export of OpenAI";
    let other = read(OpenAi, "usage_date_utc,cost_usd\n2026-11-18,1\n");
    assert_eq!(problems(&other), [(1, "start_time_iso", missing), (1, "amount_value", missing)]);
    assert_eq!(problems(&read(OpenAi, "")).len(), 2);
    let euros = read(OpenAi, "start_time_iso,amount_value,amount_currency\n2026-11-18,1,eur\n");
    let what = "\"eur\" is billed, and only US dollars are compared";
    assert_eq!(problems(&euros), [(2, "amount_currency", what)]);
}
