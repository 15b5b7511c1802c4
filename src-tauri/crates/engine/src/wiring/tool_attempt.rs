//! Does what a wired tool does before its first prompt: runs the command in its file that prints the
//! token, and lists models through the base URL in its file. Nothing is billed.

use std::process::Stdio;
use std::time::Duration;

use domain::{Secret, redact};
use gateway::{LoopbackCall, loopback_call};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use url::Url;
use zeroize::Zeroizing;

use crate::process::private_variables::private_variable_names;

/// Time for the command, which may wait for a keychain.
pub const TOKEN_COMMAND_MS_MAX: u64 = 10_000;

/// Time for the list of models.
pub(crate) const MODEL_LIST_MS_MAX: u64 = 5_000;

/// What is read of the command's output, in bytes of each stream. No secret is as long.
pub(crate) const COMMAND_OUTPUT_BYTES_MAX: u64 = 4_096;

/// What is shown of the command's complaint, in characters.
const COMPLAINT_CHARS_MAX: usize = 300;

/// A variable of ours that a tool does not have, and that would hide what it meets.
const HOME_VARIABLE: &str = "GATEHOUSE_HOME";

/// Runs a command as a tool does, and returns the token that it prints. Fails with the reason.
pub async fn run_token_command(command: &[String], limit: Duration) -> Result<Secret, String> {
    let (program, arguments) = command.split_first().ok_or("there is no command for the token")?;
    let mut child = Command::new(program);
    child.args(arguments).kill_on_drop(true);
    child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // It gets no key of a provider.
    for name in private_variable_names().chain([HOME_VARIABLE]) {
        child.env_remove(name);
    }
    let mut child =
        child.spawn().map_err(|error| format!("{program} cannot be started: {error}"))?;
    let (printed, complaint) = (child.stdout.take(), child.stderr.take());
    let running = async {
        let (printed, complaint) = tokio::join!(read_output(printed), read_output(complaint));
        (child.wait().await, printed, complaint)
    };
    let Ok((status, printed, complaint)) = tokio::time::timeout(limit, running).await else {
        return Err(format!("{program} printed no token within {limit:?}"));
    };
    match status {
        Ok(status) if status.success() => token_of(program, &printed),
        Ok(status) => Err(format!("{program} ended with {status}{}", shown_complaint(&complaint))),
        Err(error) => Err(format!("{program} cannot be waited for: {error}")),
    }
}

async fn read_output(stream: Option<impl AsyncRead + Unpin>) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::new());
    if let Some(stream) = stream {
        // What was read until an error is as good as any.
        drop(stream.take(COMMAND_OUTPUT_BYTES_MAX).read_to_end(&mut bytes).await);
    }
    bytes
}

fn token_of(program: &str, printed: &[u8]) -> Result<Secret, String> {
    let text = String::from_utf8_lossy(printed).into_owned();
    Secret::parse(text).map_err(|error| format!("{program} printed no token: {error}"))
}

/// The first line of what a command complained about, without secrets.
fn shown_complaint(complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let shown: String = redact(line).chars().take(COMPLAINT_CHARS_MAX).collect();
    if shown.is_empty() { shown } else { format!(": {shown}") }
}

/// Lists the gateway's models at `url`, with the token of a client, and returns their number. Fails
/// with the reason. The token goes to nobody but the gateway on `port` of this machine.
pub async fn list_models_at(url: &str, port: u16, token: &Secret) -> Result<usize, String> {
    let parsed = Url::parse(url).map_err(|error| format!("{url} is no address: {error}"))?;
    let is_here = parsed.scheme() == "http"
        && parsed.host().is_some_and(|host| domain::is_loopback_host(&host.to_owned()))
        && parsed.port_or_known_default() == Some(port);
    if !is_here {
        return Err(format!("{url} is not this gateway, which is at port {port} of this machine"));
    }
    let limit = Duration::from_millis(MODEL_LIST_MS_MAX);
    let call = LoopbackCall::to(port, parsed.path()).with_token(token).within(limit);
    let reply = loopback_call(call).await.map_err(|error| error.to_string())?;
    let body = serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap_or_default();
    if reply.status != 200 {
        let reason = body.pointer("/error/message").and_then(serde_json::Value::as_str);
        let reason = reason.unwrap_or("it gave no reason");
        return Err(format!("the gateway answered {} at {url}: {reason}", reply.status));
    }
    let models = body.get("data").and_then(serde_json::Value::as_array);
    models.map(Vec::len).ok_or_else(|| format!("{url} did not answer with a list of models"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[cfg(unix)]
    async fn run(script: &str) -> Result<Secret, String> {
        run_token_command(&words(&["sh", "-c", script]), LIMIT).await
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_a_command_prints_is_the_token_and_its_complaint_is_the_reason() {
        let token = run("echo ghk_0123").await.expect("a token");
        assert_eq!(token.expose(), "ghk_0123");
        let failed = run("echo; echo 'no client of that name' >&2; exit 1").await;
        let reason = failed.expect_err("no token");
        assert_eq!(reason, "sh ended with exit status: 1: no client of that name");
        let key = run("echo 'sk-CANARY-0123456789 is wrong' >&2; exit 2").await;
        assert!(!key.expect_err("no token").contains("CANARY"));
        let nothing = run("true").await.expect_err("no token");
        assert!(nothing.starts_with("sh printed no token: "), "{nothing}");
        let gone = run_token_command(&words(&["/no/such/program"]), LIMIT).await;
        assert!(gone.expect_err("no program").starts_with("/no/such/program cannot be started"));
        assert!(run_token_command(&[], LIMIT).await.is_err());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn output_is_read_up_to_its_limit() {
        let most = COMMAND_OUTPUT_BYTES_MAX;
        let print = |bytes: u64| format!("head -c {bytes} /dev/zero | tr '\\0' x");
        assert!(run(&print(most + 1)).await.is_err(), "it is too long, or was ended in the middle");
        let reason = run(&format!("head -c {most} /dev/zero | tr '\\0' x >&2; exit 1")).await;
        let reason = reason.expect_err("no token");
        assert_eq!(reason.matches('x').count(), COMPLAINT_CHARS_MAX + 1, "{reason}");
    }

    /// The time is virtual: it passes at once while the command alone is waited for.
    #[cfg(unix)]
    #[tokio::test(start_paused = true)]
    async fn a_command_that_hangs_is_ended() {
        let hanging = run_token_command(&words(&["tail", "-f", "/dev/null"]), LIMIT).await;
        assert_eq!(hanging.expect_err("no token"), "tail printed no token within 10s");
    }

    #[tokio::test]
    async fn the_token_goes_to_no_other_address() {
        let token = Secret::parse("ghk_0123".to_owned()).expect("a token");
        for url in [
            "http://example.com:4283/v1/models",
            "http://127.0.0.1:5000/v1/models",
            "https://127.0.0.1:4283/v1/models",
            "not an address",
        ] {
            let refused = list_models_at(url, 4283, &token).await.expect_err(url);
            assert!(refused.starts_with(url), "{refused}");
        }
    }
}
