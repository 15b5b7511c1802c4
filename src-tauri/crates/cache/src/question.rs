//! Derives the cache key from everything that can change an answer.

use domain::ClientId;

use crate::Key;
use crate::address::FORMAT;

/// Owner of the answers: no client gets another client's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Namespace<'a> {
    pub client: &'a ClientId,
    /// The project named by the client. It divides a client's answers and never joins those of two
    /// clients, since anybody can name a project.
    pub project: Option<&'a str>,
}

/// Form of an answer. A stored answer is replayed unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivered {
    /// One body.
    Whole,
    /// Server-sent events.
    Stream,
    /// Server-sent events and a usage chunk, as the client asked.
    StreamWithUsage,
    /// A streamed JSON array.
    StreamArray,
    /// The vector of one input, from which new answers are built.
    Vector,
}

/// The parts of a cache key.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub namespace: Namespace<'a>,
    /// The API protocol, named as in the ledger.
    pub protocol: &'a str,
    pub delivered: Delivered,
    /// The model name that the client sent.
    pub model: &'a str,
    /// Changes when the definition of the matched route changes.
    pub route: u64,
    /// Digest of everything else in the body that can change the answer.
    pub digest: [u8; 32],
    /// Forwarded headers that can change the answer (versions, betas), in any order.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl Question<'_> {
    #[must_use]
    pub fn key(&self) -> Key {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&FORMAT.to_le_bytes());
        hasher.update(&self.digest);
        hasher.update(&self.route.to_le_bytes());
        hasher.update(&[match self.delivered {
            Delivered::Whole => 0,
            Delivered::Stream => 1,
            Delivered::StreamWithUsage => 2,
            Delivered::StreamArray => 3,
            Delivered::Vector => 4,
        }]);
        let project = self.namespace.project;
        hasher.update(&[u8::from(project.is_some())]);
        for text in
            [self.namespace.client.as_str(), project.unwrap_or(""), self.protocol, self.model]
        {
            part(&mut hasher, text.as_bytes());
        }
        let mut headers = self.headers.to_vec();
        headers.sort_unstable();
        for (name, value) in headers {
            part(&mut hasher, name.as_bytes());
            part(&mut hasher, value);
        }
        Key::new(hasher.finalize().into())
    }
}

/// Hashes the length first, so that parts cannot be confused.
fn part(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&bytes.len().to_le_bytes()).update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(name: &str) -> ClientId {
        ClientId::new(name).expect("a name")
    }

    #[test]
    fn every_part_of_a_question_splits_keys() {
        let (a, b) = (client("a"), client("ab"));
        let namespace = Namespace { client: &a, project: None };
        let asked = Question {
            namespace,
            protocol: "openai-chat",
            delivered: Delivered::Whole,
            model: "m",
            route: 1,
            digest: [7; 32],
            headers: &[],
        };
        let mut keys = vec![asked.key()];
        let others = [
            Question { namespace: Namespace { client: &b, ..namespace }, ..asked },
            Question { namespace: Namespace { project: Some(""), ..namespace }, ..asked },
            Question { namespace: Namespace { project: Some("x"), ..namespace }, ..asked },
            Question { protocol: "openai-responses", ..asked },
            Question { delivered: Delivered::Stream, ..asked },
            Question { delivered: Delivered::StreamWithUsage, ..asked },
            Question { delivered: Delivered::StreamArray, ..asked },
            Question { delivered: Delivered::Vector, ..asked },
            Question { model: "n", ..asked },
            Question { route: 2, ..asked },
            Question { digest: [8; 32], ..asked },
            Question { headers: &[("anthropic-version", b"2023-06-01")], ..asked },
            Question { headers: &[("anthropic-version", b"2026-10-21")], ..asked },
            // Shifted boundary between parts.
            Question { protocol: "openai-cha", model: "tm", ..asked },
        ];
        keys.extend(others.iter().map(Question::key));
        let unique: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(unique.len(), keys.len());
        assert_eq!(asked.key(), asked.key());
        let headers: [(&str, &[u8]); 2] = [("a", b"1"), ("b", b"2")];
        let turned = [headers[1], headers[0]];
        assert_eq!(
            Question { headers: &headers, ..asked }.key(),
            Question { headers: &turned, ..asked }.key()
        );
    }

    #[test]
    fn an_address_is_read_back_and_tells_nothing_of_its_key() {
        let key = Key::new([1; 32]);
        let address = key.address();
        assert_eq!(address.to_string().parse(), Ok(address));
        assert_ne!(address.bytes(), &[1; 32]);
        assert_ne!(address.bytes(), &key.seal());
        assert!("zz".parse::<crate::Address>().is_err());
        assert!(!format!("{key:?}").contains("0101"));
    }
}
