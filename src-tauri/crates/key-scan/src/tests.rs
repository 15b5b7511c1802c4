//! Scans of a made-up home folder.

use std::fs::{File, create_dir_all};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::report::KEYS_MAX;
use crate::report::PLACES_MAX;
use crate::{FILE_BYTES_MAX, ScanReport, scan};

fn write(home: &Path, path: &str, text: &str) -> PathBuf {
    let path = home.join(path);
    create_dir_all(path.parent().expect("a folder")).expect("created");
    File::create(&path).expect("created").write_all(text.as_bytes()).expect("written");
    path
}

/// Each key's provider and places, without the home folder.
fn told(report: &ScanReport, home: &Path) -> Vec<String> {
    let place = |place: &crate::KeyPlace| {
        let path = place.path.strip_prefix(home).expect("below home").display();
        let (name, reader) = (place.name.as_deref().unwrap_or("-"), place.reader.unwrap_or("-"));
        format!("{path}:{} {name} ({reader})", place.line)
    };
    let key = |key: &crate::PlainKey| {
        let places: Vec<_> = key.places.iter().map(place).collect();
        format!("{} {}", key.provider.map_or("?", |known| known.label), places.join(", "))
    };
    report.keys.iter().map(key).collect()
}

#[test]
fn keys_are_found_in_profiles_and_tool_files_and_told_once() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    write(home, ".zshrc", "# mine\nexport OPENAI_API_KEY=sk-proj-0a1b2c3d4e5f6g7h8i9j\nls\n");
    write(home, ".codex/auth.json", "{\n  \"OPENAI_API_KEY\": \"sk-proj-0a1b2c3d4e5f6g7h8i9j\"\n}");
    write(home, ".aider.conf.yml", "api-key:\n  - deepseek=sk-0a1b2c3d4e5f6g7h8i9j0a1b\n");
    let named = write(home, "work/.env", "DEEPSEEK_API_KEY=sk-0a1b2c3d4e5f6g7h8i9j0a1b\n");
    let report = scan(Some(home), &[named]);
    assert_eq!(
        told(&report, home),
        [
            "OpenAI .zshrc:2 OPENAI_API_KEY (Zsh), .codex/auth.json:2 OPENAI_API_KEY (Codex CLI)",
            "DeepSeek .aider.conf.yml:2 deepseek (Aider), work/.env:1 DEEPSEEK_API_KEY (-)",
        ]
    );
    assert_eq!((report.files, report.problems.len(), report.is_truncated), (4, 0, false));
}

#[test]
fn a_fingerprint_names_the_key_wherever_it_is_and_holds_none_of_it() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    write(
        home,
        ".profile",
        "GROQ_API_KEY=gsk_CANARY0123456789abc\nXAI_API_KEY=xai-0123456789abcdefgh",
    );
    let [groq, xai] = &scan(Some(home), &[]).keys[..] else { panic!("two keys") };
    write(home, ".profile", "");
    write(home, ".env", "\n\nGROQ_API_KEY=gsk_CANARY0123456789abc\n");
    let again = scan(Some(home), &[]);
    assert_eq!(again.keys[0].secret.fingerprint(), groq.secret.fingerprint());
    assert_ne!(groq.secret.fingerprint(), xai.secret.fingerprint());
    assert_eq!(groq.secret.fingerprint().len(), 16);
    assert!(!format!("{again:?}").contains("CANARY"), "the report prints the key");
}

#[test]
fn a_folder_is_searched_for_env_files_and_not_for_what_others_wrote() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    let line = |letter: char| format!("GROQ_API_KEY=gsk_0123456789abcdef{letter}\n");
    write(home, "work/api/.env.local", &line('g'));
    write(home, "work/production.env", &line('h'));
    write(home, "work/node_modules/x/.env", &line('i'));
    write(home, "work/notes.txt", &line('j'));
    let report = scan(Some(home), &[home.join("work")]);
    let found = told(&report, home);
    assert_eq!(
        found,
        [
            "Groq work/api/.env.local:1 GROQ_API_KEY (-)",
            "Groq work/production.env:1 GROQ_API_KEY (-)",
        ]
    );
}

#[test]
fn a_named_file_of_any_name_is_read_and_what_cannot_be_is_told() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    let notes = write(home, "notes.txt", "the key: gsk_0123456789abcdefg\n");
    let large = write(home, "large.env", "");
    File::options().write(true).open(&large).expect("open").set_len(FILE_BYTES_MAX).expect("long");
    let report = scan(Some(home), &[notes, large.clone(), home.join("gone")]);
    assert_eq!(told(&report, home), ["Groq notes.txt:1 key (-)"]);
    let [gone] = &report.problems[..] else { panic!("one problem: {:?}", report.problems) };
    assert!(gone.path.ends_with("gone") && gone.what.starts_with("cannot be read"), "{gone:?}");

    File::options()
        .write(true)
        .open(&large)
        .expect("open")
        .set_len(FILE_BYTES_MAX + 1)
        .expect("long");
    let report = scan(Some(home), &[large]);
    assert_eq!(report.problems[0].what, "has more than 4 MiB");
}

#[test]
fn without_a_home_folder_named_files_alone_are_read() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    write(home, ".zshrc", "GROQ_API_KEY=gsk_0123456789abcdefg\n");
    let named = write(home, "work.env", "XAI_API_KEY=xai-0123456789abcdefgh\n");
    let report = scan(None, &[named]);
    assert_eq!(told(&report, home), ["xAI work.env:1 XAI_API_KEY (-)"]);
}

#[test]
fn a_report_has_at_most_so_many_keys_and_places() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    let keys = |count: usize| -> String {
        (0..count).map(|number| format!("k=gsk_abcdefghijk{number:06}\n")).collect()
    };
    write(home, ".env", &keys(KEYS_MAX));
    let report = scan(Some(home), &[]);
    assert_eq!((report.keys.len(), report.is_truncated), (KEYS_MAX, false));
    write(home, ".env", &keys(KEYS_MAX + 1));
    let report = scan(Some(home), &[]);
    assert_eq!((report.keys.len(), report.is_truncated), (KEYS_MAX, true));

    write(home, ".env", &"k=gsk_abcdefghijk012345\n".repeat(PLACES_MAX));
    let report = scan(Some(home), &[]);
    assert_eq!((report.keys[0].places.len(), report.is_truncated), (PLACES_MAX, false));
    write(home, ".env", &"k=gsk_abcdefghijk012345\n".repeat(PLACES_MAX + 1));
    let report = scan(Some(home), &[]);
    assert_eq!((report.keys[0].places.len(), report.is_truncated), (PLACES_MAX, true));
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_within_the_named_folder_alone() {
    use std::os::unix::fs::symlink;
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    let other = write(home, "other/.env", "XAI_API_KEY=xai-0123456789abcdefgh\n");
    let shared = write(home, "work/config/dev.env", "GROQ_API_KEY=gsk_0123456789abcdef0123\n");
    symlink(&other, home.join("work/.env")).expect("a link");
    symlink(&shared, home.join("work/.env.local")).expect("a link");
    symlink(home.join("other"), home.join("work/linked")).expect("a link");
    let report = scan(None, &[home.join("work")]);
    let places: Vec<_> = report.keys.iter().flat_map(|key| &key.places).collect();
    assert!(!places.is_empty(), "{report:?}");
    for place in places {
        assert!(!place.path.ends_with("work/.env"), "{place:?}");
        assert!(!place.path.starts_with(home.join("work/linked")), "{place:?}");
    }
    assert!(told(&report, home).iter().all(|key| key.starts_with("Groq")), "{report:?}");
}
