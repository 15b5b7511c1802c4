//! Which backends and routes a profile leaves in use.

#![expect(clippy::expect_used, reason = "a fixture that cannot be made fails its test")]

use domain::{BackendId, RouteId};
use settings::Settings;

const FILE: &str = r#"
version = 1
[backends.company]
kind = "openai"
base_url = "https://api.openai.com/v1"
[backends.own]
kind = "anthropic"
base_url = "https://api.anthropic.com"
[backends.both]
kind = "gemini"
base_url = "https://generativelanguage.googleapis.com"
[backends.local]
kind = "ollama"
base_url = "http://127.0.0.1:11434"
[backends.off]
kind = "openai"
base_url = "https://api.openai.com/v1"
enabled = false
[routes.fast]
candidates = [{ backend = "company", model = "a" }, { backend = "own", model = "b" }]
[routes.code]
candidates = [{ backend = "company", model = "a" }]
[profiles.work]
backends = ["company", "both", "off"]
[profiles.home]
backends = ["own", "both"]
[profiles.demo]
backends = []
"#;

fn settings(active: &str) -> Settings {
    let active = match active {
        "" => String::new(),
        name => format!("[profile]\nactive = \"{name}\"\n"),
    };
    Settings::from_text(&format!("{FILE}{active}")).expect("settings")
}

fn on(settings: &Settings) -> (Vec<&str>, Vec<&str>) {
    let backends = settings.backends_on().map(|(id, _)| id.as_str()).collect();
    let routes = settings.routes.iter().filter(|(_, route)| settings.is_route_on(route));
    (backends, routes.map(|(id, _)| id.as_str()).collect())
}

#[test]
fn a_profile_leaves_in_use_what_it_names_and_what_none_names() {
    for (active, backends, routes) in [
        ("", &["company", "own", "both", "local"][..], &["fast", "code"][..]),
        ("work", &["company", "both", "local"], &["fast", "code"]),
        ("home", &["own", "both", "local"], &["fast"]),
        ("demo", &["local"], &[]),
    ] {
        let settings = settings(active);
        assert_eq!(on(&settings), (backends.to_vec(), routes.to_vec()), "{active}");
    }
}

#[test]
fn the_reason_of_a_backend_that_is_off_names_the_profile() {
    let home = settings("home");
    let why = |id: &str| home.why_backend_is_off(&BackendId::new(id).expect("an id"));
    assert_eq!(why("own"), None);
    assert_eq!(why("company").as_deref(), Some("is not in the profile home"));
    assert_eq!(why("off").as_deref(), Some("is not in the profile home"));
    let work = settings("work");
    let off = BackendId::new("off").expect("an id");
    assert_eq!(work.why_backend_is_off(&off).as_deref(), Some("is switched off"));
}

#[test]
fn a_route_without_candidates_in_any_profile_is_only_off_by_its_own_switch() {
    let mut settings = settings("demo");
    let code = RouteId::new("code").expect("an id");
    settings.profile.active = None;
    let mut route = settings.routes.get(&code).expect("a route").clone();
    assert!(settings.is_route_on(&route));
    route.enabled = false;
    assert!(!settings.is_route_on(&route));
}
