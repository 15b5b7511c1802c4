//! Channels of alerts beside the desktop. What they send with is in the vault.

use domain::{AlertSeverity, MailEncryption, WebhookFormat};

use crate::setting::settings;

/// Longest name of a mail server or a user, and longest address, in characters.
pub(crate) const MAIL_TEXT_CHARS_MAX: usize = 320;
settings! {
    /// Alerts to an address of the user's. The address itself is a secret and lies in the vault.
    pub WebhookSettings in "webhook", keys "webhook_" {
        /// Sends alerts to the stored address. `gatehouse alerts secret webhook` stores it.
        enabled: bool = false, panel Webhook "Webhook";
        /// What the address understands.
        format: WebhookFormat, panel Webhook "Body";
        /// The least severity that is sent.
        severity: AlertSeverity, panel Webhook "From severity";
        /// Only alerts that nobody has acknowledged within this time are sent.
        wait_secs: u32 = 0, in 0..=86_400, panel Webhook "Wait for an acknowledgement";
        /// The address may lead to a private network, such as a server of yours.
        private_network: bool = false, panel Webhook "Private network";
    }
}

settings! {
    /// Alerts by mail. The password lies in the vault.
    pub MailSettings in "mail", keys "mail_" {
        /// Sends alerts by mail. `gatehouse alerts secret mail` stores the password.
        enabled: bool = false, panel Mail "Mail";
        /// Host name of your SMTP server, such as smtp.example.com.
        server: String, panel Mail "SMTP server";
        /// The server listens on this port.
        smtp_port: u16 = 587, in 1..=65_535, panel Mail "SMTP port";
        /// How the connection is encrypted; `none` only to this machine.
        encryption: MailEncryption, panel Mail "Encryption";
        /// Name to sign in with; empty to sign in with none.
        user: String, panel Mail "User name";
        /// Address that mail comes from.
        from: String, panel Mail "From";
        /// Address that mail goes to.
        to: String, panel Mail "To";
        /// The least severity that is sent.
        severity: AlertSeverity, panel Mail "From severity";
        /// Only alerts that nobody has acknowledged within this time are sent.
        wait_secs: u32 = 0, in 0..=86_400, panel Mail "Wait for an acknowledgement";
    }
}

impl MailSettings {
    /// True for a server on this machine.
    #[must_use]
    pub(crate) fn is_this_machine(&self) -> bool {
        match url::Host::parse(&self.server) {
            Ok(url::Host::Domain(name)) => name == "localhost",
            Ok(url::Host::Ipv4(address)) => address.is_loopback(),
            Ok(url::Host::Ipv6(address)) => address.is_loopback(),
            Err(_) => false,
        }
    }

    /// What the vault binds the password to: the server and the port. It is written as an https
    /// address because the password goes there encrypted, or to this machine.
    #[must_use]
    pub fn origin(&self) -> Option<domain::Origin> {
        format!("https://{}:{}", self.server, self.smtp_port).parse().ok()
    }
}
