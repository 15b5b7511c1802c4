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
        /// Not requested; tokens are estimated.
        StreamUsage = "stream-usage",
        /// Sent as system messages instead.
        DeveloperRole = "developer-role",
        /// max_tokens is sent instead.
        MaxCompletionTokens = "max-completion-tokens",
        /// The field is not sent.
        ParallelToolCalls = "parallel-tool-calls",
        /// The field is not sent.
        ReasoningEffort = "reasoning-effort",
        /// Structured output is not supported.
        JsonSchema = "json-schema",
        /// Tool calls are not supported.
        Tools = "tools",
        /// Image input is not supported.
        Images = "images",
    }
}

words! {
    /// A protocol that an OpenAI-compatible server speaks besides Chat Completions. Requests in it
    /// pass through untranslated.
    ExtraDialect {
        /// POST /responses is passed through unchanged.
        Responses = "responses",
        /// POST /messages (Anthropic's format) is passed through unchanged.
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
