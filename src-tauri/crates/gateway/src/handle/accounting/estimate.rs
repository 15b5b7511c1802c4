//! Estimates the tokens of a request whose backend reports none. An estimate is flagged as one and is
//! never zero.

use bytes::Bytes;
use domain::Meter;
use tokens::TokenEstimator;
use wire::{AnswerFacts, UsageReading, UsageReport};

/// Longest string without white space that counts as text, in bytes. Longer ones are images and other
/// base64, whose tokens do not depend on their length.
const UNBROKEN_BYTES_MAX: usize = 2_048;

/// Tokens of an image of full size: Anthropic counts a token for 750 pixels after scaling to at most
/// 1.15 megapixels (<https://docs.claude.com/en/docs/build-with-claude/vision>); others count fewer.
const IMAGE_TOKENS_MAX: u64 = 1_600;

/// Bytes of text per token where only the number of bytes is known: between English prose (4.5) and
/// code (3.3) in the table of the crate `tokens`.
pub(crate) const BYTES_PER_TOKEN: u64 = 4;

/// The reported usage, or an estimate of the tokens if an answer arrived without one. What else the
/// answer says of its bill is part of both.
pub(crate) fn usage(facts: &AnswerFacts, request_body: &Bytes) -> Option<UsageReport> {
    if facts.usage.is_some() || facts.content_bytes == 0 {
        return facts.usage.clone();
    }
    let mut usage = facts.billed_beside.clone();
    usage.quantities.count(Meter::Input, input_tokens(request_body).max(1));
    usage.quantities.count(Meter::Output, facts.content_bytes.div_ceil(BYTES_PER_TOKEN));
    Some(UsageReport { usage, reading: UsageReading::Estimated, raw: None })
}

/// As [`usage`], for an answer that broke off. A count reported by then may date from its beginning
/// (Anthropic reports one output token in `message_start`), so the output is at least the estimate for
/// the content that arrived. Calls of the provider's tools are counted as they were seen to begin, since
/// usage tells them last.
pub(crate) fn partial_usage(facts: &AnswerFacts, request_body: &Bytes) -> Option<UsageReport> {
    let mut report = usage(facts, request_body)?;
    let arrived = facts.content_bytes.div_ceil(BYTES_PER_TOKEN);
    if facts.finish_reason.is_some() {
        return Some(report);
    }
    let missing = arrived.saturating_sub(report.tokens().output());
    let seen = facts.billed_beside.quantities.without(&report.usage.quantities);
    let unseen: Vec<_> = std::iter::once((Meter::Output, missing)).chain(seen.iter()).collect();
    for (meter, count) in unseen.into_iter().filter(|(_, count)| *count > 0) {
        report.usage.quantities.count(meter, count);
        report.reading = UsageReading::Estimated;
    }
    if report.usage.unread.is_none() {
        report.usage.unread.clone_from(&facts.billed_beside.unread);
    }
    Some(report)
}

/// Estimates the tokens of a body of this length.
pub(crate) fn tokens_of_bytes(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX) / BYTES_PER_TOKEN
}

/// Estimates the tokens of all texts in a request's body.
pub(crate) fn input_tokens(body: &[u8]) -> u64 {
    Contents::of(body).texts.tokens()
}

/// As [`input_tokens`], with as much for each image as the dearest vendor counts.
pub(crate) fn input_with_images(body: &[u8]) -> u64 {
    let Contents { texts, images } = Contents::of(body);
    texts.tokens().saturating_add(images.max(1).saturating_mul(IMAGE_TOKENS_MAX))
}

/// What a request's body holds.
#[derive(Default)]
struct Contents {
    texts: TokenEstimator,
    /// Strings that are no text. An image that is only linked is not among them.
    images: u64,
}

impl Contents {
    fn of(body: &[u8]) -> Self {
        let mut contents = Self::default();
        if let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) {
            contents.add(&value);
        }
        contents
    }

    /// Recursion is bounded: parsing limits the depth of a body.
    fn add(&mut self, value: &serde_json::Value) {
        match value {
            serde_json::Value::String(text) if is_text(text) => self.texts.push(text),
            serde_json::Value::String(_) => self.images += 1,
            serde_json::Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            serde_json::Value::Object(members) => {
                if members.contains_key("role") {
                    self.texts.begin_message();
                }
                members.values().for_each(|member| self.add(member));
            }
            _ => {}
        }
    }
}

fn is_text(text: &str) -> bool {
    text.len() <= UNBROKEN_BYTES_MAX || text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use domain::{PriceTier, TokenUsage, Usage};

    use super::*;

    #[test]
    fn f47_missing_usage_is_estimated_and_never_zero() {
        let request_body =
            Bytes::from_static(br#"{"model":"m","messages":[{"role":"user","content":""}]}"#);
        let facts = AnswerFacts { content_bytes: 1, ..AnswerFacts::default() };
        let estimate = usage(&facts, &request_body).expect("an estimate");
        assert_eq!(estimate.reading, UsageReading::Estimated);
        assert!(estimate.tokens().input() > 0 && estimate.tokens().output() > 0);
        assert_eq!(
            usage(&AnswerFacts::default(), &request_body),
            None,
            "nothing came, nothing is billed"
        );
        let said = AnswerFacts { usage: Some(estimate.clone()), content_bytes: 9, ..facts };
        assert_eq!(usage(&said, &request_body), Some(estimate));
    }

    #[test]
    fn an_estimate_has_the_tier_and_the_tools_of_its_answer() {
        let searched = [(Meter::WebSearch, 2)].into_iter().collect();
        let billed_beside =
            Usage { tier: PriceTier::Flex, quantities: searched, ..Usage::default() };
        let facts = AnswerFacts { content_bytes: 8, billed_beside, ..AnswerFacts::default() };
        let usage = usage(&facts, &Bytes::new()).expect("an estimate").usage;
        let counts: Vec<_> = usage.quantities.iter().collect();
        assert_eq!(counts, [(Meter::Input, 1), (Meter::Output, 2), (Meter::WebSearch, 2)]);
        assert_eq!(usage.tier, PriceTier::Flex);
    }

    #[test]
    fn f8_what_came_of_a_broken_answer_is_counted_at_least() {
        let tokens = |output| TokenUsage {
            input_uncached: 7,
            output_visible: output,
            ..TokenUsage::default()
        };
        let facts = |output, finish_reason: Option<&str>| AnswerFacts {
            usage: Some(UsageReport::of_text(tokens(output), UsageReading::AsReported)),
            content_bytes: 41,
            finish_reason: finish_reason.map(str::to_owned),
            ..AnswerFacts::default()
        };
        let read = |facts| {
            let report = partial_usage(&facts, &Bytes::new()).expect("counted");
            (report.tokens(), report.reading)
        };
        assert_eq!(read(facts(1, None)), (tokens(11), UsageReading::Estimated));
        assert_eq!(read(facts(11, None)), (tokens(11), UsageReading::AsReported));
        assert_eq!(read(facts(1, Some("stop"))), (tokens(1), UsageReading::AsReported));
    }

    #[test]
    fn tools_that_began_before_an_answer_broke_off_are_counted_once() {
        let reported = [(Meter::Input, 7), (Meter::Output, 9), (Meter::WebSearch, 1)];
        let seen = |count, unread: Option<&str>| Usage {
            quantities: [(Meter::WebSearch, count)].into_iter().collect(),
            unread: unread.map(str::to_owned),
            ..Usage::default()
        };
        let read = |billed_beside, finish_reason: Option<&str>| {
            let usage = Usage { quantities: reported.into_iter().collect(), ..Usage::default() };
            let facts = AnswerFacts {
                usage: Some(UsageReport { usage, reading: UsageReading::AsReported, raw: None }),
                content_bytes: 8,
                billed_beside,
                finish_reason: finish_reason.map(str::to_owned),
                ..AnswerFacts::default()
            };
            let report = partial_usage(&facts, &Bytes::new()).expect("counted");
            let searches = report.usage.quantities.get(Meter::WebSearch);
            (searches, report.usage.unread, report.reading)
        };
        let estimated = UsageReading::Estimated;
        assert_eq!(read(seen(3, None), None), (3, None, estimated));
        assert_eq!(read(seen(1, None), None), (1, None, UsageReading::AsReported));
        assert_eq!(read(seen(3, None), Some("stop")), (1, None, UsageReading::AsReported));
        let (_, unread, _) = read(seen(0, Some("server_tool_use: x")), None);
        assert_eq!(unread.as_deref(), Some("server_tool_use: x"));
    }

    #[test]
    fn images_are_not_counted_as_text() {
        let with = |content: &str| {
            let body = serde_json::json!({"messages": [{"role": "user", "content": content}]});
            input_tokens(body.to_string().as_bytes())
        };
        assert!(with(&"QUJD".repeat(UNBROKEN_BYTES_MAX)) < 10);
        assert!(with(&"some words ".repeat(UNBROKEN_BYTES_MAX)) > 2_000);
        assert_eq!(input_tokens(b"not json"), 0);
    }
}
