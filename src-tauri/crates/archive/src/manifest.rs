//! What an archive says about itself: its first entry.

use domain::WallTime;
use serde::{Deserialize, Serialize};

use crate::ArchiveError;

/// Format that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// Largest manifest that is read, in bytes; a real one has less than 1,000.
pub(crate) const MANIFEST_BYTES_MAX: u64 = 65_536;

/// Largest ledger that is read, in bytes: some 300 million requests.
const LEDGER_BYTES_MAX: u64 = 137_438_953_472;

/// Largest settings that are read, in bytes: those of a settings file. They are read whole.
pub const SETTINGS_BYTES_MAX: u64 = 1_048_576;

pub(crate) const MANIFEST_NAME: &str = "manifest.json";

/// What every manifest names itself.
const KIND: &str = "gatehouse-backup";

domain::words! {
    /// A part of an archive, by its name in it.
    PartName {
        Settings = "settings.toml",
        Ledger = "ledger.sqlite",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    kind: String,
    pub format: u32,
    /// Version of the Gatehouse that wrote it.
    pub app_version: String,
    pub created: WallTime,
    /// Schema version of the ledger in it.
    pub ledger_schema: u32,
    /// Number of requests in the ledger in it.
    pub requests: u64,
    /// In the order in which they follow.
    pub parts: Vec<ArchivePart>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivePart {
    pub name: PartName,
    pub bytes: u64,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
}

/// What is read of any manifest first: a newer one may have anything beside it.
#[derive(Deserialize)]
struct ManifestHead {
    kind: String,
    format: u32,
}

impl PartName {
    /// The largest part of this name that is read, in bytes.
    #[must_use]
    pub const fn bytes_max(self) -> u64 {
        match self {
            Self::Settings => SETTINGS_BYTES_MAX,
            Self::Ledger => LEDGER_BYTES_MAX,
        }
    }
}

impl Manifest {
    /// A manifest without parts yet.
    #[must_use]
    pub fn new(app_version: &str, created: WallTime, ledger_schema: u32, requests: u64) -> Self {
        let (kind, app_version) = (KIND.to_owned(), app_version.to_owned());
        let parts = Vec::new();
        Self { kind, format: FORMAT, app_version, created, ledger_schema, requests, parts }
    }

    /// Size of the parts together, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).fold(0, u64::saturating_add)
    }

    pub(crate) fn parse(text: &[u8]) -> Result<Self, ArchiveError> {
        let head: ManifestHead = serde_json::from_slice(text)
            .map_err(|_| ArchiveError::Foreign("its manifest is another program's".to_owned()))?;
        if head.kind != KIND {
            return Err(ArchiveError::Foreign("its manifest is another program's".to_owned()));
        }
        if head.format > FORMAT {
            return Err(ArchiveError::Newer { found: head.format, known: FORMAT });
        }
        let manifest: Self = serde_json::from_slice(text)
            .map_err(|error| ArchiveError::Damaged(format!("its manifest: {error}")))?;
        manifest.check_parts()?;
        Ok(manifest)
    }

    fn check_parts(&self) -> Result<(), ArchiveError> {
        for name in PartName::ALL {
            let named = self.parts.iter().filter(|part| part.name == *name).count();
            if named != 1 {
                let what = format!("its manifest names {name} {named} times");
                return Err(ArchiveError::Damaged(what));
            }
        }
        match self.parts.iter().find(|part| part.bytes > part.name.bytes_max()) {
            Some(part) => {
                let what = format!("{} has {} bytes by its manifest", part.name, part.bytes);
                Err(ArchiveError::Damaged(what))
            }
            None => Ok(()),
        }
    }
}
