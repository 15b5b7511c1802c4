//! `gatehouse backends`: lists, adds, tests and changes backends.

use clap::{Subcommand, ValueHint};
use control::Core;
use control::view::{
    BackendAdd, BackendKey, BackendKindView, BackendRef, BackendSwitch, BackendTestView,
    BackendView, CrossingView, LackView, OfferView, PresetView,
};

use super::completions;
use super::keys::done;
use crate::confirm::{Yes, confirm, consequences};
use crate::console::{Console, Peer};
use crate::exit::{Exit, Failure};
use crate::quantity::{UNKNOWN, duration, spend};
use crate::secret_input::{Source, read_secret};
use crate::session::unlock_by_hand;
use crate::sign::{Sign, Tone};
use crate::text::{Column, Piece, Table, Text};

pub(super) mod access;
mod differing;
mod edit;
mod past;

use differing::{Differing, Kind, Words, word};

/// What to do with backends.
#[derive(Debug, Subcommand)]
pub(crate) enum Backends {
    /// List backends with their health, models and last day
    #[command(visible_alias = "ls")]
    List,
    /// Add a backend: from a preset by its name, or any other with --kind and --base-url
    #[command(visible_alias = "new", alias = "create")]
    Add(Box<Add>),
    /// List presets: providers and local servers
    #[command(alias = "preset")]
    Presets,
    /// Test a backend step by step; nothing is billed
    #[command(alias = "check")]
    Test(Backend),
    /// Switch a backend on again
    Enable(Backend),
    /// Switch a backend off without removing it
    Disable(Backend),
    /// Change a backend; options that are not given stay as they are
    #[command(aliases = ["set", "update"])]
    Edit(Box<edit::Edit>),
    /// Remove a backend; its key stays in the vault
    #[command(visible_aliases = ["rm", "del"], alias = "delete")]
    Remove(Remove),
    /// Show each backend's circuit, cooldowns and blocks
    #[command(alias = "state")]
    States,
    /// Show the history of a backend's circuit
    #[command(alias = "history")]
    Timeline(past::Timeline),
    /// Test other circuit thresholds against history
    Backtest(past::Backtest),
    /// Override a circuit breaker for some time
    Force(access::Force),
    /// Reset breaker, cooldown and block
    Reset(access::Access),
}

/// Names one backend.
#[derive(Debug, clap::Args)]
pub(crate) struct Backend {
    /// Its name
    #[arg(value_name = "NAME", add = completions::of(completions::backends))]
    name: String,
}

/// A backend that goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    backend: Backend,
    #[command(flatten)]
    yes: Yes,
}

/// A new backend.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// A preset such as groq, or a name of your own; requests use it as NAME/model
    #[arg(value_name = "NAME", add = completions::of(completions::presets))]
    id: String,
    /// The preset, if NAME is a name of your own; `gatehouse backends presets` lists them
    #[arg(long, add = completions::of(completions::presets))]
    preset: Option<String>,
    /// Its protocol
    #[arg(long, value_enum, requires = "base_url", conflicts_with = "preset")]
    kind: Option<Kind>,
    /// Base URL; copy it from the provider's docs
    #[arg(long, value_name = "URL", requires = "kind", conflicts_with = "preset",
        value_hint = ValueHint::Url)]
    base_url: Option<String>,
    /// Use this stored key
    #[arg(long, value_name = "KEY", add = completions::of(completions::keys))]
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
    differing: Differing,
}

pub(crate) async fn run(
    wanted: Backends,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    match wanted {
        Backends::List => console.answer(&control::backends(core).await?, table)?,
        Backends::Presets => console.answer(&control::presets(core).await?, presets)?,
        Backends::Add(wanted) => add(*wanted, core, console).await?,
        Backends::Test(named) => return test(named, core, console).await,
        Backends::Enable(named) => switch(named, Switched::On, core, console).await?,
        Backends::Disable(named) => switch(named, Switched::Off, core, console).await?,
        Backends::Edit(wanted) => edit::run(*wanted, core, console).await?,
        Backends::States => access::states(core, console).await?,
        Backends::Force(wanted) => access::force(wanted, core, console).await?,
        Backends::Reset(wanted) => access::reset(wanted, core, console).await?,
        Backends::Timeline(wanted) => past::timeline(wanted, core, console).await?,
        Backends::Backtest(wanted) => past::backtest(wanted, core, console).await?,
        Backends::Remove(wanted) => remove(wanted, core, console).await?,
    }
    Ok(Exit::Fine)
}

async fn remove(wanted: Remove, core: &Core, console: &mut Console) -> Result<(), Failure> {
    let Remove { backend: Backend { name }, yes } = wanted;
    let known = control::backends(core).await?;
    let known = known.iter().find(|backend| backend.id == name && !backend.built_in);
    if let Some(backend) = known {
        let told = consequences(&backend.dependents);
        confirm(&format!("Remove the backend {name}?"), &told, yes, console)?;
    }
    control::backend_remove(core, BackendRef { id: name.clone() }).await?;
    let key = known.and_then(|backend| backend.credential.as_deref());
    let kept = key.map(|key| format!(" Its key {key} stays in the vault.")).unwrap_or_default();
    console.answer(&(), |()| done(&format!("Removed the backend {name}.{kept}")))
}

async fn add(wanted: Add, core: &Core, console: &mut Console) -> Result<(), Failure> {
    let Place { kind, base_url, label, lacks, offers, needs_key } = place(&wanted, core).await?;
    let key = key_of(&wanted, &label, needs_key, core, console).await?;
    let label = if wanted.label.is_empty() { label } else { wanted.label };
    let (id, models) = (wanted.id, wanted.models);
    let Words { lacks, offers, crossing } =
        wanted.differing.over(Words { lacks, offers, crossing: CrossingView::Strict });
    let req = BackendAdd { id, label, kind, base_url, key, models, lacks, offers, crossing };
    console.answer(&control::backend_add(core, req).await?, |backend| described("Added", backend))
}

/// The key of a new backend: the one named, the stored one of the same name, or one read from the
/// terminal or standard input.
async fn key_of(
    wanted: &Add,
    label: &str,
    needs_key: bool,
    core: &Core,
    console: &Console,
) -> Result<BackendKey, Failure> {
    if let Some(id) = wanted.key.clone() {
        unlock_by_hand(core, console).await?;
        return Ok(BackendKey::Stored { id });
    }
    if wanted.no_key || !(needs_key || wanted.stdin) {
        return Ok(BackendKey::None);
    }
    let stored = control::keys(core).await?;
    if !wanted.stdin && stored.iter().any(|key| key.id == wanted.id) {
        unlock_by_hand(core, console).await?;
        return Ok(BackendKey::Stored { id: wanted.id.clone() });
    }
    if !wanted.stdin && console.typing == Peer::Other {
        let name = &wanted.id;
        return Err(Failure::new(Exit::Usage, format!("{label} needs a key")).with_hint(format!(
            "Run `gatehouse keys add {name}` first, or pipe the key in with --stdin; --no-key adds \
             {name} without one."
        )));
    }
    let source = if wanted.stdin { Source::Stdin } else { Source::Prompt };
    let secret = read_secret(source, &wanted.id, console)?;
    unlock_by_hand(core, console).await?;
    Ok(BackendKey::New { secret })
}

/// The connection settings of a new backend.
struct Place {
    kind: BackendKindView,
    base_url: String,
    /// Empty unless a preset gives one.
    label: String,
    lacks: Vec<LackView>,
    offers: Vec<OfferView>,
    needs_key: bool,
}

/// Takes the settings from the command line, else from the preset.
async fn place(wanted: &Add, core: &Core) -> Result<Place, Failure> {
    if let (Some(kind), Some(base_url)) = (wanted.kind, &wanted.base_url) {
        let base_url = base_url.clone();
        let (label, lacks, offers) = (String::new(), Vec::new(), Vec::new());
        let needs_key = false;
        return Ok(Place { kind: kind.into(), base_url, label, lacks, offers, needs_key });
    }
    let name = wanted.preset.as_deref().unwrap_or(&wanted.id);
    let presets = control::presets(core).await?;
    if let Some(preset) = presets.iter().find(|preset| preset.id == name) {
        let PresetView { kind, base_url, label, lacks, offers, local, .. } = preset.clone();
        return Ok(Place { kind, base_url, label, lacks, offers, needs_key: !local });
    }
    let near = control::nearest(name, presets.iter().map(|preset| preset.id.as_str()));
    let near = near.map(|near| format!("Did you mean {near}? ")).unwrap_or_default();
    Err(Failure::new(Exit::Usage, format!("there is no preset named {name}")).with_hint(format!(
        "{near}`gatehouse backends presets` lists them. For any other provider, add --kind and \
         --base-url."
    )))
}

async fn test(named: Backend, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    unlock_by_hand(core, console).await?;
    let test = control::backend_test(core, BackendRef { id: named.name }).await?;
    console.answer(&test, tested)?;
    Ok(if test.passed { Exit::Fine } else { Exit::No })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Switched {
    On,
    Off,
}

async fn switch(
    named: Backend,
    to: Switched,
    core: &Core,
    console: &mut Console,
) -> Result<(), Failure> {
    let req = BackendSwitch { id: named.name, enabled: to == Switched::On };
    let what = match to {
        Switched::On => "Enabled",
        Switched::Off => "Disabled",
    };
    console.answer(&control::backend_switch(core, req).await?, |backend| described(what, backend))
}

pub(super) fn described(what: &str, backend: &BackendView) -> Text {
    let place = backend.base_url.as_deref().unwrap_or("built in");
    let key = match &backend.credential {
        Some(key) => format!("with the key {key}"),
        None => "without a key".to_owned(),
    };
    done(&format!("{what} the backend {} ({place}, {key}).", backend.id))
}

pub(super) fn table(backends: &Vec<BackendView>) -> Text {
    let mut table = Table::new(&[
        Column::Left("Backend"),
        Column::Left("Health"),
        Column::Left("Kind").minor(6),
        Column::Left("Address").minor(7),
        Column::Left("Key").minor(5),
        Column::Right("Models").minor(3),
        Column::Right("24 hours").minor(1),
        Column::Right("Failed").minor(2),
        Column::Right("First token").minor(4),
    ]);
    for backend in backends {
        let day = &backend.last_day;
        let first_token = day.first_token_ms.map(f64::from);
        table.row([
            Piece::toned(Tone::Strong, &backend.id),
            Sign::from(backend.health.state).into(),
            word(&backend.kind).into(),
            backend.base_url.as_deref().unwrap_or("built in").into(),
            backend.credential.as_deref().unwrap_or(UNKNOWN).into(),
            backend.models.len().to_string().into(),
            spend(&day.spend).into(),
            day.failed.0.to_string().into(),
            first_token.map_or_else(|| UNKNOWN.to_owned(), duration).into(),
        ]);
    }
    let mut text = Text::new();
    text.table(&table);
    for backend in backends.iter().filter(|backend| !backend.health.reason.is_empty()) {
        text.line(Tone::Muted, &format!("{}: {}", backend.id, backend.health.reason));
    }
    for backend in backends {
        if let Some(sentence) = differing::sentence(backend) {
            text.line(Tone::Muted, &format!("{}: {sentence}", backend.id));
        }
    }
    text
}

pub(super) fn presets(presets: &Vec<PresetView>) -> Text {
    let mut table = Table::new(&[
        Column::Left("Preset"),
        Column::Left("Name"),
        Column::Left("Kind").minor(3),
        Column::Left("Address").minor(2),
        Column::Left("Get a key").minor(1),
    ]);
    for preset in presets {
        let keys = match (&preset.keys_url, preset.local) {
            (_, true) => "not needed, runs on this machine",
            (Some(url), false) => url.as_str(),
            (None, false) => preset.docs_url.as_str(),
        };
        table.row([
            Piece::toned(Tone::Strong, &preset.id),
            preset.label.as_str().into(),
            word(&preset.kind).into(),
            preset.base_url.as_str().into(),
            keys.into(),
        ]);
    }
    let mut text = Text::new();
    text.table(&table);
    text
}

pub(super) fn tested(test: &BackendTestView) -> Text {
    let mut text = Text::new();
    for step in &test.steps {
        let took = step.duration_ms.map(|ms| format!(" ({})", duration(ms.into())));
        text.sign(step.state).piece(Tone::Strong, &format!("  {}", step.title));
        text.piece(Tone::Muted, &took.unwrap_or_default());
        text.line(Tone::Plain, &format!(": {}", step.detail));
        if let Some(fix) = &step.fix {
            text.piece(Tone::Muted, "  hint: ").line(Tone::Plain, fix);
        }
    }
    text
}
