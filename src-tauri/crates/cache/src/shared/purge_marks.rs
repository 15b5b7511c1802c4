//! Purge marks on the server: one hash with the purge count and, per purged subject, the count at
//! its purge.
//!
//! An answer carries the count at its request ([`MarkTime`]) and is stale if a covering mark has
//! a higher one. A server may lose the hash by eviction or an empty restart; a new hash has another
//! epoch, and answers of other epochs are stale.

use std::collections::HashMap;

use domain::WallTime;

use crate::mark_time::MarkTime;
use crate::stored_entry::StoredEntry;
use crate::{EntryAddress, Purge};

/// Field with the epoch.
pub(super) const EPOCH: &str = "epoch";

/// Field with the purge count.
pub(super) const COUNT: &str = "count";

/// Prefix of the field of a purge by age; a time in milliseconds follows.
const OLDER: &str = "older:";

pub(super) struct PurgeMarks {
    time: MarkTime,
    fields: HashMap<String, String>,
}

impl PurgeMarks {
    /// Parses the hash; `None` if it has no epoch.
    pub(super) fn read(fields: &[(String, String)]) -> Option<Self> {
        let fields: HashMap<String, String> = fields.iter().cloned().collect();
        let number = |name| fields.get(name).and_then(|text| text.parse::<u64>().ok());
        let time = MarkTime { epoch: number(EPOCH)?, count: number(COUNT).unwrap_or(0) };
        Some(Self { time, fields })
    }

    pub(super) const fn time(&self) -> MarkTime {
        self.time
    }

    /// True if a mark covers the answer.
    pub(super) fn covers(&self, address: EntryAddress, kept: &StoredEntry) -> bool {
        let Some(mark) = kept.shared.filter(|mark| mark.epoch == self.time.epoch) else {
            return true;
        };
        let tags = &kept.tags;
        let covering = [
            Purge::All,
            Purge::Entry(address),
            Purge::Backend(tags.backend.clone()),
            Purge::Model(tags.model_asked.clone()),
            Purge::Model(tags.model.clone()),
            Purge::Client(tags.client.clone()),
            Purge::Route(tags.route.clone()),
        ];
        let is_after = |count: &String| count.parse().is_ok_and(|count: u64| count > mark.count);
        let is_covered = |purge| self.fields.get(&mark_field(purge)).is_some_and(is_after);
        covering.iter().any(is_covered)
            || self.fields.iter().any(|(field, count)| {
                let before = field.strip_prefix(OLDER).and_then(|ms| ms.parse::<i64>().ok());
                before.is_some_and(|before| kept.requested_at.unix_ms() < before) && is_after(count)
            })
    }
}

/// A new epoch, derived from the time and the first requested address so that it differs from
/// earlier ones.
pub(super) fn new_epoch(now: WallTime, address: EntryAddress) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&now.unix_ms().to_le_bytes()).update(address.bytes());
    let mut number = [0; 8];
    hasher.finalize_xof().fill(&mut number);
    u64::from_le_bytes(number)
}

/// True if the field marks one subject, so that it can be merged into the mark of everything.
pub(super) fn is_single_subject(field: &str) -> bool {
    field.contains(':')
}

/// The field of a purge; its value is the purge count.
pub(super) fn mark_field(purge: &Purge) -> String {
    match purge {
        Purge::All => "all".to_owned(),
        Purge::OlderThan(time) => format!("{OLDER}{}", time.unix_ms()),
        Purge::Entry(address) => format!("entry:{address}"),
        Purge::Backend(backend) => format!("backend:{backend}"),
        Purge::Model(model) => format!("model:{model}"),
        Purge::Client(client) => format!("client:{client}"),
        Purge::Route(route) => format!("route:{route}"),
    }
}
