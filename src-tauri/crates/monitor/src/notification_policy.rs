//! Decides which events are shown as notifications: only those the user would act on within the
//! hour.
//!
//! A pure state machine, so that every rule is a short test. The panel still shows suppressed
//! events, and each suppression has a reason for the log.

mod ledger_faults;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use domain::{BackendId, Moment, ReadinessVerdict, RouteId, RunId, capitalize, list_names};

use self::ledger_faults::ShownLedgerFaults;
use crate::health::HealthCause;
use crate::text::{cut_between_words, one_line};

pub use self::ledger_faults::LedgerFault;

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
pub const RECOVERY_DOWNTIME_MIN: Duration = Duration::from_secs(120);
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
    faults: BTreeMap<String, ServerFault>,
    ledger: ShownLedgerFaults,
}

/// The failed backends on one server.
#[derive(Debug)]
struct ServerFault {
    since: Moment,
    /// True when the fault is shown, so that a change must replace or withdraw it.
    is_shown: bool,
    backends: BTreeMap<BackendId, FailedBackend>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedBackend {
    pub backend: BackendId,
    pub label: String,
    /// Host and port of the backend, or its id if it has none.
    pub server: String,
    pub cause: HealthCause,
    /// The cause as a clause without secrets.
    pub reason: String,
    pub impact: Impact,
}

/// An event that may be worth a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationEvent {
    RunFinished {
        run: RunId,
        verdict: ReadinessVerdict,
        /// The verdict as a sentence without secrets.
        sentence: String,
    },
    BackendDown(FailedBackend),
    BackendRecovered {
        backend: BackendId,
        label: String,
    },
    /// A backend was removed or disabled, so that its health no longer matters.
    BackendRemoved {
        backend: BackendId,
    },
    LedgerFault(LedgerFault),
    BudgetMark(BudgetMarkReached),
    /// The ledger has no fault any more.
    LedgerRecovered,
}

/// A budget reached a mark. Each is reported once, also over restarts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetMarkReached {
    pub budget: String,
    pub title: String,
    pub message: String,
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
pub struct NotificationContext {
    pub focus: WindowFocus,
    pub notifications: NotificationSetting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowFocus {
    /// The window shows the event, so no notification is needed.
    Focused,
    /// Another window has the focus, or there is no window.
    Elsewhere,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotificationSetting {
    On,
    Off,
}

/// What to do with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationDecision {
    /// Show it, replacing the notification with the same key.
    Show(Notification),
    /// Withdraw the notification with this key, because it is no longer true.
    Withdraw(String),
    Suppress(SuppressionReason),
}

/// Why an event is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SuppressionReason {
    /// Notifications are disabled in the settings.
    SwitchedOff,
    WindowFocused,
    AlreadyShown,
    /// It ends a fault that was not shown.
    FaultNotShown,
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
    pub fn decide(
        &mut self,
        event: &NotificationEvent,
        around: NotificationContext,
        now: Moment,
    ) -> NotificationDecision {
        match event {
            NotificationEvent::RunFinished { run, verdict, sentence } => {
                self.decide_run_finished(*run, *verdict, sentence, around, now)
            }
            NotificationEvent::BackendDown(failed) => self.decide_backend_down(failed, around, now),
            NotificationEvent::BackendRecovered { backend, label } => {
                self.clear_backend_fault(backend, Some(label), around, now)
            }
            NotificationEvent::BackendRemoved { backend } => {
                self.clear_backend_fault(backend, None, around, now)
            }
            NotificationEvent::LedgerFault(fault) => self.decide_ledger_fault(fault, around, now),
            NotificationEvent::LedgerRecovered => self.decide_ledger_recovered(around),
            NotificationEvent::BudgetMark(mark) => self.decide_budget_mark(mark, around, now),
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
        let told = self.faults.iter().filter(|(_, fault)| fault.is_shown);
        told.map(|(server, _)| fault_key(server)).chain(self.ledger.shown_key()).collect()
    }

    fn decide_run_finished(
        &mut self,
        run: RunId,
        verdict: ReadinessVerdict,
        sentence: &str,
        around: NotificationContext,
        now: Moment,
    ) -> NotificationDecision {
        if self.runs.contains(&run) {
            return NotificationDecision::Suppress(SuppressionReason::AlreadyShown);
        }
        let (title, urgency) = match verdict {
            ReadinessVerdict::Ready => ("Ready to work".to_owned(), Urgency::Low),
            ReadinessVerdict::ReadyWithWarnings
            | ReadinessVerdict::NotReady
            | ReadinessVerdict::NotSetUp => (capitalize(verdict.label()), Urgency::Normal),
        };
        if let Some(hold) = self.suppression_reason(around, urgency, now) {
            return NotificationDecision::Suppress(hold);
        }
        self.runs.insert(run);
        if self.runs.len() > RUNS_REMEMBERED_MAX {
            self.runs.pop_first();
        }
        self.count_shown(urgency, now);
        NotificationDecision::Show(Notification {
            key: format!("run/{run}"),
            title,
            body: join_sentences(&[sentence]),
            urgency,
            path: "/readiness".to_owned(),
        })
    }

    /// A newer mark of a budget replaces the one before.
    fn decide_budget_mark(
        &mut self,
        mark: &BudgetMarkReached,
        around: NotificationContext,
        now: Moment,
    ) -> NotificationDecision {
        let urgency = Urgency::Normal;
        if let Some(hold) = self.suppression_reason(around, urgency, now) {
            return NotificationDecision::Suppress(hold);
        }
        self.count_shown(urgency, now);
        NotificationDecision::Show(Notification {
            key: format!("budget/{}", mark.budget),
            title: cut_title(&mark.title),
            body: join_sentences(&[&mark.message]),
            urgency,
            path: "/usage".to_owned(),
        })
    }

    /// If a fault of the same server is already shown, the backend joins that notification, since
    /// the cause is the same.
    fn decide_backend_down(
        &mut self,
        failed: &FailedBackend,
        around: NotificationContext,
        now: Moment,
    ) -> NotificationDecision {
        let fault = self.faults.entry(failed.server.clone()).or_insert_with(|| ServerFault {
            since: now,
            is_shown: false,
            backends: BTreeMap::new(),
        });
        let before = fault.backends.insert(failed.backend.clone(), failed.clone());
        if fault.is_shown && before.is_some_and(|before| before.cause == failed.cause) {
            return NotificationDecision::Suppress(SuppressionReason::AlreadyShown);
        }
        let (is_told, notification) = (fault.is_shown, fault_notification(&failed.server, fault));
        if !is_told {
            if let Some(hold) = self.suppression_reason(around, notification.urgency, now) {
                return NotificationDecision::Suppress(hold);
            }
            self.count_shown(notification.urgency, now);
        }
        if let Some(fault) = self.faults.get_mut(&failed.server) {
            fault.is_shown = true;
        }
        NotificationDecision::Show(notification)
    }

    /// Handles a backend that works again or is gone. A shown fault is always replaced or
    /// withdrawn, whatever else suppresses notifications, because it is no longer true.
    fn clear_backend_fault(
        &mut self,
        backend: &BackendId,
        label: Option<&String>,
        around: NotificationContext,
        now: Moment,
    ) -> NotificationDecision {
        let found = self.faults.iter_mut().find(|(_, fault)| fault.backends.contains_key(backend));
        let Some((server, fault)) = found else {
            return NotificationDecision::Suppress(SuppressionReason::FaultNotShown);
        };
        let server = server.clone();
        fault.backends.remove(backend);
        let (is_told, since) = (fault.is_shown, fault.since);
        if !fault.backends.is_empty() {
            return match is_told {
                true => NotificationDecision::Show(fault_notification(&server, fault)),
                false => NotificationDecision::Suppress(SuppressionReason::FaultNotShown),
            };
        }
        self.faults.remove(&server);
        if !is_told {
            return NotificationDecision::Suppress(SuppressionReason::FaultNotShown);
        }
        let is_quiet = around.notifications == NotificationSetting::Off
            || around.focus == WindowFocus::Focused;
        match label {
            Some(label) if !is_quiet && now.since(since) >= RECOVERY_DOWNTIME_MIN => {
                NotificationDecision::Show(Notification {
                    key: fault_key(&server),
                    title: cut_title(&format!("{label} works again")),
                    body: "It answers requests.".to_owned(),
                    urgency: Urgency::Low,
                    path: format!("/backends/{backend}"),
                })
            }
            _ => NotificationDecision::Withdraw(fault_key(&server)),
        }
    }

    fn suppression_reason(
        &self,
        around: NotificationContext,
        urgency: Urgency,
        now: Moment,
    ) -> Option<SuppressionReason> {
        if around.notifications == NotificationSetting::Off {
            return Some(SuppressionReason::SwitchedOff);
        }
        if around.focus == WindowFocus::Focused {
            return Some(SuppressionReason::WindowFocused);
        }
        let within =
            |span: Duration| self.shown.iter().filter(|shown| now.since(**shown) < span).count();
        let too_many =
            within(TEN_MINUTES) >= SHOWN_PER_TEN_MINUTES_MAX || within(DAY) >= SHOWN_PER_DAY_MAX;
        (too_many && urgency != Urgency::Critical).then_some(SuppressionReason::TooMany)
    }

    fn count_shown(&mut self, urgency: Urgency, now: Moment) {
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

fn fault_notification(server: &str, fault: &ServerFault) -> Notification {
    let all: Vec<&FailedBackend> = fault.backends.values().collect();
    let mut impact = Impact::default();
    for failed in &all {
        impact.covered.extend(failed.impact.covered.iter().cloned());
        impact.uncovered.extend(failed.impact.uncovered.iter().cloned());
    }
    impact.covered.retain(|route| !impact.uncovered.contains(route));
    let (headline, reason, path) = match all.as_slice() {
        [one] if one.cause == HealthCause::KeyRejected => (
            format!("{}: key rejected", one.label),
            "Replace the key.".to_owned(),
            format!("/backends/{}", one.backend),
        ),
        [one] => (
            format!("{} is down", one.label),
            to_sentence(&one.reason),
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
        title: cut_title(&headline),
        body: join_sentences(&[&impact_sentence(&impact, &all), &reason]),
        urgency: if impact.is_critical() { Urgency::Critical } else { Urgency::Normal },
        path,
    }
}

/// States the effect on requests. Kept short so that the reason fits beside it.
fn impact_sentence(impact: &Impact, failed: &[&FailedBackend]) -> String {
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
fn cut_title(text: &str) -> String {
    cut_between_words(text, TITLE_CHARS_MAX)
}

/// Joins sentences, most important first, as long as they fit whole into [`BODY_CHARS_MAX`].
fn join_sentences(parts: &[&str]) -> String {
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
fn to_sentence(clause: &str) -> String {
    match clause.trim().trim_end_matches('.') {
        "" => String::new(),
        clause => format!("{}.", capitalize(clause)),
    }
}

#[cfg(test)]
mod tests;
