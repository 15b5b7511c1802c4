//! Finds rows page by page without their b-trees: a damaged page near a root hides all rows below
//! it, although they still exist. See SQLite's file format, sections 1.6 and 2.1.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::types::Value;

const PAGE_BYTES: usize = 4_096;
/// Length of the file header, which precedes the header of the first page.
const FILE_HEADER_BYTES: usize = 100;
/// First byte of index b-tree pages, which also store tables without row ids. Interior pages hold
/// rows too.
const INDEX_LEAF: u8 = 0x0a;
const INDEX_INTERIOR: u8 = 0x02;
/// Longest plausible row in bytes; ours have some kilobytes.
const ROW_BYTES_MAX: usize = 1 << 20;
/// Most plausible columns; ours have some fifty.
const COLUMNS_MAX: usize = 128;

/// Bytes of a row stored in its leaf: a row up to the maximum is stored whole, a longer one keeps
/// at least the minimum.
const LOCAL_MAX: usize = (PAGE_BYTES - 12) * 64 / 255 - 23;
const LOCAL_MIN: usize = (PAGE_BYTES - 12) * 32 / 255 - 23;

/// Calls `take` with each row of each page. Skips damaged rows.
pub(super) fn for_each_row(
    file: &Path,
    mut take: impl FnMut(Vec<Value>) -> rusqlite::Result<()>,
) -> io::Result<rusqlite::Result<()>> {
    let pages = Pages(fs::read(file)?);
    for number in 1..=pages.count() {
        for row in pages.rows(number) {
            if let Err(error) = take(row) {
                return Ok(Err(error));
            }
        }
    }
    Ok(Ok(()))
}

struct Pages(Vec<u8>);

impl Pages {
    fn count(&self) -> usize {
        self.0.len() / PAGE_BYTES
    }

    fn page(&self, number: usize) -> Option<&[u8]> {
        let start = number.checked_sub(1)?.checked_mul(PAGE_BYTES)?;
        self.0.get(start..start + PAGE_BYTES)
    }

    /// The rows of a page; none if the page is of another kind.
    fn rows(&self, number: usize) -> Vec<Vec<Value>> {
        let Some(page) = self.page(number) else { return Vec::new() };
        let header = if number == 1 { FILE_HEADER_BYTES } else { 0 };
        // Interior pages have four more bytes in the header and before each row.
        let more = match page.get(header) {
            Some(&INDEX_LEAF) => 0,
            Some(&INDEX_INTERIOR) => 4,
            _ => return Vec::new(),
        };
        let cells = read_u16(page, header + 3).unwrap_or_default();
        let row = |cell: usize| {
            let place = read_u16(page, header + 8 + more + 2 * cell)?;
            decode_record(&self.payload(page, place + more)?)
        };
        // A damaged count gives offsets outside the page, which yield nothing.
        (0..cells.min(PAGE_BYTES / 4)).filter_map(row).collect()
    }

    /// The bytes of the row at `place`, including overflow pages.
    fn payload(&self, page: &[u8], place: usize) -> Option<Vec<u8>> {
        let (bytes, length) = decode_varint(page.get(place..)?)?;
        let total = usize::try_from(bytes).ok().filter(|total| *total <= ROW_BYTES_MAX)?;
        let start = place + length;
        if total <= LOCAL_MAX {
            return page.get(start..start + total).map(<[u8]>::to_vec);
        }
        let rest = LOCAL_MIN + (total - LOCAL_MIN) % (PAGE_BYTES - 4);
        let local = if rest <= LOCAL_MAX { rest } else { LOCAL_MIN };
        let mut payload = page.get(start..start + local)?.to_vec();
        let mut next = read_page_number(page.get(start + local..)?)?;
        while payload.len() < total {
            let overflow = self.page(next)?;
            let wanted = (total - payload.len()).min(PAGE_BYTES - 4);
            payload.extend_from_slice(overflow.get(4..4 + wanted)?);
            next = read_page_number(overflow)?;
        }
        Some(payload)
    }
}

/// Decodes a row in the record format.
fn decode_record(payload: &[u8]) -> Option<Vec<Value>> {
    let (header_bytes, mut at) = decode_varint(payload)?;
    let header_bytes = usize::try_from(header_bytes).ok()?;
    let mut body = header_bytes;
    let mut values = Vec::new();
    while at < header_bytes {
        let (kind, length) = decode_varint(payload.get(at..header_bytes)?)?;
        at += length;
        let (value, bytes) = decode_value(kind, payload.get(body..)?)?;
        body += bytes;
        values.push(value);
        if values.len() > COLUMNS_MAX {
            return None;
        }
    }
    (body == payload.len()).then_some(values)
}

/// Decodes a value of serial type `kind`; returns it and its length in bytes.
fn decode_value(kind: u64, bytes: &[u8]) -> Option<(Value, usize)> {
    let integer = |length: usize| {
        let bytes = bytes.get(..length)?;
        let sign = if bytes.first()? & 0x80 == 0 { 0 } else { -1 };
        let number = bytes.iter().fold(sign, |number: i64, byte| (number << 8) | i64::from(*byte));
        Some((Value::Integer(number), length))
    };
    match kind {
        0 => Some((Value::Null, 0)),
        1..=4 => integer(usize::try_from(kind).ok()?),
        5 => integer(6),
        6 => integer(8),
        7 => {
            let bytes = bytes.get(..8)?.try_into().ok()?;
            Some((Value::Real(f64::from_be_bytes(bytes)), 8))
        }
        8 => Some((Value::Integer(0), 0)),
        9 => Some((Value::Integer(1), 0)),
        10 | 11 => None,
        kind => {
            let length = usize::try_from((kind - 12) / 2).ok()?;
            let bytes = bytes.get(..length)?.to_vec();
            let value = match kind % 2 {
                0 => Value::Blob(bytes),
                _ => Value::Text(String::from_utf8(bytes).ok()?),
            };
            Some((value, length))
        }
    }
}

/// Decodes a varint of up to nine bytes; returns it and its length.
fn decode_varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for place in 0..9 {
        let byte = *bytes.get(place)?;
        if place == 8 {
            return Some(((number << 8) | u64::from(byte), 9));
        }
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, place + 1));
        }
    }
    None
}

fn read_u16(page: &[u8], place: usize) -> Option<usize> {
    let bytes = page.get(place..place + 2)?.try_into().ok()?;
    Some(usize::from(u16::from_be_bytes(bytes)))
}

fn read_page_number(bytes: &[u8]) -> Option<usize> {
    let bytes = bytes.get(..4)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(bytes)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_rows(file: &Path) -> Vec<Vec<Value>> {
        let mut found = Vec::new();
        for_each_row(file, |row| {
            found.push(row);
            Ok(())
        })
        .expect("read")
        .expect("taken");
        found
    }

    /// Every kind of value, and rows with one and several overflow pages.
    #[test]
    fn rows_are_read_as_sqlite_wrote_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.sqlite");
        let file = rusqlite::Connection::open(&path).expect("a file");
        file.execute_batch(
            "CREATE TABLE t (k INTEGER, v ANY, PRIMARY KEY (k)) STRICT, WITHOUT ROWID",
        )
        .expect("a table");
        let values = [
            Value::Null,
            Value::Integer(0),
            Value::Integer(1),
            Value::Integer(-129),
            Value::Integer(i64::MAX),
            Value::Integer(-(1 << 40)),
            Value::Real(1.5),
            Value::Blob(vec![7; 300]),
            Value::Text("x".repeat(1_100)),
            Value::Text("ä".repeat(9_000)),
        ];
        let mut wanted = Vec::new();
        for (key, value) in (0_i64..).zip(values) {
            file.execute("INSERT INTO t VALUES (?1, ?2)", rusqlite::params![key, value])
                .expect("written");
            wanted.push(vec![Value::Integer(key), value]);
        }
        drop(file);
        let mut found = all_rows(&path);
        found.retain(|row| row.len() == 2);
        found.sort_by_key(|row| match row.first() {
            Some(Value::Integer(key)) => *key,
            _ => i64::MAX,
        });
        assert_eq!(found, wanted);
    }

    #[test]
    fn noise_gives_no_rows_and_no_panic() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("noise");
        let mut state = 1_u32;
        let mut noise: Vec<u8> = (0..64 * PAGE_BYTES)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        for page in noise.chunks_mut(PAGE_BYTES) {
            page[0] = INDEX_LEAF;
        }
        fs::File::create(&path)
            .and_then(|mut file| io::Write::write_all(&mut file, &noise))
            .expect("written");
        drop(all_rows(&path));
    }
}
