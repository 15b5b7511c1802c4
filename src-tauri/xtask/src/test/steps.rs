//! The table of steps, cheap ones first.

use super::{StepOutcome, TestStep, audit, node, rust};
use crate::install::Prerequisite;
use crate::{bindings, layers, tidy};

/// The last step: it checks what the others left behind.
pub(super) const HERMETIC: &str = "hermetic";

/// The step whose packages are installed while others run.
pub(super) const SDK: &str = "sdk";

/// All steps, in the order in which they run.
pub(super) const STEPS: &[TestStep] = &[
    TestStep {
        name: "fmt",
        description: "the code is formatted",
        needs: &[Prerequisite::RustComponents],
        run: rust::fmt,
    },
    TestStep {
        name: "layers",
        description: "imports go one way",
        needs: &[],
        run: |at| layers::run(at.repository).map(|()| StepOutcome::Passed),
    },
    TestStep {
        name: "tidy",
        description: "lengths, names, docs, leftovers",
        needs: &[],
        run: |at| tidy::run(at.repository).map(|()| StepOutcome::Passed),
    },
    TestStep {
        name: "ui-build",
        description: "the panel builds, and starts with little script",
        needs: &[],
        run: node::build,
    },
    TestStep {
        name: "ui",
        description: "the panel's types, lint, unused code and unit tests",
        needs: &[],
        run: node::panel_tests,
    },
    TestStep {
        name: "deny",
        description: "licences, sources and advisories of what we depend on",
        needs: &[],
        run: rust::deny,
    },
    TestStep {
        name: "audit",
        description: "known vulnerabilities of the npm packages",
        needs: &[],
        run: audit::audit_npm,
    },
    TestStep {
        name: "clippy",
        description: "lints, warnings denied",
        needs: &[Prerequisite::RustComponents, Prerequisite::WebView],
        run: rust::clippy,
    },
    TestStep {
        name: "rust",
        description: "unit and acceptance tests of every crate",
        needs: &[
            Prerequisite::Nextest,
            Prerequisite::WebView,
            Prerequisite::Session,
            Prerequisite::Redis,
            Prerequisite::Postgres,
        ],
        run: rust::run_all_tests,
    },
    TestStep {
        name: "bindings",
        description: "the panel's types are those of the Rust code",
        needs: &[Prerequisite::WebView],
        run: |at| bindings::check(at.repository).map(|()| StepOutcome::Passed),
    },
    TestStep {
        name: "doc",
        description: "the documentation builds and its examples run",
        needs: &[Prerequisite::WebView],
        run: rust::doc,
    },
    TestStep {
        name: "browser",
        description: "every screen of the panel in a browser",
        needs: &[Prerequisite::Browser, Prerequisite::WebView],
        run: node::browser,
    },
    TestStep {
        name: SDK,
        description: "the vendors' own SDKs against the gateway",
        needs: &[Prerequisite::Nextest, Prerequisite::WebView, Prerequisite::Python],
        run: node::sdk,
    },
    TestStep {
        name: "window",
        description: "the real window on a screen of its own",
        needs: &[Prerequisite::Nextest, Prerequisite::WebView, Prerequisite::Session],
        run: rust::window,
    },
    TestStep {
        name: HERMETIC,
        description: "the tests left the user's own folders alone",
        needs: &[],
        run: |at| at.hermetic.check(),
    },
];

#[cfg(test)]
mod tests {
    use super::{HERMETIC, STEPS};

    #[test]
    fn names_are_unique_and_the_look_back_is_last() {
        let mut names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names.last(), Some(&HERMETIC));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
