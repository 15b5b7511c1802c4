//! The day of the price list: that of the bundled one, or a later one on which a list of the user's
//! was compared with the prices in use. Kept over restarts in a file of the state folder.

use std::path::PathBuf;

use domain::WallTime;
use private_files::write_atomic;

/// Longest file that is read, in bytes; a number takes less.
const FILE_BYTES_MAX: u64 = 64;

pub(crate) struct PriceListDate {
    pub(crate) file: PathBuf,
}

impl PriceListDate {
    /// The date of the list in use. What cannot be read is not known, and the bundled list counts.
    pub(crate) fn read(&self) -> WallTime {
        let is_ours = self.file.metadata().is_ok_and(|found| found.len() <= FILE_BYTES_MAX);
        let text = is_ours.then(|| std::fs::read_to_string(&self.file).ok()).flatten();
        let compared = text.and_then(|text| text.trim().parse().ok()).map(WallTime::from_unix_ms);
        pricing::bundled_as_of().max(compared.unwrap_or(WallTime::from_unix_ms(0)))
    }

    /// Notes that a list was compared at this time and differs in nothing any more. A note that
    /// cannot be written costs the date alone.
    pub(crate) fn note(&self, at: WallTime) {
        if let Err(error) = write_atomic(&self.file, at.unix_ms().to_string().as_bytes()) {
            tracing::warn!(%error, "the date of the price list could not be noted");
        }
    }

    /// Forgets the note, since a change of prices was taken back.
    pub(crate) fn forget(&self) {
        if self.file.exists()
            && let Err(error) = std::fs::remove_file(&self.file)
        {
            tracing::warn!(%error, "the date of the price list could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_comparison_counts_until_it_is_forgotten_and_no_other_text_does() {
        let home = tempfile::tempdir().expect("a folder");
        let date = PriceListDate { file: home.path().join("list") };
        let bundled = pricing::bundled_as_of();
        assert_eq!(date.read(), bundled);
        let later = bundled.plus_ms(1);
        date.note(later);
        assert_eq!(date.read(), later);
        date.forget();
        date.forget();
        assert_eq!(date.read(), bundled);
        date.note(WallTime::from_unix_ms(1));
        assert_eq!(date.read(), bundled, "the bundled list is newer");
        for text in ["soon".to_owned(), format!("{}{}", " ".repeat(64), later.unix_ms())] {
            write_atomic(&date.file, text.as_bytes()).expect("written");
            assert_eq!(date.read(), bundled);
        }
    }
}
