//! Asks for confirmation before a destructive change. A script has to pass `--yes`.

use std::io::BufRead;

use control::view::DependentsView;

use crate::console::{Console, StreamPeer};
use crate::exit::{CommandError, Exit};
use crate::sign::{Mark, Tone};
use crate::text::StyledText;

/// Prints the plan on standard error and asks. True for `y` or `yes`.
pub(crate) fn confirm_plan(plan: &str, console: &mut Console) -> Result<bool, CommandError> {
    if console.stdin == StreamPeer::Other {
        return Err(CommandError::new(Exit::Usage, plan)
            .with_hint("Nothing was changed. Add --yes to continue without confirmation."));
    }
    let mut text = StyledText::new();
    text.line(Tone::Plain, plan);
    text.piece(Tone::Plain, "Continue? [y/N] ");
    console.print_remark(&text);
    read_yes()
}

/// Prints the plan and lets the person type `word`, for what cannot be taken back.
pub(crate) fn confirm_typed(
    plan: &str,
    word: &str,
    console: &mut Console,
) -> Result<bool, CommandError> {
    if console.stdin == StreamPeer::Other {
        return Err(CommandError::new(Exit::Usage, plan)
            .with_hint("Nothing was done. Add --yes to continue without confirmation."));
    }
    let mut text = StyledText::new();
    text.line(Tone::Warn, plan);
    text.piece(Tone::Plain, &format!("Type \"{word}\" to continue: "));
    console.print_remark(&text);
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == word)
}

/// Reads an answer from standard input. True for `y` or `yes`.
fn read_yes() -> Result<bool, CommandError> {
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// The switch, the same for every command that removes something.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct YesArgument {
    /// Remove without confirmation
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Returns if `--yes` was given or the person confirms `question`; prints `consequences` before it.
pub(crate) fn confirm_removal(
    question: &str,
    consequences: &[String],
    said: YesArgument,
    console: &mut Console,
) -> Result<(), CommandError> {
    if said.yes {
        return Ok(());
    }
    if console.stdin == StreamPeer::Other {
        let consequences = consequences.join(" ");
        let message = format!("{question} {consequences}");
        return Err(CommandError::new(Exit::Usage, message.trim_end())
            .with_hint("Nothing was removed. Add --yes to remove it without confirmation."));
    }
    let mut text = StyledText::new();
    for consequence in consequences {
        text.marked(Mark::Attention, consequence);
    }
    text.piece(Tone::Strong, &format!("{question} [y/N] "));
    console.print_remark(&text);
    match read_yes()? {
        true => Ok(()),
        false => Err(CommandError::new(Exit::Negative, "nothing was removed")),
    }
}

/// What happens to the backends, services, routes and cache that use it, one sentence each.
pub(crate) fn describe_consequences(of: &DependentsView) -> Vec<String> {
    let mut said = Vec::new();
    let list = |names: &[String]| names.join(", ");
    if !of.backends.is_empty() {
        said.push(format!("It is the key of {}.", list(&of.backends)));
    }
    let shortened: Vec<String> =
        of.routes.iter().filter(|route| !of.broken_routes.contains(route)).cloned().collect();
    if !of.broken_routes.is_empty() {
        let (routes, have) = plural(&of.broken_routes);
        said.push(format!("{routes} {} {have} no other backend.", list(&of.broken_routes)));
    }
    if !shortened.is_empty() {
        let (routes, lose) =
            if shortened.len() == 1 { ("Route", "loses") } else { ("Routes", "lose") };
        said.push(format!("{routes} {} {lose} a backend.", list(&shortened)));
    }
    if !of.clients.is_empty() {
        said.push(match of.backends.is_empty() {
            true => describe_freed_clients(&of.clients),
            false => format!("Requests of {}, switched there, are refused.", list(&of.clients)),
        });
    }
    if !of.services.is_empty() {
        said.push(format!("{} is checked with it.", list(&of.services)));
    }
    if of.cache_server {
        said.push("It is the password of the shared cache.".to_owned());
    }
    said
}

/// What happens to clients when what they are switched to is removed.
pub(crate) fn describe_freed_clients(clients: &[String]) -> String {
    let follow = if clients.len() == 1 { "follows" } else { "follow" };
    format!("{}, switched to it, {follow} the routing rules again.", clients.join(", "))
}

const fn plural(names: &[String]) -> (&'static str, &'static str) {
    if names.len() == 1 { ("Route", "would have") } else { ("Routes", "would have") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::ConsoleFormat;

    #[test]
    fn a_script_is_told_the_plan_and_the_switch() {
        let (mut console, _, _) = Console::for_test(ConsoleFormat::Text, StreamPeer::Other);
        let failure = confirm_plan("Records come back.", &mut console).expect_err("refused");
        let CommandError::Reported { exit, message, hint, .. } = failure else { panic!("told") };
        assert_eq!((exit, message.as_str()), (Exit::Usage, "Records come back."));
        assert!(hint.is_some_and(|hint| hint.contains("--yes")));
    }

    #[test]
    fn a_script_has_to_say_yes_and_is_told_what_would_break() {
        let of = DependentsView {
            backends: vec!["openai".to_owned()],
            routes: vec!["fast".to_owned(), "main".to_owned()],
            broken_routes: vec!["fast".to_owned()],
            clients: vec!["codex".to_owned()],
            services: Vec::new(),
            cache_server: true,
        };
        let (mut console, ..) = Console::for_test(ConsoleFormat::Text, StreamPeer::Other);
        let ask = |yes, console: &mut Console| {
            confirm_removal(
                "Remove the key acme?",
                &describe_consequences(&of),
                YesArgument { yes },
                console,
            )
        };
        let Err(CommandError::Reported { exit, message, .. }) = ask(false, &mut console) else {
            panic!("refused")
        };
        assert_eq!(exit, Exit::Usage);
        assert_eq!(
            message,
            "Remove the key acme? It is the key of openai. Route fast would have no other backend. \
             Route main loses a backend. Requests of codex, switched there, are refused. It is the password of the shared cache."
        );
        assert!(ask(true, &mut console).is_ok());
        assert!(describe_consequences(&DependentsView::default()).is_empty());
    }
}
