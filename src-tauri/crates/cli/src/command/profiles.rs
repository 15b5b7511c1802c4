//! `gatehouse profiles`: sets of backends, one of which is in use at a time.

use clap::Subcommand;
use control::Core;
use control::view::{ProfileRef, ProfileSet, ProfileSwitch, ProfilesView};

use super::completers;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::sign::Tone;
use crate::text::{Column, StyledText, TextTable, render_sentence};

#[derive(Debug, Subcommand)]
pub(crate) enum ProfilesCommand {
    /// List the profiles
    #[command(visible_alias = "ls")]
    List,
    /// Use a profile; nothing restarts
    #[command(visible_alias = "use")]
    Switch(ProfileArgument),
    /// Use no profile: all backends are used
    #[command(alias = "none")]
    Off,
    /// Add a profile, or replace the backends of one
    #[command(visible_alias = "add", aliases = ["edit", "create", "new"])]
    Set(SetProfileArguments),
    /// Remove a profile; its backends stay
    #[command(visible_alias = "rm", aliases = ["delete", "del"])]
    Remove(ProfileArgument),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ProfileArgument {
    /// Its name
    #[arg(value_name = "NAME", add = completers::candidates_from(completers::profile_names))]
    name: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SetProfileArguments {
    #[command(flatten)]
    named: ProfileArgument,
    /// A backend to use only in this profile and in others that name it; repeat for more
    #[arg(long = "backend", value_name = "ID",
        add = completers::candidates_from(completers::backend_names))]
    backends: Vec<String>,
}

pub(crate) async fn run(
    wanted: ProfilesCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let (view, done) = match wanted {
        ProfilesCommand::List => {
            console.print_view(&control::profiles(core).await?, table)?;
            return Ok(Exit::Success);
        }
        ProfilesCommand::Switch(ProfileArgument { name }) => {
            let done = format!("The profile {name} is in use.");
            (control::profile_switch(core, ProfileSwitch { name: Some(name) }).await?, done)
        }
        ProfilesCommand::Off => {
            let done = "No profile is in use: all backends are used.".to_owned();
            (control::profile_switch(core, ProfileSwitch { name: None }).await?, done)
        }
        ProfilesCommand::Set(SetProfileArguments { named, backends }) => {
            let done = format!("Saved the profile {}.", named.name);
            let req = ProfileSet { name: named.name, backends };
            (control::profile_set(core, req).await?, done)
        }
        ProfilesCommand::Remove(ProfileArgument { name }) => {
            let done = format!("Removed the profile {name}.");
            (control::profile_remove(core, ProfileRef { name }).await?, done)
        }
    };
    console.print_view(&view, |_| render_sentence(&done))?;
    Ok(Exit::Success)
}

pub(super) fn table(view: &ProfilesView) -> StyledText {
    if view.profiles.is_empty() {
        return render_sentence(
            "No profiles. Add one: gatehouse profiles set work --backend ID --backend ID",
        );
    }
    let mut table = TextTable::new(&[
        Column::Left("Profile"),
        Column::Left("In use"),
        Column::Left("Backends"),
    ]);
    for profile in &view.profiles {
        table.row([
            profile.name.as_str().into(),
            if profile.active { "yes" } else { "" }.into(),
            profile.backends.join(", ").into(),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    if !view.in_all.is_empty() {
        text.line(Tone::Muted, &format!("In all profiles: {}", view.in_all.join(", ")));
    }
    text
}
