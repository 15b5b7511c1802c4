//! The wall around the providers' JSON: only `wire` knows their field names.
//!
//! Tests may hold answers of providers, and so may what stands outside of the gateway and speaks to
//! it as any client does: the checks of `readiness`, the playground, and the snippets of `control`.

use anyhow::{Context, Result};

use crate::repository::Repository;

/// The crates that a request passes through, besides `wire`.
const CRATES: [&str; 6] = ["cache", "endpoints", "engine", "gateway", "ledger", "monitor"];

/// Fields that some provider's JSON has and nothing of ours is called.
const FIELDS: [&str; 28] = [
    "cache_creation_input_tokens",
    "candidatesTokenCount",
    "choices",
    "completion_tokens",
    "content_block",
    "delta",
    "eval_count",
    "finishReason",
    "functionCall",
    "functionDeclarations",
    "generationConfig",
    "inlineData",
    "input_tokens_details",
    "logprobs",
    "max_completion_tokens",
    "max_output_tokens",
    "prompt_tokens",
    "promptTokenCount",
    "reasoning_content",
    "response_format",
    "stop_reason",
    "stop_sequence",
    "systemInstruction",
    "thinkingConfig",
    "thoughtSignature",
    "tool_call_id",
    "tool_use",
    "usageMetadata",
];

/// The lines that name a provider's field outside `wire`.
pub(super) fn find(repository: &Repository) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for file in repository.files()? {
        let path = file.to_string_lossy().replace('\\', "/");
        if !is_inside(&path) {
            continue;
        }
        let source = std::fs::read_to_string(repository.root.join(&file))
            .with_context(|| format!("could not read {path}"))?;
        faults.extend(fields(&source).map(|(line, field)| {
            format!(
                "{path}:{line}: `{field}` is a provider's field; only wire reads and writes those"
            )
        }));
    }
    Ok(faults)
}

fn is_inside(path: &str) -> bool {
    let Some(inside) = path.strip_prefix("src-tauri/crates/") else { return false };
    let Some((name, file)) = inside.split_once("/src/") else { return false };
    CRATES.contains(&name) && file.ends_with(".rs") && !file.contains("tests")
}

/// The fields in `source` with their lines, without comments and the tests at its end.
fn fields(source: &str) -> impl Iterator<Item = (usize, &'static str)> {
    let code = source.lines().take_while(|line| *line != "#[cfg(test)]").enumerate();
    let code = code.filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.flat_map(|(index, line)| {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        let field = words.find_map(|word| FIELDS.into_iter().find(|field| *field == word));
        field.map(|field| (index + 1, field))
    })
}

#[cfg(test)]
mod tests {
    use super::{fields, is_inside};

    #[test]
    fn a_field_is_found_as_a_whole_word_outside_comments_and_tests() {
        let found = |source: &str| fields(source).collect::<Vec<_>>();
        assert_eq!(found("struct Chunk {\n    choices: Vec<u8>,\n}"), [(2, "choices")]);
        assert_eq!(found("value.pointer(\"/choices/0/delta\")"), [(1, "choices")]);
        assert_eq!(found("/// `choices`.\nlet multiple_choices = 1;"), []);
        assert_eq!(found("fn a() {}\n#[cfg(test)]\nconst A: &str = \"choices\";"), []);
    }

    #[test]
    fn only_sources_of_the_crates_inside_are_read() {
        assert!(is_inside("src-tauri/crates/gateway/src/handle/relay.rs"));
        for path in [
            "src-tauri/crates/wire/src/usage.rs",
            "src-tauri/crates/gateway/tests/http/usage.rs",
            "src-tauri/crates/ledger/src/tests/records.rs",
            "ui/src/main.tsx",
        ] {
            assert!(!is_inside(path), "{path}");
        }
    }
}
