//! Alerts through the API: fired, acknowledged, silenced, kept over a restart, switched off.

use std::time::Duration;

use control::view::*;
use control::{Core, ErrorCode};
use domain::{NanoUsd, WallTime};
use ledger::{AlertChange, AlertNote, AlertRow, Settlement};
use pricing::Cost;

use crate::world::{World, budget_request, world};

/// Asks until it is so.
pub(crate) async fn wait_for<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..400 {
        if let Some(found) = ask().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not come");
}

/// Spends more than a budget has, so that an alert fires; returns it.
async fn overspend(world: &World) -> AlertView {
    let cost = Cost::Reported(NanoUsd::new(2_000_000_000));
    world.settle(Settlement { cost, ..world.answered("editor") }).await;
    let budget = BudgetSet {
        marks: Some(vec![50, 80]),
        forecast: Some(false),
        ..budget_request("monthly", "2.40", None)
    };
    control::budget_set(&world.core, budget).await.expect("set");
    let alert = wait_for("the alert", async || fired(&world.core).await.into_iter().next()).await;
    // The list shows the book; inbox and incident show what the ledger has saved a moment later.
    let number = alert.number.expect("it fires");
    wait_for("the saved alert", async || {
        control::incident(&world.core, AlertRef { number }).await.ok()
    })
    .await;
    alert
}

const fn unchanged(rule: AlertRule) -> AlertRuleSet {
    let (delivery, hold_secs, threshold, minimum, severity) = (None, None, None, None, None);
    AlertRuleSet { rule, delivery, hold_secs, threshold, minimum, severity }
}

async fn fired(core: &Core) -> Vec<AlertView> {
    let all = control::alerts(core).await.expect("alerts");
    all.alerts.into_iter().filter(|alert| alert.number.is_some()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_listed_acknowledged_noted_and_kept_over_a_restart() {
    let world = world().await;
    let alert = overspend(&world).await;
    assert_eq!((alert.rule, alert.severity), (AlertRule::BudgetMark, AlertSeverity::Medium));
    assert_eq!(alert.title, "Budget monthly: 80 % used");
    assert!(alert.detail.starts_with("$2.00 of $2.40 is spent"), "{}", alert.detail);
    let number = alert.number.expect("it fires");
    let all = control::alerts(&world.core).await.expect("alerts");
    assert_eq!(all.unread.0, 1);
    let parts: Vec<&str> = all.suppressed.iter().map(|it| it.title.as_str()).collect();
    assert_eq!(parts, ["Budget monthly: 50 % used"], "the higher mark says it");

    let left = control::alert_acknowledge(&world.core, AlertRef { number }).await.expect("taken");
    assert!(left.alerts[0].acknowledged_at.is_some());
    assert_eq!(left.unread.0, 0, "what is acknowledged was seen");
    let note = IncidentNote { number, note: " Raise *it*. ".to_owned() };
    let incident = control::incident_note(&world.core, note).await.expect("noted");
    let texts: Vec<&str> = incident.events.iter().map(|it| it.text.as_str()).collect();
    let set = "Budget set: monthly (by command line)";
    assert_eq!(texts, [set, "The alert fired.", "The alert was acknowledged.", "Raise *it*."]);
    assert!(incident.failed.is_none(), "it is about no backend");
    assert_eq!(incident.timeline.lanes.len(), 2, "it is about no backend");
    assert!(incident.markdown.contains("Raise \\*it\\*."), "{}", incident.markdown);

    let again = World::open(world.stop().await, |_| {}).await.serving().await;
    let kept = fired(&again.core).await;
    assert_eq!(kept.iter().map(|it| it.number).collect::<Vec<_>>(), [Some(number)]);
    assert!(kept[0].acknowledged_at.is_some());
    let query = InboxQuery { before: None, unread_only: false, limit: 10 };
    let inbox = control::inbox(&again.core, query).await.expect("inbox");
    assert_eq!((inbox.entries.len(), inbox.next), (1, None));
    again.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_is_listed_until_it_is_removed_and_a_rule_that_is_off_ends_its_alerts() {
    let world = world().await;
    let number = overspend(&world).await.number.expect("it fires");
    let until = UnixMs(control::status(&world.core).await.expect("status").now.0 + 3_600_000);
    let wanted = AlertSilence {
        rule: Some(AlertRule::BudgetMark),
        scope: Some("monthly".to_owned()),
        reason: "known".to_owned(),
        until,
    };
    let silence = control::alert_silence(&world.core, wanted.clone()).await.expect("silenced");
    assert_eq!(fired(&world.core).await[0].silenced_by, Some(silence.number));
    let gone = SilenceRef { number: silence.number };
    control::silence_remove(&world.core, gone.clone()).await.expect("removed");
    assert_eq!(fired(&world.core).await[0].silenced_by, None);
    let twice = control::silence_remove(&world.core, gone).await.expect_err("gone");
    assert_eq!(twice.code, ErrorCode::NotFound);
    for (until, what) in [(UnixMs(1), "past"), (UnixMs(until.0 + 31 * 86_400_000), "too long")] {
        let refused = control::alert_silence(&world.core, AlertSilence { until, ..wanted.clone() });
        assert_eq!(refused.await.expect_err(what).field.as_deref(), Some("until"), "{what}");
    }

    let off =
        AlertRuleSet { delivery: Some(AlertDelivery::Off), ..unchanged(AlertRule::BudgetMark) };
    let rules = control::alert_rule_set(&world.core, off).await.expect("set");
    let rule = rules.iter().find(|it| it.rule == AlertRule::BudgetMark).expect("listed");
    assert_eq!((rule.delivery, rule.fired_last_week.0), (AlertDelivery::Off, 1));
    wait_for("the end", async || fired(&world.core).await.is_empty().then_some(())).await;
    // The list shows the book, the incident what the ledger has saved a moment later.
    let ending = wait_for("the saved end", async || {
        control::incident(&world.core, AlertRef { number }).await.expect("kept").alert.ending
    });
    assert_eq!(ending.await, AlertEnding::SwitchedOff);
    let unknown = control::incident(&world.core, AlertRef { number: 99 }).await.expect_err("none");
    assert_eq!(unknown.code, ErrorCode::NotFound);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_is_paged_and_marked_as_read() {
    let world = world().await;
    let number = overspend(&world).await.number.expect("it fires");
    let page = |before, unread_only, limit| InboxQuery { before, unread_only, limit };
    let unread = control::inbox(&world.core, page(None, true, 1)).await.expect("inbox");
    assert_eq!((unread.entries.len(), unread.unread.0), (1, 1));
    assert!(
        control::inbox(&world.core, page(Some(number), false, 1))
            .await
            .expect("older")
            .entries
            .is_empty()
    );
    control::inbox_read(&world.core, InboxRead { number: None }).await.expect("read");
    let none = control::inbox(&world.core, page(None, true, 1)).await.expect("inbox");
    assert_eq!((none.entries.len(), none.unread.0), (0, 0));
    for limit in [0, 201] {
        let refused = control::inbox(&world.core, page(None, false, limit)).await;
        assert_eq!(refused.expect_err("refused").field.as_deref(), Some("limit"));
    }
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_of_a_rule_are_previewed_set_within_their_limits_and_in_force() {
    let world = world().await;
    let core = &world.core;
    let disk = async || {
        let rules = control::alert_rules(core).await.expect("rules");
        rules.into_iter().find(|it| it.rule == AlertRule::DiskSpace).expect("listed")
    };
    let before = disk().await;
    assert_eq!(before.threshold.as_ref().map(|it| (it.value, it.unit.as_str())), Some((500, "MB")));
    assert!(before.minimum.is_none());
    let wanted = AlertRuleSet {
        hold_secs: Some(0),
        threshold: Some(900),
        severity: Some(AlertSeverity::High),
        ..unchanged(AlertRule::DiskSpace)
    };
    let preview = control::alert_rule_preview(core, wanted.clone()).await.expect("previewed");
    assert_eq!(
        preview.sentence,
        "Fires when less than 900 MB are free on the disk with the data. Ends when there is more \
         space, for 5 minutes. High."
    );
    assert_eq!(disk().await.condition, before.condition, "a preview changes nothing");
    let rules = control::alert_rule_set(core, wanted).await.expect("set");
    let set = rules.into_iter().find(|it| it.rule == AlertRule::DiskSpace).expect("listed");
    assert_eq!(set.condition, preview.sentence);
    let [hold, threshold] = [set.hold, set.threshold].map(|it| it.expect("a number"));
    assert_eq!((hold.value, hold.default, threshold.value, threshold.default), (0, 300, 900, 500));
    assert_eq!(set.severity.map(|it| it.value), Some(AlertSeverity::High));
    assert_eq!(set.delivery, AlertDelivery::Notification, "what is absent stays");

    let refused = [
        ("threshold", AlertRuleSet { threshold: Some(49), ..unchanged(AlertRule::DiskSpace) }),
        ("threshold", AlertRuleSet { threshold: Some(100_001), ..unchanged(AlertRule::DiskSpace) }),
        ("threshold", AlertRuleSet { threshold: Some(1), ..unchanged(AlertRule::BackendDown) }),
        ("minimum", AlertRuleSet { minimum: Some(20), ..unchanged(AlertRule::DiskSpace) }),
        ("hold_secs", AlertRuleSet { hold_secs: Some(604_801), ..unchanged(AlertRule::RouteDead) }),
        ("hold_secs", AlertRuleSet { hold_secs: Some(1), ..unchanged(AlertRule::Digest) }),
        (
            "severity",
            AlertRuleSet {
                severity: Some(AlertSeverity::Low),
                ..unchanged(AlertRule::BackendDown)
            },
        ),
    ];
    for (field, wanted) in refused {
        let error = control::alert_rule_preview(core, wanted.clone()).await.expect_err("refused");
        assert_eq!(error.field.as_deref(), Some(field), "{wanted:?}");
        let error = control::alert_rule_set(core, wanted).await.expect_err("refused");
        assert_eq!(error.field.as_deref(), Some(field));
    }
    world.core.stop().await;
}

/// Alerts of the disk, an hour apart, each of which held for six minutes and ended five minutes later.
fn disk_alerts(world: &World, count: i64) -> Vec<AlertChange> {
    let now = world.engine().clock().wall().unix_ms();
    let row = |place: i64| {
        let since = now - (place + 1) * 3_600_000;
        let at = |minute: i64| WallTime::from_unix_ms(since + minute * 60_000);
        let row = AlertRow {
            number: u64::try_from(100 + place).expect("small"),
            rule: "disk-space".to_owned(),
            severity: "medium".to_owned(),
            scopes: vec!["disk".to_owned()],
            title: "The disk is almost full".to_owned(),
            detail: String::new(),
            path: "/health".to_owned(),
            since: at(0),
            fired: at(5),
            ended: Some(at(11)),
            ending: Some("resolved".to_owned()),
            acknowledged: None,
            notified: Some(at(6)),
            is_read: true,
        };
        AlertChange::Put(Box::new(row))
    };
    (0..count).map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_tells_often_for_nothing_says_what_would_make_it_quieter() {
    let world = world().await;
    let ledger = world.engine().ledger().clone();
    let noise = async || {
        let rules = control::alert_rules(&world.core).await.expect("rules");
        rules.into_iter().find(|it| it.rule == AlertRule::DiskSpace).expect("listed").noise
    };
    ledger.change_alerts(disk_alerts(&world, 4)).await.expect("written");
    assert!(noise().await.is_none());
    ledger.change_alerts(disk_alerts(&world, 5)).await.expect("written");
    let found = noise().await.expect("five are many");
    assert_eq!(
        found.sentence,
        "Fired 5 times in 7 days, and nobody acted on it. If it had to hold for 10 min, 5 of them \
         would not have fired."
    );
    let change = found.change.expect("a longer hold helps");
    assert_eq!((change.rule, change.hold_secs), (AlertRule::DiskSpace, Some(600)));
    assert_eq!(found.label.as_deref(), Some("Hold for 10 min"));
    control::alert_rule_set(&world.core, change).await.expect("set");
    assert!(noise().await.is_none(), "it is quiet now");

    let back = AlertRuleSet { hold_secs: Some(300), ..unchanged(AlertRule::DiskSpace) };
    control::alert_rule_set(&world.core, back).await.expect("set");
    assert!(noise().await.is_some());
    let note = AlertNote { at: world.engine().clock().wall(), note: "deleted logs".to_owned() };
    ledger.change_alerts(vec![AlertChange::Note { number: 102, note }]).await.expect("written");
    assert!(noise().await.is_none(), "somebody acted on it");
    world.core.stop().await;
}
