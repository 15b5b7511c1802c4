//! Benchmarks of the MCP server, called as an agent does: `gatehouse mcp` on pipes, beside a running
//! engine.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::dialect::AnswerFormat;
use super::environment::BenchEnvironment;
use super::figures::{median, percentile};
use super::home::{BenchHome, BenchVault};
use super::process::MeasuredProcess;
use super::report::{Figure, FigureTarget};
use super::upstream::MODEL;

/// Calls of a tool in a round.
const CALLS: usize = 40;

/// The revision of the protocol that most agents speak.
const REVISION: &str = "2025-06-18";

/// A session with `gatehouse mcp`, one request after the other.
struct AgentSession {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    last_id: u64,
    /// Ends the program when dropped, after its pipes.
    _process: MeasuredProcess,
}

impl AgentSession {
    fn begin(home: &BenchHome) -> Result<Self> {
        let mut command = home.command(BenchVault::File, &["mcp"]);
        let mut process = MeasuredProcess::start(command.stdin(Stdio::piped()))?;
        let child = process.child();
        let stdin = child.stdin.take().context("its input is not piped")?;
        let stdout = child.stdout.take().context("its output is not piped")?;
        let mut session =
            Self { stdin, stdout: BufReader::new(stdout), last_id: 0, _process: process };
        let client = json!({"name": "bench", "version": "1"});
        let hello = json!({"protocolVersion": REVISION, "capabilities": {}, "clientInfo": client});
        session.request("initialize", &hello)?;
        session.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))?;
        Ok(session)
    }

    /// Milliseconds of each of [`CALLS`] calls of a tool.
    fn time_calls_ms(&mut self, tool: &str, arguments: &Value) -> Result<Vec<f64>> {
        let mut times = Vec::new();
        for _ in 0..CALLS {
            let begin = Instant::now();
            let answer =
                self.request("tools/call", &json!({"name": tool, "arguments": arguments}))?;
            times.push(begin.elapsed().as_secs_f64() * 1_000.0);
            if answer.pointer("/result/isError") != Some(&json!(false)) {
                bail!("the tool {tool} failed: {answer}");
            }
        }
        Ok(times)
    }

    fn request(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line)? == 0 {
                bail!("`gatehouse mcp` has ended");
            }
            let message: Value = serde_json::from_str(&line)?;
            if message.get("id").and_then(Value::as_u64) == Some(id) {
                return Ok(message);
            }
        }
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        Ok(writeln!(self.stdin, "{message}")?)
    }
}

/// `status` and `ask`. What `ask` adds is its time without that of the same request to the upstream.
pub(crate) fn tools(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    home.set("mcp_spend", "true")?;
    let served = home.serve(BenchVault::File)?;
    let mut session = AgentSession::begin(&home)?;
    let question = json!({"models": [format!("keyed/{MODEL}")], "prompt": "Say gate."});
    let (mut status, mut added) = (Vec::new(), Vec::new());
    for _ in 0..environment.rounds {
        status.push(percentile(&session.time_calls_ms("status", &json!({}))?, 95));
        let asked = session.time_calls_ms("ask", &question)?;
        let direct = median(&time_direct_ms(environment)?);
        added.push(percentile(&asked, 95) - direct);
    }
    drop((session, served));
    Ok(vec![
        Figure::of_gatehouse("MCP status, ms p95", median(&status), FigureTarget::AtMost(50.0)),
        Figure::of_gatehouse("MCP ask: added ms p95", median(&added), FigureTarget::AtMost(10.0))
            .with_note("to the median of a direct request"),
    ])
}

fn time_direct_ms(environment: &BenchEnvironment<'_>) -> Result<Vec<f64>> {
    let direct = environment.direct();
    let request = direct.request(MODEL, AnswerFormat::Whole);
    environment.block_on(async {
        let mut connection = direct.connect().await?;
        let mut times = Vec::new();
        for _ in 0..CALLS {
            let begin = Instant::now();
            connection.send_and_check(&request).await?;
            times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        }
        Ok(times)
    })
}

/// `usage_summary` over the ledger of a running gateway, by model, for each period in turn.
pub(crate) fn usage_summary(home: &BenchHome, rounds: usize) -> Result<Vec<Figure>> {
    let mut session = AgentSession::begin(home)?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        for period in ["today", "last_day", "last_week", "last_month"] {
            let question = json!({"range": period, "group_by": "model", "zone": "utc"});
            times.extend(session.time_calls_ms("usage_summary", &question)?);
        }
    }
    let quantity = "MCP usage_summary over 1,000,000, ms p95";
    Ok(vec![
        Figure::of_gatehouse(quantity, percentile(&times, 95), FigureTarget::AtMost(10.0)),
        Figure::of_gatehouse("the same, ms p50", percentile(&times, 50), FigureTarget::AtMost(2.0)),
    ])
}
