//! The prices that the rows of a price file stand for.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use domain::{BackendId, WallTime};
use pricing::{
    Factor, Price, PriceBook, PriceConfidence, PriceFileProblem, PriceFileRow, PriceFileValue,
    PriceOwner, PriceTerms, Provider, listed_by,
};

/// The first moment, and the end, which is not in it; `None` if it has none.
type Days = (WallTime, Option<WallTime>);

/// Reads the rows of one file into prices.
pub(crate) struct PriceListRows<'a> {
    /// The prices in use.
    pub(crate) book: &'a PriceBook,
    /// Of each backend the provider whose list prices apply to it.
    pub(crate) providers: &'a HashMap<BackendId, Option<Provider>>,
    /// Of the file, for rows that name no source.
    pub(crate) name: &'a str,
    pub(crate) now: WallTime,
}

impl PriceListRows<'_> {
    /// The prices, and the rows that stand for none. On days that two rows have for one model, the more
    /// exact one holds: terms before a multiplier, and this before one for all models; of two multipliers
    /// alike, the one that begins later.
    pub(crate) fn read(&self, mut rows: Vec<PriceFileRow>) -> (Vec<Price>, Vec<PriceFileProblem>) {
        rows.sort_by_key(|row| {
            let is_scaled = is_multiplier(row);
            (is_scaled, row.model == Price::EVERY_MODEL, is_scaled.then_some(Reverse(row.from)))
        });
        let (mut prices, mut problems, mut taken) = (Vec::new(), Vec::new(), HashSet::new());
        let mut held: HashMap<(PriceOwner, String), Vec<Days>> = HashMap::new();
        for row in rows {
            let found = match self.prices_of(&row) {
                Ok(found) => found,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            for price in found {
                let held = held.entry((price.owner.clone(), price.model.clone())).or_default();
                let days = (price.valid_from, price.valid_to);
                if is_multiplier(&row) {
                    prices.extend(self.outside(&price, held));
                } else if taken.insert(price.id.clone()) {
                    prices.push(price);
                } else {
                    let problem = "is listed twice; the first one is used".to_owned();
                    problems.push(row.place.problem("model", problem));
                    continue;
                }
                held.push(days);
            }
        }
        (prices, problems)
    }

    /// `price` on its days outside of `held`.
    fn outside(&self, price: &Price, held: &[Days]) -> Vec<Price> {
        let days = vec![(price.valid_from, price.valid_to)];
        let left = held.iter().fold(days, |left, held| {
            left.into_iter().flat_map(|days| without(days, *held)).collect()
        });
        let dated = |(valid_from, valid_to)| Price {
            id: Price::own_id(&price.owner, &price.model, valid_from, self.now),
            valid_from,
            valid_to,
            ..price.clone()
        };
        left.into_iter().map(dated).collect()
    }

    fn prices_of(&self, row: &PriceFileRow) -> Result<Vec<Price>, PriceFileProblem> {
        let from = row.from.unwrap_or_else(|| self.now.day_start());
        match (&row.value, &row.owner) {
            (PriceFileValue::Terms(terms), _) => {
                let price = self.price(row, &row.model, terms.clone(), (from, row.until));
                Ok(vec![match row.from {
                    Some(_) => price,
                    None => self.book.completed_import(price, self.now).until_next_listed(),
                }])
            }
            (PriceFileValue::Multiplier(factor), PriceOwner::Backend(backend)) => {
                self.scaled(row, backend, *factor, from)
            }
            (PriceFileValue::Multiplier(_), PriceOwner::Provider(_)) => {
                let problem = "is on what a backend's provider lists".to_owned();
                Err(row.place.problem("multiplier", problem))
            }
        }
    }

    /// What a factor makes of the list of the backend's provider, for the days of the row.
    fn scaled(
        &self,
        row: &PriceFileRow,
        backend: &BackendId,
        factor: Factor,
        from: WallTime,
    ) -> Result<Vec<Price>, PriceFileProblem> {
        let problem = |field, problem: String| Err(row.place.problem(field, problem));
        let Some(provider) = self.providers.get(backend) else {
            let what =
                format!("{backend} is none of your backends, so nothing is known to multiply");
            return problem("backend", what);
        };
        let listed: Vec<&Price> = provider.iter().copied().flat_map(listed_by).collect();
        if listed.is_empty() {
            let what = format!("no list prices apply to {backend}; write its rates");
            return problem("multiplier", what);
        }
        let is_meant = |price: &&Price| row.model == Price::EVERY_MODEL || price.model == row.model;
        let of_model: Vec<&Price> = listed.into_iter().filter(is_meant).collect();
        if of_model.is_empty() {
            let what = format!("the list prices of {backend} do not have it; write its rates");
            return problem("model", what);
        }
        let scaled: Vec<Price> = of_model
            .into_iter()
            .filter_map(|price| {
                let begin = price.valid_from.max(from);
                let end = price.valid_to.into_iter().chain(row.until).min();
                let is_some_time = end.is_none_or(|end| begin < end);
                let terms = || price.terms.times(factor);
                is_some_time.then(|| self.price(row, &price.model, terms(), (begin, end)))
            })
            .collect();
        match scaled.is_empty() {
            true => problem("from", "no list price is valid in these days".to_owned()),
            false => Ok(scaled),
        }
    }

    fn price(
        &self,
        row: &PriceFileRow,
        model: &str,
        terms: PriceTerms,
        (from, until): Days,
    ) -> Price {
        let source = if row.source.is_empty() { self.name } else { &row.source };
        Price {
            id: Price::own_id(&row.owner, model, from, self.now),
            owner: row.owner.clone(),
            model: model.to_owned(),
            terms,
            valid_from: from,
            valid_to: until,
            source: source.to_owned(),
            confidence: PriceConfidence::Declared,
        }
    }
}

const fn is_multiplier(row: &PriceFileRow) -> bool {
    matches!(row.value, PriceFileValue::Multiplier(_))
}

/// What is before and after the days of `held`.
fn without((from, until): Days, held: Days) -> impl Iterator<Item = Days> {
    let before = until.map_or(held.0, |until| until.min(held.0));
    let before = (from < before).then_some((from, Some(before)));
    let after =
        held.1.map(|end| end.max(from)).filter(|end| until.is_none_or(|until| *end < until));
    before.into_iter().chain(after.map(|begin| (begin, until)))
}

#[cfg(test)]
mod tests {
    use domain::Meter;
    use pricing::{Rate, bundled_price, read_price_file};

    use super::*;

    /// What the rows stand for: prices as "model from until", and problems.
    fn read(rows: &str) -> (Vec<String>, Vec<String>) {
        let (_, file) = read_price_file(&format!("{{\"prices\": [{rows}]}}")).expect("a list");
        assert_eq!(file.problems, []);
        let id = |name: &str| BackendId::new(name).expect("a name");
        let providers = HashMap::from([(id("google"), Some(Provider::Google)), (id("own"), None)]);
        let now = WallTime::from_day("2026-11-20").expect("a day");
        let book = &PriceBook::bundled();
        let rows = PriceListRows { book, providers: &providers, name: "a file", now };
        let (prices, problems) = rows.read(file.rows);
        let day = |at: WallTime| at.to_day();
        let told = |price: &Price| {
            let until = price.valid_to.map(day).unwrap_or_default();
            format!("{} {} {until}", price.model, day(price.valid_from)).trim_end().to_owned()
        };
        (prices.iter().map(told).collect(), problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_row_of_a_catalogue_ends_where_the_list_announces_another_price() {
        // Its list price changes on 1 December.
        let model = "gemini-4-argon";
        let text = format!(
            r#"{{"gemini/{model}": {{"litellm_provider": "gemini", "input_cost_per_token": 3e-06, "output_cost_per_token": 1e-05}}}}"#
        );
        let (_, file) = read_price_file(&text).expect("a catalogue");
        let now = WallTime::from_day("2026-11-20").expect("a day");
        let (book, providers) = (PriceBook::bundled(), &HashMap::new());
        let rows = PriceListRows { book: &book, providers, name: "litellm.json", now };
        let (prices, _) = rows.read(file.rows);
        let book = prices.into_iter().fold(book, PriceBook::with_price);
        let input_micros = |day: &str| {
            let at = WallTime::from_day(day).expect("a day");
            let own = BackendId::new("own").expect("a name");
            let price = book.find(&own, Some(Provider::Google), model, at).expect("a price");
            price.terms.rates.of(Meter::Input).map(|rate| rate.nanos_per_million() / 1_000)
        };
        let days = ["2026-11-19", "2026-11-20", "2026-11-30", "2026-12-01", "2027-02-01"];
        let expected = [2_000_000, 3_000_000, 3_000_000, 4_000_000, 4_000_000];
        assert_eq!(days.map(input_micros), expected.map(Some));
    }

    /// What a catalogue of models.dev makes of the price of `claude-opus-4-5`.
    fn opus_after(cost: &str) -> PriceTerms {
        let models = format!(r#"{{"claude-opus-4-5": {{"cost": {cost}}}}}"#);
        let text = format!(r#"{{"anthropic": {{"models": {models}}}}}"#);
        let (_, file) = read_price_file(&text).expect("a catalogue");
        let now = WallTime::from_day("2026-11-20").expect("a day");
        let (book, providers) = (&PriceBook::bundled(), &HashMap::new());
        let rows = PriceListRows { book, providers, name: "models.dev", now };
        let (prices, problems) = rows.read(file.rows);
        assert_eq!(problems, []);
        prices.into_iter().next().expect("a price").terms
    }

    #[test]
    fn what_a_catalogue_cannot_say_stays_as_listed_for_the_same_price_of_tokens() {
        let rates = |terms: &PriceTerms| {
            let nanos = |meter| terms.rates.of(meter).map(Rate::nanos_per_million);
            [Meter::CacheRead, Meter::CacheWrite1h, Meter::WebSearch].map(nanos)
        };
        let same = opus_after(r#"{"input": 5, "output": 25, "cache_read": 0.4}"#);
        let dollar = 1_000_000_000;
        let search = Some(10_000 * dollar);
        assert_eq!(rates(&same), [Some(dollar * 4 / 10), Some(10 * dollar), search]);
        let listed = bundled_price("anthropic/claude-opus-4-5@2026-11-01").expect("listed");
        assert_eq!((&same.tiers, &same.regions), (&listed.terms.tiers, &listed.terms.regions));
        let cheaper = opus_after(r#"{"input": 4, "output": 20, "cache_read": 0.4}"#);
        assert_eq!(rates(&cheaper), [Some(dollar * 4 / 10), None, search]);
        assert!(cheaper.tiers.is_empty(), "unknown, so that such a request is unpriced");
    }

    fn multiplier(backend: &str, model: &str, days: &str) -> String {
        format!(r#"{{"backend": "{backend}", "model": "{model}", {days}, "multiplier": 0.8}}"#)
    }

    const FROM: &str = r#""from": "2026-11-15""#;

    #[test]
    fn a_multiplier_holds_for_its_days_of_each_list_price() {
        // Its list price changes on 1 December.
        let model = "gemini-4-argon";
        let row = |days: &str| read(&multiplier("google", model, days)).0;
        assert_eq!(
            row(FROM),
            [format!("{model} 2026-11-15 2026-12-01"), format!("{model} 2026-12-01")]
        );
        let short = r#""from": "2026-11-15", "until": "2026-11-25""#;
        assert_eq!(row(short), [format!("{model} 2026-11-15 2026-11-25")]);
        let over = r#""from": "2026-11-15", "until": "2026-12-05""#;
        let expected =
            [format!("{model} 2026-11-15 2026-12-01"), format!("{model} 2026-12-01 2026-12-05")];
        assert_eq!(row(over), expected);
        assert_eq!(row(r#""from": "2026-12-03""#), [format!("{model} 2026-12-03")]);
    }

    #[test]
    fn a_multiplier_of_nothing_is_a_problem() {
        let check = |row: &str, expected: &str| {
            assert_eq!(read(row), (Vec::new(), vec![expected.to_owned()]));
        };
        check(
            &multiplier("gogle", "*", FROM),
            "line 1, row 1 (*), backend: gogle is none of your backends, so nothing is known to multiply",
        );
        check(
            &multiplier("own", "*", FROM),
            "line 1, row 1 (*), multiplier: no list prices apply to own; write its rates",
        );
        check(
            &multiplier("google", "gemini-0", FROM),
            "line 1, row 1 (gemini-0), model: the list prices of google do not have it; write its rates",
        );
        check(
            &multiplier(
                "google",
                "gemini-4-argon",
                r#""from": "2026-10-01", "until": "2026-10-02""#,
            ),
            "line 1, row 1 (gemini-4-argon), from: no list price is valid in these days",
        );
    }

    #[test]
    fn the_more_exact_of_two_rows_holds() {
        let exact = multiplier("google", "gemini-4-argon", FROM).replace("0.8", "0.5");
        let rows = format!("{},{exact}", multiplier("google", "*", FROM));
        let (prices, problems) = read(&rows);
        assert_eq!(problems, Vec::<String>::new());
        let of_it = prices.iter().filter(|price| price.starts_with("gemini-4-argon "));
        assert_eq!(of_it.count(), 2, "{prices:?}");
        assert_eq!(prices[0], "gemini-4-argon 2026-11-15 2026-12-01");
        assert!(prices.len() > 2, "the others are by the row for all");
    }

    /// What two rows give for the model, whatever their order in the file.
    #[track_caller]
    fn check_of_argon(rows: [&str; 2], expected: &[&str]) {
        let [one, other] = rows;
        for rows in [format!("{one},{other}"), format!("{other},{one}")] {
            let (prices, problems) = read(&rows);
            assert_eq!(problems, Vec::<String>::new());
            let of_it = prices.iter().filter_map(|price| price.strip_prefix("gemini-4-argon "));
            let mut of_it: Vec<_> = of_it.collect();
            of_it.sort_unstable();
            assert_eq!(of_it, expected, "{rows}");
        }
    }

    #[test]
    fn a_multiplier_holds_on_no_day_of_a_more_exact_row_and_on_all_others() {
        let terms = |days: &str| {
            let row = multiplier("google", "gemini-4-argon", days);
            row.replace(r#""multiplier": 0.8"#, r#""rates": {"input": 1, "output": 2}"#)
        };
        let all = multiplier("google", "*", FROM);
        // Not from the change of the list price on either.
        check_of_argon([&all, &terms(FROM)], &["2026-11-15"]);
        let short = terms(r#""from": "2026-11-15", "until": "2026-11-25""#);
        let expected = ["2026-11-15 2026-11-25", "2026-11-25 2026-12-01", "2026-12-01"];
        check_of_argon([&all, &short], &expected);
        let within = terms(r#""from": "2026-11-20", "until": "2026-12-05""#);
        let expected = ["2026-11-15 2026-11-20", "2026-11-20 2026-12-05", "2026-12-05"];
        check_of_argon([&all, &within], &expected);
        let exact = multiplier("google", "gemini-4-argon", r#""from": "2026-11-25""#);
        let expected = ["2026-11-15 2026-11-25", "2026-11-25 2026-12-01", "2026-12-01"];
        check_of_argon([&all, &exact], &expected);
        let before = terms(r#""from": "2026-11-01", "until": "2026-11-15""#);
        let expected = ["2026-11-01 2026-11-15", "2026-11-15 2026-12-01", "2026-12-01"];
        check_of_argon([&all, &before], &expected);
    }

    #[test]
    fn of_two_multipliers_alike_the_later_one_holds() {
        let of = |days: &str| multiplier("google", "gemini-4-argon", days);
        let short = of(r#""from": "2026-11-20", "until": "2026-12-05""#);
        let expected = [
            "2026-11-15 2026-11-20",
            "2026-11-20 2026-12-01",
            "2026-12-01 2026-12-05",
            "2026-12-05",
        ];
        check_of_argon([&of(FROM), &short], &expected);
    }
}
