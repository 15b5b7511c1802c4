//! Identifiers, validated once when they are parsed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Entropy, WallTime};

/// Maximum length of a backend, credential, client or route name, in characters.
pub const SLUG_CHARS_MAX: usize = 64;

/// Why an identifier was rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("the name is empty; give it 1 to {SLUG_CHARS_MAX} characters")]
    Empty,
    /// More than [`SLUG_CHARS_MAX`] characters.
    #[error("the name has {0} characters; at most {SLUG_CHARS_MAX} are allowed")]
    TooLong(usize),
    /// A character outside `a-z 0-9 . _ -`, or one of `. _ -` at the start.
    #[error(
        "the name contains {0:?}; use a-z, 0-9, '.', '_' and '-', starting with a letter or \
         digit"
    )]
    Character(char),
    /// Not the prefix of its kind followed by a UUID.
    #[error("{0:?} is not an id of this kind")]
    Malformed(String),
}

fn check_slug(text: &str) -> Result<(), IdError> {
    let length = text.chars().count();
    if length > SLUG_CHARS_MAX {
        return Err(IdError::TooLong(length));
    }
    let first = text.chars().next().ok_or(IdError::Empty)?;
    if !(first.is_ascii_lowercase() || first.is_ascii_digit()) {
        return Err(IdError::Character(first));
    }
    let allowed =
        |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    text.chars().find(|c| !allowed(c)).map_or(Ok(()), |c| Err(IdError::Character(c)))
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Cloning shares the text: every request carries these names.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Validates the name: 1 to [`SLUG_CHARS_MAX`] of `a-z 0-9 . _ -`, starting with a
            /// letter or digit.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                check_slug(&text)?;
                Ok(Self(text.into()))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
    };
}

slug! {
    /// A configured provider or server that requests can be sent to.
    BackendId
}
slug! {
    /// The name of a secret in the vault.
    CredentialId
}
slug! {
    /// A tool on this machine that calls the gateway with its own local token.
    ClientId
}

impl ClientId {
    /// The id of a name as people write it: `Claude Code` becomes `claude-code`. Characters that no id
    /// can hold separate its words.
    pub fn from_name(name: &str) -> Result<Self, IdError> {
        let lower = name.trim().to_lowercase();
        if let Ok(id) = Self::new(lower.as_str()) {
            return Ok(id);
        }
        let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
        match words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-") {
            slug if slug.is_empty() => Self::new(name.trim()),
            slug => Self::new(slug),
        }
    }
}

slug! {
    /// A spending limit.
    BudgetId
}
slug! {
    /// A rule that maps model names to backends.
    RouteId
}
slug! {
    /// A service beside the backends that is watched.
    ServiceId
}
slug! {
    /// A figure on the Overview.
    PinId
}
slug! {
    /// A set of backends that are in use together, such as "work".
    ProfileId
}
slug! {
    /// A saved view of the requests.
    ViewId
}

/// A backend reached with one of its credentials (an endpoint). Breakers, cooldowns, blocks and
/// attempts all apply to this pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    pub backend: BackendId,
    /// `None` for a server that needs no key.
    pub credential: Option<CredentialId>,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.credential {
            Some(credential) => write!(f, "{} ({credential})", self.backend),
            None => write!(f, "{}", self.backend),
        }
    }
}

/// Length of a generated id as text, in bytes: a prefix of four and 32 hexadecimal digits.
pub const GENERATED_ID_BYTES: usize = 36;

macro_rules! generated {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// A new UUID version 7 (RFC 9562): ordered by time, with 74 random bits.
            #[must_use]
            pub fn generate(wall: WallTime, entropy: &dyn Entropy) -> Self {
                let mut random = [0_u8; 10];
                entropy.fill(&mut random);
                let millis = u64::try_from(wall.unix_ms()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// When it was generated, in whole milliseconds.
            #[must_use]
            pub fn created(&self) -> WallTime {
                let millis = self.0.as_u128() >> 80;
                WallTime::from_unix_ms(i64::try_from(millis).unwrap_or_default())
            }

            /// Writes the text form into `buffer`, the same as [`fmt::Display`] without an
            /// allocation.
            pub fn encode<'a>(&self, buffer: &'a mut [u8; GENERATED_ID_BYTES]) -> &'a str {
                let (prefix, digits) = buffer.split_at_mut($prefix.len());
                prefix.copy_from_slice($prefix.as_bytes());
                self.0.simple().encode_lower(digits);
                // Both parts are ASCII.
                std::str::from_utf8(buffer).unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.encode(&mut [0; GENERATED_ID_BYTES]))
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let malformed = || IdError::Malformed(text.chars().take(SLUG_CHARS_MAX).collect());
                let digits = text.strip_prefix($prefix).ok_or_else(malformed)?;
                Uuid::try_parse(digits).map(Self).map_err(|_| malformed())
            }
        }
    };
}

generated! {
    /// One call from a client. Text form: `req_` and 32 hexadecimal digits.
    RequestId, "req_"
}
generated! {
    /// One run of readiness checks. Text form: `run_` and 32 hexadecimal digits.
    RunId, "run_"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;

    #[test]
    fn a_name_is_accepted_up_to_its_limit_and_refused_past_it() {
        assert!(BackendId::new("a".repeat(SLUG_CHARS_MAX)).is_ok());
        assert_eq!(BackendId::new("a".repeat(SLUG_CHARS_MAX + 1)), Err(IdError::TooLong(65)));
        assert_eq!(BackendId::new(""), Err(IdError::Empty));
        for (text, character) in [("Up", 'U'), ("a/b", '/'), ("-a", '-'), ("a b", ' '), ("ä", 'ä')]
        {
            assert_eq!(BackendId::new(text), Err(IdError::Character(character)), "{text}");
        }
    }

    #[test]
    fn a_generated_id_survives_text_and_is_ordered_by_time() {
        let entropy = SeededEntropy::new(1);
        let early = RequestId::generate(WallTime::from_unix_ms(1_000), &entropy);
        let late = RequestId::generate(WallTime::from_unix_ms(2_000), &entropy);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse(), Ok(early));
        assert_eq!(late.created(), WallTime::from_unix_ms(2_000));
        assert!("run_00".parse::<RequestId>().is_err());
    }
}
