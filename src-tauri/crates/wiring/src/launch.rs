//! The environment in which a tool uses the gateway without a change of its files.
//!
//! Most tools and SDKs read an address and a key from variables. A tool that is known by the name of
//! its program gets only those that it reads, and what else it needs. The token is in the child's
//! environment alone.

use std::path::Path;

use serde_json::{Value, json};

use crate::environment::ToolEnvironment;
use crate::opencode_variable::CONFIG_VARIABLE;
use crate::tool::continue_dev::{FOLDER_VARIABLE, models_file};
use crate::tool::opencode::provider_edits;
use crate::tool::{TOKEN_VARIABLE, ToolModel};

/// Gemini CLI and the SDKs named google-genai read it together with [`GEMINI_ADDRESS_VARIABLE`]. Older
/// SDKs, LiteLLM and editors read it alone, and would send the token to Google. So a program that is
/// not known to read both gets neither the token nor a key of the user in it.
const GEMINI_TOKEN_VARIABLE: &str = "GEMINI_API_KEY";
const GEMINI_ADDRESS_VARIABLE: &str = "GOOGLE_GEMINI_BASE_URL";

/// What a program finds in its environment.
struct LaunchVariables {
    /// Hold the address without a path.
    root: &'static [&'static str],
    /// Hold the address with `/v1`.
    v1: &'static [&'static str],
    tokens: &'static [&'static str],
    /// Lead past the gateway: another key that a tool prefers, or a cloud that it asks instead.
    removed: &'static [&'static str],
}

/// OpenAI's SDKs read the first, older tools and Aider the second.
const V1_VARIABLES: &[&str] = &["OPENAI_BASE_URL", "OPENAI_API_BASE"];

/// For a program that is not known: whatever SDK it uses.
const ANY_PROGRAM: LaunchVariables = LaunchVariables {
    root: &["ANTHROPIC_BASE_URL", GEMINI_ADDRESS_VARIABLE],
    v1: V1_VARIABLES,
    tokens: &["ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", TOKEN_VARIABLE],
    removed: &[
        "ANTHROPIC_API_KEY",
        "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_USE_FOUNDRY",
        "CLAUDE_CODE_USE_VERTEX",
        "GOOGLE_API_KEY",
        "GOOGLE_GENAI_USE_GCA",
        "GOOGLE_GENAI_USE_VERTEXAI",
        GEMINI_TOKEN_VARIABLE,
    ],
};

const CLAUDE_CODE: LaunchVariables = LaunchVariables {
    root: &["ANTHROPIC_BASE_URL"],
    v1: &[],
    tokens: &["ANTHROPIC_AUTH_TOKEN"],
    removed: &[
        "ANTHROPIC_API_KEY",
        "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_USE_FOUNDRY",
        "CLAUDE_CODE_USE_VERTEX",
    ],
};

/// Its arguments name the variable. Programs that it starts would send a token in `OPENAI_API_KEY` to
/// OpenAI; a key of the user in that variable is theirs, and Codex does not use it for this provider.
const CODEX: LaunchVariables =
    LaunchVariables { root: &[], v1: &[], tokens: &[TOKEN_VARIABLE], removed: &[] };

const GEMINI_CLI: LaunchVariables = LaunchVariables {
    root: &[GEMINI_ADDRESS_VARIABLE],
    v1: &[],
    tokens: &[GEMINI_TOKEN_VARIABLE],
    removed: &["GOOGLE_API_KEY", "GOOGLE_GENAI_USE_GCA", "GOOGLE_GENAI_USE_VERTEXAI"],
};

/// With another key it would ask that provider by itself.
const AIDER: LaunchVariables = LaunchVariables {
    root: &[],
    v1: V1_VARIABLES,
    tokens: &["OPENAI_API_KEY", AIDER_TOKEN_VARIABLE],
    removed: &["ANTHROPIC_API_KEY", "GOOGLE_API_KEY", GEMINI_TOKEN_VARIABLE],
};

/// Continue, OpenCode and Zed: their files name the token's variable. They would send a token in
/// another one to the provider that it is named after.
const BY_FILE: LaunchVariables = LaunchVariables {
    root: &[],
    v1: &[],
    tokens: &[TOKEN_VARIABLE],
    removed: &["ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY", GEMINI_TOKEN_VARIABLE],
};

/// Variables that keep requests to this machine away from a proxy of the user, which would see the
/// token. Programs read one or the other spelling.
const PROXY_EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Name of Codex CLI's provider while it is run. Another name than that of the wired one, which asks for
/// its token by a command: Codex merges both and refuses a provider with a command and a variable.
const CODEX_PROVIDER: &str = "gatehouse-run";

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

/// Variables that name the user's home folder; the system's own is the first.
pub const HOME_VARIABLES: [&str; 2] =
    if cfg!(windows) { ["USERPROFILE", "HOME"] } else { ["HOME", "USERPROFILE"] };

/// How a program is started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Launch {
    pub variables: Vec<(&'static str, String)>,
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
        let name = program.file_stem().and_then(|name| name.to_str());
        let v1 = format!("{address}/v1");
        let mut launch = Self::with_variables(&variables_of(name), address, &v1);
        for name in PROXY_EXCEPTIONS {
            launch.variables.push((name, with_this_machine(variable(name))));
        }
        match name {
            Some("aider") => launch.arguments = aider_arguments(v1),
            Some("cn") => launch.arguments = continue_arguments(variable),
            Some("codex") => launch.arguments = codex_arguments(&v1),
            Some("claude") => launch.arguments = claude_arguments(address),
            Some("opencode") => {
                let config = opencode_config(address, models, variable(CONFIG_VARIABLE));
                launch.variables.push((CONFIG_VARIABLE, config));
            }
            _ => {}
        }
        launch
    }

    fn with_variables(known: &LaunchVariables, address: &str, v1: &str) -> Self {
        let root = known.root.iter().map(|name| (*name, address.to_owned()));
        let with_path = known.v1.iter().map(|name| (*name, v1.to_owned()));
        Self {
            variables: root.chain(with_path).collect(),
            token_variables: known.tokens.to_vec(),
            removed_variables: known.removed.to_vec(),
            arguments: Vec::new(),
        }
    }

    /// With the token in the variable of Gemini's SDKs too, for a program that reads their address,
    /// which is `address`.
    #[must_use]
    pub fn with_gemini_token(mut self, address: &str) -> Self {
        self.removed_variables.retain(|name| *name != GEMINI_TOKEN_VARIABLE);
        if !self.token_variables.contains(&GEMINI_TOKEN_VARIABLE) {
            self.token_variables.push(GEMINI_TOKEN_VARIABLE);
        }
        if !self.variables.iter().any(|(name, _)| *name == GEMINI_ADDRESS_VARIABLE) {
            self.variables.push((GEMINI_ADDRESS_VARIABLE, address.to_owned()));
        }
        self
    }
}

/// Those that the program reads, where it is known.
fn variables_of(program: Option<&str>) -> LaunchVariables {
    match program {
        Some("aider") => AIDER,
        Some("claude") => CLAUDE_CODE,
        Some("cn" | "opencode" | "zed") => BY_FILE,
        Some("codex") => CODEX,
        Some("gemini") => GEMINI_CLI,
        _ => ANY_PROGRAM,
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
    let provider = |key: &str| format!("model_providers.{CODEX_PROVIDER}.{key}");
    [
        setting("model_provider", toml_text(CODEX_PROVIDER)),
        setting(&provider("name"), toml_text("Gatehouse")),
        setting(&provider("base_url"), toml_text(v1)),
        setting(&provider("wire_api"), toml_text("responses")),
        setting(&provider("env_key"), toml_text(TOKEN_VARIABLE)),
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
        let address = "http://127.0.0.1:4283";
        let has_token = |launch: &Launch| launch.token_variables.contains(&"GEMINI_API_KEY");
        for program in ["/usr/bin/python3", "aider", "opencode", "zed", "code"] {
            let launch = launch(program);
            assert!(!has_token(&launch), "{program}");
            assert!(launch.removed_variables.contains(&"GEMINI_API_KEY"), "{program}");
            let wanted = launch.with_gemini_token(address);
            assert!(has_token(&wanted), "{program}");
            assert!(!wanted.removed_variables.contains(&"GEMINI_API_KEY"), "{program}");
            assert_eq!(value(&wanted, "GOOGLE_GEMINI_BASE_URL"), Some(address), "{program}");
        }
        let gemini = launch("/opt/bin/gemini");
        assert!(has_token(&gemini));
        assert_eq!(value(&gemini, "GOOGLE_GEMINI_BASE_URL"), Some(address));
    }

    #[test]
    fn a_tool_that_is_known_gets_only_the_variables_that_it_reads() {
        for (program, addresses, tokens) in [
            ("claude", &["ANTHROPIC_BASE_URL"][..], &["ANTHROPIC_AUTH_TOKEN"][..]),
            ("codex", &[], &["GATEHOUSE_API_KEY"]),
            ("gemini", &["GOOGLE_GEMINI_BASE_URL"], &["GEMINI_API_KEY"]),
            (
                "aider",
                &["OPENAI_BASE_URL", "OPENAI_API_BASE"],
                &["OPENAI_API_KEY", "AIDER_OPENAI_API_KEY"],
            ),
            ("cn", &[], &["GATEHOUSE_API_KEY"]),
            ("opencode", &[CONFIG_VARIABLE], &["GATEHOUSE_API_KEY"]),
            ("zed", &[], &["GATEHOUSE_API_KEY"]),
        ] {
            let launch = launch(program);
            let set = launch.variables.iter().map(|(name, _)| *name);
            let set: Vec<_> = set.filter(|name| !PROXY_EXCEPTIONS.contains(name)).collect();
            assert_eq!((&set[..], &launch.token_variables[..]), (addresses, tokens), "{program}");
            let is_given = |name| set.contains(name) || launch.token_variables.contains(name);
            assert!(!launch.removed_variables.iter().any(is_given), "{program}");
        }
    }

    #[test]
    fn codex_is_told_its_provider_by_options() {
        let launch = launch("codex");
        assert_eq!(
            launch.arguments.get(..4),
            Some(
                &[
                    "-c",
                    "model_provider=\"gatehouse-run\"",
                    "-c",
                    "model_providers.gatehouse-run.name=\"Gatehouse\"",
                ]
                .map(str::to_owned)[..]
            )
        );
        assert!(launch.arguments.contains(
            &"model_providers.gatehouse-run.base_url=\"http://127.0.0.1:4283/v1\"".to_owned()
        ));
        let variable = "model_providers.gatehouse-run.env_key=\"GATEHOUSE_API_KEY\"".to_owned();
        assert!(launch.arguments.contains(&variable));
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
