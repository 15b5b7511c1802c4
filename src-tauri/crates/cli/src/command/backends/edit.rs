//! `gatehouse backends edit`: the core takes the whole description, a person types what changes.

use control::Core;
use control::view::{BackendEdit, BackendView};

use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::session::unlock_by_hand;

/// What changes.
#[derive(Debug, clap::Args)]
pub(crate) struct Edit {
    /// Which backend
    #[arg(value_name = "NAME")]
    id: String,
    /// Its name for people
    #[arg(long)]
    label: Option<String>,
    /// Where requests go
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The key it uses, by its name in the vault
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Use no key
    #[arg(long, conflicts_with = "key")]
    no_key: bool,
    /// A model it offers, may be repeated; these take the place of those before
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// Ask the backend for its models instead of naming them
    #[arg(long, conflicts_with = "models")]
    ask_for_models: bool,
}

/// Changes it.
pub(crate) async fn run(wanted: Edit, core: &Core, console: &mut Console) -> Result<(), Failure> {
    if wanted.key.is_some() {
        unlock_by_hand(core, console).await?;
    }
    let known = control::backends(core).await?;
    let known = known.into_iter().find(|backend| backend.id == wanted.id).ok_or_else(|| {
        Failure::new(Exit::No, format!("there is no backend named {}", wanted.id))
            .with_hint("`gatehouse backends list` shows them.")
    })?;
    let edited = control::backend_edit(core, wanted.over(known)).await?;
    console.answer(&edited, |backend| super::described("Changed", backend))
}

impl Edit {
    /// The description as it will be: what was typed, and else what is known.
    pub(super) fn over(self, known: BackendView) -> BackendEdit {
        let known_models = known.models.into_iter().map(|model| model.id).collect();
        BackendEdit {
            id: known.id,
            label: self.label.unwrap_or(known.label),
            base_url: self.base_url.or(known.base_url).unwrap_or_default(),
            credential: if self.no_key { None } else { self.key.or(known.credential) },
            models: match (self.ask_for_models, self.models.is_empty()) {
                (true, _) => Vec::new(),
                (false, true) => known_models,
                (false, false) => self.models,
            },
        }
    }
}
