//! Reads nextest's JUnit report, and marks the tests in it that skipped themselves.
//!
//! nextest knows no result "skipped" at run time: a test that misses something on this machine
//! prints a line and passes. Here it is taken out of the passed ones and marked in the report.

use anyhow::{Context, Result};
use roxmltree::{Document, Node};

use super::counts::{TestCounts, require_tests};

/// Start of the line that a test prints: `test-support/src/requirements.rs`.
const SKIPPED: &str = "SKIPPED: ";

#[derive(Debug)]
pub(super) struct JunitReport {
    /// The report, with `<skipped>` in each test that skipped itself.
    pub(super) text: String,
    pub(super) counts: TestCounts,
    /// Name of each skipped test, and the reason.
    pub(super) skipped: Vec<(String, String)>,
}

impl JunitReport {
    /// Reads a report. It lists only tests that ran: those excluded by a filter do not count as
    /// skipped, since they belong to another step.
    pub(super) fn parse(report: &str) -> Result<Self> {
        let document = Document::parse(report).context("the JUnit report is not XML")?;
        let root = document.root_element();
        let failed = read_number(root, "failures")? + read_number(root, "errors")?;
        let tests = read_number(root, "tests")?;
        let mut text = String::with_capacity(report.len());
        let (mut skipped, mut copied) = (Vec::new(), 0);
        for case in root.descendants().filter(|node| node.has_tag_name("testcase")) {
            let (Some(reason), Some(first)) = (skip_reason(case), case.first_child()) else {
                continue;
            };
            let at = first.range().start;
            text.push_str(report.get(copied..at).unwrap_or_default());
            text.push_str(&format!("<skipped message=\"{}\"/>", escape(reason)));
            copied = at;
            let name = case.attribute("name").unwrap_or_default();
            skipped.push((name.to_owned(), reason.to_owned()));
        }
        text.push_str(report.get(copied..).unwrap_or_default());
        let passed = tests.saturating_sub(failed).saturating_sub(skipped.len() as u64);
        let counts = TestCounts { passed, failed, skipped: skipped.len() as u64 };
        Ok(Self { text, counts: require_tests(counts)?, skipped })
    }
}

/// The reason that a test printed; `None` if it printed none, or failed.
fn skip_reason<'a>(case: Node<'a, '_>) -> Option<&'a str> {
    let is = |name: &'static str| move |node: &Node<'_, '_>| node.has_tag_name(name);
    if case.children().any(|node| is("failure")(&node) || is("error")(&node)) {
        return None;
    }
    let outputs = case.children().filter(|node| is("system-out")(node) || is("system-err")(node));
    outputs
        .filter_map(|output| output.text())
        .flat_map(str::lines)
        .find_map(|line| line.strip_prefix(SKIPPED))
}

fn read_number(root: Node<'_, '_>, name: &str) -> Result<u64> {
    let text = root.attribute(name).with_context(|| format!("the JUnit report has no `{name}`"))?;
    text.parse().with_context(|| format!("`{name}` of the JUnit report is no number"))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{JunitReport, TestCounts};

    const fn counts(passed: u64, failed: u64, skipped: u64) -> TestCounts {
        TestCounts { passed, failed, skipped }
    }

    #[test]
    fn counts_of_nextest() {
        let report = r#"<?xml version="1.0"?><testsuites name="nextest-run" tests="5" failures="1" errors="1" time="0.1"/>"#;
        assert_eq!(JunitReport::parse(report).unwrap().counts, counts(3, 2, 0));
        for faulty in [
            "<testsuites tests=\"0\" failures=\"0\" errors=\"0\"/>",
            "<testsuites tests=\"1\"/>",
            "",
        ] {
            assert!(JunitReport::parse(faulty).is_err(), "{faulty}");
        }
    }

    #[test]
    fn a_test_that_skipped_itself_is_marked_and_does_not_count_as_passed() {
        let case =
            |name: &str, inside: &str| format!("<testcase name=\"{name}\">{inside}</testcase>");
        let cases = [
            case("silent", "<system-err></system-err>"),
            case(
                "skips",
                "<system-out>x</system-out><system-err>a\nSKIPPED: no \"&lt;b\"\n</system-err>",
            ),
            case("fails", "<failure type=\"t\"/><system-err>SKIPPED: but failed</system-err>"),
            case("mentions", "<system-out>not SKIPPED: here</system-out>"),
            "<testcase name=\"empty\"/>".to_owned(),
        ]
        .concat();
        let report = format!(
            "<testsuites tests=\"5\" failures=\"1\" errors=\"0\"><testsuite>{cases}</testsuite></testsuites>"
        );
        let read = JunitReport::parse(&report).unwrap();
        assert_eq!(read.counts, counts(3, 1, 1));
        assert_eq!(read.skipped, [("skips".to_owned(), "no \"<b\"".to_owned())]);
        let marked =
            "<testcase name=\"skips\"><skipped message=\"no &quot;&lt;b&quot;\"/><system-out>";
        assert_eq!(read.text, report.replace("<testcase name=\"skips\"><system-out>", marked));
    }
}
