//! Names of one model: providers answer with a dated form of the name that was sent.

/// True if one name is the other one, or a dated form of it: `gpt-4o` and `gpt-4o-2024-08-06`,
/// `gemini-2.0-flash` and `models/gemini-2.0-flash-001`, `claude-3-5-sonnet-latest` and
/// `claude-3-5-sonnet-20241022`, `llama3.2` and Ollama's `llama3.2:latest`. Another size or version is
/// another model, and so is what OpenRouter sells after a colon at another price.
#[must_use]
pub fn is_dated_form(one: &str, other: &str) -> bool {
    let plain = |name: &str| {
        let last = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase().replace('@', "-");
        let undated = last.strip_suffix("-latest").or_else(|| last.strip_suffix(":latest"));
        undated.map(str::to_owned).unwrap_or(last)
    };
    let (one, other) = (plain(one), plain(other));
    let (long, short) = if one.len() > other.len() { (one, other) } else { (other, one) };
    !short.is_empty() && long.strip_prefix(short.as_str()).is_some_and(is_date)
}

/// Nothing, or `-2024-08-06`, `-20241022`, `-0613`, `-001`, `-05-06`.
fn is_date(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix('-') else { return rest.is_empty() };
    let lengths: Option<Vec<usize>> = rest
        .split('-')
        .map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then_some(part.len()))
        .collect();
    matches!(lengths.as_deref(), Some([3 | 4 | 6 | 8] | [2, 2] | [2, 4] | [4, 2, 2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dated_name_is_the_same_model_and_another_version_is_not() {
        for (one, other) in [
            ("gpt-4o", "gpt-4o"),
            ("gpt-4o", "gpt-4o-2024-08-06"),
            ("openai/gpt-4o", "GPT-4o"),
            ("gpt-4-0613", "gpt-4"),
            ("gemini-2.0-flash", "models/gemini-2.0-flash-001"),
            ("gemini-2.5-pro-preview", "gemini-2.5-pro-preview-05-06"),
            ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
            ("claude-sonnet-4", "claude-sonnet-4@20250514"),
            ("claude-sonnet-4-20250514", "claude-sonnet-4@20250514"),
            ("llama3.2", "llama3.2:latest"),
        ] {
            assert!(is_dated_form(one, other) && is_dated_form(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("gpt-4", "gpt-4o"),
            ("gpt-4", "gpt-4.1"),
            ("gpt-4", "gpt-41"),
            ("gpt-4o", "gpt-4o-mini"),
            ("llama-3", "llama-3-8b"),
            ("llama-3", "llama-3-70"),
            ("gpt-4o", "llama-70b"),
            ("llama3.2", "llama3.2:1b"),
            ("deepseek-r1", "deepseek/deepseek-r1:free"),
            (":latest", "llama3.2"),
            ("", "gpt-4o"),
            ("openai/", ""),
        ] {
            assert!(!is_dated_form(one, other), "{one} {other}");
        }
    }
}
