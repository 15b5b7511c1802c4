//! Derives the cache key from everything that can change an answer.

use domain::ClientId;

use crate::CacheKey;
use crate::address::FORMAT;

/// Owner of the answers: nobody gets another owner's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheNamespace<'a> {
    Client {
        client: &'a ClientId,
        /// The project named by the client. It divides a client's answers and never joins those of two
        /// clients, since anybody can name a project.
        project: Option<&'a str>,
    },
    /// Shared by the clients whose tokens the user bound to one project, and that may use the same.
    Project {
        project: &'a str,
        /// Digest of what the client may use.
        scope: [u8; 32],
    },
}

/// Form of an answer. A stored answer is replayed unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerForm {
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

#[derive(Debug, Clone, Copy)]
pub struct CacheKeyInputs<'a> {
    pub namespace: CacheNamespace<'a>,
    /// The API protocol, named as in the ledger.
    pub protocol: &'a str,
    pub delivered: AnswerForm,
    /// The model name that the client sent.
    pub model: &'a str,
    /// Changes when the definition of the matched route changes.
    pub route: u64,
    /// Digest of everything else in the body that can change the answer.
    pub digest: [u8; 32],
    /// Forwarded headers that can change the answer (versions, betas), in any order.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl CacheKeyInputs<'_> {
    #[must_use]
    pub fn key(&self) -> CacheKey {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&FORMAT.to_le_bytes());
        hasher.update(&self.digest);
        hasher.update(&self.route.to_le_bytes());
        hasher.update(&[match self.delivered {
            AnswerForm::Whole => 0,
            AnswerForm::Stream => 1,
            AnswerForm::StreamWithUsage => 2,
            AnswerForm::StreamArray => 3,
            AnswerForm::Vector => 4,
        }]);
        let (kind, client, project) = match self.namespace {
            CacheNamespace::Client { client, project } => {
                (u8::from(project.is_some()), client.as_str().as_bytes(), project.unwrap_or(""))
            }
            CacheNamespace::Project { project, ref scope } => (2, &scope[..], project),
        };
        hasher.update(&[kind]);
        for part in [client, project.as_bytes(), self.protocol.as_bytes(), self.model.as_bytes()] {
            hash_part(&mut hasher, part);
        }
        let mut headers = self.headers.to_vec();
        headers.sort_unstable();
        for (name, value) in headers {
            hash_part(&mut hasher, name.as_bytes());
            hash_part(&mut hasher, value);
        }
        CacheKey::new(hasher.finalize().into())
    }
}

/// Hashes the length first, so that parts cannot be confused.
fn hash_part(hasher: &mut blake3::Hasher, bytes: &[u8]) {
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
        let of = |client, project| CacheNamespace::Client { client, project };
        let shared = |project, scope| CacheNamespace::Project { project, scope: [scope; 32] };
        let namespace = of(&a, None);
        let inputs = CacheKeyInputs {
            namespace,
            protocol: "openai-chat",
            delivered: AnswerForm::Whole,
            model: "m",
            route: 1,
            digest: [7; 32],
            headers: &[],
        };
        let mut keys = vec![inputs.key()];
        let others = [
            CacheKeyInputs { namespace: of(&b, None), ..inputs },
            CacheKeyInputs { namespace: of(&a, Some("")), ..inputs },
            CacheKeyInputs { namespace: of(&a, Some("x")), ..inputs },
            CacheKeyInputs { namespace: shared("x", 0), ..inputs },
            CacheKeyInputs { namespace: shared("y", 0), ..inputs },
            CacheKeyInputs { namespace: shared("x", 1), ..inputs },
            CacheKeyInputs { protocol: "openai-responses", ..inputs },
            CacheKeyInputs { delivered: AnswerForm::Stream, ..inputs },
            CacheKeyInputs { delivered: AnswerForm::StreamWithUsage, ..inputs },
            CacheKeyInputs { delivered: AnswerForm::StreamArray, ..inputs },
            CacheKeyInputs { delivered: AnswerForm::Vector, ..inputs },
            CacheKeyInputs { model: "n", ..inputs },
            CacheKeyInputs { route: 2, ..inputs },
            CacheKeyInputs { digest: [8; 32], ..inputs },
            CacheKeyInputs { headers: &[("anthropic-version", b"2023-06-01")], ..inputs },
            CacheKeyInputs { headers: &[("anthropic-version", b"2026-10-21")], ..inputs },
            // Shifted boundary between parts.
            CacheKeyInputs { protocol: "openai-cha", model: "tm", ..inputs },
        ];
        keys.extend(others.iter().map(CacheKeyInputs::key));
        let unique: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(unique.len(), keys.len());
        assert_eq!(inputs.key(), inputs.key());
        let headers: [(&str, &[u8]); 2] = [("a", b"1"), ("b", b"2")];
        let turned = [headers[1], headers[0]];
        assert_eq!(
            CacheKeyInputs { headers: &headers, ..inputs }.key(),
            CacheKeyInputs { headers: &turned, ..inputs }.key()
        );
    }

    #[test]
    fn an_address_is_read_back_and_tells_nothing_of_its_key() {
        let key = CacheKey::new([1; 32]);
        let address = key.address();
        assert_eq!(address.to_string().parse(), Ok(address));
        assert_ne!(address.bytes(), &[1; 32]);
        assert_ne!(address.bytes(), &key.sealing_secret());
        assert!("zz".parse::<crate::EntryAddress>().is_err());
        assert!(!format!("{key:?}").contains("0101"));
    }
}
