//! Whether the network is at fault: no route leads off this machine, or one does and no host behind it
//! can be reached. Then nothing remote is at fault itself.
//!
//! The second sign is looked for when something remote fails: the hosts of all backends are asked
//! for their first page, without a key; those on this machine or in the network around it would say
//! nothing of the way out. While it holds they are asked again every few seconds.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use domain::{BackendId, Clock, Moment};
use endpoints::EndpointRegistry;
use futures_util::future::join_all;
use gateway::{Upstream, is_reachable};
use monitor::NetworkReach;
use parking_lot::Mutex;
use settings::{AllowedNetwork, SettingsStore, is_on_own_network};
use url::{Host, Url};

use crate::events::EventBus;
use crate::process::tasks::Tasks;
use crate::topic::Topic;

/// Most hosts that are asked at once.
const HOSTS_ASKED_MAX: usize = 8;
/// How long an answer holds for the next failure.
const JUDGED_FOR: Duration = Duration::from_secs(2);
/// Time between two looks while the network is down.
const RECHECK_EVERY: Duration = Duration::from_secs(5);

/// Tells the network's faults from those of what is behind it.
pub(crate) struct NetworkGate {
    /// True while no route leads off this machine.
    pub(crate) has_no_route: fn() -> bool,
    pub(crate) network: Arc<dyn Upstream>,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) reach: Mutex<NetworkReach>,
    /// When hosts were asked last. Held while they are asked, so that failures at the same time
    /// share the answer.
    pub(crate) judged: tokio::sync::Mutex<Option<Moment>>,
}

impl NetworkGate {
    pub(crate) fn is_offline(&self) -> bool {
        (self.has_no_route)() || self.reach.lock().is_down()
    }

    /// True if the network, and not `host`, is to blame for a failure just now. Never for
    /// what is on this machine or in the network around it.
    pub(crate) async fn is_to_blame(&self, host: &Host<String>) -> bool {
        if is_on_own_network(host) {
            return false;
        }
        if (self.has_no_route)() {
            return true;
        }
        let mut judged = self.judged.lock().await;
        let is_fresh = judged.is_some_and(|at| self.clock.now().since(at) < JUDGED_FOR);
        if !is_fresh {
            self.ask(Some(host)).await;
            *judged = Some(self.clock.now());
        }
        self.reach.lock().is_down()
    }

    /// True while an answer changes what is known. Without doubts nothing is looked up for each of them.
    pub(crate) fn has_doubts(&self) -> bool {
        *self.reach.lock() != NetworkReach::default()
    }

    /// Takes in that a host answered. One in the network around this machine says nothing of the way
    /// out of it.
    pub(crate) fn record_answer(&self, host: &Host<String>) {
        if !is_on_own_network(host) {
            self.change(|reach| reach.record_answer(&host.to_string()));
        }
    }

    /// Looks while the network is down whether it is back, then calls `when_back`.
    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks, when_back: impl Fn() + Send + 'static) {
        let (gate, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("network", async move {
            let mut was_offline = gate.is_offline();
            while ticks.sleep(RECHECK_EVERY).await {
                if gate.reach.lock().is_down() {
                    gate.look_again().await;
                }
                gate.tell_endpoints();
                let is_offline = gate.is_offline();
                if std::mem::replace(&mut was_offline, is_offline) && !is_offline {
                    when_back();
                }
            }
        });
    }

    async fn look_again(&self) {
        let mut judged = self.judged.lock().await;
        self.ask(None).await;
        *judged = Some(self.clock.now());
    }

    /// Failures that the network explains open no breaker.
    fn tell_endpoints(&self) {
        self.registry.set_cut_off(self.is_offline().then(|| self.cut_off()));
    }

    /// The backends in use that need a way out of this network.
    fn cut_off(&self) -> HashSet<BackendId> {
        let settings = self.settings.current();
        let remote = settings.backends_on().filter(|(_, known)| {
            known.base_url.host().is_some_and(|host| !is_on_own_network(&host.to_owned()))
        });
        remote.map(|(id, _)| id.clone()).collect()
    }

    /// Asks the hosts of all remote backends, and takes `failed` as not reached unless it is one.
    async fn ask(&self, failed: Option<&Host<String>>) {
        let asking = self.hosts().into_iter().map(|(host, (url, network))| async move {
            let is_reached = is_reachable(&*self.network, url, network).await?;
            Some((host, is_reached))
        });
        let mut asked: BTreeMap<String, bool> =
            join_all(asking).await.into_iter().flatten().collect();
        if let Some(failed) = failed {
            asked.entry(failed.to_string()).or_insert(false);
        }
        let asked = asked.iter().map(|(host, is_reached)| (host.as_str(), *is_reached));
        self.change(|reach| {
            reach.judge(asked);
        });
    }

    /// An address at each host beyond this network that a backend in use has.
    fn hosts(&self) -> BTreeMap<String, (Url, AllowedNetwork)> {
        let settings = self.settings.current();
        let remote = settings.backends_on().filter_map(|(_, known)| {
            let host = known.base_url.host().map(|host| host.to_owned())?;
            let is_beyond = known.network == AllowedNetwork::Public && !is_on_own_network(&host);
            // What listens on another port is behind the same network.
            is_beyond.then(|| (host.to_string(), (known.base_url.clone(), known.network)))
        });
        let hosts: BTreeMap<_, _> = remote.collect();
        hosts.into_iter().take(HOSTS_ASKED_MAX).collect()
    }

    /// Changes what is known, and tells panels if that closes or opens the gate.
    fn change(&self, change: impl FnOnce(&mut NetworkReach)) {
        let (before, now) = {
            let mut reach = self.reach.lock();
            let before = reach.is_down();
            change(&mut reach);
            (before, reach.is_down())
        };
        if before != now {
            tracing::info!(is_down = now, "the network changed");
            self.tell_endpoints();
            self.events.send_changed(&[Topic::Status, Topic::Health, Topic::Backends]);
        }
    }
}

#[cfg(test)]
mod tests;
