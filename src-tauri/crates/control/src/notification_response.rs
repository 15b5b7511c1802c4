//! Does what the user chose on a desktop notification, by the operations of the panel.

use alerts::{NotificationAction, NotificationResponse};
use domain::CallerKind;

use crate::view::{AlertRef, AlertSilence, UnixMs};
use crate::{ApiError, Caller, Core, alert_acknowledge, alert_silence};

/// How long an alert is silenced from its notification, in milliseconds.
const SILENCE_MS: i64 = 3_600_000;

/// Acknowledges or silences the alerts of a notification that still fire. What a click opens is the
/// window's affair.
pub async fn respond_to_notification(core: &Core, response: &NotificationResponse) {
    let core = core.called_by(Caller::new(CallerKind::Notification));
    for number in &response.alerts {
        let done = match response.action {
            NotificationAction::Open => return,
            NotificationAction::Acknowledge => acknowledge(&core, *number).await,
            NotificationAction::SilenceHour => silence(&core, *number).await,
        };
        if let Err(error) = done {
            tracing::warn!(%error.message, number, "the action chosen in the notification was refused");
        }
    }
}

async fn acknowledge(core: &Core, number: u64) -> Result<(), ApiError> {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    alert_acknowledge(core, AlertRef { number }).await.map(drop)
}

async fn silence(core: &Core, number: u64) -> Result<(), ApiError> {
    // Notifications of alerts are shown by the process of the engine.
    let Core::Local(engine, _) = core else { return Ok(()) };
    let all = engine.alerts().alerts();
    let Some(alert) = all.iter().find(|alert| alert.number == Some(number)) else {
        return Err(ApiError::not_found(format!("no alert with the number {number} fires")));
    };
    let condition = &alert.condition;
    let until = UnixMs(engine.clock().wall().unix_ms().saturating_add(SILENCE_MS));
    let silence = AlertSilence {
        rule: Some(condition.rule),
        scope: condition.silence_scope().map(str::to_owned),
        reason: condition.title.clone(),
        until,
    };
    alert_silence(core, silence).await.map(drop)
}
