//! The environment variables in which tools expect keys.

use std::collections::BTreeSet;

use crate::{Preset, presets};

/// A variable that a vendor's own tools read a key from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownVariable {
    pub variable: &'static str,
    /// Id of its credential.
    pub credential: &'static str,
    /// The host that its key is for.
    pub origin: &'static str,
}

/// Two that no preset names: a second one of Google's, and GitHub's, whose token most developers
/// have although no backend uses it any more.
const OTHER_VARIABLES: [KnownVariable; 2] = [
    KnownVariable {
        variable: "GOOGLE_API_KEY",
        credential: "gemini",
        origin: "https://generativelanguage.googleapis.com",
    },
    KnownVariable {
        variable: "GITHUB_TOKEN",
        credential: "github",
        origin: "https://api.github.com",
    },
];

/// The known variables: those of the presets, then the others. If two variables have one
/// credential, the earlier wins: `GEMINI_API_KEY` names this API, `GOOGLE_API_KEY` may be for any of
/// Google's. If two presets have one variable, the earlier names the credential.
pub fn known_variables() -> impl Iterator<Item = KnownVariable> {
    let of_preset = |preset: &Preset| {
        let credential = preset.credential.unwrap_or(preset.id);
        let origin = without_path(preset.base_url);
        Some(KnownVariable { variable: preset.variable?, credential, origin })
    };
    let mut seen = BTreeSet::new();
    let all = presets().filter_map(of_preset).chain(OTHER_VARIABLES);
    all.filter(move |known| seen.insert(known.variable))
}

fn without_path(url: &'static str) -> &'static str {
    let host = url.find("://").map_or(0, |at| at + "://".len());
    let path = url.get(host..).and_then(|rest| rest.find('/')).map(|at| host + at);
    path.and_then(|path| url.get(..path)).unwrap_or(url)
}
