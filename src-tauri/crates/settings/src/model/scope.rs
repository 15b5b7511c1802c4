//! Models, backends and routes that a client may use.

use domain::{BackendId, RouteId};

pub const SCOPE_ENTRIES_MAX: usize = 100;

/// Access of a client. An empty list allows everything of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientScope {
    /// Model names as requested; a `*` at the end matches any suffix.
    pub models: Vec<String>,
    pub backends: Vec<BackendId>,
    pub routes: Vec<RouteId>,
}

impl ClientScope {
    #[must_use]
    pub fn allows_model(&self, model: &str) -> bool {
        let fits = |allowed: &String| match allowed.strip_suffix('*') {
            Some(beginning) => model.starts_with(beginning),
            None => model == allowed,
        };
        self.models.is_empty() || self.models.iter().any(fits)
    }

    #[must_use]
    pub fn allows_backend(&self, backend: &BackendId) -> bool {
        self.backends.is_empty() || self.backends.contains(backend)
    }

    /// True if a request may use this route. A listed model without a route has none, and is
    /// allowed only if every route is.
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
