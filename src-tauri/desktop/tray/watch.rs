//! Asks the core for what the tray shows, whenever that may have changed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use control::{ChangeTag, Core};
use parking_lot::Mutex;
use tauri::{AppHandle, Manager, Wry};
use tokio::sync::Notify;

use super::menu::TrayView;
use super::{Tray, TrayFace};

/// Time after which the status is asked for without an event: days, silences and quotas end by
/// themselves.
const REFRESH_SECS: u64 = 60;
/// Time between two updates: under load there are ten changes a second.
const UPDATE_PAUSE_MS: u64 = 500;

/// Tells the tray what may have changed.
#[derive(Clone, Default)]
pub(crate) struct TrayWatch(Arc<WatchState>);

#[derive(Default)]
struct WatchState {
    news: Mutex<News>,
    woken: Notify,
}

/// What has happened since the last update.
#[derive(Default)]
struct News {
    stale: BTreeSet<ChangeTag>,
    is_disconnected: bool,
    /// How the last command from the menu ended: `Err` with why it was refused.
    outcome: Option<Result<(), String>>,
}

impl TrayWatch {
    pub(crate) fn note_changes(&self, tags: &[ChangeTag]) {
        self.note(|news| news.stale.extend(tags));
    }

    /// The core's events have ended; until they come again, nothing is known for certain.
    pub(crate) fn note_disconnected(&self) {
        self.note(|news| news.is_disconnected = true);
    }

    /// A command from the menu has ended: `Err` with why it was refused.
    pub(super) fn note_outcome(&self, outcome: Result<(), String>) {
        self.note(|news| news.outcome = Some(outcome));
    }

    fn note(&self, change: impl FnOnce(&mut News)) {
        change(&mut self.0.news.lock());
        self.0.woken.notify_one();
    }

    /// Updates the tray until the program ends.
    pub(crate) async fn run(self, app: AppHandle<Wry>, core: Core) {
        let mut view = TrayView::default();
        loop {
            let woken = self.0.woken.notified();
            let is_due =
                tokio::time::timeout(Duration::from_secs(REFRESH_SECS), woken).await.is_err();
            let mut news = std::mem::take(&mut *self.0.news.lock());
            if is_due {
                news.stale.insert(ChangeTag::Status);
            }
            refresh(&mut view, &core, news).await;
            show(&app, &view);
            tokio::time::sleep(Duration::from_millis(UPDATE_PAUSE_MS)).await;
        }
    }
}

/// Asks for what is stale. A part that the core does not tell stays as it was.
async fn refresh(view: &mut TrayView, core: &Core, news: News) {
    use ChangeTag::{Alerts, Backends, Clients, Endpoints, Routes, Settings, Status, Usage};
    let News { stale, is_disconnected, outcome } = news;
    let is_stale = |tags: &[ChangeTag]| tags.iter().any(|tag| stale.contains(tag));
    view.is_stale |= is_disconnected;
    if let Some(outcome) = outcome {
        view.refusal = outcome.err();
    }
    if is_stale(&[Status]) {
        let status = control::status(core).await.ok();
        view.is_stale = status.is_none();
        view.status = status.or(view.status.take());
    }
    if is_stale(&[Settings]) {
        view.currency = control::currency(core).await.ok().or(view.currency.take());
    }
    if is_stale(&[Alerts]) {
        view.alerts = control::alerts(core).await.ok().or(view.alerts.take());
    }
    if is_stale(&[Usage, Settings])
        && let Ok(budgets) = control::budgets(core).await
    {
        view.budgets = budgets;
    }
    if is_stale(&[Routes, Backends, Endpoints, Settings])
        && let Ok(routes) = control::routes(core).await
    {
        view.routes = routes.routes;
    }
    if is_stale(&[Clients, Backends, Routes, Settings])
        && let Ok(clients) = control::clients(core).await
    {
        view.clients = clients;
    }
}

/// Shows the view on the main thread, without waiting for it.
fn show(app: &AppHandle<Wry>, view: &TrayView) {
    let (face, handle) = (TrayFace::of(view), app.clone());
    let shown = app.run_on_main_thread(move || {
        if let Err(error) = handle.state::<Tray>().show(&handle, face) {
            tracing::warn!(%error, "the tray could not be updated");
        }
    });
    if let Err(error) = shown {
        tracing::warn!(%error, "the tray could not be updated");
    }
}
