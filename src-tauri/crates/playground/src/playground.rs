//! Starts runs, keeps the last few, and ends each with its record in the ledger.

use std::sync::Arc;
use std::time::Duration;

use domain::{BackendId, Clock, Entropy, RequestId, RunId};
use ledger::{Ledger, RequestState};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::exchange::{self, Exchange, ExchangeEnd};
use crate::host::{GatewayTarget, PlaygroundHost};
use crate::parameters::{PLAYGROUND_PROMPT_BYTES_MAX, PlaygroundParameters, TokenLimitField};
use crate::run::{
    PlaygroundError, PlaygroundEvent, PlaygroundRawExchange, PlaygroundRun, PlaygroundState,
    RequestWithAttempts,
};
use crate::run_list::{RunList, RunSlot};

/// Time for the gateway to settle a request whose connection was closed before its end.
const SETTLED_WITHIN: Duration = Duration::from_secs(2);
/// Between two looks at whether it is settled.
const SETTLED_LOOK: Duration = Duration::from_millis(20);

pub struct Playground {
    host: Box<dyn PlaygroundHost>,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Cancels all runs.
    stop: CancellationToken,
    runs: RunList,
}

impl Playground {
    #[must_use]
    pub fn new(
        host: Box<dyn PlaygroundHost>,
        ledger: Ledger,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        stop: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self { host, ledger, clock, entropy, stop, runs: RunList::default() })
    }

    /// Runs in memory, oldest first, without health checks.
    #[must_use]
    pub fn runs(&self) -> Vec<PlaygroundRun> {
        self.runs.list()
    }

    /// Raw request and response; `None` if the run is no longer kept.
    #[must_use]
    pub fn raw_exchange(&self, id: RunId) -> Option<PlaygroundRawExchange> {
        self.runs.raw_exchange(id)
    }

    /// Cancels a run: the gateway sees its client disconnect. Ended runs are not affected.
    pub fn cancel(&self, id: RunId) {
        self.runs.cancel(id);
    }

    /// As for [`PlaygroundHost::token_limit_field`].
    #[must_use]
    pub fn token_limit_field(&self, model: &str) -> TokenLimitField {
        self.host.token_limit_field(model, None)
    }

    /// Cancels the health check of a backend, if one is running.
    pub fn cancel_health_check(&self, backend: &BackendId) {
        self.runs.cancel_health_check(backend);
    }

    /// Starts a run and returns its initial state. Progress is published as events.
    pub fn start(
        self: &Arc<Self>,
        order: PlaygroundParameters,
    ) -> Result<PlaygroundRun, PlaygroundError> {
        Ok(self.launch(order)?.run)
    }

    /// Runs to the end. Dropping the future cancels the run.
    pub async fn run_to_end(
        self: &Arc<Self>,
        order: PlaygroundParameters,
    ) -> Result<PlaygroundRun, PlaygroundError> {
        let LaunchedRun { run, cancel, ended } = self.launch(order)?;
        let _cancels_on_drop = cancel.drop_guard();
        // Without an end, the program stopped.
        let stopped = || PlaygroundRun { state: PlaygroundState::Cancelled, ..run };
        Ok(ended.await.unwrap_or_else(|_| stopped()))
    }

    fn launch(
        self: &Arc<Self>,
        order: PlaygroundParameters,
    ) -> Result<LaunchedRun, PlaygroundError> {
        let bytes = order.prompt_bytes();
        if bytes > PLAYGROUND_PROMPT_BYTES_MAX {
            return Err(PlaygroundError::TooLong(bytes));
        }
        let gateway = self.host.gateway(order.sender).map_err(PlaygroundError::NoGateway)?;
        let cancel = self.stop.child_token();
        let field = self.host.token_limit_field(&order.model, order.client.as_ref());
        let body = order.request_body(field);
        let request = RequestId::generate(self.clock.wall(), &*self.entropy);
        let run = self.reserve_slot(&order, &body, (&gateway, request), cancel.clone())?;
        self.publish(&run);
        let (playground, id, cancelled) = (Arc::clone(self), run.id, cancel.clone());
        let (tell, ended) = oneshot::channel();
        self.host.spawn(Box::pin(async move {
            let end = tokio::select! {
                biased;
                () = cancelled.cancelled() => ExchangeEnd::Cancelled,
                end = playground.exchange((id, request), &gateway, &order).run(body) => end,
            };
            if let Some(run) = playground.end_run((id, request), end).await {
                // Nobody may be waiting for it.
                drop(tell.send(run));
            }
        }));
        Ok(LaunchedRun { run, cancel, ended })
    }

    fn exchange<'a>(
        &'a self,
        (id, request): (RunId, RequestId),
        gateway: &'a GatewayTarget,
        order: &'a PlaygroundParameters,
    ) -> Exchange<'a> {
        let PlaygroundParameters { sender, time_limit, ref client, .. } = *order;
        let (client, runs, host, clock) = (client.as_ref(), &self.runs, &*self.host, &*self.clock);
        Exchange { id, request, gateway, sender, client, time_limit, runs, host, clock }
    }

    fn publish(&self, run: &PlaygroundRun) {
        if run.sender.is_listed() {
            self.host.publish(PlaygroundEvent::Run(Arc::new(run.clone())));
        }
    }

    fn reserve_slot(
        &self,
        order: &PlaygroundParameters,
        body: &str,
        (gateway, request): (&GatewayTarget, RequestId),
        cancel: CancellationToken,
    ) -> Result<PlaygroundRun, PlaygroundError> {
        let started = self.clock.wall();
        let run = PlaygroundRun {
            id: RunId::generate(started, &*self.entropy),
            sender: order.sender,
            model: order.model.clone(),
            started,
            state: PlaygroundState::Waiting,
            text: String::new(),
            thinking: String::new(),
            first_piece: None,
            elapsed: Duration::ZERO,
            http_status: None,
            request: Some(request),
            backend: None,
            dropped: Vec::new(),
            finish_reason: None,
            fault: None,
            record: None,
        };
        let raw = PlaygroundRawExchange {
            request_head: exchange::request_head(gateway.port, request),
            request_body: body.to_owned(),
            ..PlaygroundRawExchange::default()
        };
        self.runs.add(RunSlot { run: run.clone(), raw, cancel })?;
        Ok(run)
    }

    async fn end_run(
        &self,
        (id, request): (RunId, RequestId),
        ended: ExchangeEnd,
    ) -> Option<PlaygroundRun> {
        let record = self.find_record(request, ended.is_early()).await;
        let run = self.runs.update(id, |slot| {
            let run = &mut slot.run;
            if record.is_none() && run.http_status.is_none() {
                // It never reached the ledger.
                run.request = None;
            }
            // Until it is settled its numbers are meaningless.
            let settled = record.filter(|(row, _)| row.state != RequestState::Running);
            run.record = settled.map(Arc::new);
            run.state = match &ended {
                ExchangeEnd::Complete => PlaygroundState::Complete,
                ExchangeEnd::Cancelled => PlaygroundState::Cancelled,
                ExchangeEnd::Failed(_) | ExchangeEnd::Lost(_) => match run.text.as_str() {
                    "" => PlaygroundState::Failed,
                    _ => PlaygroundState::Partial,
                },
            };
            if let ExchangeEnd::Failed(fault) | ExchangeEnd::Lost(fault) = ended {
                run.fault = Some(fault);
            }
            run.clone()
        })?;
        if !run.sender.is_listed() {
            self.runs.remove(id);
        }
        self.publish(&run);
        Some(run)
    }

    /// The gateway settles a request before it sends its last byte; one whose connection was closed
    /// before, a moment later. Then this waits for it, at most [`SETTLED_WITHIN`].
    async fn find_record(&self, id: RequestId, is_early: bool) -> Option<RequestWithAttempts> {
        let closed = self.clock.now();
        loop {
            let found = self.ledger.request(id).await.ok().flatten();
            let is_settled =
                found.as_ref().is_some_and(|(row, _)| row.state != RequestState::Running);
            let is_over = self.clock.now().since(closed) >= SETTLED_WITHIN;
            if is_settled || !is_early || is_over || self.stop.is_cancelled() {
                return found;
            }
            tokio::time::sleep(SETTLED_LOOK).await;
        }
    }
}

/// A run under way.
struct LaunchedRun {
    run: PlaygroundRun,
    cancel: CancellationToken,
    /// Gets the run at its end.
    ended: oneshot::Receiver<PlaygroundRun>,
}

#[cfg(test)]
mod tests {
    use domain::{ClientId, Secret, SeededEntropy, SystemClock};
    use test_support::{ChatText, Reply, ScriptedUpstream};
    use tokio::sync::mpsc;

    use super::*;
    use crate::parameters::PromptSender;
    use crate::run::TIME_LIMIT_CODE;

    /// A host whose gateway is a script, and which passes all events on.
    struct ScriptedHost {
        gateway: Result<u16, String>,
        events: mpsc::UnboundedSender<PlaygroundEvent>,
    }

    impl PlaygroundHost for ScriptedHost {
        fn gateway(&self, _sender: PromptSender) -> Result<GatewayTarget, String> {
            let token = Secret::parse("gh-0123456789".to_owned()).expect("a secret");
            let target =
                |port| GatewayTarget { port, token, total_timeout: Duration::from_secs(9) };
            self.gateway.clone().map(target)
        }

        fn token_limit_field(&self, _: &str, _: Option<&ClientId>) -> TokenLimitField {
            TokenLimitField::MaxTokens
        }

        fn publish(&self, event: PlaygroundEvent) {
            self.events.send(event).expect("the test listens");
        }

        #[expect(clippy::disallowed_methods, reason = "the host of a test supervises nothing")]
        fn spawn(&self, run: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) {
            drop(tokio::spawn(run));
        }
    }

    fn playground(
        home: &tempfile::TempDir,
        gateway: Result<u16, String>,
    ) -> (Arc<Playground>, mpsc::UnboundedReceiver<PlaygroundEvent>) {
        let (events, received) = mpsc::unbounded_channel();
        let playground = Playground::new(
            Box::new(ScriptedHost { gateway, events }),
            Ledger::open(&home.path().join("ledger.sqlite")).expect("a ledger"),
            Arc::new(SystemClock::new()),
            Arc::new(SeededEntropy::new(7)),
            CancellationToken::new(),
        );
        (playground, received)
    }

    fn order() -> PlaygroundParameters {
        PlaygroundParameters {
            model: "m".to_owned(),
            system: None,
            prompt: "say hi".to_owned(),
            temperature: None,
            tokens_max: None,
            effort: None,
            sender: PromptSender::User,
            client: None,
            time_limit: None,
        }
    }

    async fn ended(events: &mut mpsc::UnboundedReceiver<PlaygroundEvent>) -> Arc<PlaygroundRun> {
        loop {
            match events.recv().await.expect("an event") {
                PlaygroundEvent::Run(run) if !run.state.is_running() => return run,
                _ => {}
            }
        }
    }

    #[tokio::test]
    async fn a_run_is_a_clients_request_and_needs_nothing_but_a_gateway() {
        let text = ChatText { model: "m", deltas: &["Hel", "lo"], usage: None };
        let gateway = ScriptedUpstream::start([Reply::chat_stream(&text)]).await.expect("started");
        let home = tempfile::tempdir().expect("a folder");
        let (playground, mut events) = playground(&home, Ok(gateway.addr().port()));
        let begun = playground.start(order()).expect("started");
        assert_eq!(begun.state, PlaygroundState::Waiting);
        let run = ended(&mut events).await;
        assert_eq!((run.state, run.text.as_str()), (PlaygroundState::Complete, "Hello"));
        let requests = gateway.requests();
        assert_eq!(requests[0].path, "/v1/chat/completions");
        assert_eq!(requests[0].authorization(), Some("Bearer gh-0123456789"));
    }

    fn health_check(limit: Duration) -> PlaygroundParameters {
        PlaygroundParameters {
            model: "up/m".to_owned(),
            sender: PromptSender::HealthCheck,
            time_limit: Some(limit),
            ..order()
        }
    }

    #[tokio::test]
    async fn a_health_check_ends_at_its_time_limit_and_is_told_to_nobody_else() {
        let gateway = ScriptedUpstream::start([Reply::silence()]).await.expect("started");
        let home = tempfile::tempdir().expect("a folder");
        let (playground, mut events) = playground(&home, Ok(gateway.addr().port()));
        let run = playground.run_to_end(health_check(Duration::from_millis(20))).await;
        let run = run.expect("ended");
        let code = run.fault.and_then(|fault| fault.code);
        assert_eq!((run.state, code.as_deref()), (PlaygroundState::Failed, Some(TIME_LIMIT_CODE)));
        assert!(playground.runs().is_empty() && events.try_recv().is_err());
    }

    #[tokio::test]
    async fn one_health_check_of_a_backend_runs_at_a_time_and_ends_with_who_waits_for_it() {
        let silence = std::iter::repeat_with(Reply::silence).take(3);
        let gateway = ScriptedUpstream::start(silence).await.expect("started");
        let home = tempfile::tempdir().expect("a folder");
        let (playground, _events) = playground(&home, Ok(gateway.addr().port()));
        let long = || health_check(Duration::from_secs(600));
        let first = playground.launch(long()).expect("started");
        let second = playground.run_to_end(long()).await.expect_err("refused");
        assert_eq!(second, PlaygroundError::AlreadyAsked);
        playground.cancel_health_check(&BackendId::new("up").expect("an id"));
        assert_eq!(first.ended.await.expect("an end").state, PlaygroundState::Cancelled);
        // Nobody waits for this one any more.
        tokio::time::timeout(Duration::ZERO, playground.run_to_end(long()))
            .await
            .expect_err("late");
        while playground.launch(long()).is_err() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_gateway_that_does_not_listen_is_told_before_a_run_begins() {
        let home = tempfile::tempdir().expect("a folder");
        let (playground, _events) = playground(&home, Err("its port is taken".to_owned()));
        let refused = playground.start(order()).expect_err("refused");
        assert_eq!(refused.to_string(), "the gateway is not listening: its port is taken");
        assert!(playground.runs().is_empty());
    }
}
