//! Request and view types of profiles.

use serde::{Deserialize, Serialize};
use specta::Type;

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ProfilesView {
    /// None if all backends are used.
    pub active: Option<String>,
    /// In the order of the settings.
    pub profiles: Vec<ProfileView>,
    /// Backends that no profile names, so that they are in all.
    pub in_all: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ProfileView {
    pub name: String,
    /// True for the one in use.
    pub active: bool,
    /// Used only in this profile and in others that name them.
    pub backends: Vec<String>,
}

/// Adds a profile, or replaces the backends of one.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ProfileSet {
    /// Lower-case letters, digits, `.`, `-` and `_`.
    pub name: String,
    pub backends: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ProfileRef {
    pub name: String,
}

/// Puts a profile in use.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ProfileSwitch {
    /// None for no profile: all backends are used.
    pub name: Option<String>,
}
