//! How an access stands, as far as probes and traffic tell.

use domain::Access;
use engine::{Engine, KeyState};
use monitor::State;

use crate::view::{AvailabilityState, AvailabilityView};

pub(super) fn availability(engine: &Engine, access: &Access) -> AvailabilityView {
    let view = |state, why: &str| AvailabilityView {
        credential: access.credential.as_ref().map(ToString::to_string),
        state,
        percent: None,
        why: why.to_owned(),
        since: None,
        until: None,
    };
    let settings = engine.settings();
    if settings.backends.get(&access.backend).is_some_and(|known| !known.enabled) {
        return view(AvailabilityState::Off, "The backend is switched off.");
    }
    if let Some(key) = &access.credential {
        let standing = engine.key_standing(key);
        if matches!(standing.state, KeyState::Rejected | KeyState::Missing) {
            return view(AvailabilityState::Blocked, &standing.reason.unwrap_or_default());
        }
    }
    match engine.health(&access.backend) {
        Some(health) if health.state == State::Down => {
            view(AvailabilityState::Open, &health.reason)
        }
        _ => view(AvailabilityState::Ready, "Nothing holds it back."),
    }
}
