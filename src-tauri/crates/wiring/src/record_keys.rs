//! The keys that records are sealed with. They lie in the vault, so that no file of ours holds in plain
//! text what wiring took out of a user's file, and the undo is still exact.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::Secret;

const CONTEXT: &str = "gatehouse wiring record";

/// Why the keys of records cannot be read or kept, and what to do, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RecordKeysError(pub String);

/// The keys that records are sealed with, each under the name of its record. The calls may wait.
pub trait RecordKeys: Send + Sync {
    /// None if there is no such key.
    fn find(&self, record: &str) -> Result<Option<Secret>, RecordKeysError>;

    /// The first key of this name for which `opens` is true, in places that are not in use now. A record
    /// may have been sealed there: no key moves where the place is changed by hand, or by a process that
    /// was killed. The error says which place was not searched, if none of the others has the key.
    fn find_elsewhere(
        &self,
        record: &str,
        opens: &dyn Fn(&Secret) -> bool,
    ) -> Result<Option<Secret>, RecordKeysError>;

    /// Keeps a new key, which a later process finds.
    fn create(&self, record: &str) -> Result<Secret, RecordKeysError>;

    /// Called once the record is gone. A key that stays opens nothing.
    fn remove(&self, record: &str);
}

/// `record` is the name of the record, which cannot be exchanged for another.
pub(crate) fn seal(key: &Secret, record: &str, plain: &[u8]) -> Option<String> {
    let sealed = sealing::seal(&key.derived_key(CONTEXT), record.as_bytes(), plain)?;
    Some(BASE64.encode(sealed))
}

/// None if it was sealed with another key or for another record, or is damaged.
pub(crate) fn unseal(key: &Secret, record: &str, sealed: &str) -> Option<Vec<u8>> {
    let sealed = BASE64.decode(sealed).ok()?;
    sealing::unseal(&key.derived_key(CONTEXT), record.as_bytes(), &sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sealed by an earlier version; such records lie on users' disks.
    #[test]
    fn what_was_sealed_before_is_opened_and_sealed_alike() {
        let sealed = "fqt1r6c+hSkuphe82y+ZuEcWCYUVXlFYapY6PeHV9ZJHsuy115aqimvUX+dPIA==";
        let key = Secret::parse("one".to_owned()).expect("a secret");
        assert_eq!(unseal(&key, "codex", sealed).as_deref(), Some(&b"CANARY"[..]));
        assert_eq!(seal(&key, "codex", b"CANARY").as_deref(), Some(sealed));
    }

    #[test]
    fn it_opens_with_its_key_for_its_record_alone() {
        let secret = |text: &str| Secret::parse(text.to_owned()).expect("a secret");
        let sealed = seal(&secret("one"), "codex", b"CANARY").expect("sealed");
        assert_eq!(unseal(&secret("one"), "codex", &sealed).as_deref(), Some(&b"CANARY"[..]));
        assert_eq!(unseal(&secret("two"), "codex", &sealed), None);
        assert_eq!(unseal(&secret("one"), "zed", &sealed), None);
        for damaged in ["", "AAAA", "no base64", &sealed[4..]] {
            assert_eq!(unseal(&secret("one"), "codex", damaged), None);
        }
        assert!(!sealed.contains("CANARY"));
    }
}
