//! The environment in which a tool uses the gateway without a change of its files.
//!
//! Most tools and SDKs read an address and a key from variables. What else a tool needs is known by
//! the name of its program. The token is in the child's environment alone.

use std::path::Path;

use serde_json::{Value, json};

use crate::environment::ToolEnvironment;
use crate::opencode_variable::CONFIG_VARIABLE;
use crate::tool::continue_dev::{FOLDER_VARIABLE, models_file};
use crate::tool::opencode::provider_edits;
use crate::tool::{TOKEN_VARIABLE, ToolModel};

/// Variables that hold the address without a path.
const ROOT_VARIABLES: [&str; 2] = ["ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL"];

/// Variables that hold the address with `/v1`: the OpenAI SDKs read the first, older tools and Aider
/// the second.
const V1_VARIABLES: [&str; 2] = ["OPENAI_BASE_URL", "OPENAI_API_BASE"];

/// The last is for OpenCode and Zed, whose files name it.
const TOKEN_VARIABLES: [&str; 3] = ["ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", TOKEN_VARIABLE];

/// Gemini CLI and the SDKs named google-genai read it together with `GOOGLE_GEMINI_BASE_URL`. Older
/// SDKs, LiteLLM and editors read it alone, and would send the token to Google. So a program that is
/// not known to read both gets neither the token nor a key of the user in it.
const GEMINI_TOKEN_VARIABLE: &str = "GEMINI_API_KEY";

/// Variables that lead past the gateway: another key that a tool prefers, or a cloud that it asks
/// instead.
const REMOVED_VARIABLES: [&str; 7] = [
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_VERTEX",
    "GOOGLE_API_KEY",
    "GOOGLE_GENAI_USE_GCA",
    "GOOGLE_GENAI_USE_VERTEXAI",
];

/// Variables that keep requests to this machine away from a proxy of the user, which would see the
/// token. Programs read one or the other spelling.
const PROXY_EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Name of the provider in a tool's configuration.
const PROVIDER: &str = "gatehouse";

/// Aider's files outrank the variables of others with an address and a key; these options and this
/// variable outrank its configuration and what that or a `.env` file sets. The second option stands
/// in for the whole `set-env` of a configuration. Addresses in Aider's files with settings of single
/// models outrank even these; they are told as conflicts.
const AIDER_ADDRESS: &str = "--openai-api-base";
const AIDER_VARIABLE: &str = "--set-env";
const AIDER_TOKEN_VARIABLE: &str = "AIDER_OPENAI_API_KEY";

/// Continue's command line takes its own configuration, with addresses of others, unless it is told
/// a file.
const CONTINUE_CONFIG: &str = "--config";

/// Variables that name the user's home folder.
const HOME_VARIABLES: [&str; 2] =
    if cfg!(windows) { ["USERPROFILE", "HOME"] } else { ["HOME", "USERPROFILE"] };

/// How a program is started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Launch {
    pub variables: Vec<(&'static str, String)>,
    /// Variables that get the token.
    pub token_variables: Vec<&'static str>,
    pub removed_variables: Vec<&'static str>,
    /// Arguments before those of the user.
    pub arguments: Vec<String>,
}

impl Launch {
    /// True for a variable whose value is kept beside ours, or tells where a tool's files lie.
    /// OpenCode's configuration may hold a key, so a value goes to the program and nowhere else.
    #[must_use]
    pub fn reads(name: &str) -> bool {
        name == CONFIG_VARIABLE
            || name == FOLDER_VARIABLE
            || PROXY_EXCEPTIONS.contains(&name)
            || HOME_VARIABLES.contains(&name)
    }

    /// For `program`, with the gateway at `address`, which has no path. `models` are those that a
    /// tool with a list of its own may ask for; `variable` reads the environment.
    #[must_use]
    pub fn new(
        program: &Path,
        address: &str,
        models: &[ToolModel],
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let v1 = format!("{address}/v1");
        let root = ROOT_VARIABLES.map(|name| (name, address.to_owned()));
        let with_path = V1_VARIABLES.map(|name| (name, v1.clone()));
        let mut launch = Self {
            variables: root.into_iter().chain(with_path).collect(),
            token_variables: TOKEN_VARIABLES.to_vec(),
            removed_variables: REMOVED_VARIABLES
                .into_iter()
                .chain([GEMINI_TOKEN_VARIABLE])
                .collect(),
            arguments: Vec::new(),
        };
        for name in PROXY_EXCEPTIONS {
            launch.variables.push((name, with_this_machine(variable(name))));
        }
        match program.file_stem().and_then(|name| name.to_str()) {
            Some("aider") => {
                launch.arguments = aider_arguments(v1);
                launch.token_variables.push(AIDER_TOKEN_VARIABLE);
            }
            Some("cn") => launch.arguments = continue_arguments(variable),
            Some("codex") => launch.arguments = codex_arguments(&v1),
            Some("claude") => launch.arguments = claude_arguments(address),
            Some("gemini") => launch = launch.with_gemini_token(),
            Some("opencode") => {
                let config = opencode_config(address, models, variable(CONFIG_VARIABLE));
                launch.variables.push((CONFIG_VARIABLE, config));
            }
            _ => {}
        }
        launch
    }

    /// With the token in the variable of Gemini's SDKs too, for a program that reads their address.
    #[must_use]
    pub fn with_gemini_token(mut self) -> Self {
        self.removed_variables.retain(|name| *name != GEMINI_TOKEN_VARIABLE);
        if !self.token_variables.contains(&GEMINI_TOKEN_VARIABLE) {
            self.token_variables.push(GEMINI_TOKEN_VARIABLE);
        }
        self
    }
}

/// The exceptions of the user, and the names of this machine.
fn with_this_machine(exceptions: Option<String>) -> String {
    let known = exceptions.filter(|known| !known.trim().is_empty());
    let known = known.map(|known| known + ",").unwrap_or_default();
    known + "127.0.0.1,localhost"
}

/// LiteLLM, with which Aider asks, prefers the variable to the option.
fn aider_arguments(v1: String) -> Vec<String> {
    let set = format!("OPENAI_BASE_URL={v1}");
    vec![AIDER_ADDRESS.to_owned(), v1, AIDER_VARIABLE.to_owned(), set]
}

/// The file that wiring writes. Without it, Continue does not start. Where the user is signed in,
/// Continue remembers it for later starts.
fn continue_arguments(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let home = HOME_VARIABLES.into_iter().find_map(set).unwrap_or_default();
    let folder = set(FOLDER_VARIABLE).map(|folder| (FOLDER_VARIABLE.to_owned(), folder));
    let file = models_file(&ToolEnvironment::new(home.into(), folder));
    vec![CONTINUE_CONFIG.to_owned(), file.to_string_lossy().into_owned()]
}

/// Claude Code's settings outrank its environment, and this option outranks the settings.
fn claude_arguments(address: &str) -> Vec<String> {
    let settings = json!({"env": {"ANTHROPIC_BASE_URL": address}});
    vec!["--settings".to_owned(), settings.to_string()]
}

/// Codex CLI takes a provider from its configuration alone, and that from options too.
fn codex_arguments(v1: &str) -> Vec<String> {
    let setting = |key: &str, value: String| ["-c".to_owned(), format!("{key}={value}")];
    let provider = |key: &str| format!("model_providers.{PROVIDER}.{key}");
    [
        setting("model_provider", toml_text(PROVIDER)),
        setting(&provider("name"), toml_text("Gatehouse")),
        setting(&provider("base_url"), toml_text(v1)),
        setting(&provider("wire_api"), toml_text("responses")),
        setting(&provider("env_key"), toml_text("OPENAI_API_KEY")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A text that JSON and TOML write alike: addresses and names have no character that they do not.
fn toml_text(text: &str) -> String {
    json!(text).to_string()
}

/// OpenCode knows no provider by variables; this one is added to those of its files and to what
/// the user has set.
fn opencode_config(address: &str, models: &[ToolModel], set: Option<String>) -> String {
    let set = set.and_then(|text| serde_json::from_str(&text).ok()).filter(Value::is_object);
    let mut config = set.unwrap_or_else(|| json!({}));
    for edit in provider_edits(address, models) {
        edit.apply_to(&mut config);
    }
    config.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(program: &str) -> Launch {
        launch_with(program, &[])
    }

    fn launch_with(program: &str, set: &[(&str, &str)]) -> Launch {
        let variable = |name: &str| {
            let found = set.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let models = [ToolModel::named("fast")];
        Launch::new(Path::new(program), "http://127.0.0.1:4283", &models, variable)
    }

    fn value<'a>(launch: &'a Launch, name: &str) -> Option<&'a str> {
        let found = launch.variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    #[test]
    fn every_program_gets_addresses_and_loses_what_leads_past_the_gateway() {
        let launch = launch("/usr/bin/my-script");
        assert_eq!(value(&launch, "ANTHROPIC_BASE_URL"), Some("http://127.0.0.1:4283"));
        assert_eq!(value(&launch, "OPENAI_BASE_URL"), Some("http://127.0.0.1:4283/v1"));
        assert!(launch.removed_variables.contains(&"ANTHROPIC_API_KEY"));
        assert!(launch.arguments.is_empty());
        let set: Vec<_> = launch.variables.iter().map(|(name, _)| name).collect();
        let is_set = |name| set.contains(&&name) || launch.token_variables.contains(&name);
        assert!(!launch.removed_variables.iter().any(|name| is_set(*name)));
    }

    #[test]
    fn only_programs_that_read_the_address_of_gemini_get_the_token_for_it() {
        let has_token = |launch: &Launch| {
            let is_removed = launch.removed_variables.contains(&"GEMINI_API_KEY");
            assert_eq!(is_removed, !launch.token_variables.contains(&"GEMINI_API_KEY"));
            assert_eq!(value(launch, "GOOGLE_GEMINI_BASE_URL"), Some("http://127.0.0.1:4283"));
            !is_removed
        };
        for program in ["/usr/bin/python3", "aider", "opencode", "zed", "code"] {
            assert!(!has_token(&launch(program)), "{program}");
            assert!(has_token(&launch(program).with_gemini_token()), "{program}");
        }
        assert!(has_token(&launch("/opt/bin/gemini")));
        let twice = launch("gemini").with_gemini_token();
        let count = twice.token_variables.iter().filter(|it| **it == "GEMINI_API_KEY").count();
        assert_eq!(count, 1);
    }

    #[test]
    fn codex_is_told_its_provider_by_options() {
        let launch = launch("codex");
        assert_eq!(
            launch.arguments.get(..4),
            Some(
                &[
                    "-c",
                    "model_provider=\"gatehouse\"",
                    "-c",
                    "model_providers.gatehouse.name=\"Gatehouse\"",
                ]
                .map(str::to_owned)[..]
            )
        );
        assert!(launch.arguments.contains(
            &"model_providers.gatehouse.base_url=\"http://127.0.0.1:4283/v1\"".to_owned()
        ));
    }

    #[test]
    fn aider_is_told_the_address_and_the_token_by_what_outranks_its_files() {
        let launch = launch("aider");
        let address = "http://127.0.0.1:4283/v1";
        let variable = "OPENAI_BASE_URL=http://127.0.0.1:4283/v1";
        assert_eq!(launch.arguments, ["--openai-api-base", address, "--set-env", variable]);
        assert!(launch.token_variables.contains(&"AIDER_OPENAI_API_KEY"));
    }

    #[cfg(unix)]
    #[test]
    fn continue_is_told_the_file_with_models_of_the_gateway() {
        for (set, file) in [
            (&[("HOME", "/home/me")][..], "/home/me/.continue/models/gatehouse.yaml"),
            (
                &[("HOME", "/home/me"), ("CONTINUE_GLOBAL_DIR", "/srv/continue")],
                "/srv/continue/models/gatehouse.yaml",
            ),
            (
                &[("HOME", "/home/me"), ("CONTINUE_GLOBAL_DIR", "~/other")],
                "/home/me/other/models/gatehouse.yaml",
            ),
        ] {
            assert!(set.iter().all(|(name, _)| Launch::reads(name)));
            assert_eq!(launch_with("/opt/cn", set).arguments, ["--config", file]);
        }
    }

    #[test]
    fn opencode_gets_a_provider_that_reads_the_token_from_its_environment() {
        let launch = launch("/opt/opencode");
        let config = value(&launch, CONFIG_VARIABLE).expect("a variable");
        let config: Value = serde_json::from_str(config).expect("JSON");
        let provider = &config["provider"]["gatehouse"];
        assert_eq!(provider["options"]["apiKey"], "{env:GATEHOUSE_API_KEY}");
        assert!(launch.token_variables.contains(&"GATEHOUSE_API_KEY"));
        assert_eq!(provider["models"]["fast"]["name"], "fast");
    }

    #[test]
    fn what_the_user_has_set_is_kept() {
        let own = r#"{"theme": "x", "provider": {"mine": {}}}"#;
        let launch = launch_with("opencode", &[(CONFIG_VARIABLE, own), ("no_proxy", "corp")]);
        let config = value(&launch, CONFIG_VARIABLE).expect("a variable");
        let config: Value = serde_json::from_str(config).expect("JSON");
        assert_eq!(config["theme"], "x");
        assert!(
            config["provider"]["mine"].is_object() && config["provider"]["gatehouse"].is_object()
        );
        assert_eq!(value(&launch, "no_proxy"), Some("corp,127.0.0.1,localhost"));
        assert_eq!(value(&launch, "NO_PROXY"), Some("127.0.0.1,localhost"));
    }

    #[test]
    fn claude_code_is_told_the_address_by_what_outranks_its_settings() {
        assert_eq!(
            launch("claude").arguments,
            ["--settings", r#"{"env":{"ANTHROPIC_BASE_URL":"http://127.0.0.1:4283"}}"#]
        );
    }
}
