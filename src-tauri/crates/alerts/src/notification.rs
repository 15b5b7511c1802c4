//! What a notification says: what happened, what it means, what to do.

use std::collections::{BTreeMap, BTreeSet};

use domain::{RouteId, capitalize, cut_between_words, list_names, one_line};
use serde::{Deserialize, Serialize};

use crate::facts::{FailedBackend, Impact};

/// Maximum length of a body, in characters.
pub const BODY_CHARS_MAX: usize = 120;
/// Maximum length of a title, in characters.
pub const TITLE_CHARS_MAX: usize = 60;
/// Maximum number of names in a sentence; the rest is given as a number.
pub(crate) const NAMES_MAX: usize = 3;

/// Begins the keys of notifications about budgets.
pub const BUDGET_KEY_START: &str = "budget/";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// True if it is to be heard, where the desktop can.
    pub has_sound: bool,
    /// Numbers of the alerts that it is about and that can be acknowledged or silenced from it.
    pub alerts: Vec<u64>,
}

impl Notification {
    /// What it offers, at most three: the default of a click first.
    #[must_use]
    pub const fn actions(&self) -> &'static [NotificationAction] {
        let all = &[
            NotificationAction::Open,
            NotificationAction::Acknowledge,
            NotificationAction::SilenceHour,
        ];
        if self.alerts.is_empty() { all.split_at(1).0 } else { all }
    }
}

/// What the user may choose on a notification, in the panel's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotificationAction {
    Open,
    Acknowledge,
    /// Silences each alert of the notification for an hour.
    SilenceHour,
}

impl NotificationAction {
    /// The id by which a desktop tells it; that of a click is given by the specification.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Open => "default",
            Self::Acknowledge => "acknowledge",
            Self::SilenceHour => "silence-hour",
        }
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Acknowledge => "Acknowledge",
            Self::SilenceHour => "Silence for 1 hour",
        }
    }

    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        [Self::Open, Self::Acknowledge, Self::SilenceHour].into_iter().find(|it| it.id() == id)
    }
}

/// What the user chose on a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationResponse {
    pub action: NotificationAction,
    pub path: String,
    pub alerts: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Urgency {
    /// Good news.
    Low,
    /// Needs a look.
    Normal,
    /// Requests fail. The notification stays until closed, and rate limits do not apply.
    Critical,
}

/// A notification on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownNotification {
    /// The running program that shows it. Its id means something else to another one.
    pub server: String,
    pub id: u32,
    /// Panel path that a click opens.
    pub path: String,
    /// Numbers of the alerts that it is about.
    #[serde(default)]
    pub alerts: Vec<u64>,
}

/// What the desktop says of the notifications that it was given, by notification key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DesktopScreen {
    pub shown: BTreeMap<String, ShownNotification>,
    /// What was on the screen when the program that showed it ended.
    pub lost: BTreeSet<String>,
}

/// Title, body and path for failed backends of one server.
pub(crate) fn failed_backends_text(
    server: &str,
    failed: &[&FailedBackend],
) -> (String, String, String) {
    let impact = joined_impact(failed);
    let (title, reason, path) = match failed {
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
    let body = join_sentences(&[&impact_sentence(&impact, failed), &reason]);
    (cut_title(&title), body, path)
}

pub(crate) fn joined_impact(failed: &[&FailedBackend]) -> Impact {
    let mut impact = Impact::default();
    for failed in failed {
        impact.covered.extend(failed.impact.covered.iter().cloned());
        impact.uncovered.extend(failed.impact.uncovered.iter().cloned());
        impact.models_uncovered = impact.models_uncovered.max(failed.impact.models_uncovered);
        impact.models_covered |= failed.impact.models_covered;
    }
    let open: &BTreeSet<RouteId> = &impact.uncovered;
    impact.covered.retain(|route| !open.contains(route));
    impact
}

/// States the effect on requests. Kept short so that the reason fits beside it.
pub(crate) fn impact_sentence(impact: &Impact, failed: &[&FailedBackend]) -> String {
    let names = || list_names(impact.uncovered.iter().map(RouteId::as_str), NAMES_MAX);
    let pinned = match failed {
        [one] => format!("{}/…", one.backend),
        _ => "their models".to_owned(),
    };
    match (impact.uncovered.len(), impact.models_uncovered, impact.covered.len()) {
        (0, 0, 0) if impact.models_covered => {
            format!("Other backends answer; requests for {pinned} fail.")
        }
        (0, 0, 0) => format!("Requests for {pinned} fail."),
        (0, 0, _) => format!("Routes use other backends; requests for {pinned} fail."),
        (0, 1, _) => "1 model has no other backend.".to_owned(),
        (0, models, _) => format!("{models} models have no other backend."),
        (1, ..) => format!("The route {} has no other backend.", names()),
        _ => format!("The routes {} have no other backend.", names()),
    }
}

/// Cuts a title between two words, since a label may have any length.
pub(crate) fn cut_title(text: &str) -> String {
    cut_between_words(text, TITLE_CHARS_MAX)
}

/// Joins sentences, most important first, as long as they fit whole into [`BODY_CHARS_MAX`].
pub(crate) fn join_sentences(parts: &[&str]) -> String {
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
pub(crate) fn to_sentence(clause: &str) -> String {
    match clause.trim().trim_end_matches('.') {
        "" => String::new(),
        clause => format!("{}.", capitalize(clause)),
    }
}
