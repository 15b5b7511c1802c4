//! What a webhook or a mail says.

use domain::AlertSeverity;
use serde::{Deserialize, Serialize};

domain::words! {
    /// Why a message is sent.
    MessageKind {
        /// Something is wrong
        Alert = "alert",
        /// What a message told is over
        Resolved = "resolved",
        /// A sum of a day or a week
        Digest = "digest",
        /// The user asked for it
        Test = "test",
    }
}

/// A message of one channel. It holds no secret, no prompt and no path of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelMessage {
    pub kind: MessageKind,
    pub severity: AlertSeverity,
    pub title: String,
    pub body: String,
}
