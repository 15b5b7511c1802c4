//! Budgets in the settings file.

#![expect(clippy::expect_used, reason = "a fixture that cannot be made fails its test")]

mod fixture;

use std::convert::Infallible;

use domain::{
    Budget, BudgetAction, BudgetDimension, BudgetId, BudgetSchedule, NanoUsd, RouteId, Weekday,
};
use settings::SettingsStore;

use fixture::open;

#[test]
fn a_budget_is_read_to_the_digit_and_written_as_a_person_would() {
    let (folder, store) = open(
        "[budgets.site] # mine\nlimit_usd = 2.50 # a week\nperiod = \"week\"\nproject = \"site\"\n\
         [budgets.all]\nlimit_usd = 1_000\n",
    );
    assert_eq!(store.problems(), []);
    let id = |name: &str| BudgetId::new(name).expect("a name");
    let read = store.current().budgets.clone();
    let site = Budget {
        schedule: BudgetSchedule::Week { begins_on: Weekday::Monday },
        scope: Some((BudgetDimension::Project, "site".to_owned())),
        ..Budget::new(NanoUsd::new(2_500_000_000))
    };
    assert_eq!(read.get(&id("site")), Some(&site));
    let all = read.get(&id("all")).expect("read");
    assert_eq!(all, &Budget::new(NanoUsd::new(1_000_000_000_000)));
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
        let (_folder, store) = open(&format!("[budgets.b]\n{entry}\n"));
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
    check("limit_usd = 1\nperiod = \"rolling\"", "budgets.b.days", "missing");
    check("limit_usd = 1\nperiod = \"rolling\"\ndays = 367", "budgets.b.days", "outside 1 to 366");
    check("limit_usd = 1\ndays = 30", "budgets.b.days", "no effect on a budget per month");
    check("limit_usd = 1\nreset_day = 32", "budgets.b.reset_day", "outside 1 to 31");
    check("limit_usd = 1\nreset_weekday = \"monday\"", "budgets.b.reset_weekday", "no effect");
    let weekly = "limit_usd = 1\nperiod = \"week\"";
    check(&format!("{weekly}\nreset_weekday = \"moonday\""), "budgets.b.reset_weekday", "not one");
    check("limit_usd = 1\naction = \"warn\"", "budgets.b.action", "not one of");
    check("limit_usd = 1\naction = \"switch\"", "budgets.b.switch_to", "missing");
    let switch = "limit_usd = 1\naction = \"switch\"\nswitch_to";
    check(&format!("{switch} = \"cheap\""), "budgets.b.switch_to", "no route named");
    check(&format!("{switch} = \"no/route\""), "budgets.b.switch_to", "not a valid route name");
    check(
        "limit_usd = 1\nswitch_to = \"cheap\"",
        "budgets.b.switch_to",
        "no effect with the action stop",
    );
    check("limit_usd = 1\nmarks = 80", "budgets.b.marks", "must be a list");
    check("limit_usd = 1\nmarks = [80, 201]", "budgets.b.marks", "no percentage from 1 to 200");
    check("limit_usd = 1\nmarks = [\"80\"]", "budgets.b.marks", "no percentage");
    check("limit_usd = 1\nmarks = [1,2,3,4,5,6,7,8,9]", "budgets.b.marks", "at most 8");
    check("limit_usd = 1\nforecast = 2", "budgets.b.forecast", "true or false");
}

const FULL: &str = "[routes.cheap]
candidates = [{ backend = \"mock\" }]

[budgets.team] # ours
limit_usd = 20
period = \"month\" # as the bill
reset_day = 15
action = \"switch\"
switch_to = \"cheap\"
marks = [90, 50, 90] # percent
forecast = false

[budgets.days]
limit_usd = 5
period = \"rolling\"
days = 30
action = \"ask\"
refuse_unpriced = true
";

#[test]
fn every_field_of_a_budget_is_read_and_kept_with_its_comment() {
    let (folder, store) = open(FULL);
    assert_eq!(store.problems(), []);
    let id = |name: &str| BudgetId::new(name).expect("a name");
    let team = Budget {
        schedule: BudgetSchedule::Month { begins_on: 15 },
        action: BudgetAction::Switch,
        switch_to: Some(RouteId::new("cheap").expect("a name")),
        marks: vec![50, 90],
        forecast: false,
        ..Budget::new(NanoUsd::new(20_000_000_000))
    };
    let days = Budget {
        schedule: BudgetSchedule::Rolling { days: 30 },
        action: BudgetAction::Ask,
        refuse_unpriced: true,
        ..Budget::new(NanoUsd::new(5_000_000_000))
    };
    let read = store.current().budgets.clone();
    assert_eq!((read.get(&id("team")), read.get(&id("days"))), (Some(&team), Some(&days)));
    let edited = store.edit(|draft| {
        let weekly = BudgetSchedule::Week { begins_on: Weekday::Sunday };
        draft.budgets.insert(id("days"), Budget { schedule: weekly, marks: Vec::new(), ..days });
        if let Some(team) = draft.budgets.get_mut(&id("team")) {
            team.schedule = BudgetSchedule::Month { begins_on: 16 };
        }
        Ok::<_, Infallible>(())
    });
    edited.expect("saved");
    let text = std::fs::read_to_string(folder.path().join("settings.toml")).expect("read");
    for line in [
        "period = \"month\" # as the bill\nreset_day = 16\n",
        "marks = [90, 50, 90] # percent",
        "period = \"week\"\n",
        "reset_weekday = \"sunday\"\n",
        "marks = []\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("days = 30"), "{text}");
    let again = SettingsStore::open(folder.path().join("settings.toml")).expect("opens");
    assert_eq!(
        (again.problems(), again.current().budgets.clone()),
        (vec![], store.current().budgets.clone())
    );
}

#[test]
fn a_misspelt_route_is_repaired() {
    let (_folder, store) = open(&FULL.replace("switch_to = \"cheap\"", "switch_to = \"cheep\""));
    let problem = store.problems().into_iter().find(|it| it.path == "budgets.team.switch_to");
    let problem = problem.expect("a problem");
    assert_eq!((problem.line, problem.hint.as_str()), (Some(9), "did you mean cheap?"));
    store.apply_fix().expect("repaired");
    assert_eq!(store.problems(), []);
}
