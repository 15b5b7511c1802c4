//! The protocols of the field, and how a backend may differ from the protocol it speaks.
//!
//! These words stand in the settings file, in the ledger, on the command line and in the panel, so
//! they are spelled once.

/// The text is none of the words that are known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use one of: {}", .allowed.join(", "))]
pub struct UnknownWord {
    /// The words that are known.
    pub allowed: &'static [&'static str],
}

/// Enums whose variants are known by one word each, everywhere.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// Every value, in the order of the variants.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Every word, in the order of the variants.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word that stands for it everywhere.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;
            fn from_str(text: &str) -> Result<Self, $crate::UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::UnknownWord { allowed: Self::WORDS }),
                }
            }
        }
    };
}

words! {
    /// A protocol in which models are asked and answer.
    Dialect {
        /// OpenAI Chat Completions: `POST /v1/chat/completions`.
        OpenAiChat = "openai-chat",
        /// OpenAI Responses: `POST /v1/responses`.
        OpenAiResponses = "openai-responses",
        /// Anthropic Messages: `POST /v1/messages`.
        AnthropicMessages = "anthropic-messages",
        /// Google Gemini: `POST /v1beta/models/{model}:generateContent` and its siblings.
        Gemini = "gemini",
        /// Ollama's own chat: `POST /api/chat`. Spoken to backends only.
        OllamaChat = "ollama-chat",
    }
}

words! {
    /// What an OpenAI-compatible server lacks of Chat Completions. A request is then written without
    /// it, or refused if its meaning would change.
    Lack {
        /// `stream_options.include_usage`: streams are sent without it, and usage is estimated.
        StreamUsage = "stream-usage",
        /// The role `developer`: such messages are sent as `system`.
        DeveloperRole = "developer-role",
        /// `max_completion_tokens`: the older `max_tokens` is sent.
        MaxCompletionTokens = "max-completion-tokens",
        /// `parallel_tool_calls`.
        ParallelToolCalls = "parallel-tool-calls",
        /// `reasoning_effort`.
        ReasoningEffort = "reasoning-effort",
        /// `response_format` with a JSON schema.
        JsonSchema = "json-schema",
        /// `tools`.
        Tools = "tools",
        /// Images in messages.
        Images = "images",
    }
}

words! {
    /// What an OpenAI-compatible server speaks beside Chat Completions; such requests then pass
    /// through untranslated.
    Offer {
        /// `POST /responses`.
        Responses = "responses",
        /// `POST /messages`, as Anthropic has it.
        Messages = "messages",
    }
}

words! {
    /// What becomes of a field that the backend's dialect has no word for.
    #[derive(Default)]
    Crossing {
        /// A field that changes the answer is refused by name; the rest is dropped and named in the
        /// header `x-gatehouse-dropped`.
        #[default]
        Strict = "strict",
        /// Every such field is dropped and named in the header `x-gatehouse-dropped`.
        Lenient = "lenient",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_others_are_refused_with_the_list() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.word().parse(), Ok(*dialect));
        }
        assert_eq!(Lack::ALL.len(), Lack::WORDS.len());
        let error = "chat".parse::<Crossing>().expect_err("no such word");
        assert_eq!(error.to_string(), "use one of: strict, lenient");
    }
}
