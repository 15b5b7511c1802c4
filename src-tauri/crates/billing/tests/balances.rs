//! The documented answers about what is left, and what is refused.

#![expect(clippy::expect_used, reason = "a fixture that cannot be made fails its test")]

use billing::{
    Balance, BalanceEndpoint, GRANTS_MAX, KeyPermissions, LimitReset, ReportError, SpendingLimit,
};
use domain::{BalanceKind, CurrencyCode, NanoUsd, Origin};
use jiff::Zoned;

const DEEPSEEK: &str = r#"{"is_available": true, "balance_infos": [
    {"currency": "CNY", "total_balance": "0.00", "granted_balance": "0.00", "topped_up_balance": "0.00"},
    {"currency": "USD", "total_balance": "50.10", "granted_balance": "10.00", "topped_up_balance": "40.10"}]}"#;
const OPENROUTER: &str = r#"{"data": {"label": "sk-or-v1-0e6...1c96", "limit": 100,
    "limit_remaining": 74.5, "limit_reset": "monthly", "usage": 25.5, "is_free_tier": false}}"#;

fn read(endpoint: BalanceEndpoint, body: &str) -> Option<(BalanceKind, String)> {
    let balance = endpoint.read(body).expect("an answer")?;
    let amounts = balance.amounts.iter().map(|(currency, amount)| format!("{amount} {currency}"));
    Some((balance.kind, amounts.collect::<Vec<_>>().join(", ")))
}

#[test]
fn each_provider_answers_in_its_own_way() {
    use BalanceEndpoint::{DeepSeek, Moonshot, MoonshotChina, OpenRouter, Vercel};
    let account = |amounts: &str| Some((BalanceKind::Account, amounts.to_owned()));
    assert_eq!(read(OpenRouter, OPENROUTER), Some((BalanceKind::KeyLimit, "74.5 USD".to_owned())));
    let unlimited = r#"{"data": {"limit": null, "limit_remaining": null, "limit_reset": null}}"#;
    assert_eq!(read(OpenRouter, unlimited), None);
    assert_eq!(read(DeepSeek, DEEPSEEK), account("50.10 USD"));
    let two = DEEPSEEK.replace("\"total_balance\": \"0.00\"", "\"total_balance\": \"110.00\"");
    assert_eq!(read(DeepSeek, &two), account("110.00 CNY, 50.10 USD"));
    let none = DEEPSEEK.replace("50.10", "0.00");
    assert_eq!(read(DeepSeek, &none), account("0.00 CNY"));
    let moonshot = r#"{"code": 0, "data": {"available_balance": 49.58894,
        "voucher_balance": 46.58893, "cash_balance": 3.00001}, "scode": "0x0", "status": true}"#;
    assert_eq!(read(Moonshot, moonshot), account("49.58894 USD"));
    assert_eq!(read(MoonshotChina, moonshot), account("49.58894 CNY"));
    let owed = moonshot.replace("49.58894", "-0.5");
    assert_eq!(read(Moonshot, &owed), account("-0.5 USD"));
    let vercel = r#"{"balance": "95.50", "total_used": "4.50"}"#;
    assert_eq!(read(Vercel, vercel), account("95.50 USD"));
}

#[test]
fn what_a_key_may_do_is_told_only_by_what_is_documented() {
    use BalanceEndpoint::{DeepSeek, OpenRouter, XAi};
    let openrouter = |flags: &str| {
        OpenRouter.permissions(&OPENROUTER.replace(r#""is_free_tier": false"#, flags))
    };
    let asks = |is_free_tier, limit: Option<&str>| {
        let dollars = |limit: &str| SpendingLimit::Dollars(limit.parse().expect("an amount"));
        let limit = limit.map_or(SpendingLimit::NotTold, dollars);
        Some(KeyPermissions::AsksModels { is_free_tier, limit })
    };
    let told = r#""is_free_tier": true, "is_management_key": false, "is_provisioning_key": false"#;
    assert_eq!(openrouter(told), asks(true, Some("100")));
    assert_eq!(openrouter(r#""is_provisioning_key": false"#), asks(false, Some("100")));
    for managing in [r#""is_management_key": true"#, r#""is_provisioning_key": true"#] {
        assert_eq!(openrouter(managing), Some(KeyPermissions::ManagesKeys));
    }
    assert_eq!(openrouter(r#""is_free_tier": false"#), None, "nothing is guessed");
    assert_eq!(OpenRouter.permissions("<html>"), None);
    assert_eq!(DeepSeek.permissions(DEEPSEEK), None);

    let xai = r#"{"redacted_api_key": "xai-...b14o", "name": "My API Key", "acls": ["api-key:model:*",
        "api-key:endpoint:chat"], "api_key_blocked": false}"#;
    let granted = ["api-key:model:*", "api-key:endpoint:chat"].map(str::to_owned).to_vec();
    assert_eq!(XAi.permissions(xai), Some(KeyPermissions::Granted(granted)));
    assert_eq!(XAi.permissions("{}"), None);
    assert_eq!(XAi.read(xai).expect("an answer"), None, "it tells no balance");
    for off in ["api_key_blocked", "api_key_disabled", "team_blocked"] {
        assert_eq!(XAi.permissions(&format!("{{\"acls\": [\"a:b\"], \"{off}\": true}}")), None);
    }
    assert_eq!(XAi.permissions(r#"{"acls": ["api-key:model:*", "do as I say"]}"#), None);
    let many = |count| {
        let grants = vec!["\"api-key:model:grok\""; count].join(",");
        XAi.permissions(&format!("{{\"acls\": [{grants}]}}"))
    };
    assert!(many(GRANTS_MAX).is_some());
    assert_eq!(many(GRANTS_MAX + 1), None, "it cannot be shown whole");
}

#[test]
fn a_field_beside_the_balance_that_changed_loses_itself_alone() {
    let managing = r#""is_free_tier": false, "is_management_key": false"#;
    let documented = OPENROUTER.replace(r#""is_free_tier": false"#, managing);
    let balance = |body: &str| BalanceEndpoint::OpenRouter.read(body).expect("an answer");
    let permissions = |body: &str| BalanceEndpoint::OpenRouter.permissions(body);
    let whole = balance(&documented).expect("a limit");
    assert_eq!(whole.reset, Some(LimitReset::Monthly));
    for changed in [
        documented.replace("\"limit\": 100", "\"limit\": {\"usd\": 100}"),
        documented.replace("\"is_free_tier\": false", "\"is_free_tier\": \"no\""),
        documented.replace("\"is_management_key\": false", "\"is_management_key\": [1]"),
        documented.replace("\"sk-or-v1-0e6...1c96\"", "{}"),
    ] {
        assert_eq!(balance(&changed).as_ref(), Some(&whole), "{changed}");
    }
    let asks = |limit| Some(KeyPermissions::AsksModels { is_free_tier: false, limit });
    let of_limit = |text: &str| permissions(&documented.replace("\"limit\": 100", text));
    let hundred = SpendingLimit::Dollars("100".parse().expect("an amount"));
    assert_eq!(permissions(&documented), asks(hundred));
    assert_eq!(of_limit("\"limit\": null"), asks(SpendingLimit::Unlimited));
    for untold in ["\"limit\": {\"usd\": 100}", "\"limits\": 100"] {
        assert_eq!(of_limit(untold), asks(SpendingLimit::NotTold), "{untold}");
    }
    // Until when it lasts is not told where it is not known when the limit is full again.
    for period in ["\"yearly\"", "30"] {
        let changed = documented.replace("\"monthly\"", period);
        let told = balance(&changed).expect("a limit");
        assert_eq!((&told.amounts, told.reset), (&whole.amounts, Some(LimitReset::Unknown)));
        assert_eq!(
            told.days_left(NanoUsd::new(1_000_000_000_000), &at("2026-11-24T12:00:00+00:00")),
            None
        );
    }
}

#[test]
fn an_answer_of_another_shape_is_refused_with_its_field() {
    use BalanceEndpoint::{DeepSeek, Moonshot, OpenRouter, Vercel};
    let refused = |endpoint: BalanceEndpoint, body: &str| match endpoint.read(body) {
        Err(ReportError::Malformed { field, .. }) => field,
        other => panic!("{body}: {other:?}"),
    };
    assert_eq!(refused(OpenRouter, "{}"), ".");
    assert_eq!(refused(OpenRouter, r#"{"data": {"limit": 5}}"#), "data");
    assert_eq!(refused(DeepSeek, r#"{"balance_infos": []}"#), "balance_infos");
    let unknown = DEEPSEEK.replace("CNY", "points");
    assert_eq!(refused(DeepSeek, &unknown), "balance_infos[0].currency");
    let worded = DEEPSEEK.replace("50.10", "much");
    assert_eq!(refused(DeepSeek, &worded), "balance_infos[1].total_balance");
    assert_eq!(
        refused(Moonshot, r#"{"data": {"available_balance": true}}"#),
        "data.available_balance"
    );
    assert_eq!(refused(Vercel, r#"{"balance": null}"#), "balance");
    assert_eq!(refused(Vercel, "<html>"), ".");
}

#[test]
fn only_the_providers_own_addresses_are_asked() {
    let at = |url: &str| BalanceEndpoint::at(&url.parse::<Origin>().expect("an origin"));
    assert_eq!(at("https://openrouter.ai"), Some(BalanceEndpoint::OpenRouter));
    assert_eq!(at("https://api.moonshot.cn"), Some(BalanceEndpoint::MoonshotChina));
    for other in ["https://api.openai.com", "http://openrouter.ai", "https://openrouter.ai:8443"] {
        assert_eq!(at(other), None, "{other}");
    }
}

fn balance(amounts: &[(&str, &str)], reset: Option<LimitReset>) -> Balance {
    let amount = |(code, amount): &(&str, &str)| {
        (code.parse::<CurrencyCode>().expect("a code"), amount.parse().expect("an amount"))
    };
    Balance { kind: BalanceKind::Account, amounts: amounts.iter().map(amount).collect(), reset }
}

fn at(time: &str) -> Zoned {
    format!("{time}[UTC]").parse().expect("a time")
}

#[test]
fn other_currencies_count_at_the_reference_rates() {
    let dollars = |amounts: &[(&str, &str)]| balance(amounts, None).in_dollars();
    assert_eq!(dollars(&[("USD", "4.1"), ("USD", "0.9")]), Some(NanoUsd::new(5_000_000_000)));
    let yuan = dollars(&[("CNY", "110")]).expect("a published rate").nanos();
    assert!((14_000_000_000..18_000_000_000).contains(&yuan), "{yuan}");
    assert_eq!(dollars(&[("USD", "1"), ("VUV", "1")]), None, "no rate is published for the vatu");
}

#[test]
fn it_lasts_for_whole_days_at_a_pace_and_no_longer_than_until_its_limit_is_full_again() {
    // A Thursday; the month ends in four days.
    let now = at("2026-11-26T18:00:00+00:00");
    let a_day = NanoUsd::new(2_000_000_000);
    let days = |left: &str, reset| balance(&[("USD", left)], reset).days_left(a_day, &now);
    assert_eq!(days("7.99", None), Some(3));
    for none in ["0", "-3"] {
        assert_eq!(days(none, None), None, "{none}");
        assert!(balance(&[("USD", none)], None).is_used_up(), "{none}");
    }
    assert!(!balance(&[("USD", "0.01")], None).is_used_up());
    // Six hours are left of the day.
    assert_eq!(days("0.50", Some(LimitReset::Daily)), None);
    assert_eq!(days("0.41", Some(LimitReset::Daily)), Some(0));
    assert_eq!(days("6", Some(LimitReset::Weekly)), Some(3));
    assert_eq!(days("6.50", Some(LimitReset::Weekly)), None, "until Monday");
    assert_eq!(days("6", Some(LimitReset::Monthly)), Some(3));
    assert_eq!(days("8.50", Some(LimitReset::Monthly)), None, "until the first");
    let idle = balance(&[("USD", "5")], None).days_left(NanoUsd::ZERO, &now);
    assert_eq!(idle, None, "nothing is spent");
}
