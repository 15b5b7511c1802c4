//! The backend that everything is measured against: it answers at once, or streams at a steady pace,
//! so that what a request takes beyond that was added on the way.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use super::dialect::Dialect;
use super::fault::{self, Fault, framed};
use super::wire::Wire;

/// Threads of the upstream: enough to be faster than any proxy before it on a small machine.
const THREADS: usize = 2;

/// Pieces of a streamed answer.
pub(crate) const STREAM_CHUNKS: usize = 20;

/// Time between two of them: a fast model's pace, and far under what a person could see.
const STREAM_PAUSE: Duration = Duration::from_millis(5);

/// A model whose streams have two pieces without a pause between them, to measure beginnings often.
pub(crate) const SHORT_MODEL: &str = "bench-short";

/// The model that every other request names.
pub(crate) const MODEL: &str = "bench-model";

/// The moment from which both ends count, so that a piece can carry the time at which it was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epoch(Instant);

impl Epoch {
    /// Begins now.
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Microseconds since it began.
    pub(crate) fn micros(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// The running upstream; gone when dropped.
pub(crate) struct Upstream {
    /// Where it listens, on loopback.
    pub(crate) address: SocketAddr,
    _runtime: Runtime,
}

impl Upstream {
    /// Starts it on a free port, with threads of its own.
    pub(crate) fn start(epoch: Epoch) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        runtime.spawn(listen(listener, epoch));
        Ok(Self { address, _runtime: runtime })
    }
}

async fn listen(listener: TcpListener, epoch: Epoch) {
    while let Ok((socket, _)) = listener.accept().await {
        // A client that breaks off is measured at its own end.
        tokio::spawn(async move { drop(converse(socket, epoch).await) });
    }
}

async fn converse(socket: TcpStream, epoch: Epoch) -> Result<()> {
    let mut wire = Wire::over(socket)?;
    let plain = [Dialect::Chat, Dialect::Messages].map(|dialect| {
        let body = dialect.answer();
        (dialect, fault::head("application/json", "", body.len()) + &body)
    });
    while let Some(head) = wire.request_head().await? {
        let mut asked = Asked::Plain;
        wire.body(head.framing, |piece| asked = Asked::by(piece)).await?;
        let dialect = head.dialect;
        match asked {
            Asked::Plain => {
                let answer = plain.iter().find(|(spoken, _)| *spoken == dialect);
                wire.send(answer.map_or("", |(_, answer)| answer).as_bytes()).await?;
            }
            Asked::Stream => stream(&mut wire, epoch, dialect, Length::Full).await?,
            Asked::ShortStream => stream(&mut wire, epoch, dialect, Length::Short).await?,
            Asked::Fault(fault) => fault.send(&mut wire, dialect).await?,
        }
    }
    Ok(())
}

/// What a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Plain,
    Stream,
    ShortStream,
    Fault(Fault),
}

/// How long a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Full,
    Short,
}

impl Asked {
    fn by(body: &[u8]) -> Self {
        let has = |text: &str| body.windows(text.len()).any(|window| window == text.as_bytes());
        if let Some(fault) = Fault::ALL.into_iter().find(|fault| has(fault.model())) {
            return Self::Fault(fault);
        }
        match (has("\"stream\":true"), has(SHORT_MODEL)) {
            (false, _) => Self::Plain,
            (true, false) => Self::Stream,
            (true, true) => Self::ShortStream,
        }
    }
}

async fn stream(wire: &mut Wire, epoch: Epoch, dialect: Dialect, length: Length) -> Result<()> {
    let (chunks, pause) = match length {
        Length::Full => (STREAM_CHUNKS, STREAM_PAUSE),
        Length::Short => (2, Duration::ZERO),
    };
    let opening = dialect.opening();
    let opening = if opening.is_empty() { String::new() } else { framed(opening) };
    wire.send((fault::STREAM_HEAD.to_owned() + &opening).as_bytes()).await?;
    let mut pace = tokio::time::interval(pause.max(Duration::from_micros(1)));
    for _ in 0..chunks {
        if !pause.is_zero() {
            pace.tick().await;
        }
        let piece = dialect.piece(&format!("@{}@", epoch.micros()));
        wire.send(framed(&piece).as_bytes()).await?;
    }
    let end = framed(&dialect.ending()) + "0\r\n\r\n";
    wire.send(end.as_bytes()).await
}
