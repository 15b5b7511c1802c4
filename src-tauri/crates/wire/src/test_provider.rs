//! The strict provider of `test-support` as the backend of an exchange. It shares no code with the
//! readers and writers under test, so a fault in one of them shows as a refusal or a difference.

use domain::Dialect;
use test_support::{MockProvider, ProviderAnswer};

use crate::BackendExchange;

/// The provider's answer to the request of `exchange`, in the backend's dialect.
pub(crate) fn provider_answer(exchange: &BackendExchange) -> ProviderAnswer {
    let outgoing = exchange.outgoing();
    let version = match outgoing.dialect {
        Dialect::OpenAiChat | Dialect::OpenAiResponses => "v1/",
        _ => "",
    };
    let query = outgoing.query.map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("/{version}{}{query}", outgoing.path.join("/"));
    MockProvider::answer_post(&path, outgoing.body.clone())
}
