//! What survives the end of this program, and of the program that shows notifications.

use super::*;
use crate::notification::{DesktopScreen, ShownNotification};

fn shown(server: &str, id: u32) -> ShownNotification {
    ShownNotification {
        server: server.to_owned(),
        id,
        path: "/backends/a".to_owned(),
        alerts: vec![1],
    }
}

fn screen(key: &str, shown: ShownNotification) -> DesktopScreen {
    DesktopScreen { shown: [(key.to_owned(), shown)].into(), ..DesktopScreen::default() }
}

fn lost(keys: &[&str]) -> DesktopScreen {
    let lost = keys.iter().map(|key| (*key).to_owned()).collect();
    DesktopScreen { lost, ..DesktopScreen::default() }
}

/// A critical alert that is on the screen.
fn bench_with_a_shown_alert() -> Bench {
    let mut bench = Bench::new();
    bench.set(down("a", uncovered()));
    bench.shown(10);
    bench.book.note_screen(&screen("fault/a", shown("one", 7)));
    bench
}

fn restarted(bench: Bench) -> Bench {
    let json = serde_json::to_string(&bench.book).expect("a book can be written");
    let book = serde_json::from_str(&json).expect("and read");
    Bench { book, ..bench }
}

#[test]
fn the_next_process_knows_what_a_killed_one_showed_and_takes_it_away() {
    let mut bench = restarted(bench_with_a_shown_alert());
    assert_eq!(bench.book.on_screen(), [("fault/a".to_owned(), shown("one", 7))].into());
    assert_eq!(bench.told(100), [], "it is on the screen");
    bench.clear("a");
    assert_eq!(bench.told(0), [Told::Gone("fault/a".to_owned())]);
    assert!(bench.book.on_screen().is_empty());
}

#[test]
fn what_was_lost_and_still_holds_is_shown_once_more() {
    let mut bench = bench_with_a_shown_alert();
    assert!(bench.book.note_screen(&lost(&["fault/a", "run/1"])));
    assert!(bench.book.on_screen().is_empty());
    assert_eq!(bench.shown(100).title, "OpenAI is down");
    assert_eq!(bench.told(300), [], "it is shown again as every critical one, but no earlier");
    bench.clear("a");
    assert_eq!(bench.told(0), [Told::Gone("fault/a".to_owned())]);
}

#[test]
fn what_was_lost_is_not_shown_again_once_it_is_over_seen_or_quiet() {
    let after = |change: &dyn Fn(&mut Bench)| {
        let mut bench = bench_with_a_shown_alert();
        bench.book.note_screen(&lost(&["fault/a"]));
        change(&mut bench);
        bench.told(60)
    };
    assert_eq!(after(&|bench| bench.clear("a")), [], "nothing is there to withdraw");
    assert_eq!(after(&|bench| bench.context.is_focused = true), [], "the window shows it");
    assert_eq!(after(&|bench| bench.context.is_on = false), []);
    let acknowledge = |bench: &mut Bench| {
        let number = bench.book.alerts()[0].number.expect("it fires");
        assert!(bench.book.acknowledge(number, bench.reading().wall));
    };
    assert_eq!(after(&acknowledge), []);
    assert_eq!(after(&|_| {}).len(), 1);
}

#[test]
fn what_the_user_closed_before_its_program_ended_is_not_shown_again() {
    let mut bench = bench_with_a_shown_alert();
    assert!(bench.book.note_screen(&DesktopScreen::default()), "it was closed");
    assert!(!bench.book.note_screen(&DesktopScreen::default()));
    assert_eq!(bench.told(300), []);
    assert!(restarted(bench).book.on_screen().is_empty());
}

#[test]
fn a_desktop_that_fails_with_what_it_is_shown_is_not_fed_for_ever() {
    let mut bench = bench_with_a_shown_alert();
    for _ in 0..LOSSES_PER_TEN_MINUTES_MAX {
        bench.book.note_screen(&lost(&["fault/a"]));
        bench.shown(1);
    }
    bench.book.note_screen(&lost(&["fault/a"]));
    assert_eq!(bench.told(60), []);
    let repeats = bench.told(1_200);
    assert_eq!(repeats.len(), 1, "only as often as one that is not acknowledged: {repeats:?}");
}

#[test]
fn lost_summaries_are_made_anew() {
    let mut bench = Bench::new();
    bench.context.is_quiet = true;
    bench.set(down("a", covered()));
    assert_eq!(bench.told(60), []);
    bench.context.is_quiet = false;
    assert_eq!(bench.shown(0).key, QUIET_KEY);
    bench.book.note_screen(&lost(&[QUIET_KEY]));
    assert_eq!(bench.shown(60).key, QUIET_KEY);
}
