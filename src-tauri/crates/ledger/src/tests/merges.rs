//! Merges keep the same version of each row, whatever their order and number.

use std::path::{Path, PathBuf};

use domain::{DAY_MS, NanoUsd};
use pricing::{Cost, PriceBook};
use proptest::prelude::*;
use session_logs::UsageRecord;

use super::devices::{Device, with_lines};
use super::price_changes::{price_at, pricing, reprice, usage};
use super::rollups::check_against_recount;
use super::sessions::{part, record, sums};
use super::{answered_attempt, at, request, settlement};
use crate::{GroupBy, SessionGroupBy, Settlement};

/// A request whose cost is unknown until a price of `home` is set.
fn unpriced(number: u32) -> Settlement {
    let mut attempt = answered_attempt();
    attempt.set_cost(pricing(PriceBook::default()).cost(&usage(), None, at(0)));
    with_attempt(number, attempt)
}

fn with_attempt(number: u32, attempt: crate::AttemptRecord) -> Settlement {
    let mut ended = settlement(number);
    ended.cost = attempt.cost.clone();
    ended.attempts = vec![attempt];
    ended.model_billed = None;
    ended
}

fn stated(number: u32, nanos: i64) -> Settlement {
    let cost = Cost::Reported(NanoUsd::new(nanos));
    with_attempt(number, crate::AttemptRecord { cost, ..answered_attempt() })
}

/// As the gateway measures [`settlement`], which this is in a tool's log.
fn logged(key: u8, ms: i64, output: u64) -> UsageRecord {
    let model = Some("gpt-4.1".to_owned());
    UsageRecord { model, ..record(&key.to_string(), ms, [100, output]) }
}

impl Device {
    async fn set_price(&self, input: u8, ms: i64) {
        let prices = vec![price_at(input, ms)];
        let change = self.ledger.add_prices(at(ms), format!("Set at {ms}"), prices).await;
        reprice(&self.ledger, change.expect("added")).await;
    }

    async fn undo_price(&self, ms: i64) {
        self.ledger.undo_price_change(at(ms)).await.expect("undone");
    }

    async fn cost_of(&self, number: u32) -> Cost {
        let found = self.ledger.request(request(number).id).await.expect("read");
        found.expect("a row").0.cost
    }

    /// All that a merge may change, with what explains it.
    async fn everything(&self) -> Vec<String> {
        let (requests, mut sums_of_requests) = self.contents().await;
        let mut all: Vec<String> = Vec::new();
        for (id, row) in requests {
            let id = id.parse().expect("an id");
            let cost = self.ledger.request(id).await.expect("read").expect("a row").0.cost;
            let price = match cost.price_id() {
                Some(price) => self.ledger.price(price.to_owned()).await.expect("read"),
                None => None,
            };
            all.push(format!("{row} {price:?}"));
        }
        let stated = self.ledger.stated_costs(at(0), at(4 * DAY_MS)).await.expect("read");
        sums_of_requests.push(format!("{stated:?}"));
        all.append(&mut sums_of_requests);
        let logs = sums(&self.ledger, SessionGroupBy::Model).await;
        all.push(format!("{:?} {:?}", logs.groups, logs.totals));
        all
    }
}

#[tokio::test]
async fn a_later_pricing_reaches_the_other_machine_and_explains_itself_there() {
    let (laptop, desk) = (Device::new(), Device::new());
    laptop.ledger.settle(unpriced(1)).await.expect("settled");
    let before = laptop.export("laptop", "before.sqlite").await;
    assert_eq!(desk.merge(&before).await.1, 1);
    laptop.set_price(2, 5_000).await;
    let priced = laptop.cost_of(1).await;
    let after = laptop.export("laptop", "after.sqlite").await;
    let plan = desk.recovery.plan_merge(after.clone()).await.expect("planned");
    assert_eq!((plan.added, plan.known, plan.replaced), (0, 1, 1));
    let merged = desk.recovery.merge(after.clone(), |_, _| true).await.expect("merged");
    assert_eq!((merged.added, merged.replaced), (0, 1));
    assert_eq!(desk.cost_of(1).await, priced);
    let id = priced.price_id().expect("computed").to_owned();
    assert_eq!(desk.ledger.price(id).await.expect("read"), Some(price_at(2, 5_000)));
    // It explains the cost and prices nothing of the desk's own.
    let book = desk.ledger.price_book().await.expect("read");
    assert_eq!(book.find(&super::backend("home"), None, "m", at(DAY_MS)), None);
    check_against_recount(&desk.ledger, GroupBy::Model).await;
    // An older export is no step back, and an undo is later than what it takes back.
    assert_eq!(desk.recovery.merge(before, |_, _| true).await.expect("merged").replaced, 0);
    assert_eq!(desk.cost_of(1).await, priced);
    laptop.undo_price(6_000).await;
    let undone = laptop.export("laptop", "undone.sqlite").await;
    for file in [undone, after] {
        desk.recovery.merge(file, |_, _| true).await.expect("merged");
    }
    assert_eq!(desk.cost_of(1).await, Cost::Unpriced);
    assert_eq!(desk.everything().await, laptop.everything().await);
}

#[tokio::test]
async fn a_stated_cost_is_kept_over_a_computed_one_and_its_price_is_not_taken_back() {
    let (laptop, desk) = (Device::new(), Device::new());
    laptop.ledger.settle(stated(1, 7_000)).await.expect("settled");
    desk.ledger.settle(unpriced(1)).await.expect("settled");
    desk.set_price(2, 5_000).await;
    let file = laptop.export("laptop", "laptop.sqlite").await;
    desk.recovery.merge(file, |_, _| true).await.expect("merged");
    assert_eq!(desk.cost_of(1).await, Cost::Reported(NanoUsd::new(7_000)));
    desk.undo_price(9_000).await;
    assert_eq!(desk.cost_of(1).await, Cost::Reported(NanoUsd::new(7_000)));
    check_against_recount(&desk.ledger, GroupBy::Backend).await;
}

#[tokio::test]
async fn a_cancelled_merge_keeps_what_it_took_and_the_next_one_does_the_rest() {
    let (laptop, desk) = (Device::new(), Device::new());
    for number in 0..5 {
        laptop.ledger.settle(with_lines(number)).await.expect("settled");
    }
    let file = laptop.export("laptop", "laptop.sqlite").await;
    let stopped = desk.recovery.merge(file.clone(), |_, _| false).await.expect("stopped");
    assert_eq!((stopped.is_cancelled, stopped.added), (true, 0));
    // The requests are one step; what is left are the session logs.
    let stopped = desk.recovery.merge(file.clone(), |done, _| done == 0).await.expect("stopped");
    assert_eq!((stopped.is_cancelled, stopped.added), (true, 5));
    let rest = desk.recovery.merge(file, |_, _| true).await.expect("merged");
    assert_eq!((rest.is_cancelled, rest.added, rest.known), (false, 0, 5));
    assert_eq!(desk.everything().await, laptop.everything().await);
}

#[tokio::test]
async fn what_was_deleted_for_its_age_is_not_counted_again() {
    let (laptop, desk) = (Device::new(), Device::new());
    for number in [1, 2, 3_600] {
        laptop.ledger.settle(with_lines(number)).await.expect("settled");
    }
    desk.ledger.settle(with_lines(7)).await.expect("settled");
    let file = laptop.export("laptop", "laptop.sqlite").await;
    desk.merge(&file).await;
    let sums_before = desk.contents().await.1;
    let own = desk.export("desk", "desk.sqlite").await;
    desk.ledger.purge_before(request(3_000).started).await.expect("purged");
    assert_eq!(desk.contents().await.0.len(), 1);
    for file in [file, own] {
        assert_eq!(desk.merge(&file).await.1, 0);
    }
    assert_eq!((desk.contents().await.0.len(), desk.contents().await.1), (1, sums_before));
}

#[tokio::test]
async fn the_later_name_of_a_machine_is_kept() {
    let (laptop, desk, tower) = (Device::new(), Device::new(), Device::new());
    let old = laptop.export("old", "old.sqlite").await;
    laptop.clock.advance(std::time::Duration::from_secs(1));
    let new = laptop.export("new", "new.sqlite").await;
    for (device, files) in [(&desk, [&old, &new]), (&tower, [&new, &old])] {
        for file in files {
            device.merge(file).await;
        }
        assert_eq!(device.devices().await, ["new"]);
    }
}

/// Something that happens on a machine.
#[derive(Debug, Clone)]
enum Step {
    Settle(u32),
    SettleUnpriced(u32),
    SettleStated(u32, i64),
    /// Cut off by a kill.
    Lose(u32),
    Log(u8, u32, u64),
    SetPrice(u8),
    Undo,
    Export,
    /// Merges an export that was made before.
    Merge(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let number = 0_u32..6;
    prop_oneof![
        2 => number.clone().prop_map(Step::Settle),
        4 => number.clone().prop_map(Step::SettleUnpriced),
        1 => (number.clone(), 1_i64..3).prop_map(|(number, cost)| Step::SettleStated(number, cost)),
        1 => number.clone().prop_map(Step::Lose),
        3 => (0_u8..4, number, 108_u64..112).prop_map(|(key, at, out)| Step::Log(key, at, out)),
        3 => (1_u8..4).prop_map(Step::SetPrice),
        1 => Just(Step::Undo),
        1 => Just(Step::Export),
        1 => any::<prop::sample::Index>().prop_map(Step::Merge),
    ]
}

impl Device {
    /// `ms` is another one for each step of all machines.
    async fn go(&self, step: &Step, ms: i64, files: &mut Vec<PathBuf>) {
        let settle = |ended| async { self.ledger.settle(ended).await.map(drop).expect("settled") };
        match *step {
            Step::Settle(number) => settle(with_lines(number)).await,
            Step::SettleUnpriced(number) => settle(unpriced(number)).await,
            Step::SettleStated(number, cost) => settle(stated(number, cost)).await,
            Step::Lose(number) => {
                self.ledger.reserve(request(number)).expect("room");
            }
            Step::Log(key, number, output) => {
                let ms = i64::from(number) * 1_000;
                let parts = vec![part(vec![logged(key, ms, output)])];
                self.ledger.store_session_parts(parts).await.expect("stored");
                self.ledger.match_sessions().await.expect("matched");
            }
            Step::SetPrice(input) => self.set_price(input, 10_000 + ms).await,
            Step::Undo => self.undo_price(10_000 + ms).await,
            Step::Export => files.push(self.export("one", &format!("{ms}.sqlite")).await),
            Step::Merge(index) if !files.is_empty() => {
                let file = files[index.index(files.len())].clone();
                self.merge_checked(&file).await;
            }
            Step::Merge(_) => {}
        }
    }

    async fn merge_only(&self, file: &Path) {
        self.recovery.merge(file.to_owned(), |_, _| true).await.expect("merged");
    }

    /// Merges twice: the second time changes nothing.
    async fn merge_checked(&self, file: &Path) {
        self.merge_only(file).await;
        let merged = self.recovery.merge(file.to_owned(), |_, _| true).await.expect("merged");
        assert_eq!((merged.added, merged.replaced), (0, 0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5, ..ProptestConfig::default() })]

    /// Whatever three machines recorded, priced, took back and had merged before, and in whichever
    /// order and how often their exports are merged: all of them end with the same requests, costs,
    /// session logs and sums.
    #[test]
    fn the_order_and_number_of_merges_do_not_matter(
        steps in prop::collection::vec((0_usize..3, step()), 6..24),
        order in prop::collection::vec(any::<prop::sample::Index>(), 3),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            let mut devices = vec![Device::new(), Device::new(), Device::new()];
            let mut files = Vec::new();
            for ((device, step), ms) in steps.iter().zip(1_i64..) {
                devices[*device].go(step, ms, &mut files).await;
                if matches!(step, Step::Lose(_)) {
                    let restarted = devices.remove(*device).restart().await;
                    devices.insert(*device, restarted);
                }
            }
            for (device, ms) in devices.iter().zip(1_000_i64..) {
                device.go(&Step::Export, ms, &mut files).await;
            }
            for (device, first) in devices.iter().zip(&order) {
                let first = first.index(files.len());
                for place in 0..files.len() {
                    device.merge_only(&files[(first + place) % files.len()]).await;
                }
                for file in &again {
                    device.merge_checked(&files[file.index(files.len())]).await;
                }
            }
            let first = devices[0].everything().await;
            for device in &devices {
                prop_assert_eq!(&device.everything().await, &first);
                check_against_recount(&device.ledger, GroupBy::Model).await;
            }
            Ok(())
        })?;
    }
}
