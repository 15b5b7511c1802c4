//! Dimensions of requests.

use crate::words;

words! {
    /// Dimension of a usage report.
    GroupBy {
        Backend = "backend",
        /// The billed model, or the requested one if the backend did not report it.
        Model = "model",
        Client = "client",
        Credential = "credential",
        /// Of the token, or else from the header `x-gatehouse-project`.
        Project = "project",
        /// The matched route. Requests that were deleted before version 11 of the ledger have none.
        Route = "route",
    }
}

impl GroupBy {
    /// True for what the attempts of one request may differ in.
    #[must_use]
    pub const fn is_of_attempts(self) -> bool {
        matches!(self, Self::Backend | Self::Model | Self::Credential)
    }
}
