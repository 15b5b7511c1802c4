//! Figures computed by hand.

use domain::{BackendId, HOUR_MS};

use super::*;

const NOW: WallTime = WallTime::from_unix_ms(1_000 * DAY_MS + 12 * HOUR_MS + 1_800_000);

fn row(hours_ago: i64, good: u64, bad: u64) -> ObservedTimeRow {
    let hour = NOW.unix_ms() - NOW.unix_ms() % HOUR_MS - hours_ago * HOUR_MS;
    ObservedTimeRow {
        subject: ObservedSubject::Backend(BackendId::new("home").expect("a name")),
        slot: WallTime::from_unix_ms(hour),
        width: Duration::from_secs(3_600),
        good: Duration::from_secs(good),
        bad: Duration::from_secs(bad),
    }
}

#[test]
fn availability_is_of_what_was_observed_in_the_period() {
    let rows = [row(0, 1_800, 0), row(1, 3_240, 360), row(23, 3_600, 0), row(24, 0, 3_600)];
    let rows: Vec<_> = rows.iter().collect();
    // 8 640 of 9 000 s, of 23.5 h.
    let day = availability(&rows, NOW, 24);
    assert_eq!(day.share(), Some(0.96));
    assert!((day.coverage() - 9_000.0 / 84_600.0).abs() < 1e-9);
    assert_eq!(availability_view("24 h", day).sentence, "96.00 % of 2 h observed");
    // 8 640 of 12 600 s.
    let week = availability(&rows, NOW, 7 * 24);
    assert_eq!(availability_view("7 d", week).sentence, "68.57 % of 3 h observed");
    let nothing = availability_view("24 h", availability(&[], NOW, 24));
    assert_eq!((nothing.percent, nothing.sentence.as_str()), (None, "not observed"));
}

#[test]
fn only_what_never_failed_is_a_hundred_percent() {
    let check = |percent, text: &str| assert_eq!(percent_text(percent), text);
    check(100.0, "100 %");
    check(99.999, "99.99 %");
    check(99.5, "99.50 %");
    check(0.0, "0.00 %");
}

#[test]
fn the_strip_has_a_cell_for_each_of_ninety_days() {
    let rows = [row(0, 1_000, 0), row(36, 900, 100), row(24 * 89, 3_600, 0)];
    let rows: Vec<_> = rows.iter().collect();
    let cells = strip(&rows, NOW);
    let words: Vec<(usize, &str)> = cells
        .iter()
        .enumerate()
        .filter(|(_, day)| day.observed_minutes > 0)
        .map(|(place, day)| (place, day.cell.word()))
        .collect();
    assert_eq!(cells.len(), 90);
    assert_eq!(words, [(0, "good"), (88, "bad"), (89, "good")]);
}
