//! Clients that the user switched to a backend or a route: who they are, and what becomes of them.

use domain::ClientTarget;
use settings::Settings;

/// The clients that the user switched to such a target, in the order of the settings.
pub(in crate::operation) fn clients_switched_to(
    settings: &Settings,
    is_meant: impl Fn(&ClientTarget) -> bool,
) -> Vec<String> {
    let switched = settings
        .clients
        .iter()
        .filter(|(_, client)| client.switched_to.as_ref().is_some_and(&is_meant));
    switched.map(|(id, _)| id.to_string()).collect()
}

/// Replaces the target of every client that is switched to `gone`; `None` lets the routing rules decide.
pub(in crate::operation) fn replace_target(
    draft: &mut Settings,
    gone: &ClientTarget,
    next: Option<&ClientTarget>,
) {
    for client in draft.clients.values_mut() {
        if client.switched_to.as_ref() == Some(gone) {
            client.switched_to = next.cloned();
        }
    }
}
