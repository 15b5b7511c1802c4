//! Admission control: concurrency slots, a priority queue, per-client limits, and the guard against
//! runaway clients.
//!
//! A request is refused early, in the client's dialect and with a time to retry, because one that is
//! admitted and then times out costs both sides more.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

use crate::handle::response::{Refusal, RetryAdvice};
use crate::limits::RequestLimits;

pub(crate) struct AdmissionControl {
    clock: Arc<dyn Clock>,
    /// True while the user lets no new request in.
    is_paused: AtomicBool,
    inner: Mutex<Inner>,
}

struct Inner {
    admission: AdmissionQueue,
    places: usize,
    waiting: HashMap<Ticket, oneshot::Sender<()>>,
    clients: HashMap<ClientId, ClientTraffic>,
    guard: RunawayGuard,
}

#[derive(Default)]
struct ClientTraffic {
    rates: RateLimits,
    in_flight: u32,
}

/// A request that asks for a slot.
pub(crate) struct AdmissionRequest<'a> {
    pub(crate) client: &'a ClientId,
    pub(crate) priority: Priority,
    pub(crate) rules: TrafficRules,
    /// Estimated tokens of the request.
    pub(crate) tokens: u32,
    /// Fingerprint of the conversation's beginning, for the runaway guard.
    pub(crate) conversation: Option<u64>,
}

/// The slot of one request; released when dropped.
pub(crate) struct SlotGuard {
    control: Arc<AdmissionControl>,
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
        Arc::new(Self { clock, is_paused: AtomicBool::new(false), inner: Mutex::new(inner) })
    }

    /// The number of requests that hold a slot.
    pub(crate) fn in_flight(&self) -> usize {
        self.inner.lock().admission.in_flight()
    }

    /// Refuses new requests until [`Self::resume`]. Those that have a slot or wait for one go on.
    pub(crate) fn pause(&self) {
        self.is_paused.store(true, Ordering::Relaxed);
    }

    pub(crate) fn resume(&self) {
        self.is_paused.store(false, Ordering::Relaxed);
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Relaxed)
    }

    /// Takes a slot for `request`, at once or after waiting in the queue. Fails if the gateway is
    /// paused, if a limit of the client is reached, if the runaway guard stops the conversation, or if the
    /// queue is full or too slow.
    pub(crate) async fn enter(
        self: &Arc<Self>,
        request: AdmissionRequest<'_>,
        limits: &RequestLimits,
    ) -> Result<SlotGuard, Refusal> {
        if self.is_paused() {
            return Err(paused());
        }
        let (mut slot, turn) = self.request_slot(&request, limits)?;
        if let Some(turn) = turn {
            // The sender is not dropped while the ticket waits.
            let woken = tokio::time::timeout(limits.queue_wait, turn).await;
            if !matches!(woken, Ok(Ok(()))) {
                return Err(queue_full(limits.in_flight_max, Duration::from_secs(1)));
            }
        }
        slot.taken = Some(self.take_rates(&request)?);
        Ok(slot)
    }

    fn request_slot(
        self: &Arc<Self>,
        request: &AdmissionRequest<'_>,
        limits: &RequestLimits,
    ) -> Result<(SlotGuard, Option<oneshot::Receiver<()>>), Refusal> {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        inner.apply_limits(limits);
        if let Some(conversation) = request.conversation {
            inner
                .guard
                .check_request(request.client, conversation, now)
                .map_err(|r| runaway(&r))?;
        }
        let traffic = inner.clients.entry(request.client.clone()).or_default();
        if request.rules.in_flight_max.is_some_and(|most| traffic.in_flight >= most) {
            return Err(too_many_in_flight(request));
        }
        traffic.in_flight += 1;
        let outcome = inner.admission.request_slot(request.priority, now);
        let (ticket, turn) = match outcome {
            AdmissionOutcome::Slot(ticket) => (Some(ticket), None),
            AdmissionOutcome::Queued(ticket) => {
                let (sender, receiver) = oneshot::channel();
                inner.waiting.insert(ticket, sender);
                (Some(ticket), Some(receiver))
            }
            AdmissionOutcome::Full { .. } => (None, None),
        };
        let slot = SlotGuard {
            control: Arc::clone(self),
            ticket,
            client: request.client.clone(),
            taken: None,
            conversation: request.conversation,
            used: 0,
        };
        drop(inner);
        match outcome {
            AdmissionOutcome::Full { retry_after } => {
                Err(queue_full(limits.in_flight_max, retry_after))
            }
            _ => Ok((slot, turn)),
        }
    }

    /// Charges the client's rates. Called once the request has its slot, so that a refused one uses up
    /// nothing.
    fn take_rates(&self, request: &AdmissionRequest<'_>) -> Result<RatesReservation, Refusal> {
        let now = self.clock.now();
        let mut inner = self.inner.lock();
        let traffic = inner.clients.entry(request.client.clone()).or_default();
        traffic.rates.set_rules(request.rules.rates);
        traffic
            .rates
            .try_take(request.tokens, now)
            .map_err(|exceeded| rate_exceeded(request.client, &exceeded))
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

    /// Wakes a queued request that has got its slot. One that has just given up frees the slot when its
    /// [`SlotGuard`] drops.
    fn call(&mut self, ticket: Ticket) {
        if let Some(waiting) = self.waiting.remove(&ticket) {
            // Fails only if the request has just given up.
            waiting.send(()).ok();
        }
    }
}

impl SlotGuard {
    /// Sets the tokens that the request used, for its client's rates.
    pub(crate) const fn used(&mut self, tokens: u64) {
        self.used = tokens;
    }

    /// Reports an answer of `output_tokens` to the runaway guard, which may stop the conversation.
    pub(crate) fn answered(&self, output_tokens: u64) -> LoopDetection {
        let Some(conversation) = self.conversation else { return LoopDetection::NoLoop };
        let now = self.control.clock.now();
        let mut inner = self.control.inner.lock();
        let detection = inner.guard.record_answer(&self.client, conversation, output_tokens, now);
        drop(inner);
        if detection == LoopDetection::Loop {
            tracing::warn!(client = %self.client, "the runaway guard stopped a conversation");
        }
        detection
    }
}

impl Drop for SlotGuard {
    fn drop(&mut self) {
        let now = self.control.clock.now();
        let mut inner = self.control.inner.lock();
        if let Some(traffic) = inner.clients.get_mut(&self.client) {
            traffic.in_flight = traffic.in_flight.saturating_sub(1);
            if let Some(taken) = self.taken.take() {
                traffic.rates.settle(taken, self.used, now);
            }
        }
        let Some(ticket) = self.ticket else { return };
        inner.waiting.remove(&ticket);
        if let Some(next) = inner.admission.release(ticket, now) {
            inner.call(next);
        }
    }
}

/// Clients must not retry by themselves: only the user ends a pause.
fn paused() -> Refusal {
    let message = "The gateway is paused. Resume it in the menu of Gatehouse's tray icon, or with \
                   `gatehouse resume`.";
    Refusal::new(503, ErrorKind::Overloaded, "gateway_paused", message).retry(RetryAdvice::Never)
}

fn queue_full(slots: usize, retry_after: Duration) -> Refusal {
    let message = format!(
        "Gatehouse is busy: all {slots} slots for concurrent requests are in use and the \
         queue is full."
    );
    Refusal::new(503, ErrorKind::Overloaded, "too_many_requests", message)
        .retry(RetryAdvice::After(retry_after))
}

fn too_many_in_flight(request: &AdmissionRequest<'_>) -> Refusal {
    let most = request.rules.in_flight_max.unwrap_or_default();
    let message = format!(
        "The client {} has {most} requests in flight, which is its limit in Gatehouse.",
        request.client
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

/// Answers as Claude's gateway contract says for an exhausted budget: clients stop and show the message.
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

    fn limits(slots: usize, queue: usize) -> RequestLimits {
        let settings = settings::GatewaySettings::default();
        RequestLimits { in_flight_max: slots, queue_max: queue, ..RequestLimits::from(&settings) }
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
        let (admission, _clock) = admission_control();
        let (client, limits) = (tool(), limits(1, 2));
        let held =
            admission.enter(admission_request(&client, Priority::Interactive), &limits).await;
        let held = held.expect("a place");
        let order = Mutex::new(Vec::new());
        let wait = async |priority: Priority| {
            let slot = admission
                .enter(admission_request(&client, priority), &limits)
                .await
                .expect("a turn");
            order.lock().push(priority);
            drop(slot);
        };
        let rest = async {
            tokio::task::yield_now().await;
            let full =
                admission.enter(admission_request(&client, Priority::Interactive), &limits).await;
            assert_eq!(full.err().map(|refusal| refusal.status), Some(503));
            drop(held);
        };
        tokio::join!(wait(Priority::Background), wait(Priority::Interactive), rest);
        assert_eq!(*order.lock(), [Priority::Interactive, Priority::Background]);
        assert_eq!(admission.in_flight(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_sent_away_and_keeps_no_place() {
        let (admission, _clock) = admission_control();
        let (client, limits) = (tool(), limits(1, 2));
        let held =
            admission.enter(admission_request(&client, Priority::Interactive), &limits).await;
        let late =
            admission.enter(admission_request(&client, Priority::Interactive), &limits).await;
        assert_eq!(late.err().map(|refusal| refusal.status), Some(503));
        drop(held);
        assert_eq!(admission.in_flight(), 0);
        assert!(
            admission.enter(admission_request(&client, Priority::Probe), &limits).await.is_ok()
        );
    }

    #[tokio::test]
    async fn while_paused_nobody_new_gets_in_and_those_who_are_in_stay() {
        let (admission, _clock) = admission_control();
        let (client, limits) = (tool(), limits(9, 0));
        let visit = || admission.enter(admission_request(&client, Priority::Interactive), &limits);
        let held = visit().await.expect("a place");
        admission.pause();
        let refusal = visit().await.err().expect("it is paused");
        assert_eq!((refusal.status, refusal.code), (503, "gateway_paused"));
        assert_eq!(refusal.retry, RetryAdvice::Never, "only the user ends a pause");
        assert_eq!(admission.in_flight(), 1);
        admission.resume();
        assert!(visit().await.is_ok());
        drop(held);
    }

    #[tokio::test]
    async fn a_client_is_held_to_its_own_limits() {
        let (admission, clock) = admission_control();
        let (client, limits) = (tool(), limits(9, 0));
        let rules = TrafficRules {
            rates: RateRules { requests_per_minute: Some(2), tokens_per_minute: None },
            in_flight_max: Some(1),
        };
        let visit =
            || AdmissionRequest { rules, ..admission_request(&client, Priority::Interactive) };
        let first = admission.enter(visit(), &limits).await.expect("a place");
        let second = admission.enter(visit(), &limits).await.err().expect("one at once");
        assert_eq!((second.status, second.code), (429, "client_limit"));
        drop(first);
        drop(admission.enter(visit(), &limits).await.expect("a place"));
        let third = admission.enter(visit(), &limits).await.err().expect("two a minute");
        assert!(third.message.contains("requests"), "{}", third.message);
        assert!(matches!(third.retry, RetryAdvice::After(_)));
        clock.advance(Duration::from_secs(66));
        assert!(admission.enter(visit(), &limits).await.is_ok());
        assert_eq!(admission.in_flight(), 0);
    }

    #[tokio::test]
    async fn f70_a_client_that_spins_is_stopped_and_others_are_not() {
        let (admission, clock) = admission_control();
        let (client, other, limits) =
            (tool(), ClientId::new("other").expect("an id"), limits(9, 0));
        let spin = |client| AdmissionRequest {
            conversation: Some(7),
            ..admission_request(client, Priority::Interactive)
        };
        let mut calls = 0;
        let refusal = loop {
            match admission.enter(spin(&client), &limits).await {
                Ok(slot) => drop(slot.answered(2)),
                Err(refusal) => break refusal,
            }
            calls += 1;
            clock.advance(Duration::from_millis(100));
        };
        assert_eq!(calls, 20);
        assert_eq!((refusal.status, refusal.code), (429, "runaway_guard"));
        assert!(refusal.message.contains("runaway guard"), "{}", refusal.message);
        assert!(admission.enter(spin(&other), &limits).await.is_ok());
    }
}
