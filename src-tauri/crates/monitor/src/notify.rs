//! What is worth a notification: only what the user would act on within the hour.
//!
//! A pure state machine, so that every rule is a short test. Whatever it holds back is still shown
//! in the panel; it says why it held it, so that the log can tell.

mod ledger;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use domain::{BackendId, Moment, RouteId, RunId, list_names};

use self::ledger::LedgerFaults;
use crate::health::Cause;
use crate::words::{cut_between_words, one_line};

pub use self::ledger::LedgerFault;

/// Longest body, in characters.
pub const BODY_CHARS_MAX: usize = 120;
/// Longest title, in characters.
const TITLE_CHARS_MAX: usize = 60;
/// Most names listed in a sentence; the rest is counted.
const NAMES_MAX: usize = 3;
/// Most notifications below critical in ten minutes.
pub const SHOWN_PER_TEN_MINUTES_MAX: usize = 3;
/// Most notifications below critical in 24 hours.
pub const SHOWN_PER_DAY_MAX: usize = 12;
/// A backend must have been down this long for its return to be worth a notification.
pub const BACK_AFTER_MIN: Duration = Duration::from_secs(120);
/// Most readiness runs remembered, so that none is told twice.
const RUNS_REMEMBERED_MAX: usize = 64;

const TEN_MINUTES: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(86_400);

/// Decides what is shown, remembering what was.
#[derive(Debug, Default)]
pub struct NotificationPolicy {
    shown: VecDeque<Moment>,
    runs: BTreeSet<RunId>,
    /// By server: backends behind one server that fail together have one cause.
    faults: BTreeMap<String, Fault>,
    ledger: LedgerFaults,
}

/// The backends behind one server that are down.
#[derive(Debug)]
struct Fault {
    since: Moment,
    /// Whether it was shown, and so has to be taken back or replaced when it changes.
    is_told: bool,
    backends: BTreeMap<BackendId, FailedBackend>,
}

/// A backend that is down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedBackend {
    /// Which.
    pub backend: BackendId,
    /// Its display name.
    pub label: String,
    /// What it runs on: its host and port, or its id if it has none.
    pub server: String,
    /// Why.
    pub cause: Cause,
    /// Why, in a clause free of secrets.
    pub reason: String,
    /// What it means for requests.
    pub impact: Impact,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A readiness run has ended.
    RunFinished {
        /// Which.
        run: RunId,
        /// Its verdict.
        verdict: RunVerdict,
        /// The verdict in a sentence, free of secrets.
        sentence: String,
    },
    /// A backend has gone down, after its failures in a row.
    BackendDown(FailedBackend),
    /// A backend works again.
    BackendBack {
        /// Which.
        backend: BackendId,
        /// Its display name.
        label: String,
    },
    /// A backend was removed or switched off: whether it works is nobody's concern any more.
    BackendGone {
        /// Which.
        backend: BackendId,
    },
    /// Something is wrong with the ledger.
    LedgerFault(LedgerFault),
    /// Nothing is wrong with the ledger any more.
    LedgerWorks,
}

/// Verdicts of a readiness run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunVerdict {
    /// Go.
    Ready,
    /// Go, with care.
    ReadyWithWarnings,
    /// Do not go.
    NotReady,
}

/// What a backend's fault means for requests. Requests that pin the backend fail either way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Impact {
    /// Routes that use the backend and have another one that works.
    pub covered: BTreeSet<RouteId>,
    /// Routes that use it and have no other.
    pub uncovered: BTreeSet<RouteId>,
}

impl Impact {
    /// Requests fail, and not only those that pin the backend.
    #[must_use]
    pub fn is_critical(&self) -> bool {
        !self.uncovered.is_empty() || self.covered.is_empty()
    }
}

/// What surrounds an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Surroundings {
    /// Whether the user looks at the window.
    pub focus: WindowFocus,
    /// The user's setting.
    pub notifications: Switch,
}

/// Whether the user looks at the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowFocus {
    /// Yes; the window itself tells.
    Focused,
    /// No, or there is no window.
    Elsewhere,
}

/// A setting with two positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Switch {
    /// Switched on.
    On,
    /// Switched off.
    Off,
}

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is shown, in place of what is shown under the same key.
    Show(Notification),
    /// What is shown under this key is no longer true and is taken away.
    Withdraw(String),
    /// It is held back.
    Hold(Hold),
}

/// Why an event is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hold {
    /// The user has switched notifications off.
    SwitchedOff,
    /// The user looks at the window.
    WindowFocused,
    /// It was told already.
    AlreadyTold,
    /// The fault it ends was not told, or was short.
    FaultNotTold,
    /// There were too many.
    TooMany,
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What it is about; a newer one of the same key replaces it where the desktop allows.
    pub key: String,
    /// The heading.
    pub title: String,
    /// What happened and what to do; at most [`BODY_CHARS_MAX`] characters of plain text.
    pub body: String,
    /// How much it presses.
    pub urgency: Urgency,
    /// The panel's path that a click opens, `/backends/openai`.
    pub path: String,
}

/// How much a notification presses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Urgency {
    /// Good news.
    Low,
    /// Wants a look.
    Normal,
    /// Requests fail; stays until it is closed, and no rate limit holds it back.
    Critical,
}

impl NotificationPolicy {
    /// Nothing was shown yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Decides about `event`, and remembers what is shown.
    pub fn decide(&mut self, event: &Event, around: Surroundings, now: Moment) -> Decision {
        match event {
            Event::RunFinished { run, verdict, sentence } => {
                self.run_finished(*run, *verdict, sentence, around, now)
            }
            Event::BackendDown(failed) => self.backend_down(failed, around, now),
            Event::BackendBack { backend, label } => {
                self.backend_over(backend, Some(label), around, now)
            }
            Event::BackendGone { backend } => self.backend_over(backend, None, around, now),
            Event::LedgerFault(fault) => self.ledger_fault(fault, around, now),
            Event::LedgerWorks => self.ledger_works(around),
        }
    }

    /// The backends whose faults are remembered.
    #[must_use]
    pub fn failed_backends(&self) -> Vec<BackendId> {
        self.faults.values().flat_map(|fault| fault.backends.keys().cloned()).collect()
    }

    /// The keys of the faults that are shown now, which nobody will watch after the program's end.
    #[must_use]
    pub fn shown_faults(&self) -> Vec<String> {
        let told = self.faults.iter().filter(|(_, fault)| fault.is_told);
        told.map(|(server, _)| fault_key(server)).chain(self.ledger.shown_key()).collect()
    }

    fn run_finished(
        &mut self,
        run: RunId,
        verdict: RunVerdict,
        sentence: &str,
        around: Surroundings,
        now: Moment,
    ) -> Decision {
        if self.runs.contains(&run) {
            return Decision::Hold(Hold::AlreadyTold);
        }
        let (title, urgency) = match verdict {
            RunVerdict::Ready => ("Ready to work", Urgency::Low),
            RunVerdict::ReadyWithWarnings => ("Ready with warnings", Urgency::Normal),
            RunVerdict::NotReady => ("Not ready", Urgency::Normal),
        };
        if let Some(hold) = self.hold(around, urgency, now) {
            return Decision::Hold(hold);
        }
        self.runs.insert(run);
        if self.runs.len() > RUNS_REMEMBERED_MAX {
            self.runs.pop_first();
        }
        self.count(urgency, now);
        Decision::Show(Notification {
            key: format!("run/{run}"),
            title: title.to_owned(),
            body: sentences(&[sentence]),
            urgency,
            path: "/readiness".to_owned(),
        })
    }

    /// A backend behind a server whose fault is shown already joins that notification: it has the
    /// same cause.
    fn backend_down(
        &mut self,
        failed: &FailedBackend,
        around: Surroundings,
        now: Moment,
    ) -> Decision {
        let fault = self.faults.entry(failed.server.clone()).or_insert_with(|| Fault {
            since: now,
            is_told: false,
            backends: BTreeMap::new(),
        });
        let before = fault.backends.insert(failed.backend.clone(), failed.clone());
        if fault.is_told && before.is_some_and(|before| before.cause == failed.cause) {
            return Decision::Hold(Hold::AlreadyTold);
        }
        let (is_told, notification) = (fault.is_told, fault_notification(&failed.server, fault));
        if !is_told {
            if let Some(hold) = self.hold(around, notification.urgency, now) {
                return Decision::Hold(hold);
            }
            self.count(notification.urgency, now);
        }
        if let Some(fault) = self.faults.get_mut(&failed.server) {
            fault.is_told = true;
        }
        Decision::Show(notification)
    }

    /// A backend works again, or is gone. What is shown of it is replaced or taken away, whatever
    /// else would hold a notification back: it is not true any more.
    fn backend_over(
        &mut self,
        backend: &BackendId,
        label: Option<&String>,
        around: Surroundings,
        now: Moment,
    ) -> Decision {
        let found = self.faults.iter_mut().find(|(_, fault)| fault.backends.contains_key(backend));
        let Some((server, fault)) = found else { return Decision::Hold(Hold::FaultNotTold) };
        let server = server.clone();
        fault.backends.remove(backend);
        let (is_told, since) = (fault.is_told, fault.since);
        if !fault.backends.is_empty() {
            return match is_told {
                true => Decision::Show(fault_notification(&server, fault)),
                false => Decision::Hold(Hold::FaultNotTold),
            };
        }
        self.faults.remove(&server);
        if !is_told {
            return Decision::Hold(Hold::FaultNotTold);
        }
        let is_quiet = around.notifications == Switch::Off || around.focus == WindowFocus::Focused;
        match label {
            Some(label) if !is_quiet && now.since(since) >= BACK_AFTER_MIN => {
                Decision::Show(Notification {
                    key: fault_key(&server),
                    title: title(&format!("{label} works again")),
                    body: "It answers requests.".to_owned(),
                    urgency: Urgency::Low,
                    path: format!("/backends/{backend}"),
                })
            }
            _ => Decision::Withdraw(fault_key(&server)),
        }
    }

    fn hold(&self, around: Surroundings, urgency: Urgency, now: Moment) -> Option<Hold> {
        if around.notifications == Switch::Off {
            return Some(Hold::SwitchedOff);
        }
        if around.focus == WindowFocus::Focused {
            return Some(Hold::WindowFocused);
        }
        let within =
            |span: Duration| self.shown.iter().filter(|shown| now.since(**shown) < span).count();
        let too_many =
            within(TEN_MINUTES) >= SHOWN_PER_TEN_MINUTES_MAX || within(DAY) >= SHOWN_PER_DAY_MAX;
        (too_many && urgency != Urgency::Critical).then_some(Hold::TooMany)
    }

    fn count(&mut self, urgency: Urgency, now: Moment) {
        if urgency != Urgency::Critical {
            self.shown.push_back(now);
            if self.shown.len() > SHOWN_PER_DAY_MAX {
                self.shown.pop_front();
            }
        }
    }
}

fn fault_key(server: &str) -> String {
    format!("fault/{server}")
}

fn fault_notification(server: &str, fault: &Fault) -> Notification {
    let all: Vec<&FailedBackend> = fault.backends.values().collect();
    let mut impact = Impact::default();
    for failed in &all {
        impact.covered.extend(failed.impact.covered.iter().cloned());
        impact.uncovered.extend(failed.impact.uncovered.iter().cloned());
    }
    impact.covered.retain(|route| !impact.uncovered.contains(route));
    let (headline, reason, path) = match all.as_slice() {
        [one] if one.cause == Cause::KeyRejected => (
            format!("{}: key rejected", one.label),
            "Replace the key.".to_owned(),
            format!("/backends/{}", one.backend),
        ),
        [one] => (
            format!("{} is down", one.label),
            sentence(&one.reason),
            format!("/backends/{}", one.backend),
        ),
        several => (
            format!("{} backends are down", several.len()),
            format!(
                "{} at {server}.",
                list_names(several.iter().map(|it| it.label.as_str()), NAMES_MAX)
            ),
            "/backends".to_owned(),
        ),
    };
    Notification {
        key: fault_key(server),
        title: title(&headline),
        body: sentences(&[&consequence(&impact, &all), &reason]),
        urgency: if impact.is_critical() { Urgency::Critical } else { Urgency::Normal },
        path,
    }
}

/// What requests meet now. Short, so that the reason fits beside it.
fn consequence(impact: &Impact, failed: &[&FailedBackend]) -> String {
    let names = || list_names(impact.uncovered.iter().map(RouteId::as_str), NAMES_MAX);
    let pinned = match failed {
        [one] => format!("{}/…", one.backend),
        _ => "their models".to_owned(),
    };
    match (impact.uncovered.len(), impact.covered.len()) {
        (0, 0) => format!("Requests for {pinned} fail."),
        (0, _) => format!("Routes use other backends; requests for {pinned} fail."),
        (1, _) => format!("The route {} has no other backend.", names()),
        _ => format!("The routes {} have no other backend.", names()),
    }
}

/// A heading: cut at its limit between two words, since a label may have any length.
fn title(text: &str) -> String {
    cut_between_words(text, TITLE_CHARS_MAX)
}

/// As many of the sentences, most important first, as fit whole into [`BODY_CHARS_MAX`].
fn sentences(parts: &[&str]) -> String {
    let mut body = String::new();
    for part in parts {
        let part = one_line(part, usize::MAX);
        let room =
            BODY_CHARS_MAX.saturating_sub(body.chars().count() + usize::from(!body.is_empty()));
        let fits = part.chars().count() <= room;
        // Nothing is said yet: a part of a sentence is better than none.
        let part = if fits || !body.is_empty() { part } else { cut_between_words(&part, room) };
        if part.is_empty() || part.chars().count() > room {
            continue;
        }
        if !body.is_empty() {
            body.push(' ');
        }
        body.push_str(&part);
    }
    body
}

/// A clause with a capital and a full stop.
fn sentence(clause: &str) -> String {
    let mut letters = clause.trim().trim_end_matches('.').chars();
    letters
        .next()
        .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

#[cfg(test)]
mod tests;
