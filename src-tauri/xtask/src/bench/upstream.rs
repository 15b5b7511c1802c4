//! The backend that everything is measured against: it answers at once, or streams at a steady pace,
//! so that what a request takes beyond that was added on the way.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

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
    let plain = plain_answer();
    while let Some(head) = wire.request_head().await? {
        let mut asked = Asked::Plain;
        wire.body(head.framing, |piece| asked = Asked::by(piece)).await?;
        match asked {
            Asked::Plain => wire.send(plain.as_bytes()).await?,
            Asked::Stream => stream(&mut wire, epoch, STREAM_CHUNKS, STREAM_PAUSE).await?,
            Asked::ShortStream => stream(&mut wire, epoch, 2, Duration::ZERO).await?,
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
}

impl Asked {
    fn by(body: &[u8]) -> Self {
        let has = |text: &str| body.windows(text.len()).any(|window| window == text.as_bytes());
        match (has("\"stream\":true"), has(SHORT_MODEL)) {
            (false, _) => Self::Plain,
            (true, false) => Self::Stream,
            (true, true) => Self::ShortStream,
        }
    }
}

/// An answer of about 500 bytes, which also passes for an empty list of models when a probe asks.
fn plain_answer() -> String {
    let body = concat!(
        r#"{"id":"chatcmpl-bench","object":"chat.completion","created":1790000000,"#,
        r#""model":"bench-model","data":[],"choices":[{"index":0,"message":{"role":"assistant","#,
        r#""content":"A gatehouse keeps the keys, opens the gate, keeps watch and writes down the "#,
        r#"toll. Nothing in this sentence matters but its length, which is that of a short answer."#,
        r#"","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":42,"#,
        r#""completion_tokens":37,"total_tokens":79,"prompt_tokens_details":{"cached_tokens":0}}}"#,
    );
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

async fn stream(wire: &mut Wire, epoch: Epoch, chunks: usize, pause: Duration) -> Result<()> {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    wire.send(head.as_bytes()).await?;
    let mut pace = tokio::time::interval(pause.max(Duration::from_micros(1)));
    for _ in 0..chunks {
        if !pause.is_zero() {
            pace.tick().await;
        }
        wire.send(
            framed(&event(&format!(r#"{{"content":"@{}@"}}"#, epoch.micros()), "null")).as_bytes(),
        )
        .await?;
    }
    let last = concat!(
        r#"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1790000000,"#,
        r#""model":"bench-model","choices":[],"usage":{"prompt_tokens":42,"completion_tokens":20,"#,
        r#""total_tokens":62}}"#,
        "\n\ndata: [DONE]\n\n",
    );
    let end = format!("{}{}0\r\n\r\n", framed(&event("{}", "\"stop\"")), framed(last));
    wire.send(end.as_bytes()).await
}

fn event(delta: &str, finish: &str) -> String {
    format!(
        concat!(
            r#"data: {{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1790000000,"#,
            r#""model":"bench-model","choices":[{{"index":0,"delta":{},"finish_reason":{}}}]}}"#,
            "\n\n"
        ),
        delta, finish
    )
}

fn framed(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}
