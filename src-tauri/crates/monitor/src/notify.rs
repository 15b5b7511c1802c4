//! Decides which events are shown as notifications: only those the user would act on within the
//! hour.
//!
//! A pure state machine, so that every rule is a short test. The panel still shows suppressed
//! events, and each suppression has a reason for the log.

mod ledger;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use domain::{BackendId, Moment, RouteId, RunId, list_names};

use self::ledger::LedgerFaults;
use crate::health::Cause;
use crate::words::{cut_between_words, one_line};

pub use self::ledger::LedgerFault;

/// Maximum length of a body, in characters.
pub const BODY_CHARS_MAX: usize = 120;
/// Maximum length of a title, in characters.
const TITLE_CHARS_MAX: usize = 60;
/// Maximum number of names in a sentence; the rest is given as a number.
const NAMES_MAX: usize = 3;
/// Maximum number of non-critical notifications in ten minutes.
pub const SHOWN_PER_TEN_MINUTES_MAX: usize = 3;
/// Maximum number of non-critical notifications in 24 hours.
pub const SHOWN_PER_DAY_MAX: usize = 12;
/// Minimum downtime of a backend before its recovery is shown.
pub const BACK_AFTER_MIN: Duration = Duration::from_secs(120);
/// Maximum number of readiness runs remembered, so that none is shown twice.
const RUNS_REMEMBERED_MAX: usize = 64;

const TEN_MINUTES: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(86_400);

/// Decides which notifications are shown, based on those shown before.
#[derive(Debug, Default)]
pub struct NotificationPolicy {
    shown: VecDeque<Moment>,
    runs: BTreeSet<RunId>,
    /// By server: backends on one server that fail together have one cause.
    faults: BTreeMap<String, Fault>,
    ledger: LedgerFaults,
}

/// The failed backends on one server.
#[derive(Debug)]
struct Fault {
    since: Moment,
    /// True when the fault is shown, so that a change must replace or withdraw it.
    is_told: bool,
    backends: BTreeMap<BackendId, FailedBackend>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedBackend {
    pub backend: BackendId,
    pub label: String,
    /// Host and port of the backend, or its id if it has none.
    pub server: String,
    pub cause: Cause,
    /// The cause as a clause without secrets.
    pub reason: String,
    pub impact: Impact,
}

/// An event that may be worth a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    RunFinished {
        run: RunId,
        verdict: RunVerdict,
        /// The verdict as a sentence without secrets.
        sentence: String,
    },
    BackendDown(FailedBackend),
    BackendBack {
        backend: BackendId,
        label: String,
    },
    /// A backend was removed or disabled, so that its health no longer matters.
    BackendGone {
        backend: BackendId,
    },
    LedgerFault(LedgerFault),
    /// The ledger has no fault any more.
    LedgerWorks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunVerdict {
    Ready,
    ReadyWithWarnings,
    NotReady,
}

/// Which routes a failed backend affects. Requests that name the backend itself fail in any case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Impact {
    /// Routes with another backend that works.
    pub covered: BTreeSet<RouteId>,
    /// Routes without another working backend.
    pub uncovered: BTreeSet<RouteId>,
}

impl Impact {
    /// True when a route has no working backend left, or when no route uses the backend.
    #[must_use]
    pub fn is_critical(&self) -> bool {
        !self.uncovered.is_empty() || self.covered.is_empty()
    }
}

/// Conditions at the time of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Surroundings {
    pub focus: WindowFocus,
    /// The user's setting.
    pub notifications: Switch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowFocus {
    /// The window shows the event, so no notification is needed.
    Focused,
    /// Another window has the focus, or there is no window.
    Elsewhere,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Switch {
    On,
    Off,
}

/// What to do with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Show it, replacing the notification with the same key.
    Show(Notification),
    /// Withdraw the notification with this key, because it is no longer true.
    Withdraw(String),
    Hold(Hold),
}

/// Why an event is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hold {
    /// Notifications are disabled in the settings.
    SwitchedOff,
    WindowFocused,
    AlreadyTold,
    /// It ends a fault that was not shown.
    FaultNotTold,
    /// A rate limit is reached.
    TooMany,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Identifies the subject. A newer notification with the same key replaces this one where the
    /// desktop allows it.
    pub key: String,
    pub title: String,
    /// What happened and what to do: plain text of at most [`BODY_CHARS_MAX`] characters.
    pub body: String,
    pub urgency: Urgency,
    /// Panel path that a click opens, for example `/backends/openai`.
    pub path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Urgency {
    /// Good news.
    Low,
    /// Needs a look.
    Normal,
    /// Requests fail. The notification stays until closed, and rate limits do not apply.
    Critical,
}

impl NotificationPolicy {
    /// Creates a policy that has shown nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Decides about `event` and remembers what is shown.
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

    /// Backends with a remembered fault.
    #[must_use]
    pub fn failed_backends(&self) -> Vec<BackendId> {
        self.faults.values().flat_map(|fault| fault.backends.keys().cloned()).collect()
    }

    /// Keys of the faults shown now. They must be withdrawn when the program ends, because nobody
    /// updates them afterwards.
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

    /// If a fault of the same server is already shown, the backend joins that notification, since
    /// the cause is the same.
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

    /// Handles a backend that works again or is gone. A shown fault is always replaced or
    /// withdrawn, whatever else suppresses notifications, because it is no longer true.
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

/// States the effect on requests. Kept short so that the reason fits beside it.
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

/// Cuts a title between two words, since a label may have any length.
fn title(text: &str) -> String {
    cut_between_words(text, TITLE_CHARS_MAX)
}

/// Joins sentences, most important first, as long as they fit whole into [`BODY_CHARS_MAX`].
fn sentences(parts: &[&str]) -> String {
    let mut body = String::new();
    for part in parts {
        let part = one_line(part, usize::MAX);
        let room =
            BODY_CHARS_MAX.saturating_sub(body.chars().count() + usize::from(!body.is_empty()));
        let fits = part.chars().count() <= room;
        // The first sentence is cut rather than dropped.
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

/// Turns a clause into a sentence with a capital letter and a full stop.
fn sentence(clause: &str) -> String {
    let mut letters = clause.trim().trim_end_matches('.').chars();
    letters
        .next()
        .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

#[cfg(test)]
mod tests;
