//! Short JSON texts, packed for the file. A usage object of some 250 bytes is mostly names that every
//! answer repeats, so both sides know a dictionary of them, and about a fifth remains.
//!
//! A packed text is a byte with the version of the dictionary, the length of the text as a
//! little-endian `u32`, and an LZ4 block (<https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>).

use lz4_flex::block::{compress_prepend_size_with_dict, decompress_with_dict, uncompressed_size};
use rusqlite::Row;
use rusqlite::types::FromSqlError;

use crate::columns::text_columns::{DECISION_BYTES_MAX, USAGE_RAW_BYTES_MAX};

/// Usage objects and decisions as they are written today. Never edited, since stored texts refer
/// to it by position: a better one is a new version beside this one.
const DICTIONARY_1: &[u8] = include_bytes!("packed_text/dictionary_1.txt");
const VERSION_1: u8 = 1;

/// Longest text, which the columns' own limits keep.
const TEXT_BYTES_MAX: usize =
    if USAGE_RAW_BYTES_MAX > DECISION_BYTES_MAX { USAGE_RAW_BYTES_MAX } else { DECISION_BYTES_MAX };

pub(crate) fn pack(text: &str) -> Vec<u8> {
    let mut packed = compress_prepend_size_with_dict(text.as_bytes(), DICTIONARY_1);
    packed.insert(0, VERSION_1);
    packed
}

pub(crate) fn get_packed(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<String>> {
    let packed = row.get_ref(column)?.as_blob_or_null()?;
    Ok(packed.map(unpack).transpose()?)
}

/// # Errors
/// The bytes are damaged or were packed by a newer program.
pub(crate) fn unpack(packed: &[u8]) -> Result<String, FromSqlError> {
    let damaged = |why: &str| FromSqlError::Other(format!("a packed text {why}").into());
    let block = match packed.split_first() {
        Some((&VERSION_1, block)) => block,
        Some(_) => return Err(damaged("is of a newer program")),
        None => return Err(damaged("is empty")),
    };
    let (bytes, block) = uncompressed_size(block).map_err(|_| damaged("has no length"))?;
    if bytes > TEXT_BYTES_MAX {
        return Err(damaged("is too long"));
    }
    let text = decompress_with_dict(block, bytes, DICTIONARY_1);
    // A block that is cut between two of its sequences unpacks to a shorter text.
    let text = text.ok().filter(|text| text.len() == bytes).ok_or_else(|| damaged("is damaged"))?;
    String::from_utf8(text).map_err(|_| damaged("is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USAGE: &str = r#"{"prompt_tokens":2740,"completion_tokens":1180,"total_tokens":3920,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#;

    #[test]
    fn a_usual_usage_object_shrinks_to_a_quarter() {
        let packed = pack(USAGE);
        assert_eq!(unpack(&packed).as_deref(), Ok(USAGE));
        assert!(packed.len() * 4 <= USAGE.len(), "{} of {} bytes", packed.len(), USAGE.len());
    }

    #[test]
    fn damaged_and_newer_texts_are_errors() {
        let packed = pack(USAGE);
        let newer: Vec<u8> = [2].into_iter().chain(packed.iter().skip(1).copied()).collect();
        let long = [&[VERSION_1] as &[u8], &u32::MAX.to_le_bytes(), b"x"].concat();
        for bad in [&[] as &[u8], &[VERSION_1], &packed[..packed.len() / 2], &newer, &long] {
            assert!(unpack(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "\\PC{0,600}") {
            prop_assert_eq!(unpack(&pack(&text)), Ok(text));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _either = unpack(&bytes);
        }
    }
}
