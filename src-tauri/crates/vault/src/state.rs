//! The vault's state at the last call, and the remedies for the user.

/// Reason why a vault is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockReason {
    /// The keychain itself is locked, or its unlock prompt was dismissed.
    Keychain,
    /// The vault file exists, but its passphrase was not given since the start.
    PassphraseNeeded,
    /// There is no vault file yet: the first passphrase creates it.
    PassphraseUnset,
    /// The given passphrase does not open the file.
    PassphraseWrong,
}

impl LockReason {
    /// Short description of the problem.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Keychain => "the keychain is locked",
            Self::PassphraseNeeded => "the vault file is locked",
            Self::PassphraseUnset => "the vault file does not exist yet",
            Self::PassphraseWrong => "the passphrase does not open the vault file",
        }
    }

    /// The remedy in one sentence.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Keychain => {
                "Unlock it (log in again, or open your system's passwords app), then run \
                 `gatehouse vault status`."
            }
            Self::PassphraseNeeded => {
                "Run `gatehouse vault unlock`, or start Gatehouse with GATEHOUSE_PASSPHRASE set."
            }
            Self::PassphraseUnset => {
                "Run `gatehouse vault unlock` to choose a passphrase and create it."
            }
            Self::PassphraseWrong => {
                "Try again with `gatehouse vault unlock`; the file is unchanged."
            }
        }
    }
}

/// Remedy for a vault that [`crate::Vault::is_outdated`].
pub const OUTDATED_HINT: &str = "Keys that were added or changed since are missing or old. Put the \
    newer file back, or add those keys again.";

/// State of the vault at the last call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VaultState {
    /// No call has been conclusive yet.
    Unchecked,
    /// The store answered.
    Ready,
    /// The store exists but is locked.
    Locked(LockReason),
    /// A Secret Service runs but has no collection for keys.
    NoCollection,
    /// No keychain answers at all.
    Unavailable,
    /// The vault file cannot be read or written.
    FileUnusable,
    /// No answer within the time limit.
    Hung,
    /// The encrypted file is not what was written.
    Damaged,
}

impl VaultState {
    /// The remedy in one or two sentences. Empty if nothing is wrong.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Ready => "",
            Self::Unchecked => "Run `gatehouse vault status` to see whether it works.",
            Self::Locked(lock) => lock.hint(),
            Self::NoCollection => {
                "Run `gatehouse vault set file` to store keys in an encrypted file, or create a \
                 default keyring (log in to the desktop once, or use your passwords app)."
            }
            Self::Unavailable if cfg!(target_os = "linux") => {
                "Run `gatehouse vault set file` to store keys in an encrypted file, or start \
                 gnome-keyring or KWallet in this session."
            }
            Self::Unavailable => {
                "Run `gatehouse vault set file` to store keys in an encrypted file."
            }
            Self::FileUnusable => {
                "Give your user read and write permission for the vault file and its folder, then \
                 run `gatehouse vault status`."
            }
            Self::Hung => {
                "Check for an unlock prompt behind other windows, or restart the keychain, then \
                 run `gatehouse vault status`."
            }
            Self::Damaged => {
                "Restore the file from a backup; or move it away, run `gatehouse vault unlock` to \
                 create a new one, and add the keys again."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_but_ready_says_what_to_do() {
        let locks = [
            LockReason::Keychain,
            LockReason::PassphraseNeeded,
            LockReason::PassphraseUnset,
            LockReason::PassphraseWrong,
        ];
        let mut hints: Vec<&str> = locks.map(|lock| VaultState::Locked(lock).hint()).to_vec();
        hints.extend(
            [
                VaultState::Unchecked,
                VaultState::NoCollection,
                VaultState::Unavailable,
                VaultState::FileUnusable,
                VaultState::Hung,
                VaultState::Damaged,
            ]
            .map(VaultState::hint),
        );
        for (index, hint) in hints.iter().enumerate() {
            assert!(hint.ends_with('.') && !hint.contains("  "), "{hint}");
            assert!(hint.contains("`gatehouse vault "), "no command: {hint}");
            assert!(!hints[..index].contains(hint), "two states give the same advice: {hint}");
        }
        assert_eq!(VaultState::Ready.hint(), "");
    }
}
