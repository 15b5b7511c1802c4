//! The cache of answers: what it holds, what it saved, why requests went past it, and what is thrown
//! away.

use ::cache::Bypass;

use crate::view::CacheOutcomeView;

/// What the cache did with one request, in a sentence.
pub(super) fn outcome_sentence(outcome: CacheOutcomeView, reason: Option<&str>) -> String {
    let sentence = match outcome {
        CacheOutcomeView::Hit => "Answered from the cache.",
        CacheOutcomeView::Joined => "The same was being asked, and its answer was shared.",
        CacheOutcomeView::Miss => "Nothing fitting was kept.",
        CacheOutcomeView::Bypass => match reason.and_then(|word| word.parse::<Bypass>().ok()) {
            Some(known) => bypass_label(known),
            None => "It was not asked.",
        },
    };
    sentence.to_owned()
}

/// Why the cache was not asked.
const fn bypass_label(why: Bypass) -> &'static str {
    match why {
        Bypass::Disabled => "The cache is switched off.",
        Bypass::Request => "The request asked to go past it.",
        Bypass::Client => "The client is set to go past it.",
        Bypass::Route => "The route is set to go past it.",
        Bypass::Sampled => "The answer may be another one each time.",
        Bypass::Tools => "Tools are offered, whose effects no replay has.",
        Bypass::State => "Something at the provider is used or changed.",
        Bypass::Surface => "Answers of this kind are never kept.",
    }
}
