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
