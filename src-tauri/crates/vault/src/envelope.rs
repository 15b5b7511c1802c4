//! The stored form of a secret: versioned JSON on one line, with the origin beside the key.
//!
//! One line, because gnome-keyring 50 was reported to corrupt a secret with a raw line break
//! (omacom/omarchy#5105); valid UTF-8, because KWallet accepts nothing else; bytes rather than
//! text, because Windows stores text as UTF-16, which halves the capacity. This is the only file of
//! the crate that looks inside a secret.

use domain::{BoundSecret, Origin, Secret, TokenExchange};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::limits::ENVELOPE_BYTES_MAX;
use crate::{Damage, VaultError};

/// The version of a key that requests carry.
const VERSION_PLAIN: u32 = 1;
/// The version of a secret that is exchanged for access tokens. A program from before these must
/// refuse it: read as a plain key, a refresh token would be sent with requests.
const VERSION_EXCHANGED: u32 = 2;

/// A stored item. Zeroed when dropped.
pub(crate) type Envelope = Zeroizing<Vec<u8>>;

/// Capacity for the largest possible envelope (two secrets, every character escaped), so that the
/// buffer is never reallocated, which would leave a copy behind.
const BUFFER_BYTES: usize = 4 * domain::SECRET_BYTES_MAX + 2_048;

/// Encodes the envelope. Fails if it exceeds [`ENVELOPE_BYTES_MAX`].
pub(crate) fn encode(bound: &BoundSecret) -> Result<Envelope, VaultError> {
    let (secret, origin) = bound.parts();
    let exchange = bound.exchange().map(|exchange| ExchangeBody {
        endpoint: exchange.endpoint.to_string(),
        client_secret: exchange.client_secret.as_ref().map(Secret::expose),
    });
    let line = EnvelopeBody {
        v: if exchange.is_some() { VERSION_EXCHANGED } else { VERSION_PLAIN },
        secret: secret.expose(),
        origin: origin.map(Origin::to_string),
        exchange,
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(BUFFER_BYTES));
    serde_json::to_writer(&mut *bytes, &line).map_err(|_| VaultError::Damaged(Damage::Item))?;
    if bytes.len() > ENVELOPE_BYTES_MAX {
        return Err(VaultError::TooLarge { bytes: bytes.len() });
    }
    Ok(bytes)
}

/// Decodes an envelope. The parser's error is dropped because it may quote the secret.
pub(crate) fn decode(bytes: &[u8]) -> Result<BoundSecret, VaultError> {
    let damaged = |damage| VaultError::Damaged(damage);
    let version: EnvelopeVersion =
        serde_json::from_slice(bytes).map_err(|_| damaged(Damage::Item))?;
    if version.v > VERSION_EXCHANGED {
        return Err(damaged(Damage::Newer));
    }
    let read: ParsedEnvelope = serde_json::from_slice(bytes).map_err(|_| damaged(Damage::Item))?;
    let origin = |text: String| text.parse::<Origin>().map_err(|_| damaged(Damage::Item));
    let bound_to = read.origin.map(origin).transpose()?;
    match (version.v, read.exchange) {
        (VERSION_PLAIN, None) => Ok(BoundSecret::new(read.secret, bound_to)),
        (VERSION_EXCHANGED, Some(ParsedExchange { endpoint, client_secret })) => {
            let exchange = TokenExchange { endpoint: origin(endpoint)?, client_secret };
            Ok(BoundSecret::exchanged(read.secret, bound_to, exchange))
        }
        _ => Err(damaged(Damage::Item)),
    }
}

#[derive(Serialize)]
struct EnvelopeBody<'a> {
    v: u32,
    secret: &'a str,
    origin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<ExchangeBody<'a>>,
}

#[derive(Serialize)]
struct ExchangeBody<'a> {
    endpoint: String,
    client_secret: Option<&'a str>,
}

#[derive(Deserialize)]
struct EnvelopeVersion {
    v: u32,
}

#[derive(Deserialize)]
struct ParsedEnvelope {
    secret: Secret,
    origin: Option<String>,
    exchange: Option<ParsedExchange>,
}

#[derive(Deserialize)]
struct ParsedExchange {
    endpoint: String,
    client_secret: Option<Secret>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(key: &str, origin: Option<&str>) -> BoundSecret {
        let secret = Secret::parse(key.to_owned()).expect("a good secret");
        BoundSecret::new(secret, origin.map(|text| text.parse().expect("an origin")))
    }

    /// A secret whose envelope has exactly `bytes` bytes: quotes count twice.
    fn filling(bytes: usize) -> BoundSecret {
        let rest = bytes - r#"{"v":1,"secret":"","origin":null}"#.len();
        let quotes = rest.saturating_sub(domain::SECRET_BYTES_MAX);
        bound(&format!("{}{}", "\"".repeat(quotes), "k".repeat(rest - 2 * quotes)), None)
    }

    #[test]
    fn it_is_one_line_with_the_origin_beside_the_key() {
        let sealed =
            encode(&bound(r#"sk-"quoted"\"#, Some("https://api.openai.com/v1"))).expect("small");
        assert_eq!(
            std::str::from_utf8(&sealed).expect("UTF-8"),
            r#"{"v":1,"secret":"sk-\"quoted\"\\","origin":"https://api.openai.com:443"}"#
        );
        let unbound = encode(&bound("sk-1", None)).expect("small");
        assert_eq!(&**unbound, br#"{"v":1,"secret":"sk-1","origin":null}"#);
    }

    #[test]
    fn a_refresh_token_keeps_its_endpoint_and_is_of_a_version_that_older_programs_refuse() {
        let secret = |text: &str| Secret::parse(text.to_owned()).expect("a good secret");
        let endpoint = "https://login.example.com".parse().expect("an origin");
        let exchange = TokenExchange { endpoint, client_secret: Some(secret("client-1")) };
        let api = "https://api.example.com".parse().expect("an origin");
        let bound = BoundSecret::exchanged(secret("refresh-1"), Some(api), exchange);
        let sealed = encode(&bound).expect("small");
        assert_eq!(
            std::str::from_utf8(&sealed).expect("UTF-8"),
            r#"{"v":2,"secret":"refresh-1","origin":"https://api.example.com:443","exchange":{"endpoint":"https://login.example.com:443","client_secret":"client-1"}}"#
        );
        assert_eq!(decode(&sealed).expect("reads"), bound);
    }

    #[test]
    fn s5_every_size_comes_back_equal_or_is_refused() {
        for length in [1, 2, 255, 1_280, 1_281, 2_047, domain::SECRET_BYTES_MAX] {
            let secret = bound(&"k".repeat(length), Some("https://api.example.com"));
            assert_eq!(decode(&encode(&secret).expect("fits")).expect("reads"), secret, "{length}");
        }
        for length in [2_559, 2_560, 2_561, 8_192, 8_193, 65_536] {
            assert!(Secret::parse("k".repeat(length)).is_err(), "{length} got past the domain");
        }
        for bytes in [ENVELOPE_BYTES_MAX - 1, ENVELOPE_BYTES_MAX] {
            let sealed = encode(&filling(bytes)).expect("fits");
            assert_eq!(sealed.len(), bytes);
            assert_eq!(decode(&sealed).expect("reads"), filling(bytes));
        }
        let refused = encode(&filling(ENVELOPE_BYTES_MAX + 1)).expect_err("one too many");
        assert!(matches!(refused, VaultError::TooLarge { bytes: 2_561 }), "{refused:?}");
    }

    #[test]
    fn s6_the_limit_counts_bytes_and_1281_ascii_characters_fit() {
        let sealed = encode(&bound(&"k".repeat(1_281), None)).expect("would not fit as UTF-16");
        assert!(sealed.len() > 1_281 && sealed.len() * 2 > ENVELOPE_BYTES_MAX);
        assert!(Secret::parse("𝕜".repeat(640)).is_err(), "astral characters never get this far");
    }

    #[test]
    fn the_buffer_never_moves_even_when_every_character_is_escaped() {
        let refused = encode(&bound(&"\"".repeat(domain::SECRET_BYTES_MAX), None));
        let Err(VaultError::TooLarge { bytes }) = refused else { panic!("{refused:?}") };
        assert!(bytes < BUFFER_BYTES);
    }

    #[test]
    fn what_is_not_an_envelope_is_damaged_and_the_error_does_not_quote_it() {
        for text in [
            "",
            "sk-RAWKEY",
            r#""sk-RAWKEY""#,
            r#"{"v":1}"#,
            r#"{"v":1,"secret":"sk RAWKEY","origin":null}"#,
            r#"{"v":1,"secret":"sk-RAWKEY","origin":"nowhere"}"#,
            r#"{"v":"sk-RAWKEY"}"#,
            r#"{"v":2,"secret":"sk-RAWKEY","origin":null}"#,
            r#"{"v":2,"secret":"sk-RAWKEY","origin":null,"exchange":{"endpoint":"nowhere"}}"#,
            r#"{"v":1,"secret":"sk-RAWKEY","origin":null,"exchange":{"endpoint":"https://a.test"}}"#,
        ] {
            let error = decode(text.as_bytes()).expect_err("damaged");
            assert!(matches!(error, VaultError::Damaged(Damage::Item)), "{text}: {error:?}");
            assert!(!format!("{error:?} {error}").contains("RAWKEY"), "{error:?}");
        }
        let newer = decode(br#"{"v":3,"sealed":"sk-RAWKEY"}"#).expect_err("newer");
        assert!(matches!(newer, VaultError::Damaged(Damage::Newer)), "{newer:?}");
    }
}
