//! `cargo xtask bench`: measures the built programs from outside, compared with direct calls and
//! nginx.
//!
//! A figure counts only as a ratio to what the same machine does in the same minute. Every row
//! therefore has rounds in which all contenders take turns, and reports the median of the rounds.
//! It is no test and no part of CI: other load on the machine makes every figure wrong.

mod agent_tools;
mod agents;
mod cache;
mod client;
mod dialect;
mod environment;
mod event_stream;
mod failover;
mod figures;
mod home;
mod hostile_answer;
mod http;
mod ledger_faults;
mod nginx;
mod no_load;
mod process;
mod reliability;
mod report;
mod traffic;
mod translation;
mod upstream;
mod window;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::ValueEnum;

use self::environment::{BenchEnvironment, BenchOptions, PeerGateway};
use self::report::{Figure, RunConditions};
use crate::call::ProgramCall;
use crate::repository::Repository;

#[derive(clap::Args)]
pub(crate) struct BenchArguments {
    /// How often each figure is measured; the median is shown
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Measure this row alone; may be repeated. Without it: every row but those that take minutes
    /// by themselves
    #[arg(long, value_enum, value_name = "ROW")]
    only: Vec<BenchRow>,
    /// Write the figures here, too, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Seconds for which the idle program is watched; its target speaks of 300
    #[arg(long, value_name = "N", default_value_t = 60)]
    idle_secs: u64,
    /// Measure another gateway beside ours, in the rows about traffic; it must ask the upstream. It
    /// may be another build of Gatehouse, with its client's token
    #[arg(long, value_name = "NAME=ADDRESS:PORT[=TOKEN]", requires = "upstream_port")]
    peer: Vec<PeerGateway>,
    /// Let the upstream listen here, so that a peer can be pointed at it
    #[arg(long, value_name = "PORT")]
    upstream_port: Option<u16>,
    /// Measure the programs of this folder instead of building them
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BenchRow {
    /// Answers per second at 16 connections
    Throughput,
    /// Added time at 1 connection
    Latency,
    /// Added time to the first token of a stream
    FirstToken,
    /// Visible pauses in streams
    Gaps,
    /// 16 agents that stream from hosted models, 50 pieces a second each
    Agents,
    /// The same with 170 pieces a second each
    ThinkingAgents,
    /// 300 streams at once
    Streams,
    /// Memory idle, after 10,000 requests and after as many again
    Memory,
    /// Added time at 1 connection in another dialect, passed through and translated
    Dialects,
    /// Added time to the first token of a stream, the same pairs
    DialectTokens,
    /// 300 streams at once, the same pairs
    DialectStreams,
    /// Memory after translated requests and after answers made to fill it
    DialectMemory,
    /// Answers out of the cache
    Cache,
    /// Another backend's answer in place of one that is not there
    Failover,
    /// 3,000 requests in five minutes with two outages; only when asked for
    Reliability,
    /// 16 agents while the ledger is slow, locked, read, full or read-only; only when asked for
    LedgerFaults,
    /// Processor time of a program that does nothing
    Idle,
    /// A change to 200 subscribers of the event stream
    Events,
    /// `gatehouse serve` to its first answer
    Start,
    /// `gatehouse status` beside a running engine, and `gatehouse --help`
    Status,
    /// The MCP tools `status` and `ask`
    AgentTools,
    /// A change of the profile in use
    Profile,
    /// The dashboard's question over a million requests, by the panel and by an agent
    Usage,
    /// The window to its first painted data
    Window,
}

/// Measures the chosen rows and prints the figures.
pub(crate) fn run(repository: &Repository, arguments: &BenchArguments) -> Result<()> {
    if cfg!(debug_assertions) {
        return rerun_optimised(repository);
    }
    let program = find_program(repository, arguments.programs.as_deref())?;
    let rounds = usize::from(arguments.rounds);
    let mut circumstances =
        RunConditions::collect(repository, rounds, program.display().to_string());
    let around = BenchOptions {
        rounds,
        idle: Duration::from_secs(arguments.idle_secs),
        upstream_port: arguments.upstream_port.unwrap_or_default(),
        peers: arguments.peer.clone(),
    };
    let environment = BenchEnvironment::start(repository, program, around)?;
    let mut figures = Vec::new();
    for row in BenchRow::value_variants() {
        let is_wanted = match arguments.only.as_slice() {
            [] => row.runs_by_default(),
            only => only.contains(row),
        };
        if is_wanted {
            let begin = Instant::now();
            figures.extend(row.measure(&environment).unwrap_or_else(|error| {
                vec![Figure::missing(row.argument_name(), format!("{error:#}"))]
            }));
            println!("measured: {} in {:.0} s", row.argument_name(), begin.elapsed().as_secs_f64());
        }
    }
    circumstances.add_final_load();
    println!("\n{}", report::text(&circumstances, &figures));
    if let Some(path) = &arguments.json {
        std::fs::write(path, report::json(&circumstances, &figures)?)
            .with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

/// Runs the same command as a release build, since an unoptimised load generator would measure
/// itself.
fn rerun_optimised(repository: &Repository) -> Result<()> {
    ProgramCall::cargo("build --release -p xtask", &repository.root).run()?;
    let name = format!("release/xtask{}", std::env::consts::EXE_SUFFIX);
    let here = std::env::current_dir()?;
    std::env::args_os()
        .skip(1)
        .fold(ProgramCall::new(repository.target.join(name), &here), ProgramCall::arg)
        .run()
}

fn find_program(repository: &Repository, folder: Option<&Path>) -> Result<PathBuf> {
    let name = format!("gatehouse{}", std::env::consts::EXE_SUFFIX);
    if let Some(folder) = folder {
        return std::path::absolute(folder.join(name)).context("no such folder");
    }
    ProgramCall::cargo("build --release -p cli --bin gatehouse", &repository.root).run()?;
    Ok(repository.target.join("release").join(name))
}

impl BenchRow {
    /// The name on the command line.
    const fn argument_name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::Latency => "latency",
            Self::FirstToken => "first-token",
            Self::Gaps => "gaps",
            Self::Agents => "agents",
            Self::ThinkingAgents => "thinking-agents",
            Self::Streams => "streams",
            Self::Memory => "memory",
            Self::Dialects => "dialects",
            Self::DialectTokens => "dialect-tokens",
            Self::DialectStreams => "dialect-streams",
            Self::DialectMemory => "dialect-memory",
            Self::Cache => "cache",
            Self::Failover => "failover",
            Self::Reliability => "reliability",
            Self::LedgerFaults => "ledger-faults",
            Self::Idle => "idle",
            Self::Events => "events",
            Self::Start => "start",
            Self::Status => "status",
            Self::AgentTools => "agent-tools",
            Self::Profile => "profile",
            Self::Usage => "usage",
            Self::Window => "window",
        }
    }

    /// True for rows that a run measures by default.
    const fn runs_by_default(self) -> bool {
        !matches!(self, Self::Reliability | Self::LedgerFaults)
    }

    fn measure(self, environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
        match self {
            Self::Throughput => traffic::throughput(environment),
            Self::Latency => traffic::latency(environment),
            Self::FirstToken => traffic::first_token(environment),
            Self::Gaps => traffic::gaps(environment),
            Self::Agents => agents::hosted(environment),
            Self::ThinkingAgents => agents::thinking(environment),
            Self::Streams => traffic::many_streams(environment),
            Self::Memory => traffic::memory(environment),
            Self::Dialects => translation::latency(environment),
            Self::DialectTokens => translation::first_token(environment),
            Self::DialectStreams => translation::many_streams(environment),
            Self::DialectMemory => translation::memory(environment),
            Self::Cache => cache::hits(environment),
            Self::Failover => failover::refused(environment),
            Self::Reliability => reliability::profile(environment),
            Self::LedgerFaults => ledger_faults::measure_all_faults(environment),
            Self::Idle => no_load::idle(environment),
            Self::Events => event_stream::changes(environment),
            Self::Start => no_load::start(environment),
            Self::Status => no_load::status(environment),
            Self::AgentTools => agent_tools::tools(environment),
            Self::Profile => no_load::profile(environment),
            Self::Usage => no_load::usage(environment),
            Self::Window => window::paint(environment),
        }
    }
}
