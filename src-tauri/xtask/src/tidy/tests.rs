//! Each rule, once violated and once kept.

use super::text::{banned_word, check_contents, check_path, remove_self_started};
use super::{
    TidyFindings, TidyRule, ToleratedViolation, Violation, compare_with_exceptions, percentile_90,
    rust,
};

const PATH: &str = "src-tauri/crates/routing/src/plan.rs";

fn check(path: &str, source: &str) -> Vec<(TidyRule, usize)> {
    let mut findings =
        TidyFindings { faults: check_contents(path, source), ..TidyFindings::default() };
    rust::check(path, source, &mut findings);
    findings.faults.into_iter().map(|fault| (fault.rule, fault.line)).collect()
}

fn function(lines: usize) -> String {
    format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
}

#[test]
fn a_file_begins_with_its_doc() {
    assert_eq!(check(PATH, "//! Why.\nfn a() {}\n"), []);
    assert_eq!(check(PATH, "fn a() {}\n"), [(TidyRule::ModuleDoc, 1)]);
    assert_eq!(check(PATH, "// Why.\nfn a() {}\n"), [(TidyRule::ModuleDoc, 1)]);
}

#[test]
fn a_function_of_70_lines_passes_and_of_71_does_not() {
    assert_eq!(check(PATH, &format!("//! Why.\n{}", function(70))), []);
    assert_eq!(
        check(PATH, &format!("//! Why.\n{}", function(71))),
        [(TidyRule::FunctionLength, 2)]
    );
    let method = format!("//! Why.\nimpl A {{\n{}}}\n", function(71));
    assert_eq!(check(PATH, &method), [(TidyRule::FunctionLength, 3)]);
}

#[test]
fn tests_may_be_long() {
    let module = format!("//! Why.\n#[cfg(test)]\nmod tests {{\n{}}}\n", function(500));
    assert_eq!(check(PATH, &module), []);
    let file = format!("//! Why.\n{}", function(500));
    assert_eq!(check("src-tauri/crates/routing/src/plan/tests.rs", &file), []);
    let not = format!("//! Why.\n#[cfg(not(test))]\n{}", function(71));
    assert_eq!(check(PATH, &not), [(TidyRule::FunctionLength, 3)]);
}

#[test]
fn a_file_of_400_lines_passes_and_one_piece_may_have_600() {
    let file =
        |doc: &str, lines: usize| format!("//! Why.\n{doc}{}", "fn a() {}\n\n// x\n".repeat(lines));
    let one_piece = "//! One piece: the table is read as a whole.\n";
    assert_eq!(check(PATH, &file("", 400)), []);
    assert_eq!(check(PATH, &file("", 401)), [(TidyRule::FileLength, 1)]);
    assert_eq!(check(PATH, &file(one_piece, 600)), []);
    assert_eq!(check(PATH, &file(one_piece, 601)), [(TidyRule::FileLength, 1)]);
}

#[test]
fn names_that_name_nothing_are_found_in_types_and_paths() {
    assert_eq!(check(PATH, "//! Why.\nstruct KeyManager;\n"), [(TidyRule::Name, 2)]);
    assert_eq!(check(PATH, "//! Why.\nenum UtilsKind {}\n"), [(TidyRule::Name, 2)]);
    assert_eq!(check(PATH, "//! Why.\nstruct Manage;\nstruct Utility;\n"), []);
    assert_eq!(banned_word("http_helpers"), Some("helper"));
    assert_eq!(banned_word("commonplace"), None);
    assert_eq!(banned_word("ServiceLevelView"), None);
    assert_eq!(banned_word("service-levels"), None);
    for term in ["ServiceKind", "ServiceWatch", "service_checks", "parse-service-id", "services"] {
        assert_eq!(banned_word(term), None, "{term}");
    }
    for suffix in ["KeyService", "level_service", "key-services", "http_key_service"] {
        assert_eq!(banned_word(suffix), Some("service"), "{suffix}");
    }
    let named = check_path("ui/src/lib/string-utils.ts", 1);
    assert_eq!(named.first().map(|fault| fault.rule), Some(TidyRule::Name));
    let typed = check_contents("ui/src/lib/a.ts", "export interface KeyService {\n");
    assert_eq!(typed.first().map(|fault| fault.rule), Some(TidyRule::Name));
}

#[test]
fn leftovers_are_whole_words() {
    let note = concat!("TO", "DO");
    assert_eq!(check(PATH, &format!("//! Why.\n// {note}: later\n")), [(TidyRule::Leftover, 2)]);
    assert_eq!(check(PATH, &format!("//! Why.\nconst {note}_LIST: u8 = 1;\n")), []);
    assert_eq!(check(PATH, concat!("//! (to be ", "written)\n")), [(TidyRule::Leftover, 1)]);
    assert_eq!(check(PATH, "//! Why: it waits to be written to disk.\n"), []);
    assert_eq!(check(PATH, "//! Why.\nconst KEY: &str = \"sk-XXXX\";\n"), []);
}

#[test]
fn a_test_that_no_step_runs_is_found() {
    let test = "//! Why.\n#[test]\n#[ignore = \"slow\"]\nfn a() {}\n";
    assert_eq!(check("src-tauri/crates/vault/tests/a.rs", test), [(TidyRule::NeverRun, 3)]);
    assert_eq!(check("tests/window.rs", test), []);
}

#[test]
fn a_test_program_may_start_its_ignored_tests_itself() {
    let test = "#[ignore = \"inside\"]\n";
    let left = |path: &str, source: &str| {
        let mut faults = check_contents("a/tests/b.rs", test);
        remove_self_started(&mut faults, &[(path.to_owned(), source.to_owned())]);
        faults.len()
    };
    let starter = concat!("command.arg(\"--", "ignored\")");
    assert_eq!(left("a/tests/b.rs", starter), 0);
    assert_eq!(left("a/tests/b/session.rs", starter), 0);
    assert_eq!(left("a/tests/b/session.rs", ""), 1);
    assert_eq!(left("a/tests/other.rs", starter), 1);
}

#[test]
fn big_files_and_barrels_are_found_by_path() {
    let rules =
        |path: &str, bytes| check_path(path, bytes).iter().map(|f| f.rule).collect::<Vec<_>>();
    assert_eq!(rules("Cargo.lock", 400_000), []);
    assert_eq!(rules("Cargo.lock", 400_001), [TidyRule::FileSize]);
    assert_eq!(rules("ui/src/features/index.ts", 1), [TidyRule::Barrel]);
    assert_eq!(rules("ui/index.html", 1), []);
}

#[test]
fn a_secret_is_opened_in_two_files_only() {
    let method = "//! Why.\nfn a() { secret.expose(); }\n";
    let path = "//! Why.\nfn a() { secrets.map(Secret::expose); }\n";
    let test = "//! Why.\n#[cfg(test)]\nmod tests { fn a() { secret.expose(); } }\n";
    assert_eq!(check(PATH, method), [(TidyRule::Expose, 2)]);
    assert_eq!(check(PATH, path), [(TidyRule::Expose, 2)]);
    let inside_a_macro = "//! Why.\nfn a() { format!(\"{}\", [secret.expose()]); }\n";
    assert_eq!(check(PATH, inside_a_macro), [(TidyRule::Expose, 2)]);
    assert_eq!(check(PATH, test), []);
    assert_eq!(check("src-tauri/crates/vault/src/envelope.rs", method), []);
}

#[test]
fn a_file_that_does_not_parse_is_a_fault() {
    assert_eq!(check(PATH, "//! Why.\nfn a( {}\n"), [(TidyRule::Unreadable, 2)]);
}

#[test]
fn the_ratchet_turns_one_way() {
    let fault = |measure| Violation {
        rule: TidyRule::FileLength,
        path: PATH.to_owned(),
        line: 1,
        message: "too long".to_owned(),
        measure,
    };
    let exception = [ToleratedViolation { rule: TidyRule::FileLength, path: PATH, measure: 450 }];
    assert_eq!(compare_with_exceptions(&[fault(450)], &exception), Vec::<String>::new());
    assert_eq!(compare_with_exceptions(&[fault(451)], &exception), [format!("{PATH}:1: too long")]);
    let loose = |now| format!("{PATH}: its FileLength exception of 450 can come down to {now}");
    assert_eq!(compare_with_exceptions(&[fault(449)], &exception), [loose(449)]);
    assert_eq!(compare_with_exceptions(&[], &exception), [loose(0)]);
}

#[test]
fn the_ninetieth_percentile_is_by_nearest_rank() {
    assert_eq!(percentile_90(&[]), 0);
    assert_eq!(percentile_90(&[7]), 7);
    assert_eq!(percentile_90(&(1..=10).collect::<Vec<_>>()), 9);
    assert_eq!(percentile_90(&(1..=100).collect::<Vec<_>>()), 90);
}
