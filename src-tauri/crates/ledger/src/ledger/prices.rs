//! Prices that were used, their changes with an undo, and what providers say they billed.

use domain::{RequestId, WallTime};
use pricing::{Price, PriceBook};

use super::Ledger;
use crate::costs::{price_changes, price_table};
use crate::write::writes::LedgerWrite;
use crate::{BilledDay, LedgerError, PriceChange, RepricedAttempt, UnpricedAttempt};

impl Ledger {
    /// Adds prices as one change that can be taken back; returns its id. Prices are never edited: a
    /// known id has no effect, and a new amount needs a new date.
    ///
    /// # Errors
    /// The file cannot be written or read.
    pub async fn add_prices(
        &self,
        at: WallTime,
        what: String,
        prices: Vec<Price>,
    ) -> Result<i64, LedgerError> {
        self.inner.queue.write(LedgerWrite::AddPrices { at, what, prices }).await?;
        Ok(self.last_price_change().await?.map_or(0, |change| change.id))
    }

    /// The fingerprint of the bundled prices by which requests were priced last; `None` if they never
    /// were.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn bundled_prices_used(&self) -> Result<Option<String>, LedgerError> {
        self.read_current(price_changes::read_bundled).await
    }

    /// Remembers the bundled prices by which requests were priced.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn use_bundled_prices(&self, fingerprint: String) -> Result<(), LedgerError> {
        self.inner.queue.write(LedgerWrite::BundledPrices(fingerprint)).await.map(drop)
    }

    /// The newest change of prices that was not taken back.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn last_price_change(&self) -> Result<Option<PriceChange>, LedgerError> {
        self.read(price_changes::find_last).await
    }

    /// Takes the newest change of prices back, with what it priced. `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be written or read.
    pub async fn undo_price_change(
        &self,
        at: WallTime,
    ) -> Result<Option<PriceChange>, LedgerError> {
        let Some(last) = self.last_price_change().await? else { return Ok(None) };
        let undo = LedgerWrite::UndoPriceChange { change: last.id, at };
        self.inner.queue.write(undo).await?;
        Ok(Some(last))
    }

    /// Stores what providers reported of days; each report replaces the one before from the same
    /// source.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn replace_billed(&self, days: Vec<BilledDay>) -> Result<(), LedgerError> {
        self.inner.queue.write(LedgerWrite::ReplaceBilled(days)).await.map(drop)
    }

    /// Attempts that have no price because none was known, after one of them.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn unpriced_attempts(
        &self,
        after: Option<(RequestId, i64)>,
        limit: usize,
    ) -> Result<Vec<UnpricedAttempt>, LedgerError> {
        self.read(move |connection| price_changes::list_unpriced(connection, after, limit)).await
    }

    /// Prices attempts that have no price, as part of a change. Returns the number of requests.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn reprice(
        &self,
        change: i64,
        attempts: Vec<RepricedAttempt>,
    ) -> Result<u64, LedgerError> {
        let requests = self.inner.queue.write(LedgerWrite::Reprice { change, attempts }).await?;
        Ok(requests as u64)
    }

    /// The price row that a cost was computed with ([`pricing::Cost::Computed`]).
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn price(&self, id: String) -> Result<Option<Price>, LedgerError> {
        self.read(move |connection| price_table::find(connection, &id)).await
    }

    /// The bundled prices and every declared price.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn price_book(&self) -> Result<PriceBook, LedgerError> {
        self.read(price_table::load_price_book).await
    }
}
