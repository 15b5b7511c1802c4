//! Sums by step of a range and by name, while the rows of a query are read.

use domain::{HOUR_MS, WallTime};
use rusqlite::Rows;

use crate::rollup::rollup_sums::{NameNumbers, SumValues};
use crate::{UsageBucket, UsageKey};

/// The edges of the steps of a range, in milliseconds and in order.
#[derive(Debug)]
pub(crate) struct StepEdges(Vec<i64>);

impl StepEdges {
    pub(crate) fn new(edges: &[WallTime]) -> Self {
        Self(edges.iter().map(|edge| edge.unix_ms()).collect())
    }

    /// How many steps there are.
    pub(crate) fn steps(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// Number of the step in which a time lies.
    pub(crate) fn step_of(&self, time_ms: i64) -> usize {
        self.0.partition_point(|start| *start <= time_ms).max(1) - 1
    }

    /// The edges after `start_ms` and before `end_ms`.
    pub(crate) fn within(&self, start_ms: i64, end_ms: i64) -> &[i64] {
        let first = self.0.partition_point(|edge| *edge <= start_ms);
        let end = self.0.partition_point(|edge| *edge < end_ms);
        self.0.get(first..end).unwrap_or_default()
    }

    /// Step of a whole hour; `None` if two steps share it.
    pub(crate) fn step_of_hour(&self, hour_ms: i64) -> Option<usize> {
        let is_shared = !self.within(hour_ms, hour_ms.saturating_add(HOUR_MS)).is_empty();
        (!is_shared).then(|| self.step_of(hour_ms))
    }

    /// Starts of the hours in `start_ms..end_ms` that two steps share.
    pub(crate) fn shared_hours(&self, start_ms: i64, end_ms: i64) -> impl Iterator<Item = i64> {
        let inside = self.within(start_ms, end_ms).iter().copied();
        let mut hours: Vec<i64> = inside
            .filter(|edge| edge.rem_euclid(HOUR_MS) != 0)
            .map(|edge| edge - edge.rem_euclid(HOUR_MS))
            .collect();
        hours.dedup();
        hours.into_iter()
    }
}

#[derive(Debug)]
pub(crate) struct BucketSums {
    names: NameNumbers,
    /// By step, then by the number of the name.
    sums: Vec<Vec<SumValues>>,
}

impl BucketSums {
    pub(crate) fn new(edges: &StepEdges) -> Self {
        let sums = vec![Vec::new(); edges.steps()];
        Self { names: NameNumbers::default(), sums }
    }

    /// Adds rows of slot, name and sums to the step of their slot; those without one are left out.
    pub(crate) fn add(
        &mut self,
        rows: &mut Rows<'_>,
        step_of: impl Fn(i64) -> Option<usize>,
    ) -> rusqlite::Result<()> {
        while let Some(row) = rows.next()? {
            let Some(step) = step_of(row.get(0)?) else { continue };
            let name = self.names.number(row.get_ref(1)?.as_str()?);
            let values = SumValues::read(row, 2)?;
            self.change(step, name, |sum| sum.add(&values));
        }
        Ok(())
    }

    /// As [`Self::add`], and takes all rows out of the sums of the step `counted`, which has them.
    pub(crate) fn shift(
        &mut self,
        rows: &mut Rows<'_>,
        counted: usize,
        step_of: impl Fn(i64) -> Option<usize>,
    ) -> rusqlite::Result<()> {
        while let Some(row) = rows.next()? {
            let step = step_of(row.get(0)?);
            let name = self.names.number(row.get_ref(1)?.as_str()?);
            let values = SumValues::read(row, 2)?;
            self.change(counted, name, |sum| sum.subtract(&values));
            if let Some(step) = step {
                self.change(step, name, |sum| sum.add(&values));
            }
        }
        Ok(())
    }

    fn change(&mut self, step: usize, name: usize, change: impl FnOnce(&mut SumValues)) {
        let Some(sums) = self.sums.get_mut(step) else { return };
        if sums.len() <= name {
            sums.resize(name + 1, SumValues::default());
        }
        if let Some(sum) = sums.get_mut(name) {
            change(sum);
        }
    }

    pub(crate) fn into_buckets(self, edges: &[WallTime]) -> Vec<UsageBucket> {
        let names: Vec<UsageKey> =
            self.names.into_names().into_iter().map(UsageKey::named).collect();
        let spans = edges.iter().copied().zip(edges.iter().copied().skip(1));
        let bucket = |((start, end), sums): ((WallTime, WallTime), Vec<SumValues>)| {
            let groups = names.iter().cloned().zip(sums);
            // Names of a day whose hours lie in the step beside.
            let in_use = groups.filter(|(_, sum)| !sum.is_zero());
            UsageBucket {
                start,
                end,
                groups: in_use.map(|(key, sum)| (key, sum.totals())).collect(),
            }
        };
        spans.zip(self.sums).map(bucket).collect()
    }
}
