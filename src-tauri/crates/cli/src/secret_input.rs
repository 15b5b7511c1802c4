//! Reads a key: from a hidden prompt or from standard input. Never from an argument, which every
//! process of the machine could read.

use std::io::Read;

use domain::{SECRET_BYTES_MAX, Secret};
use zeroize::Zeroizing;

use crate::console::{Console, StreamPeer};
use crate::exit::{CommandError, Exit};

/// Most bytes read from standard input for a key: the longest key, and as much again for
/// surrounding white space.
pub(crate) const STDIN_BYTES_MAX: usize = 2 * SECRET_BYTES_MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretSource {
    Prompt,
    Stdin,
}

impl SecretSource {
    pub(crate) const fn from_argument(stdin: StdinArgument) -> Self {
        if stdin.stdin { Self::Stdin } else { Self::Prompt }
    }
}

/// The switch, the same for every command that takes a key.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct StdinArgument {
    /// Read the key from standard input instead of prompting for it
    #[arg(long)]
    stdin: bool,
}

pub(crate) fn read_secret(
    source: SecretSource,
    name: &str,
    console: &Console,
) -> Result<Secret, CommandError> {
    match source {
        SecretSource::Stdin => parse_secret(read_limited(std::io::stdin().lock())?),
        SecretSource::Prompt => {
            parse_secret(prompt_for_key(&format!("Key for {name} (not shown): "), console)?)
        }
    }
}

/// The secret of a key of OAuth, called `what`, and the client secret beside it if it has one. From
/// standard input each is a line.
pub(crate) fn read_oauth_secrets(
    source: SecretSource,
    (what, name): (&str, &str),
    with_client_secret: bool,
    console: &Console,
) -> Result<(Secret, Option<Secret>), CommandError> {
    let (first, second) = match source {
        SecretSource::Stdin => {
            let text = read_limited(std::io::stdin().lock())?;
            let mut lines = text.trim().lines();
            let mut line = || Zeroizing::new(lines.next().unwrap_or_default().to_owned());
            (line(), with_client_secret.then(line))
        }
        SecretSource::Prompt => {
            let ask =
                |what: &str| prompt_for_key(&format!("{what} of {name} (not shown): "), console);
            let first = ask(what)?;
            let second = with_client_secret.then(|| ask("Client secret")).transpose()?;
            (first, second)
        }
    };
    Ok((parse_secret(first)?, second.map(parse_secret).transpose()?))
}

/// Prompts for a key; fails if standard input is no terminal.
fn prompt_for_key(question: &str, console: &Console) -> Result<Zeroizing<String>, CommandError> {
    if console.stdin == StreamPeer::Other {
        return Err(CommandError::new(Exit::Usage, "there is no terminal to ask for the key")
            .with_hint("Pass --stdin and pipe the key in."));
    }
    prompt_hidden(question)
}

/// Prompts for a line that is not echoed.
pub(crate) fn prompt_hidden(question: &str) -> Result<Zeroizing<String>, CommandError> {
    rpassword::prompt_password(question).map(Zeroizing::new).map_err(|error| {
        CommandError::new(Exit::Internal, format!("the terminal could not be read: {error}"))
    })
}

fn parse_secret(mut text: Zeroizing<String>) -> Result<Secret, CommandError> {
    // `parse` zeroes its argument.
    Secret::parse(std::mem::take(&mut *text))
        .map_err(|rejected| CommandError::new(Exit::Usage, rejected.to_string()))
}

/// Reads a passphrase: all of it but a line break at its end.
pub(crate) fn read_line_limited(input: impl Read) -> Result<Zeroizing<String>, CommandError> {
    let mut text = read_limited(input)?;
    while text.ends_with(['\n', '\r']) {
        text.pop();
    }
    Ok(text)
}

/// Reads to the end, at most [`STDIN_BYTES_MAX`]. The buffer has its full size from the start: a
/// growing buffer would leave copies of the key in memory.
fn read_limited(input: impl Read) -> Result<Zeroizing<String>, CommandError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(STDIN_BYTES_MAX + 1));
    let limit = u64::try_from(STDIN_BYTES_MAX + 1).unwrap_or(u64::MAX);
    input.take(limit).read_to_end(&mut bytes).map_err(|error| {
        CommandError::new(Exit::Internal, format!("standard input could not be read: {error}"))
    })?;
    if bytes.len() > STDIN_BYTES_MAX {
        let message = format!("standard input holds more than {STDIN_BYTES_MAX} bytes");
        return Err(CommandError::new(Exit::Usage, message).with_hint("Pipe in only the key."));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| CommandError::new(Exit::Usage, "standard input is not text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::ConsoleFormat;

    fn refused(input: &[u8]) -> (Exit, String) {
        let failure = read_limited(input).and_then(parse_secret).expect_err("refused");
        let CommandError::Reported { exit, message, .. } = failure else { panic!("told") };
        (exit, message)
    }

    #[test]
    fn a_key_from_stdin_loses_the_white_space_around_it() {
        let key =
            read_limited(b"sk-0123456789abc\r\n".as_slice()).and_then(parse_secret).expect("a key");
        assert_eq!(key, Secret::parse("sk-0123456789abc".to_owned()).expect("a key"));
    }

    #[test]
    fn stdin_ends_at_its_limit() {
        let padded = |bytes: usize| {
            let mut input = b"sk-0123456789abc".to_vec();
            input.resize(bytes, b' ');
            input
        };
        assert!(read_limited(padded(STDIN_BYTES_MAX).as_slice()).and_then(parse_secret).is_ok());
        let (exit, message) = refused(&padded(STDIN_BYTES_MAX + 1));
        assert_eq!(exit, Exit::Usage);
        assert!(message.contains("4096 bytes"), "{message}");
        // The limit also ends an endless input.
        assert_eq!(refused_endless(), Exit::Usage);
    }

    fn refused_endless() -> Exit {
        read_limited(std::io::repeat(b'k')).expect_err("refused").exit()
    }

    #[test]
    fn a_refused_key_is_not_repeated() {
        let (exit, message) = refused(b"sk-CANARY 0123456789");
        assert_eq!(exit, Exit::Usage);
        assert!(!message.contains("CANARY") && message.contains("position 10"), "{message}");
        assert_eq!(refused(b" \n").1, "the key is empty; paste it again");
        assert_eq!(refused(&[0xff]).1, "standard input is not text");
    }

    #[test]
    fn without_a_terminal_nothing_is_asked() {
        let (console, _, _) = Console::for_test(ConsoleFormat::Text, StreamPeer::Other);
        let failure = read_secret(SecretSource::Prompt, "up", &console).expect_err("refused");
        let CommandError::Reported { exit, hint, .. } = failure else { panic!("told") };
        assert_eq!(exit, Exit::Usage);
        assert!(hint.is_some_and(|hint| hint.contains("--stdin")));
    }
}
