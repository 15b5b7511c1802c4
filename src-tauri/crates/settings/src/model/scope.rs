//! What a client may ask for.

use domain::{BackendId, RouteId};

/// Most entries in each list of a scope.
pub const SCOPE_ENTRIES_MAX: usize = 100;

/// What a client may ask for. An empty list allows everything of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientScope {
    /// Models, by the names that requests use; a `*` at the end stands for any rest.
    pub models: Vec<String>,
    /// Backends that may answer.
    pub backends: Vec<BackendId>,
    /// Routes that requests may take.
    pub routes: Vec<RouteId>,
}

impl ClientScope {
    /// Whether a request may name `model`.
    #[must_use]
    pub fn allows_model(&self, model: &str) -> bool {
        let fits = |allowed: &String| match allowed.strip_suffix('*') {
            Some(beginning) => model.starts_with(beginning),
            None => model == allowed,
        };
        self.models.is_empty() || self.models.iter().any(fits)
    }

    /// Whether `backend` may answer.
    #[must_use]
    pub fn allows_backend(&self, backend: &BackendId) -> bool {
        self.backends.is_empty() || self.backends.contains(backend)
    }

    /// Whether a request may take the route of this name. A model that is listed without a route has
    /// none, and is allowed only where every route is.
    #[must_use]
    pub fn allows_route(&self, route: &str) -> bool {
        self.routes.is_empty() || self.routes.iter().any(|allowed| allowed.as_str() == route)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_allows_everything_and_a_list_what_it_names() {
        let (corp, other) = (BackendId::new("corp").expect("an id"), BackendId::new("other"));
        let all = ClientScope::default();
        assert!(all.allows_model("gpt") && all.allows_backend(&corp) && all.allows_route("fast"));
        let some = ClientScope {
            models: vec!["gpt-4o".to_owned(), "claude-*".to_owned()],
            backends: vec![corp.clone()],
            routes: vec![RouteId::new("fast").expect("an id")],
        };
        for (model, allowed) in [
            ("gpt-4o", true),
            ("gpt-4o-mini", false),
            ("corp/gpt-4o", false),
            ("claude-sonnet", true),
            ("claude", false),
            ("", false),
        ] {
            assert_eq!(some.allows_model(model), allowed, "{model}");
        }
        assert!(some.allows_backend(&corp) && !some.allows_backend(&other.expect("an id")));
        assert!(some.allows_route("fast") && !some.allows_route("slow"));
    }
}
