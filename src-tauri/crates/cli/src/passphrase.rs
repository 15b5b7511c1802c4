//! The passphrase of the vault file: read from `GATEHOUSE_PASSPHRASE` or typed. A new one is typed
//! twice, since a typo would create a vault that nobody can open.

use control::view::{PASSPHRASE_CHARS_MIN, VaultView};
use zeroize::Zeroizing;

use crate::console::{Console, StreamPeer};
use crate::exit::{CommandError, Exit};
use crate::secret_input::prompt_hidden;

/// The passphrase from the environment, if set.
pub(crate) struct Passphrases(Option<Zeroizing<String>>);

impl Passphrases {
    pub(crate) fn from_variables(variables: &[(String, String)]) -> Self {
        let given = variables.iter().find(|(name, _)| name == "GATEHOUSE_PASSPHRASE");
        let given = given.map(|(_, value)| Zeroizing::new(value.clone()));
        Self(given.filter(|value| !value.is_empty()))
    }

    /// No passphrase from the environment: the person is asked.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// The passphrase of the vault file, or of a new one.
    pub(crate) fn for_file(
        &self,
        vault: &VaultView,
        console: &Console,
    ) -> Result<Zeroizing<String>, CommandError> {
        match &self.0 {
            Some(given) => Ok(given.clone()),
            None if console.stdin == StreamPeer::Other => Err(no_terminal()),
            None if vault.file_exists => {
                prompt_hidden("Passphrase of the vault file (not shown): ")
            }
            None => ask_new("the vault file"),
        }
    }
}

/// Asks for a new passphrase of a file.
pub(crate) fn ask_new(file: &str) -> Result<Zeroizing<String>, CommandError> {
    let least = PASSPHRASE_CHARS_MIN;
    let question = format!("New passphrase for {file}, at least {least} characters (not shown): ");
    ask_twice(&question, prompt_hidden)
}

/// Asks for a new passphrase twice and compares.
fn ask_twice(
    question: &str,
    mut ask: impl FnMut(&str) -> Result<Zeroizing<String>, CommandError>,
) -> Result<Zeroizing<String>, CommandError> {
    let new = ask(question)?;
    if *new == *ask("Repeat the passphrase: ")? {
        return Ok(new);
    }
    Err(CommandError::new(Exit::Usage, "the passphrases do not match").with_hint("Try again."))
}

fn no_terminal() -> CommandError {
    CommandError::new(Exit::Usage, "there is no terminal to ask for the passphrase")
        .with_hint("Set GATEHOUSE_PASSPHRASE for this command.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_passphrase_is_typed_twice_alike() {
        let typed = |answers: [&'static str; 2]| {
            let mut answers = answers.into_iter();
            ask_twice("New passphrase: ", |_| {
                Ok(Zeroizing::new(answers.next().unwrap_or_default().to_owned()))
            })
        };
        assert_eq!(
            typed(["correct-horse", "correct-horse"]).expect("alike").as_str(),
            "correct-horse"
        );
        let failure = typed(["correct-horse", "correct-hores"]).expect_err("a slip");
        assert_eq!(failure.exit(), Exit::Usage);
    }

    #[test]
    fn an_empty_variable_is_none() {
        let among = |value: &str| {
            let variables = [("GATEHOUSE_PASSPHRASE".to_owned(), value.to_owned())];
            Passphrases::from_variables(&variables).0.is_some()
        };
        assert!(among("correct-horse") && !among(""));
    }
}
