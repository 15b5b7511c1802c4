//! LiteLLM's catalogue: one object, by model, with prices in US dollars per token as floats and
//! tiers in the names of fields.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use domain::{Meter, PriceTier, Unit};
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::fields::{Entries, RowFields, SourceText, entries, member, price_error};
use super::{PriceFile, PriceFileRow, PriceFileValue};
use crate::{
    Factor, PriceOwner, PriceTerms, Provider, Rate, RateError, Rates, RatesAbove, TierTerms,
};

/// Decimals of a quote; more of them come from the arithmetic of floats.
const QUOTE_DECIMALS: u32 = 9;

/// Provider names of the catalogue, and the prefix that its models have there.
const PROVIDERS: &[(&str, Provider, &str)] = &[
    ("openai", Provider::OpenAi, "openai/"),
    ("text-completion-openai", Provider::OpenAi, "openai/"),
    ("anthropic", Provider::Anthropic, "anthropic/"),
    ("gemini", Provider::Google, "gemini/"),
    ("mistral", Provider::Mistral, "mistral/"),
    ("deepseek", Provider::DeepSeek, "deepseek/"),
    ("groq", Provider::Groq, "groq/"),
    ("xai", Provider::XAi, "xai/"),
    ("together_ai", Provider::Together, "together_ai/"),
    ("fireworks_ai", Provider::Fireworks, "fireworks_ai/"),
    ("fireworks_ai-embedding-models", Provider::Fireworks, "fireworks_ai/"),
    ("cerebras", Provider::Cerebras, "cerebras/"),
    ("deepinfra", Provider::DeepInfra, "deepinfra/"),
    ("cohere", Provider::Cohere, "cohere/"),
    ("cohere_chat", Provider::Cohere, "cohere_chat/"),
    ("moonshot", Provider::Moonshot, "moonshot/"),
    ("minimax", Provider::MiniMax, "minimax/"),
    ("zai", Provider::Zai, "zai/"),
    ("dashscope", Provider::Alibaba, "dashscope/"),
    ("nebius", Provider::Nebius, "nebius/"),
    ("novita", Provider::Novita, "novita/"),
    ("sambanova", Provider::SambaNova, "sambanova/"),
    ("friendliai", Provider::Friendli, "friendliai/"),
    ("inception", Provider::Inception, "inception/"),
    ("baseten", Provider::Baseten, "baseten/"),
    ("wandb", Provider::WandB, "wandb/"),
    ("hyperbolic", Provider::Hyperbolic, "hyperbolic/"),
    ("perplexity", Provider::Perplexity, "perplexity/"),
];

/// Fields with a price per token.
const TOKEN_FIELDS: &[(&str, Meter)] = &[
    ("input_cost_per_token", Meter::Input),
    ("input_cost_per_audio_token", Meter::InputAudio),
    ("input_cost_per_image_token", Meter::InputImage),
    ("input_cost_per_video_token", Meter::InputVideo),
    ("cache_read_input_token_cost", Meter::CacheRead),
    ("cache_read_input_audio_token_cost", Meter::CacheReadAudio),
    ("cache_creation_input_token_cost", Meter::CacheWrite5m),
    ("cache_creation_input_token_cost_above_1hr", Meter::CacheWrite1h),
    ("output_cost_per_token", Meter::Output),
    ("output_cost_per_reasoning_token", Meter::Reasoning),
    ("output_cost_per_audio_token", Meter::OutputAudio),
    ("output_cost_per_image_token", Meter::OutputImage),
];

const TIERS: &[(&str, PriceTier)] = &[
    ("_flex", PriceTier::Flex),
    ("_priority", PriceTier::Priority),
    ("_batches", PriceTier::Batch),
];

/// Fields with a charge that no row of ours can say, so that a row with one would be too cheap.
const UNSAYABLE: &[(&str, &str)] = &[
    ("input_cost_per_request", "a charge for each request is not imported"),
    ("input_cost_per_query", "a charge for each query is not imported"),
    ("citation_cost_per_token", "a charge for citations is not imported"),
    ("off_peak_pricing", "a price that changes with the time of day is not imported"),
];

pub(super) fn is_catalogue(fields: &Entries<'_>) -> bool {
    fields.iter().any(|(name, _)| name == "sample_spec")
        || fields.iter().take(50).any(|(_, row)| row.get().contains("\"litellm_provider\""))
}

pub(super) fn read(text: &SourceText<'_>, catalogue: &Entries<'_>) -> PriceFile {
    let mut file = PriceFile::default();
    let mut rows: BTreeMap<(Provider, String), PriceFileRow> = BTreeMap::new();
    for (key, value) in catalogue {
        if matches!(&**key, "sample_spec" | "fallback_generalizations") {
            continue;
        }
        let mut fields = RowFields::new(text, value, key.to_string());
        let provider = fields.text("litellm_provider");
        let known = PROVIDERS.iter().find(|(name, ..)| Some(*name) == provider.as_deref());
        let Some((_, provider, prefix)) = known else {
            file.foreign_rows += usize::from(provider.is_some());
            file.problems.extend(fields.into_problems());
            continue;
        };
        let model = key.strip_prefix(prefix).unwrap_or(key).to_owned();
        let read = read_row(&mut fields, *provider, &model);
        match (read, rows.entry((*provider, model))) {
            (Some(row), Entry::Vacant(place)) => drop(place.insert(row)),
            (Some(row), Entry::Occupied(other)) if other.get().value != row.value => {
                fields.problem("", "is listed twice with different prices; the first is used");
            }
            _ => {}
        }
        file.problems.extend(fields.into_problems());
    }
    file.rows = rows.into_values().collect();
    file
}

fn read_row(fields: &mut RowFields<'_>, provider: Provider, model: &str) -> Option<PriceFileRow> {
    for (name, sentence) in UNSAYABLE {
        if fields.get(name).is_some_and(|value| !is_zero(value)) {
            fields.problem(name, sentence);
            return None;
        }
    }
    let mut rates = token_rates(fields)?;
    if let Some(ranges) = fields.get("tiered_pricing") {
        context_ranges(fields, ranges, &mut rates)?;
    }
    let standard = rates.remove(&PriceTier::Standard).unwrap_or_default();
    let Some(input) = standard.base.get(&Meter::Input) else {
        fields.problem("input_cost_per_token", "is missing; only prices per token are imported");
        return None;
    };
    if *input == FREE && standard.base.values().all(|rate| *rate == FREE) {
        fields.problem("input_cost_per_token", "is 0, which here may also mean unknown");
        return None;
    }
    let search = search_rate(fields)?;
    let TierTerms { rates: base, above } = standard.terms(search);
    let mut terms = PriceTerms { rates: base, above, ..PriceTerms::default() };
    // Without a price of input there is no tier.
    let tiers = rates.into_iter().filter(|(_, tier)| tier.base.contains_key(&Meter::Input));
    terms.tiers = tiers.map(|(tier, rates)| (tier, rates.terms(None))).collect();
    add_factors(fields, &mut terms);
    Some(PriceFileRow {
        owner: PriceOwner::Provider(provider),
        model: model.to_owned(),
        from: None,
        until: None,
        source: fields.text("source").unwrap_or_default(),
        value: PriceFileValue::Terms(terms),
        place: fields.place(),
    })
}

const FREE: Rate = Rate::new(0);

/// The rates of a tier while its fields are read.
#[derive(Default)]
struct TierRates {
    base: BTreeMap<Meter, Rate>,
    above: Option<(u64, BTreeMap<Meter, Rate>)>,
}

impl TierRates {
    fn terms(self, search: Option<Rate>) -> TierTerms {
        let mut rates = listed(self.base);
        if let Some(search) = search {
            rates = rates.or(&Rates::from_iter([(Meter::WebSearch, search)]));
        }
        let above =
            self.above.map(|(input_tokens, long)| RatesAbove { input_tokens, rates: listed(long) });
        TierTerms { rates, above }
    }
}

/// Zero stands for "does not apply" beside a price, except for input and output.
fn listed(rates: BTreeMap<Meter, Rate>) -> Rates {
    let applies = |(meter, rate): &(Meter, Rate)| {
        *rate != FREE || matches!(meter, Meter::Input | Meter::Output)
    };
    rates.into_iter().filter(applies).collect()
}

/// The prices per token, by tier and context; `None` if a field could not be read.
fn token_rates(fields: &mut RowFields<'_>) -> Option<BTreeMap<PriceTier, TierRates>> {
    let mut tiers: BTreeMap<PriceTier, TierRates> = BTreeMap::new();
    let mut is_whole = true;
    for (name, value) in fields.all() {
        let Some((tier, above, meter)) = parse_field(&name) else { continue };
        if value.get() == "null" {
            continue;
        }
        let rate = match price(value.get(), Unit::Tokens) {
            Ok(rate) => rate,
            Err(problem) => {
                fields.problem(&name, &problem);
                is_whole = false;
                continue;
            }
        };
        let tier = tiers.entry(tier).or_default();
        match above {
            None => drop(tier.base.insert(meter, rate)),
            Some(tokens) => {
                let (threshold, long) = tier.above.get_or_insert_with(|| (tokens, BTreeMap::new()));
                if *threshold != tokens {
                    fields.problem(&name, "is a second threshold of context; only one can be kept");
                    is_whole = false;
                }
                long.insert(meter, rate);
            }
        }
    }
    is_whole.then_some(tiers)
}

/// `tiered_pricing`: prices by ranges of context, of which two can be kept.
fn context_ranges(
    fields: &mut RowFields<'_>,
    ranges: &RawValue,
    tiers: &mut BTreeMap<PriceTier, TierRates>,
) -> Option<()> {
    let ranges: Option<Vec<&RawValue>> = serde_json::from_str(ranges.get()).ok();
    let Some([short, long]) = ranges.as_deref() else {
        fields.problem(
            "tiered_pricing",
            "has other than two ranges of context; only two can be kept",
        );
        return None;
    };
    let read = |range: &RawValue| -> Option<BTreeMap<Meter, Rate>> {
        let prices = entries(range)?.into_iter().filter_map(|(name, value)| {
            let (_, None, meter) = parse_field(&name)? else { return None };
            Some(price(value.get(), Unit::Tokens).map(|rate| (meter, rate)))
        });
        prices.collect::<Result<_, _>>().ok()
    };
    match (read(short), read(long), range_start(long)) {
        (Some(base), Some(above), Some(start)) => {
            tiers.insert(PriceTier::Standard, TierRates { base, above: Some((start, above)) });
            Some(())
        }
        _ => {
            fields.problem("tiered_pricing", "has a range or a price that is not a number");
            None
        }
    }
}

fn range_start(range: &RawValue) -> Option<u64> {
    let bounds: Vec<f64> = serde_json::from_str(member(&entries(range)?, "range")?.get()).ok()?;
    let start = Decimal::try_from(*bounds.first()?).ok()?;
    u64::try_from(start).ok().filter(|start| *start > 0)
}

/// Tier, threshold and meter of a field such as `input_cost_per_token_above_272k_tokens_flex`.
fn parse_field(name: &str) -> Option<(PriceTier, Option<u64>, Meter)> {
    let tiered = TIERS.iter().find_map(|(end, tier)| Some((name.strip_suffix(end)?, *tier)));
    let (rest, tier) = tiered.unwrap_or((name, PriceTier::Standard));
    let long = rest.strip_suffix("k_tokens").and_then(|rest| rest.rsplit_once("_above_"));
    let (base, above) = match long {
        Some((base, thousands)) => (base, Some(thousands.parse::<u64>().ok()? * 1_000)),
        None => (rest, None),
    };
    let (_, meter) = TOKEN_FIELDS.iter().find(|(field, _)| *field == base)?;
    Some((tier, above, *meter))
}

/// The price of a web search, if it is the same for every amount of context; the outer `None` if it
/// is not, or cannot be read.
fn search_rate(fields: &mut RowFields<'_>) -> Option<Option<Rate>> {
    const FIELD: &str = "search_context_cost_per_query";
    let prices = fields.get(FIELD).and_then(entries).unwrap_or_default();
    let prices: Result<Vec<Rate>, String> =
        prices.iter().map(|(_, value)| price(value.get(), Unit::Calls)).collect();
    match prices.as_deref() {
        Ok([]) => Some(None),
        Ok([first, others @ ..]) if others.iter().all(|other| other == first) => Some(Some(*first)),
        Ok(_) => {
            fields.problem(FIELD, "differs by the amount of context, which no answer tells");
            None
        }
        Err(problem) => {
            fields.problem(FIELD, problem);
            None
        }
    }
}

/// Factors of regions and of Anthropic's fast mode.
fn add_factors(fields: &RowFields<'_>, terms: &mut PriceTerms) {
    let factor = |value: &RawValue| serde_json::from_str::<Factor>(value.get()).ok();
    for region in ["us", "eu"] {
        let field = format!("regional_processing_uplift_multiplier_{region}");
        if let Some(factor) = fields.get(&field).and_then(factor) {
            terms.regions.insert(region.to_owned(), factor);
        }
    }
    let special = fields.get("provider_specific_entry").and_then(entries).unwrap_or_default();
    if let Some(factor) = member(&special, "us").and_then(factor) {
        terms.regions.insert("us".to_owned(), factor);
    }
    if let Some(factor) = member(&special, "fast").and_then(factor) {
        terms.tiers.insert(PriceTier::Fast, terms.standard_times(factor));
    }
}

/// A price for one token or call. The catalogue is written from floats, so its digits are rounded.
fn price(text: &str, unit: Unit) -> Result<Rate, String> {
    let one = match text.contains(['e', 'E']) {
        true => Decimal::from_scientific(text),
        false => text.parse(),
    };
    let quote = one.ok().and_then(|one| one.checked_mul(unit.quoted_for().into()));
    match quote {
        Some(quote) => {
            let quote = quote.round_dp(QUOTE_DECIMALS).to_string();
            Rate::from_quote(&quote, unit).map_err(|error| error.to_string())
        }
        None => Err(price_error(text, RateError::NotANumber)),
    }
}

fn is_zero(value: &RawValue) -> bool {
    matches!(value.get(), "null") || value.get().parse::<Decimal>().is_ok_and(|it| it.is_zero())
}
