//! Settings from another file: compared, merged, and never a way to redirect a key.

#![expect(clippy::expect_used, reason = "a fixture that cannot be made fails its test")]

use settings::{ConflictChoice, DifferenceKind, Settings};

const HERE: &str = r#"
version = 1
[gateway]
port = 5000
[credentials.openai]
label = "mine"
origin = "https://api.openai.com:443"
created = 2026-11-01T00:00:00Z
[backends.openai]
label = "Mine"
kind = "openai"
base_url = "https://api.openai.com/v1"
credential = "openai"
enabled = true
[budgets.monthly]
limit_usd = 20
period = "month"
"#;

const THERE: &str = r#"
version = 1
[gateway]
port = 6000
in_flight_max = 60
[vault]
kind = "file"
[credentials.openai]
label = "theirs"
origin = "https://evil.test:443"
created = 2026-11-02T00:00:00Z
[backends.openai]
label = "Theirs"
kind = "openai"
base_url = "https://evil.test/v1"
credential = "openai"
enabled = true
[backends.local]
label = "Local"
kind = "openai-compatible"
base_url = "http://127.0.0.1:9999/v1"
enabled = true
"#;

fn read(text: &str) -> Settings {
    Settings::from_text(text).expect("a fixture without problems")
}

#[test]
fn each_difference_is_named_with_both_sides() {
    let found = read(HERE).differences(&read(THERE));
    let told: Vec<_> = found.iter().map(|it| (it.path.as_str(), it.kind)).collect();
    assert_eq!(
        told,
        [
            ("gateway.port", DifferenceKind::Differs),
            ("gateway.in_flight_max", DifferenceKind::OnlyThere),
            ("vault.kind", DifferenceKind::OnlyThere),
            ("credentials.openai", DifferenceKind::Differs),
            ("backends.openai", DifferenceKind::Differs),
            ("budgets.monthly", DifferenceKind::OnlyHere),
            ("backends.local", DifferenceKind::OnlyThere),
        ]
    );
    let port = &found[0].fields[0];
    assert_eq!((port.here.as_deref(), port.there.as_deref()), (Some("5000"), Some("6000")));
    assert!(read(HERE).differences(&read(HERE)).is_empty());
}

#[test]
fn a_merge_adds_and_keeps_what_is_here() {
    let (here, there) = (read(HERE), read(THERE));
    let merged = here.merged_with(&there, ConflictChoice::Skip).expect("merged").settings;
    assert_eq!((merged.gateway.port, merged.gateway.in_flight_max), (5000, 60));
    assert_eq!(merged.vault, here.vault);
    assert_eq!(merged.credentials, here.credentials);
    assert_eq!(merged.budgets, here.budgets);
    let names: Vec<_> = merged.backends.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["openai", "local"]);
    assert_eq!(merged.backends[0], here.backends[0]);
    assert_eq!(merged.merged_with(&there, ConflictChoice::Skip).expect("again").settings, merged);
}

#[test]
fn a_merge_never_binds_a_key_to_another_host() {
    let (here, there) = (read(HERE), read(THERE));
    let merged = here.merged_with(&there, ConflictChoice::Replace).expect("merged");
    let settings = &merged.settings;
    assert_eq!(settings.gateway.port, 6000);
    assert_eq!(settings.credentials, here.credentials);
    assert_eq!(settings.backends[0].base_url.as_str(), "https://evil.test/v1");
    assert!(settings.backends[0].pool.members.is_empty());
    let detached: Vec<_> =
        merged.detached.iter().map(|(backend, key)| format!("{backend} {key}")).collect();
    assert_eq!(detached, ["openai openai"]);
    assert_eq!(settings.budgets, here.budgets, "nothing is lost");
    assert_eq!(settings.vault, here.vault);
}

#[test]
fn an_import_into_nothing_gives_the_same_settings() {
    let there = read(HERE);
    for choice in ConflictChoice::ALL {
        let merged = Settings::default().merged_with(&there, *choice).expect("merged");
        assert_eq!((merged.settings, merged.detached), (there.clone(), Vec::new()));
    }
}

#[test]
fn a_file_with_errors_names_each_place() {
    let text = "version = 1\n[gateway]\nport = 70000\n[backends.x]\nkind = \"nope\"\n";
    let problems = Settings::from_text(text).expect_err("errors");
    let lines: Vec<_> = problems.iter().map(|problem| problem.line).collect();
    assert!(lines.contains(&Some(3)) && lines.contains(&Some(5)), "{problems:?}");
}

#[test]
fn a_service_keeps_its_key_at_its_own_address_and_loses_it_elsewhere() {
    let service = |address: &str| {
        let head = HERE.to_owned();
        format!(
            "{head}[services.hook]\nkind = \"http\"\naddress = \"{address}\"\ncredential = \"openai\"\nrequired = true\n"
        )
    };
    let here = read(HERE);
    let own =
        here.merged_with(&read(&service("https://api.openai.com/v1/x")), ConflictChoice::Skip);
    let own = own.expect("merged");
    let hook = own.settings.services.values().next().expect("one");
    assert_eq!((hook.credential.is_some(), hook.required, own.detached.len()), (true, true, 0));
    let away = here.merged_with(&read(&service("https://evil.test/")), ConflictChoice::Skip);
    let away = away.expect("merged");
    assert!(away.settings.services.values().all(|it| it.credential.is_none()));
    let detached: Vec<&str> = away.detached.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(detached, ["hook"]);
}
