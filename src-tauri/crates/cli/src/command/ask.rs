//! `gatehouse ask`: sends one prompt through the gateway and prints the answer as it arrives.
//!
//! It is a playground run: it uses the same routing and ledger, and an open panel shows it in its
//! log.

use std::io::Read;

use control::view::{
    PlaygroundRecordView, PlaygroundRef, PlaygroundRunView, PlaygroundSend, PlaygroundState,
    ReasoningEffort,
};
use control::{ChangeTag, Core, CoreEvents, PanelEvent};

use crate::console::{Console, ConsoleFormat, StreamPeer};
use crate::escape::escape;
use crate::exit::{CommandError, Exit};
use crate::quantity::{format_count, format_duration, format_money};
use crate::serve::serve_without_panel;
use crate::sign::Tone;
use crate::text::StyledText;
use crate::unlock::unlock_interactively;
use crate::word::word;

/// Most bytes read from a pipe. The core has a lower limit and its own error for it.
const PIPE_BYTES_MAX: u64 = 1_000_000;

#[derive(Debug, clap::Args)]
pub(crate) struct AskArguments {
    /// A model name, for example mock/chat
    #[arg(value_name = "MODEL", add = super::completers::candidates_from(super::completers::model_names))]
    model: String,
    /// The prompt; by default read from standard input
    #[arg(value_name = "PROMPT")]
    prompt: Option<String>,
    /// System prompt
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    /// Sampling temperature, 0 to 2
    #[arg(long, value_name = "N")]
    temperature: Option<f64>,
    /// Max tokens
    #[arg(long, value_name = "N")]
    max_tokens: Option<u32>,
    /// Reasoning effort
    #[arg(long, value_parser = word::<ReasoningEffort>())]
    effort: Option<ReasoningEffort>,
    /// Send the prompt to this model too and compare the answers; may be repeated
    #[arg(long, value_name = "MODEL", add = super::completers::candidates_from(super::completers::model_names))]
    compare: Vec<String>,
}

pub(crate) async fn run(
    mut wanted: AskArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let others = std::mem::take(&mut wanted.compare);
    let request = build_request(wanted, console.stdin, std::io::stdin())?;
    unlock_interactively(core, console).await?;
    serve_without_panel(core).await?;
    if !others.is_empty() {
        return compare(request, others, core, console).await;
    }
    let ended = ask_one(request, core, console).await?;
    if ended.http_status == Some(404) {
        return Err(model_not_found(&ended, core).await?);
    }
    finish_run(&ended, console)
}

/// Sends one prompt and prints the answer until the run ends.
async fn ask_one(
    request: PlaygroundSend,
    core: &Core,
    console: &mut Console,
) -> Result<PlaygroundRunView, CommandError> {
    // Subscribe before the run starts, so that no event is missed.
    let events = CoreEvents::subscribe(core).await?;
    let started = control::playground_send(core, request).await?;
    let run = PlaygroundRef { run: started.id.clone() };
    let followed = tokio::select! {
        followed = print_run(&started.id, events, core, console) => followed,
        _ = tokio::signal::ctrl_c() => Err(CommandError::new(Exit::Negative, "the request was cancelled")),
    };
    if followed.is_err() {
        // Nobody reads the answer any more, so cancel it to save its cost.
        control::playground_cancel(core, run).await?;
    }
    followed
}

/// Asks the models one after the other, so that none slows another down, and prints each answer
/// with its time, tokens and cost. A failed model does not stop the others.
async fn compare(
    request: PlaygroundSend,
    others: Vec<String>,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let mut runs = Vec::new();
    let first = request.model.clone();
    for model in std::iter::once(first).chain(others) {
        let mut heading = StyledText::new();
        heading.line(Tone::Strong, &model);
        if console.format == ConsoleFormat::Text {
            console.print(&heading.to_string())?;
        }
        let ended = ask_one(PlaygroundSend { model, ..request.clone() }, core, console).await?;
        if console.format == ConsoleFormat::Text {
            console.print(&render_comparison_footer(&ended))?;
        }
        runs.push(ended);
    }
    if console.format == ConsoleFormat::Json {
        let json = console.render_json(&runs)?;
        console.print(&json)?;
    }
    let have_all_answered = runs.iter().all(|run| run.state == PlaygroundState::Complete);
    Ok(if have_all_answered { Exit::Success } else { Exit::Negative })
}

/// The lines printed below an answer in a comparison: its error, or its time, tokens and cost.
fn render_comparison_footer(run: &PlaygroundRunView) -> String {
    let line_end = if run.text.is_empty() || run.text.ends_with('\n') { "" } else { "\n" };
    let below = match &run.error {
        Some(error) => {
            let mut text = StyledText::new();
            text.piece(Tone::Bad, "error: ").line(Tone::Plain, &error.message);
            text
        }
        None => render_summary(run),
    };
    format!("{line_end}{below}\n")
}

fn build_request(
    wanted: AskArguments,
    typing: StreamPeer,
    pipe: impl Read,
) -> Result<PlaygroundSend, CommandError> {
    let prompt = match (wanted.prompt, typing) {
        (Some(prompt), _) => prompt,
        (None, StreamPeer::Other) => {
            let mut piped = String::new();
            pipe.take(PIPE_BYTES_MAX).read_to_string(&mut piped)?;
            piped
        }
        (None, StreamPeer::Terminal) => {
            return Err(CommandError::new(Exit::Usage, "there is no prompt")
                .with_hint("Write it after the model, or pipe it in."));
        }
    };
    Ok(PlaygroundSend {
        model: wanted.model,
        system: wanted.system,
        prompt,
        temperature: wanted.temperature,
        max_tokens: wanted.max_tokens,
        effort: wanted.effort,
        by_agent: false,
        client: None,
    })
}

/// Prints the text of a run until it ends.
async fn print_run(
    id: &str,
    mut events: CoreEvents,
    core: &Core,
    console: &mut Console,
) -> Result<PlaygroundRunView, CommandError> {
    let mut printed = String::new();
    loop {
        let ended = match events.next().await {
            Some(PanelEvent::PlaygroundText { piece }) if piece.run == id => {
                let units = u64::try_from(printed.encode_utf16().count()).unwrap_or(u64::MAX);
                // After a gap the offsets no longer match; the final event has the whole text.
                if piece.text_at.0 == units {
                    print_piece(&piece.text, console)?;
                    printed.push_str(&piece.text);
                }
                None
            }
            Some(PanelEvent::PlaygroundRun { run }) if run.id == id => Some(*run),
            // Events may have been lost, so fetch the run instead.
            Some(PanelEvent::Changed { tags }) if tags.contains(&ChangeTag::Playground) => {
                control::playground(core).await?.into_iter().find(|run| run.id == id)
            }
            Some(_) => None,
            None => {
                let message = "Gatehouse stopped before the response was complete";
                return Err(CommandError::new(Exit::Internal, message));
            }
        };
        let Some(run) = ended.filter(|run| !run.is_running) else { continue };
        print_piece(run.text.strip_prefix(&printed).unwrap_or_default(), console)?;
        return Ok(run);
    }
}

/// Prints a part of the answer: unchanged for programs, escaped for a terminal.
fn print_piece(piece: &str, console: &mut Console) -> Result<(), CommandError> {
    match (console.format, console.stdout) {
        (ConsoleFormat::Json, _) => Ok(()),
        (ConsoleFormat::Text, StreamPeer::Other) => console.print(piece),
        (ConsoleFormat::Text, StreamPeer::Terminal) => console.print(&escape_lines(piece)),
    }
}

/// Escapes everything that a terminal would interpret except line breaks.
pub(super) fn escape_lines(piece: &str) -> String {
    piece.split('\n').map(|line| escape(line).into_owned()).collect::<Vec<_>>().join("\n")
}

fn finish_run(run: &PlaygroundRunView, console: &mut Console) -> Result<Exit, CommandError> {
    if console.format == ConsoleFormat::Json {
        let json = console.render_json(run)?;
        console.print(&json)?;
    } else if !run.text.is_empty() && !run.text.ends_with('\n') {
        console.print("\n")?;
    }
    match &run.error {
        Some(error) => {
            let exit = match run.http_status {
                Some(408 | 504) => Exit::TimedOut,
                Some(_) => Exit::Negative,
                None => Exit::Internal,
            };
            Err(CommandError::new(exit, error.message.clone()))
        }
        None if run.state == PlaygroundState::Cancelled => {
            Err(CommandError::new(Exit::Negative, "the request was cancelled elsewhere"))
        }
        None => {
            if console.stderr == StreamPeer::Terminal && console.format == ConsoleFormat::Text {
                console.print_remark(&render_summary(run));
            }
            Ok(Exit::Success)
        }
    }
}

/// An error that suggests the nearest existing model name, or a few examples.
async fn model_not_found(
    run: &PlaygroundRunView,
    core: &Core,
) -> Result<CommandError, CommandError> {
    const OFFERED_MAX: usize = 3;
    let message =
        run.error.as_ref().map_or("there is no model with this name", |error| &error.message);
    let names = super::models::list_model_names(core).await?;
    let names = names.iter().map(|name| name.model.as_str());
    let hint = match control::nearest_name(&run.model, names.clone()) {
        Some(near) => format!("Did you mean {near}? `gatehouse models` lists all names."),
        None => {
            let some = names.take(OFFERED_MAX).collect::<Vec<_>>().join(", ");
            format!("For example: {some}. `gatehouse models` lists all names.")
        }
    };
    Ok(CommandError::new(Exit::Negative, message).with_hint(hint))
}

/// One line with the backend, the duration, the tokens and the cost.
pub(super) fn render_summary(run: &PlaygroundRunView) -> StyledText {
    let mut text = StyledText::new();
    let backend = run.backend.as_deref().unwrap_or("the gateway");
    let mut said = format!("{backend} answered in {}", format_duration(run.elapsed_ms));
    if let Some(record) = &run.record {
        said.push_str(&format_tokens_and_cost(record));
    }
    text.line(Tone::Muted, &said);
    if !run.dropped.is_empty() {
        let dropped = format!("dropped (not supported by {backend}): {}", run.dropped.join(", "));
        text.line(Tone::Warn, &dropped);
    }
    text
}

fn format_tokens_and_cost(record: &PlaygroundRecordView) -> String {
    let tokens = record.usage.map_or_else(
        || ", tokens not reported".to_owned(),
        |usage| {
            format!(
                ", tokens: {} in, {} out",
                format_count(usage.input),
                format_count(usage.output)
            )
        },
    );
    let cost = record.cost_nano_usd.map_or_else(|| "unpriced".to_owned(), format_money);
    format!("{tokens}, {cost}")
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use control::view::{CostBasisView, Count, NanoDollars, PlaygroundUsageView, UnixMs};

    use super::*;

    #[derive(Parser)]
    struct ParsedLine {
        #[command(flatten)]
        prompt: AskArguments,
    }

    fn typed(words: &[&str]) -> AskArguments {
        ParsedLine::try_parse_from([&["ask"], words].concat()).expect("understood").prompt
    }

    fn ended() -> PlaygroundRunView {
        let count = Count;
        PlaygroundRunView {
            id: "run".to_owned(),
            model: "up/m".to_owned(),
            started_at: UnixMs(0),
            state: PlaygroundState::Complete,
            is_running: false,
            text: "Hello".to_owned(),
            thinking: String::new(),
            first_token_ms: Some(180.0),
            elapsed_ms: 2_400.0,
            http_status: Some(200),
            error: None,
            backend: Some("up\u{1b}[2J".to_owned()),
            dropped: vec!["reasoning_effort".to_owned()],
            finish_reason: Some("stop".to_owned()),
            request: None,
            record: Some(PlaygroundRecordView {
                model_billed: None,
                explanation: String::new(),
                usage: Some(PlaygroundUsageView {
                    input: count(1_200),
                    output: count(340),
                    input_uncached: count(1_200),
                    cache_read: count(0),
                    cache_write: count(0),
                    output_visible: count(340),
                    reasoning: count(0),
                }),
                cost_nano_usd: Some(NanoDollars(1_234_000)),
                cost_basis: CostBasisView::Computed,
                tokens_per_second: None,
                attempts: Vec::new(),
            }),
        }
    }

    #[test]
    fn the_prompt_comes_from_the_line_or_from_a_pipe() {
        let asked =
            build_request(typed(&["m", "hi", "--effort", "low"]), StreamPeer::Terminal, &b""[..]);
        let asked = asked.expect("a request");
        assert_eq!((asked.prompt.as_str(), asked.effort), ("hi", Some(ReasoningEffort::Low)));
        let piped = build_request(typed(&["m"]), StreamPeer::Other, &b"from a pipe"[..])
            .expect("a request");
        assert_eq!(piped.prompt, "from a pipe");
        let nothing = build_request(typed(&["m"]), StreamPeer::Terminal, &b""[..])
            .expect_err("nothing to ask");
        assert_eq!(nothing.exit(), Exit::Usage);
    }

    #[test]
    fn an_answer_can_not_command_a_terminal_and_is_exact_for_programs() {
        let hostile = "one\ntwo\u{1b}[2J";
        let said = |format, peer| {
            let (mut console, answers, _) = Console::for_test(format, peer);
            print_piece(hostile, &mut console).expect("written");
            answers.text()
        };
        assert_eq!(said(ConsoleFormat::Text, StreamPeer::Terminal), "one\ntwo\\u{1b}[2J");
        assert_eq!(said(ConsoleFormat::Json, StreamPeer::Other), "");
        let (mut console, raw, _) = Console::for_test(ConsoleFormat::Text, StreamPeer::Other);
        print_piece(hostile, &mut console).expect("written");
        assert!(raw.text().starts_with("one\ntwo"));
    }

    #[test]
    fn a_watching_person_is_told_what_it_took_and_a_program_is_not() {
        let told = |peer| {
            let (mut console, _, remarks) = Console::for_test(ConsoleFormat::Text, peer);
            assert_eq!(finish_run(&ended(), &mut console).expect("fine"), Exit::Success);
            remarks.text()
        };
        let seen = told(StreamPeer::Terminal);
        assert!(seen.contains("answered in 2.4 s, tokens: 1,200 in, 340 out, $0.0012"), "{seen}");
        assert!(seen.contains("reasoning_effort") && !seen.contains('\u{1b}'), "{seen}");
        assert_eq!(told(StreamPeer::Other), "");
    }

    #[test]
    fn a_failure_is_reported_in_the_gateways_words() {
        let mut failed = ended();
        failed.state = PlaygroundState::Failed;
        failed.http_status = Some(404);
        failed.error = Some(control::view::PlaygroundErrorView {
            message: "no such model".to_owned(),
            code: None,
        });
        let (mut console, ..) = Console::for_test(ConsoleFormat::Text, StreamPeer::Other);
        let failure = finish_run(&failed, &mut console).expect_err("failed");
        assert_eq!(failure.exit(), Exit::Negative);
        let exit = |status, console: &mut Console| {
            let failed = PlaygroundRunView { http_status: status, ..failed.clone() };
            finish_run(&failed, console).expect_err("failed").exit()
        };
        assert_eq!(exit(Some(503), &mut console), Exit::Negative, "a route that cannot be used");
        assert_eq!(exit(Some(504), &mut console), Exit::TimedOut);
        assert_eq!(exit(None, &mut console), Exit::Internal);
    }
}
