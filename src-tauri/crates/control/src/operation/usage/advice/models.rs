//! Suggestions on models: a cheaper one, and whether the provider's cache of prompts pays.

use analytics::{Alternative, ModelUse, SAVING_MIN};
use domain::{BackendId, Meter, NanoUsd, TokenUsage, WallTime};
use engine::Engine;
use ledger::GroupBy;
use pricing::{Price, PriceBook, PriceOwner, Provider, Rates};
use settings::BackendSettings;

use super::{Evidence, back_test, row};
use crate::view::{UsageAdviceCardView, UsageAdviceRule, UsageFilter};

pub(super) fn advice(engine: &Engine, evidence: &Evidence) -> Vec<UsageAdviceCardView> {
    let (settings, book, at) = (engine.settings(), engine.prices(), engine.clock().wall());
    let mut cards = Vec::new();
    for ((name, model), usage) in &evidence.now.models {
        let Ok(backend) = BackendId::new(name.as_str()) else { continue };
        let Some(known) = settings.backends.get(&backend) else { continue };
        let list = PriceList::new(&book, &backend, known, at);
        let Some(rates) = list.rates(model) else { continue };
        let before = evidence.before.models.get(&(name.clone(), model.clone()));
        let before = before.copied().unwrap_or_default();
        let rates = &rates;
        let subject = ModelSubject { evidence, backend: name, model, usage, before, rates };
        let offered = engine.model_catalogue().models(&backend);
        cards.extend(cheaper_model(&subject, &list, &offered));
        cards.extend(prompt_cache_writes(&subject));
        cards.extend(prompt_cache_reads(&subject));
    }
    cards
}

/// The prices of a backend at one moment.
struct PriceList<'a> {
    book: &'a PriceBook,
    backend: &'a BackendId,
    provider: Option<Provider>,
    at: WallTime,
}

impl<'a> PriceList<'a> {
    fn new(
        book: &'a PriceBook,
        backend: &'a BackendId,
        known: &BackendSettings,
        at: WallTime,
    ) -> Self {
        let provider = Provider::from_base_url(&known.base_url, known.credential().is_some());
        Self { book, backend, provider, at }
    }

    fn rates(&self, model: &str) -> Option<Rates> {
        let price = self.book.find(self.backend, self.provider, model, self.at)?;
        Some(price.into_owned().terms.rates)
    }

    /// What `tokens` cost with each model that answers in text and that the backend offers, if it
    /// is known what it offers.
    fn alternatives(&self, tokens: &TokenUsage, offered: &[String]) -> Vec<Alternative> {
        let Some(provider) = self.provider else { return Vec::new() };
        let is_here = |price: &&Price| price.owner == PriceOwner::Provider(provider);
        let is_text = |price: &&Price| {
            price.model != Price::EVERY_MODEL && price.terms.rates.listed(Meter::Output).is_some()
        };
        let is_offered = |price: &&Price| offered.is_empty() || offered.contains(&price.model);
        let prices = self.book.valid_at(self.at).filter(is_here).filter(is_text);
        let alternative = |price: &Price| {
            let cost = self.rates(&price.model)?.text_cost(tokens)?;
            Some(Alternative { model: price.model.clone(), cost })
        };
        prices.filter(is_offered).filter_map(alternative).collect()
    }
}

/// A model of a backend that a suggestion is about.
struct ModelSubject<'a> {
    evidence: &'a Evidence,
    backend: &'a str,
    model: &'a str,
    usage: &'a ModelUse,
    /// In the period before; zeros if it was not in use or is not known.
    before: ModelUse,
    rates: &'a Rates,
}

impl ModelSubject<'_> {
    fn card(&self, rule: UsageAdviceRule, title: String, next_step: String) -> UsageAdviceCardView {
        UsageAdviceCardView {
            rule,
            title,
            subject: self.evidence.subject(GroupBy::Model, self.model),
            saving_nano_usd_per_month: None,
            evidence: Vec::new(),
            next_step,
            back_test: None,
        }
    }

    fn filter(&self) -> UsageFilter {
        UsageFilter {
            backend: Some(self.backend.to_owned()),
            model: Some(self.model.to_owned()),
            ..UsageFilter::default()
        }
    }

    fn label(&self) -> &str {
        self.evidence.backend_label(self.backend)
    }
}

fn cheaper_model(
    subject: &ModelSubject<'_>,
    list: &PriceList<'_>,
    offered: &[String],
) -> Option<UsageAdviceCardView> {
    let suggestion = |usage: &ModelUse| {
        let listed = subject.rates.text_cost(&usage.tokens)?;
        let alternatives = list.alternatives(&usage.tokens, offered);
        let is_simple = usage.is_simple(listed);
        let found = analytics::cheaper_model(subject.model, usage.cost, &alternatives)?;
        is_simple.then(|| found.clone())
    };
    let usage = subject.usage;
    let other = suggestion(usage)?;
    let saving = |cost: NanoUsd, other: NanoUsd| cost - other;
    // What was found then is followed since.
    let tested = suggestion(&subject.before).and_then(|then| {
        let since = list.rates(&then.model)?.text_cost(&usage.tokens)?;
        back_test(saving(subject.before.cost, then.cost), saving(usage.cost, since))
    });
    let (evidence, filter) = (subject.evidence, subject.filter());
    let (input, output) = usage.mean_tokens();
    let [input, output] = [input, output].map(domain::group_digits);
    let paid = evidence.money(usage.cost);
    let listed = format!("The same tokens with {}", other.model);
    let title = format!("Try {} for {} of {}", other.model, subject.model, subject.label());
    let next_step = format!(
        "Send some of these prompts to {} in the playground and compare the answers, then make it \
         a candidate of the route.",
        other.model
    );
    Some(UsageAdviceCardView {
        saving_nano_usd_per_month: Some(saving(usage.cost, other.cost).into()),
        evidence: vec![
            row("Requests", domain::group_digits(usage.requests), &filter),
            row("Mean request", format!("{input} tokens in, {output} out"), &filter),
            row("Cost", paid, &filter),
            row(&listed, evidence.money(other.cost), &filter),
        ],
        back_test: tested,
        ..subject.card(UsageAdviceRule::CheaperModel, title, next_step)
    })
}

/// What caching cost above what the same tokens cost without it; negative where it paid.
fn caching_loss(rates: &Rates, tokens: &TokenUsage) -> Option<NanoUsd> {
    let uncached = TokenUsage {
        input_uncached: tokens.input(),
        output_visible: tokens.output_visible,
        reasoning: tokens.reasoning,
        ..TokenUsage::default()
    };
    let (with, without) = (rates.text_cost(tokens)?, rates.text_cost(&uncached)?);
    Some(with - without)
}

fn prompt_cache_writes(subject: &ModelSubject<'_>) -> Option<UsageAdviceCardView> {
    let tokens = &subject.usage.tokens;
    let loss = caching_loss(subject.rates, tokens).filter(|loss| *loss >= SAVING_MIN)?;
    let before = caching_loss(subject.rates, &subject.before.tokens);
    let (evidence, filter) = (subject.evidence, subject.filter());
    let written = tokens.cache_write_5m + tokens.cache_write_1h;
    let shown = |tokens: u64| format!("{} tokens", domain::group_digits(tokens));
    let title = format!("Caching prompts of {} costs more than it saves", subject.model);
    let next_step = "Let the client mark less of its prompts for caching, or keep their beginning \
                     the same so that it is read again.";
    Some(UsageAdviceCardView {
        saving_nano_usd_per_month: Some(loss.into()),
        evidence: vec![
            row("Written to the cache", shown(written), &filter),
            row("Read from the cache", shown(tokens.cache_read), &filter),
            row("More than without caching", evidence.money(loss), &filter),
        ],
        back_test: back_test(before.unwrap_or_default(), loss),
        ..subject.card(UsageAdviceRule::PromptCacheWrites, title, next_step.to_owned())
    })
}

/// How much of the prompts repeats is not recorded, so there is no estimate.
fn prompt_cache_reads(subject: &ModelSubject<'_>) -> Option<UsageAdviceCardView> {
    let [input, read] = [Meter::Input, Meter::CacheRead].map(|meter| subject.rates.listed(meter));
    let usage = subject.usage;
    if read? >= input? || !usage.is_large_and_uncached() {
        return None;
    }
    let filter = subject.filter();
    let mean = format!("{} tokens", domain::group_digits(usage.mean_tokens().0));
    let title = format!("Let {} cache the prompts of {}", subject.label(), subject.model);
    let next_step = "Keep the beginning of the prompts the same, and mark it for caching if the \
                     provider asks for that.";
    Some(UsageAdviceCardView {
        evidence: vec![
            row("Requests", domain::group_digits(usage.requests), &filter),
            row("Mean input", mean, &filter),
            row("Read from the provider's cache", "0 tokens".to_owned(), &filter),
            row("Cost", subject.evidence.money(usage.cost), &filter),
        ],
        ..subject.card(UsageAdviceRule::PromptCacheReads, title, next_step.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::super::PeriodUse;
    use super::*;
    use crate::operation::currency::currency_view;
    use crate::view::UsageAdviceBackTestView;

    /// 2026-11-21T08:00:00Z.
    const AT: WallTime = WallTime::from_unix_ms(1_795_248_000_000);

    fn evidence() -> Evidence {
        let currency = currency_view(&settings::Settings::default()).shown();
        let period = || PeriodUse { models: BTreeMap::new(), failed: BTreeMap::new() };
        Evidence { now: period(), before: period(), labels: HashMap::new(), currency }
    }

    /// Usage of a thousand requests at the list's price.
    fn priced(rates: &Rates, tokens: TokenUsage) -> ModelUse {
        let cost = rates.text_cost(&tokens).expect("rates");
        ModelUse { requests: 1_000, unpriced_requests: 0, tokens, cost }
    }

    fn check(
        provider: Provider,
        model: &str,
        tokens: [TokenUsage; 2],
        ask: impl Fn(&ModelSubject<'_>, &PriceList<'_>) -> Option<UsageAdviceCardView>,
    ) -> Option<UsageAdviceCardView> {
        let (book, backend) = (PriceBook::bundled(), BackendId::new("home").expect("a name"));
        let list = PriceList { book: &book, backend: &backend, provider: Some(provider), at: AT };
        let rates = &list.rates(model).expect("a price");
        let [now, before] = tokens.map(|tokens| priced(rates, tokens));
        let evidence = evidence();
        let (usage, backend) = (&now, "home");
        ask(&ModelSubject { evidence: &evidence, backend, model, usage, before, rates }, &list)
    }

    fn short(input_uncached: u64, output_visible: u64) -> TokenUsage {
        TokenUsage { input_uncached, output_visible, ..TokenUsage::default() }
    }

    #[test]
    fn a_cheaper_model_is_priced_over_the_same_tokens_and_tested_on_the_month_before() {
        let cheaper =
            |subject: &ModelSubject<'_>, list: &PriceList<'_>| cheaper_model(subject, list, &[]);
        // gpt-4.1 costs 2 and 8 dollars per million tokens, gpt-4.1-mini 0.40 and 1.60.
        let months = [short(2_000_000, 100_000), short(1_000_000, 100_000)];
        let card = check(Provider::OpenAi, "gpt-4.1", months, cheaper).expect("a card");
        assert_eq!(card.title, "Try gpt-4.1-mini for gpt-4.1 of home");
        assert_eq!(card.saving_nano_usd_per_month.map(|it| it.0), Some(3_840_000_000));
        let rows: Vec<_> = card.evidence.iter().map(|row| (&*row.label, &*row.value)).collect();
        let expected = [
            ("Requests", "1,000"),
            ("Mean request", "2,000 tokens in, 100 out"),
            ("Cost", "$4.80"),
            ("The same tokens with gpt-4.1-mini", "$0.96"),
        ];
        assert_eq!(rows, expected);
        let tested = card.back_test.expect("tested");
        let UsageAdviceBackTestView { estimated_nano_usd, saved_nano_usd } = tested;
        assert_eq!((estimated_nano_usd.0, saved_nano_usd.0), (2_240_000_000, 3_840_000_000));
        // Long answers, little money, no cheaper model: nothing is said.
        let long = [short(2_000_000, 900_000); 2];
        assert!(check(Provider::OpenAi, "gpt-4.1", long, cheaper).is_none());
        let little = [short(200_000, 10_000); 2];
        assert!(check(Provider::OpenAi, "gpt-4.1", little, cheaper).is_none());
        assert!(check(Provider::OpenAi, "gpt-4.1-nano", months, cheaper).is_none());
        let offered = |subject: &ModelSubject<'_>, list: &PriceList<'_>| {
            cheaper_model(subject, list, &["gpt-4.1".to_owned()])
        };
        assert!(check(Provider::OpenAi, "gpt-4.1", months, offered).is_none(), "not offered");
    }

    #[test]
    fn caching_is_a_loss_only_where_more_is_written_than_read() {
        let ask = |subject: &ModelSubject<'_>, _: &PriceList<'_>| prompt_cache_writes(subject);
        let cached = |cache_write_5m, cache_read| TokenUsage {
            cache_write_5m,
            cache_read,
            ..TokenUsage::default()
        };
        // claude-haiku-4-5: input 1 dollar, a write 1.25, a read 0.10 per million tokens.
        let model = "claude-haiku-4-5";
        let lost = [cached(10_000_000, 1_000_000), cached(8_000_000, 0)];
        let card = check(Provider::Anthropic, model, lost, ask).expect("a card");
        assert_eq!(card.saving_nano_usd_per_month.map(|it| it.0), Some(1_600_000_000));
        assert_eq!(card.back_test.map(|it| it.estimated_nano_usd.0), Some(2_000_000_000));
        let paid = [cached(10_000_000, 3_000_000); 2];
        assert!(check(Provider::Anthropic, model, paid, ask).is_none());
    }

    #[test]
    fn large_prompts_that_are_never_cached_have_no_estimate() {
        let ask = |subject: &ModelSubject<'_>, _: &PriceList<'_>| prompt_cache_reads(subject);
        let large = [short(6_000_000, 1_000); 2];
        let card = check(Provider::Anthropic, "claude-haiku-4-5", large, ask).expect("a card");
        assert!(card.saving_nano_usd_per_month.is_none() && card.back_test.is_none());
        assert_eq!(card.evidence.len(), 4);
        let read = TokenUsage { cache_read: 1, ..short(6_000_000, 1_000) };
        assert!(check(Provider::Anthropic, "claude-haiku-4-5", [read; 2], ask).is_none());
    }
}
