//! `gatehouse mcp`: serves an agent that started this program over standard input and output.

use control::EngineConfig;
use mcp::serve_stdio;

use crate::console::{Console, StreamPeer};
use crate::exit::{CommandError, Exit};
use crate::serve::StopSignals;
use crate::sign::Tone;
use crate::text::StyledText;

mod programs;

pub(crate) use programs::{McpCommand, run_command};

/// Printed below the help.
pub(crate) const PERMISSIONS: &str = "\
Any other program with agents: let it start `gatehouse mcp` as a server on standard input and output.

Agents may always read status, usage, costs and routes. Settings, section `mcp`, say what else they
may do: run checks (on), send prompts (off), change things (off). No tool returns a key or a prompt.";

#[derive(Debug, clap::Args)]
pub(crate) struct McpArguments {
    #[command(subcommand)]
    pub(crate) command: Option<McpCommand>,
}

/// Serves until the agent closes standard input, or until Ctrl-C or SIGTERM.
pub(crate) async fn run(
    variables: Vec<(String, String)>,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    // An error in the variables is told at the start, not with the first call.
    let config = EngineConfig::from_variables(variables.iter().cloned())?;
    let sources = (config.clock, config.entropy);
    if console.stdin == StreamPeer::Terminal {
        let mut text = StyledText::new();
        let hint = "This speaks MCP with the program that starts it. `gatehouse mcp install` adds \
                    it to a program with agents; Ctrl-C ends it.";
        text.line(Tone::Muted, hint);
        console.print_remark(&text);
    }
    let read_config = Box::new(move || EngineConfig::from_variables(variables.iter().cloned()));
    let mut stop = StopSignals::listen()?;
    let served = serve_stdio(read_config, sources, env!("CARGO_PKG_VERSION"), stop.wait()).await;
    served.map_err(|error| CommandError::new(Exit::Internal, error.to_string()))?;
    Ok(Exit::Success)
}
