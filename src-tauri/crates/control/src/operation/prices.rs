//! Operations on prices: the list, one's own price, imports with a preview, and undo.

use domain::{BackendId, Meter, PriceTier, Unit, WallTime, count_noun};
use engine::{Engine, PriceChangeDone, PriceEditError, PricePreview};
use pricing::{Factor, Price, PriceOwner, PriceTerms, Rate, Rates, RatesAbove, TierTerms};

use crate::ApiError;
use crate::operation::input;
use crate::view::{
    Count, ListedPriceView, PriceChangeView, PriceDifferenceView, PriceImport, PriceImportRef,
    PriceImportView, PriceProblemView, PriceRateView, PriceRowState, PriceSet, PriceSetRate,
    PriceSetRegion, PricesQuery, PricesView,
};

/// Most rows in one answer.
const ROWS_MAX: usize = 2_000;
/// Most differences and problems of a preview.
const PREVIEW_LINES_MAX: usize = 300;

pub(crate) async fn prices(engine: &Engine, req: PricesQuery) -> Result<PricesView, ApiError> {
    let now = engine.clock().wall();
    let book = engine.prices();
    let (model, owner) = (req.model.trim().to_lowercase(), req.owner.trim());
    let mut rows: Vec<&Price> = book
        .iter()
        .filter(|price| owner.is_empty() || owner_name(&price.owner) == owner)
        .filter(|price| price.model.to_lowercase().contains(&model))
        .collect();
    rows.sort_by_key(|price| {
        let is_listed = matches!(price.owner, PriceOwner::Provider(_));
        (is_listed, owner_name(&price.owner), price.model.clone(), -price.valid_from.unix_ms())
    });
    let limit = usize::try_from(req.limit).unwrap_or(ROWS_MAX).clamp(1, ROWS_MAX);
    let last = engine.price_editor().last_change().await?;
    Ok(PricesView {
        sentence: list_sentence(&rows),
        found: Count(u64::try_from(rows.len()).unwrap_or(u64::MAX)),
        rows: rows.iter().take(limit).map(|price| row_view(price, now)).collect(),
        last_change: last.as_ref().map(change_view),
    })
}

pub(crate) async fn price_set(engine: &Engine, req: PriceSet) -> Result<PriceChangeView, ApiError> {
    let backend: BackendId = input::parse_id("backend", &req.backend)?;
    if !engine.settings().backends.contains_key(&backend) {
        return Err(ApiError::not_found(format!("there is no backend named {backend}")));
    }
    let model = req.model.trim();
    if model.is_empty() {
        return Err(ApiError::invalid("model", "enter the model's name at the backend"));
    }
    let terms = stated_terms(&req)?;
    let done = engine.price_editor().set(&backend, model, terms).await.map_err(edit_error)?;
    Ok(change_view(&done))
}

/// The terms that a request states, with its tier, its length and its region.
fn stated_terms(req: &PriceSet) -> Result<PriceTerms, ApiError> {
    let mut rates = Vec::new();
    for PriceSetRate { meter, price } in &req.rates {
        let price = price.trim().trim_start_matches('$');
        if price.is_empty() {
            continue;
        }
        let rate = Rate::from_quote(price, meter.unit());
        let rate = rate.map_err(|error| ApiError::invalid(meter.word(), error.to_string()))?;
        if rates.iter().any(|(known, _)| known == meter) {
            let message = format!("the price of {meter} is stated twice");
            return Err(ApiError::invalid(meter.word(), message));
        }
        rates.push((*meter, rate));
    }
    let region = req.region.as_ref().map(region_factor).transpose()?;
    if rates.is_empty() && region.is_none() {
        return Err(ApiError::invalid("rates", "enter at least one price"));
    }
    let rates: Rates = rates.into_iter().collect();
    let (rates, above) = match req.above_tokens {
        Some(Count(0)) => {
            return Err(ApiError::invalid("above_tokens", "enter a number of tokens above zero"));
        }
        Some(Count(input_tokens)) => (Rates::default(), Some(RatesAbove { input_tokens, rates })),
        None => (rates, None),
    };
    let mut terms = match req.tier.unwrap_or_default() {
        PriceTier::Standard => PriceTerms { rates, above, ..PriceTerms::default() },
        // A region alone states no rates of a tier.
        _ if rates.is_empty() && above.is_none() => PriceTerms::default(),
        tier => {
            let tiers = [(tier, TierTerms { rates, above })].into();
            PriceTerms { tiers, ..PriceTerms::default() }
        }
    };
    terms.regions.extend(region);
    Ok(terms)
}

fn region_factor(region: &PriceSetRegion) -> Result<(String, Factor), ApiError> {
    let name = region.name.trim();
    if name.is_empty() {
        return Err(ApiError::invalid("region", "enter the region as the backend names it"));
    }
    let factor = region.factor.trim().parse::<f64>().map_err(|_| "enter a number such as 1.1");
    let factor = factor.and_then(Factor::try_from);
    let factor = factor.map_err(|problem| ApiError::invalid("factor", problem))?;
    Ok((name.to_owned(), factor))
}

pub(crate) async fn price_import(
    engine: &Engine,
    req: PriceImport,
) -> Result<PriceImportView, ApiError> {
    let editor = engine.price_editor();
    let preview = match req {
        PriceImport::Text { name, text } => editor.preview(&name, &text),
        PriceImport::Address { url } => editor.preview_from(&url).await,
    };
    preview.map(|preview| preview_view(&preview)).map_err(edit_error)
}

pub(crate) async fn price_import_apply(
    engine: &Engine,
    req: PriceImportRef,
) -> Result<PriceChangeView, ApiError> {
    engine.price_editor().apply(req.id.0).await.map(|done| change_view(&done)).map_err(edit_error)
}

pub(crate) async fn price_undo(engine: &Engine) -> Result<PriceChangeView, ApiError> {
    engine.price_editor().undo().await.map(|done| change_view(&done)).map_err(edit_error)
}

fn edit_error(error: PriceEditError) -> ApiError {
    match error {
        PriceEditError::Ledger(error) => error.into(),
        PriceEditError::Address(_) => ApiError::invalid("url", error.to_string()),
        PriceEditError::NothingToUndo | PriceEditError::UnknownPreview => {
            ApiError::not_found(error.to_string())
        }
        other => ApiError::invalid("text", other.to_string()),
    }
}

fn owner_name(owner: &PriceOwner) -> &str {
    match owner {
        PriceOwner::Provider(provider) => provider.word(),
        PriceOwner::Backend(backend) => backend.as_str(),
    }
}

fn list_sentence(rows: &[&Price]) -> String {
    let of_backends =
        rows.iter().filter(|price| matches!(price.owner, PriceOwner::Backend(_))).count();
    let mut providers: Vec<_> = rows.iter().map(|price| owner_name(&price.owner)).collect();
    providers.sort_unstable();
    providers.dedup();
    let count = |number: usize, noun| count_noun(u64::try_from(number).unwrap_or(u64::MAX), noun);
    match of_backends {
        0 => format!("{} of {}.", count(rows.len(), "price"), count(providers.len(), "provider")),
        own => format!("{}, {own} of them for one backend.", count(rows.len(), "price")),
    }
}

fn row_view(price: &Price, now: WallTime) -> ListedPriceView {
    let rate = |meter| price.terms.rates.of(meter).map(|rate| rate.amount(1_000_000).into());
    let ends = price.valid_to.is_some_and(|end| end <= now);
    ListedPriceView {
        id: price.id.clone(),
        owner: owner_name(&price.owner).to_owned(),
        backend: match &price.owner {
            PriceOwner::Backend(backend) => Some(backend.to_string()),
            PriceOwner::Provider(_) => None,
        },
        model: price.model.clone(),
        state: match (ends, price.valid_from > now) {
            (true, _) => PriceRowState::Ended,
            (_, true) => PriceRowState::Upcoming,
            _ => PriceRowState::InForce,
        },
        from: price.valid_from.to_day(),
        until: price.valid_to.map(WallTime::to_day),
        source: price.source.clone(),
        confidence: price.confidence,
        input: rate(Meter::Input),
        cache_read: rate(Meter::CacheRead),
        output: rate(Meter::Output),
        rates: rate_views(&price.terms),
        regions: price
            .terms
            .regions
            .iter()
            .map(|(name, factor)| format!("{name} × {factor}"))
            .collect(),
    }
}

fn rate_views(terms: &PriceTerms) -> Vec<PriceRateView> {
    let mut views = Vec::new();
    let mut push = |tier: Option<PriceTier>, above: Option<u64>, rates: &Rates| {
        views.extend(rates.iter().map(|(meter, rate)| PriceRateView {
            meter,
            tier,
            above_tokens: above.map(Count),
            rate: rate.amount(meter.unit().quoted_for()).into(),
            unit: unit_sentence(meter.unit()).to_owned(),
        }));
    };
    let mut push_tier = |tier, rates: &Rates, above: &Option<RatesAbove>| {
        push(tier, None, rates);
        if let Some(above) = above {
            push(tier, Some(above.input_tokens), &above.rates);
        }
    };
    push_tier(None, &terms.rates, &terms.above);
    for (tier, of_tier) in &terms.tiers {
        push_tier(Some(*tier), &of_tier.rates, &of_tier.above);
    }
    views
}

pub(crate) const fn unit_sentence(unit: Unit) -> &'static str {
    match unit {
        Unit::Tokens => "per million tokens",
        Unit::Calls => "per thousand calls",
        Unit::Images => "per image",
        Unit::Seconds => "per second",
        Unit::Requests => "per request",
    }
}

fn preview_view(preview: &PricePreview) -> PriceImportView {
    let count = |number: usize| Count(u64::try_from(number).unwrap_or(u64::MAX));
    let (changed, new) = (preview.changed(), preview.new_prices());
    let mut sentence = format!(
        "{} change, {} new, {} as they are.",
        count_noun(count(changed).0, "price"),
        new,
        preview.same
    );
    if preview.foreign > 0 {
        sentence.push_str(&format!(" {} of other providers are left out.", preview.foreign));
    }
    let differences = preview.differences.iter().take(PREVIEW_LINES_MAX);
    let problems = preview.problems.iter().take(PREVIEW_LINES_MAX);
    PriceImportView {
        id: Count(preview.id),
        format: preview.format,
        sentence,
        changed: count(changed),
        new: count(new),
        same: count(preview.same),
        foreign: count(preview.foreign),
        differences: differences
            .map(|difference| PriceDifferenceView {
                owner: owner_name(&difference.price.owner).to_owned(),
                model: difference.price.model.clone(),
                changes: difference.changes.iter().map(ToString::to_string).collect(),
                is_new: difference.is_new,
            })
            .collect(),
        problems: problems
            .map(|problem| PriceProblemView {
                line: count(problem.line),
                row: problem.row.clone(),
                field: problem.field.clone(),
                problem: problem.problem.clone(),
            })
            .collect(),
        problems_found: count(preview.problems.len()),
    }
}

fn change_view(done: &PriceChangeDone) -> PriceChangeView {
    PriceChangeView {
        sentence: done.sentence(),
        at: done.at.into(),
        prices: Count(done.prices),
        repriced: Count(done.repriced),
    }
}
