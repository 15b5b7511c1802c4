//! Each built-in check against scripted facts: its status, its cause and its fix.

use std::net::SocketAddr;
use std::sync::Mutex;

use async_trait::async_trait;
use domain::NanoUsd;

use crate::check::{CheckId, CheckOutcome, CheckSeverity, CheckStatus, FixAction};
use crate::environment::{
    AlertChannelFacts, BackendModelFacts, ChannelTestFacts, ChannelTestResult, ConnectedToolFacts,
    CredentialFacts, DataFolderFacts, DegradedFacts, GatewayCall, GatewayReply, LedgerFacts,
    LedgerProblemFacts, PaidBackendFacts, PlainKeyFacts, PriceFacts, ProblemSeverity, ServedFacts,
    ServingBackend, SettingsProblem, SimulatedCaller, VaultFacts, VaultTestResult,
};
use crate::plan::Plan;

use super::*;

/// Facts of a healthy machine; each test changes the ones it is about.
struct Facts {
    folder: DataFolderFacts,
    settings: Vec<SettingsProblem>,
    ledger: LedgerFacts,
    plain_keys: Result<PlainKeyFacts, String>,
    tools: Result<Vec<ConnectedToolFacts>, String>,
    canary: VaultTestResult,
    vault_needed: bool,
    listeners: Vec<SocketAddr>,
    refusals: (u16, u16),
    chat: Result<GatewayReply, String>,
    credential: CredentialFacts,
    models: Result<BackendModelFacts, String>,
    served: Vec<ServedFacts>,
    paid: Vec<PaidBackendFacts>,
    month_cost: Result<NanoUsd, String>,
    prices: Result<PriceFacts, String>,
    channels: Vec<AlertChannelFacts>,
    calls: Mutex<Vec<GatewayCall>>,
}

const ANSWER: &str =
    r#"{"choices":[{"message":{"content":"Hello there."}}],"usage":{"total_tokens":12}}"#;
const STREAM: &str = concat!(
    "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\n",
    "data: {\"id\":\"c\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"total_tokens\":12}}\n\n",
    "data: [DONE]\n\n",
);

fn reply(status: u16, body: &str) -> GatewayReply {
    GatewayReply { status, body: body.as_bytes().to_vec() }
}

fn good() -> Facts {
    Facts {
        folder: DataFolderFacts {
            path: "/data".to_owned(),
            writable: Ok(()),
            free_bytes: Some(FREE_BYTES_MIN),
        },
        settings: Vec::new(),
        ledger: LedgerFacts {
            integrity: Ok(()),
            problems: Vec::new(),
            schema_found: 3,
            schema_expected: 3,
        },
        plain_keys: Ok(PlainKeyFacts { files: 3, ..PlainKeyFacts::default() }),
        tools: Ok(vec![connected("Codex CLI", None)]),
        canary: VaultTestResult::Kept,
        vault_needed: true,
        listeners: vec!["127.0.0.1:4283".parse().expect("an address")],
        refusals: (401, 403),
        chat: Ok(reply(200, ANSWER)),
        credential: CredentialFacts::Accepted("GET /v1/models: 200".to_owned()),
        models: Ok(BackendModelFacts {
            listed: vec!["m1".to_owned(), "m2".to_owned()],
            declared: vec!["m2".to_owned()],
        }),
        served: vec![served("the route chat", &[("OpenAI", None)])],
        paid: vec![PaidBackendFacts { label: "OpenAI".to_owned(), is_covered: true }],
        month_cost: Ok(NanoUsd::ZERO),
        prices: Ok(PriceFacts {
            list_date: "2026-11-23".to_owned(),
            list_age_days: 30,
            unpriced_models: Vec::new(),
        }),
        channels: vec![tested("desktop", 90, ChannelTestResult::Seen)],
        calls: Mutex::new(Vec::new()),
    }
}

fn tested(name: &str, days: u64, result: ChannelTestResult) -> AlertChannelFacts {
    let last_test = Some(ChannelTestFacts { days, result });
    AlertChannelFacts { name: name.to_owned(), last_test }
}

fn connected(name: &str, trouble: Option<&str>) -> ConnectedToolFacts {
    ConnectedToolFacts {
        name: name.to_owned(),
        trouble: trouble.map(str::to_owned),
        command: format!("gatehouse clients wire {}", name.to_lowercase()),
    }
}

fn served(what: &str, backends: &[(&str, Option<&str>)]) -> ServedFacts {
    let backend = |(label, fault): &(&str, Option<&str>)| ServingBackend {
        label: (*label).to_owned(),
        fault: fault.map(str::to_owned),
        degraded: None,
    };
    ServedFacts { what: what.to_owned(), backends: backends.iter().map(backend).collect() }
}

#[async_trait]
impl ReadinessEnvironment for Facts {
    async fn data_folder(&self) -> DataFolderFacts {
        self.folder.clone()
    }

    async fn settings_problems(&self) -> Vec<SettingsProblem> {
        self.settings.clone()
    }

    async fn plain_keys(&self) -> Result<PlainKeyFacts, String> {
        self.plain_keys.clone()
    }

    async fn connected_tools(&self) -> Result<Vec<ConnectedToolFacts>, String> {
        self.tools.clone()
    }

    async fn ledger(&self) -> LedgerFacts {
        self.ledger.clone()
    }

    async fn vault(&self) -> VaultFacts {
        VaultFacts {
            store: "the keychain".to_owned(),
            needed: self.vault_needed,
            test_result: self.canary.clone(),
        }
    }

    async fn gateway_listeners(&self) -> Vec<SocketAddr> {
        self.listeners.clone()
    }

    async fn call_gateway(&self, call: GatewayCall) -> Result<GatewayReply, String> {
        self.calls.lock().expect("a lock").push(call.clone());
        match call.caller {
            SimulatedCaller::NoToken => Ok(reply(self.refusals.0, "")),
            SimulatedCaller::WebPage => Ok(reply(self.refusals.1, "")),
            SimulatedCaller::Client => self.chat.clone(),
        }
    }

    async fn credential(&self, _backend: &BackendId) -> CredentialFacts {
        self.credential.clone()
    }

    async fn models(&self, _backend: &BackendId) -> Result<BackendModelFacts, String> {
        self.models.clone()
    }

    async fn served(&self) -> Vec<ServedFacts> {
        self.served.clone()
    }

    async fn paid_backends(&self) -> Vec<PaidBackendFacts> {
        self.paid.clone()
    }

    async fn month_cost(&self) -> Result<NanoUsd, String> {
        self.month_cost.clone()
    }

    async fn prices(&self) -> Result<PriceFacts, String> {
        self.prices.clone()
    }

    async fn alert_channels(&self) -> Vec<AlertChannelFacts> {
        self.channels.clone()
    }
}

fn subject(need: BackendNeed) -> BackendTarget {
    BackendTarget {
        backend: BackendId::new("openai").expect("a good id"),
        label: "OpenAI".to_owned(),
        credential: Some(CredentialId::new("openai-key").expect("a good id")),
        need,
    }
}

fn all_checks(facts: Arc<Facts>, set: CheckSet) -> Vec<ReadinessCheck> {
    let environment: Arc<dyn ReadinessEnvironment> = facts;
    let scope = CheckInputs {
        mock_model: "mock/instant".to_owned(),
        backends: vec![subject(BackendNeed::Required)],
        clients: 1,
    };
    built_in_checks(&environment, set, &scope)
}

async fn run(id: &str, facts: Facts) -> CheckOutcome {
    let checks = all_checks(Arc::new(facts), CheckSet::Full);
    let check = checks.iter().find(|check| check.id.as_str() == id).expect("such a check");
    check.run.run().await
}

#[track_caller]
fn check(outcome: &CheckOutcome, status: CheckStatus, cause: &str) {
    assert_eq!(outcome.status(), status, "{outcome:?}");
    assert_eq!(outcome.cause.as_deref().unwrap_or_default(), cause);
    let must_be_fixed = matches!(status, CheckStatus::Fail | CheckStatus::Warn);
    assert_eq!(outcome.fix.is_some(), must_be_fixed, "{outcome:?}");
}

#[tokio::test]
async fn on_a_good_machine_every_check_passes_with_evidence() {
    for id in [
        "R-02",
        "R-03",
        "R-04",
        "R-05",
        "R-23",
        "R-30",
        "R-13",
        "R-14a",
        "R-10/openai",
        "R-12/openai",
        "R-20",
        "R-21",
        "R-22",
        "R-09",
        "R-25",
    ] {
        let outcome = run(id, good()).await;
        check(&outcome, CheckStatus::Pass, "");
        assert!(!outcome.evidence.is_empty(), "{id}");
    }
    let streaming = Facts { chat: Ok(reply(200, STREAM)), ..good() };
    let outcome = run("R-14b", streaming).await;
    check(&outcome, CheckStatus::Pass, "");
    assert_eq!(
        outcome.evidence,
        ["1 chunks in order, finish reason \"stop\", 12 tokens counted, then [DONE]"]
    );
}

#[test]
fn the_sets_hold_their_checks_and_can_be_run() {
    let ids = |set| -> Vec<String> {
        let plan = Plan::build(all_checks(Arc::new(good()), set)).expect("a plan");
        plan.checks().iter().map(|check| check.id.to_string()).collect()
    };
    let quick = ["R-02", "R-03", "R-04", "R-05", "R-23", "R-30", "R-13", "R-14a", "R-14b"];
    let last = ["R-20", "R-21", "R-22", "R-09", "R-25"];
    assert_eq!(ids(CheckSet::Quick), [&quick[..], &last].concat());
    let full = [&quick[..], &["R-10/openai", "R-12/openai", "R-29"], &last].concat();
    assert_eq!(ids(CheckSet::Full), full);
}

#[test]
fn a_needed_backend_is_a_blocker_and_one_without_a_key_does_not_wait_for_the_vault() {
    let environment: Arc<dyn ReadinessEnvironment> = Arc::new(good());
    let key = |subject: &BackendTarget| backend::checks(&environment, subject).into_iter().next();
    let needed = key(&subject(BackendNeed::Required)).expect("a check");
    assert_eq!(needed.severity, CheckSeverity::Blocker);
    assert_eq!(needed.depends_on, [CheckId::new("R-03"), CheckId::new("R-05")]);
    let local = BackendTarget { credential: None, ..subject(BackendNeed::Optional) };
    let local = key(&local).expect("a check");
    assert_eq!(local.severity, CheckSeverity::Major);
    assert_eq!(local.depends_on, [CheckId::new("R-03")]);
}

#[tokio::test]
async fn the_mock_alone_is_not_enough_to_work_with() {
    let environment: Arc<dyn ReadinessEnvironment> = Arc::new(good());
    let scope =
        CheckInputs { mock_model: "mock/echo".to_owned(), backends: Vec::new(), clients: 0 };
    let checks = built_in_checks(&environment, CheckSet::Quick, &scope);
    for (id, status, cause) in [
        ("R-09", CheckStatus::Fail, "no real backend has been added"),
        ("R-25", CheckStatus::Warn, "no client is connected"),
    ] {
        let found = checks.iter().find(|check| check.id.as_str() == id).expect("such a check");
        check(&found.run.run().await, status, cause);
    }
}

#[tokio::test]
async fn the_data_folder_must_be_writable_and_have_room() {
    let folder = |writable: Result<(), String>, free_bytes| Facts {
        folder: DataFolderFacts { path: "/data".to_owned(), writable, free_bytes },
        ..good()
    };
    let outcome = run("R-02", folder(Err("permission denied".to_owned()), None)).await;
    check(&outcome, CheckStatus::Fail, "the data folder is not writable");
    assert_eq!(outcome.evidence, ["permission denied"]);
    let outcome = run("R-02", folder(Ok(()), Some(FREE_BYTES_MIN - 1))).await;
    check(&outcome, CheckStatus::Fail, "the disk is nearly full");
    let outcome = run("R-02", folder(Ok(()), None)).await;
    check(&outcome, CheckStatus::Warn, "the system does not report the free space");
}

#[tokio::test]
async fn a_settings_error_outweighs_a_warning_and_both_are_evidence() {
    let problem = |severity, text: &str| SettingsProblem {
        message: text.to_owned(),
        fix: format!("fix {text}"),
        severity,
    };
    let warning = problem(ProblemSeverity::Warning, "w");
    let facts = Facts { settings: vec![warning.clone()], ..good() };
    let outcome = run("R-03", facts).await;
    check(&outcome, CheckStatus::Warn, "the settings file has warnings");
    let facts = Facts { settings: vec![warning, problem(ProblemSeverity::Error, "e")], ..good() };
    let outcome = run("R-03", facts).await;
    check(&outcome, CheckStatus::Fail, "the settings file has errors");
    assert_eq!(outcome.evidence, ["w", "e"]);
    assert_eq!(outcome.fix.as_deref(), Some("fix e"));
    assert_eq!(outcome.action, Some(FixAction::OpenSettings));
}

#[tokio::test]
async fn ledger_problems_are_reported_with_their_fix() {
    let ledger = |severity| Facts {
        ledger: LedgerFacts {
            problems: vec![LedgerProblemFacts {
                title: "the ledger cannot be written".to_owned(),
                fix: "The disk is full. Free some space.".to_owned(),
                severity,
            }],
            ..good().ledger
        },
        ..good()
    };
    let outcome = run("R-04", ledger(ProblemSeverity::Error)).await;
    check(&outcome, CheckStatus::Fail, "the ledger cannot be written");
    assert_eq!(outcome.fix.as_deref(), Some("The disk is full. Free some space."));
    assert_eq!(outcome.action, Some(FixAction::OpenLedger));
    let outcome = run("R-04", ledger(ProblemSeverity::Warning)).await;
    check(&outcome, CheckStatus::Warn, "the ledger cannot be written");
}

#[tokio::test]
async fn damaged_older_and_newer_ledgers_are_distinguished() {
    let ledger = |integrity, schema_found| Facts {
        ledger: LedgerFacts { integrity, problems: Vec::new(), schema_found, schema_expected: 3 },
        ..good()
    };
    let outcome = run("R-04", ledger(Err("page 7".to_owned()), 3)).await;
    check(&outcome, CheckStatus::Fail, "the ledger is damaged");
    check(
        &run("R-04", ledger(Ok(()), 2)).await,
        CheckStatus::Fail,
        "the ledger's upgrade is not finished",
    );
    let newer = "the ledger was written by a newer Gatehouse";
    check(&run("R-04", ledger(Ok(()), 4)).await, CheckStatus::Fail, newer);
}

#[tokio::test]
async fn each_state_of_the_vault_has_its_own_cause() {
    for (canary, status, cause) in [
        (VaultTestResult::Locked, CheckStatus::Fail, "the keychain is locked"),
        (VaultTestResult::Missing, CheckStatus::Fail, "the keychain is not available"),
        (VaultTestResult::Hung, CheckStatus::Fail, "the keychain is not responding"),
        (
            VaultTestResult::Lost,
            CheckStatus::Fail,
            "the keychain does not keep what is written to it",
        ),
        (VaultTestResult::Failed("why".to_owned()), CheckStatus::Fail, "the keychain failed"),
        (VaultTestResult::ReadOnly, CheckStatus::Warn, "the keychain can only be read"),
    ] {
        check(&run("R-05", Facts { canary, ..good() }).await, status, cause);
    }
    // No backend in use needs a key: a warning, but not a reason to be not ready.
    let idle = Facts { canary: VaultTestResult::Missing, vault_needed: false, ..good() };
    check(&run("R-05", idle).await, CheckStatus::Warn, "the keychain is not available");
}

#[tokio::test]
async fn keys_in_plain_text_are_a_warning_with_their_places() {
    let facts = |keys, places: usize| Facts {
        plain_keys: Ok(PlainKeyFacts {
            keys,
            places: (1..=places).map(|line| format!("~/.zshrc line {line}: A_KEY")).collect(),
            files: 3,
        }),
        ..good()
    };
    let outcome = run("R-23", facts(1, 1)).await;
    check(&outcome, CheckStatus::Warn, "a key is in plain text, where every program can read it");
    assert_eq!(outcome.evidence, ["~/.zshrc line 1: A_KEY"]);
    assert_eq!(outcome.action, Some(FixAction::FindKeys));
    let outcome = run("R-23", facts(2, 8)).await;
    assert_eq!(outcome.evidence.len(), 8);
    let outcome = run("R-23", facts(2, 10)).await;
    assert_eq!(outcome.evidence.last().map(String::as_str), Some("and 2 more places"));

    let unknown = Facts { plain_keys: Err("no home folder".to_owned()), ..good() };
    check(&run("R-23", unknown).await, CheckStatus::NotApplicable, "no home folder");
}

#[tokio::test]
async fn each_paid_backend_needs_a_budget() {
    let paid = |backends: &[(&str, bool)]| Facts {
        paid: backends
            .iter()
            .map(|(label, is_covered)| PaidBackendFacts {
                label: (*label).to_owned(),
                is_covered: *is_covered,
            })
            .collect(),
        ..good()
    };
    let none = "no backend in use is paid by a key";
    check(&run("R-20", paid(&[])).await, CheckStatus::NotApplicable, none);
    let outcome = run("R-20", paid(&[("OpenAI", true), ("Mistral", false)])).await;
    check(&outcome, CheckStatus::Warn, "Mistral has no budget");
    assert_eq!(outcome.action, Some(FixAction::OpenBudgets));
    let outcome = run("R-20", paid(&[("OpenAI", false), ("Mistral", false)])).await;
    check(&outcome, CheckStatus::Warn, "OpenAI and Mistral have no budget");
    let fix = async |cost: Result<i64, String>| {
        let facts = Facts { month_cost: cost.map(NanoUsd::new), ..paid(&[("OpenAI", false)]) };
        run("R-20", facts).await.fix.expect("a fix")
    };
    let decide = "Decide what a month may cost: `gatehouse budgets set monthly --limit DOLLARS` \
                  stops there, and with `--action tell` it only tells.";
    assert_eq!(fix(Ok(0)).await, decide, "nothing was measured");
    assert_eq!(fix(Err("the ledger is locked".to_owned())).await, decide);
    for (nanos, cost) in
        [(1, "1 dollar"), (12_000_000_000, "12 dollars"), (12_000_000_001, "13 dollars")]
    {
        let measured =
            format!("{decide} Requests with a known price cost up to {cost} in the last 30 days.");
        assert_eq!(fix(Ok(nanos)).await, measured);
    }
}

#[tokio::test]
async fn an_old_price_list_and_models_without_a_price_are_told() {
    let prices = |list_age_days, unpriced: &[&str]| Facts {
        prices: Ok(PriceFacts {
            list_date: "2026-11-23".to_owned(),
            list_age_days,
            unpriced_models: unpriced.iter().map(|it| (*it).to_owned()).collect(),
        }),
        ..good()
    };
    let outcome = run("R-21", prices(31, &[])).await;
    check(&outcome, CheckStatus::Warn, "the price list is 31 days old");
    assert_eq!(outcome.evidence, ["the price list is of 2026-11-23"]);
    assert_eq!(outcome.action, Some(FixAction::OpenPrices));
    // What costs an unknown amount now is worse than what may cost another one.
    let one = "requests to the model a have no price";
    check(&run("R-21", prices(31, &["a"])).await, CheckStatus::Warn, one);
    let many = "requests to the models a, b, c and 1 more have no price";
    check(&run("R-21", prices(0, &["a", "b", "c", "d"])).await, CheckStatus::Warn, many);
    let unknown = Facts { prices: Err("the ledger is gone".to_owned()), ..good() };
    check(&run("R-21", unknown).await, CheckStatus::NotApplicable, "the ledger is gone");
}

#[tokio::test]
async fn alerts_reach_the_user_once_a_test_of_a_channel_was_seen_not_long_ago() {
    let channels = |channels: &[AlertChannelFacts]| Facts { channels: channels.to_vec(), ..good() };
    let off = "no alert leaves Gatehouse, because every channel is off";
    check(&run("R-22", channels(&[])).await, CheckStatus::Warn, off);

    let untested = AlertChannelFacts { name: "desktop".to_owned(), last_test: None };
    let nobody = "nobody has confirmed that a test arrived";
    for (channel, evidence) in [
        (untested.clone(), "desktop: never tested"),
        (
            tested("desktop", 0, ChannelTestResult::Unanswered),
            "desktop: test sent, delivery not confirmed, today",
        ),
        (tested("mail", 1, ChannelTestResult::NotSeen), "mail: test not seen, a day ago"),
        (
            tested("mail", 2, ChannelTestResult::Failed("no server".to_owned())),
            "mail: test failed: no server",
        ),
    ] {
        let outcome = run("R-22", channels(&[channel])).await;
        check(&outcome, CheckStatus::Warn, nobody);
        assert_eq!(outcome.evidence, [evidence]);
        assert_eq!(outcome.action, Some(FixAction::OpenAlertChannels));
    }

    let old = tested("desktop", 91, ChannelTestResult::Seen);
    let outcome = run("R-22", channels(std::slice::from_ref(&old))).await;
    check(&outcome, CheckStatus::Warn, "the last test that you saw is 91 days old");
    // One channel that arrives is enough.
    let mail = tested("mail", 3, ChannelTestResult::Seen);
    let outcome = run("R-22", channels(&[old, untested, mail])).await;
    check(&outcome, CheckStatus::Pass, "");
    let evidence =
        ["desktop: test seen, 91 days ago", "desktop: never tested", "mail: test seen, 3 days ago"];
    assert_eq!(outcome.evidence, evidence);
}

#[tokio::test]
async fn a_connected_tool_that_would_not_work_is_a_warning_with_its_cause_and_its_command() {
    let gone = "Zed starts /old/gatehouse, which is gone. Connect it again.";
    let one = vec![connected("Codex CLI", None), connected("Zed", Some(gone))];
    let outcome = run("R-30", Facts { tools: Ok(one), ..good() }).await;
    check(&outcome, CheckStatus::Warn, "Zed would not work as it was connected");
    assert_eq!(outcome.evidence, [gone]);
    assert_eq!(outcome.fix.as_deref(), Some("Connect again: `gatehouse clients wire zed`."));
    let two = vec![connected("A", Some("x")), connected("B", Some("y"))];
    let outcome = run("R-30", Facts { tools: Ok(two), ..good() }).await;
    check(&outcome, CheckStatus::Warn, "2 tools would not work as they were connected");
    let none = run("R-30", Facts { tools: Ok(Vec::new()), ..good() }).await;
    check(&none, CheckStatus::NotApplicable, "no tool is connected");
    let unknown = Facts { tools: Err("no home folder".to_owned()), ..good() };
    check(&run("R-30", unknown).await, CheckStatus::NotApplicable, "no home folder");
}

#[tokio::test]
async fn the_gateway_must_be_on_loopback_and_refuse_missing_tokens_and_web_pages() {
    let outcome = run("R-13", Facts { listeners: Vec::new(), ..good() }).await;
    check(&outcome, CheckStatus::Fail, "the gateway is not running");
    let mut listeners = good().listeners;
    listeners.push("0.0.0.0:4283".parse().expect("an address"));
    let outcome = run("R-13", Facts { listeners, ..good() }).await;
    check(&outcome, CheckStatus::Fail, "the gateway is reachable from the network");
    assert_eq!(outcome.evidence, ["listens on 0.0.0.0:4283"]);
    let outcome = run("R-13", Facts { refusals: (200, 403), ..good() }).await;
    check(&outcome, CheckStatus::Fail, "a request without a token was not refused");
    let outcome = run("R-13", Facts { refusals: (401, 200), ..good() }).await;
    check(&outcome, CheckStatus::Fail, "a request from a web page was not refused");
}

#[tokio::test]
async fn the_gateway_is_asked_by_real_requests() {
    let facts = Arc::new(good());
    for check in all_checks(Arc::clone(&facts), CheckSet::Quick) {
        check.run.run().await;
    }
    let calls = facts.calls.lock().expect("a lock");
    let seen: Vec<_> = calls.iter().map(|call| (call.caller, call.path)).collect();
    let chat = "/v1/chat/completions";
    assert_eq!(
        seen,
        [
            (SimulatedCaller::NoToken, "/v1/models"),
            (SimulatedCaller::WebPage, "/v1/models"),
            (SimulatedCaller::Client, chat),
            (SimulatedCaller::Client, chat),
        ]
    );
    let body = |place: usize| calls[place].body.clone().expect("a body");
    assert!(body(2).contains(r#""model":"mock/instant""#) && !body(2).contains("stream"));
    assert!(body(3).contains(r#""stream":true"#) && body(3).contains("include_usage"));
}

#[tokio::test]
async fn an_answer_without_text_usage_or_success_is_a_fault() {
    for (chat, cause) in [
        (Err("connection refused".to_owned()), "the gateway is not responding"),
        (Ok(reply(502, "bad gateway")), "the gateway answered with status 502"),
        (Ok(reply(200, "{}")), "the response has no text"),
        (
            Ok(reply(200, r#"{"choices":[{"message":{"content":"hi"}}]}"#)),
            "the response reports no tokens",
        ),
    ] {
        check(&run("R-14a", Facts { chat, ..good() }).await, CheckStatus::Fail, cause);
    }
    let cut = STREAM.replace("data: [DONE]\n\n", "");
    let outcome = run("R-14b", Facts { chat: Ok(reply(200, &cut)), ..good() }).await;
    check(&outcome, CheckStatus::Fail, "the stream has no end marker");
}

#[tokio::test]
async fn each_state_of_a_key_has_its_own_answer_and_place() {
    let at_key = Some(FixAction::OpenKey { id: CredentialId::new("openai-key").expect("an id") });
    let at_backend = Some(FixAction::OpenBackend { id: BackendId::new("openai").expect("an id") });
    let why = String::new;
    let partly = CredentialFacts::PartlyAccepted {
        accepted: 1,
        keys: 2,
        credential: CredentialId::new("second-key").expect("an id"),
        reason: "401".to_owned(),
    };
    let at_second =
        Some(FixAction::OpenKey { id: CredentialId::new("second-key").expect("an id") });
    for (credential, status, cause, action) in [
        (CredentialFacts::NotNeeded, CheckStatus::NotApplicable, "no key needed", None),
        (partly, CheckStatus::Warn, "OpenAI accepts 1 of its 2 keys", at_second),
        (CredentialFacts::Missing, CheckStatus::Fail, "OpenAI has no key", at_backend.clone()),
        (
            CredentialFacts::Rejected(why()),
            CheckStatus::Fail,
            "OpenAI rejected its key",
            at_key.clone(),
        ),
        (
            CredentialFacts::Limited(why()),
            CheckStatus::Warn,
            "the key of OpenAI has reached its limit",
            at_key,
        ),
        (
            CredentialFacts::Unreachable(why()),
            CheckStatus::Fail,
            "OpenAI cannot be reached",
            at_backend,
        ),
    ] {
        let outcome = run("R-10/openai", Facts { credential, ..good() }).await;
        check(&outcome, status, cause);
        assert_eq!(outcome.action, action, "{cause}");
    }
}

#[tokio::test]
async fn models_that_are_wanted_must_be_listed() {
    let models = |listed: &[&str], wanted: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Facts {
            models: Ok(BackendModelFacts { listed: owned(listed), declared: owned(wanted) }),
            ..good()
        }
    };
    let outcome = run("R-12/openai", models(&["a"], &["b", "c"])).await;
    check(&outcome, CheckStatus::Fail, "OpenAI does not have b, c");
    let outcome = run("R-12/openai", models(&[], &[])).await;
    check(&outcome, CheckStatus::Warn, "OpenAI lists no models");
    let outcome = run("R-12/openai", Facts { models: Err("404".to_owned()), ..good() }).await;
    check(&outcome, CheckStatus::Fail, "OpenAI does not list its models");
}

#[tokio::test]
async fn a_route_whose_backends_all_fail_is_named_with_their_faults() {
    let down = Some("is down");
    let facts = Facts {
        served: vec![
            served("the route chat", &[("OpenAI", down), ("Claude", None)]),
            served("the route code", &[("OpenAI", down), ("Azure", Some("rejects its key"))]),
            served("3 models", &[("OpenAI", down)]),
        ],
        ..good()
    };
    let outcome = run("R-29", facts).await;
    check(&outcome, CheckStatus::Fail, "nothing answers the route code, 3 models");
    let evidence =
        ["the route code: OpenAI is down, Azure rejects its key", "3 models: OpenAI is down"];
    assert_eq!(outcome.evidence, evidence);
    let slow = |is_recovering: bool, others: &[(&str, Option<&str>)]| {
        let mut served = served("the route code", &[&[("OpenAI", None)], others].concat());
        let clause = "first token 4.2 s, usually 0.9 s".to_owned();
        served.backends[0].degraded = Some(DegradedFacts { clause, is_recovering });
        Facts { served: vec![served], ..good() }
    };
    let outcome = run("R-29", slow(false, &[("Azure", Some("is down"))])).await;
    check(&outcome, CheckStatus::Warn, "only degraded backends answer the route code");
    let evidence = ["1 of 1 can be answered", "OpenAI: first token 4.2 s, usually 0.9 s"];
    assert_eq!(outcome.evidence, evidence);
    for facts in [slow(false, &[("Azure", None)]), slow(true, &[])] {
        let outcome = run("R-29", facts).await;
        assert_eq!(outcome.status, CheckStatus::Pass, "another one answers, or it ends by itself");
        assert_eq!(outcome.evidence, evidence);
    }
    let outcome = run("R-29", good()).await;
    assert_eq!((outcome.status, outcome.evidence.len()), (CheckStatus::Pass, 1));
    let outcome = run("R-29", Facts { served: Vec::new(), ..good() }).await;
    check(&outcome, CheckStatus::NotApplicable, "no backend offers a model yet");
}
