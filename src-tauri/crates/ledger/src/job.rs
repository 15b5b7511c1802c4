//! One write, and how several of them become one transaction.

use domain::WallTime;
use rusqlite::{CachedStatement, Connection};

use crate::journal::{Entry, EntryRef, Journal};
use crate::{
    AccessStates, HealthChange, LedgerError, NewRequest, Price, Run, Settlement, Transition,
    access_states, attempts, bypasses, failures, health, hours, prices, requests, rollup, runs,
    transitions,
};

/// Most writes in one transaction, so that the first does not wait long for the last.
pub(crate) const BATCH_JOBS_MAX: usize = 128;

/// One write.
#[derive(Debug)]
pub(crate) enum Job {
    Reserve(NewRequest),
    Settle(Box<Settlement>),
    Run(Run),
    Health(HealthChange),
    Price(Box<Price>),
    Transitions(Vec<Transition>),
    AccessStates(AccessStates),
    Purge { before: WallTime, rows_max: usize },
}

/// The statements of settlements, looked up once for all of a commit: their texts are long.
struct Settling<'a> {
    request: CachedStatement<'a>,
    attempt: CachedStatement<'a>,
    decision: CachedStatement<'a>,
}

impl<'a> Settling<'a> {
    fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            request: connection.prepare_cached(requests::SETTLE)?,
            attempt: connection.prepare_cached(attempts::INSERT)?,
            decision: connection.prepare_cached(requests::KEEP_DECISION)?,
        })
    }

    fn settle(&mut self, ended: &Settlement) -> rusqlite::Result<usize> {
        let fresh = requests::settle(&mut self.request, ended)?;
        if fresh > 0 {
            attempts::insert(&mut self.attempt, ended.request.id, &ended.attempts)?;
            requests::keep_decision(&mut self.decision, ended)?;
        }
        Ok(fresh)
    }
}

impl Job {
    /// Does the write inside the running transaction; the number of rows it concerned.
    fn apply<'a>(
        &self,
        connection: &'a Connection,
        settling: &mut Option<Settling<'a>>,
    ) -> rusqlite::Result<usize> {
        match self {
            Self::Reserve(request) => requests::reserve(connection, request),
            Self::Settle(ended) => match settling {
                Some(settling) => settling.settle(ended),
                None => settling.insert(Settling::prepare(connection)?).settle(ended),
            },
            Self::Run(run) => runs::insert(connection, run),
            Self::Health(change) => health::insert(connection, change),
            Self::Price(price) => prices::insert(connection, price),
            Self::Transitions(all) => transitions::insert(connection, all),
            Self::AccessStates(states) => access_states::replace(connection, states),
            Self::Purge { before, rows_max } => {
                transitions::purge(connection, *before)?;
                requests::purge(connection, *before, *rows_max)
            }
        }
    }

    /// Whether it must not be lost when the disk refuses it.
    pub(crate) const fn is_kept(&self) -> bool {
        matches!(self, Self::Reserve(_) | Self::Settle(_))
    }

    /// Its record in the journal, if it belongs there and fits.
    pub(crate) fn record(&self) -> Option<Vec<u8>> {
        match self {
            Self::Reserve(request) => EntryRef::Reserve(request).record(),
            Self::Settle(ended) => EntryRef::Settle(ended).record(),
            _ => None,
        }
    }
}

impl From<Entry> for Job {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Reserve(request) => Self::Reserve(request),
            Entry::Settle(ended) => Self::Settle(ended),
        }
    }
}

/// Commits what a killed process left in its journal. What is impossible is skipped and put aside.
pub(crate) fn replay(
    connection: &Connection,
    journal: &Journal,
    left: Vec<Entry>,
) -> Result<(), LedgerError> {
    let jobs: Vec<Job> = left.into_iter().map(Job::from).collect();
    for batch in jobs.chunks(BATCH_JOBS_MAX) {
        if commit(connection, batch.iter()).is_ok() {
            continue;
        }
        for job in batch {
            match commit(connection, std::iter::once(job)) {
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => {
                    tracing::error!(%error, ?job, "a record of the journal is impossible");
                    journal.put_aside();
                }
                Ok(_) => {}
            }
        }
    }
    Ok(())
}

/// All of `jobs` in one transaction, or none.
pub(crate) fn commit<'a>(
    connection: &Connection,
    jobs: impl Iterator<Item = &'a Job>,
) -> Result<Vec<usize>, LedgerError> {
    let step = |sql| connection.prepare_cached(sql)?.execute([]).map(drop);
    let attempt = || {
        step("BEGIN IMMEDIATE")?;
        let (mut answers, mut settled): (Vec<usize>, Vec<&Settlement>) = (Vec::new(), Vec::new());
        let mut settling = None;
        for job in jobs {
            let rows = job.apply(connection, &mut settling)?;
            answers.push(rows);
            match job {
                Job::Settle(ended) if rows > 0 => settled.push(ended),
                _ => {}
            }
        }
        let ids: Vec<_> = settled.iter().map(|ended| ended.request.id).collect();
        rollup::add(connection, &ids)?;
        hours::follow(connection, &settled)?;
        failures::add(connection, &settled)?;
        bypasses::add(connection, &settled)?;
        step("COMMIT")?;
        Ok(answers)
    };
    attempt().map_err(|error: rusqlite::Error| {
        // SQLite has rolled back by itself after some errors and not after others.
        if !connection.is_autocommit()
            && let Err(rollback) = step("ROLLBACK")
        {
            tracing::error!(%rollback, "a failed transaction could not be undone");
        }
        LedgerError::from(error)
    })
}
