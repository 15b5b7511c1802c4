//! `cargo xtask layers`: checks the direction of imports.
//!
//! Two tables say which of our crates may import which, and which crates may import an outside
//! library. Both are checked against `cargo metadata`, so a wrong dependency fails before any code
//! uses it. Inside each crate, no circle of imports may have more than two files. Providers' fields
//! are named in `wire` alone.

mod circles;
mod provider_json;

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use crate::repository::Repository;

/// Our crates → the crates of ours that each may import. The bottom layer comes first; a crate may
/// import only crates above it in this table.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("sealing", &[]),
    ("private-files", &[]),
    ("sqlite-file", &["private-files"]),
    ("archive", &["domain", "private-files"]),
    ("session-logs", &["domain", "sqlite-file"]),
    ("wiring", &["domain", "sealing", "private-files"]),
    ("key-scan", &["domain"]),
    ("settings", &["domain", "private-files"]),
    ("vault", &["domain", "private-files"]),
    ("wire", &["domain"]),
    ("tokens", &["domain"]),
    ("routing", &["domain"]),
    ("pricing", &["domain"]),
    ("budgets", &["domain"]),
    ("alerts", &["domain"]),
    ("analytics", &["domain"]),
    ("service-levels", &["domain"]),
    ("billing", &["domain"]),
    ("resilience", &["domain"]),
    ("endpoints", &["domain", "resilience", "routing"]),
    ("cache", &["domain", "sealing", "sqlite-file"]),
    ("ledger", &["domain", "private-files", "sqlite-file", "pricing", "session-logs"]),
    (
        "gateway",
        &[
            "domain",
            "settings",
            "vault",
            "wire",
            "tokens",
            "routing",
            "pricing",
            "budgets",
            "resilience",
            "endpoints",
            "cache",
            "ledger",
        ],
    ),
    ("monitor", &["domain", "ledger", "alerts"]),
    ("readiness", &["domain"]),
    ("service-checks", &["domain", "settings", "gateway", "monitor"]),
    ("playground", &["domain", "wire", "ledger", "gateway"]),
    (
        "engine",
        &[
            "domain",
            "private-files",
            "archive",
            "settings",
            "vault",
            "wire",
            "tokens",
            "routing",
            "pricing",
            "analytics",
            "billing",
            "budgets",
            "alerts",
            "service-levels",
            "resilience",
            "endpoints",
            "cache",
            "ledger",
            "session-logs",
            "key-scan",
            "wiring",
            "gateway",
            "monitor",
            "readiness",
            "service-checks",
            "playground",
        ],
    ),
    (
        "control",
        &[
            "domain",
            "private-files",
            "archive",
            "settings",
            "vault",
            "routing",
            "pricing",
            "analytics",
            "billing",
            "budgets",
            "alerts",
            "service-levels",
            "resilience",
            "cache",
            "ledger",
            "session-logs",
            "key-scan",
            "wiring",
            "gateway",
            "monitor",
            "readiness",
            "service-checks",
            "playground",
            "engine",
        ],
    ),
    ("mcp", &["domain", "control"]),
    ("cli", &["domain", "engine", "control", "mcp"]),
    ("gatehouse-desktop", &["domain", "engine", "control", "mcp"]),
    (TEST_SUPPORT, &["domain"]),
    (
        ACCEPTANCE,
        &[
            "domain",
            "private-files",
            "archive",
            "settings",
            "vault",
            "wire",
            "tokens",
            "routing",
            "pricing",
            "resilience",
            "endpoints",
            "cache",
            "ledger",
            "gateway",
            "monitor",
            "readiness",
            "playground",
            "engine",
            "control",
            TEST_SUPPORT,
        ],
    ),
    ("xtask", &[]),
];

/// Fakes shared by tests; every crate may import it for its tests.
const TEST_SUPPORT: &str = "test-support";

/// The package of the acceptance tests, which contains only test code.
const ACCEPTANCE: &str = "acceptance";

/// Outside library → crates that may import it. `*` at the end of a name matches any ending, at the
/// start any beginning.
const FENCES: &[(&str, &[&str])] = &[
    ("iso_currency", &["domain"]),
    ("toml_edit", &["settings", "wiring"]),
    ("jsonc-parser", &["wiring"]),
    ("yaml-edit", &["wiring"]),
    ("keyring*", &["vault"]),
    ("*-keyring-store", &["vault"]),
    ("age", &["vault"]),
    ("rusqlite*", &["sqlite-file", "session-logs", "ledger", "cache", ACCEPTANCE]),
    ("hyper*", &["gateway", TEST_SUPPORT, ACCEPTANCE]),
    ("reqwest", &["gateway", TEST_SUPPORT, ACCEPTANCE]),
    ("oauth2", &["gateway"]),
    ("notify-rust", &["monitor"]),
    ("lettre", &["monitor"]),
    ("tauri*", &["gatehouse-desktop"]),
    ("arboard", &["gatehouse-desktop"]),
    ("clap*", &["cli", "xtask"]),
    // In `domain` behind a feature that only `control` turns on: value enums are defined once.
    ("specta*", &["domain", "control", "gatehouse-desktop"]),
    ("rmcp", &["mcp"]),
    ("prometheus-client", &["engine"]),
    ("sysinfo", &["engine"]),
    ("opentelemetry*", &["engine"]),
    ("prost", &["engine"]),
    ("tiktoken*", &["tokens"]),
    ("chacha20poly1305", &["sealing"]),
    ("moka", &["cache"]),
    ("redis", &["cache", "service-checks"]),
    ("tokio-postgres*", &["service-checks"]),
    ("walkdir", &["session-logs", "key-scan"]),
    ("ruzstd", &["session-logs"]),
    ("tar", &["archive"]),
    ("zstd", &["archive"]),
];

/// One dependency from a manifest.
struct CrateImport {
    from: String,
    to: String,
    kind: ImportKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ImportKind {
    /// In the built program or its build script.
    Built,
    /// In tests, examples and benchmarks only.
    Tests,
}

/// Checks every manifest of the workspace.
pub(crate) fn run(repository: &Repository) -> Result<()> {
    let metadata = MetadataCommand::new()
        .current_dir(&repository.root)
        .no_deps()
        .exec()
        .context("could not read the workspace's manifests")?;
    let (crates, imports) = list_imports(&metadata);
    let mut faults = find_violations(&crates, &imports);
    faults.extend(find_circles(repository, &metadata)?);
    faults.extend(provider_json::find(repository)?);
    for fault in &faults {
        println!("{fault}");
    }
    if !faults.is_empty() {
        bail!(
            "{} fault(s) against the layers; the tables stand in xtask/src/layers.rs",
            faults.len()
        );
    }
    println!("{} crates, {} imports: all in the allowed direction", crates.len(), imports.len());
    Ok(())
}

fn list_imports(metadata: &Metadata) -> (BTreeSet<String>, Vec<CrateImport>) {
    let crates = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let mut imports = Vec::new();
    for package in &metadata.packages {
        imports.extend(package.dependencies.iter().map(|dependency| CrateImport {
            from: package.name.to_string(),
            to: dependency.name.clone(),
            kind: match dependency.kind {
                DependencyKind::Development => ImportKind::Tests,
                _ => ImportKind::Built,
            },
        }));
    }
    (crates, imports)
}

fn find_circles(repository: &Repository, metadata: &Metadata) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for package in metadata.packages.iter().filter(|package| package.name != ACCEPTANCE) {
        for target in package.targets.iter().filter(|target| target.is_lib() || target.is_bin()) {
            for circle in circles::find(target.src_path.as_std_path())? {
                let files: Vec<_> = circle
                    .iter()
                    .map(|file| file.strip_prefix(&repository.root).unwrap_or(file))
                    .map(|file| format!("\n  {}", file.display()))
                    .collect();
                faults.push(format!(
                    "{}: {} files import each other in a circle:{}",
                    package.name,
                    files.len(),
                    files.concat()
                ));
            }
        }
    }
    Ok(faults)
}

fn find_violations(crates: &BTreeSet<String>, imports: &[CrateImport]) -> Vec<String> {
    let unknown = crates
        .iter()
        .filter(|name| allowed_imports(name).is_none())
        .map(|name| format!("{name} stands in no layer; add it to LAYERS"));
    let wrong = imports.iter().filter_map(|import| {
        if crates.contains(&import.to) {
            check_own_import(import)
        } else {
            check_outside_import(import)
        }
    });
    unknown.chain(wrong).collect()
}

fn check_own_import(CrateImport { from, to, kind }: &CrateImport) -> Option<String> {
    let allowed = allowed_imports(from)?;
    if to == TEST_SUPPORT && from != ACCEPTANCE {
        return (*kind == ImportKind::Built)
            .then(|| format!("{from} imports {TEST_SUPPORT}: that is for dev-dependencies only"));
    }
    (!allowed.contains(&to.as_str())).then(|| {
        let list = if allowed.is_empty() { "nothing of ours".into() } else { allowed.join(", ") };
        format!("{from} imports {to}: {from} may import only: {list}")
    })
}

fn check_outside_import(CrateImport { from, to, .. }: &CrateImport) -> Option<String> {
    let (fence, homes) = FENCES.iter().find(|(fence, _)| matches_pattern(fence, to))?;
    (!homes.contains(&from.as_str())).then(|| {
        format!("{from} imports {to}: {fence} may be imported only by: {}", homes.join(", "))
    })
}

fn allowed_imports(name: &str) -> Option<&'static [&'static str]> {
    LAYERS.iter().find(|(layer, _)| *layer == name).map(|(_, allowed)| *allowed)
}

fn matches_pattern(fence: &str, name: &str) -> bool {
    if let Some(beginning) = fence.strip_suffix('*') {
        name.starts_with(beginning)
    } else if let Some(end) = fence.strip_prefix('*') {
        name.ends_with(end)
    } else {
        name == fence
    }
}

#[cfg(test)]
mod tests {
    use super::{CrateImport, ImportKind, LAYERS, find_violations};

    fn check(from: &str, to: &str, kind: ImportKind) -> Vec<String> {
        let crates = LAYERS.iter().map(|(name, _)| (*name).to_owned()).collect();
        find_violations(&crates, &[CrateImport { from: from.into(), to: to.into(), kind }])
    }

    #[test]
    fn an_arrow_against_the_layers_names_what_is_allowed() {
        assert_eq!(
            check("routing", "ledger", ImportKind::Built),
            ["routing imports ledger: routing may import only: domain"]
        );
        assert_eq!(
            check("domain", "wire", ImportKind::Tests),
            ["domain imports wire: domain may import only: nothing of ours"]
        );
        assert!(check("gateway", "ledger", ImportKind::Built).is_empty());
    }

    #[test]
    fn test_support_is_for_tests_only() {
        assert!(check("gateway", "test-support", ImportKind::Tests).is_empty());
        assert_eq!(
            check("gateway", "test-support", ImportKind::Built),
            ["gateway imports test-support: that is for dev-dependencies only"]
        );
    }

    #[test]
    fn outside_libraries_stay_in_their_fence() {
        for (from, to) in [
            ("gateway", "rusqlite"),
            ("acceptance", "tauri"),
            ("control", "tauri-plugin-single-instance"),
            ("engine", "dbus-secret-service-keyring-store"),
            ("monitor", "reqwest"),
            ("settings", "clap"),
            ("ledger", "specta"),
        ] {
            assert_eq!(check(from, to, ImportKind::Built).len(), 1, "{from} imports {to}");
        }
        assert!(check("vault", "keyring-core", ImportKind::Built).is_empty());
        assert!(check("acceptance", "reqwest", ImportKind::Tests).is_empty());
        assert!(check("wire", "serde_json", ImportKind::Built).is_empty());
    }

    #[test]
    fn a_crate_in_no_layer_is_a_fault() {
        let crates = ["newcomer".to_owned()].into();
        assert_eq!(
            find_violations(&crates, &[]),
            ["newcomer stands in no layer; add it to LAYERS"]
        );
    }

    #[test]
    fn layers_point_only_to_what_stands_above_them_in_the_table() {
        for (place, (name, allowed)) in LAYERS.iter().enumerate() {
            for to in *allowed {
                let above = LAYERS.iter().take(place).any(|(layer, _)| layer == to);
                assert!(above, "{name} -> {to} would allow a circle");
            }
        }
    }
}
