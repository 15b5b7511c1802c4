//! Where the requests of a switched client go.

use std::fmt;

use crate::id::{BackendId, RouteId};

/// What the user switched a client to, instead of what the routing rules choose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ClientTarget {
    Backend(BackendId),
    Route(RouteId),
}

impl fmt::Display for ClientTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backend(id) => write!(f, "the backend {id}"),
            Self::Route(id) => write!(f, "the route {id}"),
        }
    }
}
