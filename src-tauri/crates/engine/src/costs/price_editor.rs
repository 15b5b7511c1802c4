//! The price book in use, and what changes it: one's own prices, imported lists, undo.
//!
//! A change adds rows; it never edits one, and a cost that was known stays. Requests without a price
//! are priced by a change, and unpriced again by its undo. So are answers of session logs.

use std::collections::HashMap;
use std::sync::Arc;

use domain::{BackendId, Clock, RequestId, WallTime};
use gateway::{Upstream, fetch_text};
use ledger::{
    AnswerValue, Ledger, LedgerError, PriceChange, RepricedAttempt, UnpricedAnswer, UnpricedAttempt,
};
use parking_lot::Mutex;
use pricing::{
    AttemptPricing, Cost, Price, PriceBook, PriceFileError, PriceFileFormat, PriceFileProblem,
    PriceFileRow, PriceOwner, PriceTerms, Provider, RateChange, listed_by, read_price_file,
};
use settings::{AllowedNetwork, SettingsStore, parse_base_url};

use crate::costs::price_list_date::PriceListDate;
use crate::costs::price_list_rows::PriceListRows;
use crate::costs::prices_in_use::PricesInUse;
use crate::costs::session_answer::SessionAnswer;
use crate::events::EventBus;
use crate::gateway::response_cache::ResponseCache;
use crate::gateway::snapshot::SnapshotStore;
use crate::process::tasks::Tasks;
use crate::topic::Topic;

/// Largest price list that is fetched. LiteLLM's has 3 MB.
const LIST_BYTES_MAX: usize = 16 * 1_048_576;
/// Attempts without a price that are priced in one transaction.
const REPRICED_AT_ONCE_MAX: usize = 200;
/// Answers of session logs that are priced in one transaction.
const ANSWERS_AT_ONCE_MAX: usize = 2_000;

pub struct PriceEditor {
    pub(crate) book: PricesInUse,
    pub(crate) ledger: Ledger,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) snapshots: Arc<SnapshotStore>,
    pub(crate) response_cache: Arc<ResponseCache>,
    pub(crate) network: Arc<dyn Upstream>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
    pub(crate) list_date: PriceListDate,
    /// The last preview, until it is applied or another takes its place.
    pub(crate) preview: Mutex<Option<Arc<PricePreview>>>,
    /// One change at a time.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

/// How far the attempts without a price were read.
#[derive(Default)]
struct UnpricedPages {
    after: Option<(RequestId, i64)>,
}

/// What an import would change.
#[derive(Debug)]
pub struct PricePreview {
    pub id: u64,
    pub format: PriceFileFormat,
    /// The name or address of the list.
    pub source: String,
    /// Largest change first.
    pub differences: Vec<PriceDifference>,
    /// Rows that say what is known.
    pub same: usize,
    /// Rows of providers whose prices are not kept.
    pub foreign: usize,
    pub problems: Vec<PriceFileProblem>,
    /// True if it has prices of every provider whose list prices apply to a backend.
    pub(crate) is_complete: bool,
}

impl PricePreview {
    #[must_use]
    pub fn new_prices(&self) -> usize {
        self.differences.iter().filter(|difference| difference.is_new).count()
    }

    #[must_use]
    pub fn changed(&self) -> usize {
        self.differences.len() - self.new_prices()
    }
}

#[derive(Debug)]
pub struct PriceDifference {
    pub price: Price,
    pub changes: Vec<RateChange>,
    /// The model had no price.
    pub is_new: bool,
}

/// A change of prices that was made or taken back.
#[derive(Debug, Clone)]
pub struct PriceChangeDone {
    pub at: WallTime,
    pub what: String,
    pub prices: u64,
    pub repriced: u64,
    pub is_undone: bool,
}

impl PriceChangeDone {
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { what, repriced, is_undone, .. } = self;
        match (is_undone, repriced) {
            (false, 0) => format!("{what}."),
            (false, 1) => format!("{what}. 1 request without a price now has one."),
            (false, more) => format!("{what}. {more} requests without a price now have one."),
            (true, 0) => format!("Taken back: {what}."),
            (true, 1) => format!("Taken back: {what}. 1 request has no price again."),
            (true, more) => format!("Taken back: {what}. {more} requests have no price again."),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PriceEditError {
    #[error(transparent)]
    File(#[from] PriceFileError),
    /// The address may not be asked, or did not answer with a list.
    #[error("{0}")]
    Address(String),
    #[error("this preview is no longer there; look at the list again")]
    UnknownPreview,
    #[error("no change of prices can be taken back")]
    NothingToUndo,
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl PriceEditor {
    /// Prices what has no price by the price list of a new version, in the background.
    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        let editor = Arc::clone(self);
        tasks.spawn("new list prices", async move {
            match editor.price_by_bundled().await {
                Ok(Some(done)) => tracing::info!(requests = done.repriced, "{}", done.what),
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "requests were not priced by the new list"),
            }
        });
    }

    /// Sets the price of `model` at `backend`, from now on. What `terms` do not state stays as the
    /// backend's last price of the model has it.
    pub async fn set(
        &self,
        backend: &BackendId,
        model: &str,
        terms: PriceTerms,
    ) -> Result<PriceChangeDone, PriceEditError> {
        let (owner, now) = (PriceOwner::Backend(backend.clone()), self.clock.wall());
        let terms = match self.book.load().find_row(&owner, model, now) {
            Some(last) => terms.over(&last.terms),
            None => terms,
        };
        let price = Price::declared(backend, model, terms, now);
        self.change(format!("Set the price of {model} at {backend}"), vec![price]).await
    }

    /// Reads a price list and compares it with the prices in use. Changes nothing.
    pub fn preview(&self, name: &str, text: &str) -> Result<Arc<PricePreview>, PriceEditError> {
        let (format, file) = read_price_file(text)?;
        let (now, book) = (self.clock.wall(), self.book.load());
        let is_complete = self.has_each_provider(&file.rows);
        let providers = &self.providers();
        let rows = PriceListRows { book: &book, providers, name, now };
        let (prices, unused) = rows.read(file.rows);
        let (mut differences, mut same) = (Vec::new(), 0);
        for price in prices {
            match difference(&book, price, now) {
                Some(difference) => differences.push(difference),
                None => same += 1,
            }
        }
        differences.sort_by_key(|difference| {
            let largest = difference.changes.iter().map(|change| change.percent().abs()).max();
            (difference.is_new, std::cmp::Reverse(largest))
        });
        let mut last = self.preview.lock();
        let id = last.as_ref().map_or(0, |last| last.id) + 1;
        let (foreign, mut problems) = (file.foreign_rows, file.problems);
        problems.extend(unused);
        problems.sort_by_key(|problem| problem.line);
        let source = name.to_owned();
        if is_complete && differences.is_empty() && same > 0 {
            self.list_date.note(now);
        }
        let preview = Arc::new(PricePreview {
            id,
            format,
            source,
            differences,
            same,
            foreign,
            problems,
            is_complete,
        });
        *last = Some(Arc::clone(&preview));
        Ok(preview)
    }

    /// Fetches a price list from `address` under the rules for base URLs, and previews it.
    pub async fn preview_from(&self, address: &str) -> Result<Arc<PricePreview>, PriceEditError> {
        let text = self.fetch(address).await?;
        self.preview(address, &text)
    }

    /// Applies the preview with this id.
    pub async fn apply(&self, id: u64) -> Result<PriceChangeDone, PriceEditError> {
        let preview = self.preview.lock().take_if(|preview| preview.id == id);
        let preview = preview.ok_or(PriceEditError::UnknownPreview)?;
        let prices: Vec<Price> =
            preview.differences.iter().map(|difference| difference.price.clone()).collect();
        let noun = if prices.len() == 1 { "price" } else { "prices" };
        let what = format!("Imported {} {noun} from {}", prices.len(), preview.source);
        let done = self.change(what, prices).await?;
        if preview.is_complete {
            self.list_date.note(done.at);
        }
        Ok(done)
    }

    /// The day of the price list in use: when it was bundled, or a later one on which a list with
    /// prices of every provider in use was imported, or found to differ in nothing.
    #[must_use]
    pub fn list_date(&self) -> WallTime {
        self.list_date.read()
    }

    /// The change that [`PriceEditor::undo`] takes back.
    pub async fn last_change(&self) -> Result<Option<PriceChangeDone>, LedgerError> {
        let last = self.ledger.last_price_change().await?;
        Ok(last.map(|change| done(change, false)))
    }

    /// Takes the last change back: its prices are no longer used, and what it priced has no price.
    pub async fn undo(&self) -> Result<PriceChangeDone, PriceEditError> {
        let _one = self.changing.lock().await;
        let undone = self.ledger.undo_price_change(self.clock.wall()).await?;
        let undone = undone.ok_or(PriceEditError::NothingToUndo)?;
        self.reload().await?;
        self.list_date.forget();
        for numbers in self.ledger.answers_priced_by(undone.id).await?.chunks(ANSWERS_AT_ONCE_MAX) {
            let values = numbers.iter().map(|number| (*number, None)).collect();
            self.ledger.set_answer_values(values, self.clock.wall()).await?;
        }
        // Some may have had an earlier price.
        self.price_answers().await?;
        Ok(done(undone, true))
    }

    async fn change(
        &self,
        what: String,
        prices: Vec<Price>,
    ) -> Result<PriceChangeDone, PriceEditError> {
        let _one = self.changing.lock().await;
        let count = u64::try_from(prices.len()).unwrap_or(u64::MAX);
        let at = self.clock.wall();
        let id = self.ledger.add_prices(at, what.clone(), prices).await?;
        self.reload().await?;
        let repriced = self.reprice(id).await?;
        if repriced > 0 {
            self.events.send_changed(&[Topic::Usage, Topic::Status]);
        }
        self.price_answers().await?;
        Ok(PriceChangeDone { at, what, prices: count, repriced, is_undone: false })
    }

    /// Puts the ledger's prices in use, and purges cached responses whose price changed.
    async fn reload(&self) -> Result<(), LedgerError> {
        self.book.store(Arc::new(self.ledger.price_book().await?));
        self.snapshots.rebuild();
        self.response_cache.purge_repriced();
        Ok(())
    }

    /// Prices requests without a price by the bundled prices, if these are others than at the last
    /// time, as a change that can be taken back. A cost that is known stays.
    ///
    /// # Errors
    /// The ledger cannot be read or written.
    pub async fn price_by_bundled(&self) -> Result<Option<PriceChangeDone>, LedgerError> {
        let _one = self.changing.lock().await;
        let bundled = pricing::bundled_fingerprint();
        if self.ledger.bundled_prices_used().await?.as_ref() == Some(&bundled) {
            return Ok(None);
        }
        let what = "Priced by the price list of this version".to_owned();
        let at = self.clock.wall();
        let mut unpriced = UnpricedPages::default();
        let (mut change, mut repriced) = (None, 0);
        while let Some(priced) = self.next_priced(&mut unpriced).await? {
            if priced.is_empty() {
                continue;
            }
            let id = match change {
                Some(id) => id,
                None => self.ledger.add_prices(at, what.clone(), Vec::new()).await?,
            };
            change = Some(id);
            repriced += self.ledger.reprice(id, priced).await?;
        }
        self.price_answers().await?;
        self.ledger.use_bundled_prices(bundled).await?;
        if change.is_none() {
            return Ok(None);
        }
        self.events.send_changed(&[Topic::Usage, Topic::Status, Topic::Prices]);
        Ok(Some(PriceChangeDone { at, what, prices: 0, repriced, is_undone: false }))
    }

    /// Prices the attempts that had no price, as part of the change `id`. Returns the number of
    /// requests.
    async fn reprice(&self, id: i64) -> Result<u64, LedgerError> {
        let (mut unpriced, mut requests) = (UnpricedPages::default(), 0);
        while let Some(priced) = self.next_priced(&mut unpriced).await? {
            if !priced.is_empty() {
                requests += self.ledger.reprice(id, priced).await?;
            }
        }
        Ok(requests)
    }

    /// The attempts of the next page that have a price now; `None` after the last page.
    async fn next_priced(
        &self,
        pages: &mut UnpricedPages,
    ) -> Result<Option<Vec<RepricedAttempt>>, LedgerError> {
        let unpriced = self.ledger.unpriced_attempts(pages.after, REPRICED_AT_ONCE_MAX).await?;
        let Some(last) = unpriced.last() else { return Ok(None) };
        pages.after = Some((last.request, last.number));
        let (providers, book) = (self.providers(), self.book.load_full());
        let priced = |attempt: &UnpricedAttempt| {
            let pricing = AttemptPricing {
                prices: Arc::clone(&book),
                provider: providers.get(&attempt.backend).copied().flatten(),
                backend: attempt.backend.clone(),
                model: attempt.model.clone(),
            };
            let billed = attempt.model_billed.as_deref();
            let priced = pricing.late_cost(&attempt.usage, billed, attempt.started);
            let (request, number) = (attempt.request, attempt.number);
            let is_priced = matches!(priced.cost, Cost::Computed { .. });
            is_priced.then_some(RepricedAttempt { request, number, priced })
        };
        Ok(Some(unpriced.iter().filter_map(priced).collect()))
    }

    /// Prices the answers of session logs that had no price.
    async fn price_answers(&self) -> Result<(), LedgerError> {
        let (mut after, mut priced) = (0, 0);
        loop {
            let unpriced = self.ledger.unpriced_answers(after, ANSWERS_AT_ONCE_MAX).await?;
            let Some(last) = unpriced.last() else { break };
            after = last.number;
            let (book, now) = (self.book.load_full(), self.clock.wall());
            let value = |answer: &UnpricedAnswer| {
                let UnpricedAnswer { number, tool, provider, model, time, usage } = answer;
                let (tool, provider, time) = (*tool, provider.as_deref(), *time);
                let answer = SessionAnswer { tool, provider, model, time, usage };
                Some((*number, Some(answer.value(&book, now)?)))
            };
            let values: Vec<AnswerValue> = unpriced.iter().filter_map(value).collect();
            if !values.is_empty() {
                priced += self.ledger.set_answer_values(values, now).await?;
            }
        }
        if priced > 0 {
            self.events.send_changed(&[Topic::SessionLogs]);
        }
        Ok(())
    }

    fn providers(&self) -> HashMap<BackendId, Option<Provider>> {
        let settings = self.settings.current();
        let provider = |(id, known): (&BackendId, &settings::BackendSettings)| {
            (id.clone(), Provider::from_base_url(&known.base_url, known.credential().is_some()))
        };
        settings.backends.iter().map(provider).collect()
    }

    fn has_each_provider(&self, rows: &[PriceFileRow]) -> bool {
        let is_listed = |provider| {
            let owner = PriceOwner::Provider(provider);
            listed_by(provider).next().is_none() || rows.iter().any(|row| row.owner == owner)
        };
        self.providers().into_values().flatten().all(is_listed)
    }

    async fn fetch(&self, address: &str) -> Result<String, PriceEditError> {
        let port = self.settings.current().gateway.port;
        let url = parse_base_url(address, port)
            .map_err(|error| PriceEditError::Address(error.to_string()))?
            .url;
        let network = AllowedNetwork::default();
        let text = fetch_text(&*self.network, url, network, LIST_BYTES_MAX).await;
        text.map_err(|error| PriceEditError::Address(error.to_string()))
    }
}

fn difference(book: &PriceBook, price: Price, now: WallTime) -> Option<PriceDifference> {
    let known = book.find_row(&price.owner, &price.model, price.valid_from.max(now));
    let mut complete = price.clone();
    book.complete(&mut complete);
    let changes = complete.terms.changes_since(known.map(|known| &known.terms));
    (!changes.is_empty()).then(|| PriceDifference { price, changes, is_new: known.is_none() })
}

fn done(change: PriceChange, is_undone: bool) -> PriceChangeDone {
    let PriceChange { at, what, prices, repriced, .. } = change;
    PriceChangeDone { at, what, prices, repriced, is_undone }
}
