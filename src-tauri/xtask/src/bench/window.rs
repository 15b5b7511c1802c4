//! The benchmark of the window: time from start to data on the screen, on a private X server and
//! session bus, with software rendering.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::environment::BenchEnvironment;
use super::figures::median;
use super::home::BenchHome;
use super::process::MeasuredProcess;
use super::report::{Figure, FigureTarget};
use crate::call::ProgramCall;

/// Starts in a round.
const STARTS: usize = 2;

/// Longest time until the first data is painted.
const PAINT_TIME_MAX: Duration = Duration::from_secs(30);

/// The log line for the panel's first painted data.
const PAINTED_LOG_LINE: &str = "the panel is painted";

/// Time from the start of the program to two frames after the verdict has arrived.
pub(crate) fn paint(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let program = environment.program.with_file_name("gatehouse-desktop");
    if !program.exists() {
        let root = &environment.repository.root;
        ProgramCall::cargo("build --release -p gatehouse-desktop --bin gatehouse-desktop", root)
            .run()?;
    }
    let screen = VirtualScreen::start()?;
    let home = environment.create_home()?;
    let first = paint_ms(&program, &home, &screen)?;
    let mut times = Vec::new();
    for _ in 0..environment.rounds * STARTS {
        times.push(paint_ms(&program, &home, &screen)?);
    }
    let note = format!("the very first start took {first:.0}; software rendering under Xvfb");
    let quantity = "window: start to painted data, ms";
    Ok(vec![
        Figure::of_gatehouse(quantity, median(&times), FigureTarget::AtMost(800.0)).with_note(note),
    ])
}

fn paint_ms(program: &Path, home: &BenchHome, screen: &VirtualScreen) -> Result<f64> {
    let before = home.count_in_log(PAINTED_LOG_LINE);
    let mut command = home.window(program);
    command.env("DISPLAY", &screen.display).env("DBUS_SESSION_BUS_ADDRESS", &screen.bus_address);
    let begin = Instant::now();
    let _window = MeasuredProcess::start(&mut command)?;
    while home.count_in_log(PAINTED_LOG_LINE) == before {
        if begin.elapsed() > PAINT_TIME_MAX {
            bail!("the window was not painted within {} s", PAINT_TIME_MAX.as_secs());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(begin.elapsed().as_secs_f64() * 1_000.0)
}

/// An X server and a session bus.
struct VirtualScreen {
    display: String,
    bus_address: String,
    _server: MeasuredProcess,
    _bus: MeasuredProcess,
}

impl VirtualScreen {
    fn start() -> Result<Self> {
        let screen = ["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"];
        let mut server = MeasuredProcess::start(piped(Command::new("Xvfb").args(screen)))?;
        let display = format!(":{}", first_line(&mut server)?);
        let session = ["--session", "--nofork", "--print-address=1"];
        let mut bus = MeasuredProcess::start(piped(Command::new("dbus-daemon").args(session)))?;
        let bus_address = first_line(&mut bus)?;
        Ok(Self { display, bus_address, _server: server, _bus: bus })
    }
}

fn piped(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null())
}

fn first_line(program: &mut MeasuredProcess) -> Result<String> {
    let out = program.child().stdout.take().context("its output is not piped")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}
