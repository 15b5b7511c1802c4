//! Every row of the settings table, through the file and back.

#![expect(clippy::expect_used, reason = "a fixture that cannot be made fails its test")]

use std::convert::Infallible;

use settings::{Setting, SettingKind, SettingValue, Settings, SettingsError, SettingsStore};

/// Another value than the default, which no other setting contradicts.
fn other_value(setting: &Setting) -> SettingValue {
    let text = |text: &str| SettingValue::Text(text.to_owned());
    match (setting.kind, setting.default_value()) {
        (SettingKind::Number, default) => {
            let range = setting.range.clone().expect("a range");
            let number = match default {
                SettingValue::Number(number) if number < *range.end() => number + 1,
                SettingValue::Number(number) => number - 1,
                _ => *range.start(),
            };
            SettingValue::Number(number)
        }
        (SettingKind::Switch, default) => {
            SettingValue::Switch(default != SettingValue::Switch(true))
        }
        (SettingKind::Word(words), default) => {
            text(words.iter().find(|word| text(word) != default).expect("two words"))
        }
        (SettingKind::Text, _) if setting.path == "cache.redis_url" => text("rediss://cache.test"),
        (SettingKind::Text, _) if setting.path == "telemetry.endpoint" => text("https://k.test"),
        (SettingKind::Text, _) if setting.path == "currency.show" => text("EUR"),
        (SettingKind::Text, _) if setting.path == "currency.rate" => text("0.92"),
        (SettingKind::Text, _) if setting.path == "currency.rate_date" => text("2026-11-20"),
        (SettingKind::Text, _) if matches!(setting.path, "mail.from" | "mail.to") => text("k@k"),
        (SettingKind::Text, _) => text("k"),
    }
}

/// A setting whose row was forgotten somewhere would keep its default here.
#[test]
fn every_setting_is_written_to_the_file_and_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.toml");
    let entries = "[credentials.k]\ncreated = 2026-01-31T09:30:00Z\n\
                   [backends.up]\nbase_url = \"https://up.test/v1\"\n\
                   [profiles.k]\n";
    private_files::write_atomic(&path, entries.as_bytes()).expect("written");
    let store = SettingsStore::open(&path).expect("opens");
    let global = Settings::table().into_iter().map(|it| (it.path.to_owned(), it));
    let own = Settings::entry_table("backends").into_iter();
    let all = global.chain(own.map(|it| (format!("backends.up.{}", it.name), it)));
    let wanted: Vec<_> = all.map(|(path, setting)| (path, other_value(setting))).collect();
    assert_eq!(store.problems(), []);
    let saved = store.edit(|draft| {
        *draft = draft.with_values(&wanted).expect("valid values");
        Ok::<_, Infallible>(())
    });
    saved.expect("saved");
    let again = SettingsStore::open(&path).expect("opens");
    assert_eq!(again.current(), store.current());
    let values = again.current().values();
    for one in &wanted {
        assert!(values.contains(one), "{one:?}");
    }
}

#[test]
fn each_setting_says_what_it_means_and_has_its_own_name() {
    let table = Settings::table();
    for setting in &table {
        assert!(setting.meaning().ends_with('.'), "{}", setting.path);
        assert_eq!(
            setting.range.is_some(),
            setting.kind == SettingKind::Number,
            "{}",
            setting.path
        );
        assert_eq!(table.iter().filter(|it| it.key == setting.key).count(), 1, "{}", setting.key);
        assert!(setting.path.ends_with(setting.name), "{}", setting.path);
    }
}

#[test]
fn a_text_is_stored_without_the_white_space_it_was_pasted_with() {
    let pasted = SettingValue::Text(" rediss://cache.test\n".to_owned());
    let settings = Settings::default().with_values(&[("cache.redis_url".to_owned(), pasted)]);
    let values = settings.expect("a valid value").values();
    let stored = values.into_iter().find(|(path, _)| path == "cache.redis_url");
    assert_eq!(stored.map(|it| it.1), Some(SettingValue::Text("rediss://cache.test".to_owned())));
}

#[test]
fn a_value_is_refused_with_the_words_of_the_file() {
    let check = |path: &str, value: SettingValue, message: &str| {
        let refused = Settings::default().with_values(&[(path.to_owned(), value)]);
        match refused {
            Err(error @ SettingsError::Rejected { .. }) => {
                assert_eq!(error.to_string(), format!("the change was not made: {message}"));
            }
            other => assert!(other.is_err(), "{other:?}"),
        }
    };
    let text = |text: &str| SettingValue::Text(text.to_owned());
    check(
        "gateway.port",
        SettingValue::Number(70_000),
        "gateway.port: 70000 is outside 1 to 65535; write port = 65535",
    );
    check(
        "cache.disk",
        text("maybe"),
        "cache.disk: this must be true or false, but it is text; write true or false",
    );
    check("gateway.port", SettingValue::None, "gateway.port: this has no value; give it a value");
    check(
        "appearance.theme",
        text("drak"),
        "appearance.theme: \"drak\" is not one of the allowed values; use one of: system, light, dark",
    );
    let unknown = "there is no setting with this name; `gatehouse settings get` lists them";
    check("gateway.prot", SettingValue::Number(1), &format!("gateway.prot: {unknown}"));
    check("port", SettingValue::Number(1), &format!("port: {unknown}"));
    let path = "backends.nobody.in_flight_max";
    check(path, SettingValue::Number(1), &format!("{path}: {unknown}"));
}
