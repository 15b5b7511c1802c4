//! Tests that need something that a machine may lack.
//!
//! The test runner knows no result "skipped" at run time. Such a test prints a line and returns;
//! `cargo xtask test` finds the line and counts the test as skipped instead of passed.

use std::path::PathBuf;

/// Start of the line; `xtask/src/test/junit.rs` looks for it.
const SKIPPED: &str = "SKIPPED: ";

/// Set by `cargo xtask test`, which installs what a machine lacks.
const STRICT_VARIABLE: &str = "GATEHOUSE_TESTS_STRICT";

/// Marks the running test as skipped. The caller returns.
#[expect(clippy::print_stderr, reason = "the test's output is where `cargo xtask test` looks")]
pub fn skip_test(reason: &str) {
    eprintln!("{SKIPPED}{reason}");
}

/// Marks the running test as skipped, because something is missing that `cargo xtask test`
/// installs; fails under `cargo xtask test`. `message` says what is missing and how to install it.
///
/// # Panics
///
/// If `GATEHOUSE_TESTS_STRICT` is 1.
#[expect(clippy::disallowed_methods, reason = "the suite's own switch")]
pub fn skip_unless_strict(message: &str) {
    assert!(std::env::var_os(STRICT_VARIABLE).is_none_or(|value| value != "1"), "{message}");
    skip_test(message);
}

/// True if all `programs` are installed. Otherwise acts like [`skip_unless_strict`]; `packages` are
/// Debian's packages with the programs.
///
/// # Panics
///
/// If one is missing and `GATEHOUSE_TESTS_STRICT` is 1.
#[must_use]
pub fn has_programs(programs: &[&str], packages: &str) -> bool {
    let missing: Vec<&str> =
        programs.iter().copied().filter(|program| find_program(program).is_none()).collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        skip_unless_strict(&format!("not installed: {missing} (apt install {packages})"));
        return false;
    }
    true
}

/// Looks for a program as a shell does.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "looks for programs as a shell does")]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}
