//! Why a cost is not known. Whatever cannot be priced exactly has no price, and says why.

domain::words! {
    /// Why the cost of an attempt is unknown.
    UnpricedReason {
        /// The backend reported no usage.
        NoUsage = "no_usage",
        /// The report has a part that may cost money and that this version does not understand.
        UnknownUsage = "unknown_usage",
        /// The price list does not have the model.
        NoPrice = "no_price",
        /// The price list has the model, but no rate for something that was used.
        NoRate = "no_rate",
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

impl Unpriced {
    pub(crate) fn new(reason: UnpricedReason, detail: &str) -> Self {
        Self { reason, detail: Some(detail.to_owned()) }
    }
}

impl From<UnpricedReason> for Unpriced {
    fn from(reason: UnpricedReason) -> Self {
        Self { reason, detail: None }
    }
}
