//! Counts tests from the reports of the test runners.
//!
//! It reads machine-readable reports where there are any, since the summaries for people change
//! between versions. A missing or empty report is an error: a runner that found no tests must not
//! look like one whose tests all passed.

use std::fmt;

use anyhow::{Context, Result, bail};
use serde_json::Value;

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct TestCounts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

impl TestCounts {
    pub(super) fn one_passed() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    pub(super) fn one_failed() -> Self {
        Self { failed: 1, ..Self::default() }
    }

    pub(super) fn one_skipped() -> Self {
        Self { skipped: 1, ..Self::default() }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for TestCounts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(out, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// Reads Vitest's JSON report.
pub(super) fn from_vitest(report: &str) -> Result<TestCounts> {
    let report: Value = serde_json::from_str(report).context("Vitest's report is not JSON")?;
    let number = |name: &str| read_number(&report, name);
    // A file that does not load has no tests that could fail, so it counts as one failed test.
    let broken_files = report
        .get("testResults")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|file| {
            let no_tests =
                file.get("assertionResults").and_then(Value::as_array).is_none_or(Vec::is_empty);
            no_tests && file.get("status").is_some_and(|status| status == "failed")
        })
        .count();
    require_tests(TestCounts {
        passed: number("numPassedTests")?,
        failed: number("numFailedTests")? + broken_files as u64,
        skipped: number("numPendingTests")? + number("numTodoTests")?,
    })
}

/// Reads Playwright's JSON report. A flaky test, which passed only when repeated, counts as failed.
pub(super) fn from_playwright(report: &str) -> Result<TestCounts> {
    let report: Value = serde_json::from_str(report).context("Playwright's report is not JSON")?;
    let stats = report.get("stats").context("Playwright's report has no `stats`")?;
    let number = |name: &str| read_number(stats, name);
    require_tests(TestCounts {
        passed: number("expected")?,
        failed: number("unexpected")? + number("flaky")?,
        skipped: number("skipped")?,
    })
}

/// Adds up rustdoc's lines `test result: ok. 3 passed; 0 failed; 1 ignored; …`; rustdoc has no
/// machine-readable report.
pub(super) fn from_doc_tests(output: &str) -> TestCounts {
    let results = output.lines().filter_map(|line| line.trim().strip_prefix("test result: "));
    results.fold(TestCounts::default(), |total, line| {
        let number = |what: &str| {
            let before = line.split(what).next().filter(|before| before.len() < line.len());
            before.and_then(|b| b.split_whitespace().next_back()?.parse().ok()).unwrap_or(0)
        };
        total.plus(TestCounts {
            passed: number(" passed"),
            failed: number(" failed"),
            skipped: number(" ignored"),
        })
    })
}

fn read_number(value: &Value, name: &str) -> Result<u64> {
    value.get(name).and_then(Value::as_u64).with_context(|| format!("the report has no `{name}`"))
}

pub(super) fn require_tests(counts: TestCounts) -> Result<TestCounts> {
    if counts == TestCounts::default() {
        bail!("the runner found no tests");
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::{TestCounts, from_doc_tests, from_playwright, from_vitest};

    const fn counts(passed: u64, failed: u64, skipped: u64) -> TestCounts {
        TestCounts { passed, failed, skipped }
    }

    #[test]
    fn the_closing_line_is_plain() {
        assert_eq!(counts(12, 1, 0).to_string(), "12 passed, 1 failed");
        assert_eq!(counts(12, 0, 2).to_string(), "12 passed, 0 failed, 2 skipped");
    }

    #[test]
    fn json_of_vitest_counts_a_file_that_does_not_load() {
        let report = r#"{"numPassedTests":3,"numFailedTests":1,"numPendingTests":1,"numTodoTests":0,
            "testResults":[{"status":"failed","assertionResults":[]},
                           {"status":"failed","assertionResults":[{}]}]}"#;
        assert_eq!(from_vitest(report).unwrap(), counts(3, 2, 1));
        assert!(from_vitest("{}").is_err());
    }

    #[test]
    fn json_of_playwright_counts_flaky_as_failed() {
        let report = r#"{"stats":{"expected":7,"unexpected":1,"flaky":1,"skipped":2}}"#;
        assert_eq!(from_playwright(report).unwrap(), counts(7, 2, 2));
        assert!(
            from_playwright(r#"{"stats":{"expected":0,"unexpected":0,"flaky":0,"skipped":0}}"#)
                .is_err()
        );
    }

    #[test]
    fn lines_of_doc_tests_add_up() {
        let output = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                      all well\ntest result: FAILED. 0 passed; 2 failed; 0 ignored; 0 measured\n";
        assert_eq!(from_doc_tests(output), counts(3, 2, 1));
        assert_eq!(from_doc_tests(""), counts(0, 0, 0));
    }
}
