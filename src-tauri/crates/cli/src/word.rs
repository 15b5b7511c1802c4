//! Options whose values are a word enum of the core: names and help come from the enum.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use domain::Word;

/// A value of `T`, or `None` for a word that only the command line has, such as `default`. The
/// alias keeps clap from reading the field as an optional one.
pub(crate) type WordOr<T> = Option<T>;

/// Accepts every word of `T`.
pub(crate) fn word<T: Word>() -> impl TypedValueParser<Value = T> {
    word_of(T::ALL.iter().copied())
}

/// Accepts every word of `T` but one.
pub(crate) fn word_except<T: Word + PartialEq>(hidden: T) -> impl TypedValueParser<Value = T> {
    word_of(T::ALL.iter().copied().filter(move |value| *value != hidden))
}

fn word_of<T: Word>(values: impl Iterator<Item = T>) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(values.map(possible_value)).try_map(|text| text.parse::<T>())
}

/// Accepts every word of `T`. Those of `E`, which help does not list, are refused with an explanation.
pub(crate) fn word_or_explained<T: Word, E: Word>(
    explain: fn(E) -> String,
) -> impl TypedValueParser<Value = T> {
    let explained = E::ALL.iter().map(|value| PossibleValue::new(value.word()).hide(true));
    let words = T::ALL.iter().copied().map(possible_value);
    PossibleValuesParser::new(words.chain(explained)).try_map(move |text| match text.parse::<E>() {
        Ok(value) => Err(explain(value)),
        Err(_) => text.parse::<T>().map_err(|error| error.to_string()),
    })
}

/// Accepts the words of `T`, and `default` before them.
pub(crate) fn word_or_default<T: Word>(
    help: &'static str,
) -> impl TypedValueParser<Value = WordOr<T>> {
    let default = PossibleValue::new("default").help(help);
    let words = T::ALL.iter().copied().map(possible_value);
    PossibleValuesParser::new([default].into_iter().chain(words)).map(|text| text.parse().ok())
}

/// Accepts the words of `T`, and `none` after them.
pub(crate) fn word_or_none<T: Word>(
    help: &'static str,
) -> impl TypedValueParser<Value = WordOr<T>> {
    let none = PossibleValue::new("none").help(help);
    let words = T::ALL.iter().copied().map(possible_value);
    PossibleValuesParser::new(words.chain([none])).map(|text| text.parse().ok())
}

fn possible_value<T: Word>(value: T) -> PossibleValue {
    let named = PossibleValue::new(value.word()).aliases(value.alias());
    match value.meaning() {
        "" => named,
        meaning => named.help(meaning),
    }
}
