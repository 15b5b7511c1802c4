//! What a request asks for, as far as it matters for the choice.

use domain::{ClientId, Dialect};

/// One question to the table.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The model's name as the client wrote it.
    pub model: &'a str,
    /// Who asks.
    pub client: &'a ClientId,
    /// The client's tag for its own bookkeeping.
    pub project: Option<&'a str>,
    /// What the answering model must be able to do.
    pub needs: Needs,
    /// The conversation it belongs to: the same number for the same beginning.
    pub conversation: Option<u64>,
}

/// What the answering model must be able to do. The default needs nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// The request declares tools.
    pub tools: bool,
    /// The request holds images.
    pub vision: bool,
    /// The request wants JSON of a given schema.
    pub json_schema: bool,
    /// The request wants vectors instead of an answer.
    pub vectors: bool,
    /// Estimated tokens of the request; 0: not known.
    pub input_tokens: u64,
    /// The most tokens the answer may have, as the request says; 0: it does not say.
    pub output_tokens: u64,
    /// The dialect of the client; `None`: any.
    pub dialect: Option<Dialect>,
}
