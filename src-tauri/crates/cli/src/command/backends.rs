//! `gatehouse backends`: lists, adds, tests and changes backends.

use clap::{Subcommand, ValueHint};
use control::Core;
use control::view::{
    BackendAdd, BackendKey, BackendKind, BackendPresetView, BackendRef, BackendSwitch,
    BackendTestStepView, BackendTestView, BackendView, ExtraDialect, TranslationMode,
    UnsupportedFeature,
};

use super::completers;
use crate::confirm::{YesArgument, confirm_removal, describe_consequences};
use crate::console::{Console, StreamPeer};
use crate::exit::{CommandError, Exit};
use crate::quantity::{CostSum, UNKNOWN, format_duration};
use crate::secret_input::{SecretSource, read_secret};
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};
use crate::unlock::unlock_interactively;
use crate::word::word_except;

pub(super) mod ask;
mod compatibility;
mod edit;
pub(super) mod endpoint;
mod history;

use compatibility::{Compatibility, CompatibilityArguments};

#[derive(Debug, Subcommand)]
pub(crate) enum BackendsCommand {
    /// List backends with their health, models and last day
    #[command(visible_alias = "ls")]
    List,
    /// Add a backend: from a preset by its name, or any other with --kind and --base-url
    #[command(visible_alias = "new", alias = "create")]
    Add(Box<AddBackendArguments>),
    /// List presets: providers and local servers
    #[command(alias = "preset")]
    Presets,
    /// Test a backend step by step; nothing is billed
    #[command(alias = "check")]
    Test(BackendArgument),
    /// Ask one of a backend's models for a short answer; billed, and the price is shown first
    Ask(ask::AskBackendArguments),
    /// Switch a backend on again
    Enable(BackendArgument),
    /// Switch a backend off without removing it
    Disable(BackendArgument),
    /// Change a backend; options that are not given stay as they are
    #[command(aliases = ["set", "update"])]
    Edit(Box<edit::EditBackendArguments>),
    /// Remove a backend; its key stays in the vault
    #[command(visible_aliases = ["rm", "del"], alias = "delete")]
    Remove(RemoveBackendArguments),
    /// Show each backend's breaker, cooldowns and blocks
    #[command(alias = "state")]
    States,
    /// Show the history of a backend's breaker
    #[command(alias = "history")]
    Timeline(history::TimelineArguments),
    /// Test other breaker thresholds against history
    Backtest(history::BacktestArguments),
    /// Override a breaker for some time
    Force(endpoint::ForceArguments),
    /// Reset breaker, cooldown and block
    Reset(endpoint::EndpointArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct BackendArgument {
    /// Its name
    #[arg(value_name = "NAME", add = completers::candidates_from(completers::backend_names))]
    name: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RemoveBackendArguments {
    #[command(flatten)]
    backend: BackendArgument,
    #[command(flatten)]
    yes: YesArgument,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AddBackendArguments {
    /// A preset such as groq, or a name of your own; requests use it as NAME/model
    #[arg(value_name = "NAME", add = completers::candidates_from(completers::preset_names))]
    id: String,
    /// The preset, if NAME is a name of your own; `gatehouse backends presets` lists them
    #[arg(long, add = completers::candidates_from(completers::preset_names))]
    preset: Option<String>,
    /// Its protocol
    #[arg(long, value_parser = word_except(BackendKind::Mock), requires = "base_url",
        conflicts_with = "preset")]
    kind: Option<BackendKind>,
    /// Base URL; copy it from the provider's docs
    #[arg(long, value_name = "URL", requires = "kind", conflicts_with = "preset",
        value_hint = ValueHint::Url)]
    base_url: Option<String>,
    /// Use this stored key
    #[arg(long, value_name = "KEY", add = completers::candidates_from(completers::key_names))]
    key: Option<String>,
    /// Read a new key from standard input; in a terminal it is prompted for by default
    #[arg(long, conflicts_with = "key")]
    stdin: bool,
    /// Use no key
    #[arg(long, conflicts_with_all = ["key", "stdin"])]
    no_key: bool,
    /// A model it has (repeatable); by default the list is fetched
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// Display name
    #[arg(long, default_value = "", hide_default_value = true)]
    label: String,
    #[command(flatten)]
    differing: CompatibilityArguments,
}

pub(crate) async fn run(
    wanted: BackendsCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match wanted {
        BackendsCommand::List => console.print_view(&control::backends(core).await?, table)?,
        BackendsCommand::Presets => {
            console.print_view(&control::presets(core).await?, render_presets)?;
        }
        BackendsCommand::Add(wanted) => add(*wanted, core, console).await?,
        BackendsCommand::Test(named) => return test(named, core, console).await,
        BackendsCommand::Ask(wanted) => return ask::run(wanted, core, console).await,
        BackendsCommand::Enable(named) => {
            set_enabled(named, EnabledSwitch::On, core, console).await?;
        }
        BackendsCommand::Disable(named) => {
            set_enabled(named, EnabledSwitch::Off, core, console).await?;
        }
        BackendsCommand::Edit(wanted) => edit::run(*wanted, core, console).await?,
        BackendsCommand::States => endpoint::states(core, console).await?,
        BackendsCommand::Force(wanted) => endpoint::force(wanted, core, console).await?,
        BackendsCommand::Reset(wanted) => endpoint::reset(wanted, core, console).await?,
        BackendsCommand::Timeline(wanted) => history::timeline(wanted, core, console).await?,
        BackendsCommand::Backtest(wanted) => history::backtest(wanted, core, console).await?,
        BackendsCommand::Remove(wanted) => remove(wanted, core, console).await?,
    }
    Ok(Exit::Success)
}

async fn remove(
    wanted: RemoveBackendArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let RemoveBackendArguments { backend: BackendArgument { name }, yes } = wanted;
    let known = control::backends(core).await?;
    let known = known.iter().find(|backend| backend.id == name && !backend.built_in);
    if let Some(backend) = known {
        let told = describe_consequences(&backend.dependents);
        confirm_removal(&format!("Remove the backend {name}?"), &told, yes, console)?;
    }
    control::backend_remove(core, BackendRef { id: name.clone() }).await?;
    let key = known.and_then(|backend| backend.credential.as_deref());
    let kept = key.map(|key| format!(" Its key {key} stays in the vault.")).unwrap_or_default();
    console.print_view(&(), |()| render_sentence(&format!("Removed the backend {name}.{kept}")))
}

async fn add(
    wanted: AddBackendArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let BackendConnection { kind, base_url, label, lacks, offers, needs_key } =
        resolve_connection(&wanted, core).await?;
    let key = resolve_key(&wanted, &label, needs_key, core, console).await?;
    let label = if wanted.label.is_empty() { label } else { wanted.label };
    let (id, models) = (wanted.id, wanted.models);
    let Compatibility { lacks, offers, crossing } = wanted.differing.merge_with(Compatibility {
        lacks,
        offers,
        crossing: TranslationMode::Strict,
    });
    let req = BackendAdd { id, label, kind, base_url, key, models, lacks, offers, crossing };
    console.print_view(&control::backend_add(core, req).await?, |backend| {
        render_backend("Added", backend)
    })
}

/// The key of a new backend: the one named, the stored one of the same name, or one read from the
/// terminal or standard input.
async fn resolve_key(
    wanted: &AddBackendArguments,
    label: &str,
    needs_key: bool,
    core: &Core,
    console: &Console,
) -> Result<BackendKey, CommandError> {
    if let Some(id) = wanted.key.clone() {
        unlock_interactively(core, console).await?;
        return Ok(BackendKey::Stored { id });
    }
    if wanted.no_key || !(needs_key || wanted.stdin) {
        return Ok(BackendKey::None);
    }
    let stored = control::keys(core).await?;
    if !wanted.stdin && stored.iter().any(|key| key.id == wanted.id) {
        unlock_interactively(core, console).await?;
        return Ok(BackendKey::Stored { id: wanted.id.clone() });
    }
    if !wanted.stdin && console.stdin == StreamPeer::Other {
        let name = &wanted.id;
        return Err(CommandError::new(Exit::Usage, format!("{label} needs a key")).with_hint(format!(
            "Run `gatehouse keys add {name}` first, or pipe the key in with --stdin; --no-key adds \
             {name} without one."
        )));
    }
    let source = if wanted.stdin { SecretSource::Stdin } else { SecretSource::Prompt };
    let secret = read_secret(source, &wanted.id, console)?;
    unlock_interactively(core, console).await?;
    Ok(BackendKey::New { secret })
}

/// The connection settings of a new backend.
struct BackendConnection {
    kind: BackendKind,
    base_url: String,
    /// Empty unless a preset gives one.
    label: String,
    lacks: Vec<UnsupportedFeature>,
    offers: Vec<ExtraDialect>,
    needs_key: bool,
}

/// Takes the settings from the command line, else from the preset.
async fn resolve_connection(
    wanted: &AddBackendArguments,
    core: &Core,
) -> Result<BackendConnection, CommandError> {
    if let (Some(kind), Some(base_url)) = (wanted.kind, &wanted.base_url) {
        let base_url = base_url.clone();
        let (label, lacks, offers) = (String::new(), Vec::new(), Vec::new());
        let needs_key = false;
        return Ok(BackendConnection { kind, base_url, label, lacks, offers, needs_key });
    }
    let name = wanted.preset.as_deref().unwrap_or(&wanted.id);
    let presets = control::presets(core).await?;
    if let Some(preset) = presets.iter().find(|preset| preset.id == name) {
        let BackendPresetView { kind, base_url, label, lacks, offers, local, .. } = preset.clone();
        return Ok(BackendConnection { kind, base_url, label, lacks, offers, needs_key: !local });
    }
    let near = control::nearest_name(name, presets.iter().map(|preset| preset.id.as_str()));
    let near = near.map(|near| format!("Did you mean {near}? ")).unwrap_or_default();
    Err(CommandError::new(Exit::Usage, format!("there is no preset named {name}")).with_hint(
        format!(
            "{near}`gatehouse backends presets` lists them. For any other provider, add --kind and \
         --base-url."
        ),
    ))
}

async fn test(
    named: BackendArgument,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    unlock_interactively(core, console).await?;
    let test = control::backend_test(core, BackendRef { id: named.name }).await?;
    console.print_view(&test, render_test)?;
    Ok(if test.passed { Exit::Success } else { Exit::Negative })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum EnabledSwitch {
    On,
    Off,
}

async fn set_enabled(
    named: BackendArgument,
    to: EnabledSwitch,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let req = BackendSwitch { id: named.name, enabled: to == EnabledSwitch::On };
    let what = match to {
        EnabledSwitch::On => "Enabled",
        EnabledSwitch::Off => "Disabled",
    };
    console.print_view(&control::backend_switch(core, req).await?, |backend| {
        render_backend(what, backend)
    })
}

pub(super) fn render_backend(what: &str, backend: &BackendView) -> StyledText {
    let place = backend.base_url.as_deref().unwrap_or("built in");
    let key = match &backend.credential {
        Some(key) => format!("with the key {key}"),
        None => "without a key".to_owned(),
    };
    render_sentence(&format!("{what} the backend {} ({place}, {key}).", backend.id))
}

pub(super) fn table(backends: &Vec<BackendView>) -> StyledText {
    let mut table = TextTable::new(&[
        Column::Left("Backend"),
        Column::Left("Health"),
        Column::Left("Kind").hidden_at_rank(6),
        Column::Left("Address").hidden_at_rank(7),
        Column::Left("Key").hidden_at_rank(5),
        Column::Right("Models").hidden_at_rank(3),
        Column::Right("24 hours").hidden_at_rank(1),
        Column::Right("Failed").hidden_at_rank(2),
        Column::Right("First token").hidden_at_rank(4),
    ]);
    for backend in backends {
        let day = &backend.last_day;
        let first_token = day.first_token_ms.map(f64::from);
        table.row([
            TableCell::styled(Tone::Strong, &backend.id),
            Sign::from(backend.health.state).into(),
            backend.kind.word().into(),
            backend.base_url.as_deref().unwrap_or("built in").into(),
            backend.credential.as_deref().unwrap_or(UNKNOWN).into(),
            backend.models.len().to_string().into(),
            CostSum::from(&day.spend).text().into(),
            day.failed.0.to_string().into(),
            first_token.map_or_else(|| UNKNOWN.to_owned(), format_duration).into(),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    for backend in backends.iter().filter(|backend| !backend.health.reason.is_empty()) {
        text.line(Tone::Muted, &format!("{}: {}", backend.id, backend.health.reason));
    }
    for backend in backends {
        if let Some(sentence) = compatibility::describe_compatibility(backend) {
            text.line(Tone::Muted, &format!("{}: {sentence}", backend.id));
        }
    }
    text
}

pub(super) fn render_presets(presets: &Vec<BackendPresetView>) -> StyledText {
    let mut table = TextTable::new(&[
        Column::Left("Preset"),
        Column::Left("Name"),
        Column::Left("Kind").hidden_at_rank(3),
        Column::Left("Address").hidden_at_rank(2),
        Column::Left("Get a key").hidden_at_rank(1),
    ]);
    for preset in presets {
        let keys = match (&preset.keys_url, preset.local) {
            (_, true) => "not needed, runs on this machine",
            (Some(url), false) => url.as_str(),
            (None, false) => preset.docs_url.as_str(),
        };
        table.row([
            TableCell::styled(Tone::Strong, &preset.id),
            preset.label.as_str().into(),
            preset.kind.word().into(),
            preset.base_url.as_str().into(),
            keys.into(),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    text
}

pub(super) fn render_test(test: &BackendTestView) -> StyledText {
    let mut text = StyledText::new();
    append_test_steps(&mut text, &test.steps);
    text
}

/// One line for each step of a test.
pub(in crate::command) fn append_test_steps(text: &mut StyledText, steps: &[BackendTestStepView]) {
    for step in steps {
        let took = step.duration_ms.map(|ms| format!(" ({})", format_duration(ms.into())));
        text.sign(step.state).piece(Tone::Strong, &format!("  {}", step.title));
        text.piece(Tone::Muted, &took.unwrap_or_default());
        text.line(Tone::Plain, &format!(": {}", step.detail));
        if let Some(fix) = &step.fix {
            text.piece(Tone::Muted, "  hint: ").line(Tone::Plain, fix);
        }
    }
}
