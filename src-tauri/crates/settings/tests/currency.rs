//! The currency that amounts are shown in: its rate, and what is wrong with it.

#![expect(clippy::expect_used, reason = "a fixture that cannot be made fails its test")]

use domain::{NanoUsd, RateSource};
use settings::{Settings, SettingsStore, Severity};

fn read(section: &str) -> (Settings, Vec<(Severity, String, String)>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.toml");
    private_files::write_atomic(&path, format!("[currency]\n{section}").as_bytes())
        .expect("written");
    let store = SettingsStore::open(&path).expect("opens");
    let problems = store.problems().into_iter();
    let problems = problems.map(|it| (it.severity, it.path, it.what)).collect();
    (Settings::clone(&store.current()), problems)
}

/// A dollar in the currency, and the source of its rate.
fn dollar(section: &str) -> (String, RateSource) {
    let (settings, problems) = read(section);
    assert_eq!(problems, [], "{section}");
    let (shown, source) = settings.currency.shown();
    (shown.format(NanoUsd::new(1_000_000_000)), source)
}

#[test]
fn amounts_are_shown_in_dollars_unless_another_currency_is_set() {
    assert_eq!(dollar(""), ("$1.00".to_owned(), RateSource::None));
    assert_eq!(dollar("show = \"usd\""), ("$1.00".to_owned(), RateSource::None));
}

#[test]
fn a_bundled_rate_is_used_until_an_own_one_is_set() {
    let (shown, source) = dollar("show = \"EUR\"");
    assert_eq!(shown, "€0.85");
    assert_eq!(source, RateSource::Reference(domain::reference_rates()));
    let own = dollar("show = \"EUR\"\nrate = 0.92\nrate_date = 2026-11-20");
    let day = "2026-11-20".parse().expect("a day");
    assert_eq!(own, ("€0.92".to_owned(), RateSource::Own(Some(day))));
    let own = dollar("show = \"KWD\"\nrate = \"0.3072\"");
    assert_eq!(own, ("KWD\u{a0}0.307".to_owned(), RateSource::Own(None)));
}

#[test]
fn what_is_no_currency_rate_or_day_is_named_with_its_field() {
    let check = |section: &str, severity: Severity, path: &str, what: &str| {
        let problem = (severity, path.to_owned(), what.to_owned());
        assert_eq!(read(section).1, [problem], "{section}");
    };
    let code = "this is no currency code of ISO 4217, such as EUR or JPY";
    check("show = \"EURO\"", Severity::Error, "currency.show", code);
    check("show = \"XAU\"", Severity::Error, "currency.show", code);
    let rate = "this is no exchange rate: a decimal number above 0 and up to 10,000,000, with at \
                most nine decimals";
    for wrong in ["0", "-0.9", "\"0,92\"", "nan", "inf", "20_000_000", "\"\""] {
        let section = format!("show = \"EUR\"\nrate = {wrong}");
        check(&section, Severity::Error, "currency.rate", rate);
    }
    check("show = \"EUR\"\nrate = true", Severity::Error, "currency.rate", "this is no number");
    check(
        "show = \"EUR\"\nrate = 0.9\nrate_date = \"20.11.2026\"",
        Severity::Error,
        "currency.rate_date",
        "\"20.11.2026\" is no day",
    );
    check(
        "show = \"KWD\"",
        Severity::Error,
        "currency.show",
        "there is no bundled exchange rate for KWD",
    );
    check(
        "rate = 0.9",
        Severity::Warning,
        "currency.rate",
        "amounts are shown in US dollars, so this has no effect",
    );
    check(
        "show = \"JPY\"\nrate = 0.92",
        Severity::Warning,
        "currency.rate",
        "this is far from the reference rate of 156.76388 JPY",
    );
}
