//! The four places keys can rest, by the names used in settings, on the command line and in the panel.

use std::fmt;
use std::str::FromStr;

/// Where the vault keeps keys. Chosen by the user, never by looking around.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VaultKind {
    /// The operating system's keychain. The default.
    Keychain,
    /// One file encrypted with a passphrase, for machines that have no keychain.
    File,
    /// A read-only view of variables such as `OPENAI_API_KEY`.
    Env,
    /// Nowhere: gone when the process ends. For tests and the demonstration.
    Memory,
}

/// Not the name of a kind of vault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a kind of vault; choose keychain, file, env or memory")]
pub struct UnknownKind(String);

impl VaultKind {
    /// Every kind, in the order the panel offers them.
    pub const ALL: [Self; 4] = [Self::Keychain, Self::File, Self::Env, Self::Memory];

    /// The lower-case name, the same everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::File => "file",
            Self::Env => "env",
            Self::Memory => "memory",
        }
    }
}

impl fmt::Display for VaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for VaultKind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let named = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        named.ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_from_its_name_and_no_other_text_is() {
        for kind in VaultKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("Keychain".parse::<VaultKind>(), Err(UnknownKind("Keychain".to_owned())));
        assert!("plain".parse::<VaultKind>().is_err());
    }
}
