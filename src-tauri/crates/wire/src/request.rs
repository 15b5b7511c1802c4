//! What is read from a client's request before it is sent: its needs, its terms of billing, its
//! digest, and why it is refused.

pub(crate) mod billing_terms;
pub(crate) mod client_request;
pub(crate) mod request_digest;
pub(crate) mod request_error;
pub(crate) mod request_needs;
pub(crate) mod token_count;
