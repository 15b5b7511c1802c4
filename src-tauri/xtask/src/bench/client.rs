//! The load generator: encodes a request once and sends the same bytes repeatedly, one connection
//! each.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::dialect::{AnswerFormat, BenchDialect};
use super::http::RawHttpConnection;
use super::upstream::{Epoch, StreamPace};

/// Longest time of one streamed answer. A tenth of a second is normal.
const STREAM_TIME_MAX: Duration = Duration::from_secs(20);

/// Longest time of a hostile answer. The endless one reaches its cap after about a second.
const EXHAUST_TIME_MAX: Duration = Duration::from_secs(60);

/// A server to measure, and how requests address it.
#[derive(Debug, Clone)]
pub(crate) struct MeasuredServer {
    pub(crate) address: SocketAddr,
    /// The bearer token; any text where the server asks for none.
    pub(crate) token: String,
    /// The prefix of model names on this server.
    pub(crate) model_prefix: &'static str,
    pub(crate) dialect: BenchDialect,
}

impl MeasuredServer {
    /// Encodes a request for an answer.
    pub(crate) fn request(&self, model: &str, answer: AnswerFormat) -> Vec<u8> {
        let model = format!("{}{model}", self.model_prefix);
        self.post(self.dialect.path(), &self.dialect.request_body(&model, answer))
    }

    /// Encodes a POST of JSON.
    pub(crate) fn post(&self, path: &str, body: &str) -> Vec<u8> {
        let Self { address, token, .. } = self;
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        let Self { address, token, .. } = self;
        format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n")
            .into_bytes()
    }

    pub(crate) async fn connect(&self) -> Result<LoadConnection> {
        let socket = TcpStream::connect(self.address).await;
        let socket = socket.with_context(|| format!("nobody listens on {}", self.address))?;
        Ok(LoadConnection { wire: RawHttpConnection::over(socket)?, dialect: self.dialect })
    }
}

/// One connection, used for one request after another.
pub(crate) struct LoadConnection {
    wire: RawHttpConnection,
    dialect: BenchDialect,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct PieceArrival {
    /// Time of sending by the upstream, in microseconds of the shared epoch.
    pub(crate) sent_us: u64,
    /// Time of arrival, in microseconds of the shared epoch.
    pub(crate) arrived_us: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReceivedAnswer {
    pub(crate) status: u16,
    /// The value of the requested header.
    pub(crate) header_value: Option<String>,
    /// The body in the pieces in which it arrived.
    pub(crate) pieces: Vec<Vec<u8>>,
}

impl ReceivedAnswer {
    /// The body in one piece.
    pub(crate) fn body(&self) -> Vec<u8> {
        self.pieces.concat()
    }
}

/// A complete streamed answer.
#[derive(Debug, Clone)]
pub(crate) struct StreamTimings {
    /// Time when its request was sent, in microseconds of the shared epoch.
    pub(crate) asked_us: u64,
    /// The arrivals of its pieces with content.
    pub(crate) arrivals: Vec<PieceArrival>,
}

impl LoadConnection {
    /// Sends a request and reads its whole answer. Any status but 200 is an error that quotes the
    /// answer.
    pub(crate) async fn send_and_check(&mut self, request: &[u8]) -> Result<()> {
        self.wire.send(request).await?;
        let head = self.wire.read_answer_head().await?;
        let mut refusal = String::new();
        let framing = head.framing;
        self.wire
            .read_body(framing, |piece| {
                if head.status != 200 {
                    refusal.push_str(&String::from_utf8_lossy(piece));
                }
            })
            .await?;
        if head.status != 200 {
            bail!("answered {}: {refusal}", head.status);
        }
        Ok(())
    }

    /// Sends a request and returns its whole answer, with the value of `header`.
    pub(crate) async fn send_and_read(
        &mut self,
        request: &[u8],
        header: &str,
    ) -> Result<ReceivedAnswer> {
        self.wire.send(request).await?;
        let (head, said) = self.wire.read_answer_head_with(header).await?;
        let mut pieces = Vec::new();
        self.wire.read_body(head.framing, |piece| pieces.push(piece.to_vec())).await?;
        pieces.retain(|piece| !piece.is_empty());
        Ok(ReceivedAnswer { status: head.status, header_value: said, pieces })
    }

    /// Sends a request and passes on each piece of its answer until that ends.
    pub(crate) async fn follow(&mut self, request: &[u8], piece: impl FnMut(&[u8])) -> Result<()> {
        self.wire.send(request).await?;
        let head = self.wire.read_answer_head().await?;
        self.wire.read_body(head.framing, piece).await
    }

    /// Sends a request for a hostile answer and reads until the answer or the connection ends.
    /// Returns the status and the body's length in bytes.
    pub(crate) async fn read_hostile(&mut self, request: &[u8]) -> Result<(u16, usize)> {
        self.wire.send(request).await?;
        let head = self.wire.read_answer_head().await?;
        let mut bytes = 0;
        let read = self.wire.read_body(head.framing, |piece| bytes += piece.len());
        let read = tokio::time::timeout(EXHAUST_TIME_MAX, read).await;
        // A broken connection is a valid end of a hostile answer; a stall is not.
        drop(read.context("a bad answer did not end")?);
        Ok((head.status, bytes))
    }

    /// Sends a request and reads its streamed answer to the end. An answer that breaks off, stalls
    /// or has another number of pieces than `chunks` is an error.
    pub(crate) async fn stream(
        &mut self,
        request: &[u8],
        epoch: Epoch,
        chunks: usize,
    ) -> Result<StreamTimings> {
        let streamed =
            tokio::time::timeout(STREAM_TIME_MAX, self.read_stream(request, epoch)).await;
        let streamed = streamed.context("a stream stood still")??;
        if streamed.arrivals.len() != chunks {
            bail!("a stream ended after {} of {chunks} pieces", streamed.arrivals.len());
        }
        Ok(streamed)
    }

    async fn read_stream(&mut self, request: &[u8], epoch: Epoch) -> Result<StreamTimings> {
        let asked_us = epoch.micros();
        self.wire.send(request).await?;
        let head = self.wire.read_answer_head().await?;
        let mut arrivals = Vec::new();
        let mut text = String::new();
        self.wire
            .read_body(head.framing, |piece| {
                let arrived_us = epoch.micros();
                text.push_str(&String::from_utf8_lossy(piece));
                while let Some((sent_us, rest)) = parse_stamp(&text) {
                    arrivals.push(PieceArrival { sent_us, arrived_us });
                    text = rest;
                }
            })
            .await?;
        if head.status != 200 || !text.contains(self.dialect.stream_end_marker()) {
            bail!("a stream answered {} and ended with {text}", head.status);
        }
        Ok(StreamTimings { asked_us, arrivals })
    }
}

/// Parses the first time of sending in `text`, and returns it with the rest.
fn parse_stamp(text: &str) -> Option<(u64, String)> {
    let (digits, rest) = text.split_once('@')?.1.split_once('@')?;
    Some((digits.parse().ok()?, rest.to_owned()))
}

/// Sends requests without pause over `connections` for `time`, and returns the answers per second.
pub(crate) async fn measure_answers_per_second(
    server: &MeasuredServer,
    request: &[u8],
    connections: usize,
    time: Duration,
) -> Result<f64> {
    let mut clients = JoinSet::new();
    let start = Instant::now();
    let end = start + time;
    for _ in 0..connections {
        let (mut connection, request) = (server.connect().await?, request.to_vec());
        clients.spawn(async move {
            let mut answers = 0_u32;
            while Instant::now() < end {
                connection.send_and_check(&request).await?;
                answers += 1;
            }
            anyhow::Ok(answers)
        });
    }
    let mut answers = 0.0;
    while let Some(client) = clients.join_next().await {
        answers += f64::from(client??);
    }
    Ok(answers / start.elapsed().as_secs_f64())
}

/// Sends `requests` requests without pause over `connections`.
pub(crate) async fn send_requests(
    server: &MeasuredServer,
    request: &[u8],
    connections: usize,
    requests: usize,
) -> Result<()> {
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let (mut connection, request) = (server.connect().await?, request.to_vec());
        clients.spawn(async move {
            for _ in 0..requests / connections {
                connection.send_and_check(&request).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    Ok(())
}

/// Measures each of `requests` on one connection, in milliseconds. A warm-up of a tenth as many
/// requests is not counted.
pub(crate) async fn measure_times_ms(
    server: &MeasuredServer,
    request: &[u8],
    requests: usize,
) -> Result<Vec<f64>> {
    let mut connection = server.connect().await?;
    for _ in 0..requests / 10 {
        connection.send_and_check(request).await?;
    }
    let mut times = Vec::with_capacity(requests);
    for _ in 0..requests {
        let start = Instant::now();
        connection.send_and_check(request).await?;
        times.push(start.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(times)
}

/// Measures each of `requests` on each of `connections` at once, in milliseconds.
pub(crate) async fn measure_concurrent_times_ms(
    server: &MeasuredServer,
    request: &[u8],
    connections: usize,
    requests: usize,
) -> Result<Vec<f64>> {
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let (server, request) = (server.clone(), request.to_vec());
        clients.spawn(async move { measure_times_ms(&server, &request, requests).await });
    }
    let mut times = Vec::with_capacity(connections * requests);
    while let Some(client) = clients.join_next().await {
        times.extend(client??);
    }
    Ok(times)
}

/// Streams `answers` at this pace over `connections` at once, one after another on each. An
/// incomplete stream is an error in the list.
pub(crate) async fn stream_answers(
    server: &MeasuredServer,
    pace: StreamPace,
    connections: usize,
    answers: usize,
    epoch: Epoch,
) -> Result<Vec<Result<StreamTimings>>> {
    let request = server.request(pace.model, AnswerFormat::Streamed);
    let mut clients = JoinSet::new();
    let mut opened = Vec::with_capacity(connections);
    for _ in 0..connections {
        opened.push(server.connect().await?);
    }
    for mut connection in opened {
        let request = request.clone();
        clients.spawn(async move {
            let mut all = Vec::new();
            for _ in 0..answers / connections {
                all.push(connection.stream(&request, epoch, pace.pieces).await);
            }
            all
        });
    }
    let mut all = Vec::with_capacity(answers);
    while let Some(client) = clients.join_next().await {
        all.extend(client?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::parse_stamp;

    #[test]
    fn a_stamp_is_read_when_it_is_whole() {
        assert_eq!(parse_stamp(r#"{"content":"@12@"} @3"#), Some((12, r#""} @3"#.to_owned())));
        assert_eq!(parse_stamp(r#""} @3"#), None);
        assert_eq!(parse_stamp("data: [DONE]"), None);
    }
}
