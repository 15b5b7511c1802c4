//! The backend of all benchmarks: it answers at once or streams at a fixed pace, so that all
//! further time was added on the way.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use super::dialect::Dialect;
use super::fault::{self, Fault, framed};
use super::wire::Wire;

/// Threads of the upstream: enough to be faster than any proxy on a small machine.
const THREADS: usize = 2;

/// The model of most requests.
pub(crate) const MODEL: &str = STEADY.model;

/// The pace of a streamed answer, selected by the request's model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
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
pub(crate) const STEADY: Pace = Pace {
    model: "bench-model",
    first: Duration::ZERO,
    pieces: 20,
    pause: Duration::from_millis(5),
};

/// Two pieces without a pause, to measure many first pieces.
pub(crate) const SHORT: Pace =
    Pace { model: "bench-short", first: Duration::ZERO, pieces: 2, pause: Duration::ZERO };

/// A hosted model as an agent sees it: 300 ms to the first token, then 50 pieces a second.
pub(crate) const AGENT: Pace = Pace {
    model: "bench-agent",
    first: Duration::from_millis(300),
    pieces: 100,
    pause: Duration::from_millis(20),
};

/// A model that streams its reasoning: 170 pieces a second from the start.
pub(crate) const THINKING: Pace = Pace {
    model: "bench-thinking",
    first: Duration::ZERO,
    pieces: 340,
    pause: Duration::from_micros(5_882),
};

pub(crate) const PACES: [Pace; 4] = [STEADY, SHORT, AGENT, THINKING];

/// The time base shared by upstream and client, so that a piece can carry its time of sending.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epoch(Instant);

impl Epoch {
    /// Starts now.
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Microseconds since the start.
    pub(crate) fn micros(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// A running upstream, stopped on drop.
pub(crate) struct Upstream {
    /// Its loopback address.
    pub(crate) address: SocketAddr,
    pub(crate) mood: Mood,
    _runtime: Runtime,
}

/// The upstream's behaviour, changeable while it runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mood(Arc<Changing>);

#[derive(Debug, Default)]
struct Changing {
    answering: AtomicU8,
    failures: AtomicUsize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answering {
    Well,
    /// With status 503.
    Busy,
    /// By closing the connection, like a program that restarts.
    Gone,
}

impl Mood {
    pub(crate) fn set(&self, answering: Answering) {
        self.0.answering.store(answering as u8, Ordering::Relaxed);
    }

    /// Number of requests that were not answered properly.
    pub(crate) fn failures(&self) -> usize {
        self.0.failures.load(Ordering::Relaxed)
    }

    fn now(&self) -> Answering {
        match self.0.answering.load(Ordering::Relaxed) {
            0 => Answering::Well,
            1 => Answering::Busy,
            _ => Answering::Gone,
        }
    }

    fn failed(&self) {
        self.0.failures.fetch_add(1, Ordering::Relaxed);
    }
}

impl Upstream {
    /// Starts it on `port`, 0 for a free one, with threads of its own.
    pub(crate) fn start(epoch: Epoch, port: u16) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))?;
        let address = listener.local_addr()?;
        let mood = Mood::default();
        runtime.spawn(listen(listener, epoch, mood.clone()));
        Ok(Self { address, mood, _runtime: runtime })
    }
}

async fn listen(listener: TcpListener, epoch: Epoch, mood: Mood) {
    while let Ok((socket, _)) = listener.accept().await {
        // The client measures broken connections, so ignore the error here.
        let mood = mood.clone();
        tokio::spawn(async move { drop(converse(socket, epoch, mood).await) });
    }
}

async fn converse(socket: TcpStream, epoch: Epoch, mood: Mood) -> Result<()> {
    let mut wire = Wire::over(socket)?;
    let plain = [Dialect::Chat, Dialect::Messages].map(|dialect| {
        let body = dialect.answer();
        (dialect, fault::head("application/json", "", body.len()) + &body)
    });
    while let Some(head) = wire.request_head().await? {
        let mut asked = Asked::Plain;
        wire.body(head.framing, |piece| asked = Asked::by(piece)).await?;
        let dialect = head.dialect;
        match mood.now() {
            Answering::Well => {}
            Answering::Busy => {
                mood.failed();
                wire.send(BUSY).await?;
                continue;
            }
            Answering::Gone => {
                mood.failed();
                return Ok(());
            }
        }
        match asked {
            Asked::Plain => {
                let answer = plain.iter().find(|(spoken, _)| *spoken == dialect);
                wire.send(answer.map_or("", |(_, answer)| answer).as_bytes()).await?;
            }
            Asked::Stream(pace) => stream(&mut wire, epoch, dialect, pace).await?,
            Asked::Fault(fault) => fault.send(&mut wire, dialect).await?,
        }
    }
    Ok(())
}

const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
    content-length: 38\r\n\r\n{\"error\":{\"message\":\"it has an outage\"}}";

/// The kind of answer that a request selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Plain,
    Stream(Pace),
    Fault(Fault),
}

impl Asked {
    fn by(body: &[u8]) -> Self {
        let has = |text: &str| body.windows(text.len()).any(|window| window == text.as_bytes());
        if let Some(fault) = Fault::ALL.into_iter().find(|fault| has(fault.model())) {
            return Self::Fault(fault);
        }
        if !has("\"stream\":true") {
            return Self::Plain;
        }
        Self::Stream(PACES.into_iter().find(|pace| has(pace.model)).unwrap_or(STEADY))
    }
}

async fn stream(wire: &mut Wire, epoch: Epoch, dialect: Dialect, pace: Pace) -> Result<()> {
    let opening = dialect.opening();
    let opening = if opening.is_empty() { String::new() } else { framed(opening) };
    wire.send((fault::STREAM_HEAD.to_owned() + &opening).as_bytes()).await?;
    if !pace.first.is_zero() {
        // Even a sleep of zero takes a millisecond.
        tokio::time::sleep(pace.first).await;
    }
    let mut ticks = tokio::time::interval(pace.pause.max(Duration::from_micros(1)));
    for _ in 0..pace.pieces {
        if !pace.pause.is_zero() {
            ticks.tick().await;
        }
        let piece = dialect.piece(&format!("@{}@", epoch.micros()));
        wire.send(framed(&piece).as_bytes()).await?;
    }
    let end = framed(&dialect.ending()) + "0\r\n\r\n";
    wire.send(end.as_bytes()).await
}
