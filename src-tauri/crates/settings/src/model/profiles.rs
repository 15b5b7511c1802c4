//! Profiles: sets of backends for work, home or a demo, of which one is in use at a time.
//!
//! A backend that no profile names is in all of them, so that a new backend works at once. Routes
//! follow their candidates, and keys, budgets and prices belong to backends: a profile names these
//! alone.

use domain::{BackendId, ProfileId};

use super::{BackendSettings, RouteSettings};
use crate::Settings;
use crate::setting::settings;

/// Most profiles. They are a menu.
pub const PROFILES_MAX: usize = 20;

settings! {
    pub ProfileSettings in "profile", keys "profile_" {
        /// The profile in use. Without one, all backends are.
        active: Option<ProfileId>;
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// Used only in this profile and in others that name them. One that is missing is skipped, with
    /// a warning.
    pub backends: Vec<BackendId>,
}

impl Settings {
    /// True unless the profile in use leaves this backend out.
    #[must_use]
    pub fn is_in_profile(&self, backend: &BackendId) -> bool {
        let Some(active) = &self.profile.active else { return true };
        let names = |profile: &Profile| profile.backends.contains(backend);
        self.profiles.get(active).is_some_and(names) || !self.profiles.values().any(names)
    }

    /// True for a backend that is switched on and in the profile in use.
    #[must_use]
    pub fn is_backend_on(&self, backend: &BackendId) -> bool {
        self.backends.get(backend).is_some_and(|known| known.enabled) && self.is_in_profile(backend)
    }

    /// Why a backend gets no requests; completes "the backend …". `None` if it is on.
    #[must_use]
    pub fn why_backend_is_off(&self, backend: &BackendId) -> Option<String> {
        if self.is_backend_on(backend) {
            return None;
        }
        let profile = self.profile.active.as_ref().filter(|_| !self.is_in_profile(backend));
        Some(match profile {
            Some(profile) => format!("is not in the profile {profile}"),
            None => "is switched off".to_owned(),
        })
    }

    /// The backends that are switched on and in the profile in use, in the order of the file.
    pub fn backends_on(&self) -> impl Iterator<Item = (&BackendId, &BackendSettings)> {
        self.backends.iter().filter(|(id, known)| known.enabled && self.is_in_profile(id))
    }

    /// True for a route that is switched on and has a candidate in the profile in use.
    #[must_use]
    pub fn is_route_on(&self, route: &RouteSettings) -> bool {
        route.enabled && self.is_route_in_profile(route)
    }

    /// False for a route all of whose backends the profile in use leaves out.
    #[must_use]
    pub fn is_route_in_profile(&self, route: &RouteSettings) -> bool {
        route.candidates.iter().any(|candidate| self.is_in_profile(&candidate.backend))
            || route.candidates.is_empty()
    }
}
