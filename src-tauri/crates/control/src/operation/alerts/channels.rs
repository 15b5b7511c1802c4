//! Operations on the channels that alerts are sent through.

use domain::{AlertChannel, AlertSeverity, BoundSecret, Origin, capitalize};
use engine::Engine;
use monitor::{DesktopAbility, NotificationProgram};
use settings::{CredentialSettings, Settings};

use crate::ApiError;
use crate::view::{
    AlertChannelRef, AlertChannelSecret, AlertChannelState, AlertChannelView, AlertTestAnswer,
    DesktopAbilityView, DesktopServiceView,
};

pub(crate) async fn alert_channels(engine: &Engine) -> Result<Vec<AlertChannelView>, ApiError> {
    let mut all = Vec::new();
    for channel in AlertChannel::ALL {
        all.push(channel_view(engine, *channel).await);
    }
    Ok(all)
}

pub(crate) async fn alert_channel_test(
    engine: &Engine,
    req: AlertChannelRef,
) -> Result<AlertChannelView, ApiError> {
    engine.alerts().test_channel(req.channel).await;
    Ok(channel_view(engine, req.channel).await)
}

pub(crate) async fn alert_test_answer(
    engine: &Engine,
    req: AlertTestAnswer,
) -> Result<AlertChannelView, ApiError> {
    if !engine.alerts().answer_test(req.channel, req.is_seen).await {
        let message = format!("no test was sent to {}", req.channel);
        return Err(ApiError::not_found(message));
    }
    Ok(channel_view(engine, req.channel).await)
}

/// The secret is bound to its server in the vault, so that no change of the settings takes it
/// elsewhere.
pub(crate) async fn alert_channel_secret(
    engine: &Engine,
    req: AlertChannelSecret,
) -> Result<AlertChannelView, ApiError> {
    let AlertChannelSecret { channel, secret } = req;
    let Some(id) = channel.credential() else {
        return Err(ApiError::invalid("channel", "the desktop needs no secret"));
    };
    let _held = engine.vault_switch().lock_changes().await;
    let settings = engine.settings();
    let origin = secret_origin(engine, &settings, &secret, channel)?;
    let known = CredentialSettings {
        label: label(channel).to_owned(),
        origin: Some(origin.clone()),
        // The end of an address is no help, and part of a password is too much.
        tail: None,
        created: engine.clock().wall(),
        replaced: settings.credentials.contains_key(&id).then(|| engine.clock().wall()),
        note: None,
        billing: None,
        oauth: None,
        expires: None,
    };
    engine.vault().put(&id, BoundSecret::new(secret, Some(origin))).await?;
    engine.settings_editor().edit(move |draft| drop(draft.credentials.insert(id, known))).await?;
    Ok(channel_view(engine, channel).await)
}

fn secret_origin(
    engine: &Engine,
    settings: &Settings,
    secret: &domain::Secret,
    channel: AlertChannel,
) -> Result<Origin, ApiError> {
    if channel == AlertChannel::Webhook {
        let parsed = engine.alerts().channels().parse_address(secret);
        return parsed.map_err(|error| ApiError::invalid("secret", error.to_string()));
    }
    let named = Some(&settings.mail).filter(|mail| !mail.server.is_empty());
    named.and_then(settings::MailSettings::origin).ok_or_else(|| {
        let message = "name the mail server first: `gatehouse settings set mail_server HOST`";
        ApiError::invalid("channel", message)
    })
}

const fn label(channel: AlertChannel) -> &'static str {
    match channel {
        AlertChannel::Desktop => "Desktop",
        AlertChannel::Webhook => "Address of the webhook for alerts",
        AlertChannel::Mail => "Password of the mail server for alerts",
    }
}

async fn channel_view(engine: &Engine, channel: AlertChannel) -> AlertChannelView {
    let settings = engine.settings();
    let activity = engine.alerts().channel_activity(channel);
    let is_set_up = engine.alerts().channels().is_set_up(channel);
    let is_on = match channel {
        AlertChannel::Desktop => settings.notifications.enabled,
        AlertChannel::Webhook => settings.webhook.enabled,
        AlertChannel::Mail => settings.mail.enabled,
    };
    let state = match (is_on, is_set_up, &activity.failure, activity.last_sent) {
        (false, ..) => AlertChannelState::Off,
        (_, false, ..) => AlertChannelState::NotSetUp,
        (_, _, Some(_), _) => AlertChannelState::Failing,
        (_, _, None, Some(_)) => AlertChannelState::Working,
        (_, _, None, None) => AlertChannelState::Untried,
    };
    let failure = activity.failure.as_ref().map(|failure| failure.reason.as_str());
    let interrupted = activity.interrupted.is_some();
    AlertChannelView {
        channel,
        state,
        detail: detail(channel, state, failure, interrupted),
        host: host(&settings, channel),
        has_secret: is_set_up,
        from_severity: match channel {
            AlertChannel::Desktop => AlertSeverity::Medium,
            AlertChannel::Webhook => settings.webhook.severity,
            AlertChannel::Mail => settings.mail.severity,
        },
        waiting: u32::try_from(activity.waiting).unwrap_or(u32::MAX),
        last_sent_at: activity.last_sent.map(Into::into),
        failing_since: activity.failure.map(|failure| failure.since.into()),
        tested_at: activity.test.as_ref().map(|test| test.at.into()),
        test_failure: activity.test.as_ref().and_then(|test| test.failure.clone()),
        test_seen: activity.test.and_then(|test| test.is_seen),
        service: match channel {
            AlertChannel::Desktop => service_view(engine.notifications().describe().await),
            AlertChannel::Webhook | AlertChannel::Mail => None,
        },
    }
}

fn service_view(asked: Result<Option<NotificationProgram>, String>) -> Option<DesktopServiceView> {
    let service = match asked {
        Ok(service) => service?,
        Err(problem) => {
            let (name, abilities) = (None, Vec::new());
            return Some(DesktopServiceView { name, problem: Some(problem), abilities });
        }
    };
    let abilities = service.abilities.into_iter().map(|(ability, is_there)| DesktopAbilityView {
        ability,
        is_there,
        detail: ability_detail(ability, is_there).to_owned(),
    });
    Some(DesktopServiceView {
        name: Some(format!("{} {}", service.name, service.version).trim().to_owned()),
        problem: None,
        abilities: abilities.collect(),
    })
}

const fn ability_detail(ability: DesktopAbility, is_there: bool) -> &'static str {
    match (ability, is_there) {
        (DesktopAbility::Text, true) => "The sentence below the title is shown.",
        (DesktopAbility::Text, false) => "Only the title is shown.",
        (DesktopAbility::Actions, true) => "A click opens the right page; buttons work.",
        (DesktopAbility::Actions, false) => "A click does nothing. Open the panel instead.",
        (DesktopAbility::Replace, true) => {
            "An update replaces the notification, which closes when the alert is resolved."
        }
        (DesktopAbility::Replace, false) => "What is shown stays until you close it.",
        (DesktopAbility::Sound, true) => "Unacknowledged alerts can play a sound.",
        (DesktopAbility::Sound, false) => "Alerts make no sound.",
        (DesktopAbility::Persistence, true) => "Notifications are kept until you close them.",
        (DesktopAbility::Persistence, false) => {
            "Notifications go after a while; the inbox has them."
        }
    }
}

fn host(settings: &Settings, channel: AlertChannel) -> Option<String> {
    match channel {
        AlertChannel::Desktop => None,
        AlertChannel::Webhook => {
            let known = settings.credentials.get(&channel.credential()?)?;
            known.origin.as_ref().map(Origin::to_string)
        }
        AlertChannel::Mail => {
            let mail = &settings.mail;
            (!mail.server.is_empty()).then(|| format!("{}:{}", mail.server, mail.smtp_port))
        }
    }
}

fn detail(
    channel: AlertChannel,
    state: AlertChannelState,
    failure: Option<&str>,
    interrupted: bool,
) -> String {
    let lost = "A stop came while a message was being sent: it may not have arrived.";
    match (state, failure) {
        (AlertChannelState::Off, _) => "Nothing is sent.".to_owned(),
        (AlertChannelState::NotSetUp, _) => match channel {
            AlertChannel::Mail => {
                "It has no server or no password. `gatehouse alerts secret mail` stores it."
            }
            AlertChannel::Desktop | AlertChannel::Webhook => {
                "It has no address. `gatehouse alerts secret webhook` stores one."
            }
        }
        .to_owned(),
        (_, Some(reason)) => format!("{}.", capitalize(reason.trim_end_matches('.'))),
        _ if interrupted => lost.to_owned(),
        (AlertChannelState::Untried, _) => "Nothing was sent yet. Send a test.".to_owned(),
        _ => "The last message was sent.".to_owned(),
    }
}
