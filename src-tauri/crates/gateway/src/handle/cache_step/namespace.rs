//! Whose cached answers a request may get.

use cache::CacheNamespace;
use settings::ClientScope;

use crate::handle::context::RequestContext;

/// The client's own, or those of the project that the user bound its token to. A project that the
/// client names itself joins nobody.
pub(super) fn cache_namespace(context: &RequestContext) -> CacheNamespace<'_> {
    let client = &*context.client;
    match &client.project {
        Some(project) => CacheNamespace::Project { project, scope: scope_digest(&client.scope) },
        None => CacheNamespace::Client {
            client: &client.id,
            project: context.arrival.project.as_deref(),
        },
    }
}

/// Equal for clients that may use the same: an answer of a backend that a client may not use is none
/// for it.
fn scope_digest(scope: &ClientScope) -> [u8; 32] {
    let ClientScope { models, backends, routes } = scope;
    let mut hasher = blake3::Hasher::new();
    let mut add_list = |names: &mut dyn Iterator<Item = &str>| {
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        hasher.update(&names.len().to_le_bytes());
        for name in names {
            hasher.update(&name.len().to_le_bytes()).update(name.as_bytes());
        }
    };
    add_list(&mut models.iter().map(String::as_str));
    add_list(&mut backends.iter().map(|backend| backend.as_str()));
    add_list(&mut routes.iter().map(|route| route.as_str()));
    hasher.finalize().into()
}
