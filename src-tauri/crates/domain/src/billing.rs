//! The providers whose cost reports can be read.

use crate::Origin;

crate::words! {
    /// A provider that reports what it billed.
    BillingProvider {
        OpenAi = "openai",
        Anthropic = "anthropic",
        OpenRouter = "openrouter",
    }
}

crate::words! {
    /// Where a billed amount was read.
    BilledSource {
        /// The provider's cost report.
        Api = "api",
        /// A file that the provider's console exported.
        Csv = "csv",
    }
}

crate::words! {
    /// What a balance is of.
    BalanceKind {
        /// Prepaid credit of the account, shared by all its keys.
        Account = "account",
        /// The limit of what the key may spend.
        KeyLimit = "key-limit",
    }
}

impl BillingProvider {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "OpenAI",
            Self::Anthropic => "Anthropic",
            Self::OpenRouter => "OpenRouter",
        }
    }

    /// The address of its API, which cost reports come from.
    #[must_use]
    pub const fn address(self) -> &'static str {
        match self {
            Self::OpenAi => "https://api.openai.com",
            Self::Anthropic => "https://api.anthropic.com",
            Self::OpenRouter => "https://openrouter.ai",
        }
    }

    /// True for an address of its API.
    #[must_use]
    pub fn has_origin(self, origin: &Origin) -> bool {
        self.address().parse().is_ok_and(|own: Origin| own == *origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_has_an_origin_of_its_own() {
        let origins: Vec<Origin> = BillingProvider::ALL
            .iter()
            .map(|provider| provider.address().parse().expect("an origin"))
            .collect();
        for (at, provider) in BillingProvider::ALL.iter().enumerate() {
            let found: Vec<usize> =
                (0..origins.len()).filter(|other| provider.has_origin(&origins[*other])).collect();
            assert_eq!(found, [at]);
        }
    }
}
