//! Thought signatures in `thoughtSignature`.
//!
//! The field is base64, and Google's SDKs decode it. The neutral form marks another provider's
//! signature with its origin; here that is encoded in base64 once more. The mark identifies it when
//! the client sends it back, in either base64 alphabet. Encrypted thinking has no text to tell it
//! apart, so it has a mark of its own.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::Dialect;

use crate::neutral::{ContentPart, ThoughtSignature};

/// Google's placeholder for a call whose signature is unknown because another model made it. Google
/// skips the check (<https://ai.google.dev/gemini-api/docs/thought-signatures>, questions and
/// answers).
pub(super) const PLACEHOLDER_SIGNATURE: &str = "skip_thought_signature_validator";

/// Prefix of another provider's encrypted thinking.
const FOREIGN_REDACTED_PREFIX: &str = "gh1r.";

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Encodes a thought signature for a Gemini client.
pub(super) fn encode_for_client(signature: &ThoughtSignature) -> String {
    let text = signature.encode_for_client(Dialect::Gemini);
    if signature.origin == Dialect::Gemini { text } else { BASE64.encode(text) }
}

/// Encodes encrypted thinking for a Gemini client.
pub(super) fn encode_redacted_for_client(signature: &ThoughtSignature) -> String {
    let text = signature.encode_for_client(Dialect::Gemini);
    let rest = text.strip_prefix(ThoughtSignature::FOREIGN_PREFIX).unwrap_or(&text);
    BASE64.encode(format!("{FOREIGN_REDACTED_PREFIX}{rest}"))
}

/// Decodes what a client sent back: thinking of `text`, or encrypted thinking.
pub(super) fn from_client(given: &str, text: String) -> ContentPart {
    let plain = decode_foreign(given);
    if let Some(rest) =
        plain.as_deref().and_then(|plain| plain.strip_prefix(FOREIGN_REDACTED_PREFIX))
    {
        let text = format!("{}{rest}", ThoughtSignature::FOREIGN_PREFIX);
        let signature = ThoughtSignature::from_client(&text, Dialect::Gemini);
        return ContentPart::RedactedThinking(signature);
    }
    let signature =
        ThoughtSignature::from_client(plain.as_deref().unwrap_or(given), Dialect::Gemini);
    ContentPart::Thinking { text, signature: Some(signature) }
}

/// Decodes the base64 of another provider's signature; `None` for any other.
fn decode_foreign(given: &str) -> Option<String> {
    let standard: String = given
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    let plain = String::from_utf8(BASE64.decode(standard).ok()?).ok()?;
    plain.starts_with("gh1").then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_10_signatures_of_others_come_back_as_theirs() {
        for (origin, data) in
            [(Dialect::AnthropicMessages, "Er+/sig?~ö"), (Dialect::OpenAiResponses, "gAAA_-=")]
        {
            let signature = ThoughtSignature { origin, data: data.to_owned() };
            let shown = encode_for_client(&signature);
            assert!(BASE64.decode(&shown).is_ok(), "SDKs decode it");
            for spelling in [shown.clone(), shown.replace('+', "-").replace('/', "_")] {
                let back = from_client(&spelling, "t".to_owned());
                let expected = Some(signature.clone());
                assert_eq!(
                    back,
                    ContentPart::Thinking { text: "t".to_owned(), signature: expected }
                );
            }
            let back = from_client(&encode_redacted_for_client(&signature), String::new());
            assert_eq!(back, ContentPart::RedactedThinking(signature));
        }
    }

    #[test]
    fn own_signatures_stay_byte_identical() {
        let signature =
            ThoughtSignature { origin: Dialect::Gemini, data: "CiQB0e+/7Q==".to_owned() };
        assert_eq!(encode_for_client(&signature), "CiQB0e+/7Q==");
        let back = from_client("CiQB0e+/7Q==", String::new());
        assert_eq!(back, ContentPart::Thinking { text: String::new(), signature: Some(signature) });
    }
}
