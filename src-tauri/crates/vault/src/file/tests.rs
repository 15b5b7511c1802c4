//! The file vault on a real disk, with a small work factor.

use std::fs;
use std::path::Path;

use domain::Secret;
use tempfile::TempDir;

use super::*;
use crate::Damage;

const WORK_FACTOR_LOG2_OF_TESTS: u8 = 1;

fn store(path: &Path) -> FileStore {
    let revision_path = path.with_extension("revision");
    FileStore::new(path.to_owned(), revision_path, WORK_FACTOR_LOG2_OF_TESTS)
}

fn unlocked(path: &Path) -> FileStore {
    let store = store(path);
    store.unlock(&right()).expect("opens");
    store
}

fn right() -> Passphrase {
    Passphrase::parse("correct horse".to_owned()).expect("long enough")
}

fn wrong() -> Passphrase {
    Passphrase::parse("wrong horse".to_owned()).expect("long enough")
}

fn id(text: &str) -> CredentialId {
    CredentialId::new(text).expect("an id")
}

fn secret(text: &str) -> BoundSecret {
    let origin = "https://api.openai.com".parse().expect("an origin");
    BoundSecret::new(Secret::parse(text.to_owned()).expect("a good secret"), Some(origin))
}

/// A folder with a vault file that contains `openai`.
fn filled() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("private").join("keys.age");
    unlocked(&path).put(&id("openai"), &secret("sk-CANARY")).expect("kept");
    (folder, path)
}

/// Checks that opening fails as `expected` and leaves the file unchanged.
fn check_refused(path: &Path, passphrase: &Passphrase, expected: &str) {
    let before = fs::read(path).expect("a file");
    let store = store(path);
    let error = store.unlock(passphrase).expect_err("refused");
    assert_eq!(format!("{error:?}"), expected);
    assert!(store.put(&id("other"), &secret("sk-2")).is_err(), "it wrote over the file");
    assert_eq!(fs::read(path).expect("a file"), before);
}

#[test]
fn keys_survive_the_process_and_the_disk_holds_nothing_of_them() {
    let (_folder, path) = filled();
    let store = unlocked(&path);
    assert_eq!(store.get(&id("openai")).expect("there"), secret("sk-CANARY"));
    let bytes = fs::read(&path).expect("a file");
    assert!(bytes.starts_with(b"age-encryption.org/v1\n-> scrypt "));
    for mark in ["CANARY", "openai"] {
        assert!(!bytes.windows(mark.len()).any(|window| window == mark.as_bytes()), "{mark}");
    }
}

#[test]
fn nothing_is_created_before_a_passphrase_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("private").join("keys.age");
    let store = store(&path);
    let expected = "Locked(PassphraseUnset)";
    let outcomes = [
        store.put(&id("a"), &secret("sk-1")).expect_err("locked"),
        store.get(&id("a")).expect_err("locked"),
        store.remove(&id("a")).expect_err("locked"),
        store.probe().expect_err("locked"),
    ];
    for error in outcomes {
        assert_eq!(format!("{error:?}"), expected);
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    store.unlock(&right()).expect("makes it");
    assert!(path.is_file());
}

#[test]
fn an_existing_file_asks_for_its_passphrase() {
    let (_folder, path) = filled();
    let error = store(&path).get(&id("openai")).expect_err("locked");
    assert_eq!(format!("{error:?}"), "Locked(PassphraseNeeded)");
}

#[test]
fn a_wrong_passphrase_has_its_own_name_and_loses_nothing() {
    let (_folder, path) = filled();
    check_refused(&path, &wrong(), "Locked(PassphraseWrong)");
    let store = unlocked(&path);
    store.unlock(&wrong()).expect_err("refused");
    assert!(store.get(&id("openai")).is_ok(), "what was open is closed");
}

#[test]
fn damage_has_its_own_name_and_the_file_is_left_alone() {
    let (_folder, path) = filled();
    let good = fs::read(&path).expect("a file");
    let mut flipped = good.clone();
    *flipped.last_mut().expect("not empty") ^= 1;
    let mut later = good.clone();
    later.extend_from_slice(b"more");
    let mut costly = good.clone();
    let work = good.windows(3).position(|window| window == b" 1\n").expect("a work factor");
    costly.splice(work..work + 3, format!(" {}\n", WORK_FACTOR_LOG2_MAX + 1).into_bytes());
    let large = vec![b'a'; usize::try_from(crate::FILE_BYTES_MAX).expect("fits") + 1];
    let halves = good[..good.len() / 2].to_vec();
    for bytes in [Vec::new(), halves, flipped, later, costly, b"not a vault".to_vec(), large] {
        fs::File::create(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, &bytes))
            .expect("writes");
        check_refused(&path, &right(), "Damaged(File)");
    }
}

#[test]
fn a_damaged_file_is_distinguished_from_one_that_waits_for_its_passphrase() {
    let (_folder, path) = filled();
    let good = fs::read(&path).expect("a file");
    let told = |store: &FileStore| format!("{:?}", store.get(&id("openai")).expect_err("closed"));
    let write = |bytes: &[u8]| {
        let mut file = fs::File::create(&path).expect("a file");
        std::io::Write::write_all(&mut file, bytes).expect("writes");
    };
    // Without a passphrase: a file that is not a vault is detected.
    for bytes in [&b""[..], b"not a vault", &good[..20]] {
        write(bytes);
        assert_eq!(told(&store(&path)), "Damaged(File)");
    }
    // With the right passphrase: the damage is still reported after the attempt, and after a wrong
    // one.
    let mut flipped = good.clone();
    *flipped.last_mut().expect("not empty") ^= 1;
    write(&flipped);
    let closed = store(&path);
    assert_eq!(told(&closed), "Locked(PassphraseNeeded)");
    closed.unlock(&right()).expect_err("damaged");
    assert_eq!(told(&closed), "Damaged(File)");
    write(&good);
    assert_eq!(told(&closed), "Locked(PassphraseNeeded)", "another file, another answer");
    closed.unlock(&wrong()).expect_err("refused");
    assert_eq!(told(&closed), "Locked(PassphraseWrong)");
    closed.unlock(&right()).expect("opens");
    assert!(closed.get(&id("openai")).is_ok());
}

#[test]
fn contents_that_are_not_ours_are_damaged_and_newer_ones_say_so() {
    for (contents, expected) in [
        (r#"["sk-CANARY"]"#, "Damaged(File)"),
        (r#"{"v":1,"items":{"Not An Id":{}}}"#, "Damaged(File)"),
        (r#"{"v":2,"keys":[]}"#, "Damaged(Newer)"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.age");
        let mut recipient = age::scrypt::Recipient::new(right().as_age_secret().clone());
        recipient.set_work_factor(WORK_FACTOR_LOG2_OF_TESTS);
        let bytes = age::encrypt(&recipient, contents.as_bytes()).expect("encrypts");
        disk::replace(&path, &bytes).expect("writes");
        check_refused(&path, &right(), expected);
    }
}

#[test]
fn an_item_that_is_damaged_spoils_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.age");
    let mut recipient = age::scrypt::Recipient::new(right().as_age_secret().clone());
    recipient.set_work_factor(WORK_FACTOR_LOG2_OF_TESTS);
    let contents =
        br#"{"v":1,"items":{"bad":{"v":1},"good":{"v":1,"secret":"sk-1","origin":null}}}"#;
    disk::replace(&path, &age::encrypt(&recipient, contents).expect("encrypts")).expect("writes");
    let store = unlocked(&path);
    assert!(matches!(store.get(&id("bad")), Err(VaultError::Damaged(Damage::Item))));
    assert!(store.get(&id("good")).is_ok());
    store.put(&id("third"), &secret("sk-3")).expect("kept");
    assert!(matches!(unlocked(&path).get(&id("bad")), Err(VaultError::Damaged(Damage::Item))));
}

#[test]
fn keys_are_replaced_and_removed_and_a_missing_one_is_not_found() {
    let (_folder, path) = filled();
    let store = unlocked(&path);
    store.put(&id("openai"), &secret("sk-2")).expect("kept");
    store.put(&id("groq"), &secret("gsk-1")).expect("kept");
    store.remove(&id("groq")).expect("removed");
    assert!(matches!(store.remove(&id("groq")), Err(VaultError::NotFound(_))));
    let again = unlocked(&path);
    assert_eq!(again.get(&id("openai")).expect("there"), secret("sk-2"));
    assert!(matches!(again.get(&id("groq")), Err(VaultError::NotFound(_))));
}

#[test]
fn what_another_process_wrote_meanwhile_is_kept() {
    let (_folder, path) = filled();
    let (one, other) = (unlocked(&path), unlocked(&path));
    one.put(&id("one"), &secret("sk-1")).expect("kept");
    other.put(&id("other"), &secret("sk-2")).expect("kept");
    let both = unlocked(&path);
    assert!(both.get(&id("one")).is_ok() && both.get(&id("other")).is_ok());
}

#[test]
fn a_file_spoiled_under_an_open_vault_is_reported_and_not_written_over() {
    let (_folder, path) = filled();
    let store = unlocked(&path);
    fs::File::create(&path).expect("truncates");
    let put = store.put(&id("a"), &secret("sk-1"));
    assert!(matches!(put, Err(VaultError::Damaged(Damage::File))), "{put:?}");
    assert!(matches!(store.probe(), Err(VaultError::Damaged(Damage::File))));
    assert_eq!(fs::metadata(&path).expect("there").len(), 0);
    assert!(store.get(&id("openai")).is_ok(), "what is in memory is lost");
}

#[test]
fn a_file_at_its_size_limit_is_written_and_one_byte_more_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.age");
    let most = vec![b'k'; usize::try_from(crate::FILE_BYTES_MAX).expect("fits")];
    disk::replace(&path, &most).expect("fits");
    let more = [most.as_slice(), b"k"].concat();
    assert!(matches!(disk::replace(&path, &more), Err(VaultError::File { .. })));
    assert_eq!(disk::read(&path).expect("reads").map(|bytes| bytes.len()), Some(most.len()));
    let mut file = fs::OpenOptions::new().append(true).open(&path).expect("opens");
    std::io::Write::write_all(&mut file, b"k").expect("writes");
    assert!(
        matches!(disk::read(&path), Err(VaultError::Damaged(Damage::File))),
        "it was cut short"
    );
}

#[test]
#[cfg(unix)]
fn a_write_that_cannot_happen_changes_nothing_in_memory() {
    let (folder, path) = filled();
    let store = unlocked(&path);
    // Replaces the folder with a dangling link: the file is gone and not writable, even for root.
    let private = path.parent().expect("a folder");
    fs::rename(private, folder.path().join("aside")).expect("moved");
    std::os::unix::fs::symlink(folder.path().join("nowhere").join("deep"), private)
        .expect("linked");
    let put = store.put(&id("a"), &secret("sk-1"));
    assert!(matches!(put, Err(VaultError::File { .. })), "{put:?}");
    assert!(
        matches!(store.get(&id("a")), Err(VaultError::NotFound(_))),
        "memory ran ahead of disk"
    );
    assert!(store.get(&id("openai")).is_ok());
}

#[test]
fn something_unreadable_in_the_files_place_is_unavailable() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store(folder.path());
    for outcome in [store.unlock(&right()), store.probe()] {
        assert!(matches!(outcome, Err(VaultError::File { .. })), "{outcome:?}");
    }
}

#[test]
fn a_probe_leaves_the_file_and_its_folder_as_they_were() {
    let (_folder, path) = filled();
    let store = unlocked(&path);
    let folder = path.parent().expect("a folder");
    let count = || fs::read_dir(folder).expect("a folder").count();
    let (before, files) = (fs::read(&path).expect("a file"), count());
    store.probe().expect("works");
    assert_eq!(fs::read(&path).expect("a file"), before);
    assert_eq!(count(), files, "something was left beside it");
}

#[test]
#[cfg(unix)]
fn s16_the_folder_and_the_file_are_their_owners_alone_whatever_they_were() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let (_folder, path) = filled();
    let private = path.parent().expect("a folder");
    assert_eq!((mode(private), mode(&path)), (0o700, 0o600));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("sets");
    unlocked(&path).put(&id("groq"), &secret("gsk-1")).expect("kept");
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn the_work_of_production_is_accepted_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.age");
    FileStore::new(path.clone(), path.with_extension("revision"), WORK_FACTOR_LOG2)
        .unlock(&right())
        .expect("makes it");
    let header = fs::read(&path).expect("a file");
    assert!(header.windows(4).any(|window| window == b" 17\n"), "another work factor was used");
    store(&path).unlock(&right()).expect("opens");
}

/// An older copy, as restored by a backup or a synchronised folder.
#[test]
fn an_older_file_in_its_place_is_noticed_until_the_next_change() {
    let (_folder, path) = filled();
    let older = fs::read(&path).expect("a file");
    let store = unlocked(&path);
    store.put(&id("groq"), &secret("gsk-2")).expect("kept");
    assert!(!store.is_outdated());
    disk::replace(&path, &older).expect("put back");
    store.probe().expect("it works");
    assert!(store.is_outdated(), "while it is open");

    let again = unlocked(&path);
    assert!(again.is_outdated(), "by the next process");
    assert!(again.get(&id("groq")).is_err());
    assert_eq!(again.get(&id("openai")).expect("there"), secret("sk-CANARY"));
    again.put(&id("groq"), &secret("gsk-3")).expect("kept");
    assert!(!again.is_outdated() && !unlocked(&path).is_outdated());
}

/// Files from before revisions were counted, and state folders that were cleaned up.
#[test]
fn a_file_whose_revision_was_never_seen_is_taken_as_it_is() {
    let (_folder, path) = filled();
    fs::remove_file(path.with_extension("revision")).expect("removed");
    assert!(!unlocked(&path).is_outdated());
    disk::replace(&path.with_extension("revision"), b"not a number").expect("written");
    assert!(!unlocked(&path).is_outdated());
}
