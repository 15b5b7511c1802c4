//! The passphrase of the file vault: checked once, zeroed when dropped, never printed.

use age::secrecy::SecretString;
use zeroize::Zeroize;

/// Fewest characters of a passphrase (NIST SP 800-63B section 5.1.1.1).
pub const PASSPHRASE_CHARS_MIN: usize = 8;

/// Longest passphrase accepted, in bytes. Far above what a person types; bounds the input.
pub(crate) const PASSPHRASE_BYTES_MAX: usize = 1_024;

/// The passphrase of the file vault. Its `Debug` output does not contain it.
#[derive(Debug, Clone)]
pub struct Passphrase(SecretString);

/// Reason why a passphrase was rejected. Does not contain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// Fewer than `PASSPHRASE_CHARS_MIN` characters.
    #[error("the passphrase is too short; use at least {PASSPHRASE_CHARS_MIN} characters")]
    TooShort,
    /// More than `PASSPHRASE_BYTES_MAX` bytes.
    #[error("the passphrase is too long; use at most {PASSPHRASE_BYTES_MAX} bytes")]
    TooLong,
}

impl Passphrase {
    /// Accepts a passphrase exactly as typed: white space counts.
    pub fn parse(mut text: String) -> Result<Self, PassphraseError> {
        let refused = if text.chars().count() < PASSPHRASE_CHARS_MIN {
            Some(PassphraseError::TooShort)
        } else if text.len() > PASSPHRASE_BYTES_MAX {
            Some(PassphraseError::TooLong)
        } else {
            None
        };
        let kept = refused.map_or_else(|| Ok(Self(SecretString::from(text.as_str()))), Err);
        text.zeroize();
        kept
    }

    pub(crate) const fn as_age_secret(&self) -> &SecretString {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_accepted_from_its_shortest_to_its_longest() {
        let refusal = |text: &str| Passphrase::parse(text.to_owned()).err();
        assert_eq!(refusal(&"é".repeat(PASSPHRASE_CHARS_MIN - 1)), Some(PassphraseError::TooShort));
        assert_eq!(refusal(&"é".repeat(PASSPHRASE_CHARS_MIN)), None);
        assert_eq!(refusal(&"p".repeat(PASSPHRASE_BYTES_MAX)), None);
        assert_eq!(refusal(&"p".repeat(PASSPHRASE_BYTES_MAX + 1)), Some(PassphraseError::TooLong));
    }

    #[test]
    fn debug_prints_nothing_of_it() {
        let passphrase = Passphrase::parse("correct horse".to_owned()).expect("long enough");
        assert!(!format!("{passphrase:?}").contains("horse"));
    }
}
