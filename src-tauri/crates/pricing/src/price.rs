//! A dated row of the price table.

use domain::{BackendId, NanoUsd, TokenUsage, Usage, WallTime};

use crate::{LineItem, PriceTerms, Provider, Unpriced, UnpricedReason};

/// Dearest plausible attempt: a thousand dollars, ten times what the dearest model can cost for its
/// whole context and longest answer.
pub const ATTEMPT_COST_MAX: NanoUsd = NanoUsd::new(1_000_000_000_000);

/// Most plausible tokens of one attempt: fifty times the longest context of any model. Servers that
/// report more have miscounted.
pub const ATTEMPT_TOKENS_MAX: u64 = 100_000_000;

/// A dated row of the price table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Unique and readable: `openai/gpt-4.1@2026-11-01`.
    pub id: String,
    pub owner: PriceOwner,
    /// Exact model id at that place.
    pub model: String,
    pub terms: PriceTerms,
    /// The first moment it holds.
    pub valid_from: WallTime,
    /// Exclusive; `None` while the price is valid.
    pub valid_to: Option<WallTime>,
    /// The page or person it comes from.
    pub source: String,
    pub confidence: PriceConfidence,
}

impl Price {
    /// The model of a row for what all models of its owner share.
    pub const EVERY_MODEL: &str = "*";

    /// A row of a bundled price list.
    #[must_use]
    pub(crate) fn listed(
        owner: PriceOwner,
        model: &str,
        terms: PriceTerms,
        from: WallTime,
        until: Option<WallTime>,
        source: String,
    ) -> Self {
        let since = from.to_rfc3339();
        let day = since.split('T').next().unwrap_or(&since);
        Self {
            id: format_price_id(&owner, model, day),
            owner,
            model: model.to_owned(),
            terms,
            valid_from: from,
            valid_to: until,
            source,
            confidence: PriceConfidence::Listed,
        }
    }

    /// The id of a price that the user set or imported at `at`. It is another one for each change, so
    /// that a cost can be explained after later changes.
    #[must_use]
    pub fn own_id(owner: &PriceOwner, model: &str, from: WallTime, at: WallTime) -> String {
        let (from, at) = (from.to_rfc3339(), at.to_rfc3339());
        let day = from.split('T').next().unwrap_or(&from);
        format_price_id(owner, model, &format!("{day}+{at}"))
    }

    /// A price that the user declares for a model of one backend, valid from `valid_from`.
    #[must_use]
    pub fn declared(
        backend: &BackendId,
        model: &str,
        terms: PriceTerms,
        valid_from: WallTime,
    ) -> Self {
        let place = PriceOwner::Backend(backend.clone());
        Self {
            id: format_price_id(&place, model, &valid_from.to_rfc3339()),
            owner: place,
            model: model.to_owned(),
            terms,
            valid_from,
            valid_to: None,
            source: "stated by you".to_owned(),
            confidence: PriceConfidence::Declared,
        }
    }

    /// The lines of `usage`, and their sum or why it is unknown. An empty list if no rates apply at
    /// all.
    pub fn invoice(&self, usage: &Usage) -> (Vec<LineItem>, Result<NanoUsd, Unpriced>) {
        let lines = match self.terms.lines(usage) {
            Ok(lines) => lines,
            Err(unpriced) => return (Vec::new(), Err(unpriced)),
        };
        if usage.tokens().total() > ATTEMPT_TOKENS_MAX {
            return (lines, Err(UnpricedReason::Implausible.into()));
        }
        let unrated = lines.iter().find(|line| line.rate.is_none());
        let total = match unrated {
            Some(line) => Err(Unpriced::no_rate(line.meter, usage.tier)),
            None => Ok(lines.iter().filter_map(|line| line.amount).sum()),
        };
        let total = total.and_then(|sum| match sum > ATTEMPT_COST_MAX {
            true => Err(UnpricedReason::Implausible.into()),
            false => Ok(sum),
        });
        (lines, total)
    }

    /// The cost of text at the standard tier; `None` if a used class has no rate.
    #[must_use]
    pub fn text_cost(&self, tokens: &TokenUsage) -> Option<NanoUsd> {
        self.invoice(&Usage::from(*tokens)).1.ok()
    }

    /// Most that a short request for text costs, in whatever tier and region the provider serves it.
    /// `None` if that cannot be told: a rate is missing, or the model answers in images, sound or
    /// video, which no limit of tokens bounds.
    #[must_use]
    pub fn text_cost_max(&self, input_tokens: u64, output_tokens: u64) -> Option<NanoUsd> {
        self.terms.text_cost_max(input_tokens, output_tokens)
    }

    pub(crate) fn is_valid_at(&self, at: WallTime) -> bool {
        self.valid_from <= at && self.valid_to.is_none_or(|end| at < end)
    }
}

/// Who charges a price.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PriceOwner {
    /// A provider's own API.
    Provider(Provider),
    /// One backend, as declared by the user.
    Backend(BackendId),
}

domain::words! {
    /// Trust in a price.
    PriceConfidence {
        /// From the provider's price page, taken from one public catalogue.
        Listed = "listed",
        /// Stated by the user.
        Declared = "declared",
        /// Invented for the mock. Unused since version 4 of the ledger; kept for older rows.
        MadeUp = "made_up",
    }
}

/// `provider/model@since` or `backend:name/model@since`.
pub(crate) fn format_price_id(place: &PriceOwner, model: &str, since: &str) -> String {
    match place {
        PriceOwner::Provider(provider) => format!("{}/{model}@{since}", provider.word()),
        PriceOwner::Backend(backend) => format!("backend:{backend}/{model}@{since}"),
    }
}
