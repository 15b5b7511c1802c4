//! A marked key for leak tests, and the search for its traces.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A marked secret: a test stores it as a key, exercises the program, then searches all output for
/// it.
pub const MARKED_KEY: &str = "sk-CANARY-7f3a9c51e2b84d06a1c9f05d";

/// Returns every file under `folder` whose bytes or name contain `mark`, plain or encoded (see
/// [`leak_encodings`]), sorted. Does not follow links.
pub fn search_tree(folder: &Path, mark: &str) -> io::Result<Vec<PathBuf>> {
    let needles = leak_encodings(mark);
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = entry.file_name();
            let named = contains_any(name.as_encoded_bytes(), &needles);
            if kind.is_dir() {
                folders.push(entry.path());
            }
            if named || (kind.is_file() && contains_any(&fs::read(entry.path())?, &needles)) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Returns `mark` in plain form and in the encodings in which it could leak: base64 in all three
/// alignments and both alphabets, hexadecimal, percent encoding of every byte, UTF-16.
#[must_use]
pub fn leak_encodings(mark: &str) -> Vec<Vec<u8>> {
    let bytes = mark.as_bytes();
    let per_byte = |write: fn(&u8) -> String| bytes.iter().map(write).collect::<String>();
    let mut encodings = vec![
        mark.to_owned(),
        per_byte(|byte| format!("{byte:02x}")),
        per_byte(|byte| format!("{byte:02X}")),
        per_byte(|byte| format!("%{byte:02x}")),
        per_byte(|byte| format!("%{byte:02X}")),
    ];
    for shift in 0..3 {
        let shifted = [vec![0; shift], bytes.to_vec()].concat();
        let text = STANDARD_NO_PAD.encode(&shifted);
        // The first and last characters also encode bits of the neighbouring bytes.
        let from = if shift == 0 { 0 } else { shift + 1 };
        let until = text.len() - usize::from(shifted.len() % 3 != 0);
        let core = text.get(from..until).unwrap_or_default();
        encodings.push(core.to_owned());
        encodings.push(core.replace('+', "-").replace('/', "_"));
    }
    let mut encodings: Vec<Vec<u8>> = encodings.into_iter().map(String::into_bytes).collect();
    encodings.push(mark.encode_utf16().flat_map(u16::to_le_bytes).collect());
    encodings.sort();
    encodings.dedup();
    encodings
}

fn contains_any(bytes: &[u8], needles: &[Vec<u8>]) -> bool {
    needles.iter().any(|needle| {
        !needle.is_empty() && bytes.windows(needle.len()).any(|window| window == needle)
    })
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE;

    use super::*;

    fn check(hidden: impl AsRef<[u8]>) {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("a/b");
        fs::create_dir_all(&deep).expect("folders");
        drop(fs::File::create(deep.join("clean")).expect("a file"));
        let mut file = fs::File::create(deep.join("leak")).expect("a file");
        io::Write::write_all(&mut file, hidden.as_ref()).expect("written");
        let found = search_tree(folder.path(), MARKED_KEY).expect("a search");
        assert_eq!(found, [deep.join("leak")], "{:?}", String::from_utf8_lossy(hidden.as_ref()));
    }

    #[test]
    fn every_encoding_is_found_in_every_alignment() {
        check(format!("Bearer {MARKED_KEY}\n"));
        for before in ["", "x", "xy", "xyz"] {
            let text = format!("{before}{MARKED_KEY}tail");
            check(STANDARD_NO_PAD.encode(&text));
            check(URL_SAFE.encode(format!("{before}{MARKED_KEY}")));
        }
        check(MARKED_KEY.bytes().map(|byte| format!("{byte:02X}")).collect::<String>());
        check(MARKED_KEY.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>());
        check(MARKED_KEY.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    }

    #[test]
    fn a_part_of_the_key_is_no_find_and_a_file_name_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = fs::File::create(folder.path().join("part")).expect("a file");
        io::Write::write_all(&mut file, &MARKED_KEY.as_bytes()[1..]).expect("written");
        assert_eq!(search_tree(folder.path(), MARKED_KEY).expect("a search").len(), 0);
        let named = folder.path().join(format!("{MARKED_KEY}.log"));
        drop(fs::File::create(&named).expect("a file"));
        assert_eq!(search_tree(folder.path(), MARKED_KEY).expect("a search"), [named]);
    }
}
