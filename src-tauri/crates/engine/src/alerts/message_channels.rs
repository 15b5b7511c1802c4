//! Sends messages about alerts to a webhook and by mail.
//!
//! What they are sent with is in the vault, bound to its server: a changed setting never takes it
//! elsewhere. No message and no error holds a secret or the path of a file; what a server answers is
//! not repeated.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alerts::{ChannelMessage, ChannelPolicy, MessageKind, PostOutcome};
use domain::{AlertChannel, AlertSeverity, BoundSecret, Origin, one_line, redact_outbound};
use gateway::{PostError, Upstream, post_json};
use monitor::{MailServer, send_mail, webhook_call};
use settings::{
    AllowedNetwork, MailSettings, SettingsStore, WebhookSettings, WebhookUrlError,
    parse_webhook_url,
};
use vault::{Vault, VaultError};

/// Time for a whole mail.
const MAIL_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest title of a message, in characters.
const TITLE_CHARS_MAX: usize = 120;
/// Longest body of a message, in characters.
const BODY_CHARS_MAX: usize = 1_000;

/// Sends messages about alerts beside the desktop.
pub struct MessageChannels {
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) vault: Vault,
    pub(crate) network: Arc<dyn Upstream>,
}

impl MessageChannels {
    /// The channels that are switched on, and what they send.
    pub(crate) fn policies(&self) -> BTreeMap<AlertChannel, ChannelPolicy> {
        let settings = self.settings.current();
        let (webhook, mail) = (&settings.webhook, &settings.mail);
        let policy = |from: AlertSeverity, wait_secs: u32| ChannelPolicy {
            from,
            wait: Duration::from_secs(wait_secs.into()),
        };
        let webhook_policy = webhook
            .enabled
            .then(|| (AlertChannel::Webhook, policy(webhook.severity, webhook.wait_secs)));
        let mail_policy =
            mail.enabled.then(|| (AlertChannel::Mail, policy(mail.severity, mail.wait_secs)));
        webhook_policy.into_iter().chain(mail_policy).collect()
    }

    /// True if the channel has what it sends with.
    #[must_use]
    pub fn is_set_up(&self, channel: AlertChannel) -> bool {
        let settings = self.settings.current();
        let is_stored =
            channel.credential().is_none_or(|id| settings.credentials.contains_key(&id));
        match channel {
            AlertChannel::Desktop => true,
            AlertChannel::Webhook => is_stored,
            AlertChannel::Mail => {
                !settings.mail.server.is_empty() && (is_stored || settings.mail.user.is_empty())
            }
        }
    }

    /// Why the channel has nothing to send with, as a clause; `None` if it has.
    pub(crate) fn missing(&self, channel: AlertChannel) -> Option<String> {
        (!self.is_set_up(channel)).then(|| missing_reason(channel).to_owned())
    }

    /// The address of a webhook, and what it is bound to.
    ///
    /// # Errors
    /// The text is not the address of a webhook.
    pub fn parse_address(&self, secret: &domain::Secret) -> Result<Origin, WebhookUrlError> {
        let port = self.settings.current().gateway.port;
        let url = parse_webhook_url(secret.expose(), port)?;
        Origin::from_url(&url).map_err(|_| WebhookUrlError::NotAUrl)
    }

    /// Sends one message. Takes at most some 30 seconds.
    pub(crate) async fn send(
        &self,
        channel: AlertChannel,
        message: &ChannelMessage,
    ) -> PostOutcome {
        let settings = self.settings.current();
        let (title, body) = shown_text(message);
        match channel {
            AlertChannel::Desktop => refused("this is no channel of messages"),
            AlertChannel::Webhook => {
                self.post(&settings.webhook, (&title, &body), message.severity).await
            }
            AlertChannel::Mail => {
                let subject = format!("[Gatehouse] {title}");
                self.mail(&settings.mail, &subject, &mail_body(&body, message)).await
            }
        }
    }

    async fn post(
        &self,
        webhook: &WebhookSettings,
        text: (&str, &str),
        severity: AlertSeverity,
    ) -> PostOutcome {
        let secret = match self.secret(AlertChannel::Webhook).await {
            Ok(Some(secret)) => secret,
            Ok(None) => return refused(missing_reason(AlertChannel::Webhook)),
            Err(outcome) => return outcome,
        };
        let port = self.settings.current().gateway.port;
        let address = match parse_webhook_url(secret.parts().0.expose(), port) {
            Ok(address) => address,
            Err(error) => return refused(&error.to_string()),
        };
        let Some(call) = webhook_call(webhook.format, &address, text, severity) else {
            return refused("its address names no topic; write it like https://ntfy.sh/topic");
        };
        let network = AllowedNetwork::of_setting(webhook.private_network);
        match post_json(&*self.network, call.url, network, call.body).await {
            Ok(()) => PostOutcome::Sent,
            Err(error) if error.is_temporary() => {
                let retry_after = match &error {
                    PostError::Status { retry_after, .. } => *retry_after,
                    _ => None,
                };
                PostOutcome::Failed { reason: error.to_string(), retry_after }
            }
            Err(error) => refused(&error.to_string()),
        }
    }

    async fn mail(&self, mail: &MailSettings, subject: &str, body: &str) -> PostOutcome {
        let password = match mail.user.is_empty() {
            true => None,
            false => match self.secret(AlertChannel::Mail).await {
                Ok(Some(secret)) => Some(secret),
                Ok(None) => return refused(missing_reason(AlertChannel::Mail)),
                Err(outcome) => return outcome,
            },
        };
        let server = MailServer {
            host: mail.server.clone(),
            port: mail.smtp_port,
            encryption: mail.encryption,
            user: mail.user.clone(),
            from: mail.from.clone(),
            to: mail.to.clone(),
            origin: mail.origin(),
            issuers: None,
        };
        let sending = send_mail(&server, password.as_deref(), subject, body);
        match tokio::time::timeout(MAIL_TIMEOUT, sending).await {
            Ok(Ok(())) => PostOutcome::Sent,
            Ok(Err(error)) if error.is_temporary() => {
                PostOutcome::Failed { reason: error.to_string(), retry_after: None }
            }
            Ok(Err(error)) => refused(&error.to_string()),
            Err(_elapsed) => PostOutcome::Failed {
                reason: "the mail server did not answer in time".to_owned(),
                retry_after: None,
            },
        }
    }

    /// What the channel sends with; `None` if nothing is stored.
    async fn secret(&self, channel: AlertChannel) -> Result<Option<Arc<BoundSecret>>, PostOutcome> {
        let Some(id) = channel.credential() else { return Ok(None) };
        match self.vault.get(&id).await {
            Ok(secret) => Ok(Some(secret)),
            Err(VaultError::NotFound(_)) => Ok(None),
            Err(_) => Err(PostOutcome::Failed {
                reason: "the vault could not be read".to_owned(),
                retry_after: None,
            }),
        }
    }
}

fn refused(reason: &str) -> PostOutcome {
    PostOutcome::Refused { reason: reason.to_owned() }
}

const fn missing_reason(channel: AlertChannel) -> &'static str {
    match channel {
        AlertChannel::Desktop => "this engine runs without a desktop",
        AlertChannel::Webhook => "no address is stored; run `gatehouse alerts secret webhook`",
        AlertChannel::Mail => "no password is stored; run `gatehouse alerts secret mail`",
    }
}

/// Title and body without what looks like a key or the path of a file.
fn shown_text(message: &ChannelMessage) -> (String, String) {
    let title = one_line(&redact_outbound(&message.title), TITLE_CHARS_MAX);
    let lines = message.body.lines().map(redact_outbound);
    let body = lines.collect::<Vec<_>>().join("\n");
    (title, body.chars().take(BODY_CHARS_MAX).collect())
}

fn mail_body(body: &str, message: &ChannelMessage) -> String {
    let about = match message.kind {
        MessageKind::Alert => format!("Severity: {}.", message.severity),
        MessageKind::Resolved => "This ends an alert that was mailed before.".to_owned(),
        MessageKind::Digest => "Gatehouse made this digest.".to_owned(),
        MessageKind::Test => "Gatehouse sent this test on request.".to_owned(),
    };
    format!("{body}\n\n{about} All alerts: `gatehouse alerts history`.\n")
}
