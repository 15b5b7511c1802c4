//! What the rows of public catalogues do not say, since they are undated and tell the price of today: a
//! change that the bundled list announces holds from its day on all the same.

use domain::WallTime;

use crate::bundled_prices::listed_prices;
use crate::{Price, PriceOwner};

impl Price {
    /// This price of a catalogue, which ends where the bundled list has the next one of the model.
    #[must_use]
    pub fn until_next_listed(self) -> Self {
        let valid_to = next_listed(&self.owner, &self.model, self.valid_from);
        Self { valid_to, ..self }
    }
}

/// The first day after `from` on which the list of `owner` has another price of `model`.
fn next_listed(owner: &PriceOwner, model: &str, from: WallTime) -> Option<WallTime> {
    let PriceOwner::Provider(provider) = owner else { return None };
    let rows = listed_prices(*provider)?;
    let rows = rows.get(model).or_else(|| rows.get(provider.documented_alias(model)?))?;
    rows.iter().map(|row| row.valid_from).filter(|begin| *begin > from).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PriceTerms, Provider};

    #[track_caller]
    fn check_end(provider: Provider, model: &str, from: &str, expected: Option<&str>) {
        let from = WallTime::from_day(from).expect("a day");
        let owner = PriceOwner::Provider(provider);
        let terms = PriceTerms::default();
        let price = Price::listed(owner, model, terms, from, None, String::new());
        let end = price.until_next_listed().valid_to.map(WallTime::to_day);
        assert_eq!(end.as_deref(), expected, "{model} from {from:?}");
    }

    #[test]
    fn a_price_of_a_catalogue_ends_where_the_list_announces_another() {
        let changes = Some("2026-12-01");
        check_end(Provider::Google, "gemini-4-argon", "2026-11-20", changes);
        // The list prices this name as the one without the prefix.
        check_end(Provider::Google, "models/gemini-4-argon", "2026-11-20", changes);
        check_end(Provider::Google, "gemini-4-argon", "2026-10-01", Some("2026-11-01"));
        check_end(Provider::Google, "gemini-4-argon", "2026-12-01", None);
        check_end(Provider::Google, "unheard-of", "2026-11-20", None);
        check_end(Provider::DeepSeek, "gemini-4-argon", "2026-11-20", None);
    }
}
