//! Plain copies of keys are removed and put back in a home of their own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::{CredentialId, Secret, WallTime};

use super::world::{World, read, target};
use crate::{
    ClientTool, CopyPlace, CopyRemovalPlan, PlainCopies, RemovedCopy, StoredKey, WiringError,
};

const KEY: &str = "sk-CANARY-7f3a9c51e2b84d06a1c9f05d";
const OTHER: &str = "gsk_0a1b2c3d4e5f6g7h";
const NOW: WallTime = WallTime::from_unix_ms(1_795_248_000_000);

fn stored(id: &str, secret: &str) -> StoredKey {
    StoredKey {
        id: CredentialId::new(id).expect("an id"),
        secret: Secret::parse(secret.to_owned()).expect("a key"),
    }
}

fn keys() -> Vec<StoredKey> {
    vec![stored("openai", KEY)]
}

fn copies(world: &World) -> PlainCopies {
    PlainCopies::new(&world.home(), &world.path("state"))
}

/// Every line of a file that has one of the keys.
fn places(path: &Path) -> Vec<CopyPlace> {
    let text = read(path).unwrap_or_default();
    let lines = (1..).zip(text.lines()).filter(|(_, line)| line.contains(KEY));
    lines.map(|(line, _)| CopyPlace { path: path.to_owned(), line }).collect()
}

fn remove(world: &World, path: &Path) -> Result<RemovedCopy, WiringError> {
    let (copies, places) = (copies(world), places(path));
    let plan = copies.plan(&keys(), &places).expect("a plan");
    let outcomes = copies.remove(&keys(), &places, &plan.fingerprint, NOW).expect("removed");
    outcomes.into_iter().next().expect("a file").1
}

/// Files of ours: nothing of the key may be in them.
fn assert_no_key_in_state(world: &World) {
    let found = test_support::search_tree(&world.path("state"), KEY).expect("searched");
    assert_eq!(found, Vec::<PathBuf>::new());
}

/// Removes the key from a file with this text, where `@` is the key, and puts it back.
#[track_caller]
fn check(name: &str, before: &str, after: &str) -> CopyRemovalPlan {
    let world = World::new();
    let path = world.home().join(name);
    let before = before.replace('@', KEY);
    world.write(&path, &before);
    let plan = copies(&world).plan(&keys(), &places(&path)).expect("a plan");
    let diff = plan.files.first().map(|file| file.diff.clone()).unwrap_or_default();
    assert!(!format!("{plan:?}").contains("CANARY"), "{plan:?}");
    let removed = remove(&world, &path).unwrap_or_else(|error| panic!("{error} of {name}"));
    assert_eq!(read(&path).expect("a file"), after, "{name}\n{diff}");
    assert_no_key_in_state(&world);
    assert_eq!(copies(&world).removed().expect("listed"), std::slice::from_ref(&removed), "{name}");
    assert!(removed.can_restore, "{name}");
    copies(&world).restore(&removed.id, &keys()).expect("restored");
    assert_eq!(read(&path).expect("a file"), before, "{name}");
    assert_eq!(copies(&world).removed().expect("listed"), []);
    plan
}

#[test]
fn a_copy_is_emptied_where_it_stands_and_all_else_stays_byte_for_byte() {
    for (before, after) in [
        ("OPENAI_API_KEY=@", "OPENAI_API_KEY="),
        (
            "# mine\r\nA=1\r\nexport K='@'  # main\r\n\r\nB=2\r\n",
            "# mine\r\nA=1\r\nexport K=''  # main\r\n\r\nB=2\r\n",
        ),
        ("K=\"@\"\nL=`@`\n# M=@\nK=@\n", "K=\"\"\nL=``\n# M=\nK=\n"),
        (
            "\u{feff}K=@\nä=ü\nNOTE=\"one\nK=2\nthree\"\nL = @ # ä\n",
            "\u{feff}K=\nä=ü\nNOTE=\"one\nK=2\nthree\"\nL = \"\" # ä\n",
        ),
    ] {
        check("work/.env", before, after);
        check("work/production.env", before, after);
    }
    for (before, after) in [
        ("{\"key\":\"@\"}", "{\"key\":\"\"}"),
        (
            "// ä\n{\r\n  \"a\": [\"@\", {\"k\":\n\"@\"}], // mine\r\n  \"n\": 1.50,\n}\n",
            "// ä\n{\r\n  \"a\": [\"\", {\"k\":\n\"\"}], // mine\r\n  \"n\": 1.50,\n}\n",
        ),
        ("\u{feff}{\"ä\": \"@\", \"b\":\t\"@\"}", "\u{feff}{\"ä\": \"\", \"b\":\t\"\"}"),
    ] {
        check(".config/zed/settings.json", before, after);
        check(".config/opencode/opencode.jsonc", before, after);
    }
    check(
        ".codex/config.toml",
        "# ä\r\na = '@' # mine\r\n[b]\r\nc = [\"@\", \"\"\"@\"\"\"]\r\nd = { e = \"@\" }\r\n[[f]]\r\ng = 1\r\n",
        "# ä\r\na = '' # mine\r\n[b]\r\nc = [\"\", \"\"\"\"\"\"]\r\nd = { e = \"\" }\r\n[[f]]\r\ng = 1\r\n",
    );
    check(
        ".codex/auth.json",
        "{\"OPENAI_API_KEY\": \"@\", \"x\": \"@\"}",
        "{\"OPENAI_API_KEY\": null, \"x\": null}",
    );
}

#[test]
fn the_diff_shows_the_last_characters_of_the_key_and_no_other_secret() {
    let world = World::new();
    let path = world.home().join(".env");
    let text = format!("DATABASE=me:hunter22\nMAIN_KEY={KEY} # mine\nPORT=80\n# {KEY} too\n");
    world.write(&path, &text);
    let plan = copies(&world).plan(&keys(), &places(&path)).expect("a plan");
    let shown = plan.files[0].diff.split_once("@@\n").expect("a hunk").1;
    assert_eq!(
        shown,
        " DATABASE=…\n-MAIN_KEY=…f05d # mine\n+MAIN_KEY=\"\" # mine\n PORT=80\n # … too\n"
    );
    assert_eq!((plan.files[0].lines.as_slice(), plan.left[0].place.line), (&[2][..], 4));

    // A file on one line is shown around the change.
    let path = world.home().join("a.json");
    let long = "word ".repeat(1_000);
    world.write(&path, &format!("{{\"a\":\"{long}\",\"apiKey\":\"{OTHER}\",\"b\":\"{KEY}\"}}"));
    let plan = copies(&world).plan(&keys(), &places(&path)).expect("a plan");
    let diff = &plan.files[0].diff;
    assert!(diff.len() < 1_200 && !diff.contains("0a1b"), "{diff}");
    assert!(diff.contains(",\"b\":\"…f05d\"}") && diff.contains(",\"b\":\"\"}"), "{diff}");
}

#[test]
fn what_is_no_whole_value_is_left_with_the_reason() {
    for (name, text) in [
        (".env", "URL=https://x/?key=@\n"),
        (".env", "K=@ and more\n"),
        (".env", "K=\"one\n@\n\"\n"),
        ("a.json", "{\"a\": 1 /* @ */}"),
        ("a.json", "{\"a\": \"Bearer @\"}"),
        ("a.toml", "a = 1 # @\n"),
        ("a.toml", "a = \"\"\"\n@\"\"\"\n"),
    ] {
        let world = World::new();
        let path = world.home().join(name);
        world.write(&path, &text.replace('@', KEY));
        let plan = copies(&world).plan(&keys(), &places(&path)).expect("a plan");
        assert_eq!(plan.files, [], "{text}");
        let [left] = &plan.left[..] else { panic!("{text}: {plan:?}") };
        assert!(left.reason.contains("in an editor"), "{}", left.reason);
        assert!(!format!("{plan:?}").contains("CANARY"));
    }
}

#[test]
fn a_file_that_its_parser_refuses_or_nobody_parses_is_left() {
    for (name, text, reason) in [
        ("a.json", "{\"a\": \"@\"", "is not valid JSON"),
        ("a.json", "{\"a\": \"@\", \"a\": 1}", "twice"),
        (
            "a.json",
            "{\"a\": \"sk-CANARY-7f3a9c51e2b84d06a1c9f05\\u0064\", \"b\": \"@\"}",
            "cannot be edited",
        ),
        ("a.toml", "a = @\n", "is not valid TOML"),
        (".zshrc", "export K=@\n", "shell script"),
        ("setup.sh", "export K=@\n", "shell script"),
        (".aider.conf.yml", "api-key: @\n", "of a kind"),
        ("notes", "@\n", "of a kind"),
    ] {
        let world = World::new();
        let path = world.home().join(name);
        let text = text.replace('@', KEY);
        world.write(&path, &text);
        let plan = copies(&world).plan(&keys(), &places(&path)).expect("a plan");
        assert_eq!(plan.files, [], "{text}");
        let [left] = &plan.left[..] else { panic!("{text}: {plan:?}") };
        assert!(left.reason.contains(reason), "{}", left.reason);
        assert!(!format!("{plan:?}").contains("CANARY"));
        assert_eq!(read(&path).as_ref(), Some(&text));
    }
}

#[cfg(unix)]
#[test]
fn links_second_names_and_files_for_reading_are_told_and_the_mode_stays() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let world = World::new();
    let text = format!("K={KEY}\n");
    let reason = |path: &Path| {
        let plan = copies(&world).plan(&keys(), &places(path)).expect("a plan");
        assert!(plan.files.is_empty() || plan.left.is_empty());
        plan.left.first().map(|left| left.reason.clone()).unwrap_or_default()
    };
    let (outside, real) = (world.path("outside.env"), world.home().join("dotfiles/env.env"));
    world.write(&outside, &text);
    world.write(&real, &text);
    let (elsewhere, link) = (world.home().join("elsewhere.env"), world.home().join(".env"));
    symlink(&outside, &elsewhere).expect("linked");
    symlink(&real, &link).expect("linked");
    assert!(reason(&outside).contains("outside of your home"));
    assert!(reason(&elsewhere).contains("is a link to"));

    let mode = |path: &Path| path.metadata().expect("a file").permissions().mode() & 0o777;
    let set_mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
    };
    set_mode(&real, 0o640);
    let removed = remove(&world, &link).expect("removed");
    assert!(link.is_symlink());
    assert_eq!((read(&real).as_deref(), mode(&real)), (Some("K=\n"), 0o640));
    let state = world.path("state/wiring/removed");
    let record = state.join(format!("{}.json", removed.id));
    assert_eq!((mode(&state), mode(&record)), (0o700, 0o600));
    copies(&world).restore(&removed.id, &keys()).expect("restored");
    assert_eq!((read(&real).as_ref(), mode(&real)), (Some(&text), 0o640));

    std::fs::hard_link(&real, world.home().join("second")).expect("linked");
    assert!(reason(&link).contains("several names"));
    std::fs::remove_file(world.home().join("second")).expect("removed");
    set_mode(&real, 0o440);
    assert!(reason(&link).contains("read-only"));
}

#[test]
fn two_names_of_a_file_are_one_change() {
    let world = World::new();
    let real = world.home().join("real.env");
    world.write(&real, &format!("K={KEY}\n"));
    #[cfg(unix)]
    std::os::unix::fs::symlink(&real, world.home().join(".env")).expect("linked");
    let both = [places(&real), places(&world.home().join(".env"))].concat();
    let plan = copies(&world).plan(&keys(), &both).expect("a plan");
    assert_eq!((plan.files.len(), plan.left.len()), (1, 0));
}

#[test]
fn a_wired_file_is_left_until_it_is_unwired() {
    let world = World::new();
    let config = world.config(ClientTool::ClaudeCode);
    world.write(&config, &format!("{{\"env\": {{\"MY_KEY\": \"{KEY}\"}}}}"));
    let wiring = world.wiring();
    wiring.wire(ClientTool::ClaudeCode, &target(), None).expect("wired");
    let plan = copies(&world).plan(&keys(), &places(&config)).expect("a plan");
    assert!(plan.left[0].reason.contains("Unwire Claude Code"), "{plan:?}");
    wiring.unwire(ClientTool::ClaudeCode, Default::default()).expect("unwired");
    remove(&world, &config).expect("removed");
    assert_eq!(read(&config).as_deref(), Some("{\"env\": {\"MY_KEY\": \"\"}}"));
    assert_no_key_in_state(&world);
}

#[test]
fn a_file_that_changed_since_the_preview_is_refused_and_nothing_is_lost() {
    let world = World::new();
    let path = world.home().join(".env");
    world.write(&path, &format!("K={KEY}\n"));
    let places = places(&path);
    let plan = copies(&world).plan(&keys(), &places).expect("a plan");
    let changed = format!("K={KEY}\nNEW=1\n");
    world.write(&path, &changed);
    let refused = copies(&world).remove(&keys(), &places, &plan.fingerprint, NOW);
    assert!(matches!(refused, Err(WiringError::Outdated(_))));
    assert_eq!(read(&path).as_ref(), Some(&changed));
    assert_eq!(copies(&world).removed().expect("listed"), []);
}

#[test]
fn a_change_while_the_new_file_is_prepared_is_kept() {
    let world = World::new();
    let path = world.home().join(".env");
    world.write(&path, &format!("K={KEY}\n"));
    let places = places(&path);
    let plan = copies(&world).plan(&keys(), &places).expect("a plan");
    let mut copies_ = copies(&world);
    let changed = format!("K={KEY}\nNEW=1\n");
    let (written, text) = (path.clone(), changed.clone());
    copies_.disk.after_step = Some(Box::new(move || {
        let is_prepared = written.parent().expect("a folder").read_dir().expect("entries");
        let is_prepared = is_prepared
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with(".gatehouse-wiring-"));
        if is_prepared {
            let mut file = std::fs::File::create(&written).expect("a file");
            std::io::Write::write_all(&mut file, text.as_bytes()).expect("written");
        }
    }));
    let outcomes = copies_.remove(&keys(), &places, &plan.fingerprint, NOW).expect("tried");
    assert!(matches!(outcomes[0].1, Err(WiringError::Outdated(_))), "{outcomes:?}");
    assert_eq!(read(&path).as_ref(), Some(&changed));
    assert_eq!(copies(&world).removed().expect("listed"), []);
    assert_eq!(
        world.names(&world.home().join("")).iter().filter(|it| it.starts_with(".gate")).count(),
        0
    );
}

#[test]
fn the_undo_finds_its_line_in_a_file_that_moved_on_and_refuses_another_one() {
    let world = World::new();
    let path = world.home().join(".env");
    world.write(&path, &format!("A=1\nK={KEY} # mine\n"));
    let removed = remove(&world, &path).expect("removed");
    world.write(&path, "NEW=1\r\nA=2\r\nK=\"\" # mine\r\n");
    copies(&world).restore(&removed.id, &keys()).expect("restored");
    let moved = format!("NEW=1\r\nA=2\r\nK={KEY} # mine\r\n");
    assert_eq!(read(&path), Some(moved));

    for text in ["K=another # mine\n", "", "K=\"\" # mine\nK=\"\" # mine\n"] {
        world.write(&path, &format!("A=1\nB=2\nK={KEY} # mine\n"));
        let removed = remove(&world, &path).expect("removed");
        world.write(&path, text);
        let refused = copies(&world).restore(&removed.id, &keys()).expect_err("refused");
        assert!(refused.to_string().contains("in an editor"), "{refused}");
        assert_eq!(read(&path).as_deref(), Some(text));
        let listed = copies(&world).removed().expect("listed");
        assert!(listed.iter().all(|it| !it.can_restore), "{listed:?}");
    }
}

#[test]
fn the_undo_needs_the_same_key_in_the_vault() {
    let world = World::new();
    let path = world.home().join(".env");
    world.write(&path, &format!("K={KEY}\n"));
    let removed = remove(&world, &path).expect("removed");
    let replaced = [stored("openai", OTHER)];
    let refused = copies(&world).restore(&removed.id, &replaced).expect_err("refused");
    assert!(refused.to_string().contains("no longer has as openai"), "{refused}");
    assert_eq!(read(&path).as_deref(), Some("K=\n"));
    // Under another name it is the same key.
    copies(&world).restore(&removed.id, &[stored("main", KEY)]).expect("restored");
    assert_eq!(read(&path), Some(format!("K={KEY}\n")));
    let gone = copies(&world).restore(&removed.id, &keys()).expect_err("refused");
    assert!(matches!(gone, WiringError::NotRemoved(_)), "{gone}");
    let other = copies(&world).restore("../lock", &keys()).expect_err("refused");
    assert!(matches!(other, WiringError::NotRemoved(_)), "{other}");
}

#[test]
fn two_keys_of_a_line_go_and_come_back_each_in_its_place() {
    let world = World::new();
    let path = world.home().join("a.json");
    let text = format!("{{\"a\":\"{KEY}\",\"b\":\"{OTHER}\",\"c\":\"{KEY}\"}}");
    world.write(&path, &text);
    let both = [stored("groq", OTHER), stored("openai", KEY)];
    let (copies, places) = (copies(&world), places(&path));
    let plan = copies.plan(&both, &places).expect("a plan");
    let outcomes = copies.remove(&both, &places, &plan.fingerprint, NOW).expect("removed");
    let removed = outcomes[0].1.as_ref().expect("removed");
    assert_eq!(removed.keys, ["groq", "openai"]);
    assert_eq!(read(&path).as_deref(), Some("{\"a\":\"\",\"b\":\"\",\"c\":\"\"}"));
    copies.restore(&removed.id, &both).expect("restored");
    assert_eq!(read(&path), Some(text));
}

/// After each step of `change`, a kill leaves the old or the new file, and what a start then finds leads
/// to the old one.
fn check_kills(
    world: &World,
    path: &Path,
    whole: [&str; 2],
    change: impl FnOnce(&PlainCopies),
) -> usize {
    let steps = Arc::new(AtomicUsize::new(0));
    let mut observed = copies(world);
    let (counted, home, state) = (Arc::clone(&steps), world.home(), world.path("state"));
    let (kills, name) = (world.path("kills"), path.strip_prefix(&home).expect("below").to_owned());
    observed.disk.after_step = Some(Box::new(move || {
        let step = counted.fetch_add(1, Ordering::Relaxed);
        super::kills::copy(&home, &kills.join(format!("{step}/home")));
        super::kills::copy(&state, &kills.join(format!("{step}/state")));
    }));
    change(&observed);
    let steps = steps.load(Ordering::Relaxed);
    for step in 0..steps {
        let left = world.path(&format!("kills/{step}"));
        // The records name the file by its path, so the state is put where it was.
        for part in ["home", "state"] {
            std::fs::remove_dir_all(world.path(part)).expect("removed");
            super::kills::copy(&left.join(part), &world.path(part));
        }
        let text = read(&world.home().join(&name)).expect("a file");
        assert!(whole.contains(&text.as_str()), "step {step}: {text}");
        assert_no_key_in_state(world);
        copies(world).repair().expect("repaired");
        let names = world.names(path.parent().expect("a folder"));
        let has_record = !copies(world).removed().expect("listed").is_empty();
        assert_eq!(has_record, text == whole[1], "step {step}: {names:?}");
        if has_record {
            let removed = copies(world).removed().expect("listed");
            copies(world).restore(&removed[0].id, &keys()).expect("restored");
        }
        assert_eq!(read(path).as_deref(), Some(whole[0]), "step {step}");
        let left = test_support::search_tree(&world.home(), KEY).expect("searched");
        assert_eq!(left, [path.to_owned()], "step {step}");
    }
    steps
}

#[test]
fn a_kill_after_any_step_loses_nothing() {
    let world = World::new();
    let path = world.home().join("work/.env");
    let (before, after) = (format!("A=1\nK={KEY}\n"), "A=1\nK=\n");
    world.write(&path, &before);
    let places = places(&path);
    let steps = check_kills(&world, &path, [&before, after], |copies| {
        let plan = copies.plan(&keys(), &places).expect("a plan");
        copies.remove(&keys(), &places, &plan.fingerprint, NOW).expect("removed");
    });
    assert!(steps >= 7, "{steps} steps");

    let removed = remove(&world, &path).expect("removed");
    let steps = check_kills(&world, &path, [&before, after], |copies| {
        copies.restore(&removed.id, &keys()).expect("restored");
    });
    assert!(steps >= 4, "{steps} steps");
}
