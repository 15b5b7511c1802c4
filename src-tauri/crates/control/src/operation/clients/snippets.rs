//! Snippets that point a client at the gateway: configuration of known tools, and code. No snippet
//! holds a token; each runs `gatehouse token` when it needs one.

use domain::ClientId;

use crate::view::SnippetView;

/// Returns the snippets of a client. If its name says which tool it is, that tool's snippet is
/// first.
pub(super) fn client_snippets(address: &str, id: &ClientId) -> Vec<SnippetView> {
    let (claude, codex) = (claude_code_snippet(address, id), codex_snippet(address, id));
    let general = general_snippets(address, id);
    match id.as_str() {
        name if name.contains("claude") => [vec![claude], general, vec![codex]].concat(),
        name if name.contains("codex") => [vec![codex], general, vec![claude]].concat(),
        _ => [general, vec![claude, codex]].concat(),
    }
}

/// The snippet of a client that reads metrics.
pub(super) fn metrics_snippets(address: &str, id: &ClientId) -> Vec<SnippetView> {
    let target = address.trim_start_matches("http://");
    let code = format!(
        "scrape_configs:\n  - job_name: gatehouse\n    authorization:\n      # gatehouse token {id} > gatehouse.token\n      credentials_file: gatehouse.token\n    static_configs:\n      - targets: [\"{target}\"]"
    );
    vec![new_snippet("Prometheus (prometheus.yml)", code)]
}

fn new_snippet(title: &str, code: String) -> SnippetView {
    SnippetView { title: title.to_owned(), code }
}

/// Claude Code runs the helper to get its token, and appends `/v1/messages` to the address itself.
fn claude_code_snippet(address: &str, id: &ClientId) -> SnippetView {
    let code = format!(
        "{{\n  \"apiKeyHelper\": \"gatehouse token {id}\",\n  \"env\": {{\n    \"ANTHROPIC_BASE_URL\": \"{address}\"\n  }}\n}}"
    );
    new_snippet("Claude Code (~/.claude/settings.json)", code)
}

/// Codex speaks only the Responses API, and runs a provider's command to get its token.
fn codex_snippet(address: &str, id: &ClientId) -> SnippetView {
    let code = format!(
        "model_provider = \"gatehouse\"\n\n[model_providers.gatehouse]\nname = \"Gatehouse\"\nbase_url = \"{address}/v1\"\nwire_api = \"responses\"\n\n[model_providers.gatehouse.auth]\ncommand = \"gatehouse\"\nargs = [\"token\", \"{id}\"]"
    );
    new_snippet("Codex (~/.codex/config.toml)", code)
}

fn general_snippets(address: &str, id: &ClientId) -> Vec<SnippetView> {
    vec![
        new_snippet(
            "curl",
            format!(
                "curl {address}/v1/chat/completions \\\n  -H \"authorization: Bearer $(gatehouse token {id})\" \\\n  -H 'content-type: application/json' \\\n  -d '{{\"model\":\"mock/echo\",\"messages\":[{{\"role\":\"user\",\"content\":\"hello\"}}]}}'"
            ),
        ),
        new_snippet(
            "Shell",
            format!(
                "export OPENAI_BASE_URL={address}/v1\nexport OPENAI_API_KEY=\"$(gatehouse token {id})\""
            ),
        ),
        new_snippet(
            "Python",
            format!(
                "import subprocess\nfrom openai import OpenAI\n\ntoken = subprocess.check_output([\"gatehouse\", \"token\", \"{id}\"], text=True).strip()\nclient = OpenAI(base_url=\"{address}/v1\", api_key=token)\nanswer = client.chat.completions.create(\n    model=\"mock/echo\", messages=[{{\"role\": \"user\", \"content\": \"hello\"}}]\n)\nprint(answer.choices[0].message.content)"
            ),
        ),
        new_snippet(
            "Node",
            format!(
                "import {{ execFileSync }} from \"node:child_process\";\nimport OpenAI from \"openai\";\n\nconst apiKey = execFileSync(\"gatehouse\", [\"token\", \"{id}\"], {{ encoding: \"utf8\" }}).trim();\nconst client = new OpenAI({{ baseURL: \"{address}/v1\", apiKey }});\nconst answer = await client.chat.completions.create({{\n  model: \"mock/echo\",\n  messages: [{{ role: \"user\", content: \"hello\" }}],\n}});\nconsole.log(answer.choices[0].message.content);"
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "http://127.0.0.1:4283";

    fn titles(name: &str) -> Vec<String> {
        let id = ClientId::new(name).expect("an id");
        client_snippets(ADDRESS, &id).into_iter().map(|snippet| snippet.title).collect()
    }

    #[test]
    fn a_tools_own_snippet_comes_first_for_a_client_of_its_name() {
        assert!(titles("claude-code")[0].starts_with("Claude Code"));
        assert!(titles("codex-cli")[0].starts_with("Codex"));
        assert_eq!(titles("zed")[0], "curl");
        for name in ["claude-code", "codex", "zed"] {
            assert_eq!(titles(name).len(), 6, "{name} has every snippet");
        }
    }

    #[test]
    fn claude_code_and_codex_ask_for_the_token_when_they_run() {
        let id = ClientId::new("demo").expect("an id");
        let settings: serde_json::Value =
            serde_json::from_str(&claude_code_snippet(ADDRESS, &id).code).expect("JSON");
        assert_eq!(settings["apiKeyHelper"], "gatehouse token demo");
        assert_eq!(settings["env"]["ANTHROPIC_BASE_URL"], ADDRESS);
        let config = codex_snippet(ADDRESS, &id).code;
        assert!(config.contains("base_url = \"http://127.0.0.1:4283/v1\""), "{config}");
        assert!(config.contains("wire_api = \"responses\""), "{config}");
        assert!(config.contains("args = [\"token\", \"demo\"]"), "{config}");
    }
}
