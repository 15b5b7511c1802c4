//! The protocol a backend speaks.

crate::words! {
    /// The protocol a backend speaks.
    BackendKind {
        /// OpenAI itself.
        OpenAi = "openai",
        /// Anthropic's Messages API.
        Anthropic = "anthropic",
        /// Google's Gemini API.
        Gemini = "gemini",
        /// Any other server with a Chat Completions API.
        OpenAiCompatible = "openai-compatible",
        /// Ollama's chat API.
        Ollama = "ollama",
        /// The built-in mock.
        Mock = "mock",
    }
}
