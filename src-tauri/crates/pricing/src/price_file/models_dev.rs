//! The catalogue of models.dev: by provider and model, in US dollars per million tokens.

use domain::{Meter, Unit};
use serde_json::value::RawValue;

use super::fields::{Entries, RowFields, SourceText, entries, member, price_error};
use super::{PriceFile, PriceFileRow, PriceFileValue};
use crate::{PriceOwner, PriceTerms, Provider, Rate, Rates, RatesAbove};

const PROVIDERS: &[(&str, Provider)] = &[
    ("openai", Provider::OpenAi),
    ("anthropic", Provider::Anthropic),
    ("google", Provider::Google),
    ("mistral", Provider::Mistral),
    ("deepseek", Provider::DeepSeek),
    ("groq", Provider::Groq),
    ("xai", Provider::XAi),
    ("togetherai", Provider::Together),
    ("fireworks-ai", Provider::Fireworks),
    ("cerebras", Provider::Cerebras),
    ("deepinfra", Provider::DeepInfra),
    ("cohere", Provider::Cohere),
    ("moonshotai", Provider::Moonshot),
    ("minimax", Provider::MiniMax),
    ("zai", Provider::Zai),
    ("alibaba", Provider::Alibaba),
    ("nebius", Provider::Nebius),
    ("novita-ai", Provider::Novita),
    ("friendli", Provider::Friendli),
    ("inception", Provider::Inception),
    ("baseten", Provider::Baseten),
    ("wandb", Provider::WandB),
    ("perplexity", Provider::Perplexity),
];

const COST_FIELDS: &[(&str, Meter)] = &[
    ("input", Meter::Input),
    ("output", Meter::Output),
    ("reasoning", Meter::Reasoning),
    ("cache_read", Meter::CacheRead),
    // The catalogue does not tell the terms of caches apart; the shortest is what all vendors have.
    ("cache_write", Meter::CacheWrite5m),
    ("input_audio", Meter::InputAudio),
    ("output_audio", Meter::OutputAudio),
];

/// The rates for more input than 200,000 tokens.
const OVER_200K: &str = "context_over_200k";

pub(super) fn is_catalogue(fields: &Entries<'_>) -> bool {
    fields.iter().take(50).any(|(_, provider)| {
        entries(provider).is_some_and(|provider| {
            provider.iter().any(|(name, models)| name == "models" && models.get().starts_with('{'))
        })
    })
}

pub(super) fn read(text: &SourceText<'_>, catalogue: &Entries<'_>) -> PriceFile {
    let mut file = PriceFile::default();
    for (key, value) in catalogue {
        let mut provider = RowFields::new(text, value, key.to_string());
        let source = provider.text("doc").unwrap_or_default();
        let models = provider.get("models").and_then(entries).unwrap_or_default();
        let Some((_, known)) = PROVIDERS.iter().find(|(name, _)| name == key) else {
            file.foreign_rows += models.len();
            continue;
        };
        for (model, value) in models {
            let mut fields = RowFields::new(text, value, format!("{key}/{model}"));
            if let Some(terms) = read_terms(&mut fields) {
                file.rows.push(PriceFileRow {
                    owner: PriceOwner::Provider(*known),
                    model: model.into_owned(),
                    from: None,
                    until: None,
                    source: source.clone(),
                    value: PriceFileValue::Terms(terms),
                    place: fields.place(),
                });
            }
            file.problems.extend(fields.into_problems());
        }
        file.problems.extend(provider.into_problems());
    }
    file
}

fn read_terms(fields: &mut RowFields<'_>) -> Option<PriceTerms> {
    let Some(cost) = fields.get("cost").and_then(entries) else {
        fields.problem("cost", "is missing");
        return None;
    };
    let rates = read_rates(fields, &cost, "cost")?;
    if rates.of(Meter::Input).is_none() {
        fields.problem("cost.input", "is missing");
        return None;
    }
    // The older field stands beside the newer one for programs that do not know it.
    let above = match (member(&cost, "tiers"), member(&cost, OVER_200K)) {
        (Some(tiers), _) => Some(context_tier(fields, tiers)?),
        (None, Some(long)) => Some(over_200k(fields, long)?),
        (None, None) => None,
    };
    Some(PriceTerms { above, ..PriceTerms::flat(rates) })
}

fn context_tier(fields: &mut RowFields<'_>, tiers: &RawValue) -> Option<RatesAbove> {
    let list: Option<Vec<&RawValue>> = serde_json::from_str(tiers.get()).ok();
    let Some([tier]) = list.as_deref() else {
        fields
            .problem("cost.tiers", "has other than one threshold of context; only one can be kept");
        return None;
    };
    let tier = entries(tier).unwrap_or_default();
    let size = member(&tier, "tier").and_then(entries);
    let size = size.and_then(|size| member(&size, "size")?.get().parse::<u64>().ok());
    let Some(input_tokens) = size else {
        fields.problem("cost.tiers", "has no size; expected {\"tier\": {\"size\": 200000}}");
        return None;
    };
    let rates = read_rates(fields, &tier, "cost.tiers")?;
    Some(RatesAbove { input_tokens, rates })
}

fn over_200k(fields: &mut RowFields<'_>, long: &RawValue) -> Option<RatesAbove> {
    let path = format!("cost.{OVER_200K}");
    let Some(long) = entries(long) else {
        fields.problem(&path, "is not an object; expected {\"input\": 4, \"output\": 15}");
        return None;
    };
    let rates = read_rates(fields, &long, &path)?;
    Some(RatesAbove { input_tokens: 200_000, rates })
}

fn read_rates(fields: &mut RowFields<'_>, cost: &Entries<'_>, path: &str) -> Option<Rates> {
    let mut rates = Vec::new();
    let mut is_whole = true;
    for (name, value) in cost {
        let Some((_, meter)) = COST_FIELDS.iter().find(|(field, _)| field == name) else {
            continue;
        };
        match Rate::from_quote(value.get(), Unit::Tokens) {
            Ok(rate) => rates.push((*meter, rate)),
            Err(error) => {
                fields.problem(&format!("{path}.{name}"), &price_error(value.get(), error));
                is_whole = false;
            }
        }
    }
    is_whole.then(|| rates.into_iter().collect())
}
