//! The names of models that may leave this program in metrics and traces.

use std::collections::HashSet;

use domain::redact;
use parking_lot::Mutex;

/// Most models that are named. Further ones count for [`OTHER`].
pub(crate) const MODELS_MAX: usize = 100;
/// Longest model that is named, in bytes.
pub(crate) const MODEL_BYTES_MAX: usize = 100;

/// Stands for what is not named.
pub(crate) const OTHER: &str = "other";

/// Names that a backend has answered for. Clients send whatever they like as a model, even a key or
/// a prompt, so what no backend knows is not repeated.
#[derive(Debug, Default)]
pub(crate) struct ModelNames {
    known: Mutex<HashSet<String>>,
}

impl ModelNames {
    /// `name`, if a backend has answered for it, now or before; else [`OTHER`].
    pub(crate) fn label(&self, name: &str, is_answered: bool) -> String {
        self.learn(name, is_answered);
        if self.known.lock().contains(name) { name.to_owned() } else { OTHER.to_owned() }
    }

    pub(crate) fn learn(&self, name: &str, is_answered: bool) {
        let mut known = self.known.lock();
        if is_answered && !known.contains(name) && known.len() < MODELS_MAX && is_name(name) {
            known.insert(name.to_owned());
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MODEL_BYTES_MAX
        && name.bytes().all(|byte| byte.is_ascii_graphic())
        && redact(name) == name
}
