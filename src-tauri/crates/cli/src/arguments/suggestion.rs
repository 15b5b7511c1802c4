//! Suggests a command for words typed in another order: `gatehouse keys add openai` for `add key
//! openai`.

use clap::CommandFactory;

use super::CommandLine;

/// The group suggested for a verb such as `list` that several groups have.
const LISTED_FIRST: &str = "backends";

/// The command that the words most likely mean, if there is one.
pub(super) fn suggest_command(words: &[&str]) -> Option<String> {
    let words: Vec<&str> = words.iter().copied().filter(|word| *word != "--json").collect();
    let (verb, rest) = words.split_first()?;
    let root = CommandLine::command();
    if let Some((noun, rest)) = rest.split_first()
        && let Some(group) = find_subcommand(&root, noun)
        && let Some(action) = find_subcommand(group, verb)
    {
        let rest: String = rest.iter().map(|word| format!(" {word}")).collect();
        return Some(format!("gatehouse {} {}{rest}", group.get_name(), action.get_name()));
    }
    let mut groups = root.get_subcommands().filter(|group| find_subcommand(group, verb).is_some());
    let usual =
        find_subcommand(&root, LISTED_FIRST).filter(|group| find_subcommand(group, verb).is_some());
    let group = usual.or_else(|| groups.next())?;
    let action = find_subcommand(group, verb)?;
    Some(format!("gatehouse {} {}", group.get_name(), action.get_name()))
}

/// Finds a subcommand by its name or one of its aliases.
fn find_subcommand<'a>(command: &'a clap::Command, name: &str) -> Option<&'a clap::Command> {
    command.get_subcommands().find(|inner| {
        inner.get_name() == name || inner.get_all_aliases().any(|alias| alias == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_another_order_are_put_right() {
        let check = |typed: &str, meant: Option<&str>| {
            let words: Vec<&str> = typed.split(' ').collect();
            assert_eq!(suggest_command(&words).as_deref(), meant, "{typed}");
        };
        check("add key openai", Some("gatehouse keys add openai"));
        check("rm backend up --yes", Some("gatehouse backends remove up --yes"));
        check("list clients --json", Some("gatehouse clients list"));
        check("test openai", Some("gatehouse backends test"));
        check("list", Some("gatehouse backends list"));
        check("unlock", Some("gatehouse vault unlock"));
        check("revoke codex", Some("gatehouse clients revoke"));
        check("frobnicate", None);
    }
}
