//! The code that the panel offers to copy, run as it stands by the languages and libraries that it
//! names.

use std::path::{Path, PathBuf};

use acceptance::{HomeVault, ProgramResult, TestHome, TestServer, built_program};
use serde_json::{Value, json};
use test_support::skip_unless_strict;

/// What `mock/echo` is asked, and says.
const WORD: &str = "heron-4711";

/// Runs a snippet: the folder of `gatehouse`, the interpreter, the file. The line that the code asks
/// to run first is run first.
const RUN: &str = r#"
PATH="$1:$PATH"
eval "$(sed -n 's|^[#/]* *\(export GATEHOUSE_TOKEN=.*\)$|\1|p' "$3")"
exec "$2" "$3"
"#;

/// Lists the gateway's models by what the snippet exported.
const LIST_MODELS: &str = r#"
PATH="$1:$PATH"
. "$2"
exec curl --silent --fail -H "authorization: Bearer $OPENAI_API_KEY" "$OPENAI_BASE_URL/models"
"#;

/// A running home with the client `demo`, and the installed libraries.
struct Copier {
    home: TestHome,
    served: TestServer,
    python: PathBuf,
    programs: String,
}

struct Snippet {
    title: String,
    code: String,
}

impl Copier {
    /// None if the libraries are not installed and not required.
    #[expect(clippy::disallowed_methods, reason = "the step that installs the SDKs says where")]
    async fn new() -> Option<Self> {
        let place = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let (Some(python), Some(node)) =
            (place("GATEHOUSE_SDK_PYTHON"), place("GATEHOUSE_SDK_NODE"))
        else {
            skip_unless_strict("the SDKs are not installed; run `cargo xtask test --only sdk`");
            return None;
        };
        let home = TestHome::new(HomeVault::File);
        // Node looks for libraries in the folders above the file that imports them.
        let (here, installed) = (home.path().join("node_modules"), node.join("node_modules"));
        std::os::unix::fs::symlink(installed, here).expect("a link to the libraries");
        let served = home.serve().await;
        home.client("demo").await;
        let programs = built_program("gatehouse");
        let programs = programs.parent().expect("a folder").display().to_string();
        Some(Self { home, served, python, programs })
    }

    async fn snippets_of(&self, operation: &str, request: &Value) -> Vec<Snippet> {
        let answer = self.served.control.call(operation, request).await.json();
        let owner = answer.pointer("/0").unwrap_or(&answer);
        let snippets = owner.get("snippets").and_then(Value::as_array);
        let text = |snippet: &Value, name: &str| {
            snippet.get(name).and_then(Value::as_str).expect("a text").to_owned()
        };
        let snippets = snippets.unwrap_or_else(|| panic!("no snippets: {answer}")).iter();
        snippets.map(|it| Snippet { title: text(it, "title"), code: text(it, "code") }).collect()
    }

    /// Runs a snippet in a file of its own; None if its language is a tool's configuration.
    async fn run(&self, snippet: &Snippet, number: usize) -> Option<ProgramResult> {
        let (interpreter, ending, script) = match snippet.title.split([',', ' ']).next() {
            Some("curl") => (Path::new("sh"), "sh", RUN),
            Some("Shell") => (Path::new("sh"), "sh", LIST_MODELS),
            Some("Python") => (self.python.as_path(), "py", RUN),
            Some("Node") => (Path::new("node"), "mjs", RUN),
            _ => return None,
        };
        let file = self.home.path().join(format!("snippet-{number}.{ending}"));
        private_files::write_atomic(&file, snippet.code.as_bytes()).expect("written");
        let (file, interpreter) = (file.display().to_string(), interpreter.display().to_string());
        let arguments = match script {
            RUN => vec!["-c", script, "sh", &self.programs, &interpreter, &file],
            _ => vec!["-c", script, "sh", &self.programs, &file],
        };
        Some(self.home.program("sh", &arguments).run().await.expect_success())
    }
}

/// The text of a stream in the dialect of Chat Completions.
fn streamed_text(events: &str) -> String {
    let data = events.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let pieces = events.map(|event| {
        let piece = event.pointer("/choices/0/delta/content").and_then(Value::as_str);
        piece.unwrap_or_default().to_owned()
    });
    pieces.collect()
}

#[tokio::test]
#[ignore = "needs the SDKs of sdk/"]
async fn the_code_for_a_client_runs_as_it_is_copied() {
    let Some(copier) = Copier::new().await else { return };
    let snippets = copier.snippets_of("clients", &json!({})).await;
    let mut ran = Vec::new();
    for (number, snippet) in snippets.iter().enumerate() {
        let Some(said) = copier.run(snippet, number).await else { continue };
        let expected = if snippet.title == "Shell" { "mock/echo" } else { "hello" };
        assert!(said.out.contains(expected), "{}: {}\n{}", snippet.title, said.out, said.err);
        ran.push(snippet.title.as_str());
    }
    assert_eq!(ran, ["curl", "Shell", "Python", "Node"]);
    copier.served.stop().await;
}

#[tokio::test]
#[ignore = "needs the SDKs of sdk/"]
async fn the_code_for_a_prompt_runs_as_it_is_copied() {
    let Some(copier) = Copier::new().await else { return };
    let prompt = format!("It's \"{WORD}\"\nand $HOME \\ `nothing` else");
    let request = json!({"model": "mock/echo", "system": "Be brief.", "prompt": prompt,
        "temperature": 0.5, "max_tokens": 64, "effort": null});
    let snippets = copier.snippets_of("playground_snippets", &request).await;
    assert_eq!(snippets.len(), 5, "one for each library");
    for (number, snippet) in snippets.iter().enumerate() {
        let said = copier.run(snippet, number).await.expect("a language that runs");
        let answer = if snippet.title == "curl" { streamed_text(&said.out) } else { said.out };
        for part in [WORD, "It's", "$HOME", "`nothing`"] {
            assert!(answer.contains(part), "{}: {answer}\n{}", snippet.title, said.err);
        }
    }
    copier.served.stop().await;
}
