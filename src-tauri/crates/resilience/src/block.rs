//! What only the user can mend: a rejected key, a missing permission, an empty account.
//!
//! No time lifts a block, since no time mends its cause: the key is replaced, a check by hand
//! succeeds, or the user resets it.

use domain::{Moment, words};

use crate::transition::TransitionRule;

words! {
    /// Why an access is blocked.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    BlockReason {
        /// 401: the key is not accepted.
        KeyRejected = "key-rejected",
        /// 403: the key has no permission.
        Forbidden = "forbidden",
        /// 402: the account has no credit.
        Unpaid = "unpaid",
        /// The quota or spend limit of the account is used up.
        QuotaExhausted = "quota-exhausted",
    }
}

/// That an access is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Why.
    pub reason: BlockReason,
    /// Since when; the start of the program if it was blocked before.
    pub since: Moment,
}

impl BlockReason {
    pub(crate) const fn rule(self) -> TransitionRule {
        match self {
            Self::KeyRejected => TransitionRule::KeyRejected,
            Self::Forbidden => TransitionRule::Forbidden,
            Self::Unpaid => TransitionRule::Unpaid,
            Self::QuotaExhausted => TransitionRule::QuotaExhausted,
        }
    }
}
