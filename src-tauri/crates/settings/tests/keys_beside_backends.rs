//! Which keys are used by something other than a backend, so that no request tells of their use.

use domain::CredentialId;
use settings::Settings;

const FILE: &str = r#"
version = 1
[credentials.provider]
created = 2026-01-31T09:30:00Z
[credentials.pinger]
created = 2026-01-31T09:30:00Z
[credentials.shared-cache]
created = 2026-01-31T09:30:00Z
[credentials.collector]
created = 2026-01-31T09:30:00Z
[credentials.idle]
created = 2026-01-31T09:30:00Z
[backends.company]
kind = "openai"
base_url = "https://api.openai.com/v1"
credentials = ["provider"]
[services.status-page]
kind = "http"
address = "https://status.example.com"
credential = "pinger"
[cache]
redis_credential = "shared-cache"
[telemetry]
credential = "collector"
"#;

#[test]
fn the_keys_of_services_the_shared_cache_and_the_collector_stand_beside_backends() {
    let settings = Settings::from_text(FILE).expect("settings");
    let is_beside =
        |key: &str| settings.is_key_beside_backends(&key.parse::<CredentialId>().expect("a name"));
    let beside = ["provider", "pinger", "shared-cache", "collector", "idle"].map(is_beside);
    assert_eq!(beside, [false, true, true, true, false]);
}
