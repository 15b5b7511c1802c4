//! Tests of what is sent to a webhook and by mail.

use crate::book::tests::{Bench, covered, down, uncovered};
use crate::facts::{BackendFact, ChannelFact};
use crate::{AlertBook, AlertRule};

use super::*;

const WEBHOOK: AlertChannel = AlertChannel::Webhook;

/// A message that left the book: its number and what it says.
type Posting = (u64, MessageKind, String);

fn bench(from: AlertSeverity, wait_secs: u64) -> Bench {
    let mut bench = Bench::new();
    let policy = ChannelPolicy { from, wait: Duration::from_secs(wait_secs) };
    bench.context.channels.insert(WEBHOOK, policy);
    bench
}

/// A backend of this name that is down.
fn named(name: &str) -> BackendFact {
    BackendFact { label: name.to_owned(), ..down(name, uncovered()) }
}

/// What is to be sent in `secs` seconds; each message is settled as `outcome`.
fn run(bench: &mut Bench, secs: u64, outcome: &PostOutcome) -> Vec<Posting> {
    let mut all = Vec::new();
    for _ in 0..secs {
        all.extend(step(bench, outcome));
    }
    all
}

fn step(bench: &mut Bench, outcome: &PostOutcome) -> Vec<Posting> {
    let mut postings = Vec::new();
    for effect in bench.run(1) {
        let AlertEffect::Post { channel, id, message } = effect else { continue };
        bench.book.settle(channel, id, outcome.clone(), bench.reading());
        postings.push((id, message.kind, message.title));
    }
    postings
}

fn kinds(postings: &[Posting]) -> Vec<MessageKind> {
    postings.iter().map(|(_, kind, _)| *kind).collect()
}

fn failed() -> PostOutcome {
    PostOutcome::Failed { reason: "it did not answer in time".to_owned(), retry_after: None }
}

#[test]
fn a_cause_is_one_message_and_its_end_another() {
    let mut bench = bench(AlertSeverity::High, 0);
    bench.set(down("up", uncovered()));
    let sent = run(&mut bench, 600, &PostOutcome::Sent);
    assert_eq!(kinds(&sent), [MessageKind::Alert], "{sent:?}");
    bench.clear("up");
    let sent = run(&mut bench, 600, &PostOutcome::Sent);
    assert_eq!(kinds(&sent), [MessageKind::Resolved]);
    assert_eq!(sent[0].2, "OpenAI works again");
}

#[test]
fn below_its_severity_a_channel_is_silent_and_so_is_the_end() {
    let mut bench = bench(AlertSeverity::High, 0);
    bench.set(down("up", covered()));
    assert_eq!(run(&mut bench, 600, &PostOutcome::Sent), []);
    bench.clear("up");
    assert_eq!(run(&mut bench, 600, &PostOutcome::Sent), []);
}

#[test]
fn an_alert_that_got_worse_is_told_again() {
    let mut bench = bench(AlertSeverity::Medium, 0);
    bench.set(down("up", covered()));
    assert_eq!(run(&mut bench, 60, &PostOutcome::Sent).len(), 1);
    bench.set(down("up", uncovered()));
    assert_eq!(kinds(&run(&mut bench, 600, &PostOutcome::Sent)), [MessageKind::Alert]);
    bench.set(down("up", covered()));
    assert_eq!(run(&mut bench, 600, &PostOutcome::Sent), [], "better is no news");
}

#[test]
fn an_alert_that_is_acknowledged_within_the_wait_is_not_sent() {
    for (acknowledges, messages) in [(false, 1), (true, 0)] {
        let mut bench = bench(AlertSeverity::High, 300);
        bench.set(down("up", uncovered()));
        assert_eq!(run(&mut bench, 299, &PostOutcome::Sent), [], "too early");
        if acknowledges {
            let number = bench.book.alerts()[0].number.expect("fires");
            bench.book.acknowledge(number, bench.reading().wall);
        }
        assert_eq!(run(&mut bench, 10, &PostOutcome::Sent).len(), messages);
    }
}

#[test]
fn a_failure_is_tried_again_with_growing_pauses_and_then_given_up() {
    let mut bench = bench(AlertSeverity::High, 0);
    bench.set(down("up", uncovered()));
    let mut at = Vec::new();
    for second in 0..3_000 {
        if !step(&mut bench, &failed()).is_empty() {
            at.push(second);
        }
    }
    let pauses: Vec<i32> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses, [10, 30, 120, 600]);
    let failure = bench.book.channel_activity(WEBHOOK).failure.expect("shown");
    assert_eq!(failure.reason, "it did not answer in time");
    bench.clear("up");
    assert_eq!(run(&mut bench, 600, &PostOutcome::Sent), [], "its beginning was never told");
}

#[test]
fn one_failure_is_no_fault_and_a_message_that_arrives_ends_one() {
    let mut bench = bench(AlertSeverity::High, 0);
    bench.set(down("up", uncovered()));
    while step(&mut bench, &failed()).is_empty() {}
    assert_eq!(bench.book.channel_activity(WEBHOOK).failure, None);
    while step(&mut bench, &failed()).is_empty() {}
    assert!(bench.book.channel_activity(WEBHOOK).failure.is_some());
    assert_eq!(run(&mut bench, 60, &PostOutcome::Sent).len(), 1);
    let activity = bench.book.channel_activity(WEBHOOK);
    assert_eq!((activity.failure, activity.waiting), (None, 0));
    assert!(activity.last_sent.is_some());
}

#[test]
fn a_server_that_names_a_pause_gets_it_and_a_refusal_is_final() {
    let mut bench = bench(AlertSeverity::High, 0);
    bench.set(down("up", uncovered()));
    let later = PostOutcome::Failed {
        reason: "busy".to_owned(),
        retry_after: Some(Duration::from_secs(77)),
    };
    while step(&mut bench, &later).is_empty() {}
    let refused = PostOutcome::Refused { reason: "it answered with status 404".to_owned() };
    assert_eq!(run(&mut bench, 76, &refused), []);
    assert_eq!(run(&mut bench, 1, &refused).len(), 1);
    assert_eq!(run(&mut bench, 2_000, &refused), [], "nothing more is tried for an hour");
    assert!(bench.book.channel_activity(WEBHOOK).failure.is_some());
}

#[test]
fn what_was_given_up_and_still_holds_is_told_once_when_the_channel_works_again() {
    let mut bench = bench(AlertSeverity::High, 0);
    let refused = PostOutcome::Refused { reason: "it answered with status 404".to_owned() };
    bench.set(named("a"));
    bench.set(named("b"));
    bench.set(named("c"));
    assert_eq!(run(&mut bench, 600, &refused).len(), 3);
    bench.clear("c");
    // While it fails, one message an hour tries it.
    assert_eq!(run(&mut bench, 2_900, &refused), []);
    assert_eq!(run(&mut bench, 3_500, &refused).len(), 1);
    // The user mends the address and tests it.
    bench.book.record_test(WEBHOOK, bench.reading().wall, None);
    let told = run(&mut bench, 7_300, &PostOutcome::Sent);
    assert_eq!(kinds(&told), [MessageKind::Alert; 2], "{told:?}");
    assert_ne!(told[0].2, told[1].2);
    bench.clear("a");
    bench.clear("b");
    let over = run(&mut bench, 600, &PostOutcome::Sent);
    assert_eq!(kinds(&over), [MessageKind::Resolved; 2]);
}

#[test]
fn a_failing_channel_is_tried_hourly_and_works_again_by_itself() {
    let mut bench = bench(AlertSeverity::High, 0);
    let refused = PostOutcome::Refused { reason: "it answered with status 404".to_owned() };
    bench.set(named("a"));
    bench.set(named("b"));
    let first = run(&mut bench, 6 * 3_600, &refused);
    // Two at first, and one in each hour after that.
    assert_eq!(first.len(), 7);
    let told = run(&mut bench, 3_700, &PostOutcome::Sent);
    assert_eq!(
        kinds(&told),
        [MessageKind::Alert; 2],
        "the first one shows that it works: {told:?}"
    );
    assert_eq!(bench.book.channel_activity(WEBHOOK).failure, None);
    // A restart knows what was given up.
    assert_eq!(run(&mut bench, 3_700, &refused), []);
    bench.set(named("d"));
    assert_eq!(run(&mut bench, 60, &refused).len(), 1);
    let saved = serde_json::to_string(&bench.book).expect("saved");
    bench.book = serde_json::from_str::<AlertBook>(&saved).expect("read");
    assert_eq!(run(&mut bench, 3_500, &PostOutcome::Sent), []);
    assert_eq!(run(&mut bench, 200, &PostOutcome::Sent).len(), 1);
}

#[test]
fn what_found_no_place_in_the_queue_is_told_later() {
    let mut bench = bench(AlertSeverity::High, 0);
    for number in 0..QUEUE_MAX + 3 {
        bench.set(named(&format!("b{number}")));
    }
    // One message is on its way for ten minutes, and the others wait.
    let first = bench.run(600).into_iter().find_map(|effect| match effect {
        AlertEffect::Post { id, .. } => Some(id),
        _ => None,
    });
    assert_eq!(bench.book.channel_activity(WEBHOOK).waiting, QUEUE_MAX);
    bench.book.settle(WEBHOOK, first.expect("a message"), PostOutcome::Sent, bench.reading());
    let sent = run(&mut bench, 600, &PostOutcome::Sent);
    let told: BTreeSet<&str> = sent.iter().map(|it| it.2.as_str()).collect();
    assert_eq!((sent.len(), told.len()), (QUEUE_MAX + 2, QUEUE_MAX + 2), "each once");
}

#[test]
fn what_ends_before_it_could_be_sent_is_never_sent() {
    let mut bench = bench(AlertSeverity::High, 0);
    bench.set(down("up", uncovered()));
    while step(&mut bench, &failed()).is_empty() {}
    while step(&mut bench, &failed()).is_empty() {}
    while step(&mut bench, &failed()).is_empty() {}
    bench.clear("up");
    // The pause ends at 120 s, as does the time for which the alert is kept.
    assert_eq!(run(&mut bench, 119, &PostOutcome::Sent), []);
    assert_eq!(run(&mut bench, 600, &PostOutcome::Sent), []);
    assert_eq!(bench.book.channel_activity(WEBHOOK).waiting, 0);
}

#[test]
fn a_restart_sends_nothing_twice() {
    let mut bench = bench(AlertSeverity::High, 0);
    bench.set(down("up", uncovered()));
    let mut posts = 0;
    while posts == 0 {
        // Not settled: the program is killed while it sends.
        let is_post = |effect: &AlertEffect| matches!(effect, AlertEffect::Post { .. });
        posts = bench.run(1).iter().filter(|effect| is_post(effect)).count();
    }
    let saved = serde_json::to_string(&bench.book).expect("saved");
    bench.book = serde_json::from_str::<AlertBook>(&saved).expect("read");
    bench.book.recover(bench.reading().wall);
    assert_eq!(run(&mut bench, 600, &PostOutcome::Sent), [], "it may have arrived");
    assert!(bench.book.channel_activity(WEBHOOK).interrupted.is_some());
    bench.clear("up");
    assert_eq!(kinds(&run(&mut bench, 600, &PostOutcome::Sent)), [MessageKind::Resolved]);
    assert_eq!(bench.book.channel_activity(WEBHOOK).interrupted, None);
}

#[test]
fn what_keeps_failing_and_recovering_is_told_once_and_its_end_when_it_is_stable() {
    let mut bench = bench(AlertSeverity::High, 0);
    let mut sent = Vec::new();
    for _ in 0..6 {
        bench.set(down("up", uncovered()));
        sent.extend(run(&mut bench, 60, &PostOutcome::Sent));
        bench.clear("up");
        sent.extend(run(&mut bench, 130, &PostOutcome::Sent));
    }
    let during = sent.len();
    sent.extend(run(&mut bench, 4_000, &PostOutcome::Sent));
    assert_eq!(kinds(&sent).last(), Some(&MessageKind::Resolved));
    assert_eq!(sent.len(), during + 1, "{sent:?}");
    assert!(during <= 3, "{sent:?}");
}

#[test]
fn quiet_hours_hold_a_message_until_they_end() {
    let mut bench = bench(AlertSeverity::Medium, 0);
    bench.context.is_quiet = true;
    bench.set(down("up", covered()));
    assert_eq!(run(&mut bench, 600, &PostOutcome::Sent), []);
    bench.context.is_quiet = false;
    assert_eq!(run(&mut bench, 2, &PostOutcome::Sent).len(), 1);
}

#[test]
fn at_the_limit_it_is_said_once_that_there_is_more() {
    let mut bench = bench(AlertSeverity::Medium, 0);
    for number in 0..POSTED_PER_TEN_MINUTES_MAX + 5 {
        bench.set(down(&format!("b{number}"), covered()));
    }
    let sent = run(&mut bench, 120, &PostOutcome::Sent);
    assert_eq!(sent.len(), POSTED_PER_TEN_MINUTES_MAX + 1, "{sent:?}");
    let more = sent.iter().filter(|(_, _, title)| title.starts_with("More alerts")).count();
    assert_eq!(more, 1);
    let later = run(&mut bench, 600, &PostOutcome::Sent);
    assert_eq!(later.len(), 5, "the rest follows: {later:?}");
}

#[test]
fn a_channel_does_not_tell_of_its_own_failure() {
    let mut bench = bench(AlertSeverity::Low, 0);
    let reason = "it answered with status 404".to_owned();
    bench.facts.channels = vec![ChannelFact { channel: WEBHOOK, reason }];
    assert_eq!(run(&mut bench, 600, &PostOutcome::Sent), []);
    let alerts = bench.book.alerts();
    assert_eq!(alerts[0].condition.rule, AlertRule::ChannelFault);
    let mail = ChannelPolicy { from: AlertSeverity::Low, wait: Duration::ZERO };
    bench.context.channels.insert(AlertChannel::Mail, mail);
    assert_eq!(run(&mut bench, 600, &PostOutcome::Sent).len(), 1, "mail tells of it");
}

#[test]
fn a_channel_that_is_switched_off_forgets_what_it_had_to_send() {
    let mut bench = bench(AlertSeverity::High, 0);
    bench.set(down("up", uncovered()));
    while step(&mut bench, &failed()).is_empty() {}
    let policy = bench.context.channels.remove(&WEBHOOK).expect("on");
    bench.run(1);
    assert_eq!(bench.book.channel_activity(WEBHOOK).waiting, 0);
    bench.context.channels.insert(WEBHOOK, policy);
    assert_eq!(run(&mut bench, 60, &PostOutcome::Sent).len(), 1, "it still fires");
}

#[test]
fn the_answer_to_a_test_is_kept_only_if_one_was_sent() {
    let mut bench = bench(AlertSeverity::High, 0);
    let now = bench.reading().wall;
    assert!(!bench.book.answer_test(WEBHOOK, true));
    bench.book.record_test(WEBHOOK, now, Some("it cannot be reached".to_owned()));
    assert!(!bench.book.answer_test(WEBHOOK, true));
    bench.book.record_test(WEBHOOK, now, None);
    assert!(bench.book.answer_test(WEBHOOK, false));
    let test = bench.book.channel_activity(WEBHOOK).test.expect("there");
    assert_eq!((test.is_seen, test.failure), (Some(false), None));
}

#[test]
fn a_digest_is_an_entry_of_the_inbox_and_a_mail_but_no_webhook() {
    let mut bench = bench(AlertSeverity::Low, 0);
    bench.context.channels.insert(AlertChannel::Mail, ChannelPolicy::default());
    let text = ("Yesterday".to_owned(), "No alert.".to_owned());
    let effects = bench.book.add_digest(text, &bench.context, bench.reading());
    assert!(matches!(
        effects.as_slice(),
        [AlertEffect::Fired(alert), AlertEffect::Ended { .. }] if alert.condition.title == "Yesterday"
    ));
    let sent = run(&mut bench, 60, &PostOutcome::Sent);
    assert_eq!(kinds(&sent), [MessageKind::Digest]);
    assert_eq!(bench.book.channel_activity(WEBHOOK).last_sent, None);
    assert_eq!(bench.book.last_digest(), Some(WallTime::from_unix_ms(1_000_000)));
}
