//! The protocol on pipes, one message a line.
//!
//! The transport of the protocol's library keeps silent about a line that is no JSON, and leaves out the id
//! of one that is no message; a client would wait for ever. It also tells nobody that the input has ended.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rmcp::RoleServer;
use rmcp::model::ErrorCode;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Longest message, in bytes. A longer one is no message.
const LINE_BYTES_MAX: usize = 16 << 20;

pub(crate) struct LineTransport<R, W> {
    input: BufReader<R>,
    /// What was read of a line. It stays where a read is given up for something else.
    line: Vec<u8>,
    is_too_long: bool,
    output: Arc<Mutex<W>>,
    /// The answer to a line that is no message, while it is written.
    reply: Option<BoxFuture<'static, io::Result<()>>>,
    gone: CancellationToken,
}

impl<R, W> LineTransport<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    /// Cancels `gone` at the end of `input`.
    pub(crate) fn new((input, output): (R, W), gone: CancellationToken) -> Self {
        Self {
            input: BufReader::new(input),
            line: Vec::new(),
            is_too_long: false,
            output: Arc::new(Mutex::new(output)),
            reply: None,
            gone,
        }
    }

    /// The next line without its end; None at the end of the input. Empty for one that is too long.
    async fn read_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let read = self.input.fill_buf().await?;
            if read.is_empty() {
                return Ok(None);
            }
            let end = read.iter().position(|byte| *byte == b'\n');
            let part = read.get(..end.unwrap_or(read.len())).unwrap_or_default();
            self.is_too_long |= self.line.len() + part.len() > LINE_BYTES_MAX;
            if self.is_too_long {
                self.line = Vec::new();
            } else {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                return Ok(Some(std::mem::take(&mut self.line)));
            }
        }
    }

    fn write(&self, message: Vec<u8>) -> BoxFuture<'static, io::Result<()>> {
        let output = Arc::clone(&self.output);
        async move {
            let mut output = output.lock().await;
            output.write_all(&message).await?;
            output.write_all(b"\n").await?;
            output.flush().await
        }
        .boxed()
    }
}

impl<R, W> Transport<RoleServer> for LineTransport<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn name() -> Cow<'static, str> {
        "lines".into()
    }

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let text = serde_json::to_vec(&message).map_err(io::Error::from);
        let written = text.map(|text| self.write(text));
        async move { written?.await }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if let Some(reply) = &mut self.reply {
                let written = reply.await;
                self.reply = None;
                written.ok()?;
            }
            let Ok(Some(line)) = self.read_line().await else {
                self.gone.cancel();
                return None;
            };
            let line: &[u8] = if std::mem::take(&mut self.is_too_long) { b"{}" } else { &line };
            match parse_message(line) {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(answer) => self.reply = Some(self.write(answer.to_string().into_bytes())),
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.output.lock().await.shutdown().await
    }
}

/// None for a line that needs no answer. The error is the answer to a line that is no message.
fn parse_message(line: &[u8]) -> Result<Option<RxJsonRpcMessage<RoleServer>>, Value> {
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    let message: Value = serde_json::from_slice(line)
        .map_err(|_| error_answer(&Value::Null, ErrorCode::PARSE_ERROR, "this is not JSON"))?;
    if let Ok(message) = serde_json::from_value(message.clone()) {
        return Ok(Some(message));
    }
    let id = message.get("id");
    if id.is_none() && message.get("method").is_some_and(Value::is_string) {
        // A notification of another revision of the protocol.
        return Ok(None);
    }
    let id = id.filter(|id| id.is_string() || id.is_i64()).unwrap_or(&Value::Null);
    Err(error_answer(id, ErrorCode::INVALID_REQUEST, "this is no message of JSON-RPC 2.0"))
}

fn error_answer(id: &Value, code: ErrorCode, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code.0, "message": message}})
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn a_line_that_is_no_message_is_answered_by_its_code_and_the_next_one_is_read() {
        let input = concat!(
            "no json\n\n",
            "{\"foo\": 1}\n",
            "{\"jsonrpc\": \"2.0\", \"id\": 7, \"method\": 5}\n",
            "{\"jsonrpc\": \"2.0\", \"id\": 1.5, \"method\": \"ping\"}\n",
            "{\"jsonrpc\": \"2.0\", \"id\": 8, \"method\": \"ping\"}\r\n",
        );
        let (output, mut client) = tokio::io::duplex(4_096);
        let gone = CancellationToken::new();
        let mut lines = LineTransport::new((input.as_bytes(), output), gone.clone());
        let message = lines.receive().await.expect("the ping");
        assert_eq!(serde_json::to_value(message).expect("JSON")["id"], 8);
        assert!(!gone.is_cancelled());
        assert!(lines.receive().await.is_none());
        assert!(gone.is_cancelled(), "the client has gone");
        lines.close().await.expect("closed");
        let mut said = String::new();
        client.read_to_string(&mut said).await.expect("the answers");
        let answers: Vec<Value> =
            said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let told: Vec<_> =
            answers.iter().map(|one| (one["id"].clone(), one["error"]["code"].clone())).collect();
        let none = Value::Null;
        let expected = [(&none, -32_700), (&none, -32_600), (&json!(7), -32_600), (&none, -32_600)];
        let expected = expected.map(|(id, code)| (id.clone(), json!(code)));
        assert_eq!(told, expected);
    }

    #[tokio::test]
    async fn a_read_that_is_given_up_loses_nothing() {
        let (mut client, input) = tokio::io::duplex(64);
        let mut lines = LineTransport::new((input, tokio::io::sink()), CancellationToken::new());
        client.write_all(b"{\"jsonrpc\": \"2.0\", \"id\": 1,").await.expect("sent");
        assert!(lines.receive().now_or_never().is_none());
        client.write_all(b" \"method\": \"ping\"}\n").await.expect("sent");
        assert!(lines.receive().await.is_some());
    }
}
