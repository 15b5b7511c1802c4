//! The rules of choice, in one place so that `explain` and the request path cannot disagree:
//!
//! 1. `backend/model` pins a backend, if a backend of that name exists. The model may hold slashes.
//! 2. Otherwise the usable backends that list the model, in the order of the configuration.
//! 3. Otherwise the one backend whose models are unknown, if there is exactly one such backend and
//!    no doubt about it. With two, guessing could send a prompt to the wrong company.
//!
//! The mock answers only when it is pinned: a made-up answer must never pass for a real one.

use std::collections::HashSet;

use domain::BackendId;

/// Longest model name that is looked at, in bytes; longer ones are refused before any comparison.
pub const MODEL_NAME_BYTES_MAX: usize = 512;
/// How alike two names must be (Jaro-Winkler, 0 to 1) for one to be suggested for the other.
const SUGGESTION_SIMILARITY_MIN: f64 = 0.85;
/// Names listed in a refusal; more would bury the sentence.
const NAMES_SHOWN_MAX: usize = 5;

/// What the table knows of one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendModels {
    /// Its id.
    pub backend: BackendId,
    /// A provider, or the built-in mock.
    pub role: BackendRole,
    /// Whether requests may go there.
    pub standing: Standing,
    /// Declared or discovered models; empty when they are not known.
    pub models: Vec<String>,
}

/// What kind of answer a backend gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BackendRole {
    /// A real one.
    Provider,
    /// A made-up one.
    Mock,
}

/// Whether requests may go to a backend.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Yes.
    Usable,
    /// Switched off by the user.
    Disabled,
    /// On, but something is missing; the reason completes "the backend …", such as "has no key".
    Unusable(String),
}

/// One backend that may answer, and the model's name there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// Where to send the request.
    pub backend: BackendId,
    /// What to ask for there.
    pub model: String,
}

/// Where a request may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Asked first.
    pub first: Candidate,
    /// Asked in this order if the first cannot answer.
    pub fallbacks: Vec<Candidate>,
    /// The name of the rule for the record: `pinned`, the model's name, or `*`.
    pub route: String,
    /// Why, in one plain sentence.
    pub explanation: String,
}

impl Decision {
    /// All candidates in order.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        std::iter::once(&self.first).chain(&self.fallbacks)
    }
}

/// A name that a client may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelEntry {
    /// `backend/model`, or the bare model name.
    pub id: String,
    /// The backend that is asked first for it.
    pub backend: BackendId,
}

/// Why no backend may answer, said so that the client's user can act on it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// No model was named.
    #[error("the request names no model; ask for one that GET /v1/models lists")]
    NoName,
    /// The name is longer than [`MODEL_NAME_BYTES_MAX`].
    #[error("the model name has {0} bytes; at most {MODEL_NAME_BYTES_MAX} are allowed")]
    NameTooLong(usize),
    /// The pinned backend may not be asked.
    #[error("the backend {backend} {reason}; repair it or ask for another model")]
    BackendUnusable {
        /// The pinned backend.
        backend: BackendId,
        /// Completes "the backend …".
        reason: String,
    },
    /// Only the mock is there.
    #[error("no backend is ready for {asked:?}; add one, or ask for a model of the mock")]
    NoBackend {
        /// The name that was asked for.
        asked: String,
    },
    /// Backends are there, and none of them is known to have the model.
    #[error("no backend lists {asked:?}; {}", what_exists(.suggestion.as_deref(), .known))]
    UnknownModel {
        /// The name that was asked for.
        asked: String,
        /// The name that was probably meant.
        suggestion: Option<String>,
        /// Some of the names that exist, else the backends to pin.
        known: Vec<String>,
    },
}

/// A snapshot of what may be asked for and where it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteTable {
    backends: Vec<BackendModels>,
}

impl RouteTable {
    /// A table of `backends` in the order in which they are preferred.
    #[must_use]
    pub const fn new(backends: Vec<BackendModels>) -> Self {
        Self { backends }
    }

    /// Where a request for the model `asked` may go.
    pub fn choose(&self, asked: &str) -> Result<Decision, NoRoute> {
        if asked.len() > MODEL_NAME_BYTES_MAX {
            return Err(NoRoute::NameTooLong(asked.len()));
        }
        if asked.is_empty() {
            return Err(NoRoute::NoName);
        }
        if let Some((backend, model)) = self.pin(asked) {
            return pinned(backend, model);
        }
        self.listed(asked).or_else(|| self.unlisted(asked)).ok_or_else(|| self.refusal(asked))
    }

    /// Every name that [`choose`](Self::choose) would accept by a list: `backend/model` for each
    /// usable backend in order, then bare names, each once.
    #[must_use]
    pub fn models(&self) -> Vec<ModelEntry> {
        let usable = || self.backends.iter().filter(|entry| entry.standing == Standing::Usable);
        let entry = |id: String, backend: &BackendModels| ModelEntry {
            id,
            backend: backend.backend.clone(),
        };
        let mut entries: Vec<ModelEntry> = usable()
            .flat_map(|backend| {
                let id = &backend.backend;
                backend.models.iter().map(move |model| entry(format!("{id}/{model}"), backend))
            })
            .collect();
        let mut seen: HashSet<String> = entries.iter().map(|entry| entry.id.clone()).collect();
        for backend in usable().filter(|backend| backend.role == BackendRole::Provider) {
            for model in &backend.models {
                if self.pin(model).is_none() && seen.insert(model.clone()) {
                    entries.push(entry(model.clone(), backend));
                }
            }
        }
        entries
    }

    fn pin<'a>(&self, asked: &'a str) -> Option<(&BackendModels, &'a str)> {
        let (id, model) = asked.split_once('/')?;
        let backend = self.backends.iter().find(|entry| entry.backend.as_str() == id)?;
        Some((backend, model))
    }

    fn providers(&self) -> impl Iterator<Item = &BackendModels> {
        self.backends.iter().filter(|entry| {
            entry.role == BackendRole::Provider && entry.standing == Standing::Usable
        })
    }

    fn listed(&self, asked: &str) -> Option<Decision> {
        let mut candidates = self
            .providers()
            .filter(|entry| entry.models.iter().any(|model| model == asked))
            .map(|entry| candidate(entry, asked));
        let first = candidates.next()?;
        let fallbacks: Vec<Candidate> = candidates.collect();
        let explanation = match fallbacks.len() {
            0 => format!("{} is the only usable backend that lists {asked}.", first.backend),
            more => format!(
                "{} is the first of {} usable backends that list {asked}.",
                first.backend,
                more + 1
            ),
        };
        Some(Decision { first, fallbacks, route: asked.to_owned(), explanation })
    }

    fn unlisted(&self, asked: &str) -> Option<Decision> {
        let mut unknown = self.providers().filter(|entry| entry.models.is_empty());
        let (Some(only), None) = (unknown.next(), unknown.next()) else {
            return None;
        };
        Some(Decision {
            first: candidate(only, asked),
            fallbacks: Vec::new(),
            route: "*".to_owned(),
            explanation: format!(
                "No backend lists {asked}, and {} is the only usable one whose models are not known.",
                only.backend
            ),
        })
    }

    fn refusal(&self, asked: &str) -> NoRoute {
        let asked = asked.to_owned();
        if self.providers().next().is_none() {
            return NoRoute::NoBackend { asked };
        }
        let names: Vec<String> = self.models().into_iter().map(|entry| entry.id).collect();
        let suggestion = closest(&asked, &names);
        let providers = || self.providers().map(|entry| format!("{}/…", entry.backend));
        let bare: HashSet<&String> = self.providers().flat_map(|entry| &entry.models).collect();
        let mut known: Vec<String> =
            names.into_iter().filter(|name| bare.contains(name)).take(NAMES_SHOWN_MAX).collect();
        if known.is_empty() {
            known = providers().take(NAMES_SHOWN_MAX).collect();
        }
        NoRoute::UnknownModel { asked, suggestion, known }
    }
}

fn candidate(entry: &BackendModels, model: &str) -> Candidate {
    Candidate { backend: entry.backend.clone(), model: model.to_owned() }
}

fn pinned(entry: &BackendModels, model: &str) -> Result<Decision, NoRoute> {
    let unusable = |reason: &str| NoRoute::BackendUnusable {
        backend: entry.backend.clone(),
        reason: reason.to_owned(),
    };
    match &entry.standing {
        Standing::Usable if model.is_empty() => Err(NoRoute::NoName),
        Standing::Usable => Ok(Decision {
            first: candidate(entry, model),
            fallbacks: Vec::new(),
            route: "pinned".to_owned(),
            explanation: format!("The request pins the backend {}.", entry.backend),
        }),
        Standing::Disabled => Err(unusable("is switched off")),
        Standing::Unusable(reason) => Err(unusable(reason)),
    }
}

fn closest(asked: &str, names: &[String]) -> Option<String> {
    let likeness = |name: &String| strsim::jaro_winkler(asked, name);
    let best = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) >= SUGGESTION_SIMILARITY_MIN).then(|| best.clone())
}

fn what_exists(suggestion: Option<&str>, known: &[String]) -> String {
    let known = known.join(", ");
    match suggestion {
        Some(suggestion) => format!("did you mean {suggestion:?}? There are: {known}"),
        None => format!("there are: {known}"),
    }
}

#[cfg(test)]
mod tests;
