//! The table of all permitted differences between SDKs, with reasons. Everything else must be
//! equal.

/// Differences caused by a surface or a backend.
struct Difference {
    /// Affected surfaces; empty for all.
    surfaces: &'static [&'static str],
    /// Affected backends; empty for all, and for the provider without a gateway.
    backends: &'static [&'static str],
    /// Affected scenarios; empty for all.
    scenarios: &'static [&'static str],
    /// Parts of the answer that are not compared.
    parts: &'static [&'static str],
    /// The reason, for readers of the table.
    #[expect(dead_code, reason = "the table is for its readers as much as for the tests")]
    why: &'static str,
}

/// The request is refused with 400 and the name of a field.
pub(crate) const REFUSED: &str = "refused";

const TABLE: &[Difference] = &[
    Difference {
        surfaces: &["gemini", "ai-google", "ai-compatible"],
        backends: &[],
        scenarios: &["one-call"],
        parts: &["calls", "usage"],
        why: "Gemini has no switch against parallel calls, and the compatible provider sends none",
    },
    Difference {
        surfaces: &[],
        backends: &["gemini", "ollama"],
        scenarios: &["one-call"],
        parts: &["calls"],
        why: "neither has a switch against parallel calls; what was asked is named as dropped",
    },
    Difference {
        surfaces: &["ai-openai-chat"],
        backends: &[],
        scenarios: &["thinking", "loop"],
        parts: &["thinking"],
        why: "OpenAI shows no reasoning in Chat, so this SDK does not read the member it comes in",
    },
    Difference {
        surfaces: &["ai-anthropic"],
        backends: &["mock"],
        scenarios: &["structured"],
        parts: &["usage"],
        why: "for a model it does not know, this SDK asks for a forced tool, whose name is counted",
    },
    Difference {
        surfaces: &[],
        backends: &["ollama"],
        scenarios: &["any-tool", "named-tool"],
        parts: &[REFUSED],
        why: "Ollama has no tool_choice; a forced call would not be one, so it is refused by name",
    },
    Difference {
        surfaces: &["ai-anthropic"],
        backends: &["ollama"],
        scenarios: &["structured"],
        parts: &[REFUSED],
        why: "for a model it does not know, this SDK asks for a forced tool, which Ollama has not",
    },
];

/// The parts of an answer that are not compared in a cell.
pub(crate) fn permitted_differences(
    surface: &str,
    backend: &str,
    scenario: &str,
) -> Vec<&'static str> {
    let fits = |list: &[&str], name: &str| list.is_empty() || list.contains(&name);
    let of_cell = |difference: &&Difference| {
        fits(difference.surfaces, surface)
            && fits(difference.backends, backend)
            && fits(difference.scenarios, scenario)
    };
    TABLE.iter().filter(of_cell).flat_map(|difference| difference.parts).copied().collect()
}
