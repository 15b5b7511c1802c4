//! The protocols that Gatehouse translates between, and how a backend may deviate from its
//! protocol.
//!
//! The settings file, the ledger, the command line and the panel all use these words, so each is
//! defined once.

use crate::words;

words! {
    /// A protocol for requests to models and their responses.
    Dialect {
        /// OpenAI Chat Completions: `POST /v1/chat/completions`.
        OpenAiChat = "openai-chat",
        /// OpenAI Responses: `POST /v1/responses`.
        OpenAiResponses = "openai-responses",
        /// Anthropic Messages: `POST /v1/messages`.
        AnthropicMessages = "anthropic-messages",
        /// Google Gemini: `POST /v1beta/models/{model}:generateContent` and its siblings.
        Gemini = "gemini",
        /// Ollama's own chat: `POST /api/chat`. Backends only: no client speaks it to the gateway.
        OllamaChat = "ollama-chat",
    }
}

words! {
    /// A part of Chat Completions that an OpenAI-compatible server does not support. Requests to it
    /// are written without that part, or refused if this would change their meaning.
    UnsupportedFeature {
        /// Usage at the end of streams; tokens are estimated.
        StreamUsage = "stream-usage",
        /// The role `developer`; `system` is sent instead.
        DeveloperRole = "developer-role",
        /// `max_completion_tokens`; `max_tokens` is sent instead.
        MaxCompletionTokens = "max-completion-tokens",
        /// `parallel_tool_calls`.
        ParallelToolCalls = "parallel-tool-calls",
        /// `reasoning_effort`.
        ReasoningEffort = "reasoning-effort",
        /// Structured output (JSON schema).
        JsonSchema = "json-schema",
        /// Tools.
        Tools = "tools",
        /// Images in messages.
        Images = "images",
    }
}

words! {
    /// A protocol that an OpenAI-compatible server speaks besides Chat Completions. Requests in it
    /// pass through untranslated.
    ExtraDialect {
        /// OpenAI's Responses API.
        Responses = "responses",
        /// Anthropic's Messages API.
        Messages = "messages",
    }
}

words! {
    /// How to treat a request field that the backend's dialect cannot express.
    #[derive(Default)]
    TranslationMode {
        /// Refuse fields that would change the response, drop the others.
        #[default]
        Strict = "strict",
        /// Drop all of them; the header x-gatehouse-dropped names them.
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
        assert_eq!(UnsupportedFeature::ALL.len(), UnsupportedFeature::WORDS.len());
        let error = "chat".parse::<TranslationMode>().expect_err("no such word");
        assert_eq!(error.to_string(), "use one of: strict, lenient");
    }
}
