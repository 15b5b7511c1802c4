//! What becomes of alerts, as the settings say.

crate::words! {
    /// What becomes of the alerts of a rule.
    #[derive(Default)]
    AlertDelivery {
        /// No alert
        Off = "off",
        /// An entry of the inbox, without a notification
        Inbox = "inbox",
        /// An entry of the inbox and a notification
        #[default]
        Notification = "notification",
    }
}

crate::words! {
    /// How urgent an alert is.
    #[derive(Default)]
    AlertSeverity {
        Info = "info",
        /// Worth knowing; nothing to do within the day
        Low = "low",
        /// Something to do, not at once
        Medium = "medium",
        /// Something to do within the hour
        #[default]
        High = "high",
        /// Requests fail
        Critical = "critical",
    }
}

crate::words! {
    /// A way of telling the user of alerts, beside the inbox.
    AlertChannel {
        /// Notifications of this desktop
        Desktop = "desktop",
        /// A POST to an address that the user keeps in the vault
        Webhook = "webhook",
        /// Mail through the user's SMTP server
        Mail = "mail",
    }
}

impl AlertChannel {
    /// The name at the beginning of a sentence.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Desktop => "The desktop",
            Self::Webhook => "The webhook",
            Self::Mail => "Mail",
        }
    }

    /// Name of the vault entry that holds what the channel sends with: the address of the webhook,
    /// the password of the mail server. `None` for the desktop.
    #[must_use]
    pub fn credential(self) -> Option<crate::CredentialId> {
        match self {
            Self::Desktop => None,
            Self::Webhook => crate::CredentialId::new("alerts-webhook").ok(),
            Self::Mail => crate::CredentialId::new("alerts-mail").ok(),
        }
    }

    /// True for the name of a channel's vault entry, which no backend may use.
    #[must_use]
    pub fn is_credential(id: &crate::CredentialId) -> bool {
        Self::ALL.iter().any(|channel| channel.credential().as_ref() == Some(id))
    }
}

crate::words! {
    /// The form of a webhook's body.
    #[derive(Default)]
    WebhookFormat {
        /// `{"text": …}`, as Slack, Mattermost and Discord (`/slack`) read it
        #[default]
        Slack = "slack",
        /// A message of ntfy, with its topic taken from the address
        Ntfy = "ntfy",
    }
}

crate::words! {
    /// How the connection to a mail server is encrypted.
    #[derive(Default)]
    MailEncryption {
        /// In the clear until STARTTLS, which the server must offer
        #[default]
        StartTls = "starttls",
        /// From the first byte
        Tls = "tls",
        /// Not at all; only to a server on this machine
        None = "none",
    }
}

crate::words! {
    /// How often alerts are summed up.
    #[derive(Default)]
    DigestPeriod {
        #[default]
        Off = "off",
        Daily = "daily",
        /// On Mondays
        Weekly = "weekly",
    }
}
