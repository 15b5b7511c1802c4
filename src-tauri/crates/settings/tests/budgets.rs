//! Budgets in the settings file.

#![expect(clippy::expect_used, reason = "a fixture that cannot be made fails its test")]

use std::convert::Infallible;

use domain::{Budget, BudgetDimension, BudgetId, BudgetPeriod, NanoUsd};
use settings::SettingsStore;

fn opened(text: &str) -> (tempfile::TempDir, SettingsStore) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.toml");
    settings::write_atomic(&path, text.as_bytes()).expect("written");
    let store = SettingsStore::open(&path).expect("opens");
    (folder, store)
}

#[test]
fn a_budget_is_read_to_the_digit_and_written_as_a_person_would() {
    let (folder, store) = opened(
        "[budgets.site] # mine\nlimit_usd = 2.50 # a week\nperiod = \"week\"\nproject = \"site\"\n\
         [budgets.all]\nlimit_usd = 1_000\n",
    );
    assert_eq!(store.problems(), []);
    let id = |name: &str| BudgetId::new(name).expect("a name");
    let read = store.current().budgets.clone();
    let site = Budget {
        limit: NanoUsd::new(2_500_000_000),
        period: BudgetPeriod::Week,
        scope: Some((BudgetDimension::Project, "site".to_owned())),
    };
    assert_eq!(read.get(&id("site")), Some(&site));
    let all = read.get(&id("all")).expect("read");
    assert_eq!((all.limit.nanos(), all.period), (1_000_000_000_000, BudgetPeriod::Month));
    let edited = store.edit(|draft| {
        if let Some(all) = draft.budgets.get_mut(&id("all")) {
            all.limit = NanoUsd::new(20_000_000_160);
        }
        let tight = Budget { limit: NanoUsd::new(3_000_000_000), ..site.clone() };
        draft.budgets.insert(id("tight"), tight);
        Ok::<_, Infallible>(())
    });
    edited.expect("saved");
    let text = std::fs::read_to_string(folder.path().join("settings.toml")).expect("read");
    for line in ["limit_usd = 2.50 # a week", "limit_usd = 20.00000016\n", "limit_usd = 3\n"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let again = SettingsStore::open(folder.path().join("settings.toml")).expect("opens");
    assert_eq!(again.current().budgets, store.current().budgets);
}

#[test]
fn a_wrong_budget_is_named_by_its_field() {
    let check = |entry: &str, path: &str, what: &str| {
        let (_folder, store) = opened(&format!("[budgets.b]\n{entry}\n"));
        let problems = store.problems();
        let found = problems.iter().find(|problem| problem.path == path);
        let found = found.unwrap_or_else(|| panic!("{entry}: {problems:?}"));
        assert!(found.what.contains(what), "{entry}: {found:?}");
    };
    check("period = \"day\"", "budgets.b.limit_usd", "");
    let no_amount = "no amount above 0";
    for wrong in ["0", "-1", "1000001", "\"20\"", "nan", "inf", "true"] {
        check(&format!("limit_usd = {wrong}"), "budgets.b.limit_usd", no_amount);
    }
    check("limit_usd = 1\nperiod = \"year\"", "budgets.b.period", "");
    check(
        "limit_usd = 1\nclient = \"a\"\nbackend = \"b\"",
        "budgets.b.client",
        "one of backend and client",
    );
    check("limit_usd = 1\nmodel = \" \"", "budgets.b.model", "no name");
    check("limit_usd = 1\nlimit = 2", "budgets.b.limit", "");
}
