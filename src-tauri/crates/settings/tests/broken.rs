//! Over twenty ways to break the file by hand: each is found, reported with its field, and never
//! quotes a secret.

#![expect(clippy::expect_used, reason = "a fixture that cannot be made fails its test")]

mod fixture;

use settings::{FileProblem, SettingsError, SettingsFileState, Severity};

use fixture::open;

const KEY: &str = "sk-proj-CANARY0123456789abcdef";
const CREATED: &str = "created = 2026-01-31T09:30:00Z";

/// A key and a backend; the next line continues the backend.
const PAIR: &str = "[credentials.k]\ncreated = 2026-01-31T09:30:00Z\n\n[backends.up]\n\
                    base_url = \"https://api.example.com/v1\"\n";

fn problems(text: &str) -> Vec<FileProblem> {
    open(text).1.problems()
}

fn backend(lines: &str) -> String {
    format!("[backends.up]\nbase_url = \"https://api.example.com/v1\"\n{lines}\n")
}

fn service(kind: &str, address: &str, lines: &str) -> String {
    format!("[services.s]\nkind = \"{kind}\"\naddress = {address}\n{lines}\n")
}

#[test]
fn each_mistake_is_found_at_its_field() {
    use Severity::{Error, Warning};
    let hash = "ab".repeat(32);
    let client = format!("token_sha256 = \"{hash}\"\n{CREATED}\n");
    let url = |url: &str| format!("[backends.up]\nbase_url = \"{url}\"\n");
    let web = |lines: &str| service("http", "\"https://a.test\"", lines);
    let rows: Vec<(String, Severity, &str, usize)> = vec![
        ("[gateway\nport = 1".into(), Error, "", 1),
        ("[gateway]\nport = ".into(), Error, "", 2),
        ("[gateway]\nport = 1\nport = 2".into(), Error, "", 3),
        ("version = 2\nfuture = 1".into(), Error, "version", 1),
        ("version = 0".into(), Error, "version", 1),
        ("gateway = 3".into(), Error, "gateway", 1),
        ("[gatway]\nport = 4000".into(), Warning, "gatway", 1),
        ("[gateway]\nprot = 4000".into(), Warning, "gateway.prot", 2),
        ("[gateway]\nport = 70000".into(), Error, "gateway.port", 2),
        ("[gateway]\nport = \"4283\"".into(), Error, "gateway.port", 2),
        ("[gateway]\nport = 1.5".into(), Error, "gateway.port", 2),
        ("[gateway]\nin_flight_max = 301".into(), Error, "gateway.in_flight_max", 2),
        ("[gateway]\nbody_bytes_max = 67108865".into(), Error, "gateway.body_bytes_max", 2),
        (
            "[gateway]\nfirst_token_timeout_ms = 2001\ntotal_timeout_ms = 2000".into(),
            Warning,
            "gateway.total_timeout_ms",
            3,
        ),
        ("[health]\ninterval_secs = 4".into(), Error, "health.interval_secs", 2),
        ("[ledger]\nretention_days = 0".into(), Error, "ledger.retention_days", 2),
        ("[ledger]\ncommit_wait_ms = 9".into(), Error, "ledger.commit_wait_ms", 2),
        ("[notifications]\nenabled = \"yes\"".into(), Error, "notifications.enabled", 2),
        ("[appearance]\ntheme = \"drak\"".into(), Error, "appearance.theme", 2),
        ("[vault]\nkind = \"plain\"".into(), Error, "vault.kind", 2),
        ("[backends.up]\nlabel = \"Up\"".into(), Error, "backends.up.base_url", 1),
        ("[views.slow]".into(), Error, "views.slow.query", 1),
        ("[views.slow]\nquery = 5".into(), Error, "views.slow.query", 2),
        (
            format!("[views.slow]\nquery = \"{}\"", "x".repeat(settings::VIEW_QUERY_CHARS_MAX + 1)),
            Error,
            "views.slow.query",
            2,
        ),
        (
            (0..=settings::VIEWS_MAX).map(|n| format!("views.v{n}.query = \"a\"\n")).collect(),
            Error,
            "views",
            1,
        ),
        ("[profile]\nactive = \"work\"".into(), Error, "profile.active", 2),
        ("[profile]\nactive = \"Work!\"".into(), Error, "profile.active", 2),
        ("[profiles.work]\nbackends = \"up\"".into(), Error, "profiles.work.backends", 2),
        ("[profiles.work]\nbackends = [\"gone\"]".into(), Warning, "profiles.work.backends", 2),
        ("[profiles.work]\nbackends = [\"a b\"]".into(), Warning, "profiles.work.backends", 2),
        ("[profiles.work]\nroutes = []".into(), Warning, "profiles.work.routes", 2),
        (
            (0..=settings::PROFILES_MAX)
                .map(|n| format!("profiles.p{n}.backends = []\n"))
                .collect(),
            Error,
            "profiles",
            1,
        ),
        ("[pins.spend]".into(), Error, "pins.spend.measure", 1),
        ("[pins.spend]\nmeasure = \"coast\"".into(), Error, "pins.spend.measure", 2),
        ("[pins.spend]\nmeasure = \"cost\"\nrange = 7".into(), Error, "pins.spend.range", 3),
        ("[pins.spend]\nmeasure = \"cost\"\nproject = 1".into(), Error, "pins.spend.project", 3),
        ("[pins.spend]\nmeasure = \"cost\"\nteam = \"a\"".into(), Warning, "pins.spend.team", 3),
        (
            "[pins.fast]\nmeasure = \"first_token_p95\"\nclient = \"a\"".into(),
            Error,
            "pins.fast.measure",
            2,
        ),
        (
            (0..=settings::PINS_MAX).map(|n| format!("pins.p{n}.measure = \"cost\"\n")).collect(),
            Error,
            "pins",
            1,
        ),
        ("[services.s]\naddress = \"a.test:1\"".into(), Error, "services.s.kind", 1),
        ("[services.s]\nkind = \"ftp\"".into(), Error, "services.s.kind", 2),
        (service("tcp", "\"a.test\"", ""), Error, "services.s.address", 3),
        (service("tcp", "\"169.254.169.254:80\"", ""), Error, "services.s.address", 3),
        (service("tcp", "\"localhost:4283\"", ""), Error, "services.s.address", 3),
        (service("tcp", "5432", ""), Error, "services.s.address", 3),
        (service("http", "\"http://a.test\"", ""), Error, "services.s.address", 3),
        (
            service("http", &format!("\"https://u:{KEY}@a.test\""), ""),
            Error,
            "services.s.address",
            3,
        ),
        (service("tcp", "\"a.test:1\"", "status = 200"), Error, "services.s.status", 4),
        (service("tcp", "\"a.test:1\"", "credential = \"k\""), Error, "services.s.credential", 4),
        (web("status = 99"), Error, "services.s.status", 4),
        (web("method = \"POST\""), Error, "services.s.method", 4),
        (web("method = \"HEAD\"\ncontains = \"ok\""), Error, "services.s.contains", 5),
        (web("key_header = \"Content-Length\""), Error, "services.s.key_header", 4),
        (web("scopes = [\"repo\"]"), Error, "services.s.scopes", 4),
        (web("credential = \"nobody\""), Error, "services.s.credential", 4),
        (web("wanted = true"), Warning, "services.s.wanted", 4),
        (
            web(&format!("contains = \"{}\"", "x".repeat(settings::SERVICE_TEXT_CHARS_MAX + 1))),
            Error,
            "services.s.contains",
            4,
        ),
        (
            (0..=settings::SERVICES_MAX)
                .map(|n| format!("[services.s{n}]\nkind = \"tcp\"\naddress = \"a.test:1\"\n"))
                .collect(),
            Error,
            "services",
            1,
        ),
        (url("http://api.example.com"), Error, "backends.up.base_url", 2),
        (url("http://169.254.169.254"), Error, "backends.up.base_url", 2),
        (url("http://localhost:4283/v1"), Error, "backends.up.base_url", 2),
        (url("http://192.168.1.2/v1"), Warning, "backends.up.base_url", 2),
        (url("https://a.test/v1/chat/completions"), Warning, "backends.up.base_url", 2),
        (url(&format!("https://a.test/v1?key={KEY}")), Error, "backends.up.base_url", 2),
        (backend("kind = \"opnai\""), Error, "backends.up.kind", 3),
        (backend("kind = \"mock\""), Error, "backends.up.kind", 3),
        (backend("credential = \"nobody\""), Error, "backends.up.credential", 3),
        (backend("credentials = \"a\""), Error, "backends.up.credentials", 3),
        (backend("credentials = [\"nobody\"]"), Error, "backends.up.credentials", 3),
        (backend("credentials = [3]"), Error, "backends.up.credentials", 3),
        (backend("credentials = [{ weight = 2 }]"), Error, "backends.up.credentials", 3),
        (backend("credentials = [\"No One\"]"), Error, "backends.up.credentials", 3),
        (backend("pool = \"random\""), Error, "backends.up.pool", 3),
        (backend("requests_per_minute = 0"), Error, "backends.up.requests_per_minute", 3),
        (backend("in_flight_max = 301"), Error, "backends.up.in_flight_max", 3),
        (format!("{PAIR}credentials = [\"k\", \"k\"]"), Warning, "backends.up.credentials", 6),
        (
            format!("{PAIR}credentials = [{{ id = \"k\", weight = 1001 }}]"),
            Error,
            "backends.up.credentials",
            6,
        ),
        (
            format!("{PAIR}credentials = [{{ id = \"k\", wieght = 2 }}]"),
            Warning,
            "backends.up.credentials",
            6,
        ),
        (
            format!("{PAIR}credential = \"k\"\ncredentials = [\"k\"]"),
            Error,
            "backends.up.credential",
            6,
        ),
        (
            format!("{PAIR}pool = \"weighted\"\ncredentials = [{{ id = \"k\", weight = 0 }}]"),
            Warning,
            "backends.up.credentials",
            7,
        ),
        ("[gateway]\nqueue_max = 1001".into(), Error, "gateway.queue_max", 2),
        ("[gateway]\nqueue_wait_ms = 9".into(), Error, "gateway.queue_wait_ms", 2),
        ("[resilience]\npreset = \"brave\"".into(), Error, "resilience.preset", 2),
        ("[resilience]\nattempts_max = 4".into(), Error, "resilience.attempts_max", 2),
        ("[resilience]\nfailures = 4".into(), Warning, "resilience.failures", 2),
        ("[resilience]\nopen_ms_first = 60001".into(), Error, "resilience.open_ms_first", 2),
        (
            "[resilience]\nretry_ms_max = 400\nretry_ms_first = 401".into(),
            Error,
            "resilience.retry_ms_max",
            2,
        ),
        ("[cache]\nttl_secs = 0".into(), Error, "cache.ttl_secs", 2),
        ("[cache]\nmemory_bytes_max = 1048576".into(), Warning, "cache.entry_bytes_max", 1),
        ("[cache]\nredis_url = \"http://a.test\"".into(), Error, "cache.redis_url", 2),
        ("[cache]\nredis_url = \"redis://:pw@127.0.0.1\"".into(), Error, "cache.redis_url", 2),
        ("[cache]\nredis_url = \"redis://a.test\"".into(), Warning, "cache.redis_url", 2),
        ("[cache]\nredis_credential = \"no\"".into(), Error, "cache.redis_credential", 2),
        (format!("[clients.c]\n{client}priority = \"low\""), Error, "clients.c.priority", 4),
        (format!("[clients.c]\n{client}cache = true"), Error, "clients.c.cache", 4),
        (
            format!("[clients.c]\n{client}tokens_per_minute = -1"),
            Error,
            "clients.c.tokens_per_minute",
            4,
        ),
        (backend("models = \"gpt-4o\""), Error, "backends.up.models", 3),
        (backend("models = [\"a\", \"a\"]"), Warning, "backends.up.models", 3),
        (backend("models = [3]"), Error, "backends.up.models", 3),
        (backend("lacks = [\"tols\"]"), Error, "backends.up.lacks", 3),
        (backend("lacks = \"tools\""), Error, "backends.up.lacks", 3),
        (backend("lacks = [\"tools\", 1]"), Error, "backends.up.lacks", 3),
        (backend("kind = \"openai\"\nlacks = [\"tools\"]"), Warning, "backends.up.lacks", 4),
        (backend("offers = [\"embeddings\"]"), Error, "backends.up.offers", 3),
        (backend("crossing = \"lax\""), Error, "backends.up.crossing", 3),
        (backend(&format!("lacks = [\"{KEY}\"]")), Error, "backends.up.lacks", 3),
        (backend(&format!("api_key = \"{KEY}\"")), Error, "backends.up.api_key", 3),
        (backend("token = \"short\""), Error, "backends.up.token", 3),
        (backend(&format!("label = \"{KEY}\"")), Error, "backends.up.label", 3),
        (backend(&format!("# {KEY}")), Error, "", 3),
        ("[backends.mock]\nbase_url = \"https://a.test\"".into(), Error, "backends.mock", 1),
        (
            "[backends.\"My Up\"]\nbase_url = \"https://a.test\"".into(),
            Error,
            "backends.\"My Up\"",
            1,
        ),
        ("[backends]\nup = 1".into(), Error, "backends.up", 2),
        ("[credentials.k]\nlabel = \"K\"".into(), Error, "credentials.k.created", 1),
        (format!("[credentials.k]\n{CREATED}\ntail = \"12345\""), Error, "credentials.k.tail", 3),
        (format!("[credentials.k]\n{CREATED}\norigin = \"x\""), Error, "credentials.k.origin", 3),
        (
            format!("[credentials.k]\n{CREATED}\nclient_id = \"a\""),
            Error,
            "credentials.k.token_url",
            1,
        ),
        (
            format!(
                "[credentials.k]\n{CREATED}\nclient_id = \"a\"\ntoken_url = \"http://a.test/t\""
            ),
            Error,
            "credentials.k.token_url",
            4,
        ),
        (
            format!(
                "[credentials.k]\n{CREATED}\ntoken_url = \"https://a.test/t\"\nclient_id = \"\""
            ),
            Error,
            "credentials.k.client_id",
            4,
        ),
        ("[credentials.k]\ncreated = 2026-01-31".into(), Error, "credentials.k.created", 2),
        (format!("[clients.c]\n{CREATED}"), Error, "clients.c.token_sha256", 1),
        (
            format!("[clients.c]\n{CREATED}\ntoken_sha256 = \"ab\""),
            Error,
            "clients.c.token_sha256",
            3,
        ),
        (
            format!("[clients.c]\n{CREATED}\ntoken_sha256 = \"{}\"", "zz".repeat(32)),
            Error,
            "clients.c.token_sha256",
            3,
        ),
        (format!("[clients.c]\n{client}[clients.d]\n{client}"), Error, "clients.d.token_sha256", 5),
    ];
    assert!(rows.len() >= 20);
    let mut repaired = 0;
    for (text, severity, path, line) in rows {
        let found = problems(&text);
        assert!(!found.is_empty() && found.iter().all(|it| it.path == path), "{text}\n{found:#?}");
        let problem = &found[0];
        let got = (problem.severity, problem.path.as_str(), problem.line);
        assert_eq!(got, (severity, path, Some(line)), "{text}\n{problem}");
        assert!(!problem.what.is_empty() && !problem.hint.is_empty(), "{text}");
        assert!(!format!("{found:?}{problem}").contains("CANARY"), "{problem}");
        repaired += usize::from(problem.fix.is_some());
        check_fix(&text, path);
    }
    assert!(repaired >= 20, "{repaired} rows have a repair");
}

/// A repair of the problem at `path` ends it, and its undo leads to the same text.
fn check_fix(text: &str, path: &str) {
    let (_folder, store) = open(text);
    let Some(_) = store.proposed_fix() else { return };
    let steps: Vec<_> = store.problems().into_iter().filter(|it| it.fix.is_some()).collect();
    let applied = store.apply_fix().expect("applied");
    let left = store.problems();
    for step in steps {
        let is_same = |it: &FileProblem| it.path == path && it.what == step.what;
        assert!(!left.iter().any(is_same), "{text}\n{left:#?}");
    }
    store.undo_fix(&applied).expect("undone");
    assert_eq!(std::fs::read_to_string(store.path()).expect("read"), text);
}

#[test]
fn a_whole_shorter_than_the_default_wait_for_a_first_token_is_no_mistake() {
    let shorter = settings::GatewaySettings::default().first_token_timeout_ms - 1;
    assert_eq!(problems(&format!("[gateway]\ntotal_timeout_ms = {shorter}")), []);
}

#[test]
fn one_reading_names_every_problem_and_a_syntax_error_names_its_column() {
    let found =
        problems("[gateway]\nport = 0\nin_flight_max = 0\n[health]\ninterval_secs = true\n");
    let lines: Vec<Option<usize>> = found.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [Some(2), Some(3), Some(5)]);
    let found = problems(&format!("[gateway]\nkey = {KEY}\n"));
    assert_eq!((found[0].line, found[0].column), (Some(2), Some(7)));
    assert!(!found[0].to_string().contains("CANARY"), "{}", found[0]);
}

#[test]
fn a_key_of_another_host_is_a_warning_at_the_backend() {
    let credential = format!("[credentials.k]\n{CREATED}\norigin = \"https://other.test\"\n");
    let found = problems(&format!("{}{credential}", backend("credential = \"k\"")));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].severity, &*found[0].path), (Severity::Warning, "backends.up.credential"));
    let same = credential.replace("other.test", "api.example.com:443");
    assert_eq!(problems(&format!("{}{same}", backend("credential = \"k\""))), []);
}

#[test]
fn a_file_is_read_up_to_its_limit_and_only_as_text() {
    let limit = usize::try_from(settings::FILE_BYTES_MAX).expect("fits");
    let padded = |bytes: usize| format!("#{}\n", "x".repeat(bytes - 2));
    assert_eq!(open(&padded(limit)).1.state(), SettingsFileState::Valid);
    let (_folder, store) = open(&padded(limit + 1));
    assert_eq!(store.state(), SettingsFileState::Invalid);
    assert!(store.problems()[0].what.contains("1048576"));
    private_files::write_atomic(store.path(), b"label = \"\xff\"").expect("written");
    assert_eq!(store.reload().expect("read"), SettingsFileState::Invalid);
    assert!(store.problems()[0].what.contains("UTF-8"));
}

#[test]
fn a_broken_file_opens_with_defaults_and_refuses_edits() {
    let text = "[gateway]\nport = 0 # mine\n";
    let (_folder, store) = open(text);
    assert_eq!(store.state(), SettingsFileState::Invalid);
    assert_eq!(*store.current(), settings::Settings::default());
    let refused = store.edit(|draft| {
        draft.gateway.port = 5_000;
        Ok::<_, std::convert::Infallible>(())
    });
    let Err(settings::SettingsEditError::Settings(error @ SettingsError::Invalid { .. })) = refused
    else {
        panic!("{refused:?}")
    };
    assert!(error.to_string().contains("gateway.port: 0 is outside 1 to 65535"), "{error}");
    assert_eq!(std::fs::read_to_string(store.path()).expect("read"), text);
}

#[test]
fn an_unknown_word_is_refused_with_the_known_ones_and_repaired_where_one_was_meant() {
    let (_folder, store) = open(&backend("lacks = [\"tools\", \"image\"]"));
    let found = store.problems();
    assert_eq!(
        found[0].to_string(),
        "line 3: backends.up.lacks: \"image\" is not one of the allowed values; write a list with any of: stream-usage, developer-role, max-completion-tokens, parallel-tool-calls, \
         reasoning-effort, json-schema, tools, images"
    );
    let fix = found[0].fix.as_deref();
    assert_eq!(fix, Some("set backends.up.lacks to [\"tools\", \"images\"]"));
    let (_folder, store) = open(&backend("kind = \"antropic\""));
    let hint = "use one of: openai, anthropic, gemini, openai-compatible, ollama";
    assert_eq!(store.problems()[0].hint, hint);
}

#[test]
fn the_fix_is_shown_as_a_diff_then_made_then_undone() {
    let text = "\
# mine
[gatway] # the door
prot = \"4300\" # not 4283
[backends.Up] # first
# the address
base_url = \"api.example.com/v1\"
kind = \"opnai\"
[health]
interval_secs = 1
";
    let (folder, store) = open(text);
    let fix = store.proposed_fix().expect("a fix");
    insta::assert_snapshot!(fix.diff, @r###"
    --- settings.toml
    +++ settings.toml (repaired)
    @@ -1,9 +1,9 @@
     # mine
    -[gatway] # the door
    -prot = "4300" # not 4283
    -[backends.Up] # first
    +[gateway] # the door
    +port = 4300 # not 4283
    +[backends.up] # first
     # the address
    -base_url = "api.example.com/v1"
    -kind = "opnai"
    +base_url = "https://api.example.com/v1"
    +kind = "openai"
     [health]
    -interval_secs = 1
    +interval_secs = 5
    "###);
    insta::assert_debug_snapshot!(fix.steps, @r###"
    [
        "rename gatway to gateway",
        "rename backends.Up to up",
        "set health.interval_secs to 5",
        "rename gateway.prot to port",
        "set backends.up.base_url to \"https://api.example.com/v1\"",
        "set backends.up.kind to \"openai\"",
        "set gateway.port to 4300",
    ]
    "###);
    let applied = store.apply_fix().expect("applied");
    assert_eq!(std::fs::read_to_string(&applied.backup).expect("backup"), text);
    insta::assert_snapshot!(std::fs::read_to_string(store.path()).expect("read"), @r###"
    # mine
    [gateway] # the door
    port = 4300 # not 4283
    [backends.up] # first
    # the address
    base_url = "https://api.example.com/v1"
    kind = "openai"
    [health]
    interval_secs = 5
    "###);
    store.undo_fix(&applied).expect("undone");
    assert_eq!(std::fs::read_to_string(store.path()).expect("read"), text);
    assert!(matches!(store.undo_fix(&applied), Err(SettingsError::Changed { .. })));
    assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 2);
}

#[test]
fn a_fix_is_for_the_file_that_was_shown_and_shows_no_key() {
    let password = "password = \"hunter2-CANARY\"";
    let text = format!("# {KEY}\n[gateway]\n{password}\nport = \"4300\"\n");
    let (_folder, store) = open(&text);
    let fix = store.proposed_fix().expect("a fix");
    assert!(fix.diff.contains("+port = 4300") && !fix.diff.contains("CANARY"), "{}", fix.diff);
    assert!(fix.diff.contains("password = \"…\""), "{}", fix.diff);
    assert!(!format!("{store:?}").contains("CANARY"));
    assert_eq!(fix.errors_left, 2);
    private_files::write_atomic(store.path(), b"[gateway]\nport = \"4301\"\n").expect("written");
    assert!(matches!(store.apply_fix(), Err(SettingsError::Changed { .. })));
    assert!(store.apply_fix().is_ok());
    assert_eq!(store.current().gateway.port, 4_301);
    assert!(matches!(store.apply_fix(), Err(SettingsError::NothingToFix)));
}

#[test]
fn every_limit_holds_at_its_last_value_and_not_one_past_it() {
    use settings as limits;
    let check = |text: &dyn Fn(usize) -> String, limit: usize, path: &str| {
        assert_eq!(problems(&text(limit)), [], "{path} at {limit}");
        let found = problems(&text(limit + 1));
        assert!(found.len() == 1 && found[0].path == path, "{path} past {limit}: {found:#?}");
    };
    let numbers: Vec<_> =
        limits::Settings::table().into_iter().filter(|setting| setting.range.is_some()).collect();
    let range = |setting: &limits::Setting| setting.range.clone().expect("a range");
    // The numbers that bound others of their section, at their most.
    let wide = |section: &str, but: &str| -> String {
        let names = [
            "memory_bytes_max",
            "open_ms_max",
            "cooldown_ms_max",
            "quota_secs_max",
            "retry_ms_max",
        ];
        let is_wide = |it: &&&limits::Setting| {
            it.path.starts_with(section) && names.contains(&it.name) && it.name != but
        };
        let bounds = numbers.iter().filter(is_wide);
        bounds.map(|it| format!("{} = {}\n", it.name, range(it).end())).collect()
    };
    assert!(numbers.len() > 40, "{}", numbers.len());
    for setting in &numbers {
        let (section, name) = setting.path.split_once('.').expect("a section");
        let text = |value: i64| format!("[{section}]\n{}{name} = {value}\n", wide(section, name));
        let (low, high) = range(setting).into_inner();
        check(
            &|value| text(i64::try_from(value).expect("fits")),
            usize::try_from(high).expect("fits"),
            setting.path,
        );
        assert!(!problems(&text(low - 1)).is_empty(), "{name} below its range");
        let default = setting.default_value();
        assert!(
            matches!(default, limits::SettingValue::Number(it) if (low..=high).contains(&it)),
            "{name}"
        );
    }
    let label = |length| backend(&format!("label = \"{}\"", "ü".repeat(length)));
    check(&label, limits::LABEL_CHARS_MAX, "backends.up.label");
    let model = |length| backend(&format!("models = [\"{}\"]", "m".repeat(length)));
    check(&model, limits::MODEL_CHARS_MAX, "backends.up.models");
    let models = |count| {
        let names: Vec<String> = (0..count).map(|n| format!("\"m{n}\"")).collect();
        backend(&format!("models = [{}]", names.join(",")))
    };
    check(&models, limits::MODELS_PER_BACKEND_MAX, "backends.up.models");
    let entries = |count| -> String {
        (0..count).map(|n| format!("[backends.b{n}]\nbase_url = \"https://a.test\"\n")).collect()
    };
    check(&entries, limits::ENTRIES_MAX, "backends");
}

#[test]
fn old_backups_are_never_overwritten() {
    let text = "[gateway]\nport = \"4300\"\n";
    let (_folder, store) = open(text);
    for number in 1..=99 {
        let backup = store.path().with_extension(format!("before-fix-{number}.toml"));
        private_files::write_atomic(&backup, b"precious").expect("written");
    }
    assert!(matches!(store.apply_fix(), Err(SettingsError::Write { .. })));
    assert_eq!(std::fs::read_to_string(store.path()).expect("read"), text);
}
