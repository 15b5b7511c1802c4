//! Checks the npm packages of the lock files for vulnerabilities known to the registry. If the
//! registry does not answer (offline, or a mirror that only serves packages), the step is skipped
//! with a message.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::counts::TestCounts;
use super::{StepContext, StepOutcome};
use crate::call::ProgramCall;

/// Severities that fail the step.
const SEVERITIES_FAILING: [&str; 2] = ["high", "critical"];

/// The result of `npm audit --json`.
#[derive(Debug, PartialEq, Eq)]
enum NpmAudit {
    /// No severe vulnerability is known.
    Clean,
    /// Packages with a severe vulnerability.
    Severe(Vec<String>),
    /// The registry did not answer, with the reason.
    Unanswered(String),
}

/// Audits the panel's packages, and those of the tests: vendors' SDKs, coding tools, judges of MCP.
pub(super) fn audit_npm(at: &StepContext<'_>) -> Result<StepOutcome> {
    let sdk = at.repository.root.join("tests/sdk");
    let folders = [at.repository.ui(), sdk.join("programs"), sdk.join("agents"), sdk];
    let mut counts = TestCounts::default();
    for folder in folders.iter().filter(|folder| folder.join("package-lock.json").is_file()) {
        counts = counts.plus(audit_folder(folder)?);
    }
    Ok(StepOutcome::Counted(counts))
}

fn audit_folder(folder: &Path) -> Result<TestCounts> {
    let said = ProgramCall::npm("audit --json --package-lock-only", folder).capture()?;
    match parse_report(&said.stdout)? {
        NpmAudit::Clean => Ok(TestCounts::one_passed()),
        NpmAudit::Severe(packages) => {
            println!("{}: {}; see `npm audit` there", folder.display(), packages.join(", "));
            Ok(TestCounts::one_failed())
        }
        NpmAudit::Unanswered(why) => {
            println!("SKIPPED: npm audit in {}: {why}", folder.display());
            Ok(TestCounts::one_skipped())
        }
    }
}

fn parse_report(report: &str) -> Result<NpmAudit> {
    let report: Value = serde_json::from_str(report).context("npm audit printed no JSON")?;
    if let Some(packages) = report.get("vulnerabilities").and_then(Value::as_object) {
        let is_grave = |package: &Value| {
            let severity = package.get("severity").and_then(Value::as_str);
            severity.is_none_or(|severity| SEVERITIES_FAILING.contains(&severity))
        };
        let grave = packages.iter().filter(|(_, package)| is_grave(package));
        let grave: Vec<String> = grave.map(|(name, _)| name.clone()).collect();
        return Ok(if grave.is_empty() { NpmAudit::Clean } else { NpmAudit::Severe(grave) });
    }
    match report.get("message").and_then(Value::as_str) {
        Some(why) if report.get("error").is_some() => Ok(NpmAudit::Unanswered(why.to_owned())),
        _ => bail!("npm audit printed neither a report nor an error"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grave_vulnerability_fails_and_a_silent_registry_is_reported() {
        let check =
            |report: &str, expected| assert_eq!(parse_report(report).expect(report), expected);
        check(r#"{"auditReportVersion":2,"vulnerabilities":{}}"#, NpmAudit::Clean);
        check(r#"{"vulnerabilities":{"a":{"severity":"moderate"}}}"#, NpmAudit::Clean);
        check(
            r#"{"vulnerabilities":{"a":{"severity":"low"},"b":{"severity":"critical"},"c":{}}}"#,
            NpmAudit::Severe(vec!["b".to_owned(), "c".to_owned()]),
        );
        check(
            r#"{"message":"405 Method Not Allowed","statusCode":405,"error":{"summary":""}}"#,
            NpmAudit::Unanswered("405 Method Not Allowed".to_owned()),
        );
        for nonsense in ["", "{}", "[]", r#"{"message":"x"}"#] {
            assert!(parse_report(nonsense).is_err(), "{nonsense}: silence is no clean report");
        }
    }
}
