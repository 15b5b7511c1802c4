//! The ladder of alerts: inbox, notification, notification with a sound, webhook and mail, each from a
//! severity on and after a wait. An acknowledgement ends it.

use std::time::Duration;

use alerts::{CRITICAL_WAIT, SHOWN_FROM, SHOWN_WAIT};
use domain::{AlertChannel, AlertSeverity, capitalize, format_span};
use engine::Engine;
use settings::{SettingValue, Settings};

use crate::ApiError;
use crate::operation::input;
use crate::view::{AlertLadderSet, AlertLadderStepView, AlertLadderView, LadderStep};

pub(crate) async fn alert_ladder(engine: &Engine) -> Result<AlertLadderView, ApiError> {
    Ok(ladder(engine))
}

pub(crate) async fn alert_ladder_set(
    engine: &Engine,
    req: AlertLadderSet,
) -> Result<AlertLadderView, ApiError> {
    let changes = changes(&req)?;
    engine.settings_editor().set_values(changes).await?;
    Ok(ladder(engine))
}

/// The settings that a request changes, by their paths.
fn changes(req: &AlertLadderSet) -> Result<Vec<(String, SettingValue)>, ApiError> {
    let (wait, severity) = match req.step {
        LadderStep::Inbox | LadderStep::Notification => {
            let message = "the inbox has every alert at once, and the desktop after half a minute";
            return Err(ApiError::invalid("step", message));
        }
        LadderStep::Sound => ("notifications.sound_wait_secs", "notifications.sound_severity"),
        LadderStep::Webhook => ("webhook.wait_secs", "webhook.severity"),
        LadderStep::Mail => ("mail.wait_secs", "mail.severity"),
    };
    let mut changes = Vec::new();
    if let Some(secs) = req.wait_secs {
        input::check_range("wait_secs", secs, wait)?;
        changes.push((wait.to_owned(), SettingValue::Number(secs.into())));
    }
    if let Some(from) = req.from_severity {
        changes.push((severity.to_owned(), SettingValue::Text(from.word().to_owned())));
    }
    Ok(changes)
}

fn ladder(engine: &Engine) -> AlertLadderView {
    let settings = engine.settings();
    let is_set_up = |channel| engine.alerts().channels().is_set_up(channel);
    let mut steps = steps(&settings, is_set_up);
    steps.sort_by_key(|step| (!step.is_on, step.wait_secs));
    AlertLadderView { sentence: sentence(&steps), steps }
}

fn steps(
    settings: &Settings,
    is_set_up: impl Fn(AlertChannel) -> bool,
) -> Vec<AlertLadderStepView> {
    let (shown, webhook, mail) = (&settings.notifications, &settings.webhook, &settings.mail);
    let step = |step, is_on, (from_severity, wait_secs), text: &str| AlertLadderStepView {
        step,
        is_on,
        from_severity,
        wait_secs,
        text: text.to_owned(),
        is_editable: !matches!(step, LadderStep::Inbox | LadderStep::Notification),
    };
    let channel = |channel, is_on, place: &str| match (is_on, is_set_up(channel)) {
        (false, _) => format!("Off. Switch it on in the settings of {place}."),
        (true, false) => "On, but not set up yet.".to_owned(),
        (true, true) => "A message, and another one when it is over.".to_owned(),
    };
    vec![
        step(
            LadderStep::Inbox,
            true,
            (AlertSeverity::Info, 0),
            "Every alert whose rule is not off.",
        ),
        step(
            LadderStep::Notification,
            shown.enabled,
            (SHOWN_FROM, whole_secs(SHOWN_WAIT)),
            &match shown.enabled {
                true => format!(
                    "A notification of the desktop; of critical alerts after {}.",
                    format_span(CRITICAL_WAIT)
                ),
                false => "Off. Switch on desktop notifications in the settings.".to_owned(),
            },
        ),
        step(
            LadderStep::Sound,
            shown.enabled && shown.sound_wait_secs > 0,
            (shown.sound_severity, shown.sound_wait_secs),
            match (shown.enabled, shown.sound_wait_secs) {
                (false, _) => "Off, as desktop notifications are.",
                (true, 0) => "Off. Choose a wait.",
                (true, _) => "The notification again, with a sound where the desktop plays one.",
            },
        ),
        step(
            LadderStep::Webhook,
            webhook.enabled && is_set_up(AlertChannel::Webhook),
            (webhook.severity, webhook.wait_secs),
            &channel(AlertChannel::Webhook, webhook.enabled, "the webhook"),
        ),
        step(
            LadderStep::Mail,
            mail.enabled && is_set_up(AlertChannel::Mail),
            (mail.severity, mail.wait_secs),
            &channel(AlertChannel::Mail, mail.enabled, "mail"),
        ),
    ]
}

fn whole_secs(wait: Duration) -> u32 {
    u32::try_from(wait.as_secs()).unwrap_or(u32::MAX)
}

/// "A critical alert that nobody acknowledges: at once an entry of the inbox; after 30 s …".
fn sentence(steps: &[AlertLadderStepView]) -> String {
    let part = |step: &AlertLadderStepView| {
        let when = match step.wait_secs {
            0 => "at once".to_owned(),
            secs => format!("after {}", format_span(Duration::from_secs(secs.into()))),
        };
        let what = match step.step {
            LadderStep::Inbox => "the inbox",
            LadderStep::Notification => "a notification",
            LadderStep::Sound => "a sound",
            LadderStep::Webhook => "the webhook",
            LadderStep::Mail => "mail",
        };
        format!("{when} {what}")
    };
    let parts: Vec<String> = steps.iter().filter(|step| step.is_on).map(part).collect();
    format!("{}. It ends when somebody acknowledges.", capitalize(&parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_stands_in_the_order_of_its_time() {
        let mut settings = Settings::default();
        settings.notifications.sound_wait_secs = 600;
        settings.webhook.enabled = true;
        settings.webhook.wait_secs = 300;
        let mut all = steps(&settings, |channel| channel == AlertChannel::Webhook);
        all.sort_by_key(|step| (!step.is_on, step.wait_secs));
        assert_eq!(
            sentence(&all),
            "At once the inbox, after 30 s a notification, after 5 min the webhook, after 10 min a \
             sound. It ends when somebody acknowledges."
        );
        assert!(!all[4].is_on && all[4].step == LadderStep::Mail);
        settings.notifications.enabled = false;
        let silent = steps(&settings, |_| false);
        let on: Vec<LadderStep> =
            silent.iter().filter(|step| step.is_on).map(|step| step.step).collect();
        assert_eq!(on, [LadderStep::Inbox], "a webhook without an address sends nothing");
    }

    #[test]
    fn only_steps_with_numbers_are_set_and_within_their_limits() {
        let set = |step, wait_secs| AlertLadderSet { step, wait_secs, from_severity: None };
        let field = |req| changes(&req).err().and_then(|error| error.field);
        assert_eq!(field(set(LadderStep::Inbox, Some(5))).as_deref(), Some("step"));
        let too_long = set(LadderStep::Mail, Some(86_401));
        assert_eq!(field(too_long).as_deref(), Some("wait_secs"));
        let longest = changes(&set(LadderStep::Mail, Some(86_400))).expect("in range");
        assert_eq!(longest, [("mail.wait_secs".to_owned(), SettingValue::Number(86_400))]);
    }
}
