//! Reads the address of the shared cache's server, and checks the cache's sizes.

use toml_edit::Value;

use crate::finding::Findings;
use crate::model::CacheServerUrlError;
use crate::section_reader::SectionReader;
use crate::setting::{Setting, SettingKind, SettingType};
use crate::{CacheServerUrl, CacheSettings};

impl SettingType for CacheServerUrl {
    const KIND: SettingKind = SettingKind::Text;

    /// No message contains the address, which may hold a password.
    fn read(section: &SectionReader, setting: &Setting, findings: &mut Findings) -> Option<Self> {
        let error = match section.text(setting.name, findings)?.parse() {
            Ok(url) => return Some(url),
            Err(error) => error,
        };
        findings.hidden.extend(section.span_of(setting.name));
        let hint = match error {
            CacheServerUrlError::NoServer => {
                "write it like redis_url = \"rediss://cache.example.com:6379/0\""
            }
            CacheServerUrlError::Password => {
                "remove it; store a password with `gatehouse keys add` and name that key in \
                 redis_credential"
            }
        };
        section.report_error(setting.name, error.to_string(), hint, None, findings);
        None
    }

    fn write(&self) -> Option<Value> {
        Some(self.to_string().into())
    }
}

pub(super) fn check_cache(section: &SectionReader, cache: &CacheSettings, findings: &mut Findings) {
    if cache.entry_bytes_max > cache.memory_bytes_max {
        let what = "the largest cached response may not fit into the memory cache";
        let hint = "lower entry_bytes_max, or raise memory_bytes_max";
        section.report_warning("entry_bytes_max", what, hint, None, findings);
    }
    if cache.redis_url.as_ref().is_some_and(CacheServerUrl::is_exposed) {
        let what = "responses are sent to that server unencrypted";
        let hint = "use rediss:// if the server supports it";
        section.report_warning("redis_url", what, hint, None, findings);
    }
}
