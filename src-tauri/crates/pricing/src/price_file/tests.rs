//! Tests of the readers of price files.

use domain::{Meter, PriceTier};

use super::*;
use crate::Rate;

fn read(text: &str) -> (PriceFileFormat, PriceFile) {
    read_price_file(text).unwrap_or_else(|error| panic!("{error}"))
}

fn terms(row: &PriceFileRow) -> &PriceTerms {
    match &row.value {
        PriceFileValue::Terms(terms) => terms,
        PriceFileValue::Multiplier(_) => panic!("{row:?}"),
    }
}

/// Micro-dollars for a million tokens.
fn micros(micros: i64) -> Option<Rate> {
    Some(Rate::new(micros * 1_000))
}

fn problems(file: &PriceFile) -> Vec<String> {
    file.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_row_says_all_that_a_model_is_billed_by() {
    let (format, file) = read(
        r#"{"prices": [
          {"provider": "openai", "model": "m", "from": "2026-11-01", "until": "2026-12-01",
           "source": "https://openai.com/api/pricing", "rates": {"input": 2, "cache_read": 0.2, "output": 10},
           "above": {"input_tokens": 272000, "rates": {"input": 4, "output": 15}},
           "tiers": {"flex": {"rates": {"input": 1}, "above": {"input_tokens": 272000, "rates": {}}}},
           "regions": {"us": 1.1}},
          {"backend": "home", "model": "*", "from": "2026-11-01", "multiplier": 0.8}
        ]}"#,
    );
    assert_eq!(problems(&file), Vec::<String>::new());
    assert_eq!(format, PriceFileFormat::Gatehouse);
    let [row, scaled] = file.rows.as_slice() else { panic!("{:?}", file.rows) };
    assert_eq!(row.owner, PriceOwner::Provider(Provider::OpenAi));
    assert_eq!(row.until, WallTime::from_day("2026-12-01"));
    let terms = terms(row);
    assert_eq!(terms.rates.of(Meter::CacheRead), micros(200_000));
    let above = terms.above.as_ref().expect("a threshold");
    assert_eq!((above.input_tokens, above.rates.of(Meter::Input)), (272_000, micros(4_000_000)));
    assert!(terms.tiers.contains_key(&PriceTier::Flex));
    assert_eq!(terms.regions.get("us"), Some(&Factor::from_permille(1_100)));
    assert_eq!(scaled.value, PriceFileValue::Multiplier(Factor::from_permille(800)));
}

#[test]
fn a_bad_row_is_told_by_line_and_field_and_the_others_load() {
    let check = |row: &str, expected: &str| {
        let good = r#"{"provider": "openai", "model": "good", "from": "2026-11-01", "rates": {"input": 1}}"#;
        let (_, file) = read(&format!("{{\"prices\": [\n{good},\n{row}\n]}}"));
        let models: Vec<_> = file.rows.iter().map(|row| row.model.as_str()).collect();
        assert_eq!((models, problems(&file)), (vec!["good"], vec![expected.to_owned()]), "{row}");
    };
    check(
        r#"{"provider": "openai", "model": "m", "from": "2026-11-01", "rates": {"input": "2"}}"#,
        "line 3, row 2 (m), rates.input: this is no price; write dollars as a decimal number such as 2.5",
    );
    check(
        r#"{"provider": "openai", "model": "m", "from": "2026-11-01", "rates": {"input": -2}}"#,
        "line 3, row 2 (m), rates.input: a price is not negative; write 0 for what is free",
    );
    check(
        r#"{"provider": "openai", "model": "m", "from": "2026-11-31", "rates": {"input": 2}}"#,
        "line 3, row 2 (m), from: \"2026-11-31\" is not a day; write it like \"2026-11-01\"",
    );
    check(
        r#"{"provider": "openai", "model": "m", "rates": {"input": 2}}"#,
        "line 3, row 2 (m), from: is missing; write the first day, as in \"2026-11-01\"",
    );
    check(
        r#"{"provider": "openai", "model": "m", "from": "2026-11-01", "until": "2026-11-01", "rates": {"input": 2}}"#,
        "line 3, row 2 (m), until: is not after `from`; it is the first day without this price",
    );
    check(
        r#"{"model": "m", "from": "2026-11-01", "rates": {"input": 2}}"#,
        "line 3, row 2 (m), provider: is missing; write \"provider\" or \"backend\"",
    );
    check(
        r#"{"provider": "openai", "model": "m", "from": "2026-11-01"}"#,
        "line 3, row 2 (m), rates: is missing; write the rates, as in {\"input\": 2, \"output\": 8}",
    );
    check(
        r#"{"provider": "openai"}"#,
        "line 3, row 2, model: is missing; write the model's id, or \"*\" for all of them",
    );
    check("7", "line 3, row 2, : is not an object; write {\"provider\": …, \"model\": …}");
    check(
        r#"{"backend": "home", "model": "m", "from": "2026-11-01", "multiplier": -1}"#,
        "line 3, row 2 (m), multiplier: a factor is between 0 and 1000 and has at most three decimals",
    );
    check(
        r#"{"provider": "openai", "model": "m", "from": "2026-11-01", "multiplier": 0.8}"#,
        "line 3, row 2 (m), multiplier: is on what a backend's provider lists; write \"backend\" in the \
         place of \"provider\", or the rates",
    );
    check(
        r#"{"provider": "openai", "model": "good", "from": "2026-11-01", "rates": {"input": 2}}"#,
        "line 3, row 2 (good), from: is the first day of the row in line 2 too, which is for the same \
         model; write one row for each day",
    );
    let unknown = |row: &str| problems(&read(&format!("{{\"prices\": [{row}]}}")).1).join("; ");
    let meter = unknown(
        r#"{"provider": "openai", "model": "m", "from": "2026-11-01", "rates": {"inputs": 2}}"#,
    );
    assert!(
        meter.starts_with(
            "line 1, row 1 (m), rates: unknown variant `inputs`, expected one of `input`"
        ),
        "{meter}"
    );
    let field = unknown(
        r#"{"provider": "openai", "model": "m", "from": "2026-11-01", "rate": {"input": 2}}"#,
    );
    assert!(
        field.starts_with("line 1, row 1 (m), rate: is not a field; use one of: provider"),
        "{field}"
    );
    let tier = unknown(
        r#"{"provider": "openai", "model": "m", "from": "2026-11-01", "rates": {"input": 2}, "tiers": {"slow": {}}}"#,
    );
    assert!(
        tier.starts_with("line 1, row 1 (m), tiers: unknown variant `slow`, expected one of "),
        "{tier}"
    );
}

#[test]
fn what_is_no_price_list_is_refused_with_its_place() {
    let check = |text: &str, expected: &str| {
        let error = read_price_file(text).expect_err(text).to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    };
    check("{\"prices\": [\n{\"model\": \"m\",}]}", "line 2, column 15: this is not JSON (");
    check("", "line 1, column 0: this is not JSON (");
    check("[]", "this is not a price list; expected {\"prices\": [...]}, or");
    check("{\"a\": 1}", "this is not a price list;");
    check("{\"prices\": 7}", "this is not a price list;");
    let many = vec!["0"; PRICE_ROWS_MAX + 1].join(",");
    check(&format!("{{\"prices\": [{many}]}}"), "the list has more than");
}

#[test]
fn litellms_rows_become_ours() {
    let (format, file) = read(
        r#"{"sample_spec": {"litellm_provider": "one of"},
        "gpt-x": {"litellm_provider": "openai", "mode": "chat", "source": "https://openai.com",
          "input_cost_per_token": 2e-06, "output_cost_per_token": 1e-05, "cache_creation_input_token_cost": 0,
          "cache_read_input_token_cost": 1.0000000000000001e-07,
          "input_cost_per_token_above_272k_tokens": 4e-06, "input_cost_per_token_flex": 1e-06,
          "input_cost_per_token_above_272k_tokens_flex": 2e-06, "output_cost_per_token_flex": 5e-06,
          "output_cost_per_token_priority": 2e-05, "regional_processing_uplift_multiplier_eu": 1.1,
          "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_high": 0.01}},
        "claude-x": {"litellm_provider": "anthropic", "input_cost_per_token": 5e-06, "output_cost_per_token": 2.5e-05,
          "cache_creation_input_token_cost_above_1hr": 1e-05, "provider_specific_entry": {"us": 1.1, "fast": 2.0}},
        "dashscope/q": {"litellm_provider": "dashscope", "tiered_pricing": [
          {"range": [0, 256000.0], "input_cost_per_token": 4e-07}, {"range": [256000.0, 1000000.0], "input_cost_per_token": 1.2e-06}]},
        "azure/gpt-x": {"litellm_provider": "azure", "input_cost_per_token": 1},
        "bad-text": {"litellm_provider": "openai", "input_cost_per_token": "2e-06"},
        "bad-sign": {"litellm_provider": "openai", "input_cost_per_token": 1e-06, "output_cost_per_token": -1e-06},
        "image": {"litellm_provider": "openai", "output_cost_per_image": 0.04},
        "free?": {"litellm_provider": "openai", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
        "deepseek/night": {"litellm_provider": "deepseek", "input_cost_per_token": 1e-06, "off_peak_pricing": {}},
        "deepseek/twice": {"litellm_provider": "deepseek", "input_cost_per_token": 1e-06},
        "twice": {"litellm_provider": "deepseek", "input_cost_per_token": 2e-06}
        }"#,
    );
    assert_eq!((format, file.foreign_rows), (PriceFileFormat::LiteLlm, 1));
    let row = |model: &str| file.rows.iter().find(|row| row.model == model).expect(model);
    let openai = terms(row("gpt-x"));
    assert_eq!(openai.rates.of(Meter::Input), micros(2_000_000));
    assert_eq!(openai.rates.of(Meter::CacheRead), micros(100_000));
    assert_eq!(openai.rates.of(Meter::CacheWrite5m), None, "0 means: does not apply");
    assert_eq!(openai.rates.of(Meter::WebSearch), micros(10_000_000_000));
    let flex = &openai.tiers[&PriceTier::Flex];
    assert_eq!(flex.rates.of(Meter::Output), micros(5_000_000));
    assert_eq!(flex.above.as_ref().map(|long| long.input_tokens), Some(272_000));
    assert!(!openai.tiers.contains_key(&PriceTier::Priority), "it has no price of input");
    assert_eq!(openai.regions.get("eu"), Some(&Factor::from_permille(1_100)));
    let claude = terms(row("claude-x"));
    assert_eq!(claude.rates.of(Meter::CacheWrite1h), micros(10_000_000));
    let fast = &claude.tiers[&PriceTier::Fast];
    assert_eq!(fast.rates.of(Meter::Output), micros(50_000_000));
    let qwen = terms(row("q")).above.as_ref().expect("a threshold");
    assert_eq!((qwen.input_tokens, qwen.rates.of(Meter::Input)), (256_000, micros(1_200_000)));
    assert_eq!(row("twice").owner, PriceOwner::Provider(Provider::DeepSeek));
    assert_eq!(
        problems(&file),
        [
            "line 14, bad-text, input_cost_per_token: \"2e-06\" is a text; write the number 2e-06, without quotes",
            "line 15, bad-sign, output_cost_per_token: a price is not negative; write 0 for what is free",
            "line 16, image, input_cost_per_token: is missing; only prices per token are imported",
            "line 17, free?, input_cost_per_token: is 0, which here may also mean unknown",
            "line 18, deepseek/night, off_peak_pricing: a price that changes with the time of day is not imported",
            "line 20, twice, : is listed twice with different prices; the first is used",
        ]
    );
}

#[test]
fn rows_of_models_dev_become_ours() {
    let (format, file) = read(
        r#"{"openai": {"id": "openai", "doc": "https://platform.openai.com/docs/models", "models": {
          "gpt-x": {"cost": {"input": 2, "output": 10, "cache_read": 0.075, "input_audio": 4,
            "tiers": [{"tier": {"type": "context", "size": 200000}, "input": 4, "output": 15}],
            "context_over_200k": {"input": 4, "output": 15}}},
          "no-price": {"id": "no-price"},
          "text": {"cost": {"input": "2", "output": 10}}}},
        "someone": {"models": {"a": {}, "b": {}}}}"#,
    );
    assert_eq!((format, file.foreign_rows), (PriceFileFormat::ModelsDev, 2));
    let [row] = file.rows.as_slice() else { panic!("{:?}", file.rows) };
    assert_eq!(
        (row.model.as_str(), row.source.as_str()),
        ("gpt-x", "https://platform.openai.com/docs/models")
    );
    let rates = &terms(row).rates;
    assert_eq!(
        (rates.of(Meter::CacheRead), rates.of(Meter::InputAudio)),
        (micros(75_000), micros(4_000_000))
    );
    let long = terms(row).above.as_ref().expect("a threshold");
    assert_eq!((long.input_tokens, long.rates.of(Meter::Output)), (200_000, micros(15_000_000)));
    assert_eq!(
        problems(&file),
        [
            "line 5, openai/no-price, cost: is missing",
            "line 6, openai/text, cost.input: \"2\" is a text; write the number 2, without quotes",
        ]
    );
}

#[test]
fn models_dev_names_the_rates_of_long_input_in_two_ways() {
    let check = |more: &str, expected: Result<(u64, Option<Rate>), &str>| {
        let cost = format!(r#"{{"input": 2, "output": 10, {more}}}"#);
        let models = format!(r#"{{"gemini-x": {{"cost": {cost}}}}}"#);
        let (_, file) = read(&format!(r#"{{"google": {{"models": {models}}}}}"#));
        let long = file.rows.first().and_then(|row| terms(row).above.as_ref());
        let long = long.map(|long| (long.input_tokens, long.rates.of(Meter::Output)));
        assert_eq!(long.ok_or(problems(&file).join("; ").as_str()), expected, "{more}");
    };
    let old = r#""context_over_200k": {"input": 4, "output": 15, "cache_read": 0.4}"#;
    check(old, Ok((200_000, micros(15_000_000))));
    let new = r#""tiers": [{"tier": {"size": 272000}, "input": 4, "output": 16}]"#;
    check(&format!("{old}, {new}"), Ok((272_000, micros(16_000_000))));
    check(
        r#""context_over_200k": {"input": 4, "output": -1}"#,
        Err("line 1, google/gemini-x, cost.context_over_200k.output: a price is not negative; \
             write 0 for what is free"),
    );
    check(
        r#""context_over_200k": 4"#,
        Err("line 1, google/gemini-x, cost.context_over_200k: is not an object; \
             expected {\"input\": 4, \"output\": 15}"),
    );
}

/// The real catalogue, if it lies beside the checkout.
#[test]
fn the_whole_catalogue_of_litellm_is_read() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/data/litellm_model_prices.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        return test_support::skip_test("LiteLLM's catalogue is not here");
    };
    let (format, file) = read(&text);
    assert_eq!(format, PriceFileFormat::LiteLlm);
    assert!(file.rows.len() > 900, "{}", file.rows.len());
    assert!(file.foreign_rows > 1_500, "{}", file.foreign_rows);
    let row = |model: &str| file.rows.iter().find(|row| row.model == model).expect(model);
    let opus = terms(row("claude-opus-4-5"));
    assert_eq!(opus.rates.of(Meter::CacheWrite1h), micros(10_000_000));
    let luna = terms(row("gpt-5.6-luna")).above.as_ref().expect("a threshold");
    assert_eq!((luna.input_tokens, luna.rates.of(Meter::Output)), (272_000, micros(1_800_000)));
    // What is wrong is said of the row, never of the file.
    for problem in &file.problems {
        assert!(
            problem.line > 1 && !problem.row.is_empty() && !problem.problem.is_empty(),
            "{problem}"
        );
    }
}

proptest::proptest! {
    /// Whatever a file holds is a row, a problem or a refusal, never a panic.
    #[test]
    fn nothing_breaks_a_reader(text in ".{0,200}", cut in 0_usize..400) {
        drop(read_price_file(&text));
        let good = r#"{"prices": [{"provider": "openai", "model": "m", "from": "2026-11-01", "rates": {"input": 1e-3},
            "above": {"input_tokens": 1, "rates": {}}, "tiers": {"flex": {"rates": {}}}, "regions": {"us": 1.1}}]}"#;
        let cut = good.floor_char_boundary(cut);
        drop(read_price_file(&format!("{}{text}", &good[..cut])));
        drop(read_price_file(&format!("{}{}", &good[..cut], &good[(cut + 1).min(good.len())..])));
    }
}
