//! Tells whether Git tracks a file, by reading the index. No program is run: a repository may name
//! programs that Git would start.

use std::path::{Path, PathBuf};

/// Largest index that is read, in bytes. One of a hundred thousand files has some 10 MB.
const INDEX_BYTES_MAX: u64 = 64 << 20;

/// Bytes of an entry before its name, and where its flags are.
const ENTRY_BYTES: usize = 62;
const FLAGS_AT: usize = 60;
const EXTENDED_FLAG: u8 = 0x40;

/// True if the index of the repository around `path` has it. A file in a repository whose index is not
/// understood counts as tracked: the warning is worth more than its absence.
pub(super) fn is_tracked(path: &Path) -> bool {
    let Some((root, index)) = path.ancestors().skip(1).find_map(index_of) else { return false };
    let Ok(name) = path.strip_prefix(&root) else { return false };
    let name = name.to_string_lossy().replace('\\', "/");
    match index.metadata() {
        // Nothing was added yet.
        Err(_) => false,
        Ok(metadata) if metadata.len() > INDEX_BYTES_MAX => true,
        Ok(_) => match std::fs::read(&index) {
            Ok(bytes) => has_entry(&bytes, name.as_bytes()).unwrap_or(true),
            Err(_) => true,
        },
    }
}

/// The root of a work tree and its index, if `folder` is one.
fn index_of(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let git = folder.join(".git");
    if git.is_dir() {
        return Some((folder.to_owned(), git.join("index")));
    }
    // A further work tree, or a submodule.
    let text = std::fs::read_to_string(&git).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    Some((folder.to_owned(), folder.join(named).join("index")))
}

/// None for an index of another version, or one that is cut off.
fn has_entry(index: &[u8], name: &[u8]) -> Option<bool> {
    let number = |at: usize| Some(u32::from_be_bytes(index.get(at..at + 4)?.try_into().ok()?));
    let is_known = index.starts_with(b"DIRC") && matches!(number(4)?, 2 | 3);
    if !is_known {
        return None;
    }
    let mut at = 12;
    for _ in 0..number(8)? {
        let entry = index.get(at..)?;
        let is_extended = entry.get(FLAGS_AT)? & EXTENDED_FLAG != 0;
        let start = if is_extended { ENTRY_BYTES + 2 } else { ENTRY_BYTES };
        let length = entry.get(start..)?.iter().position(|byte| *byte == 0)?;
        if entry.get(start..start + length)? == name {
            return Some(true);
        }
        // Names end with one to eight zeros, so that entries begin at multiples of eight.
        at += (start + length + 8) / 8 * 8;
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(version: u8, names: &[&str]) -> Vec<u8> {
        let mut index = vec![b'D', b'I', b'R', b'C', 0, 0, 0, version, 0, 0, 0];
        index.push(u8::try_from(names.len()).expect("few"));
        for name in names {
            let start = index.len();
            index.extend([0; ENTRY_BYTES]);
            index.extend(name.as_bytes());
            index.push(0);
            while (index.len() - start) % 8 != 0 {
                index.push(0);
            }
        }
        index
    }

    #[test]
    fn a_name_is_found_whole_and_an_unknown_index_is_no_answer() {
        let known = index(2, &[".env", "sub/.env.local", "zz"]);
        for (name, expected) in
            [(".env", true), ("sub/.env.local", true), (".env.local", false), ("z", false)]
        {
            assert_eq!(has_entry(&known, name.as_bytes()), Some(expected), "{name}");
        }
        assert_eq!(has_entry(&index(4, &[".env"]), b".env"), None);
        assert_eq!(has_entry(&known[..known.len() - 9], b"other"), None);
        assert_eq!(has_entry(b"", b".env"), None);
    }

    #[test]
    fn a_file_outside_of_a_repository_is_not_tracked_and_a_work_tree_names_its_index() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("work");
        let write = |path: &Path, bytes: &[u8]| {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
            let mut file = std::fs::File::create(path).expect("a file");
            std::io::Write::write_all(&mut file, bytes).expect("written");
        };
        write(&root.join("sub/.env"), b"");
        assert!(!is_tracked(&root.join("sub/.env")));
        write(&root.join(".git"), b"gitdir: ../main/.git/worktrees/work\n");
        assert!(!is_tracked(&root.join("sub/.env")), "nothing was added");
        write(&folder.path().join("main/.git/worktrees/work/index"), &index(2, &["sub/.env"]));
        assert!(is_tracked(&root.join("sub/.env")));
        assert!(!is_tracked(&root.join(".env")));
    }
}
