//! Vectors of texts.

use hyper::Response;

use crate::answer::AnswerBody;
use crate::gateway::Gateway;
use crate::pipeline::{Call, ledger_closed};
use crate::route::Embedded;

impl Gateway {
    pub(crate) async fn embed(&self, _embedded: Embedded, call: Call<'_>) -> Response<AnswerBody> {
        ledger_closed().answer(call.arrival.dialect)
    }
}
