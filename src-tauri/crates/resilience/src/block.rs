//! Errors that only the user can fix: a rejected key, a missing permission, an account without
//! credit.
//!
//! A block has no time limit, because time does not fix its cause. It ends when the key is
//! replaced, a manual check succeeds or the user resets it.

use domain::{Moment, words};

use crate::transition::TransitionCause;

words! {
    BlockReason {
        /// 401: the provider does not accept the key.
        KeyRejected = "key-rejected",
        /// 403: the key has no permission.
        Forbidden = "forbidden",
        /// 402: the account has no credit.
        Unpaid = "unpaid",
        /// The quota or spend limit of the account is used up.
        QuotaExhausted = "quota-exhausted",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointBlock {
    pub reason: BlockReason,
    /// The start of the block, or of the program if the block is older.
    pub since: Moment,
}

impl BlockReason {
    pub(crate) const fn transition_cause(self) -> TransitionCause {
        match self {
            Self::KeyRejected => TransitionCause::KeyRejected,
            Self::Forbidden => TransitionCause::Forbidden,
            Self::Unpaid => TransitionCause::Unpaid,
            Self::QuotaExhausted => TransitionCause::QuotaExhausted,
        }
    }
}
