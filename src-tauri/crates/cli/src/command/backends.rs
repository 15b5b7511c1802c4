//! `gatehouse backends`: the places requests can go to.

use clap::Subcommand;
use control::Core;
use control::view::{
    BackendAdd, BackendKey, BackendKindView, BackendRef, BackendSwitch, BackendTestView,
    BackendView, CrossingView, LackView, OfferView, PresetView,
};

use super::keys::done;
use crate::arguments::Named;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::quantity::{UNKNOWN, duration, spend};
use crate::session::unlock_by_hand;
use crate::sign::{Sign, Tone};
use crate::text::{Column, Piece, Table, Text};

pub(super) mod access;
mod differing;
mod edit;

use differing::{Differing, Kind, Words, word};

/// What to do with backends.
#[derive(Debug, Subcommand)]
pub(crate) enum Backends {
    /// List backends: health, models and the last day
    List,
    /// Add a backend
    Add(Box<Add>),
    /// List providers and local servers to start from
    Presets,
    /// Test a backend step by step; nothing is billed
    Test(Named),
    /// Let requests go to a backend again
    Enable(Named),
    /// Let no request go to a backend
    Disable(Named),
    /// Change a backend; what is not named stays
    Edit(Box<edit::Edit>),
    /// Remove a backend; its key stays in the vault
    Remove(Named),
    /// Show what holds each backend back: breaker, cooldown, block
    States,
    /// Set a breaker by hand, for a time
    Force(access::Force),
    /// Begin anew: closed, no cooldown, no block, nothing set by hand
    Reset(access::Access),
}

/// A new backend.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// Its name in requests, NAME/model
    #[arg(value_name = "NAME")]
    id: String,
    /// Its protocol
    #[arg(long, value_enum, required_unless_present = "preset", conflicts_with = "preset")]
    kind: Option<Kind>,
    /// Where requests go
    #[arg(long, value_name = "URL", required_unless_present = "preset", conflicts_with = "preset")]
    base_url: Option<String>,
    /// Take protocol, address and what it lacks and offers from a preset; see `gatehouse backends
    /// presets`
    #[arg(long)]
    preset: Option<String>,
    /// The key it uses, by its name in the vault
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A model it offers, may be repeated; without one the backend is asked
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// Its name for people
    #[arg(long, default_value = "", hide_default_value = true)]
    label: String,
    #[command(flatten)]
    differing: Differing,
}

/// Does it.
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
        Backends::Remove(named) => {
            control::backend_remove(core, BackendRef { id: named.name.clone() }).await?;
            let sentence = format!("Removed the backend {}. Its key is still there.", named.name);
            console.answer(&(), |()| done(&sentence))?;
        }
    }
    Ok(Exit::Fine)
}

async fn add(wanted: Add, core: &Core, console: &mut Console) -> Result<(), Failure> {
    let Place { kind, base_url, label, lacks, offers } = place(&wanted, core).await?;
    let key = match wanted.key {
        Some(id) => {
            unlock_by_hand(core, console).await?;
            BackendKey::Stored { id }
        }
        None => BackendKey::None,
    };
    let label = if wanted.label.is_empty() { label } else { wanted.label };
    let (id, models) = (wanted.id, wanted.models);
    let Words { lacks, offers, crossing } =
        wanted.differing.over(Words { lacks, offers, crossing: CrossingView::Strict });
    let req = BackendAdd { id, label, kind, base_url, key, models, lacks, offers, crossing };
    console.answer(&control::backend_add(core, req).await?, |backend| described("Added", backend))
}

/// Where requests will go, and what that is called.
struct Place {
    kind: BackendKindView,
    base_url: String,
    /// Empty where nobody has named it.
    label: String,
    lacks: Vec<LackView>,
    offers: Vec<OfferView>,
}

/// Where requests will go: as typed, or as the preset says.
async fn place(wanted: &Add, core: &Core) -> Result<Place, Failure> {
    if let (Some(kind), Some(base_url)) = (wanted.kind, &wanted.base_url) {
        let base_url = base_url.clone();
        let (label, lacks, offers) = (String::new(), Vec::new(), Vec::new());
        return Ok(Place { kind: kind.into(), base_url, label, lacks, offers });
    }
    let name = wanted.preset.as_deref().unwrap_or_default();
    let presets = control::presets(core).await?;
    match presets.into_iter().find(|preset| preset.id == name) {
        Some(PresetView { kind, base_url, label, lacks, offers, .. }) => {
            Ok(Place { kind, base_url, label, lacks, offers })
        }
        None => Err(Failure::new(Exit::Usage, format!("preset: there is no preset named {name}"))
            .with_hint("`gatehouse backends presets` lists them.")),
    }
}

async fn test(named: Named, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
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
    named: Named,
    to: Switched,
    core: &Core,
    console: &mut Console,
) -> Result<(), Failure> {
    let req = BackendSwitch { id: named.name, enabled: to == Switched::On };
    let what = match to {
        Switched::On => "Switched on",
        Switched::Off => "Switched off",
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
        Column::Left("Kind"),
        Column::Left("Address"),
        Column::Left("Key"),
        Column::Right("Models"),
        Column::Right("24 hours"),
        Column::Right("Failed"),
        Column::Right("First token"),
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
    let columns = ["Preset", "Name", "Kind", "Address", "Needs a key from"];
    let mut table = Table::new(&columns.map(Column::Left));
    for preset in presets {
        let keys = if preset.local { "none: runs on this machine" } else { &preset.docs_url };
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
