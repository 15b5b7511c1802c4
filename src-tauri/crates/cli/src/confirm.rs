//! Asks for confirmation before a destructive change. A script has to pass `--yes`.

use std::io::BufRead;

use control::view::DependentsView;

use crate::console::{Console, Peer};
use crate::exit::{Exit, Failure};
use crate::sign::Tone;
use crate::text::Text;

/// Prints the plan on standard error and asks. True for `y` or `yes`.
pub(crate) fn is_agreed(plan: &str, console: &mut Console) -> Result<bool, Failure> {
    if console.typing == Peer::Other {
        return Err(Failure::new(Exit::Usage, plan)
            .with_hint("Nothing was changed. Add --yes to continue without confirmation."));
    }
    let mut text = Text::new();
    text.line(Tone::Plain, plan);
    text.piece(Tone::Plain, "Continue? [y/N] ");
    console.remark(&text);
    says_yes()
}

/// Reads an answer from standard input. True for `y` or `yes`.
fn says_yes() -> Result<bool, Failure> {
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// The switch, the same for every command that removes something.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Yes {
    /// Remove without confirmation
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Returns if `--yes` was given or the person confirms `question`; prints `consequences` before it.
pub(crate) fn confirm(
    question: &str,
    consequences: &[String],
    said: Yes,
    console: &mut Console,
) -> Result<(), Failure> {
    if said.yes {
        return Ok(());
    }
    if console.typing == Peer::Other {
        let consequences = consequences.join(" ");
        let message = format!("{question} {consequences}");
        return Err(Failure::new(Exit::Usage, message.trim_end())
            .with_hint("Nothing was removed. Add --yes to remove it without confirmation."));
    }
    let mut text = Text::new();
    for consequence in consequences {
        text.piece(Tone::Warn, "▲ ").line(Tone::Plain, consequence);
    }
    text.piece(Tone::Strong, &format!("{question} [y/N] "));
    console.remark(&text);
    match says_yes()? {
        true => Ok(()),
        false => Err(Failure::new(Exit::No, "nothing was removed")),
    }
}

/// What happens to the backends, routes and cache that use it, one sentence each.
pub(crate) fn consequences(of: &DependentsView) -> Vec<String> {
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
    if of.cache_server {
        said.push("It is the password of the shared cache.".to_owned());
    }
    said
}

const fn plural(names: &[String]) -> (&'static str, &'static str) {
    if names.len() == 1 { ("Route", "would have") } else { ("Routes", "would have") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::Format;

    #[test]
    fn a_script_is_told_the_plan_and_the_switch() {
        let (mut console, _, _) = Console::for_test(Format::Text, Peer::Other);
        let failure = is_agreed("Records come back.", &mut console).expect_err("refused");
        let Failure::Told { exit, message, hint, .. } = failure else { panic!("told") };
        assert_eq!((exit, message.as_str()), (Exit::Usage, "Records come back."));
        assert!(hint.is_some_and(|hint| hint.contains("--yes")));
    }

    #[test]
    fn a_script_has_to_say_yes_and_is_told_what_would_break() {
        let of = DependentsView {
            backends: vec!["openai".to_owned()],
            routes: vec!["fast".to_owned(), "main".to_owned()],
            broken_routes: vec!["fast".to_owned()],
            cache_server: true,
        };
        let (mut console, ..) = Console::for_test(Format::Text, Peer::Other);
        let ask = |yes, console: &mut Console| {
            confirm("Remove the key acme?", &consequences(&of), Yes { yes }, console)
        };
        let Err(Failure::Told { exit, message, .. }) = ask(false, &mut console) else {
            panic!("refused")
        };
        assert_eq!(exit, Exit::Usage);
        assert_eq!(
            message,
            "Remove the key acme? It is the key of openai. Route fast would have no other backend. \
             Route main loses a backend. It is the password of the shared cache."
        );
        assert!(ask(true, &mut console).is_ok());
        assert!(consequences(&DependentsView::default()).is_empty());
    }
}
