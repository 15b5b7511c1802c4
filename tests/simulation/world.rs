//! The event loop: takes the next event, passes it to the gateway, performs its effects, and runs
//! the checker. Time jumps from event to event.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use domain::{Access, BackendId, CredentialId, Moment};
use resilience::{FailureClass, ProbeOutcome, RateRules, Ticket};
use routing::RouteTable;

use super::chance::Chance;
use super::clients::{Client, Retrying, Told};
use super::gateway::{Ask, CallId, Effect, Ending, Gateway};
use super::upstream::{Answer, Fault, How, Upstream};
use super::watch::Watch;

/// Interval at which the gateway looks for due probes.
const TICK: Duration = Duration::from_secs(10);

/// The definition of a world.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) lasts: Duration,
    pub(crate) table: RouteTable,
    pub(crate) upstreams: Vec<Upstream>,
    /// The gateway's own rate limits for each backend.
    pub(crate) rates: Vec<(&'static str, RateRules)>,
    pub(crate) clients: Vec<Client>,
    /// Keys that stop working and are replaced later.
    pub(crate) dying_keys: Vec<DyingKey>,
    /// Times when the program is killed and restarted.
    pub(crate) restarts: Vec<Moment>,
}

/// A key that is rejected from some time on.
#[derive(Debug, Clone)]
pub(crate) struct DyingKey {
    pub(crate) access: Access,
    pub(crate) class: FailureClass,
    pub(crate) dies: Moment,
    pub(crate) replaced: Moment,
}

#[derive(Debug)]
enum Event {
    Arrive { client: usize },
    Again { client: usize, conversation: u64, earlier: u32 },
    Resume { call: CallId },
    GiveUp { call: CallId, ticket: Ticket },
    Answering { call: CallId, send: u64 },
    Answered { call: CallId, backend: BackendId, send: u64, how: How },
    Abandon { call: CallId },
    KeyDies(DyingKey),
    KeyReplaced { backend: BackendId, credential: CredentialId },
    Restart,
    Tick,
}

/// A request from the client's side.
#[derive(Debug)]
struct Asked {
    client: usize,
    conversation: u64,
    earlier: u32,
    /// The number of its call in flight.
    send: Option<u64>,
}

pub(crate) struct World {
    now: Moment,
    end: Moment,
    due: BinaryHeap<Reverse<(Moment, u64)>>,
    events: BTreeMap<u64, Event>,
    numbers: u64,
    chance: Chance,
    gateway: Gateway,
    upstreams: BTreeMap<BackendId, Upstream>,
    clients: Vec<Client>,
    asked: BTreeMap<CallId, Asked>,
    watch: Watch,
}

impl World {
    /// Runs a world until nothing is pending, and returns the checker. A broken invariant panics
    /// with the seed.
    pub(crate) fn run(plan: Plan) -> Watch {
        let mut world = Self::new(plan);
        while let Some(Reverse((at, number))) = world.due.pop() {
            world.now = at;
            let event = world.events.remove(&number).expect("an event for each number");
            world.happen(event);
            world.settle();
        }
        world.watch.end(&world.gateway, world.now);
        world.watch
    }

    fn new(plan: Plan) -> Self {
        let Plan { seed, lasts, table, upstreams, rates, clients, dying_keys, restarts } = plan;
        let gateway = Gateway::new(table, &rates, Chance::new(seed ^ 0x9e37));
        let mut world = Self {
            now: Moment::default(),
            end: Moment::default() + lasts,
            due: BinaryHeap::new(),
            events: BTreeMap::new(),
            numbers: 0,
            chance: Chance::new(seed),
            gateway,
            upstreams: upstreams.into_iter().map(|one| (one.backend.clone(), one)).collect(),
            clients,
            asked: BTreeMap::new(),
            watch: Watch::new(seed),
        };
        (0..world.clients.len()).for_each(|client| world.expect_next(client));
        for key in dying_keys {
            world.at(key.dies, Event::KeyDies(key));
        }
        for restart in restarts {
            world.at(restart, Event::Restart);
        }
        world.after(TICK, Event::Tick);
        world
    }

    fn happen(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Arrive { client } => {
                let (_, size) = self.clients[client].next(now, &self.chance);
                for _ in 0..size {
                    let conversation = self.number();
                    self.ask(Asked { client, conversation, earlier: 0, send: None });
                }
                self.expect_next(client);
            }
            Event::Again { client, conversation, earlier } => {
                self.ask(Asked { client, conversation, earlier, send: None });
            }
            Event::Resume { call } => self.gateway.resume(call, now),
            Event::GiveUp { call, ticket } => self.gateway.give_up(call, ticket, now),
            Event::Answering { call, send } => {
                if self.asked.get(&call).is_some_and(|asked| asked.send == Some(send)) {
                    self.gateway.answering(call, now);
                }
            }
            Event::Answered { call, backend, send, how } => {
                self.upstreams.get_mut(&backend).expect("a provider").ended();
                // The answer to an abandoned call is dropped.
                let awaited = self.asked.get_mut(&call).filter(|asked| asked.send == Some(send));
                if let Some(asked) = awaited {
                    asked.send = None;
                    self.gateway.answered(call, how, now);
                }
            }
            Event::Abandon { call } => self.gateway.abandon(call, now),
            Event::KeyDies(key) => self.key_dies(key),
            Event::KeyReplaced { backend, credential } => {
                let upstream = self.upstreams.get_mut(&backend).expect("a provider");
                upstream.dead_keys.remove(&credential);
                self.gateway.recorded.key_changed(&credential, now);
                self.watch.key_replaced(&credential, now);
            }
            Event::Restart => {
                self.gateway.restart(now);
                self.watch.restarted();
            }
            Event::Tick => self.tick(),
        }
    }

    /// Performs the gateway's effects and reports them to the checker.
    fn settle(&mut self) {
        let now = self.now;
        let lapsed = self.gateway.recorded.accesses.lapse(now);
        self.gateway.recorded.transitions.extend(lapsed);
        for transition in std::mem::take(&mut self.gateway.recorded.transitions) {
            self.watch.changed(transition);
        }
        for effect in self.gateway.take_effects() {
            self.watch.saw(&effect, &self.gateway, &self.upstreams, now);
            self.perform(effect);
        }
        self.watch.check(&self.gateway, now);
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Routed { .. }
            | Effect::Decided { .. }
            | Effect::Reported { .. }
            | Effect::GaveUp { .. } => {}
            Effect::Send { call, access, left } => {
                let upstream = self.upstreams.get_mut(&access.backend).expect("a provider");
                let mut answer = upstream.answer(&access, self.now, &self.chance);
                if answer.after > left {
                    let how = How::Failed(FailureClass::FirstTokenTimeout.into());
                    answer = Answer { after: left, how };
                }
                let send = self.number();
                self.asked.get_mut(&call).expect("somebody asked").send = Some(send);
                let Access { backend, .. } = access;
                if let How::Whole { first_token, .. } = answer.how {
                    self.after(first_token, Event::Answering { call, send });
                }
                self.after(answer.after, Event::Answered { call, backend, send, how: answer.how });
            }
            Effect::ResumeAt { call, at } => self.at(at, Event::Resume { call }),
            Effect::GiveUpAt { call, ticket, at } => self.at(at, Event::GiveUp { call, ticket }),
            Effect::Ended { call, ending } => self.ended(call, ending),
        }
    }

    fn ask(&mut self, asked: Asked) {
        let call = self.number();
        let client = &self.clients[asked.client];
        let ask = Ask {
            client: client.id.clone(),
            priority: client.priority,
            model: client.model,
            conversation: asked.conversation,
        };
        let cancels = self.chance.happens(client.cancels);
        self.watch.asked(call, self.now);
        self.asked.insert(call, asked);
        if cancels {
            let patience = self.chance.pause(Duration::from_secs(4));
            self.after(patience, Event::Abandon { call });
        }
        self.gateway.arrive(call, ask, self.now);
    }

    /// The client's reaction to its answer.
    fn ended(&mut self, call: CallId, ending: Ending) {
        let asked = self.asked.remove(&call).expect("somebody asked");
        let Asked { client, conversation, earlier, .. } = asked;
        let (told, wait) = match ending {
            Ending::Answered | Ending::Cancelled => return,
            // An error event in the stream has no headers.
            Ending::CutInAnswer => (Told::Nothing, None),
            Ending::Failed { retry_after, .. } => (Told::NoUse, retry_after),
            Ending::Busy { retry_after } => (Told::Nothing, Some(retry_after)),
        };
        let retrying = self.clients[client].retrying;
        if earlier < retrying.times_max(told) && self.now < self.end {
            let short = wait.filter(|wait| *wait <= Duration::from_secs(60));
            let pause = Retrying::pause(earlier, &self.chance).max(short.unwrap_or_default());
            self.after(pause, Event::Again { client, conversation, earlier: earlier + 1 });
        }
    }

    fn key_dies(&mut self, key: DyingKey) {
        let DyingKey { access, class, replaced, .. } = key;
        let credential = access.credential.expect("a key");
        let upstream = self.upstreams.get_mut(&access.backend).expect("a provider");
        upstream.dead_keys.insert(credential.clone(), class);
        self.at(replaced, Event::KeyReplaced { backend: access.backend, credential });
    }

    /// Light probes: a list of models, which a provider that refuses only generations still
    /// returns.
    fn tick(&mut self) {
        let now = self.now;
        for access in self.gateway.recorded.accesses.wants_probe(now) {
            let upstream = self.upstreams.get(&access.backend).expect("a provider");
            let dead = upstream.fault_at(now) == Some(Fault::Refuse);
            let outcome = if dead { ProbeOutcome::Bad } else { ProbeOutcome::Good };
            self.watch.probed(&access, outcome);
            self.gateway.recorded.probed(&access, outcome, now, self.chance.unit());
        }
        if now < self.end || self.gateway.inside() > 0 {
            self.after(TICK, Event::Tick);
        }
    }

    fn expect_next(&mut self, client: usize) {
        let (pause, _) = self.clients[client].next(self.now, &self.chance);
        if self.now + pause < self.end {
            self.after(pause, Event::Arrive { client });
        }
    }

    fn after(&mut self, pause: Duration, event: Event) {
        self.at(self.now + pause, event);
    }

    fn at(&mut self, at: Moment, event: Event) {
        let number = self.number();
        self.events.insert(number, event);
        self.due.push(Reverse((at, number)));
    }

    const fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}
