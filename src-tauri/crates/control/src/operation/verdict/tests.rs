//! The verdict as a table: one row for each state of backends, routes, keys, vault and network, with the
//! sentence a person would agree with.

use std::time::Duration;

use domain::RouteId;
use engine::{BackendDegradation, Outage};
use monitor::LastKnownHealth;
use resilience::BlockReason;
use routing::ModelSet;
use service_levels::Degradation;

use super::*;
use crate::view::VerdictLevel::{Attention, NotSetUp, Ok as Fine, Problem, Unknown};

/// Reads a setup: words separated by spaces.
/// - `openai=up`: a backend; states up, slow, flaky, recovering, down, failing, limited, unpaid, used-up, forbidden, held, new, was-up, was-down, `key:NAME`
/// - `@local`: the last backend is a server on this machine; `off=1`: one more is switched off; `profile=work`: that profile leaves one out
/// - `chat>openai,mock`: a route; `3*openai,azure`: three models that both list; `?>openai`: unlisted models
/// - `dead:chat`: a route whose backends are all off; `badkey:NAME,openai`: a rejected key and its user, `unpaidkey:` one without credit
/// - `limited:chat`: a route whose model is rate limited; `limited:chat~`: for a moment
/// - `needs:store=up`: a required service; states up, down, new; `@here`: it is on this machine
/// - offline, gateway, vault, no-keychain, ledger-full, ledger-behind, settings, checks: what others report
fn facts(setup: &str) -> VerdictFacts {
    let mut facts = VerdictFacts {
        backends: Vec::new(),
        first_off: None,
        profile: None,
        mock: id("mock"),
        keys: Vec::new(),
        services: Vec::new(),
        served: Vec::new(),
        dead_routes: Vec::new(),
        limited_routes: Vec::new(),
        is_offline: false,
        others: Vec::new(),
    };
    for word in setup.split_whitespace() {
        add(&mut facts, word);
    }
    facts
}

fn add(facts: &mut VerdictFacts, word: &str) {
    if let Some((name, state)) = word.strip_prefix("needs:").and_then(|it| it.split_once('=')) {
        facts.services.push(ServiceFacts {
            id: name.parse().expect("an id"),
            label: name.to_owned(),
            is_local: false,
            is_up: match state {
                "up" => Some(true),
                "down" => Some(false),
                _ => None,
            },
            reason: String::new(),
            since: None,
        });
    } else if let Some((name, state)) = word.split_once('=') {
        match name {
            "off" => facts.first_off = Some(id("spare")),
            "profile" => facts.profile = Some(state.parse().expect("an id")),
            _ => facts.backends.push(backend(name, state)),
        }
    } else if let Some((route, to)) = word.split_once('>') {
        let models = match route {
            "?" => ModelSet::Unlisted,
            _ => ModelSet::Route(RouteId::new(route).expect("an id")),
        };
        facts.served.push(ServedModels { models, backends: to.split(',').map(id).collect() });
    } else if let Some((count, by)) = word.split_once('*') {
        let count: usize = count.parse().expect("a number");
        let models = (1..=count).map(|number| format!("m-{number}")).collect();
        let backends = by.split(',').map(id).collect();
        facts.served.push(ServedModels { models: ModelSet::Listed(models), backends });
    } else if let Some(route) = word.strip_prefix("dead:") {
        facts.dead_routes.push((route.to_owned(), "its only backend, spare, is off".to_owned()));
    } else if let Some(route) = word.strip_prefix("limited:") {
        let (id, is_brief) = (route.trim_end_matches('~'), route.ends_with('~'));
        facts.limited_routes.push(LimitedRoute {
            id: RouteId::new(id).expect("an id"),
            why: "gpt-5 at openai is rate limited until 3 Dec 15:30".to_owned(),
            is_brief,
        });
    } else if let Some((what, (key, user))) = key_fault(word) {
        facts.keys.push(KeyFacts {
            id: CredentialId::new(key).expect("an id"),
            what,
            reason: String::new(),
            since: None,
            used_by: vec![id(user)],
        });
    } else {
        report(facts, word);
    }
}

fn key_fault(word: &str) -> Option<(&'static str, (&str, &str))> {
    let kinds = [("badkey:", "was rejected"), ("unpaidkey:", "has no credit left")];
    kinds
        .into_iter()
        .find_map(|(start, what)| Some((what, word.strip_prefix(start)?.split_once(',')?)))
}

fn report(facts: &mut VerdictFacts, word: &str) {
    let (id, level, title, readiness) = match word {
        "@local" => return facts.backends.last_mut().expect("a backend").is_local = true,
        "@here" => return facts.services.last_mut().expect("a service").is_local = true,
        "offline" => return facts.is_offline = true,
        "gateway" => ("gateway", Problem, "The gateway is not listening", Readiness::NotReady),
        "paused" => {
            let issue = Issue::new(crate::operation::status::paused_issue(), Readiness::NotReady);
            return facts.others.push(issue);
        }
        "vault" => ("vault", Problem, "The vault is locked", Readiness::NotReady),
        "no-keychain" => (NO_KEYCHAIN_ISSUE, Attention, "There is no keychain", Readiness::Ready),
        "ledger-full" => ("ledger", Problem, "The ledger cannot be written", Readiness::NotReady),
        "ledger-behind" => ("ledger", Attention, "The ledger is behind", Readiness::Ready),
        "settings" => ("settings", Problem, "The settings file has errors", Readiness::Ready),
        "checks" => ("readiness", Attention, "The last readiness check failed", Readiness::Ready),
        word => panic!("what is {word}?"),
    };
    let view = StatusIssueView {
        id: id.to_owned(),
        level,
        title: title.to_owned(),
        impact: String::new(),
        since: None,
        action: PanelActionView::RunChecks,
    };
    facts.others.push(Issue::new(view, readiness));
}

fn backend(name: &str, state: &str) -> BackendFacts {
    let outage = |cause| {
        let (reason, is_brief) = (String::new(), false);
        Outage { cause, reason, since: None, until: None, is_brief }
    };
    let no = |cause| BackendAnswers::No(outage(cause));
    let last = |state| {
        let reason = "It did not answer.".to_owned();
        let since = WallTime::from_unix_ms(0);
        let observed = None;
        BackendAnswers::Unconfirmed(Some(LastKnownHealth { state, reason, since, observed }))
    };
    let answers = match state.split_once(':') {
        Some(("key", key)) => no(OutageCause::Key(CredentialId::new(key).expect("an id"))),
        _ => match state {
            "up" => BackendAnswers::Yes,
            "slow" => badly(Degradation::Slow {
                recent: Duration::from_millis(4_210),
                usual: Duration::from_millis(880),
            }),
            "flaky" => badly(Degradation::Failing { failed: 3, requests: 10 }),
            "recovering" => BackendAnswers::Badly(BackendDegradation {
                by: DegradedBy::Recovering("Traffic grows step by step.".to_owned()),
                since: None,
            }),
            "new" => BackendAnswers::Unconfirmed(None),
            "was-up" => last(HealthState::Up),
            "was-down" => last(HealthState::Down),
            "down" => no(OutageCause::Down),
            "failing" => no(OutageCause::Failing),
            "limited" => no(OutageCause::RateLimited),
            "limited-briefly" => {
                BackendAnswers::No(Outage { is_brief: true, ..outage(OutageCause::RateLimited) })
            }
            "unpaid" => no(OutageCause::Blocked(BlockReason::Unpaid)),
            "used-up" => no(OutageCause::Blocked(BlockReason::QuotaExhausted)),
            "forbidden" => no(OutageCause::Blocked(BlockReason::Forbidden)),
            "held" => no(OutageCause::Held),
            state => panic!("what is {state}?"),
        },
    };
    BackendFacts { id: id(name), label: name.to_owned(), is_local: false, answers }
}

fn badly(what: Degradation) -> BackendAnswers {
    BackendAnswers::Badly(BackendDegradation { by: DegradedBy::Answers(what), since: None })
}

fn id(name: &str) -> BackendId {
    BackendId::new(name).expect("an id")
}

const ROWS: &[(&str, VerdictLevel, &str)] = &[
    ("openai=up needs:store=up", Fine, "Everything works"),
    ("openai=up needs:store=down", Problem, "Not ready: the required service store is down"),
    ("openai=up needs:store=new", Unknown, "Checking store"),
    ("openai=up needs:a=new needs:b=new", Unknown, "Checking 2 services"),
    ("openai=new needs:store=new", Unknown, "Checking openai"),
    (
        "here=up @local ?>here needs:store=down offline",
        Attention,
        "Ready, degraded: this machine is offline; only here can answer",
    ),
    (
        "here=up @local ?>here needs:store=down @here offline",
        Problem,
        "Not ready: the required service store is down",
    ),
    // Nothing set up.
    ("", NotSetUp, "Not set up yet: add a backend"),
    ("demo>mock", NotSetUp, "Not set up yet: add a backend"),
    ("no-keychain", NotSetUp, "Not set up yet: add a backend"),
    ("checks", NotSetUp, "Not set up yet: add a backend"),
    ("settings", Problem, "The settings file has errors (and 1 more)"),
    ("paused", NotSetUp, "Not set up yet: add a backend"),
    ("openai=up 3*openai paused", Attention, "The gateway is paused"),
    ("openai=down 3*openai paused", Problem, "The gateway is paused (and 1 more)"),
    ("gateway", Problem, "Not ready: the gateway is not listening (and 1 more)"),
    ("off=1", Problem, "Not ready: every backend is switched off"),
    ("off=1 dead:chat", Problem, "Not ready: every backend is switched off (and 1 more)"),
    ("profile=home", Problem, "Not ready: no backend is in the profile home"),
    ("profile=home off=1", Problem, "Not ready: no backend is in the profile home"),
    ("profile=home openai=up chat>openai", Fine, "Everything works"),
    // One backend.
    ("openai=up 3*openai", Fine, "Everything works"),
    ("openai=up chat>openai", Fine, "Everything works"),
    ("openai=new 3*openai", Unknown, "Checking openai"),
    ("openai=was-up 3*openai", Unknown, "Checking openai (last known: up)"),
    ("openai=was-down 3*openai", Attention, "openai was down when last checked"),
    ("openai=down 3*openai", Problem, "Not ready: openai is down: nothing else can answer"),
    ("openai=down ?>openai", Problem, "Not ready: openai is down: nothing else can answer"),
    ("openai=down chat>openai", Problem, "Not ready: openai is down: nothing else can answer"),
    ("openai=failing 3*openai", Problem, "Not ready: openai is failing: nothing else can answer"),
    (
        "openai=limited 3*openai",
        Problem,
        "Not ready: openai is rate limited: nothing else can answer",
    ),
    ("openai=limited-briefly 3*openai", Attention, "openai is rate limited for a moment"),
    (
        "openai=down claude=limited-briefly chat>openai,claude",
        Attention,
        "Ready, degraded: openai is down; claude answers instead (and 1 more)",
    ),
    (
        "openai=unpaid 3*openai",
        Problem,
        "Not ready: openai has no credit left: nothing else can answer",
    ),
    (
        "openai=used-up 3*openai",
        Problem,
        "Not ready: openai has reached its spend limit: nothing else can answer",
    ),
    (
        "openai=forbidden 3*openai",
        Problem,
        "Not ready: openai refuses its key: nothing else can answer",
    ),
    ("openai=held 3*openai", Problem, "Not ready: openai is blocked: nothing else can answer"),
    (
        "openai=key:work badkey:work,openai 3*openai",
        Problem,
        "Not ready: the key work was rejected: nothing else can answer",
    ),
    (
        "openai=up 3*openai badkey:second,openai",
        Attention,
        "The key second was rejected; other keys answer instead",
    ),
    ("openai=new 3*openai badkey:second,openai", Attention, "The key second was rejected"),
    // Two backends, one of them dead.
    ("openai=up claude=up 3*openai 2*claude chat>openai,claude", Fine, "Everything works"),
    (
        "openai=down claude=up chat>openai,claude",
        Attention,
        "Ready, degraded: openai is down; claude answers instead",
    ),
    (
        "openai=up claude=down chat>openai,claude",
        Attention,
        "Ready, degraded: claude is down; openai answers instead",
    ),
    (
        "openai=down claude=up chat>openai,claude code>openai",
        Problem,
        "Not ready: openai is down: the route code fails",
    ),
    (
        "openai=down claude=up chat>openai code>openai,mock 12*openai 2*claude",
        Problem,
        "Not ready: openai is down: the route chat and 12 models fail",
    ),
    ("openai=down claude=up 1*openai", Problem, "Not ready: openai is down: the model m-1 fails"),
    ("openai=down claude=up ?>openai", Problem, "Not ready: openai is down: its models fail"),
    (
        "openai=down claude=up a>openai b>openai c>openai",
        Problem,
        "Not ready: openai is down: the routes a, b and c fail",
    ),
    (
        "openai=down claude=up a>openai b>openai c>openai d>openai e>openai",
        Problem,
        "Not ready: openai is down: 5 routes fail",
    ),
    ("openai=down claude=up 2*claude", Attention, "openai is down"),
    (
        "openai=down claude=new chat>openai,claude",
        Attention,
        "Ready, degraded: openai is down; claude is being checked",
    ),
    ("openai=up claude=new chat>openai,claude", Unknown, "Checking claude"),
    ("openai=new claude=was-up chat>openai,claude", Unknown, "Checking 2 backends"),
    ("openai=was-up claude=was-up", Unknown, "Checking 2 backends (last known: up)"),
    ("openai=up claude=was-up x=up", Unknown, "Checking claude (last known: up)"),
    ("openai=new claude=new x=up", Unknown, "Checking 2 of 3 backends"),
    // Rate limits and holds are issues only while requests fail.
    ("openai=limited claude=up chat>openai,claude", Fine, "Everything works"),
    ("openai=held claude=up chat>openai,claude", Fine, "Everything works"),
    // What fails more than sometimes is no better than what fails sometimes.
    (
        "openai=failing claude=up chat>openai,claude",
        Attention,
        "Ready, degraded: openai is failing; claude answers instead",
    ),
    ("openai=failing claude=up 2*claude", Attention, "openai is failing"),
    (
        "openai=unpaid claude=up chat>openai,claude",
        Attention,
        "Ready, degraded: openai has no credit left; claude answers instead",
    ),
    (
        "openai=used-up claude=up chat>openai,claude",
        Attention,
        "Ready, degraded: openai has reached its spend limit; claude answers instead",
    ),
    (
        "openai=forbidden claude=up chat>openai,claude",
        Attention,
        "Ready, degraded: openai refuses its key; claude answers instead",
    ),
    ("openai=unpaid claude=up 2*claude", Attention, "openai has no credit left"),
    (
        "openai=unpaid claude=up chat>openai,claude offline",
        Problem,
        "Not ready: this machine is offline",
    ),
    (
        "openai=up 3*openai unpaidkey:second,openai",
        Attention,
        "The key second has no credit left; other keys answer instead",
    ),
    (
        "openai=limited claude=up chat>openai,claude 3*openai",
        Problem,
        "Not ready: openai is rate limited: 3 models fail",
    ),
    (
        "openai=down claude=failing x=up chat>openai,claude",
        Problem,
        "Not ready: openai is down: the route chat fails (and 1 more)",
    ),
    // Answers that come slowly or not always.
    (
        "openai=slow 3*openai",
        Attention,
        "Ready, degraded: openai is slow: first token 4.2 s, usually 0.9 s",
    ),
    ("openai=flaky 3*openai", Attention, "Ready, degraded: openai fails 3 of 10 requests"),
    (
        "openai=flaky claude=up chat>openai,claude",
        Attention,
        "Ready, degraded: openai fails 3 of 10 requests",
    ),
    (
        "openai=flaky claude=slow 3*openai 1*claude",
        Attention,
        "Ready, degraded: openai fails 3 of 10 requests (and 1 more)",
    ),
    (
        "openai=slow claude=new 3*openai 1*claude",
        Attention,
        "Ready, degraded: openai is slow: first token 4.2 s, usually 0.9 s",
    ),
    (
        "openai=slow claude=down 3*openai 1*claude",
        Problem,
        "Not ready: claude is down: the model m-1 fails (and 1 more)",
    ),
    (
        "openai=slow claude=down chat>claude,openai",
        Attention,
        "Ready, degraded: openai is slow: first token 4.2 s, usually 0.9 s (and 1 more)",
    ),
    ("openai=slow 3*openai offline", Problem, "Not ready: this machine is offline"),
    ("openai=recovering 3*openai", Fine, "Everything works"),
    (
        "openai=recovering 3*openai badkey:second,openai",
        Attention,
        "The key second was rejected; other keys answer instead",
    ),
    // Both dead: each is a cause.
    (
        "openai=down claude=down chat>openai,claude",
        Problem,
        "Not ready: openai is down: nothing else can answer (and 1 more)",
    ),
    (
        "openai=down claude=up azure=up chat>openai,claude code>openai,azure",
        Attention,
        "Ready, degraded: openai is down; other backends answer instead",
    ),
    (
        "openai=down chat>openai,mock",
        Attention,
        "Ready, degraded: openai is down; only the mock answers instead",
    ),
    // One key for two backends is one cause.
    (
        "a=key:work b=key:work c=up badkey:work,a chat>a,b 2*b",
        Problem,
        "Not ready: the key work was rejected: the route chat and 2 models fail",
    ),
    (
        "a=key:work c=up badkey:work,a chat>a,c",
        Attention,
        "Ready, degraded: the key work was rejected; c answers instead",
    ),
    // Routes without a backend.
    ("openai=up 3*openai dead:chat", Problem, "Not ready: the route chat is broken"),
    (
        "openai=up limited:chat",
        Problem,
        "Not ready: the route chat fails: gpt-5 at openai is rate limited until 3 Dec 15:30",
    ),
    (
        "openai=up limited:chat~",
        Attention,
        "The route chat waits for a moment: gpt-5 at openai is rate limited until 3 Dec 15:30",
    ),
    ("openai=up dead:chat dead:code", Problem, "Not ready: 2 routes are broken"),
    // The network: one cause, no children.
    ("openai=up 3*openai offline", Problem, "Not ready: this machine is offline"),
    (
        "openai=down claude=new chat>openai,claude offline",
        Problem,
        "Not ready: this machine is offline",
    ),
    (
        "openai=key:work badkey:work,openai 3*openai offline",
        Problem,
        "Not ready: this machine is offline",
    ),
    (
        "here=key:work @local badkey:work,here 3*here openai=up offline",
        Problem,
        "Not ready: this machine is offline (and 1 more)",
    ),
    (
        "openai=up ollama=up @local chat>openai,ollama offline",
        Attention,
        "Ready, degraded: this machine is offline; only ollama can answer",
    ),
    (
        "openai=up ollama=up @local 3*openai 1*ollama offline",
        Problem,
        "Not ready: this machine is offline; only ollama can answer",
    ),
    ("ollama=up @local 1*ollama offline", Fine, "Everything works"),
    (
        "ollama=down @local openai=up 1*ollama offline",
        Problem,
        "Not ready: this machine is offline (and 1 more)",
    ),
    // What other parts report.
    ("openai=up no-keychain", Attention, "Everything works; keys can't be stored yet"),
    ("openai=up vault", Problem, "Not ready: the vault is locked"),
    ("openai=up gateway", Problem, "Not ready: the gateway is not listening"),
    ("openai=up ledger-full", Problem, "Not ready: the ledger cannot be written"),
    ("openai=up ledger-behind", Attention, "The ledger is behind"),
    ("openai=up settings", Problem, "The settings file has errors"),
    ("openai=up checks", Attention, "The last readiness check failed"),
    ("openai=new checks", Attention, "The last readiness check failed"),
    ("openai=up checks ledger-behind", Attention, "The last readiness check failed (and 1 more)"),
    (
        "openai=down claude=up chat>openai,claude checks",
        Attention,
        "Ready, degraded: openai is down; claude answers instead (and 1 more)",
    ),
];

#[test]
fn each_state_has_the_sentence_that_a_person_would_agree_with() {
    let mut wrong = Vec::new();
    for (setup, level, sentence) in ROWS {
        let found = judge(facts(setup));
        if (found.level, found.sentence.as_str()) != (*level, *sentence) {
            wrong.push(format!(
                "{setup}\n  {:?} {}\n  {level:?} {sentence}",
                found.level, found.sentence
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), ROWS.len(), wrong.join("\n"));
}

#[test]
fn nothing_unconfirmed_or_failing_is_green() {
    for (setup, ..) in ROWS {
        let words = || setup.split_whitespace();
        let is_settled = |word: &str| {
            word.ends_with("=up") || word.starts_with("profile=") || !word.contains('=')
        };
        let found = judge(facts(setup)).level;
        // A rate limit or a hold that another backend stands in for stops nothing, nor does what
        // recovers.
        let ends = ["=limited", "=held", "=recovering"];
        let stood_in = |word: &str| ends.iter().any(|end| word.ends_with(end));
        if found == Fine {
            assert!(words().all(|word| is_settled(word) || stood_in(word)), "{setup}");
        }
    }
}

#[test]
fn what_is_not_ready_is_a_problem() {
    for (setup, ..) in ROWS {
        let found = judge(facts(setup));
        let is_problem = found.level == Problem;
        assert!(is_problem || !found.sentence.starts_with("Not ready"), "{setup}");
    }
}

#[test]
fn the_worst_issue_comes_first_and_the_list_is_capped() {
    let setup = "a=down b=down c=down d=down e=up 1*a chat>b,e checks ledger-behind dead:x";
    let found = judge(facts(setup));
    assert_eq!(found.needs.len(), ISSUES_MAX);
    assert_eq!(found.sentence, "Not ready: the route x is broken (and 6 more)");
    let levels: Vec<_> = found.needs.iter().map(|need| need.level).collect();
    assert!(levels.is_sorted_by(|a, b| a >= b), "{levels:?}");
    assert_eq!(found.needs[0].id, "routes", "a dead route is a problem of the first rank");
}
