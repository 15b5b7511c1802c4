//! The table of steps, cheap ones first.

use super::{Outcome, Step, audit, node, rust};
use crate::install::Need;
use crate::{bindings, layers, tidy};

/// The last step: it checks what the others left behind.
pub(super) const HERMETIC: &str = "hermetic";

/// All steps, in the order in which they run.
pub(super) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        says: "the code is formatted",
        needs: &[Need::RustComponents],
        run: rust::fmt,
    },
    Step {
        name: "layers",
        says: "imports go one way",
        needs: &[],
        run: |at| layers::run(at.repository).map(|()| Outcome::Well),
    },
    Step {
        name: "tidy",
        says: "lengths, names, docs, leftovers",
        needs: &[],
        run: |at| tidy::run(at.repository).map(|()| Outcome::Well),
    },
    Step { name: "ui-build", says: "the panel builds", needs: &[], run: node::build },
    Step {
        name: "ui",
        says: "the panel's types, lint, unused code and unit tests",
        needs: &[],
        run: node::panel_tests,
    },
    Step {
        name: "deny",
        says: "licences, sources and advisories of what we depend on",
        needs: &[],
        run: rust::deny,
    },
    Step {
        name: "audit",
        says: "known vulnerabilities of the npm packages",
        needs: &[],
        run: audit::npm,
    },
    Step {
        name: "clippy",
        says: "lints, warnings denied",
        needs: &[Need::RustComponents, Need::WebView],
        run: rust::clippy,
    },
    Step {
        name: "rust",
        says: "unit and acceptance tests of every crate",
        needs: &[Need::Nextest, Need::WebView, Need::Session, Need::Redis],
        run: rust::all,
    },
    Step {
        name: "bindings",
        says: "the panel's types are those of the Rust code",
        needs: &[Need::WebView],
        run: |at| bindings::check(at.repository).map(|()| Outcome::Well),
    },
    Step {
        name: "doc",
        says: "the documentation builds and its examples run",
        needs: &[Need::WebView],
        run: rust::doc,
    },
    Step {
        name: "browser",
        says: "every screen of the panel in a browser",
        needs: &[Need::Browser, Need::WebView],
        run: node::browser,
    },
    Step {
        name: "sdk",
        says: "the vendors' own SDKs against the gateway",
        needs: &[Need::Nextest, Need::WebView, Need::Python],
        run: node::sdk,
    },
    Step {
        name: "window",
        says: "the real window on a screen of its own",
        needs: &[Need::Nextest, Need::WebView, Need::Session],
        run: rust::window,
    },
    Step {
        name: HERMETIC,
        says: "the tests left the user's own folders alone",
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
