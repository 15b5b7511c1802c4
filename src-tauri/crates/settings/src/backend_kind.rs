//! The protocol a backend speaks.

domain::words! {
    /// The protocol a backend speaks.
    BackendKind {
        /// OpenAI itself, with its whole API.
        OpenAi = "openai",
        /// Anthropic's Messages API.
        Anthropic = "anthropic",
        /// Google's Gemini API.
        Gemini = "gemini",
        /// Another server with OpenAI's Chat Completions API.
        OpenAiCompatible = "openai-compatible",
        /// Ollama's own chat API.
        Ollama = "ollama",
        /// The built-in mock.
        Mock = "mock",
    }
}
