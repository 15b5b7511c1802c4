//! What a request says about how its answer is billed, read before it is sent: the service tier, the
//! region and the provider's tools that the model may call.

use domain::{Dialect, Meter, MeteredUsage, PriceTier};
use serde_json::value::RawValue;

use crate::json::{self, Members, array_items};

/// The terms that a request asks for. What it does not say, such as the tier that a provider's project
/// has by default, is not known before the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingTerms {
    /// The tiers that the answer may be made at, at least one. A provider may fall back to the standard
    /// tier from each of them.
    pub tiers: &'static [PriceTier],
    /// `tiers`, and where the request names none, those that the provider's project or organisation may
    /// have by default.
    pub tiers_possible: &'static [PriceTier],
    pub region: Option<String>,
    /// Most calls of the provider's tools, as far as the request says how many.
    pub tool_calls: MeteredUsage,
    /// True if the model may be called several times for one answer, each time with what a tool of the
    /// provider has found or with the conversation that is to be compacted.
    pub has_rounds: bool,
    /// True if the model may call tools of the provider, whose calls may have a price of their own.
    pub has_provider_tools: bool,
}

impl Default for BillingTerms {
    fn default() -> Self {
        Self {
            tiers: &[PriceTier::Standard],
            tiers_possible: &[PriceTier::Standard],
            region: None,
            tool_calls: MeteredUsage::default(),
            has_rounds: false,
            has_provider_tools: false,
        }
    }
}

impl BillingTerms {
    /// Reads `members`, the top level of a request.
    pub(crate) fn read(dialect: Dialect, members: &Members<'_>) -> Self {
        let word = |name: &str| members.string(name).map(|word| word.to_ascii_lowercase());
        let terms = match dialect {
            Dialect::OpenAiChat | Dialect::OpenAiResponses => {
                let tier = word("service_tier").filter(|tier| !tier.is_empty());
                Self {
                    tiers: openai_tiers(tier.as_deref()),
                    tiers_possible: openai_tiers(tier.as_deref().or(Some("auto"))),
                    ..Self::default()
                }
            }
            Dialect::AnthropicMessages => {
                let tier = word("service_tier").filter(|tier| !tier.is_empty());
                let speed = word("speed");
                Self {
                    tiers: anthropic_tiers(tier.as_deref(), speed.as_deref()),
                    tiers_possible: anthropic_tiers(
                        tier.as_deref().or(Some("auto")),
                        speed.as_deref(),
                    ),
                    region: word("inference_geo").filter(|region| region != "global"),
                    has_rounds: compacts(members),
                    ..Self::default()
                }
            }
            Dialect::Gemini => {
                let tier = word("serviceTier").or_else(|| word("service_tier"));
                let tiers = gemini_tiers(tier.as_deref());
                Self { tiers, tiers_possible: tiers, ..Self::default() }
            }
            Dialect::OllamaChat => Self::default(),
        };
        terms.with_tools(dialect, members)
    }

    fn with_tools(mut self, dialect: Dialect, members: &Members<'_>) -> Self {
        if dialect == Dialect::OpenAiChat {
            // A model that searches does so for every answer.
            if members.get("web_search_options").is_some() {
                self.tool_calls.count(Meter::WebSearch, 1);
                self.has_provider_tools = true;
            }
            return self;
        }
        let mut meters = Vec::new();
        for tool in members.get("tools").and_then(array_items).unwrap_or_default() {
            let Ok(tool) = Members::parse(tool.get()) else { continue };
            let tools = match dialect {
                Dialect::Gemini => gemini_tools(&tool),
                _ => tool.string("type").and_then(|kind| server_tool(&kind)).into_iter().collect(),
            };
            for meter in tools {
                self.has_rounds = true;
                self.has_provider_tools = true;
                meters.extend(meter);
                if let (Some(meter), Some(most)) = (meter, count(tool.get("max_uses"))) {
                    self.tool_calls.count(meter, most);
                }
            }
        }
        if dialect == Dialect::OpenAiResponses
            && let Some(most) = count(members.get("max_tool_calls"))
        {
            // Of all tools together, each of which has its own price.
            meters.into_iter().for_each(|meter| self.tool_calls.set(meter, most));
        }
        self
    }
}

/// <https://platform.openai.com/docs/api-reference/chat/create>. `auto` is what the project is set to,
/// and holds for a request that names no tier; the usual one is the standard tier.
fn openai_tiers(word: Option<&str>) -> &'static [PriceTier] {
    match word {
        None | Some("default" | "standard" | "on_demand") => &[PriceTier::Standard],
        Some("flex") => &[PriceTier::Flex],
        Some("priority") => &[PriceTier::Priority],
        Some("scale") => &[PriceTier::Reserved],
        Some(_) => PriceTier::ALL,
    }
}

/// <https://docs.anthropic.com/en/api/service-tiers>: capacity that is paid in advance is used where
/// there is some (`auto`, also where no tier is named). The fast mode is not offered with another tier.
fn anthropic_tiers(tier: Option<&str>, speed: Option<&str>) -> &'static [PriceTier] {
    match (tier, speed) {
        (_, Some("fast")) => &[PriceTier::Fast],
        (_, Some(speed)) if speed != "standard" => PriceTier::ALL,
        (None | Some("standard_only"), _) => &[PriceTier::Standard],
        (Some("auto"), _) => &[PriceTier::Standard, PriceTier::Priority],
        (Some(_), _) => PriceTier::ALL,
    }
}

/// <https://ai.google.dev/gemini-api/docs/optimization>.
fn gemini_tiers(word: Option<&str>) -> &'static [PriceTier] {
    match word.map(|word| word.strip_prefix("service_tier_").unwrap_or(word)) {
        None | Some("" | "standard" | "unspecified") => &[PriceTier::Standard],
        Some("flex") => &[PriceTier::Flex],
        Some("priority") => &[PriceTier::Priority],
        Some(_) => PriceTier::ALL,
    }
}

/// What a tool of Anthropic's or OpenAI's is billed by: `Some(None)` if by the tokens of what it finds.
/// `None` for tools that the client runs. Their types end with a date at Anthropic.
fn server_tool(kind: &str) -> Option<Option<Meter>> {
    let is = |name: &str| kind.starts_with(name);
    if is("web_search") {
        Some(Some(Meter::WebSearch))
    } else if is("web_fetch") {
        Some(Some(Meter::WebFetch))
    } else if is("file_search") {
        Some(Some(Meter::FileSearch))
    } else if is("code_execution") || is("code_interpreter") {
        Some(Some(Meter::CodeExecution))
    } else if is("image_generation") || is("mcp") || is("advisor") {
        Some(None)
    } else {
        None
    }
}

fn gemini_tools(tool: &Members<'_>) -> Vec<Option<Meter>> {
    let meter = |name: &str| match name {
        "googleSearch" | "google_search" | "googleSearchRetrieval" | "google_search_retrieval" => {
            Some(Some(Meter::WebSearch))
        }
        "googleMaps" | "google_maps" => Some(Some(Meter::MapSearch)),
        "urlContext" | "url_context" | "codeExecution" | "code_execution" | "fileSearch"
        | "file_search" => Some(None),
        _ => None,
    };
    tool.entries().filter_map(|(name, _)| meter(name)).collect()
}

/// True if the provider is to compact a long conversation, which is a call of its own.
fn compacts(members: &Members<'_>) -> bool {
    let edits = members.object("context_management");
    let edits = edits.get("edits").map(RawValue::get).unwrap_or_default();
    json::string_values(edits).any(|word| word.starts_with("compact"))
}

fn count(value: Option<&RawValue>) -> Option<u64> {
    value?.get().parse().ok()
}

#[cfg(test)]
mod tests {
    use PriceTier::{Fast, Flex, Priority, Reserved, Standard};

    use super::*;

    fn terms(dialect: Dialect, json: &str) -> BillingTerms {
        BillingTerms::read(dialect, &Members::parse(json).expect("an object"))
    }

    #[test]
    fn the_tier_and_the_region_are_asked_for_in_the_words_of_each_vendor() {
        let (chat, responses) = (Dialect::OpenAiChat, Dialect::OpenAiResponses);
        let (messages, gemini) = (Dialect::AnthropicMessages, Dialect::Gemini);
        for (dialect, json, tiers) in [
            (chat, "{}", [Standard].as_slice()),
            (chat, r#"{"service_tier":null}"#, &[Standard]),
            (chat, r#"{"service_tier":"default"}"#, &[Standard]),
            (chat, r#"{"service_tier":"priority"}"#, &[Priority]),
            (responses, r#"{"service_tier":"flex"}"#, &[Flex]),
            (responses, r#"{"service_tier":"scale"}"#, &[Reserved]),
            (responses, r#"{"service_tier":"auto"}"#, PriceTier::ALL),
            (messages, "{}", &[Standard]),
            (messages, r#"{"service_tier":"standard_only"}"#, &[Standard]),
            (messages, r#"{"service_tier":"auto"}"#, &[Standard, Priority]),
            (messages, r#"{"service_tier":"auto","speed":"fast"}"#, &[Fast]),
            (messages, r#"{"speed":"standard"}"#, &[Standard]),
            (messages, r#"{"speed":"warp"}"#, PriceTier::ALL),
            (gemini, r#"{"serviceTier":"SERVICE_TIER_PRIORITY"}"#, &[Priority]),
            (gemini, r#"{"service_tier":"flex"}"#, &[Flex]),
            (gemini, r#"{"serviceTier":"tomorrow"}"#, PriceTier::ALL),
            (Dialect::OllamaChat, r#"{"service_tier":"flex"}"#, &[Standard]),
        ] {
            assert_eq!(terms(dialect, json).tiers, tiers, "{dialect:?} {json}");
        }
        for (dialect, json, possible) in [
            (chat, "{}", PriceTier::ALL),
            (responses, r#"{"service_tier":""}"#, PriceTier::ALL),
            (responses, r#"{"service_tier":null}"#, PriceTier::ALL),
            (chat, r#"{"service_tier":"default"}"#, &[Standard]),
            (chat, r#"{"service_tier":"flex"}"#, &[Flex]),
            (messages, "{}", &[Standard, Priority]),
            (messages, r#"{"service_tier":"standard_only"}"#, &[Standard]),
            (messages, r#"{"speed":"fast"}"#, &[Fast]),
            (gemini, "{}", &[Standard]),
            (gemini, r#"{"serviceTier":"flex"}"#, &[Flex]),
        ] {
            assert_eq!(terms(dialect, json).tiers_possible, possible, "{dialect:?} {json}");
        }
        let region = |json: &str| terms(messages, json).region;
        assert_eq!(region(r#"{"inference_geo":"us"}"#).as_deref(), Some("us"));
        assert_eq!(region(r#"{"inference_geo":"global"}"#), None);
    }

    #[track_caller]
    fn check_tools(dialect: Dialect, json: &str, calls: &[(Meter, u64)], has_rounds: bool) {
        let terms = terms(dialect, json);
        let got: Vec<_> = terms.tool_calls.iter().collect();
        assert_eq!((got.as_slice(), terms.has_rounds), (calls, has_rounds), "{json}");
        let is_compaction = json.contains("compact");
        let has_tools = !calls.is_empty() || (has_rounds && !is_compaction);
        assert_eq!(terms.has_provider_tools, has_tools, "{json}");
    }

    #[test]
    fn tools_of_the_provider_are_told_from_those_of_the_client() {
        let messages = Dialect::AnthropicMessages;
        check_tools(
            messages,
            r#"{"tools":[{"name":"web_search"},{"type":"bash_20250124"}]}"#,
            &[],
            false,
        );
        check_tools(
            messages,
            r#"{"tools":[{"type":"web_search_20250305","max_uses":5},{"type":"web_fetch_20250910"}]}"#,
            &[(Meter::WebSearch, 5)],
            true,
        );
        let edits = r#"{"context_management":{"edits":[{"type":"EDIT"}]}}"#;
        check_tools(messages, &edits.replace("EDIT", "compact_20260112"), &[], true);
        check_tools(messages, &edits.replace("EDIT", "clear_thinking_20251015"), &[], false);
        let responses = Dialect::OpenAiResponses;
        let both = r#"{"tools":[{"type":"function"},{"type":"web_search"},{"type":"file_search"}]"#;
        check_tools(responses, &format!("{both}}}"), &[], true);
        check_tools(
            responses,
            &format!(r#"{both},"max_tool_calls":3}}"#),
            &[(Meter::WebSearch, 3), (Meter::FileSearch, 3)],
            true,
        );
        check_tools(responses, r#"{"tools":[{"type":"function"}],"max_tool_calls":3}"#, &[], false);
        let searched = [(Meter::WebSearch, 1)];
        check_tools(Dialect::OpenAiChat, r#"{"web_search_options":{}}"#, &searched, false);
        check_tools(Dialect::Gemini, r#"{"tools":[{"functionDeclarations":[]}]}"#, &[], false);
        check_tools(Dialect::Gemini, r#"{"tools":[{"googleSearch":{}}]}"#, &[], true);
    }
}
