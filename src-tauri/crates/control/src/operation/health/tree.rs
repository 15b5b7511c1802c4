//! What answers depend on, as a tree: which node is the cause, and what it explains. Computed from facts
//! alone.
//!
//! A cause is told once. Without a network nothing remote has a state of its own; a key that is refused
//! explains its backend, a backend its models, and a host the backends that are at it.

mod facts;

use std::cmp::Reverse;

use domain::{BackendId, CredentialId, count_noun};
use engine::Engine;

use super::lanes::badness;
use crate::view::{
    Count, DependencyKind, DependencyNodeView, DependencyState, HealthTreeView, PanelActionView,
    UnixMs,
};
use crate::{ApiError, Sign};

pub(crate) async fn health_tree(engine: &Engine) -> Result<HealthTreeView, ApiError> {
    Ok(build(&facts::collect(engine)))
}

struct TreeFacts {
    /// True when no network leads off this machine.
    is_offline: bool,
    /// The gateway, the ledger, the vault and the settings.
    parts: Vec<NodeFacts>,
    providers: Vec<ProviderFacts>,
    services: Vec<ServiceFacts>,
}

struct NodeFacts {
    kind: DependencyKind,
    /// Without the kind: `openai`.
    name: String,
    label: String,
    /// `None` of what is no service.
    required: Option<bool>,
    state: DependencyState,
    reason: String,
    since: Option<UnixMs>,
    action: Option<PanelActionView>,
}

struct ServiceFacts {
    is_local: bool,
    node: NodeFacts,
}

struct ProviderFacts {
    /// With the port, if it is not the usual one.
    host: String,
    is_local: bool,
    backends: Vec<BackendFacts>,
}

struct BackendFacts {
    id: BackendId,
    node: NodeFacts,
    /// The key whose fault it is.
    lost_key: Option<CredentialId>,
    keys: Vec<NodeFacts>,
    models: usize,
    /// Models that alone are held back.
    held_models: Vec<NodeFacts>,
}

/// A node with its place, and what explains it.
struct Node {
    view: DependencyNodeView,
    cause: Option<String>,
    children: Vec<Node>,
}

impl Node {
    fn new(facts: &NodeFacts) -> Self {
        let word = facts.kind.word();
        let id =
            if facts.name.is_empty() { word.to_owned() } else { format!("{word}/{}", facts.name) };
        let view = DependencyNodeView {
            id,
            parent: None,
            depth: 0,
            kind: facts.kind,
            label: facts.label.clone(),
            required: facts.required,
            state: facts.state,
            reason: facts.reason.clone(),
            since: facts.since,
            suppressed_by: None,
            suppresses: Count(0),
            folded: false,
            action: facts.action.clone(),
        };
        Self { view, cause: None, children: Vec::new() }
    }

    fn group(kind: DependencyKind, name: &str, label: &str) -> Self {
        Self::new(&NodeFacts {
            kind,
            name: name.to_owned(),
            label: label.to_owned(),
            required: None,
            state: DependencyState::Up,
            reason: String::new(),
            since: None,
            action: None,
        })
    }

    const fn is_well(&self) -> bool {
        matches!(self.view.state, DependencyState::Up | DependencyState::Off)
    }

    /// True if trouble in it, if there is any, comes from elsewhere.
    fn has_no_cause(&self) -> bool {
        (self.is_well() || self.cause.is_some()) && self.has_no_cause_below()
    }

    fn has_no_cause_below(&self) -> bool {
        self.children.iter().all(Self::has_no_cause)
    }

    /// Gives it a state that another node explains.
    fn explain(&mut self, state: DependencyState, reason: &str, cause: &str) {
        self.view.state = state;
        reason.clone_into(&mut self.view.reason);
        self.cause = Some(cause.to_owned());
    }

    /// Everything below has no state of its own. What is switched off stays so.
    fn explain_all(&mut self, reason: &str, cause: &str) {
        for child in &mut self.children {
            if child.view.state != DependencyState::Off {
                child.explain(DependencyState::Unknown, reason, cause);
            }
            child.explain_all(reason, cause);
        }
    }

    fn visit<'a>(&'a self, each: &mut impl FnMut(&'a Self)) {
        each(self);
        self.children.iter().for_each(|child| child.visit(each));
    }
}

fn build(facts: &TreeFacts) -> HealthTreeView {
    let vault = facts.parts.iter().find(|part| part.kind == DependencyKind::Vault);
    let is_vault_lost = vault.is_some_and(|part| badness(part.state) > 1);
    let providers = |is_local: bool| {
        let own = facts.providers.iter().filter(move |it| it.is_local == is_local);
        own.map(move |it| provider_node(it, is_vault_lost))
    };
    let mut network = Node::group(DependencyKind::Network, "", "Network");
    let services = |is_local: bool| {
        let own = facts.services.iter().filter(move |it| it.is_local == is_local);
        own.map(|it| Node::new(&it.node))
    };
    network.children.extend(providers(false).chain(services(false)));
    if facts.is_offline {
        network.view.state = DependencyState::Offline;
        "No network leads off this machine.".clone_into(&mut network.view.reason);
        network.explain_all("Unknown while this machine is offline.", "network");
    }
    let mut machine = Node::group(DependencyKind::Machine, "", "This machine");
    machine.children.extend(facts.parts.iter().map(Node::new));
    machine.children.extend(providers(true).chain(services(true)));
    sum_up(&mut machine);
    let mut roots = vec![network, machine];
    sort(&mut roots);
    view(&roots)
}

fn provider_node(facts: &ProviderFacts, is_vault_lost: bool) -> Node {
    let mut provider = Node::group(DependencyKind::Provider, &facts.host, &facts.host);
    let id = provider.view.id.clone();
    provider.children = facts.backends.iter().map(|it| backend_node(it, is_vault_lost)).collect();
    let used = || facts.backends.iter().filter(|it| it.node.state != DependencyState::Off);
    let is_lost =
        |it: &BackendFacts| it.node.state == DependencyState::Down && it.lost_key.is_none();
    let count = used().count();
    if count > 1 && used().all(is_lost) {
        provider.view.state = DependencyState::Down;
        provider.view.reason = format!("None of its {count} backends answers.");
        provider.view.since = used().filter_map(|it| it.node.since).max();
        for backend in provider.children.iter_mut().filter(|it| !it.is_well()) {
            backend.cause = Some(id.clone());
            backend.explain_all("Unknown while the host does not answer.", &id);
        }
    } else if count == 0 {
        provider.view.state = DependencyState::Off;
    } else {
        sum_up(&mut provider);
    }
    provider
}

fn backend_node(facts: &BackendFacts, is_vault_lost: bool) -> Node {
    let mut backend = Node::new(&facts.node);
    let id = backend.view.id.clone();
    if facts.node.state == DependencyState::Off {
        return backend;
    }
    let mut models = Node::group(
        DependencyKind::Models,
        facts.id.as_str(),
        &count_noun(facts.models as u64, "model"),
    );
    models.children = facts.held_models.iter().map(Node::new).collect();
    sum_up(&mut models);
    backend.children = vec![models];
    let is_answering = matches!(facts.node.state, DependencyState::Up | DependencyState::Degraded);
    if !is_answering {
        let reason = match facts.node.state {
            DependencyState::Unknown => "Not checked yet.".to_owned(),
            state => format!("Unknown while {} is {}.", facts.node.label, Sign::from(state).word),
        };
        backend.explain_all(&reason, &id);
    }
    let mut children: Vec<Node> = facts.keys.iter().map(Node::new).collect();
    children.append(&mut backend.children);
    backend.children = children;
    if let Some(key) = &facts.lost_key {
        backend.cause = Some(format!("{}/{}/{key}", DependencyKind::Key, facts.id));
    }
    if is_vault_lost {
        let keys = backend.children.iter_mut().filter(|it| it.view.kind == DependencyKind::Key);
        let mut is_unread = false;
        let is_unread_now = |it: &&mut Node| {
            matches!(it.view.state, DependencyState::Unknown | DependencyState::Down)
        };
        for key in keys.filter(is_unread_now) {
            key.explain(DependencyState::Unknown, "The vault does not give it out.", "vault");
            is_unread = true;
        }
        if is_unread && !is_answering {
            backend.cause = Some("vault".to_owned());
        }
    }
    backend
}

/// A group is as good as what is in it, and explained by the worst of that.
fn sum_up(group: &mut Node) {
    let is_used = |node: &&Node| node.view.state != DependencyState::Off;
    let all = group.children.iter().filter(is_used).count();
    let bad = group.children.iter().filter(|node| !node.is_well());
    let Some(worst) = bad.clone().rev().max_by_key(|node| badness(node.view.state)) else { return };
    let bad = bad.count();
    // What is only unknown makes nothing degraded.
    let state = match worst.view.state {
        DependencyState::Unknown => DependencyState::Unknown,
        worst if bad == all => worst,
        _ => DependencyState::Degraded,
    };
    let word = Sign::from(worst.view.state).word;
    let reason = match bad {
        1 => format!("{} is {word}.", worst.view.label),
        several => format!("{several} of {all} are not up; {} is {word}.", worst.view.label),
    };
    let cause = worst.cause.clone().unwrap_or_else(|| worst.view.id.clone());
    group.view.since = worst.view.since;
    group.explain(state, &reason, &cause);
}

/// The worst first, then in the order of the settings.
fn sort(nodes: &mut [Node]) {
    let rank = |node: &Node| match node.view.state {
        DependencyState::Off => 9,
        DependencyState::NotObserved => 8,
        // A cause before what it explains.
        state => 7 - badness(state) - u8::from(node.cause.is_none() && !node.is_well()),
    };
    nodes.sort_by_key(rank);
    nodes.iter_mut().for_each(|node| sort(&mut node.children));
}

fn view(roots: &[Node]) -> HealthTreeView {
    let mut all: Vec<&Node> = Vec::new();
    roots.iter().for_each(|root| root.visit(&mut |node| all.push(node)));
    let label = |id: &str| {
        let found = all.iter().find(|node| node.view.id == id);
        found.map_or_else(|| id.to_owned(), |node| node.view.label.clone())
    };
    let explained = |id: &str| {
        let own = all.iter().filter(|node| node.cause.as_deref() == Some(id));
        own.count() as u64
    };
    let mut nodes = Vec::new();
    let mut pending: Vec<(&Node, Option<&str>, u32)> =
        roots.iter().rev().map(|root| (root, None, 0)).collect();
    while let Some((node, parent, depth)) = pending.pop() {
        nodes.push(DependencyNodeView {
            parent: parent.map(str::to_owned),
            depth,
            suppressed_by: node.cause.as_deref().map(label),
            suppresses: explained(&node.view.id).into(),
            folded: !node.children.is_empty() && node.has_no_cause_below(),
            ..node.view.clone()
        });
        let below = node.children.iter().rev();
        pending.extend(below.map(|child| (child, Some(node.view.id.as_str()), depth + 1)));
    }
    HealthTreeView { finding: finding(&all), nodes }
}

fn finding(all: &[&Node]) -> String {
    let is_cause = |node: &&Node| node.cause.is_none() && badness(node.view.state) > 0;
    let mut causes: Vec<&Node> = all.iter().copied().filter(is_cause).collect();
    causes.sort_by_key(|node| Reverse(badness(node.view.state)));
    let is_known = |node: &&Node| node.view.state != DependencyState::Unknown;
    let mut known: Vec<&Node> = causes.iter().copied().filter(is_known).collect();
    // A key of two backends is under both.
    known.dedup_by(|one, other| one.view.label == other.view.label);
    let what = |node: &Node| format!("{} is {}", node.view.label, Sign::from(node.view.state).word);
    match known.as_slice() {
        [] if causes.is_empty() => "Everything that answers depend on is up".to_owned(),
        [] => format!("{} not checked yet", count_noun(causes.len() as u64, "part")),
        [only] if only.view.state == DependencyState::Offline => {
            "This machine is offline".to_owned()
        }
        [only] => format!("One cause: {}", what(only)),
        [worst, ..] => format!("{} causes; {}", known.len(), what(worst)),
    }
}

#[cfg(test)]
mod tests;
