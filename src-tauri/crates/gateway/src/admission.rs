//! Who may come in: places with a queue of priorities, each client's own limits, and the guard against
//! a client that spins.
//!
//! Refused early and in the client's dialect, with a time to come back, because a client that is let in
//! and then times out has cost both sides more.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{ClientId, Clock};
use endpoints::TrafficRules;
use parking_lot::Mutex;
use resilience::{
    AdmissionOutcome, AdmissionQueue, LoopDetection, Priority, RateExceeded, RateLimits,
    RatesReservation, RunawayError, RunawayGuard, Ticket,
};
use tokio::sync::oneshot;
use wire::ErrorKind;

use crate::limits::RequestLimits;
use crate::response::{Refusal, RetryAdvice};

/// The entrance of one gateway.
pub(crate) struct AdmissionControl {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

struct Inner {
    admission: AdmissionQueue,
    places: usize,
    waiting: HashMap<Ticket, oneshot::Sender<()>>,
    clients: HashMap<ClientId, ClientTraffic>,
    guard: RunawayGuard,
}

/// What one client has taken.
#[derive(Default)]
struct ClientTraffic {
    rates: RateLimits,
    in_flight: u32,
}

/// Who comes, and with what.
pub(crate) struct AdmissionRequest<'a> {
    pub(crate) client: &'a ClientId,
    pub(crate) priority: Priority,
    pub(crate) rules: TrafficRules,
    /// Tokens that the request is estimated to need.
    pub(crate) tokens: u32,
    /// The fingerprint of its conversation's beginning.
    pub(crate) conversation: Option<u64>,
}

/// One request's place; free again when dropped.
pub(crate) struct SlotGuard {
    entrance: Arc<AdmissionControl>,
    ticket: Option<Ticket>,
    client: ClientId,
    taken: Option<RatesReservation>,
    conversation: Option<u64>,
    used: u64,
}

impl AdmissionControl {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let limits = RequestLimits::from(&settings::GatewaySettings::default());
        let inner = Inner {
            admission: AdmissionQueue::new(limits.in_flight_max, limits.queue_max),
            places: limits.in_flight_max,
            waiting: HashMap::new(),
            clients: HashMap::new(),
            guard: RunawayGuard::default(),
        };
        Arc::new(Self { clock, inner: Mutex::new(inner) })
    }

    /// Requests inside.
    pub(crate) fn in_flight(&self) -> usize {
        self.inner.lock().admission.in_flight()
    }

    /// A place for `visitor`, at once or after its turn in the queue.
    pub(crate) async fn enter(
        self: &Arc<Self>,
        visitor: AdmissionRequest<'_>,
        limits: &RequestLimits,
    ) -> Result<SlotGuard, Refusal> {
        let (mut place, turn) = self.request_slot(&visitor, limits)?;
        if let Some(turn) = turn {
            // The sender lives as long as the ticket waits.
            let came = tokio::time::timeout(limits.queue_wait, turn).await;
            if !matches!(came, Ok(Ok(()))) {
                return Err(queue_full(limits.in_flight_max, Duration::from_secs(1)));
            }
        }
        place.taken = Some(self.take_rates(&visitor)?);
        Ok(place)
    }

    fn request_slot(
        self: &Arc<Self>,
        visitor: &AdmissionRequest<'_>,
        limits: &RequestLimits,
    ) -> Result<(SlotGuard, Option<oneshot::Receiver<()>>), Refusal> {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        inner.apply_limits(limits);
        if let Some(conversation) = visitor.conversation {
            inner
                .guard
                .check_request(visitor.client, conversation, now)
                .map_err(|r| runaway(&r))?;
        }
        let inside = inner.clients.entry(visitor.client.clone()).or_default();
        if visitor.rules.in_flight_max.is_some_and(|most| inside.in_flight >= most) {
            return Err(too_many_in_flight(visitor));
        }
        inside.in_flight += 1;
        let entered = inner.admission.request_slot(visitor.priority, now);
        let (ticket, turn) = match entered {
            AdmissionOutcome::Slot(ticket) => (Some(ticket), None),
            AdmissionOutcome::Queued(ticket) => {
                let (sender, receiver) = oneshot::channel();
                inner.waiting.insert(ticket, sender);
                (Some(ticket), Some(receiver))
            }
            AdmissionOutcome::Full { .. } => (None, None),
        };
        let place = SlotGuard {
            entrance: Arc::clone(self),
            ticket,
            client: visitor.client.clone(),
            taken: None,
            conversation: visitor.conversation,
            used: 0,
        };
        drop(inner);
        match entered {
            AdmissionOutcome::Full { retry_after } => {
                Err(queue_full(limits.in_flight_max, retry_after))
            }
            _ => Ok((place, turn)),
        }
    }

    /// Takes of the client's rates, once it is inside: who was sent away has used nothing.
    fn take_rates(&self, visitor: &AdmissionRequest<'_>) -> Result<RatesReservation, Refusal> {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        let inside = inner.clients.entry(visitor.client.clone()).or_default();
        inside.rates.set_rules(visitor.rules.rates);
        inside
            .rates
            .try_take(visitor.tokens, now)
            .map_err(|exceeded| rate_exceeded(visitor.client, &exceeded))
    }
}

impl Inner {
    fn apply_limits(&mut self, limits: &RequestLimits) {
        self.admission.set_queue_max(limits.queue_max);
        if self.places != limits.in_flight_max {
            self.places = limits.in_flight_max;
            for ticket in self.admission.resize(limits.in_flight_max) {
                self.call(ticket);
            }
        }
    }

    /// Tells a waiting request that it is its turn. One that has just gone leaves by itself.
    fn call(&mut self, ticket: Ticket) {
        if let Some(waiting) = self.waiting.remove(&ticket) {
            // The only failure is that it has just gone.
            waiting.send(()).ok();
        }
    }
}

impl SlotGuard {
    /// How many tokens the request used, for its client's rates.
    pub(crate) const fn used(&mut self, tokens: u64) {
        self.used = tokens;
    }

    /// An answer of so many output tokens reached the client.
    pub(crate) fn answered(&self, output_tokens: u64) {
        let Some(conversation) = self.conversation else { return };
        let now = self.entrance.clock.now();
        let mut inner = self.entrance.inner.lock();
        let noticed = inner.guard.record_answer(&self.client, conversation, output_tokens, now);
        drop(inner);
        if noticed == LoopDetection::Loop {
            tracing::warn!(client = %self.client, "the runaway guard stopped a conversation");
        }
    }
}

impl Drop for SlotGuard {
    fn drop(&mut self) {
        let now = self.entrance.clock.now();
        let mut inner = self.entrance.inner.lock();
        if let Some(inside) = inner.clients.get_mut(&self.client) {
            inside.in_flight = inside.in_flight.saturating_sub(1);
            if let Some(taken) = self.taken.take() {
                inside.rates.settle(taken, self.used, now);
            }
        }
        let Some(ticket) = self.ticket else { return };
        inner.waiting.remove(&ticket);
        if let Some(next) = inner.admission.release(ticket, now) {
            inner.call(next);
        }
    }
}

fn queue_full(places: usize, retry_after: Duration) -> Refusal {
    let message = format!(
        "Gatehouse is busy: all {places} slots for concurrent requests are in use and the \
         queue is full."
    );
    Refusal::new(503, ErrorKind::Overloaded, "too_many_requests", message)
        .retry(RetryAdvice::After(retry_after))
}

fn too_many_in_flight(visitor: &AdmissionRequest<'_>) -> Refusal {
    let most = visitor.rules.in_flight_max.unwrap_or_default();
    let message = format!(
        "The client {} has {most} requests in flight, which is its limit in Gatehouse.",
        visitor.client
    );
    Refusal::new(429, ErrorKind::RateLimit, "client_limit", message)
        .retry(RetryAdvice::After(Duration::from_secs(1)))
}

fn rate_exceeded(client: &ClientId, exceeded: &RateExceeded) -> Refusal {
    let message = format!("Gatehouse limits the client {client}: {exceeded}.");
    let longest = Duration::from_secs(crate::limits::RETRY_AFTER_SECS_MAX);
    Refusal::new(429, ErrorKind::RateLimit, "client_limit", message)
        .retry(RetryAdvice::After(exceeded.wait.min(longest)))
}

/// In the words of Claude's gateway contract for a spend that is over: clients stop and show it.
fn runaway(runaway: &RunawayError) -> Refusal {
    let text = runaway.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let message: String = first.into_iter().chain(letters).chain(['.']).collect();
    Refusal::new(429, ErrorKind::Billing, "runaway_guard", message)
        .retry(RetryAdvice::NotBefore(runaway.wait))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ManualClock, WallTime};
    use resilience::RateRules;

    fn admission_control() -> (Arc<AdmissionControl>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::starting_at(WallTime::from_unix_ms(0)));
        (AdmissionControl::new(clock.clone()), clock)
    }

    fn limits(places: usize, queue: usize) -> RequestLimits {
        let settings = settings::GatewaySettings::default();
        RequestLimits { in_flight_max: places, queue_max: queue, ..RequestLimits::from(&settings) }
    }

    fn admission_request(client: &ClientId, priority: Priority) -> AdmissionRequest<'_> {
        let rules = TrafficRules::default();
        AdmissionRequest { client, priority, rules, tokens: 1, conversation: None }
    }

    fn tool() -> ClientId {
        ClientId::new("tool").expect("an id")
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_serves_people_first_and_has_an_end() {
        let (entrance, _clock) = admission_control();
        let (client, limits) = (tool(), limits(1, 2));
        let inside =
            entrance.enter(admission_request(&client, Priority::Interactive), &limits).await;
        let inside = inside.expect("a place");
        let order = Mutex::new(Vec::new());
        let wait = async |priority: Priority| {
            let place = entrance
                .enter(admission_request(&client, priority), &limits)
                .await
                .expect("a turn");
            order.lock().push(priority);
            drop(place);
        };
        let rest = async {
            tokio::task::yield_now().await;
            let full =
                entrance.enter(admission_request(&client, Priority::Interactive), &limits).await;
            assert_eq!(full.err().map(|refusal| refusal.status), Some(503));
            drop(inside);
        };
        tokio::join!(wait(Priority::Background), wait(Priority::Interactive), rest);
        assert_eq!(*order.lock(), [Priority::Interactive, Priority::Background]);
        assert_eq!(entrance.in_flight(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_sent_away_and_keeps_no_place() {
        let (entrance, _clock) = admission_control();
        let (client, limits) = (tool(), limits(1, 2));
        let inside =
            entrance.enter(admission_request(&client, Priority::Interactive), &limits).await;
        let late = entrance.enter(admission_request(&client, Priority::Interactive), &limits).await;
        assert_eq!(late.err().map(|refusal| refusal.status), Some(503));
        drop(inside);
        assert_eq!(entrance.in_flight(), 0);
        assert!(entrance.enter(admission_request(&client, Priority::Probe), &limits).await.is_ok());
    }

    #[tokio::test]
    async fn a_client_is_held_to_its_own_limits() {
        let (entrance, clock) = admission_control();
        let (client, limits) = (tool(), limits(9, 0));
        let rules = TrafficRules {
            rates: RateRules { requests_per_minute: Some(2), tokens_per_minute: None },
            in_flight_max: Some(1),
        };
        let visit =
            || AdmissionRequest { rules, ..admission_request(&client, Priority::Interactive) };
        let first = entrance.enter(visit(), &limits).await.expect("a place");
        let second = entrance.enter(visit(), &limits).await.err().expect("one at once");
        assert_eq!((second.status, second.code), (429, "client_limit"));
        drop(first);
        drop(entrance.enter(visit(), &limits).await.expect("a place"));
        let third = entrance.enter(visit(), &limits).await.err().expect("two a minute");
        assert!(third.message.contains("requests"), "{}", third.message);
        assert!(matches!(third.retry, RetryAdvice::After(_)));
        clock.advance(Duration::from_secs(66));
        assert!(entrance.enter(visit(), &limits).await.is_ok());
        assert_eq!(entrance.in_flight(), 0);
    }

    #[tokio::test]
    async fn f70_a_client_that_spins_is_stopped_and_others_are_not() {
        let (entrance, clock) = admission_control();
        let (client, other, limits) =
            (tool(), ClientId::new("other").expect("an id"), limits(9, 0));
        let spin = |client| AdmissionRequest {
            conversation: Some(7),
            ..admission_request(client, Priority::Interactive)
        };
        let mut calls = 0;
        let refusal = loop {
            match entrance.enter(spin(&client), &limits).await {
                Ok(place) => place.answered(2),
                Err(refusal) => break refusal,
            }
            calls += 1;
            clock.advance(Duration::from_millis(100));
        };
        assert_eq!(calls, 20);
        assert_eq!((refusal.status, refusal.code), (429, "runaway_guard"));
        assert!(refusal.message.contains("runaway guard"), "{}", refusal.message);
        assert!(entrance.enter(spin(&other), &limits).await.is_ok());
    }
}
