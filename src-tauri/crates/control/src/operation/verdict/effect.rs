//! What fails, and who answers instead, while some backends cannot answer.

use domain::{BackendId, group_digits};
use routing::{ModelSet, ServedModels};

use engine::BackendAnswers;

use super::{BackendFacts, Readiness, VerdictFacts};
use crate::operation::name_list::{NAMES_LISTED_MAX, join_names};
use crate::view::VerdictLevel;

/// The effect of one cause on requests.
pub(super) struct Effect<'a> {
    /// What nothing else can answer.
    broken: Vec<&'a ServedModels>,
    /// The backends that answer in their place, each once; `None` is the mock.
    instead: Vec<Option<&'a BackendFacts>>,
    /// True if these backends are all there are, so that no request can be answered.
    is_everything: bool,
}

impl<'a> Effect<'a> {
    /// The effect of `lost` not answering.
    pub(super) fn of(facts: &'a VerdictFacts, lost: &[&BackendFacts]) -> Self {
        let is_lost = |id: &BackendId| lost.iter().any(|backend| backend.id == *id);
        let mut effect = Self { broken: Vec::new(), instead: Vec::new(), is_everything: false };
        for served in &facts.served {
            let mut affecting = served.backends.iter().filter(|id| is_lost(id));
            let Some(first) = affecting.next() else { continue };
            if served.require(first, |id| !is_lost(id) && facts.may_answer(id)) {
                effect.broken.push(served);
                continue;
            }
            let other = served.backends.iter().find(|id| !is_lost(id) && facts.may_answer(id));
            let Some(other) = other.map(|id| facts.find(id)) else { continue };
            let label = |it: Option<&'a BackendFacts>| it.map(|it| &it.id);
            if !effect.instead.iter().any(|known| label(*known) == label(other)) {
                effect.instead.push(other);
            }
        }
        effect.is_everything =
            !lost.is_empty() && !facts.backends.iter().any(|backend| facts.may_answer(&backend.id));
        effect
    }

    pub(super) const fn breaks_anything(&self) -> bool {
        !self.broken.is_empty()
    }

    pub(super) const fn readiness(&self) -> Readiness {
        match (self.broken.is_empty(), self.instead.is_empty()) {
            (false, _) => Readiness::NotReady,
            (true, false) => Readiness::Degraded,
            (true, true) => Readiness::Ready,
        }
    }

    pub(super) const fn level(&self) -> VerdictLevel {
        match self.readiness() {
            Readiness::NotReady => VerdictLevel::Problem,
            Readiness::Degraded | Readiness::Ready => VerdictLevel::Attention,
        }
    }

    /// The subject with what fails: "OpenAI is down: the route chat fails".
    pub(super) fn title(&self, subject: &str) -> String {
        if self.breaks_anything() {
            let fails = if self.is_everything {
                "nothing else can answer".to_owned()
            } else {
                self.failing()
            };
            return format!("{subject}: {fails}");
        }
        match self.instead.as_slice() {
            [] => subject.to_owned(),
            [None] => format!("{subject}; only the mock answers instead"),
            [Some(one)] => match one.answers {
                BackendAnswers::Unconfirmed(_) => {
                    format!("{subject}; {} is being checked", one.label)
                }
                _ => format!("{subject}; {} answers instead", one.label),
            },
            _ => format!("{subject}; other backends answer instead"),
        }
    }

    /// What fails, as a clause: "the route chat and 12 models fail".
    fn failing(&self) -> String {
        let mut routes: Vec<String> = Vec::new();
        let (mut models, mut only_model, mut is_any) = (0_usize, None, false);
        for served in &self.broken {
            match &served.models {
                ModelSet::Route(id) => routes.push(id.to_string()),
                ModelSet::Listed(names) => {
                    models += names.len();
                    only_model = names.first();
                }
                ModelSet::Unlisted => is_any = true,
            }
        }
        let mut parts: Vec<String> = Vec::new();
        let mut is_plural = false;
        match routes.len() {
            0 => {}
            1 => parts.push(format!("the route {}", routes.concat())),
            number => {
                is_plural = true;
                let names = join_names(routes.into_iter());
                parts.push(if number <= NAMES_LISTED_MAX {
                    format!("the routes {names}")
                } else {
                    format!("{number} routes")
                });
            }
        }
        match (models, only_model) {
            (0, _) | (_, None) => {}
            (1, Some(model)) => parts.push(format!("the model {model}")),
            (number, _) => {
                is_plural = true;
                parts.push(format!("{} models", group_digits(number as u64)));
            }
        }
        if is_any {
            is_plural = true;
            parts.push(if parts.is_empty() { "its models" } else { "other models" }.to_owned());
        }
        let verb = if is_plural || parts.len() > 1 { "fail" } else { "fails" };
        format!("{} {verb}", join_names(parts.into_iter()))
    }
}
