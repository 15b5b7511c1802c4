//! Edits through the store: everything a person wrote around our values must survive unchanged.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a fixture that cannot be made fails its test"
)]

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use domain::{
    BackendId, CacheMode, ClientId, ClientTarget, CredentialId, ExtraDialect, OAuthGrant,
    PoolOrder, RouteId, RoutePolicy, ServiceGoal, ServiceKind, ServiceMethod, TranslationMode,
    UnsupportedFeature, WallTime,
};
use proptest::prelude::*;
use settings::{
    AllowedNetwork, BackendKind, BackendSettings, BalanceSettings, CacheSettings, ClientPriority,
    ClientScope, ClientSettings, CredentialSettings, HttpExpectation, KeyPoolSettings,
    OAuthSettings, OwnObjective, PoolMemberSettings, ResiliencePreset, RouteCandidateSettings,
    RouteSettings, ServiceAddress, ServiceSettings, Settings, SettingsEditError, SettingsError,
    SettingsFileState, SettingsStore, Theme, TokenSha256, TrafficLimits, VaultKind,
};

const BY_HAND: &str = r#"# My settings, see the wiki.

version = 1
future = "kept" # unknown to this version

[gateway]
port    = 4_300   # aligned on purpose
# longer for reasoning
first_token_timeout_ms = 120_000

# The fast one.
[backends.fast] # first
base_url = 'https://fast.example.com/v1' # literal quotes
kind = "openai-compatible"
note = "mine"

    # indented comment
[backends.slow]
base_url = "https://slow.example.com/v1"
enabled = false

[backends.slow.extra]
a = 1

[appearance]
theme = "dark"
# the end
"#;

struct SettingsFixture {
    _folder: tempfile::TempDir,
    store: SettingsStore,
}

impl SettingsFixture {
    fn new(text: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config/settings.toml");
        if let Some(text) = text {
            private_files::write_atomic(&path, text.as_bytes()).expect("written");
        }
        Self { store: SettingsStore::open(&path).expect("opens"), _folder: folder }
    }

    fn edit(&self, change: impl FnOnce(&mut Settings)) -> Arc<Settings> {
        let edited = self.store.edit(|draft| {
            change(draft);
            Ok::<_, Infallible>(())
        });
        edited.expect("edited").0
    }

    fn rejected(&self, change: impl FnOnce(&mut Settings)) -> String {
        let edited = self.store.edit(|draft| {
            change(draft);
            Ok::<_, Infallible>(())
        });
        match edited.expect_err("rejected") {
            SettingsEditError::Settings(SettingsError::Rejected { problems }) => {
                problems[0].to_string()
            }
            other => panic!("{other:?}"),
        }
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.store.path()).expect("read")
    }
}

fn backend(url: &str) -> BackendSettings {
    BackendSettings {
        label: "Local".to_owned(),
        kind: BackendKind::OpenAiCompatible,
        base_url: url.parse().expect("a URL"),
        pool: KeyPoolSettings::default(),
        enabled: true,
        models: vec!["llama3:8b".to_owned()],
        lacks: BTreeSet::new(),
        offers: BTreeSet::new(),
        crossing: TranslationMode::Strict,
        network: AllowedNetwork::Public,
        limits: TrafficLimits::default(),
        objective: OwnObjective::default(),
    }
}

fn id(text: &str) -> BackendId {
    BackendId::new(text).expect("an id")
}

#[test]
fn a_fresh_start_writes_nothing_until_the_first_edit_and_that_as_little_as_possible() {
    let fixture = SettingsFixture::new(None);
    assert_eq!(fixture.store.state(), SettingsFileState::Valid);
    assert_eq!(*fixture.store.current(), Settings::default());
    fixture.edit(|_| {});
    assert!(!fixture.store.path().exists());
    fixture.edit(|draft| {
        draft.appearance.theme = Theme::Dark;
        let credential = CredentialSettings {
            label: "Local key".to_owned(),
            origin: Some("http://127.0.0.1:11434".parse().expect("an origin")),
            tail: Some("6789".to_owned()),
            created: WallTime::from_unix_ms(1_794_902_400_123),
            replaced: None,
            expires: None,
            note: None,
            billing: None,
            oauth: None,
        };
        draft.credentials.insert(CredentialId::new("local").expect("an id"), credential);
        let backend = BackendSettings {
            pool: KeyPoolSettings::from_credential(CredentialId::new("local").ok()),
            ..backend("http://127.0.0.1:11434/v1")
        };
        draft.backends.insert(id("local"), backend);
        let client = ClientSettings {
            token_sha256: TokenSha256::new([0xab; 32]),
            created: WallTime::from_unix_ms(1_794_902_400_000),
            expires: None,
            limits: TrafficLimits::default(),
            cache: None,
            priority: ClientPriority::default(),
            scope: ClientScope::default(),
            switched_to: None,
            blocked: false,
            mcp: false,
            reads_metrics: false,
            project: None,
        };
        draft.clients.insert(ClientId::new("codex").expect("an id"), client);
    });
    insta::assert_snapshot!(fixture.text(), @r###"
    # Settings of Gatehouse. You can edit this file; comments and order are kept.
    # Keys do not belong here; `gatehouse keys add` puts them into the vault.
    version = 1

    [appearance]
    theme = "dark"

    [credentials.local]
    label = "Local key"
    origin = "http://127.0.0.1:11434"
    tail = "6789"
    created = 2026-11-17T08:00:00.123Z

    [backends.local]
    label = "Local"
    kind = "openai-compatible"
    base_url = "http://127.0.0.1:11434/v1"
    credential = "local"
    enabled = true
    models = ["llama3:8b"]

    [clients.codex]
    token_sha256 = "abababababababababababababababababababababababababababababababab"
    created = 2026-11-17T08:00:00Z
    "###);
    let again = SettingsStore::open(fixture.store.path()).expect("opens");
    assert_eq!(again.current(), fixture.store.current());
    assert_eq!(again.problems(), []);
}

#[test]
fn an_edit_keeps_comments_order_spelling_and_unknown_names() {
    let fixture = SettingsFixture::new(Some(BY_HAND));
    fixture.edit(|draft| {
        draft.gateway.port = 4_301;
        draft.gateway.in_flight_max = 100;
        draft.appearance.theme = Theme::System;
        draft.backends[&id("slow")].enabled = true;
        draft.backends.insert(id("local"), backend("http://localhost:1234/v1"));
    });
    insta::assert_snapshot!(fixture.text(), @r###"
    # My settings, see the wiki.

    version = 1
    future = "kept" # unknown to this version

    [gateway]
    port    = 4301   # aligned on purpose
    # longer for reasoning
    first_token_timeout_ms = 120_000
    in_flight_max = 100

    # The fast one.
    [backends.fast] # first
    base_url = 'https://fast.example.com/v1' # literal quotes
    kind = "openai-compatible"
    note = "mine"

        # indented comment
    [backends.slow]
    base_url = "https://slow.example.com/v1"
    enabled = true

    [backends.slow.extra]
    a = 1

    [backends.local]
    label = "Local"
    kind = "openai-compatible"
    base_url = "http://localhost:1234/v1"
    enabled = true
    models = ["llama3:8b"]

    [appearance]
    theme = "system"
    # the end
    "###);
}

#[test]
fn a_reordered_backend_takes_its_comments_and_tables_along() {
    let fixture = SettingsFixture::new(Some(BY_HAND));
    let saved = fixture.edit(|draft| draft.backends.swap_indices(0, 1));
    assert_eq!(saved.backends.get_index(0).expect("first").0.as_str(), "slow");
    insta::assert_snapshot!(fixture.text(), @r###"
    # My settings, see the wiki.

    version = 1
    future = "kept" # unknown to this version

    [gateway]
    port    = 4_300   # aligned on purpose
    # longer for reasoning
    first_token_timeout_ms = 120_000

        # indented comment
    [backends.slow]
    base_url = "https://slow.example.com/v1"
    enabled = false

    [backends.slow.extra]
    a = 1

    # The fast one.
    [backends.fast] # first
    base_url = 'https://fast.example.com/v1' # literal quotes
    kind = "openai-compatible"
    note = "mine"

    [appearance]
    theme = "dark"
    # the end
    "###);
    fixture.edit(|draft| drop(draft.backends.shift_remove(&id("slow"))));
    assert!(!fixture.text().contains("slow"));
    assert!(fixture.text().contains("# The fast one."));
}

#[test]
fn inline_and_dotted_entries_are_edited_where_they_stand() {
    let text = "backends = { a = { base_url = \"https://a.test\" }, b = { base_url = \"https://b.test\" } }\ngateway.port = 4300 # dotted\n";
    let fixture = SettingsFixture::new(Some(text));
    let saved = fixture.edit(|draft| {
        draft.gateway.port = 4_301;
        draft.backends.swap_indices(0, 1);
        draft.backends[&id("a")].enabled = false;
        draft.backends.insert(id("c"), backend("https://c.test"));
    });
    let names: Vec<&str> = saved.backends.keys().map(BackendId::as_str).collect();
    assert_eq!(names, ["b", "a", "c"]);
    assert!(!saved.backends[&id("a")].enabled);
    assert!(fixture.text().contains("gateway.port = 4301 # dotted"), "{}", fixture.text());
}

#[test]
fn a_list_that_grows_keeps_the_comments_inside_it() {
    let text =
        "[backends.a]\nbase_url = \"https://a.test\"\nmodels = [\n  \"x\", # fast\n  \"y\",\n]\n";
    let fixture = SettingsFixture::new(Some(text));
    fixture.edit(|draft| draft.backends[&id("a")].models.push("z".to_owned()));
    assert!(fixture.text().contains("\"x\", # fast\n  \"y\", \"z\","), "{}", fixture.text());
    let saved = fixture.edit(|draft| drop(draft.backends[&id("a")].models.remove(0)));
    assert_eq!(saved.backends[&id("a")].models, ["y", "z"]);
}

#[test]
fn a_file_with_windows_line_ends_keeps_them() {
    let text = BY_HAND.replace('\n', "\r\n");
    let fixture = SettingsFixture::new(Some(&text));
    fixture.edit(|draft| draft.gateway.port = 4_301);
    assert_eq!(fixture.text(), text.replace("4_300", "4301"));
}

#[test]
fn an_edit_that_breaks_a_rule_writes_nothing() {
    let fixture = SettingsFixture::new(Some(BY_HAND));
    let check = |change: fn(&mut Settings), expected: &str| {
        let text = fixture.rejected(change);
        assert!(text.contains(expected), "{text}");
        assert_eq!(fixture.text(), BY_HAND);
        assert_eq!(fixture.store.current().gateway.port, 4_300);
    };
    check(|draft| draft.gateway.port = 0, "gateway.port: 0 is outside 1 to 65535");
    check(
        |draft| {
            drop(draft.backends.insert(id("local"), backend("http://127.0.0.1:11434/v1")));
            draft.gateway.port = 11_434;
        },
        "backends.local.base_url: this is the gateway's own address",
    );
    check(|draft| draft.gateway.in_flight_max = 301, "gateway.in_flight_max");
    check(|draft| draft.gateway.total_timeout_ms = u64::MAX, "gateway.total_timeout_ms");
    check(
        |draft| drop(draft.backends.insert(id("mock"), backend("https://a.test"))),
        "backends.mock",
    );
    check(
        |draft| drop(draft.backends.insert(id("up"), backend("http://169.254.169.254"))),
        "backends.up.base_url: this address is link-local",
    );
    check(
        |draft| {
            draft.backends[&id("fast")].pool =
                KeyPoolSettings::from_credential(CredentialId::new("nobody").ok());
        },
        "backends.fast.credential: there is no key with this name",
    );
    check(
        |draft| draft.backends[&id("fast")].label = "sk-proj-CANARY0123456789".to_owned(),
        "backends.fast.label: this looks like a secret",
    );
}

#[test]
fn how_a_backend_differs_is_written_where_it_does_and_kept_on_another_kind() {
    let fixture = SettingsFixture::new(Some("version = 1\n"));
    fixture.edit(|draft| {
        draft.backends.insert(id("plain"), backend("http://127.0.0.1:1/v1"));
        let differing = BackendSettings {
            lacks: BTreeSet::from([UnsupportedFeature::Images, UnsupportedFeature::StreamUsage]),
            offers: BTreeSet::from([ExtraDialect::Responses]),
            crossing: TranslationMode::Lenient,
            network: AllowedNetwork::Private,
            ..backend("http://127.0.0.1:2/v1")
        };
        draft.backends.insert(id("differing"), differing);
    });
    let text = fixture.text();
    let (plain, differing) = text.split_once("[backends.differing]").expect("both");
    for name in ["lacks", "offers", "crossing", "private_network"] {
        assert!(!plain.contains(name), "{text}");
    }
    for line in ["lacks = [\"stream-usage\", \"images\"]", "offers = [\"responses\"]"] {
        assert!(differing.contains(line), "{text}");
    }
    assert!(differing.contains("crossing = \"lenient\""), "{text}");
    assert!(differing.contains("private_network = true"), "{text}");
    fixture.edit(|draft| draft.backends[&id("differing")].kind = BackendKind::Anthropic);
    let warned: Vec<String> =
        fixture.store.problems().into_iter().map(|problem| problem.path).collect();
    assert_eq!(warned, ["backends.differing.lacks", "backends.differing.offers"]);
    assert!(fixture.text().contains("lacks = [\"stream-usage\", \"images\"]"));
    fixture.edit(|draft| draft.backends[&id("differing")].crossing = TranslationMode::Strict);
    assert!(!fixture.text().contains("crossing"), "{}", fixture.text());
}

#[test]
fn a_clients_scope_is_read_and_a_mistake_in_it_is_an_error() {
    let client = |lists: &str| {
        let head = format!(
            "[clients.tool]\ntoken_sha256 = \"{}\"\ncreated = 2026-01-31T09:30:00Z",
            "ab".repeat(32)
        );
        SettingsFixture::new(Some(&format!("{head}\n{lists}\n")))
    };
    let fixture = client("allow_models = [\"gpt-4o\", \"claude-*\"]\nallow_backends = [\"corp\"]");
    assert_eq!(fixture.store.state(), SettingsFileState::Valid);
    let scope = &fixture.store.current().clients[&ClientId::new("tool").expect("an id")].scope;
    assert_eq!(scope.models, ["gpt-4o", "claude-*"]);
    assert_eq!((scope.backends.as_slice(), scope.routes.len()), (&[id("corp")][..], 0));
    for lists in [
        "allow_models = []",
        "allow_models = \"gpt-4o\"",
        "allow_models = [5]",
        "allow_backends = [\"Not An Id\"]",
        "allow_routes = [\"\"]",
    ] {
        let fixture = client(lists);
        assert_eq!(fixture.store.state(), SettingsFileState::Invalid, "{lists}");
        let field = lists.split(' ').next().expect("a word");
        let path = &fixture.store.problems()[0].path;
        assert_eq!(*path, format!("clients.tool.{field}"));
    }
}

#[test]
fn a_refused_edit_says_why_in_its_own_words() {
    let fixture = SettingsFixture::new(None);
    let refused = fixture.store.edit(|draft| {
        draft.gateway.port = 1;
        Err::<(), _>("not today")
    });
    assert!(matches!(refused, Err(SettingsEditError::Refused("not today"))));
    assert_eq!(*fixture.store.current(), Settings::default());
}

#[test]
fn an_edit_is_made_to_what_the_file_says_now() {
    let fixture = SettingsFixture::new(Some(BY_HAND));
    let by_hand = BY_HAND.replace("'https://fast", "'https://faster");
    private_files::write_atomic(fixture.store.path(), by_hand.as_bytes()).expect("written");
    let saved = fixture.edit(|draft| draft.gateway.port = 4_301);
    assert_eq!(saved.backends[&id("fast")].base_url.host_str(), Some("faster.example.com"));
    assert_eq!(fixture.text(), by_hand.replace("4_300", "4301"));
}

#[test]
fn a_file_broken_while_we_run_keeps_the_last_valid_settings() {
    let fixture = SettingsFixture::new(Some(BY_HAND));
    private_files::write_atomic(fixture.store.path(), b"[gateway]\nport = \n").expect("written");
    assert_eq!(fixture.store.reload().expect("read"), SettingsFileState::Invalid);
    assert_eq!(fixture.store.current().gateway.port, 4_300);
    let refused = fixture.store.edit(|_| Ok::<_, Infallible>(()));
    assert!(matches!(refused, Err(SettingsEditError::Settings(SettingsError::Invalid { .. }))));
    private_files::write_atomic(fixture.store.path(), b"[gateway]\nport = 4400\n")
        .expect("written");
    assert_eq!(fixture.store.reload().expect("read"), SettingsFileState::Valid);
    assert_eq!(fixture.store.current().gateway.port, 4_400);
}

#[test]
fn a_reader_keeps_the_settings_it_began_with() {
    let fixture = SettingsFixture::new(None);
    let before = fixture.store.current();
    fixture.edit(|draft| draft.gateway.port = 4_301);
    assert_eq!((before.gateway.port, fixture.store.current().gateway.port), (4_283, 4_301));
}

#[test]
fn edits_from_several_threads_are_all_kept() {
    let fixture = SettingsFixture::new(None);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let fixture = &fixture;
            scope.spawn(move || {
                for number in 0..5 {
                    let name = id(&format!("b{thread}-{number}"));
                    fixture
                        .edit(|draft| drop(draft.backends.insert(name, backend("https://a.test"))));
                }
            });
        }
    });
    assert_eq!(fixture.store.current().backends.len(), 20);
    let again = SettingsStore::open(fixture.store.path()).expect("opens");
    assert_eq!(again.current(), fixture.store.current());
}

#[test]
fn a_folder_in_the_files_place_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = SettingsStore::open(folder.path()).expect_err("refused");
    assert!(matches!(&error, SettingsError::NotAFile { .. }));
    assert!(error.to_string().contains(&*folder.path().to_string_lossy()), "{error}");
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_in_the_files_place_is_refused_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("settings.toml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(made.success());
    let endless = folder.path().join("endless.toml");
    std::os::unix::fs::symlink("/dev/zero", &endless).expect("a link");
    for path in [pipe, endless] {
        let error = SettingsStore::open(&path).expect_err("refused");
        assert!(error.to_string().contains("is not a regular file"), "{error}");
    }
}

fn any_settings() -> impl Strategy<Value = Settings> {
    let name = "[a-z0-9][a-z0-9._-]{0,8}";
    let label = "[ -~äß€\"'#\\\\]{0,20}";
    let models = proptest::collection::btree_set("[a-z0-9/:.\"]{1,12}", 0..4);
    let time = 0_i64..4_000_000_000_000;
    let switches = (
        proptest::collection::btree_set(proptest::sample::select(UnsupportedFeature::ALL), 0..4),
        proptest::collection::btree_set(proptest::sample::select(ExtraDialect::ALL), 0..3),
        proptest::sample::select(TranslationMode::ALL),
    );
    let any_backend = (label, any::<bool>(), models, 1_u16..4_000, switches);
    let client = (any::<[u8; 32]>(), time.clone(), proptest::option::of(time));
    let backends = proptest::collection::btree_map(name, any_backend, 0..5);
    let clients = proptest::collection::btree_map(name, client, 0..4);
    (1_u16.., 1_usize..=300, any::<bool>(), backends, clients).prop_map(
        |(port, in_flight_max, enabled, backends, clients)| {
            let mut settings = Settings::default();
            settings.gateway.port = port.max(4_001);
            settings.gateway.in_flight_max = in_flight_max;
            settings.notifications.enabled = enabled;
            settings.vault.kind = VaultKind::File;
            for (name, (label, enabled, models, port, switches)) in backends {
                let url = format!("http://127.0.0.1:{port}/v1");
                let models = models.into_iter().collect();
                let (lacks, offers, crossing) = switches;
                let one = BackendSettings {
                    label,
                    enabled,
                    models,
                    lacks,
                    offers,
                    crossing,
                    ..backend(&url)
                };
                settings.backends.insert(id(&name), one);
            }
            for (name, (hash, created, expires)) in clients {
                let client = ClientSettings {
                    token_sha256: TokenSha256::new(hash),
                    created: WallTime::from_unix_ms(created),
                    expires: expires.map(WallTime::from_unix_ms),
                    limits: TrafficLimits::default(),
                    cache: None,
                    priority: ClientPriority::default(),
                    mcp: true,
                    blocked: true,
                    reads_metrics: false,
                    project: Some("website".to_owned()),
                    scope: ClientScope {
                        models: vec!["gpt-4o".to_owned(), "claude-*".to_owned()],
                        backends: vec![id("local")],
                        routes: vec![RouteId::new("fast").expect("an id")],
                    },
                    switched_to: Some(ClientTarget::Backend(id("mock"))),
                };
                settings.clients.insert(ClientId::new(name).expect("an id"), client);
            }
            settings.backends.shift_remove(&id("mock"));
            settings
        },
    )
}

fn any_route() -> impl Strategy<Value = RouteSettings> {
    let text = "[a-z*/:. \"]{1,10}";
    let slug = "[a-z0-9][a-z0-9._-]{0,6}";
    let names = || proptest::collection::btree_set(text, 0..3);
    let clients = proptest::collection::btree_set(slug, 0..3);
    let candidate = ((slug, proptest::option::of(text)), 0_u16..=1_000);
    let candidates = proptest::collection::btree_map(candidate.0, candidate.1, 1..5);
    let words = (
        proptest::sample::select(RoutePolicy::ALL),
        proptest::option::of(proptest::sample::select(TranslationMode::ALL)),
        proptest::option::of(proptest::sample::select(CacheMode::ALL)),
    );
    let numbers = (any::<bool>(), 0_u8..=100, 0_u8..=100, 0_u32..=86_400);
    (names(), clients, names(), words, numbers, candidates).prop_map(
        |(models, clients, projects, (policy, crossing, cache), numbers, candidates)| {
            let (enabled, latency, cost, sticky_secs) = numbers;
            let candidates = candidates.into_iter().map(|((backend, model), weight)| {
                RouteCandidateSettings { backend: id(&backend), model, weight }
            });
            let mut models: Vec<String> = models.into_iter().collect();
            if models.is_empty() {
                models.push("other".to_owned());
            }
            RouteSettings {
                enabled,
                clients: clients.into_iter().filter_map(|id| ClientId::new(id).ok()).collect(),
                projects: projects.into_iter().collect(),
                policy,
                weights: BalanceSettings { latency, cost, ..BalanceSettings::default() },
                sticky_secs,
                crossing,
                cache,
                objective: OwnObjective {
                    goal: enabled.then_some(ServiceGoal::Percent99_5),
                    ..OwnObjective::default()
                },
                ..RouteSettings::new(models, candidates.collect())
            }
        },
    )
}

/// Any routing settings: routes in any order, numbers, cache, pools, limits.
fn any_routing() -> impl Strategy<Value = Settings> {
    let routes = proptest::collection::vec(("[a-z][a-z0-9]{0,4}", any_route()), 0..5);
    let preset = proptest::sample::select(ResiliencePreset::ALL);
    let keys = proptest::collection::btree_map("[a-z][a-z0-9]{0,4}", 0_u16..=1_000, 0..4);
    let order = proptest::sample::select(PoolOrder::ALL);
    let limit = || proptest::option::of(1_u32..=100_000);
    let cache = (any::<bool>(), 1_048_576_u64..=1_073_741_824, proptest::option::of(1_u16..));
    let numbers = (0_u32..=20, proptest::option::of(0_u32..=20));
    (routes, preset, numbers, keys, order, (limit(), limit()), cache).prop_map(
        |(routes, preset, (reserve, row), keys, order, limits, cache)| {
            let mut settings = Settings::default();
            settings.routes.extend(
                routes.into_iter().map(|(name, it)| (RouteId::new(name).expect("an id"), it)),
            );
            settings.resilience.preset = preset;
            settings.resilience.custom.retry_reserve = reserve;
            settings.resilience.custom.failures_in_a_row = row.unwrap_or(3).max(1);
            let (enabled, memory_bytes_max, port) = cache;
            let url = port.map(|port| format!("rediss://cache.test:{port}/0"));
            settings.cache = CacheSettings {
                enabled,
                memory_bytes_max,
                redis_url: url.map(|url| url.parse().expect("a URL")),
                ..CacheSettings::default()
            };
            let mut up = backend("https://up.test/v1");
            let (requests_per_minute, tokens_per_minute) = limits;
            up.limits =
                TrafficLimits { requests_per_minute, tokens_per_minute, in_flight_max: None };
            up.pool.order = order;
            for (name, weight) in keys {
                let credential = CredentialId::new(name).expect("an id");
                let known = CredentialSettings {
                    label: "A key".to_owned(),
                    origin: None,
                    tail: None,
                    created: WallTime::from_unix_ms(0),
                    replaced: None,
                    expires: None,
                    note: (weight % 5 == 0).then(|| "of the \"team\",\nuntil spring".to_owned()),
                    billing: None,
                    oauth: (weight % 2 == 0).then(|| OAuthSettings {
                        token_url: "https://login.test/token".parse().expect("a URL"),
                        client_id: "app-1".to_owned(),
                        grant: if weight % 4 == 0 {
                            OAuthGrant::ClientCredentials
                        } else {
                            OAuthGrant::RefreshToken
                        },
                        scope: (weight % 3 == 0).then(|| "models.read offline".to_owned()),
                    }),
                };
                settings.credentials.insert(credential.clone(), known);
                up.pool.members.push(PoolMemberSettings { credential, weight });
            }
            settings.backends.insert(id("up"), up);
            settings.services.insert("store".parse().expect("an id"), store(requests_per_minute));
            settings
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Between any two settings, over a file with comments: the file reads back as the new
    /// settings, in order; comments on unchanged entries stay, and a repeated edit changes nothing.
    #[test]
    fn any_edit_reads_back_as_it_was_meant(one in any_settings(), two in any_settings()) {
        let fixture = SettingsFixture::new(Some("# mine\nversion = 1\n\n# door\n[gateway] # in\nport = 5000 # p\n"));
        for target in [&one, &two, &two, &one] {
            fixture.edit(|draft| *draft = target.clone());
            let again = SettingsStore::open(fixture.store.path()).expect("opens");
            let read = again.current();
            prop_assert_eq!(&*read, target);
            prop_assert!(read.backends.keys().eq(target.backends.keys()));
            let text = fixture.text();
            for comment in ["# mine\n", "# door\n[gateway] # in\n", " # p\n"] {
                prop_assert!(text.contains(comment), "{} lost:\n{}", comment, text);
            }
        }
        let before = fixture.text();
        fixture.edit(|_| {});
        prop_assert_eq!(before, fixture.text());
    }

    /// The same for routes and related settings, over a file with handwritten forms.
    #[test]
    fn any_edit_of_routes_reads_back_as_it_was_meant(one in any_routing(), two in any_routing()) {
        let fixture = SettingsFixture::new(Some(ROUTES_BY_HAND));
        for target in [&one, &two, &two, &one] {
            fixture.edit(|draft| *draft = target.clone());
            let again = SettingsStore::open(fixture.store.path()).expect("opens");
            let read = again.current();
            prop_assert_eq!(&*read, target);
            prop_assert!(read.routes.keys().eq(target.routes.keys()), "{}", fixture.text());
            prop_assert!(fixture.text().contains("# mine\n"));
        }
    }
}

/// All forms that we never write.
const ROUTES_BY_HAND: &str = r#"# mine
version = 1

[credentials]
a = { created = 2026-01-31T09:30:00Z }

[backends.up]
base_url = "https://up.test/v1"
credentials = ["a"]

[resilience]
preset = "balanced"
retry_reserve = 3

[routes.a]
models = ["a"]
enabled = true
sticky_secs = 600
[routes.a.weights]
latency = 10
[[routes.a.candidates]]
backend = "up" # first
[[routes.a.candidates]]
backend = "down"
weight = 1
"#;

/// A service with every field, or with none but those it must have.
fn store(filled: Option<u32>) -> ServiceSettings {
    let is_filled = filled.is_some();
    let address = "https://store.test/health";
    ServiceSettings {
        label: "Store".to_owned(),
        kind: ServiceKind::Http,
        address: ServiceAddress::parse(ServiceKind::Http, address, 1).expect("an address"),
        credential: None,
        required: is_filled,
        enabled: !is_filled,
        network: if is_filled { AllowedNetwork::Private } else { AllowedNetwork::Public },
        http: HttpExpectation {
            method: ServiceMethod::Get,
            status: is_filled.then_some(204),
            contains: is_filled.then(|| "is \"well\"".to_owned()),
            key_header: is_filled.then(|| "x-key".to_owned()),
        },
        scopes: Vec::new(),
        objective: match is_filled {
            true => OwnObjective { goal: Some(ServiceGoal::Percent99), ..OwnObjective::default() },
            false => OwnObjective::default(),
        },
    }
}
