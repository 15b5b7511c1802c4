//! What is worth a notification: only what the user would act on within the hour.
//!
//! A pure state machine, so that every rule is a short test. Whatever it holds back is still shown
//! in the panel; it says why it held it, so that the log can tell.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use domain::{BackendId, Moment, RunId};

use crate::health::Cause;
use crate::words::one_line;

/// Longest body, in characters.
pub const BODY_CHARS_MAX: usize = 120;
/// Longest title, in characters.
const TITLE_CHARS_MAX: usize = 60;
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
    down: BTreeMap<BackendId, Moment>,
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
    BackendDown {
        /// Which.
        backend: BackendId,
        /// Its name for people.
        label: String,
        /// Why.
        cause: Cause,
        /// Why, in words, free of secrets.
        reason: String,
        /// What it means for requests.
        impact: Impact,
    },
    /// A backend works again.
    BackendBack {
        /// Which.
        backend: BackendId,
        /// Its name for people.
        label: String,
    },
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

/// What a backend's fault means for requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Impact {
    /// Another backend takes its requests.
    Covered,
    /// Its requests fail.
    Uncovered,
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
    /// It is shown.
    Show(Notification),
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

    /// Decides about `event`, and remembers it if it is shown.
    pub fn decide(&mut self, event: &Event, around: Surroundings, now: Moment) -> Decision {
        let decided = self.hold(event, around, now);
        // A fault is over when it is over, whether or not that is told.
        if let Event::BackendBack { backend, .. } = event {
            self.down.remove(backend);
        }
        if let Some(hold) = decided {
            return Decision::Hold(hold);
        }
        let notification = notification(event);
        self.remember(event, notification.urgency, now);
        Decision::Show(notification)
    }

    fn hold(&self, event: &Event, around: Surroundings, now: Moment) -> Option<Hold> {
        if around.notifications == Switch::Off {
            return Some(Hold::SwitchedOff);
        }
        let known = match event {
            Event::RunFinished { run, .. } if self.runs.contains(run) => Some(Hold::AlreadyTold),
            Event::BackendDown { backend, .. } if self.down.contains_key(backend) => {
                Some(Hold::AlreadyTold)
            }
            Event::BackendBack { backend, .. } => match self.down.get(backend) {
                Some(since) if now.since(*since) >= BACK_AFTER_MIN => None,
                _ => Some(Hold::FaultNotTold),
            },
            Event::RunFinished { .. } | Event::BackendDown { .. } => None,
        };
        if known.is_some() {
            return known;
        }
        if around.focus == WindowFocus::Focused {
            return Some(Hold::WindowFocused);
        }
        let within =
            |span: Duration| self.shown.iter().filter(|shown| now.since(**shown) < span).count();
        let too_many =
            within(TEN_MINUTES) >= SHOWN_PER_TEN_MINUTES_MAX || within(DAY) >= SHOWN_PER_DAY_MAX;
        (too_many && urgency(event) != Urgency::Critical).then_some(Hold::TooMany)
    }

    fn remember(&mut self, event: &Event, urgency: Urgency, now: Moment) {
        match event {
            Event::RunFinished { run, .. } => {
                self.runs.insert(*run);
                if self.runs.len() > RUNS_REMEMBERED_MAX {
                    self.runs.pop_first();
                }
            }
            Event::BackendDown { backend, .. } => {
                self.down.insert(backend.clone(), now);
            }
            Event::BackendBack { .. } => {}
        }
        if urgency != Urgency::Critical {
            self.shown.push_back(now);
            if self.shown.len() > SHOWN_PER_DAY_MAX {
                self.shown.pop_front();
            }
        }
    }
}

const fn urgency(event: &Event) -> Urgency {
    match event {
        Event::RunFinished { verdict: RunVerdict::Ready, .. } | Event::BackendBack { .. } => {
            Urgency::Low
        }
        Event::BackendDown { impact: Impact::Uncovered, .. } => Urgency::Critical,
        Event::RunFinished { .. } | Event::BackendDown { .. } => Urgency::Normal,
    }
}

fn notification(event: &Event) -> Notification {
    let (key, title, body, path) = match event {
        Event::RunFinished { run, verdict, sentence } => {
            let title = match verdict {
                RunVerdict::Ready => "Ready to work",
                RunVerdict::ReadyWithWarnings => "Ready, with warnings",
                RunVerdict::NotReady => "Not ready",
            };
            (format!("run/{run}"), title.to_owned(), sentence.clone(), "/readiness".to_owned())
        }
        Event::BackendDown { backend, label, cause, reason, impact } => (
            format!("backend/{backend}"),
            match cause {
                Cause::KeyRejected => format!("{label}: key rejected"),
                _ => format!("{label} is down"),
            },
            down_body(*cause, reason, *impact),
            format!("/backends/{backend}"),
        ),
        Event::BackendBack { backend, label } => (
            format!("backend/{backend}"),
            format!("{label} is back"),
            "It answers again.".to_owned(),
            format!("/backends/{backend}"),
        ),
    };
    Notification {
        key,
        title: one_line(&title, TITLE_CHARS_MAX),
        body: one_line(&body, BODY_CHARS_MAX),
        urgency: urgency(event),
        path,
    }
}

/// Impact and next step are kept whole; the reason is what gives way at the limit.
fn down_body(cause: Cause, reason: &str, impact: Impact) -> String {
    let impact = match impact {
        Impact::Covered => "Other backends take over.",
        Impact::Uncovered => "Its requests fail now.",
    };
    if cause == Cause::KeyRejected {
        return format!("{impact} Replace the key.");
    }
    let room = BODY_CHARS_MAX.saturating_sub(impact.chars().count() + 2);
    let reason = one_line(reason.trim_end_matches('.'), room);
    if reason.is_empty() { impact.to_owned() } else { format!("{reason}. {impact}") }
}

#[cfg(test)]
mod tests;
