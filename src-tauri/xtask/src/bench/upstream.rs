//! The backend of all benchmarks: it answers at once or streams at a fixed pace, so that all
//! further time was added on the way.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use super::dialect::BenchDialect;
use super::hostile_answer::{self, HostileAnswer, encode_chunk};
use super::http::RawHttpConnection;

/// Threads of the upstream: enough to be faster than any proxy on a small machine.
const THREADS: usize = 2;

/// The model of most requests.
pub(crate) const MODEL: &str = STEADY.model;

/// The pace of a streamed answer, selected by the request's model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamPace {
    /// The model that selects it.
    pub(crate) model: &'static str,
    /// Time until the first piece.
    pub(crate) first: Duration,
    /// Pieces of an answer.
    pub(crate) pieces: usize,
    /// Time between two pieces; zero for none.
    pub(crate) pause: Duration,
}

/// 200 pieces a second: the pace of a fast model, with gaps far below the visible.
pub(crate) const STEADY: StreamPace = StreamPace {
    model: "bench-model",
    first: Duration::ZERO,
    pieces: 20,
    pause: Duration::from_millis(5),
};

/// Two pieces without a pause, to measure many first pieces.
pub(crate) const SHORT: StreamPace =
    StreamPace { model: "bench-short", first: Duration::ZERO, pieces: 2, pause: Duration::ZERO };

/// A hosted model as an agent sees it: 300 ms to the first token, then 50 pieces a second.
pub(crate) const AGENT: StreamPace = StreamPace {
    model: "bench-agent",
    first: Duration::from_millis(300),
    pieces: 100,
    pause: Duration::from_millis(20),
};

/// A model that streams its reasoning: 170 pieces a second from the start.
pub(crate) const THINKING: StreamPace = StreamPace {
    model: "bench-thinking",
    first: Duration::ZERO,
    pieces: 340,
    pause: Duration::from_micros(5_882),
};

pub(crate) const PACES: [StreamPace; 4] = [STEADY, SHORT, AGENT, THINKING];

/// The time base shared by upstream and client, so that a piece can carry its time of sending.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epoch(Instant);

impl Epoch {
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Microseconds since the start.
    pub(crate) fn micros(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// A running upstream, stopped on drop.
pub(crate) struct BenchUpstream {
    pub(crate) address: SocketAddr,
    pub(crate) behaviour: UpstreamBehaviour,
    _runtime: Runtime,
}

/// The upstream's behaviour, changeable while it runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct UpstreamBehaviour(Arc<BehaviourState>);

#[derive(Debug, Default)]
struct BehaviourState {
    answering: AtomicU8,
    failures: AtomicUsize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerMode {
    Well,
    /// With status 503.
    Busy,
    /// By closing the connection, like a program that restarts.
    Gone,
}

impl UpstreamBehaviour {
    pub(crate) fn set(&self, answering: AnswerMode) {
        self.0.answering.store(answering as u8, Ordering::Relaxed);
    }

    /// Number of requests that were not answered properly.
    pub(crate) fn failures(&self) -> usize {
        self.0.failures.load(Ordering::Relaxed)
    }

    fn now(&self) -> AnswerMode {
        match self.0.answering.load(Ordering::Relaxed) {
            0 => AnswerMode::Well,
            1 => AnswerMode::Busy,
            _ => AnswerMode::Gone,
        }
    }

    fn failed(&self) {
        self.0.failures.fetch_add(1, Ordering::Relaxed);
    }
}

impl BenchUpstream {
    /// Starts it on `port`, 0 for a free one, with threads of its own.
    pub(crate) fn start(epoch: Epoch, port: u16) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))?;
        let address = listener.local_addr()?;
        let mood = UpstreamBehaviour::default();
        runtime.spawn(accept_connections(listener, epoch, mood.clone()));
        Ok(Self { address, behaviour: mood, _runtime: runtime })
    }
}

async fn accept_connections(listener: TcpListener, epoch: Epoch, mood: UpstreamBehaviour) {
    while let Ok((socket, _)) = listener.accept().await {
        // The client measures broken connections, so ignore the error here.
        let mood = mood.clone();
        tokio::spawn(async move { drop(serve_connection(socket, epoch, mood).await) });
    }
}

async fn serve_connection(socket: TcpStream, epoch: Epoch, mood: UpstreamBehaviour) -> Result<()> {
    let mut wire = RawHttpConnection::over(socket)?;
    let plain = [BenchDialect::Chat, BenchDialect::Messages].map(|dialect| {
        let body = dialect.whole_answer_body();
        (dialect, hostile_answer::response_head("application/json", "", body.len()) + &body)
    });
    while let Some(head) = wire.read_request_head().await? {
        let mut asked = RequestedAnswer::Plain;
        wire.read_body(head.framing, |piece| asked = RequestedAnswer::from_body(piece)).await?;
        let dialect = head.dialect;
        match mood.now() {
            AnswerMode::Well => {}
            AnswerMode::Busy => {
                mood.failed();
                wire.send(BUSY).await?;
                continue;
            }
            AnswerMode::Gone => {
                mood.failed();
                return Ok(());
            }
        }
        match asked {
            RequestedAnswer::Plain => {
                let answer = plain.iter().find(|(spoken, _)| *spoken == dialect);
                wire.send(answer.map_or("", |(_, answer)| answer).as_bytes()).await?;
            }
            RequestedAnswer::Stream(pace) => send_stream(&mut wire, epoch, dialect, pace).await?,
            RequestedAnswer::Fault(fault) => fault.send(&mut wire, dialect).await?,
        }
    }
    Ok(())
}

const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
    content-length: 38\r\n\r\n{\"error\":{\"message\":\"it has an outage\"}}";

/// The kind of answer that a request selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestedAnswer {
    Plain,
    Stream(StreamPace),
    Fault(HostileAnswer),
}

impl RequestedAnswer {
    fn from_body(body: &[u8]) -> Self {
        let has = |text: &str| body.windows(text.len()).any(|window| window == text.as_bytes());
        if let Some(fault) = HostileAnswer::ALL.into_iter().find(|fault| has(fault.model())) {
            return Self::Fault(fault);
        }
        if !has("\"stream\":true") {
            return Self::Plain;
        }
        Self::Stream(PACES.into_iter().find(|pace| has(pace.model)).unwrap_or(STEADY))
    }
}

async fn send_stream(
    wire: &mut RawHttpConnection,
    epoch: Epoch,
    dialect: BenchDialect,
    pace: StreamPace,
) -> Result<()> {
    let opening = dialect.stream_opening();
    let opening = if opening.is_empty() { String::new() } else { encode_chunk(opening) };
    wire.send((hostile_answer::STREAM_HEAD.to_owned() + &opening).as_bytes()).await?;
    if !pace.first.is_zero() {
        // Even a sleep of zero takes a millisecond.
        tokio::time::sleep(pace.first).await;
    }
    let mut ticks = tokio::time::interval(pace.pause.max(Duration::from_micros(1)));
    for _ in 0..pace.pieces {
        if !pace.pause.is_zero() {
            ticks.tick().await;
        }
        let piece = dialect.stream_piece(&format!("@{}@", epoch.micros()));
        wire.send(encode_chunk(&piece).as_bytes()).await?;
    }
    let end = encode_chunk(&dialect.stream_ending()) + "0\r\n\r\n";
    wire.send(end.as_bytes()).await
}
