//! Benchmarks of a faulty ledger: running streams must not slow down, and the fault must be
//! reported. They test the built program and its disk in real time, so they run only when chosen.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::task::JoinSet;

use super::client::{MeasuredServer, StreamTimings};
use super::dialect::AnswerFormat;
use super::environment::BenchEnvironment;
use super::home::{BenchHome, BenchVault};
use super::process::MeasuredProcess;
use super::report::{Figure, FigureTarget};
use super::traffic::{CONNECTIONS, to_figure, to_ms};
use super::upstream::AGENT;
use crate::call::ProgramCall;

/// The faulty disk, a preloaded library that is compiled when needed.
const DISK_FAULT: &str = include_str!("disk_fault.c");

/// Load before the fault begins.
const TIME_BEFORE: Duration = Duration::from_secs(3);

const FAULT_TIME: Duration = Duration::from_secs(40);

/// Load after the fault.
const TIME_AFTER: Duration = Duration::from_secs(3);

/// Longest time to write the backlog after the fault.
const CATCH_UP_MAX: Duration = Duration::from_secs(30);

/// Interval for polling the reported state.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Pause of an agent after a refused request.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InjectedFault {
    None,
    Slow,
    Locked,
    Reader,
    Full,
    ReadOnly,
}

/// The names of a fault's rows.
struct FaultRowNames {
    gap: &'static str,
    shown: &'static str,
    share: &'static str,
    lost: &'static str,
}

macro_rules! names {
    ($what:literal) => {
        FaultRowNames {
            gap: concat!($what, ": worst gap by us, ms"),
            shown: concat!($what, ": state shown after, ms"),
            share: concat!($what, ": share of the usual answers"),
            lost: concat!($what, ": answers missing in the ledger"),
        }
    };
}

impl InjectedFault {
    const ALL: [Self; 6] =
        [Self::None, Self::Slow, Self::Locked, Self::Reader, Self::Full, Self::ReadOnly];

    const fn row_names(self) -> FaultRowNames {
        match self {
            Self::None => names!("no fault"),
            Self::Slow => names!("200 ms a write"),
            Self::Locked => names!("locked 40 s"),
            Self::Reader => names!("long reader"),
            Self::Full => names!("disk full"),
            Self::ReadOnly => names!("read-only disk"),
        }
    }

    /// The disk's behaviour, as `disk_fault.c` reads it.
    const fn disk_mode(self) -> &'static str {
        match self {
            Self::None | Self::Locked | Self::Reader => "-",
            Self::Slow => "s",
            Self::Full => "f",
            Self::ReadOnly => "r",
        }
    }

    /// True if new requests may be refused during the fault.
    const fn may_refuse(self) -> bool {
        matches!(self, Self::Full | Self::ReadOnly)
    }
}

/// The observations from outside.
#[derive(Default)]
struct FaultObservations {
    streams: Vec<StreamTimings>,
    refused: usize,
    complaint: Option<String>,
    /// Milliseconds from the start of the fault to the first reported state other than "current".
    shown_ms: Option<f64>,
    /// Successful answers in the ledger after the run.
    recorded: f64,
}

/// Runs all faults one after the other, and compares each with the run without a fault.
pub(crate) fn measure_all_faults(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let tools = FaultTools::build(environment)?;
    let mut figures = Vec::new();
    let mut usual = 0;
    for fault in InjectedFault::ALL {
        let seen = run(environment, &tools, fault)?;
        if fault == InjectedFault::None {
            usual = seen.streams.len();
        }
        println!(
            "{}: {} answers, {} refused",
            fault.row_names().gap,
            seen.streams.len(),
            seen.refused
        );
        figures.extend(fault_figures(fault, &seen, usual));
    }
    Ok(figures)
}

fn fault_figures(fault: InjectedFault, seen: &FaultObservations, usual: usize) -> Vec<Figure> {
    let names = fault.row_names();
    let complaint = seen.complaint.clone().unwrap_or_default();
    let gap =
        Figure::of_gatehouse(names.gap, worst_gap_ms(&seen.streams), FigureTarget::AtMost(100.0));
    let lost = to_figure(seen.streams.len()) - seen.recorded;
    let lost = Figure::of_gatehouse(names.lost, lost.max(0.0), FigureTarget::AtMost(0.0));
    let mut rows = vec![gap.with_note(complaint), lost];
    let share = to_figure(seen.streams.len()) / to_figure(usual);
    let target =
        if fault.may_refuse() { FigureTarget::Nothing } else { FigureTarget::AtLeast(0.9) };
    if fault != InjectedFault::None {
        let refused = format!("{} answers, {} refusals", seen.streams.len(), seen.refused);
        rows.push(Figure::of_gatehouse(names.share, share, target).with_note(refused));
    }
    match (fault, seen.shown_ms) {
        (InjectedFault::None | InjectedFault::Reader, None) => {}
        (InjectedFault::None | InjectedFault::Reader, Some(shown)) => rows.push(
            Figure::of_gatehouse(names.shown, shown, FigureTarget::Nothing)
                .with_note("a state without a reason"),
        ),
        (_, Some(shown)) => {
            rows.push(Figure::of_gatehouse(names.shown, shown, FigureTarget::AtMost(2_000.0)));
        }
        (_, None) => rows.push(Figure::missing(names.shown, "it was never shown".to_owned())),
    }
    rows
}

/// The largest delay of a piece: the gap on arrival minus the gap at sending.
fn worst_gap_ms(streams: &[StreamTimings]) -> f64 {
    let pairs = streams.iter().flat_map(|one| one.arrivals.windows(2));
    let late = pairs.map(|pair| match pair {
        [one, next] => {
            let sent = next.sent_us.saturating_sub(one.sent_us);
            next.arrived_us.saturating_sub(one.arrived_us).saturating_sub(sent)
        }
        _ => 0,
    });
    to_ms(late.max().unwrap_or_default())
}

struct FaultTools {
    folder: tempfile::TempDir,
    hold: PathBuf,
}

impl FaultTools {
    fn build(environment: &BenchEnvironment<'_>) -> Result<Self> {
        let root = &environment.repository.root;
        ProgramCall::cargo("build --release -p ledger --example hold", root).run()?;
        let hold = environment.repository.target.join("release/examples/hold");
        let folder = tempfile::tempdir()?;
        let source = folder.path().join("disk_fault.c");
        std::fs::write(&source, DISK_FAULT)?;
        let built = folder.path().join("disk_fault.so");
        let compile =
            ProgramCall::new("cc", root).words("-shared -fPIC -O2 -o").arg(&built).arg(&source);
        compile.words("-ldl").run()?;
        Ok(Self { folder, hold })
    }

    fn set_disk(&self, what: &str) -> Result<()> {
        Ok(std::fs::write(self.fault_file(), what)?)
    }

    fn fault_file(&self) -> PathBuf {
        self.folder.path().join("fault")
    }

    fn preload_into(&self, command: &mut Command) {
        command.env("LD_PRELOAD", self.folder.path().join("disk_fault.so"));
        command.env("BENCH_DISK_FAULT", self.fault_file());
    }

    /// Lets another program lock or read the file during the fault.
    fn hold_ledger(&self, ledger: &Path, part: &str) -> Result<MeasuredProcess> {
        let mut command = Command::new(&self.hold);
        command.arg(ledger).arg(part).arg(FAULT_TIME.as_secs().to_string()).stdout(Stdio::piped());
        let mut holding = MeasuredProcess::start(&mut command)?;
        let out = holding.child().stdout.take().context("its output is not piped")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        if line.trim() != "held" {
            bail!("the ledger could not be held");
        }
        Ok(holding)
    }
}

fn run(
    environment: &BenchEnvironment<'_>,
    tools: &FaultTools,
    fault: InjectedFault,
) -> Result<FaultObservations> {
    tools.set_disk("-")?;
    let home = environment.create_home()?;
    let mut command = home.command(BenchVault::File, &["serve", "--port", "0"]);
    tools.preload_into(&mut command);
    let served = home.serve_with_command(BenchVault::File, command)?;
    let control = home.control_api()?;
    environment.block_on(async {
        // The first request opens the vault, which is slow on purpose.
        let warm = served.server.request(AGENT.model, AnswerFormat::Streamed);
        served.server.connect().await?.stream(&warm, environment.epoch, AGENT.pieces).await?;
        let end = Instant::now() + TIME_BEFORE + FAULT_TIME + TIME_AFTER;
        let (load, shown) = tokio::join!(
            run_agents(environment, &served.server, end),
            inject_fault(tools, &home, &control, fault)
        );
        let mut seen = load?;
        seen.shown_ms = shown?;
        seen.recorded = recorded_answers(&control).await? - 1.0;
        Ok(seen)
    })
}

/// Runs the agents until `end`.
async fn run_agents(
    environment: &BenchEnvironment<'_>,
    server: &MeasuredServer,
    end: Instant,
) -> Result<FaultObservations> {
    let mut agents = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (server, epoch) = (server.clone(), environment.epoch);
        agents.spawn(async move {
            let request = server.request(AGENT.model, AnswerFormat::Streamed);
            let mut seen = FaultObservations::default();
            let mut connection = server.connect().await?;
            while Instant::now() < end {
                match connection.stream(&request, epoch, AGENT.pieces).await {
                    Ok(streamed) => seen.streams.push(streamed),
                    Err(error) => {
                        seen.refused += 1;
                        seen.complaint.get_or_insert(format!("{error:#}"));
                        tokio::time::sleep(RETRY_PAUSE).await;
                        connection = server.connect().await?;
                    }
                }
            }
            anyhow::Ok(seen)
        });
    }
    let mut all = FaultObservations::default();
    while let Some(agent) = agents.join_next().await {
        let agent = agent??;
        all.streams.extend(agent.streams);
        all.refused += agent.refused;
        all.complaint = all.complaint.or(agent.complaint);
    }
    Ok(all)
}

/// Starts and ends the fault. Returns the milliseconds until it was reported.
async fn inject_fault(
    tools: &FaultTools,
    home: &BenchHome,
    control: &MeasuredServer,
    fault: InjectedFault,
) -> Result<Option<f64>> {
    tokio::time::sleep(TIME_BEFORE).await;
    let held = match fault {
        InjectedFault::Locked => Some(tools.hold_ledger(&home.ledger(), "writer")?),
        InjectedFault::Reader => Some(tools.hold_ledger(&home.ledger(), "reader")?),
        _ => None,
    };
    tools.set_disk(fault.disk_mode())?;
    let begin = Instant::now();
    let mut shown = None;
    while begin.elapsed() < FAULT_TIME {
        if shown.is_none() && ledger_state(control).await? != "current" {
            shown = Some(begin.elapsed().as_secs_f64() * 1_000.0);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    drop(held);
    tools.set_disk("-")?;
    Ok(shown)
}

async fn call_operation(
    control: &MeasuredServer,
    operation: &str,
    question: &str,
) -> Result<Value> {
    let request = control.post(&format!("/control/v1/{operation}"), question);
    let read = control.connect().await?.send_and_read(&request, "content-type").await?;
    let body = String::from_utf8_lossy(&read.body()).into_owned();
    if read.status != 200 {
        bail!("{operation} answered {}: {body}", read.status);
    }
    Ok(serde_json::from_str(&body)?)
}

async fn ledger_state(control: &MeasuredServer) -> Result<String> {
    let ledger = call_operation(control, "ledger", "null").await?;
    let state = ledger.get("state").and_then(Value::as_str).context("no state")?;
    Ok(state.to_owned())
}

/// Returns the number of successful answers in the ledger after the backlog is written.
async fn recorded_answers(control: &MeasuredServer) -> Result<f64> {
    let end = Instant::now() + CATCH_UP_MAX;
    while ledger_state(control).await? != "current" {
        if Instant::now() > end {
            bail!("the ledger did not catch up");
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let question = r#"{"range":"today","group_by":"model","zone":"utc"}"#;
    let usage = call_operation(control, "usage", question).await?;
    let total = |name: &str| {
        let value = usage.get("totals").and_then(|totals| totals.get(name));
        value.and_then(Value::as_f64).with_context(|| format!("usage has no {name}"))
    };
    Ok(total("requests")? - total("failed_requests")?)
}
