//! Trees of made-up facts, a line per node: its depth, name, state and cause.

use super::*;
use DependencyState::{Blocked, Degraded, Down, Off, Unknown, Up};

fn node(kind: DependencyKind, name: &str, state: DependencyState) -> NodeFacts {
    NodeFacts {
        kind,
        name: name.to_owned(),
        label: if name.is_empty() { kind.word() } else { name }.to_owned(),
        required: None,
        state,
        reason: String::new(),
        since: None,
        action: None,
    }
}

fn backend(name: &str, state: DependencyState, key: DependencyState) -> BackendFacts {
    BackendFacts {
        id: BackendId::new(name).expect("a name"),
        node: node(DependencyKind::Backend, name, state),
        lost_key: None,
        keys: vec![NodeFacts {
            label: format!("{name}-key"),
            ..node(DependencyKind::Key, &format!("{name}/{name}-key"), key)
        }],
        models: 2,
        held_models: Vec::new(),
    }
}

fn provider(host: &str, is_local: bool, backends: Vec<BackendFacts>) -> ProviderFacts {
    ProviderFacts { host: host.to_owned(), is_local, backends }
}

fn facts(providers: Vec<ProviderFacts>) -> TreeFacts {
    let parts = [DependencyKind::Gateway, DependencyKind::Ledger, DependencyKind::Vault]
        .map(|kind| node(kind, "", Up));
    TreeFacts { is_offline: false, parts: parts.into(), providers, services: Vec::new() }
}

fn check(facts: &TreeFacts, finding: &str, expected: &str) {
    let view = build(facts);
    let line = |node: &DependencyNodeView| {
        let indent = "  ".repeat(node.depth as usize);
        let cause = node.suppressed_by.as_ref().map_or(String::new(), |it| format!(" <- {it}"));
        let folded = if node.folded { " ..." } else { "" };
        format!("{indent}{}: {}{cause}{folded}\n", node.label, node.state)
    };
    assert_eq!(view.nodes.iter().map(line).collect::<String>(), expected);
    assert_eq!(view.finding, finding);
    for node in &view.nodes {
        let parent = node.parent.as_ref();
        assert_eq!(parent.is_none(), node.depth == 0);
        assert!(parent.is_none_or(|id| view.nodes.iter().any(|it| it.id == *id)));
        let own = view.nodes.iter().filter(|it| it.suppressed_by.as_ref() == Some(&node.label));
        assert_eq!(own.count() as u64, node.suppresses.0, "{}", node.label);
    }
}

#[test]
fn where_all_is_well_everything_is_folded() {
    let all = vec![
        provider("api.openai.com", false, vec![backend("openai", Up, Up)]),
        provider("localhost:11434", true, vec![backend("ollama", Up, Up)]),
        provider("api.groq.com", false, vec![backend("groq", Off, Up)]),
    ];
    let tree = "\
Network: up ...
  api.openai.com: up ...
    openai: up ...
      openai-key: up
      2 models: up
  api.groq.com: off ...
    groq: off
This machine: up ...
  gateway: up
  ledger: up
  vault: up
  localhost:11434: up ...
    ollama: up ...
      ollama-key: up
      2 models: up
";
    check(&facts(all), "Everything that answers depend on is up", tree);
}

#[test]
fn a_backend_that_is_down_explains_its_models_and_its_host() {
    let all = vec![
        provider("api.openai.com", false, vec![backend("openai", Up, Up)]),
        provider("api.groq.com", false, vec![backend("groq", Down, Up)]),
    ];
    let tree = "\
Network: up
  api.groq.com: down <- groq
    groq: down ...
      2 models: unknown <- groq
      groq-key: up
  api.openai.com: up ...
    openai: up ...
      openai-key: up
      2 models: up
This machine: up ...
  gateway: up
  ledger: up
  vault: up
";
    check(&facts(all), "One cause: groq is down", tree);
}

#[test]
fn offline_is_the_one_cause_of_everything_remote() {
    let all = vec![
        provider("api.openai.com", false, vec![backend("openai", Down, Blocked)]),
        provider("localhost:11434", true, vec![backend("ollama", Up, Up)]),
    ];
    let offline = TreeFacts { is_offline: true, ..facts(all) };
    let tree = "\
Network: offline ...
  api.openai.com: unknown <- Network ...
    openai: unknown <- Network ...
      openai-key: unknown <- Network
      2 models: unknown <- Network
This machine: up ...
  gateway: up
  ledger: up
  vault: up
  localhost:11434: up ...
    ollama: up ...
      ollama-key: up
      2 models: up
";
    check(&offline, "This machine is offline", tree);
}

#[test]
fn a_refused_key_explains_its_backend_and_a_dead_host_all_of_its_backends() {
    let mut keyless = backend("openai", Blocked, Blocked);
    keyless.lost_key = Some(CredentialId::new("openai-key").expect("a name"));
    let all = vec![
        provider("api.openai.com", false, vec![keyless]),
        provider(
            "api.groq.com",
            false,
            vec![backend("groq", Down, Up), backend("groq-2", Down, Up), backend("old", Off, Up)],
        ),
    ];
    let tree = "\
Network: up
  api.groq.com: down ...
    groq: down <- api.groq.com ...
      groq-key: unknown <- api.groq.com
      2 models: unknown <- api.groq.com
    groq-2: down <- api.groq.com ...
      groq-2-key: unknown <- api.groq.com
      2 models: unknown <- api.groq.com
    old: off
  api.openai.com: blocked <- openai-key
    openai: blocked <- openai-key
      openai-key: blocked
      2 models: unknown <- openai
This machine: up ...
  gateway: up
  ledger: up
  vault: up
";
    check(&facts(all), "2 causes; api.groq.com is down", tree);
}

#[test]
fn a_vault_that_is_locked_explains_the_keys_that_it_holds() {
    let mut all = facts(vec![
        provider("api.openai.com", false, vec![backend("openai", Unknown, Unknown)]),
        provider("api.groq.com", false, vec![backend("groq", Up, Up)]),
    ]);
    all.parts[2].state = Down;
    let tree = "\
This machine: degraded <- vault
  vault: down
  gateway: up
  ledger: up
Network: up ...
  api.openai.com: unknown <- vault ...
    openai: unknown <- vault ...
      openai-key: unknown <- vault
      2 models: unknown <- openai
  api.groq.com: up ...
    groq: up ...
      groq-key: up
      2 models: up
";
    check(&all, "One cause: vault is down", tree);
}

#[test]
fn a_model_that_alone_is_held_back_degrades_no_more_than_its_group() {
    let mut held = backend("openai", Up, Up);
    held.held_models = vec![node(DependencyKind::Model, "openai/gpt-5", Degraded)];
    let all = vec![provider("api.openai.com", false, vec![held])];
    let tree = "\
Network: up
  api.openai.com: up
    openai: up
      2 models: degraded <- openai/gpt-5
        openai/gpt-5: degraded
      openai-key: up
This machine: up ...
  gateway: up
  ledger: up
  vault: up
";
    check(&facts(all), "One cause: openai/gpt-5 is degraded", tree);
}

#[test]
fn services_are_under_the_network_or_the_machine_and_required_or_not() {
    let service = |name: &str, state, is_local, is_required| ServiceFacts {
        is_local,
        node: NodeFacts {
            required: Some(is_required),
            ..node(DependencyKind::Service, name, state)
        },
    };
    let backends = vec![provider("api.openai.com", false, vec![backend("openai", Up, Up)])];
    let mut all = facts(backends);
    all.services = vec![
        service("search", Up, false, true),
        service("store", Down, true, false),
        service("old", Off, false, false),
    ];
    let tree = "\
This machine: degraded <- store
  store: down
  gateway: up
  ledger: up
  vault: up
Network: up ...
  api.openai.com: up ...
    openai: up ...
      openai-key: up
      2 models: up
  search: up
  old: off
";
    check(&all, "One cause: store is down", tree);
    let required: Vec<_> = build(&all).nodes.into_iter().filter_map(|it| it.required).collect();
    assert_eq!(required, [false, true, false]);

    all.is_offline = true;
    let offline = build(&all).nodes;
    let of = |label: &str| {
        let found = offline.iter().find(|it| it.label == label).expect("there");
        (found.state, found.suppressed_by.as_deref())
    };
    assert_eq!(of("search"), (Unknown, Some("Network")));
    assert_eq!(of("store"), (Down, None), "it is on this machine");
    assert_eq!(of("old"), (Off, None));
}

#[test]
fn what_is_not_checked_yet_is_neither_well_nor_a_cause() {
    let all = vec![provider("api.openai.com", false, vec![backend("openai", Unknown, Unknown)])];
    let tree = "\
Network: up
  api.openai.com: unknown <- openai
    openai: unknown
      openai-key: unknown
      2 models: unknown <- openai
This machine: up ...
  gateway: up
  ledger: up
  vault: up
";
    check(&facts(all), "2 parts not checked yet", tree);
}
