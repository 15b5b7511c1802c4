//! Why a cost is not known. Whatever cannot be priced exactly has no price, and says why.

use domain::{Meter, PriceTier};

domain::words! {
    /// Why the cost of an attempt is unknown.
    UnpricedReason {
        /// The backend reported no usage.
        NoUsage = "no_usage",
        /// The report has a part that may cost money and that this version does not understand.
        UnknownUsage = "unknown_usage",
        /// The price list does not have the model, or the other model that answered.
        NoPrice = "no_price",
        /// The price list has the model, but no rate for something that was used.
        NoRate = "no_rate",
        /// The model is billed by something that nothing counts here.
        NotCounted = "not_counted",
        /// The price list has no rates for the service tier.
        UnknownTier = "unknown_tier",
        /// The price list does not know what the region costs.
        UnknownRegion = "unknown_region",
        /// The counts or the cost are larger than any request can have.
        Implausible = "implausible",
    }
}

/// Why a cost is unknown, and what exactly is missing: a meter, a tier, a region, a field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Unpriced {
    pub reason: UnpricedReason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What a price of the user's has to state so that the cost is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MissingPrice {
    pub meter: Option<Meter>,
    pub tier: PriceTier,
    pub region: Option<String>,
}

/// Between the meter and the tier in a detail.
const TIER_SEPARATOR: &str = " at tier ";

impl Unpriced {
    /// No rate for `meter`, in a tier that has others.
    pub(crate) fn no_rate(meter: Meter, tier: PriceTier) -> Self {
        let detail = match tier {
            PriceTier::Standard => meter.word().to_owned(),
            tier => format!("{meter}{TIER_SEPARATOR}{tier}"),
        };
        Self { reason: UnpricedReason::NoRate, detail: Some(detail) }
    }

    /// `None` if no price would help.
    #[must_use]
    pub fn missing(&self) -> Option<MissingPrice> {
        let detail = self.detail.as_deref().unwrap_or_default();
        let nothing = MissingPrice::default();
        match self.reason {
            UnpricedReason::NoPrice => Some(nothing),
            UnpricedReason::NoRate => {
                let (meter, tier) = detail.split_once(TIER_SEPARATOR).unwrap_or((detail, ""));
                let tier = tier.parse().unwrap_or_default();
                Some(MissingPrice { meter: meter.parse().ok(), tier, region: None })
            }
            UnpricedReason::UnknownTier => {
                detail.parse().ok().map(|tier| MissingPrice { tier, ..nothing })
            }
            UnpricedReason::UnknownRegion => {
                Some(MissingPrice { region: Some(detail.to_owned()), ..nothing })
            }
            UnpricedReason::NoUsage
            | UnpricedReason::UnknownUsage
            | UnpricedReason::NotCounted
            | UnpricedReason::Implausible => None,
        }
    }

    pub(crate) fn new(reason: UnpricedReason, detail: &str) -> Self {
        Self { reason, detail: Some(detail.to_owned()) }
    }
}

impl From<UnpricedReason> for Unpriced {
    fn from(reason: UnpricedReason) -> Self {
        Self { reason, detail: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_tells_what_a_price_has_to_state() {
        let missing = |meter, tier, region: Option<&str>| {
            Some(MissingPrice { meter, tier, region: region.map(str::to_owned) })
        };
        let (search, standard) = (Some(Meter::WebSearch), PriceTier::Standard);
        for (why, expected) in [
            (Unpriced::no_rate(Meter::WebSearch, standard), missing(search, standard, None)),
            (
                Unpriced::no_rate(Meter::WebSearch, PriceTier::Flex),
                missing(search, PriceTier::Flex, None),
            ),
            (
                Unpriced::new(UnpricedReason::UnknownTier, "batch"),
                missing(None, PriceTier::Batch, None),
            ),
            (
                Unpriced::new(UnpricedReason::UnknownRegion, "eu"),
                missing(None, standard, Some("eu")),
            ),
            (UnpricedReason::NoPrice.into(), missing(None, standard, None)),
            // A meter of a newer version.
            (Unpriced::new(UnpricedReason::NoRate, "smell"), missing(None, standard, None)),
            (Unpriced::new(UnpricedReason::UnknownUsage, "usage.speed: turbo"), None),
            (UnpricedReason::NoUsage.into(), None),
        ] {
            assert_eq!(why.missing(), expected, "{why:?}");
        }
    }
}
