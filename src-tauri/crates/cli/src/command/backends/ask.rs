//! `gatehouse backends ask`: one short prompt to a model of a backend, after its price.

use control::Core;
use control::view::{
    AskOutcome, AskedModelView, BackendAnswerView, BackendAsk, BackendAskPriceView,
    BackendAskQuery, BackendRef, NanoDollars,
};

use super::{BackendArgument, completers};
use crate::command::requests::format_cost_and_basis;
use crate::confirm::confirm_plan;
use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};
use crate::quantity::format_count;
use crate::serve::serve_without_panel;
use crate::sign::Tone;
use crate::text::{StyledText, render_sentence};
use crate::unlock::unlock_interactively;

#[derive(Debug, clap::Args)]
pub(crate) struct AskBackendArguments {
    #[command(flatten)]
    backend: BackendArgument,
    /// The model; by default the cheapest one that routes use
    #[arg(long, value_name = "MODEL", add = completers::candidates_from(completers::model_names))]
    model: Option<String>,
    /// Only say what it would cost
    #[arg(long)]
    dry_run: bool,
    /// Ask without confirmation
    #[arg(long, short = 'y')]
    yes: bool,
}

pub(super) async fn run(
    wanted: AskBackendArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let id = wanted.backend.name;
    unlock_interactively(core, console).await?;
    let query = BackendAskQuery { id: id.clone(), model: wanted.model };
    let price = control::backend_ask_price(core, query).await?;
    if wanted.dry_run {
        console.print_view(&price, render_price)?;
        return Ok(Exit::Success);
    }
    let Some(model) = price.models.first() else {
        let message = format!("no model of {id} is known");
        return Err(CommandError::new(Exit::Usage, message).with_hint(
            "Name one with --model, or see with `gatehouse backends test` why it lists none.",
        ));
    };
    let is_free = model.cost_nano_usd_max == Some(NanoDollars(0));
    let accepted = is_free || wanted.yes || confirm_plan(&describe_plan(&price, model), console)?;
    if !accepted {
        return Err(CommandError::new(Exit::Negative, "nothing was asked"));
    }
    if console.format == ConsoleFormat::Text && wanted.yes && !is_free {
        console.print_remark(&render_sentence(&describe_plan(&price, model)));
    }
    serve_without_panel(core).await?;
    let request =
        BackendAsk { id, model: model.id.clone(), accepted_nano_usd: model.cost_nano_usd_max };
    let answer = ask(request, core, console).await?;
    console.print_view(&answer, render_answer)?;
    Ok(exit_of(answer.outcome))
}

/// Waits for the answer. Ctrl+C stops it.
async fn ask(
    request: BackendAsk,
    core: &Core,
    console: &mut Console,
) -> Result<BackendAnswerView, CommandError> {
    if console.shows_progress() {
        let waiting = format!("Asking {}…", request.model);
        console.print_remark(&render_sentence(&waiting));
    }
    let backend = BackendRef { id: request.id.clone() };
    tokio::select! {
        answer = control::backend_ask(core, request) => Ok(answer?),
        _ = tokio::signal::ctrl_c() => {
            control::backend_ask_cancel(core, backend).await?;
            Err(CommandError::new(Exit::Negative, "the request was cancelled")
                .with_hint("Output generated before that may be billed."))
        }
    }
}

const fn exit_of(outcome: AskOutcome) -> Exit {
    match outcome {
        AskOutcome::Answered => Exit::Success,
        AskOutcome::Failed | AskOutcome::Cancelled => Exit::Negative,
        AskOutcome::TimedOut => Exit::TimedOut,
    }
}

fn describe_plan(price: &BackendAskPriceView, model: &AskedModelView) -> String {
    format!(
        "This sends \"{}\" to {}/{} and takes at most {} tokens back. {}. No budget counts it.",
        price.prompt, price.backend, model.id, price.output_tokens_max, model.price
    )
}

pub(in crate::command) fn render_price(price: &BackendAskPriceView) -> StyledText {
    let Some(model) = price.models.first() else {
        return render_sentence(&format!("No model of {} is known.", price.backend));
    };
    render_sentence(&describe_plan(price, model))
}

pub(in crate::command) fn render_answer(answer: &BackendAnswerView) -> StyledText {
    let mut text = StyledText::new();
    text.sign(answer.outcome).line(Tone::Plain, &format!("  {}", answer.finding));
    if let Some(failure) = &answer.failure {
        text.line(Tone::Plain, &failure.cause);
        text.piece(Tone::Muted, "hint: ").line(Tone::Plain, &failure.next_step);
    }
    if !answer.text.is_empty() {
        text.piece(Tone::Muted, "answer: ").lines(Tone::Plain, &answer.text);
    }
    let tokens = answer.input_tokens.zip(answer.output_tokens).map_or_else(
        || "tokens not reported".to_owned(),
        |(input, output)| {
            format!("tokens: {} in, {} out", format_count(input), format_count(output))
        },
    );
    let cost = answer.cost_basis.map(|basis| format_cost_and_basis(answer.cost_nano_usd, basis));
    let cost = cost.map(|cost| format!(", {cost}")).unwrap_or_default();
    text.line(Tone::Muted, &format!("{tokens}{cost}"));
    if let Some(request) = &answer.request {
        text.piece(Tone::Muted, "request: ").line(Tone::Plain, request);
    }
    text
}
