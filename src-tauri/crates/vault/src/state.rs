//! How the vault stands, as the last call found it, and what the user can do about it.

/// What keeps a vault closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lock {
    /// The keychain itself is locked, or its unlock prompt was dismissed.
    Keychain,
    /// The file vault exists and has not been given its passphrase since the start.
    PassphraseNeeded,
    /// There is no file vault yet: the first passphrase makes it.
    PassphraseUnset,
    /// The passphrase given does not open the file.
    PassphraseWrong,
}

impl Lock {
    /// What to do, as one sentence.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Keychain => {
                "Unlock your keychain (log in again, or open your system's keychain or \
                 passwords program), then check again."
            }
            Self::PassphraseNeeded => {
                "Enter the passphrase of the file vault, or set GATEHOUSE_PASSPHRASE."
            }
            Self::PassphraseUnset => "Choose a passphrase: it will encrypt the new file vault.",
            Self::PassphraseWrong => "Enter the passphrase again; the file vault is unchanged.",
        }
    }
}

/// How the vault stood at the last call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VaultState {
    /// Nothing conclusive has been asked of it yet.
    Unchecked,
    /// It answered.
    Ready,
    /// It is there and closed.
    Locked(Lock),
    /// A Secret Service runs, but has no collection to keep keys in.
    NoCollection,
    /// No keychain answers at all, or the file cannot be read or written.
    Unavailable,
    /// It did not answer within the time limit.
    Hung,
    /// The encrypted file is not what was written.
    Damaged,
}

impl VaultState {
    /// What to do, as one or two sentences. Empty when there is nothing to do.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Ready => "",
            Self::Unchecked => "Check the vault to see whether it works.",
            Self::Locked(lock) => lock.hint(),
            Self::NoCollection => {
                "Create a default keyring (log in to the desktop once, or use your \
                 passwords program), or choose the `file` vault."
            }
            Self::Unavailable => {
                "Start a keychain (on Linux: gnome-keyring or KWallet on the session \
                 bus) or make the vault's folder writable, or choose the `file` vault."
            }
            Self::Hung => {
                "Look for an open unlock prompt, or restart the keychain; Gatehouse tries \
                 again by itself."
            }
            Self::Damaged => {
                "Restore the vault file from a backup, or move it away and enter the \
                 keys again."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_but_ready_says_what_to_do() {
        let locks =
            [Lock::Keychain, Lock::PassphraseNeeded, Lock::PassphraseUnset, Lock::PassphraseWrong];
        let mut hints: Vec<&str> = locks.map(|lock| VaultState::Locked(lock).hint()).to_vec();
        hints.extend(
            [
                VaultState::Unchecked,
                VaultState::NoCollection,
                VaultState::Unavailable,
                VaultState::Hung,
                VaultState::Damaged,
            ]
            .map(VaultState::hint),
        );
        for (index, hint) in hints.iter().enumerate() {
            assert!(hint.ends_with('.') && !hint.contains("  "), "{hint}");
            assert!(!hints[..index].contains(hint), "two states give the same advice: {hint}");
        }
        assert_eq!(VaultState::Ready.hint(), "");
    }
}
