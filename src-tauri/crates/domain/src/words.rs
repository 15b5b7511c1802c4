//! Value enums with one word for each value. Settings, ledger, JSON, command line and panel all use
//! that word, so each enum is defined once.

use std::str::FromStr;

/// The text is not one of the allowed words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use one of: {}", .allowed.join(", "))]
pub struct UnknownWord {
    pub allowed: &'static [&'static str],
}

/// An enum made by [`words!`](crate::words).
pub trait Word: Copy + FromStr<Err = UnknownWord> + Send + Sync + 'static {
    /// Every value, in the order of the variants.
    const ALL: &'static [Self];

    fn word(self) -> &'static str;

    /// Another word that is read but never written.
    fn alias(self) -> Option<&'static str>;

    /// The variant's documentation in one line, without the final full stop; empty without one.
    fn meaning(self) -> &'static str;
}

/// Defines an enum whose variants each have one word, used for parsing, printing, storing and JSON.
/// The documentation of a variant is also its help on the command line and its comment in
/// TypeScript. A word after `also` is parsed, too: what it was called before, or a shorter one.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident {
        $($(#[doc = $meaning:literal])* $(#[default $($mark:tt)?])?
            $variant:ident = $word:literal $(also $alias:literal)?),+ $(,)?
    }) => {
        $crate::with_panel_type! {
            $(#[$doc])*
            #[derive(
                Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord,
                $crate::serde::Serialize, $crate::serde::Deserialize,
            )]
            #[serde(crate = "domain::serde")]
            pub enum $name {
                $(
                    $(#[doc = $meaning])* $(#[default $($mark)?])?
                    #[serde(rename = $word)] $variant
                ),+
            }
        }

        impl $name {
            /// Every value, in the order of the variants.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Every word, in the order of the variants.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The text form of this value.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl $crate::Word for $name {
            const ALL: &'static [Self] = Self::ALL;

            fn word(self) -> &'static str {
                self.word()
            }

            fn alias(self) -> Option<&'static str> {
                match self { $(Self::$variant => [$($alias)?].first().copied()),+ }
            }

            fn meaning(self) -> &'static str {
                let text = match self { $(Self::$variant => concat!($($meaning),*)),+ };
                text.trim_ascii().trim_end_matches('.')
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;
            fn from_str(text: &str) -> Result<Self, $crate::UnknownWord> {
                match text {
                    $($word $(| $alias)? => Ok(Self::$variant),)+
                    _ => Err($crate::UnknownWord { allowed: Self::WORDS }),
                }
            }
        }
    };
}

/// Adds the TypeScript type of an enum, if the feature `specta` is on.
#[cfg(feature = "specta")]
#[doc(hidden)]
#[macro_export]
macro_rules! with_panel_type {
    ($item:item) => {
        #[derive($crate::specta::Type)]
        #[specta(crate = domain::specta)]
        $item
    };
}

#[cfg(not(feature = "specta"))]
#[doc(hidden)]
#[macro_export]
macro_rules! with_panel_type {
    ($item:item) => {
        $item
    };
}

#[cfg(test)]
mod tests {
    use crate::{CacheMode, VaultKind, Word};
    use serde::Deserialize as _;
    use serde::de::IntoDeserializer as _;
    use serde::de::value::{Error, StrDeserializer};

    #[test]
    fn serde_reads_the_words_that_are_parsed_and_printed() {
        for mode in CacheMode::ALL {
            let word: StrDeserializer<'_, Error> = mode.word().into_deserializer();
            assert_eq!(CacheMode::deserialize(word), Ok(*mode));
            assert_eq!(mode.to_string().parse(), Ok(*mode));
        }
        let unknown: StrDeserializer<'_, Error> = "Auto".into_deserializer();
        assert!(CacheMode::deserialize(unknown).is_err());
        let error = "Auto".parse::<CacheMode>().expect_err("words are in lower case");
        assert_eq!(error.to_string(), "use one of: auto, on, off, refresh");
    }

    #[test]
    fn the_meaning_of_a_word_is_its_documentation() {
        assert_eq!(CacheMode::Auto.meaning(), "Only repeatable requests");
        assert_eq!(VaultKind::Env.meaning(), "Read-only: variables such as OPENAI_API_KEY");
        assert_eq!(CacheMode::Off.meaning(), "");
    }
}
