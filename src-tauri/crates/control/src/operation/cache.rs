//! Operations on the response cache: contents, savings, bypass reasons and purging.

use ::cache::{
    BypassReason, Cache, CacheStats, CacheTier, EntryAddress, Purge, SizeAdvice, SizeEstimate,
    TierStats,
};
use domain::{WallTime, count_noun};
use engine::Engine;
use jiff::tz::TimeZone;
use ledger::{BypassCount, CacheTotals, GroupBy, UsageQuery};
use settings::CacheSettings;

use crate::ApiError;
use crate::operation::input;
use crate::operation::usage::period::period;
use crate::view::{
    CacheBypassView, CacheOutcome, CachePurge, CachePurgeResultView, CachePurgeSelector,
    CacheQuery, CacheTierState, CacheTierView, CacheView, Count, TimeZoneChoice,
};

pub(crate) async fn cache(engine: &Engine, req: CacheQuery) -> Result<CacheView, ApiError> {
    let zone = match req.zone {
        TimeZoneChoice::Local => TimeZone::system(),
        TimeZoneChoice::Utc => TimeZone::UTC,
    };
    let to = engine.clock().wall();
    let (from, bucket) = period(req.range, to, &zone)?;
    let question = UsageQuery::new(from, to, bucket, &zone, GroupBy::Backend)
        .map_err(|error| ApiError::invalid("range", error.to_string()))?;
    let sums = engine.ledger().usage(question).await?.totals.cache;
    let bypasses = engine.ledger().cache_bypasses(from, to).await?;
    let stats = engine.response_cache().cache().map(|cache| cache.stats());
    let settings = engine.settings();
    Ok(CacheView {
        enabled: settings.cache.enabled,
        sentence: savings_sentence(&settings.cache, &sums),
        ttl_secs: settings.cache.ttl_secs,
        tiers: tier_views(&settings.cache, stats.as_ref()),
        eligible: sums.eligible().into(),
        hits: (sums.hits + sums.shared).into(),
        joined: sums.shared.into(),
        hit_percent: hit_percent(&sums),
        saved_nano_usd: sums.saved.into(),
        saved_ms: (sums.saved_us / 1_000).into(),
        bypasses: bypasses.into_iter().map(bypass_view).collect(),
        advice: stats.and_then(|stats| advice_sentence(&stats.advice)),
    })
}

pub(crate) async fn cache_purge(
    engine: &Engine,
    req: CachePurge,
) -> Result<CachePurgeResultView, ApiError> {
    let (purge, what) = parse_purge(req.what, engine.clock().wall())?;
    let Some(cache) = engine.response_cache().cache() else {
        let sentence = "The cache is switched off, so there is nothing to purge.".to_owned();
        return Ok(CachePurgeResultView { entries: Count(0), sentence });
    };
    let before = count_entries(&cache);
    let purged = cache.purge(purge).await;
    let entries = before.saturating_sub(count_entries(&cache));
    let sentence = match purged {
        Ok(()) => format!("Purged {what}: {}.", count_noun(entries, "response")),
        Err(unreached) => format!("Purged {what}; {unreached}."),
    };
    Ok(CachePurgeResultView { entries: entries.into(), sentence })
}

/// Describes in a sentence what the cache did with a request.
pub(super) fn outcome_sentence(outcome: CacheOutcome, reason: Option<&str>) -> String {
    let sentence = match outcome {
        CacheOutcome::Hit => "Served from cache.",
        CacheOutcome::Coalesced => "Shared an identical request in flight.",
        CacheOutcome::Miss => "Cache miss.",
        CacheOutcome::Bypass => match reason.and_then(|word| word.parse::<BypassReason>().ok()) {
            Some(known) => bypass_label(known),
            None => "Cache bypassed.",
        },
    };
    sentence.to_owned()
}

/// Number of cached responses. A slower tier holds all that a faster tier holds, and more.
fn count_entries(cache: &Cache) -> u64 {
    let tiers = cache.stats().tiers;
    tiers.iter().filter_map(|tier| tier.entries).max().unwrap_or_default()
}

fn parse_purge(what: CachePurgeSelector, now: WallTime) -> Result<(Purge, String), ApiError> {
    Ok(match what {
        CachePurgeSelector::Everything => (Purge::All, "everything".to_owned()),
        CachePurgeSelector::Backend { id } => {
            (Purge::Backend(input::parse_id("id", &id)?), format!("responses from {id}"))
        }
        CachePurgeSelector::Model { name } => {
            let name = name.trim().to_owned();
            if name.is_empty() {
                return Err(ApiError::invalid("name", "enter a model name"));
            }
            (Purge::Model(name.clone()), format!("responses of the model {name}"))
        }
        CachePurgeSelector::Client { id } => {
            (Purge::Client(input::parse_id("id", &id)?), format!("responses to {id}"))
        }
        CachePurgeSelector::OlderThan { secs } => {
            let ms = i64::from(secs).saturating_mul(1_000);
            let before = now.minus_ms(ms);
            (Purge::OlderThan(before), format!("responses older than {secs} s"))
        }
        CachePurgeSelector::Key { key } => {
            let address = key.trim().parse::<EntryAddress>();
            let address = address.map_err(|error| ApiError::invalid("key", error.to_string()))?;
            (Purge::Entry(address), "one response".to_owned())
        }
    })
}

fn savings_sentence(settings: &CacheSettings, sums: &CacheTotals) -> String {
    let free = sums.hits + sums.shared;
    match (settings.enabled, sums.eligible()) {
        (false, _) => "The cache is switched off.".to_owned(),
        (true, 0) => "No cacheable requests in this period.".to_owned(),
        (true, all) => {
            let verb = if free == 1 { "was" } else { "were" };
            format!("{free} of {} {verb} served from cache.", count_noun(all, "repeatable request"))
        }
    }
}

fn hit_percent(sums: &CacheTotals) -> Option<f64> {
    let (free, all) = (sums.hits + sums.shared, sums.eligible());
    #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
    let percent = free as f64 * 100.0 / all as f64;
    (all > 0).then_some(percent)
}

fn tier_views(settings: &CacheSettings, stats: Option<&CacheStats>) -> Vec<CacheTierView> {
    let is_wanted = |tier| match tier {
        CacheTier::Memory => settings.enabled,
        CacheTier::Disk => settings.enabled && settings.disk,
        CacheTier::Shared => settings.enabled && settings.redis_url.is_some(),
    };
    let view = |tier: &CacheTier| {
        let found = stats.and_then(|stats| stats.tiers.iter().find(|one| one.tier == *tier));
        let is_open = found.is_some_and(|found| found.is_open);
        let state = match (is_wanted(*tier), is_open) {
            (false, _) => CacheTierState::Off,
            (true, true) => CacheTierState::On,
            (true, false) => CacheTierState::Lost,
        };
        tier_view(*tier, state, found.filter(|_| state != CacheTierState::Off), settings)
    };
    CacheTier::ALL.iter().map(view).collect()
}

fn tier_view(
    tier: CacheTier,
    state: CacheTierState,
    found: Option<&TierStats>,
    settings: &CacheSettings,
) -> CacheTierView {
    let (what, lost) = match tier {
        CacheTier::Memory => ("In this process", "It could not be opened"),
        CacheTier::Disk => (
            "On this machine's disk; survives a restart",
            "Its file could not be opened; responses are kept in memory only",
        ),
        CacheTier::Shared => (
            "A server that several machines share",
            "The server is not responding, or its password is missing; requests bypass it",
        ),
    };
    let server = settings.redis_url.as_ref().and_then(|url| url.host());
    let detail = match (state, tier, server) {
        (CacheTierState::Off, ..) => "Switched off".to_owned(),
        (CacheTierState::Lost, ..) => lost.to_owned(),
        (CacheTierState::On, CacheTier::Shared, Some(server)) => format!("{what}: {server}"),
        (CacheTierState::On, ..) => what.to_owned(),
    };
    CacheTierView {
        tier,
        state,
        detail,
        entries: found.and_then(|found| found.entries).map(Into::into),
        bytes: found.and_then(|found| found.bytes).map(Into::into),
        bytes_max: found.and_then(|found| found.bytes_max).map(Into::into),
        hits: found.map(|found| found.hits).unwrap_or_default().into(),
    }
}

fn bypass_view(bypasses: BypassCount) -> CacheBypassView {
    let known = bypasses.reason.parse::<BypassReason>().ok();
    let label = known.map_or("Cache bypassed.", bypass_label);
    CacheBypassView {
        label: label.to_owned(),
        hint: known.and_then(bypass_hint).map(str::to_owned),
        requests: bypasses.requests.into(),
        reason: bypasses.reason,
    }
}

const fn bypass_label(why: BypassReason) -> &'static str {
    match why {
        BypassReason::Disabled => "The cache is switched off.",
        BypassReason::Request => "Requested by the client.",
        BypassReason::Client => "Turned off for this client.",
        BypassReason::Route => "Turned off for this route.",
        BypassReason::Sampled => "Not repeatable (temperature is not 0).",
        BypassReason::Tools => "The request offers tools.",
        BypassReason::State => "The request uses state stored at the provider.",
        BypassReason::Surface => "Requests of this kind are never cached.",
    }
}

/// How to avoid the bypass.
const fn bypass_hint(why: BypassReason) -> Option<&'static str> {
    match why {
        BypassReason::Disabled => Some("Switch the cache on in the settings."),
        BypassReason::Request => Some("Remove the header x-gatehouse-cache: off."),
        BypassReason::Client => Some("Change the client's setting."),
        BypassReason::Route => Some("Change the route's setting."),
        BypassReason::Sampled => Some(
            "Use temperature 0, or switch the cache on for the route, the client or the \
                 request.",
        ),
        BypassReason::Tools | BypassReason::State | BypassReason::Surface => None,
    }
}

fn advice_sentence(advice: &SizeEstimate) -> Option<String> {
    let more = advice.hits_with_double.saturating_sub(advice.hits_now);
    match advice.word {
        SizeAdvice::Grow => {
            let all = advice.lookups;
            Some(format!(
                "Doubling the memory limit would serve about {more} more of {all} lookups."
            ))
        }
        SizeAdvice::Shrink => Some("Half the memory limit would be enough.".to_owned()),
        SizeAdvice::Keep | SizeAdvice::TooEarly => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_counts_cacheable_requests() {
        let settings = CacheSettings::default();
        let sums =
            |hits, shared, misses| CacheTotals { hits, shared, misses, ..CacheTotals::default() };
        let check = |sums: CacheTotals, text: &str, percent: Option<f64>| {
            assert_eq!(
                (savings_sentence(&settings, &sums).as_str(), hit_percent(&sums)),
                (text, percent)
            );
        };
        let none = "No cacheable requests in this period.";
        check(sums(0, 0, 0), none, None);
        check(
            sums(20, 11, 53),
            "31 of 84 repeatable requests were served from cache.",
            Some(31.0 / 0.84),
        );
        check(sums(1, 0, 0), "1 of 1 repeatable request was served from cache.", Some(100.0));
        let off = CacheSettings { enabled: false, ..CacheSettings::default() };
        assert_eq!(savings_sentence(&off, &sums(1, 1, 1)), "The cache is switched off.");
    }

    #[test]
    fn an_enabled_tier_that_is_not_open_is_lost() {
        let settings = CacheSettings { disk: false, ..CacheSettings::default() };
        let states: Vec<_> = tier_views(&settings, None).iter().map(|tier| tier.state).collect();
        assert_eq!(states, [CacheTierState::Lost, CacheTierState::Off, CacheTierState::Off]);
    }

    #[test]
    fn a_purge_request_is_validated() {
        let refused = |what| parse_purge(what, WallTime::default()).expect_err("refused").field;
        assert_eq!(
            refused(CachePurgeSelector::Model { name: " ".to_owned() }).as_deref(),
            Some("name")
        );
        assert_eq!(
            refused(CachePurgeSelector::Key { key: "7".to_owned() }).as_deref(),
            Some("key")
        );
        assert_eq!(
            refused(CachePurgeSelector::Client { id: "A b".to_owned() }).as_deref(),
            Some("id")
        );
        let now = WallTime::from_unix_ms(60_000);
        let (purge, what) =
            parse_purge(CachePurgeSelector::OlderThan { secs: 10 }, now).expect("understood");
        assert_eq!(purge, Purge::OlderThan(WallTime::from_unix_ms(50_000)));
        assert_eq!(what, "responses older than 10 s");
    }

    #[test]
    fn every_bypass_reason_has_a_label_and_an_unknown_one_has_the_general_label() {
        for why in BypassReason::ALL {
            let view = bypass_view(BypassCount { reason: why.to_string(), requests: 1 });
            assert_eq!(view.label, bypass_label(*why));
            assert!(outcome_sentence(CacheOutcome::Bypass, Some(why.word())) == view.label);
        }
        let unknown = bypass_view(BypassCount { reason: "dreaming".to_owned(), requests: 1 });
        assert_eq!(unknown.label, "Cache bypassed.");
    }
}
