//! What providers count to bill an answer: tokens by kind, calls of their tools, images, seconds.
//!
//! A meter is a variant and its arms here; everything else follows: readers of usage name it, price
//! lists have a rate for it, the ledger stores its lines, and screens show it.

use std::ops::{Add, AddAssign};

use crate::{NanoUsd, TokenClass, TokenUsage, words};

words! {
    /// What one line of an invoice counts. No unit is counted on two meters.
    Meter {
        /// Text of the prompt that was neither read from nor written to a prompt cache.
        Input = "input",
        /// Audio of the prompt.
        InputAudio = "input_audio",
        /// Images of the prompt.
        InputImage = "input_image",
        /// Video of the prompt.
        InputVideo = "input_video",
        /// Prompt read from the provider's cache.
        CacheRead = "cache_read",
        /// Audio read from the provider's cache.
        CacheReadAudio = "cache_read_audio",
        /// Images read from the provider's cache.
        CacheReadImage = "cache_read_image",
        /// Video read from the provider's cache.
        CacheReadVideo = "cache_read_video",
        /// Prompt written to a cache that lives five minutes, or for an unstated time.
        CacheWrite5m = "cache_write_5m",
        /// Prompt written to a cache that lives one hour.
        CacheWrite1h = "cache_write_1h",
        /// Text of the answer except reasoning.
        Output = "output",
        /// Reasoning, shown or not.
        Reasoning = "reasoning",
        /// Audio of the answer.
        OutputAudio = "output_audio",
        /// Images of the answer.
        OutputImage = "output_image",
        /// Video of the answer.
        OutputVideo = "output_video",
        /// Searches of the web by the provider.
        WebSearch = "web_search",
        /// Searches in files kept at the provider.
        FileSearch = "file_search",
        /// Look-ups on a map by the provider.
        MapSearch = "map_search",
        /// Pages fetched by the provider.
        WebFetch = "web_fetch",
        /// Runs of code at the provider.
        CodeExecution = "code_execution",
        /// Images made.
        Image = "image",
        /// Seconds of sound or video read or made.
        Second = "second",
        /// Calls that have a price of their own.
        Request = "request",
    }
}

words! {
    /// What a meter counts, and so how many of them a price is quoted for.
    Unit {
        Tokens = "tokens",
        Calls = "calls",
        Images = "images",
        Seconds = "seconds",
        Requests = "requests",
    }
}

impl Unit {
    /// Units that a vendor's price is quoted for: a million tokens, a thousand calls, one image.
    #[must_use]
    pub const fn quoted_for(self) -> u64 {
        match self {
            Self::Tokens => 1_000_000,
            Self::Calls => 1_000,
            Self::Images | Self::Seconds | Self::Requests => 1,
        }
    }
}

impl Meter {
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::WebSearch
            | Self::FileSearch
            | Self::MapSearch
            | Self::WebFetch
            | Self::CodeExecution => Unit::Calls,
            Self::Image => Unit::Images,
            Self::Second => Unit::Seconds,
            Self::Request => Unit::Requests,
            Self::Input
            | Self::InputAudio
            | Self::InputImage
            | Self::InputVideo
            | Self::CacheRead
            | Self::CacheReadAudio
            | Self::CacheReadImage
            | Self::CacheReadVideo
            | Self::CacheWrite5m
            | Self::CacheWrite1h
            | Self::Output
            | Self::OutputAudio
            | Self::OutputImage
            | Self::OutputVideo
            | Self::Reasoning => Unit::Tokens,
        }
    }

    /// The class in which its tokens are summed; `None` if it counts no tokens.
    #[must_use]
    pub(crate) const fn token_class(self) -> Option<TokenClass> {
        match self {
            Self::Input | Self::InputAudio | Self::InputImage | Self::InputVideo => {
                Some(TokenClass::InputUncached)
            }
            Self::CacheRead
            | Self::CacheReadAudio
            | Self::CacheReadImage
            | Self::CacheReadVideo => Some(TokenClass::CacheRead),
            Self::CacheWrite5m => Some(TokenClass::CacheWrite5m),
            Self::CacheWrite1h => Some(TokenClass::CacheWrite1h),
            Self::Output | Self::OutputAudio | Self::OutputImage | Self::OutputVideo => {
                Some(TokenClass::OutputVisible)
            }
            Self::Reasoning => Some(TokenClass::Reasoning),
            Self::WebSearch
            | Self::FileSearch
            | Self::MapSearch
            | Self::WebFetch
            | Self::CodeExecution
            | Self::Image
            | Self::Second
            | Self::Request => None,
        }
    }

    /// The meter that text of `class` is counted on.
    #[must_use]
    pub const fn of_text(class: TokenClass) -> Self {
        match class {
            TokenClass::InputUncached => Self::Input,
            TokenClass::CacheRead => Self::CacheRead,
            TokenClass::CacheWrite5m => Self::CacheWrite5m,
            TokenClass::CacheWrite1h => Self::CacheWrite1h,
            TokenClass::OutputVisible => Self::Output,
            TokenClass::Reasoning => Self::Reasoning,
        }
    }

    /// The meter whose rate applies where a price list has none for this one. OpenAI, Anthropic and
    /// Google bill reasoning as output; nothing else is documented to share a rate everywhere.
    #[must_use]
    pub const fn priced_as(self) -> Option<Self> {
        match self {
            Self::Reasoning => Some(Self::Output),
            _ => None,
        }
    }
}

const METERS: usize = Meter::ALL.len();

/// A quantity on each meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct MeteredUsage([u64; METERS]);

impl MeteredUsage {
    #[must_use]
    pub fn get(&self, meter: Meter) -> u64 {
        self.0.get(meter as usize).copied().unwrap_or_default()
    }

    pub fn set(&mut self, meter: Meter, quantity: u64) {
        if let Some(place) = self.0.get_mut(meter as usize) {
            *place = quantity;
        }
    }

    /// Counts `quantity` more on `meter`.
    pub fn count(&mut self, meter: Meter, quantity: u64) {
        self.set(meter, self.get(meter).saturating_add(quantity));
    }

    /// The meters that counted something, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (Meter, u64)> {
        Meter::ALL.iter().map(|meter| (*meter, self.get(*meter))).filter(|(_, count)| *count > 0)
    }

    /// What is left without `part`.
    #[must_use]
    pub fn without(&self, part: &Self) -> Self {
        self.iter().map(|(meter, count)| (meter, count.saturating_sub(part.get(meter)))).collect()
    }

    /// Takes a call of the model out of the sum of several, and returns it as the sum counts it. It may
    /// be told in less detail: output without the reasoning in it, cache writes without their term.
    /// `None` if the sum does not hold it.
    pub(crate) fn take_call(&mut self, call: &Self) -> Option<Self> {
        let (mut rest, mut taken) = (*self, Self::default());
        for (meter, count) in call.iter() {
            let (meter, other) = match meter {
                Meter::CacheWrite5m if self.get(meter) == 0 => (Meter::CacheWrite1h, None),
                Meter::Output => (meter, Some(Meter::Reasoning)),
                meter => (meter, None),
            };
            let first = count.min(rest.get(meter));
            for (meter, part) in
                [Some((meter, first)), other.map(|it| (it, count - first))].into_iter().flatten()
            {
                rest.set(meter, rest.get(meter).checked_sub(part)?);
                taken.count(meter, part);
            }
            if other.is_none() && first < count {
                return None;
            }
        }
        *self = rest;
        Some(taken)
    }

    /// The tokens, summed by class.
    #[must_use]
    pub fn tokens(&self) -> TokenUsage {
        TokenUsage::from_fn(|class| {
            let of_class = self.iter().filter(|(meter, _)| meter.token_class() == Some(class));
            of_class.fold(0, |sum: u64, (_, count)| sum.saturating_add(count))
        })
    }
}

impl FromIterator<(Meter, u64)> for MeteredUsage {
    fn from_iter<I: IntoIterator<Item = (Meter, u64)>>(counts: I) -> Self {
        let mut usage = Self::default();
        counts.into_iter().for_each(|(meter, quantity)| usage.count(meter, quantity));
        usage
    }
}

/// Counts every token as text.
impl From<TokenUsage> for MeteredUsage {
    fn from(tokens: TokenUsage) -> Self {
        TokenClass::ALL.iter().map(|class| (Meter::of_text(*class), tokens.get(*class))).collect()
    }
}

impl Add for MeteredUsage {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }
}

impl AddAssign for MeteredUsage {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

words! {
    /// How fast or when a provider answers, at another price.
    #[derive(Default)]
    PriceTier {
        #[default]
        Standard = "standard",
        /// Cheaper and slower (OpenAI).
        Flex = "flex",
        /// Dearer and faster.
        Priority = "priority",
        /// Answered within a day.
        Batch = "batch",
        /// The same model, run faster (Anthropic's `speed`).
        Fast = "fast",
        /// Capacity that was paid for in advance: scale tier, provisioned throughput.
        Reserved = "reserved",
    }
}

/// What an answer says about what it costs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    pub quantities: MeteredUsage,
    /// Calls of the model within the answer beside the one that gave it: compactions of the
    /// conversation, rounds of the provider's tools. They are counted in `quantities`, and each is billed
    /// by the length of its own input.
    pub inner_calls: Vec<MeteredUsage>,
    pub tier: PriceTier,
    /// Where the answer was made, if that has a price: Anthropic's `inference_geo`.
    pub region: Option<String>,
    /// The cost that the backend itself states.
    pub stated_cost: Option<NanoUsd>,
    /// A part of the report that may cost money and is not understood, as the backend names it.
    pub unread: Option<String>,
}

impl Usage {
    /// Most [`Usage::inner_calls`] of an answer that are kept; one with more has no price.
    pub const INNER_CALLS_MAX: usize = 64;

    #[must_use]
    pub fn tokens(&self) -> TokenUsage {
        self.quantities.tokens()
    }

    /// The calls of the model that the answer is made of; at least one. The last meter of each is not
    /// before that of the next, so that a list of their meters in a row tells where a call begins.
    #[must_use]
    pub fn calls(&self) -> Vec<MeteredUsage> {
        let inner = self.inner_calls.iter();
        let rest = inner.fold(self.quantities, |rest, call| rest.without(call));
        let mut calls: Vec<_> = std::iter::once(rest).chain(self.inner_calls.clone()).collect();
        calls.sort_by_key(|call| std::cmp::Reverse(call.iter().last().map(|(meter, _)| meter)));
        calls
    }

    /// The usage of two calls at the same backend whose prices do not depend on their length. The stated
    /// cost is known only if both state it.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            quantities: self.quantities + other.quantities,
            stated_cost: self.stated_cost.zip(other.stated_cost).map(|(one, two)| one + two),
            unread: self.unread.or(other.unread),
            ..self
        }
    }
}

impl From<TokenUsage> for Usage {
    fn from(tokens: TokenUsage) -> Self {
        Self { quantities: tokens.into(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_tokens_has_a_meter_for_text_and_tokens_are_kept() {
        let mut number = 0;
        let tokens = TokenUsage::from_fn(|class| {
            assert_eq!(Meter::of_text(class).token_class(), Some(class));
            number += 1;
            number
        });
        assert_eq!(MeteredUsage::from(tokens).tokens(), tokens);
    }

    #[track_caller]
    fn check_taken(sum: &[(Meter, u64)], call: &[(Meter, u64)], taken: Option<&[(Meter, u64)]>) {
        let of = |counts: &[(Meter, u64)]| counts.iter().copied().collect::<MeteredUsage>();
        let mut rest = of(sum);
        let got = rest.take_call(&of(call));
        assert_eq!(got, taken.map(of));
        assert_eq!(rest + got.unwrap_or_default(), of(sum), "nothing is lost");
    }

    #[test]
    fn a_call_is_taken_out_of_a_sum_as_the_sum_counts_it() {
        use Meter::{CacheWrite1h, CacheWrite5m, Input, Output, Reasoning};
        check_taken(&[(Input, 9), (Output, 5)], &[(Input, 4)], Some(&[(Input, 4)]));
        let thought = [(Output, 2), (Reasoning, 5)];
        check_taken(&thought, &[(Output, 3)], Some(&[(Output, 2), (Reasoning, 1)]));
        check_taken(&thought, &[(Output, 8)], None);
        check_taken(&[(CacheWrite1h, 7)], &[(CacheWrite5m, 7)], Some(&[(CacheWrite1h, 7)]));
        let both = [(CacheWrite5m, 3), (CacheWrite1h, 7)];
        check_taken(&both, &[(CacheWrite5m, 4)], None);
        check_taken(&[(Input, 9)], &[(Input, 10)], None);
    }

    #[test]
    fn the_meters_of_calls_in_a_row_tell_where_one_begins() {
        let call = |counts: &[(Meter, u64)]| counts.iter().copied().collect::<MeteredUsage>();
        let rounds =
            [call(&[(Meter::Input, 1)]), call(&[(Meter::CacheRead, 2), (Meter::Output, 3)])];
        let usage = Usage {
            quantities: call(&[(Meter::Input, 5), (Meter::CacheRead, 2), (Meter::Output, 9)]),
            inner_calls: rounds.into(),
            ..Usage::default()
        };
        let calls = usage.calls();
        assert_eq!(calls[..2], [call(&[(Meter::Input, 4), (Meter::Output, 6)]), rounds[1]]);
        assert_eq!(calls[2..], rounds[..1]);
    }

    #[test]
    fn only_tokens_have_a_class_and_sums_saturate() {
        for meter in Meter::ALL {
            assert_eq!(meter.token_class().is_some(), meter.unit() == Unit::Tokens, "{meter}");
        }
        let mut usage = MeteredUsage::from_iter([(Meter::InputAudio, 2), (Meter::Input, 3)]);
        usage += usage;
        usage.count(Meter::WebSearch, 7);
        assert_eq!((usage.tokens().input_uncached, usage.tokens().total()), (10, 10));
        usage.count(Meter::Input, u64::MAX);
        assert_eq!(usage.tokens().total(), u64::MAX);
    }
}
