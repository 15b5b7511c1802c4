//! The properties of a request that routing depends on.

use domain::{ClientId, ClientTarget, Dialect};

/// A request, as far as the route table needs to know it.
#[derive(Debug, Clone, Copy)]
pub struct RoutingRequest<'a> {
    /// The model name, as the client wrote it.
    pub model: &'a str,
    pub client: &'a ClientId,
    /// What the user switched the client to; `None` if the routing rules decide. Requests for embeddings
    /// are not switched: vectors of another model cannot be compared with those that the client has.
    pub switched_to: Option<&'a ClientTarget>,
    /// A tag the client sets for its own accounting.
    pub project: Option<&'a str>,
    pub needs: Needs,
    /// Fingerprint of the conversation's beginning, which identifies the conversation.
    pub conversation: Option<u64>,
}

impl<'a> RoutingRequest<'a> {
    /// The target that decides about this request.
    pub(crate) fn target(&self) -> Option<&'a ClientTarget> {
        self.switched_to.filter(|_| !self.needs.embeddings)
    }
}

/// What the model must support to answer the request. The default requires nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    pub tools: bool,
    pub vision: bool,
    /// The request asks for JSON that follows a schema.
    pub json_schema: bool,
    pub embeddings: bool,
    /// Estimated tokens of the request; 0 if unknown.
    pub input_tokens: u64,
    /// Maximum tokens of the answer, as the request sets it; 0 if it sets none.
    pub output_tokens: u64,
    /// The client's dialect; `None` for any.
    pub dialect: Option<Dialect>,
}
