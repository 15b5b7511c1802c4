//! Starts an SDK of each vendor, and reads its results.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use test_support::skip_unless_strict;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The pinned versions, as each SDK reports them.
const VERSIONS: [(&str, &str); 9] = [
    ("openai", "3.52.0"),
    ("anthropic", "2.11.0"),
    ("google-genai", "3.4.0"),
    ("@anthropic-ai/sdk", "1.11.0"),
    ("@google/genai", "3.1.0"),
    ("@ai-sdk/openai", "4.0.118"),
    ("@ai-sdk/anthropic", "4.0.105"),
    ("@ai-sdk/google", "4.0.121"),
    ("@ai-sdk/openai-compatible", "3.0.92"),
];

/// OpenAI's SDK for Node, which has the same name as the one for Python.
const OPENAI_NODE: &str = "7.55.0";

/// Longest time of one script call: hundreds of requests on a busy machine, but no wait that a
/// server asked for.
const SCRIPT_TIME_MAX: Duration = Duration::from_secs(90);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SdkLanguage {
    Python,
    Node,
}

/// The server that an SDK calls.
#[derive(Debug, Clone)]
pub(crate) struct SdkTarget {
    /// Scheme, host and port.
    pub(crate) root: String,
    pub(crate) token: String,
}

/// One named request for an SDK.
#[derive(Debug, Clone)]
pub(crate) struct SdkRequest {
    pub(crate) name: String,
    pub(crate) asks: Value,
}

/// The result that an SDK returned.
#[derive(Debug, Clone)]
pub(crate) struct SdkResult(pub(crate) Value);

impl SdkRequest {
    /// The request `asks`, sent through `surface` in the given `way`.
    pub(crate) fn new(surface: &str, way: &str, name: &str, asks: &Value) -> Self {
        let mut asks = asks.clone();
        let members = asks.as_object_mut().expect("an object");
        let name = format!("{surface} {way} {name}");
        for (member, value) in [("name", name.as_str()), ("surface", surface), ("way", way)] {
            members.insert(member.to_owned(), json!(value));
        }
        Self { name, asks }
    }
}

impl SdkResult {
    pub(crate) fn at(&self, pointer: &str) -> Value {
        self.0.pointer(pointer).cloned().unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        self.at("/text").as_str().unwrap_or_default().to_owned()
    }
}

impl SdkLanguage {
    /// The surfaces of its SDKs, by the scripts' names.
    pub(crate) const fn surfaces(self) -> &'static [&'static str] {
        match self {
            Self::Python => &["openai-chat", "openai-responses", "anthropic-messages", "gemini"],
            Self::Node => &[
                "openai-chat",
                "openai-responses",
                "anthropic-messages",
                "gemini",
                "ai-openai-chat",
                "ai-openai-responses",
                "ai-anthropic",
                "ai-google",
                "ai-compatible",
            ],
        }
    }

    /// The command that starts it; `None` if it is not installed and not required.
    #[expect(clippy::disallowed_methods, reason = "the step that installs the SDKs says where")]
    pub(crate) fn command(self) -> Option<Command> {
        let (name, script) = match self {
            Self::Python => ("GATEHOUSE_SDK_PYTHON", "python/run.py"),
            Self::Node => ("GATEHOUSE_SDK_NODE", "node/run.mjs"),
        };
        let Some(place) = std::env::var_os(name).map(PathBuf::from) else {
            skip_unless_strict(&format!("{name} is not set; run `cargo xtask test --only sdk`"));
            return None;
        };
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sdk").join(script);
        let mut command = match self {
            Self::Python => {
                let mut command = Command::new(place);
                command.arg("-B");
                command
            }
            Self::Node => {
                assert!(place.join("node_modules/ai").is_dir(), "no SDK in {}", place.display());
                Command::new("node")
            }
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.arg(script).env_clear().env("PATH", path).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Some(command)
    }

    /// Lets the SDKs send the requests, in order; `None` if they are not installed.
    pub(crate) async fn ask(
        self,
        at: &SdkTarget,
        questions: &[SdkRequest],
    ) -> Option<Vec<SdkResult>> {
        let mut command = self.command()?;
        let asks: Vec<&Value> = questions.iter().map(|question| &question.asks).collect();
        let asked = json!({"root": at.root, "token": at.token, "questions": asks});
        let ended = tokio::time::timeout(SCRIPT_TIME_MAX, async {
            let mut child = command.spawn().expect("the SDKs start");
            let mut stdin = child.stdin.take().expect("piped");
            stdin.write_all(asked.to_string().as_bytes()).await.expect("asked");
            drop(stdin);
            child.wait_with_output().await.expect("the SDKs end")
        })
        .await
        .expect("the SDKs end in time");
        let err = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{self:?}: {err}");
        let told: Value = serde_json::from_slice(&ended.stdout).expect("an answer in JSON");
        self.check_versions(told.get("versions").expect("versions"));
        let answers = told.get("answers").expect("answers");
        let answer = |question: &SdkRequest| {
            SdkResult(answers.get(&question.name).cloned().expect("an answer to each"))
        };
        Some(questions.iter().map(answer).collect())
    }

    fn check_versions(self, versions: &Value) {
        let versions = versions.as_object().expect("an object");
        assert!(versions.len() >= 3, "{versions:?}");
        for (name, version) in versions {
            let pinned = match (self, name.as_str()) {
                (Self::Node, "openai") => Some(OPENAI_NODE),
                _ => VERSIONS.iter().find(|(known, _)| known == name).map(|(_, version)| *version),
            };
            assert_eq!(version.as_str(), pinned, "the pinned version of {name}");
        }
    }
}
