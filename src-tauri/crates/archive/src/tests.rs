//! Archives whole, damaged, foreign, newer, and made by somebody with ill intent.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use domain::WallTime;
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use crate::*;

const LEDGER: &[u8] = &[7; 3_000_000];
const SETTINGS: &[u8] = b"version = 1\n";

fn write_part(folder: &Path, name: PartName, bytes: &[u8]) -> PartSource {
    let path = folder.join(name.word());
    File::create(&path).and_then(|mut file| file.write_all(bytes)).expect("written");
    PartSource { name, path }
}

/// A sound archive, in a folder of its own.
fn archive() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().expect("a folder");
    let parts = [
        write_part(home.path(), PartName::Settings, SETTINGS),
        write_part(home.path(), PartName::Ledger, LEDGER),
    ];
    let target = home.path().join("my.backup");
    let manifest = Manifest::new("0.1.0", WallTime::from_unix_ms(1_790_000_000_000), 20, 42);
    write_archive(&target, manifest, &parts, &Unwatched).expect("written");
    (home, target)
}

/// The tar file inside of an archive.
fn unzipped(path: &Path) -> Vec<u8> {
    zstd::decode_all(File::open(path).expect("open")).expect("a frame")
}

fn zip_to(path: &Path, tar: &[u8]) {
    let packed = zstd::encode_all(tar, 1).expect("packed");
    File::create(path).and_then(|mut file| file.write_all(&packed)).expect("written");
}

fn try_unpack(path: &Path) -> (Result<Manifest, ArchiveError>, TempDir) {
    let out = tempfile::tempdir().expect("a folder");
    (unpack(path, out.path(), &Unwatched), out)
}

/// Makes an archive of the sound manifest and `change`d entries.
fn forged(change: impl FnOnce(&mut Builder<Vec<u8>>, &[u8])) -> (TempDir, PathBuf) {
    let (home, target) = archive();
    let tar = unzipped(&target);
    let mut sound = tar::Archive::new(tar.as_slice());
    let mut first = sound.entries().expect("entries").next().expect("one").expect("whole");
    let mut manifest = Vec::new();
    first.read_to_end(&mut manifest).expect("read");
    let mut forged = Builder::new(Vec::new());
    change(&mut forged, &manifest);
    let path = home.path().join("forged.backup");
    zip_to(&path, &forged.into_inner().expect("a tar file"));
    (home, path)
}

fn entry(archive: &mut Builder<Vec<u8>>, name: &str, kind: EntryType, bytes: &[u8]) {
    let mut header = Header::new_gnu();
    // Past the checks of the library, which refuses such names when it writes.
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    if kind != EntryType::Regular {
        header.set_link_name("/etc/passwd").expect("set");
    }
    header.set_cksum();
    archive.append(&header, bytes).expect("appended");
}

#[test]
fn what_was_backed_up_comes_out_again_and_is_private() {
    let (_home, path) = archive();
    let (manifest, out) = try_unpack(&path);
    let manifest = manifest.expect("sound");
    assert_eq!(manifest, read_manifest(&path).expect("read"));
    assert_eq!((manifest.requests, manifest.ledger_schema), (42, 20));
    assert_eq!(fs::read(out.path().join("settings.toml")).expect("there"), SETTINGS);
    assert_eq!(fs::read(out.path().join("ledger.sqlite")).expect("there"), LEDGER);
    assert_eq!(fs::read_dir(out.path()).expect("list").count(), 2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| path.metadata().expect("stat").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&out.path().join("ledger.sqlite")), 0o600);
    }
}

#[test]
fn a_file_that_is_there_is_never_replaced() {
    let (home, path) = archive();
    let before = fs::read(&path).expect("read");
    let parts = [write_part(home.path(), PartName::Settings, b"other")];
    let manifest = Manifest::new("0.1.0", WallTime::from_unix_ms(0), 20, 0);
    let again = write_archive(&path, manifest, &parts, &Unwatched);
    assert!(matches!(again, Err(ArchiveError::Exists(_))), "{again:?}");
    assert_eq!(fs::read(&path).expect("read"), before);
}

/// Stops after so many bytes.
struct StopAfter(u64);

impl ArchiveWatch for StopAfter {
    fn goes_on(&self, done: u64, total: u64) -> bool {
        assert_eq!(total, (LEDGER.len() + SETTINGS.len()) as u64);
        done < self.0
    }
}

#[test]
fn a_cancelled_archive_leaves_no_file() {
    let (home, path) = archive();
    let parts = [
        PartSource { name: PartName::Settings, path: home.path().join("settings.toml") },
        PartSource { name: PartName::Ledger, path: home.path().join("ledger.sqlite") },
    ];
    let out = tempfile::tempdir().expect("a folder");
    let manifest = Manifest::new("0.1.0", WallTime::from_unix_ms(0), 20, 0);
    let target = out.path().join("never");
    let stopped = write_archive(&target, manifest, &parts, &StopAfter(1_000_000));
    assert!(matches!(stopped, Err(ArchiveError::Cancelled)), "{stopped:?}");
    assert_eq!(fs::read_dir(out.path()).expect("list").count(), 0);
    let stopped = unpack(&path, out.path(), &StopAfter(1_000_000));
    assert!(matches!(stopped, Err(ArchiveError::Cancelled)), "{stopped:?}");
}

#[test]
fn a_damaged_archive_is_refused_wherever_the_damage_is() {
    let (home, path) = archive();
    let sound = fs::read(&path).expect("read");
    let broken = home.path().join("broken.backup");
    for at in (4..sound.len()).step_by(17) {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x20;
        File::create(&broken).and_then(|mut file| file.write_all(&bytes)).expect("written");
        let (taken, _out) = try_unpack(&broken);
        assert!(taken.is_err(), "a flipped bit at {at} was not noticed");
    }
    for length in (0..sound.len()).step_by(23) {
        let cut = &sound[..length];
        File::create(&broken).and_then(|mut file| file.write_all(cut)).expect("written");
        let (taken, _out) = try_unpack(&broken);
        assert!(taken.is_err(), "{length} of {} bytes were taken", sound.len());
    }
}

#[test]
fn a_part_that_does_not_agree_with_its_manifest_is_refused() {
    let (_home, path) = forged(|archive, manifest| {
        entry(archive, "manifest.json", EntryType::Regular, manifest);
        entry(archive, "settings.toml", EntryType::Regular, b"version = 2\n");
        entry(archive, "ledger.sqlite", EntryType::Regular, LEDGER);
    });
    let (taken, _out) = try_unpack(&path);
    let Err(ArchiveError::Damaged(what)) = taken else { panic!("{taken:?}") };
    assert_eq!(what, "settings.toml is not what was backed up");
    let (_home, path) = forged(|archive, manifest| {
        entry(archive, "manifest.json", EntryType::Regular, manifest);
        entry(archive, "settings.toml", EntryType::Regular, SETTINGS);
    });
    let (taken, _out) = try_unpack(&path);
    let Err(ArchiveError::Damaged(what)) = taken else { panic!("{taken:?}") };
    assert_eq!(what, "ledger.sqlite is missing");
}

/// Parts that are read whole must not fill the memory. Nothing of the archive is unpacked.
#[test]
fn a_part_larger_than_any_of_its_kind_is_refused_before_it_is_read() {
    let told = |name: PartName, bytes: u64| {
        let (_home, path) = forged(|archive, manifest| {
            let mut manifest: Manifest = serde_json::from_slice(manifest).expect("a manifest");
            let part = manifest.parts.iter_mut().find(|part| part.name == name).expect("a part");
            part.bytes = bytes;
            let text = serde_json::to_vec(&manifest).expect("JSON");
            entry(archive, "manifest.json", EntryType::Regular, &text);
        });
        let (taken, out) = try_unpack(&path);
        assert_eq!(fs::read_dir(out.path()).expect("list").count(), 0);
        taken.expect_err("refused").to_string()
    };
    for name in PartName::ALL {
        let most = name.bytes_max();
        let size = format!("{name} has {} bytes by its manifest", most + 1);
        assert!(told(*name, most + 1).contains(&size), "{}", told(*name, most + 1));
        assert!(!told(*name, most).contains("bytes by its manifest"), "{}", told(*name, most));
    }
}

#[test]
fn paths_and_links_never_leave_the_folder() {
    let names = [
        "../settings.toml",
        "/etc/settings.toml",
        "a/../../settings.toml",
        "..\\settings.toml",
        "./settings.toml",
        "settings.toml/",
        "SETTINGS.TOML",
    ];
    for name in names {
        let (_home, path) = forged(|archive, manifest| {
            entry(archive, "manifest.json", EntryType::Regular, manifest);
            entry(archive, name, EntryType::Regular, SETTINGS);
        });
        let (taken, out) = try_unpack(&path);
        assert!(matches!(taken, Err(ArchiveError::Unsafe(_))), "{name}: {taken:?}");
        assert_eq!(fs::read_dir(out.path()).expect("list").count(), 0, "{name}");
    }
    let kinds = [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::GNULongName,
        EntryType::XHeader,
    ];
    for kind in kinds {
        let (_home, path) = forged(|archive, manifest| {
            entry(archive, "manifest.json", EntryType::Regular, manifest);
            entry(archive, "settings.toml", kind, b"");
        });
        let (taken, out) = try_unpack(&path);
        assert!(matches!(taken, Err(ArchiveError::Unsafe(_))), "{kind:?}: {taken:?}");
        assert_eq!(fs::read_dir(out.path()).expect("list").count(), 0, "{kind:?}");
    }
    let (_home, path) = forged(|archive, manifest| {
        entry(archive, "manifest.json", EntryType::Regular, manifest);
        entry(archive, "settings.toml", EntryType::Regular, SETTINGS);
        entry(archive, "ledger.sqlite", EntryType::Regular, LEDGER);
        entry(archive, "more.txt", EntryType::Regular, b"x");
    });
    let (taken, _out) = try_unpack(&path);
    assert!(matches!(taken, Err(ArchiveError::Unsafe(_))), "{taken:?}");
}

#[cfg(unix)]
#[test]
fn a_link_that_waits_in_the_folder_is_not_followed() {
    let (home, path) = archive();
    let victim = home.path().join("victim");
    File::create(&victim).and_then(|mut file| file.write_all(b"precious")).expect("written");
    let out = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(&victim, out.path().join("settings.toml")).expect("link");
    assert!(matches!(unpack(&path, out.path(), &Unwatched), Err(ArchiveError::File { .. })));
    assert_eq!(fs::read(&victim).expect("read"), b"precious");
}

#[test]
fn foreign_and_newer_files_are_refused_with_the_reason() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("x");
    let told = |bytes: &[u8]| {
        File::create(&path).and_then(|mut file| file.write_all(bytes)).expect("written");
        let (taken, _out) = try_unpack(&path);
        taken.expect_err("refused").to_string()
    };
    assert!(told(b"PK\x03\x04 a zip file").contains("no tar file in zstd"));
    assert!(told(b"").contains("no tar file in zstd"));
    let with_manifest = |text: &str| {
        let mut archive = Builder::new(Vec::new());
        entry(&mut archive, "manifest.json", EntryType::Regular, text.as_bytes());
        zstd::encode_all(archive.into_inner().expect("a tar file").as_slice(), 1).expect("packed")
    };
    assert!(told(&with_manifest("{}")).contains("another program's"));
    let newer = told(&with_manifest("{\"kind\": \"gatehouse-backup\", \"format\": 2}"));
    assert!(newer.contains("format 2") && newer.contains("up to 1"), "{newer}");
    let long = format!("{{}}{}", " ".repeat(69_998));
    assert!(told(&with_manifest(&long)).contains("70000 bytes"));
    let mut other = Builder::new(Vec::new());
    entry(&mut other, "readme", EntryType::Regular, b"hello");
    let packed = zstd::encode_all(other.into_inner().expect("a tar file").as_slice(), 1);
    assert!(told(&packed.expect("packed")).contains("does not begin with manifest.json"));
    assert!(matches!(read_manifest(home.path()), Err(ArchiveError::Foreign(_))));
}
