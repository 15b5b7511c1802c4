//! The event loop: takes the next event, passes it to the gateway, performs its effects, and runs
//! the checker. Time jumps from event to event.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use domain::{BackendId, CredentialId, Endpoint, Moment};
use resilience::{FailureClass, ProbeOutcome, RateRules, Ticket};
use routing::RouteTable;

use super::chance::Chance;
use super::checker::InvariantChecker;
use super::clients::{ClientRetryAdvice, RetryHabit, SimulatedClient};
use super::gateway::{CallId, GatewayEffect, SimulatedGateway, SimulatedOutcome, SimulatedRequest};
use super::upstream::{AnswerOutcome, ProviderAnswer, ProviderFault, SimulatedUpstream};

/// Interval at which the gateway looks for due probes.
const TICK: Duration = Duration::from_secs(10);

pub(crate) struct WorldPlan {
    pub(crate) seed: u64,
    pub(crate) lasts: Duration,
    pub(crate) table: RouteTable,
    pub(crate) upstreams: Vec<SimulatedUpstream>,
    /// The gateway's own rate limits for each backend.
    pub(crate) rates: Vec<(&'static str, RateRules)>,
    pub(crate) clients: Vec<SimulatedClient>,
    /// Keys that stop working and are replaced later.
    pub(crate) dying_keys: Vec<DyingKey>,
    /// Times when the program is killed and restarted.
    pub(crate) restarts: Vec<Moment>,
}

/// A key that is rejected from some time on.
#[derive(Debug, Clone)]
pub(crate) struct DyingKey {
    pub(crate) endpoint: Endpoint,
    pub(crate) class: FailureClass,
    pub(crate) dies: Moment,
    pub(crate) replaced: Moment,
}

#[derive(Debug)]
enum WorldEvent {
    Arrive { client: usize },
    Again { client: usize, conversation: u64, earlier: u32 },
    Resume { call: CallId },
    GiveUp { call: CallId, ticket: Ticket },
    Answering { call: CallId, send: u64 },
    Answered { call: CallId, backend: BackendId, send: u64, how: AnswerOutcome },
    Abandon { call: CallId },
    KeyDies(DyingKey),
    KeyReplaced { backend: BackendId, credential: CredentialId },
    Restart,
    Tick,
}

/// A request from the client's side.
#[derive(Debug)]
struct PendingClientRequest {
    client: usize,
    conversation: u64,
    retries_made: u32,
    /// The number of its call in flight.
    send: Option<u64>,
}

pub(crate) struct World {
    now: Moment,
    end: Moment,
    event_queue: BinaryHeap<Reverse<(Moment, u64)>>,
    events: BTreeMap<u64, WorldEvent>,
    numbers: u64,
    chance: Chance,
    gateway: SimulatedGateway,
    upstreams: BTreeMap<BackendId, SimulatedUpstream>,
    clients: Vec<SimulatedClient>,
    pending: BTreeMap<CallId, PendingClientRequest>,
    watch: InvariantChecker,
}

impl World {
    /// Runs a world until nothing is pending, and returns the checker. A broken invariant panics
    /// with the seed.
    pub(crate) fn run(plan: WorldPlan) -> InvariantChecker {
        let mut world = Self::new(plan);
        while let Some(Reverse((at, number))) = world.event_queue.pop() {
            world.now = at;
            let event = world.events.remove(&number).expect("an event for each number");
            world.handle_event(event);
            world.process_effects();
        }
        world.watch.end(&world.gateway, world.now);
        world.watch
    }

    fn new(plan: WorldPlan) -> Self {
        let WorldPlan { seed, lasts, table, upstreams, rates, clients, dying_keys, restarts } =
            plan;
        let gateway = SimulatedGateway::new(table, &rates, seed ^ 0x9e37);
        let mut world = Self {
            now: Moment::default(),
            end: Moment::default() + lasts,
            event_queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            numbers: 0,
            chance: Chance::new(seed),
            gateway,
            upstreams: upstreams.into_iter().map(|one| (one.backend.clone(), one)).collect(),
            clients,
            pending: BTreeMap::new(),
            watch: InvariantChecker::new(seed),
        };
        (0..world.clients.len()).for_each(|client| world.schedule_next_request(client));
        for key in dying_keys {
            world.at(key.dies, WorldEvent::KeyDies(key));
        }
        for restart in restarts {
            world.at(restart, WorldEvent::Restart);
        }
        world.after(TICK, WorldEvent::Tick);
        world
    }

    fn handle_event(&mut self, event: WorldEvent) {
        let now = self.now;
        match event {
            WorldEvent::Arrive { client } => {
                let (_, size) = self.clients[client].next(now, &self.chance);
                for _ in 0..size {
                    let conversation = self.number();
                    self.ask(PendingClientRequest {
                        client,
                        conversation,
                        retries_made: 0,
                        send: None,
                    });
                }
                self.schedule_next_request(client);
            }
            WorldEvent::Again { client, conversation, earlier } => {
                self.ask(PendingClientRequest {
                    client,
                    conversation,
                    retries_made: earlier,
                    send: None,
                });
            }
            WorldEvent::Resume { call } => self.gateway.resume(call, now),
            WorldEvent::GiveUp { call, ticket } => {
                self.gateway.slot_wait_timed_out(call, ticket, now);
            }
            WorldEvent::Answering { call, send } => {
                if self.pending.get(&call).is_some_and(|pending| pending.send == Some(send)) {
                    self.gateway.first_token_arrived(call, now);
                }
            }
            WorldEvent::Answered { call, backend, send, how } => {
                self.upstreams.get_mut(&backend).expect("a provider").ended();
                // The answer to an abandoned call is dropped.
                let awaited =
                    self.pending.get_mut(&call).filter(|pending| pending.send == Some(send));
                if let Some(pending) = awaited {
                    pending.send = None;
                    self.gateway.call_ended(call, how, now);
                }
            }
            WorldEvent::Abandon { call } => self.gateway.client_cancelled(call, now),
            WorldEvent::KeyDies(key) => self.key_dies(key),
            WorldEvent::KeyReplaced { backend, credential } => {
                let upstream = self.upstreams.get_mut(&backend).expect("a provider");
                upstream.dead_keys.remove(&credential);
                self.gateway.recorded.key_changed(&credential, now);
                self.watch.key_replaced(&credential, now);
            }
            WorldEvent::Restart => {
                self.gateway.restart(now);
                self.watch.restarted();
            }
            WorldEvent::Tick => self.tick(),
        }
    }

    /// Performs the gateway's effects and reports them to the checker.
    fn process_effects(&mut self) {
        let now = self.now;
        for transition in self.gateway.recorded.take_transitions(now) {
            self.watch.changed(transition);
        }
        for effect in self.gateway.take_effects() {
            self.watch.saw(&effect, &self.gateway, &self.upstreams, now);
            self.perform_effect(effect);
        }
        self.watch.check(&self.gateway, now);
    }

    fn perform_effect(&mut self, effect: GatewayEffect) {
        match effect {
            GatewayEffect::Routed { .. }
            | GatewayEffect::Decided { .. }
            | GatewayEffect::Reported { .. }
            | GatewayEffect::BackendBusy { .. } => {}
            GatewayEffect::Send { call, endpoint, left } => {
                let upstream = self.upstreams.get_mut(&endpoint.backend).expect("a provider");
                let mut answer = upstream.answer(&endpoint, self.now, &self.chance);
                if answer.after > left {
                    let how = AnswerOutcome::Failed(FailureClass::FirstTokenTimeout.into());
                    answer = ProviderAnswer { after: left, how };
                }
                let send = self.number();
                self.pending.get_mut(&call).expect("somebody asked").send = Some(send);
                let Endpoint { backend, .. } = endpoint;
                if let AnswerOutcome::Whole { first_token, .. } = answer.how {
                    self.after(first_token, WorldEvent::Answering { call, send });
                }
                self.after(
                    answer.after,
                    WorldEvent::Answered { call, backend, send, how: answer.how },
                );
            }
            GatewayEffect::ResumeAt { call, at } => self.at(at, WorldEvent::Resume { call }),
            GatewayEffect::GiveUpAt { call, ticket, at } => {
                self.at(at, WorldEvent::GiveUp { call, ticket });
            }
            GatewayEffect::Ended { call, ending } => self.ended(call, ending),
        }
    }

    fn ask(&mut self, pending: PendingClientRequest) {
        let call = self.number();
        let client = &self.clients[pending.client];
        let ask = SimulatedRequest {
            client: client.id.clone(),
            priority: client.priority,
            model: client.model,
            conversation: pending.conversation,
        };
        let cancels = self.chance.happens(client.cancels);
        self.watch.request_begins(call, self.now);
        self.pending.insert(call, pending);
        if cancels {
            let wait = self.chance.pause(Duration::from_secs(4));
            self.after(wait, WorldEvent::Abandon { call });
        }
        self.gateway.arrive(call, ask, self.now);
    }

    /// The client's reaction to its answer.
    fn ended(&mut self, call: CallId, ending: SimulatedOutcome) {
        let pending = self.pending.remove(&call).expect("somebody asked");
        let PendingClientRequest { client, conversation, retries_made: earlier, .. } = pending;
        let (told, wait) = match ending {
            SimulatedOutcome::Answered | SimulatedOutcome::Cancelled => return,
            // An error event in the stream has no headers.
            SimulatedOutcome::CutInAnswer => (ClientRetryAdvice::Nothing, None),
            SimulatedOutcome::Failed { retry_after, .. } => (ClientRetryAdvice::NoUse, retry_after),
            SimulatedOutcome::Busy { retry_after } => {
                (ClientRetryAdvice::Nothing, Some(retry_after))
            }
        };
        let retrying = self.clients[client].retrying;
        if earlier < retrying.retries_max(told) && self.now < self.end {
            let short = wait.filter(|wait| *wait <= Duration::from_secs(60));
            let pause = RetryHabit::pause(earlier, &self.chance).max(short.unwrap_or_default());
            self.after(pause, WorldEvent::Again { client, conversation, earlier: earlier + 1 });
        }
    }

    fn key_dies(&mut self, key: DyingKey) {
        let DyingKey { endpoint, class, replaced, .. } = key;
        let credential = endpoint.credential.expect("a key");
        let upstream = self.upstreams.get_mut(&endpoint.backend).expect("a provider");
        upstream.dead_keys.insert(credential.clone(), class);
        self.at(replaced, WorldEvent::KeyReplaced { backend: endpoint.backend, credential });
    }

    /// Light probes: a list of models, which a provider that refuses only generations still
    /// returns.
    fn tick(&mut self) {
        let now = self.now;
        for endpoint in self.gateway.recorded.at(now).endpoints_due_for_probe() {
            let upstream = self.upstreams.get(&endpoint.backend).expect("a provider");
            let dead = upstream.fault_at(now) == Some(ProviderFault::Refuse);
            let outcome = if dead { ProbeOutcome::Failed } else { ProbeOutcome::Passed };
            self.watch.probed(&endpoint, outcome);
            self.gateway.recorded.probed(&endpoint, outcome, now);
        }
        if now < self.end || self.gateway.requests_in_flight() > 0 {
            self.after(TICK, WorldEvent::Tick);
        }
    }

    fn schedule_next_request(&mut self, client: usize) {
        let (pause, _) = self.clients[client].next(self.now, &self.chance);
        if self.now + pause < self.end {
            self.after(pause, WorldEvent::Arrive { client });
        }
    }

    fn after(&mut self, pause: Duration, event: WorldEvent) {
        self.at(self.now + pause, event);
    }

    fn at(&mut self, at: Moment, event: WorldEvent) {
        let number = self.number();
        self.events.insert(number, event);
        self.event_queue.push(Reverse((at, number)));
    }

    const fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}
