//! Events of an engine, as panels receive them.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::Duration;

use engine::{Engine, EngineEvent};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Sleep, sleep};

use crate::panel_event::{ChangeTag, PanelEvent};

/// How long changes are collected before panels are told, in milliseconds. This limits refreshes to
/// ten a second, and the delay is too short to notice.
pub const CHANGES_BATCH_MS: u64 = 100;

/// Events of an engine, as panels receive them.
///
/// Changes are collected for [`CHANGES_BATCH_MS`] and sent as one event, so that a thousand
/// requests a second do not cause a thousand refreshes. All other events are sent at once and in
/// order.
#[derive(Debug)]
pub struct PanelEvents {
    events: broadcast::Receiver<EngineEvent>,
    stale: BTreeSet<ChangeTag>,
    next_flush: Pin<Box<Sleep>>,
}

impl PanelEvents {
    /// Subscribes to the events of `engine` from now on.
    #[must_use]
    pub fn subscribe(engine: &Engine) -> Self {
        let events = engine.events().subscribe();
        Self { events, stale: BTreeSet::new(), next_flush: Box::pin(sleep(Duration::ZERO)) }
    }

    /// Returns the next event, or `None` when the engine is gone.
    pub async fn next(&mut self) -> Option<PanelEvent> {
        loop {
            let event = tokio::select! {
                biased;
                () = &mut self.next_flush, if !self.stale.is_empty() => return Some(self.take_changed_event()),
                event = self.events.recv() => event,
            };
            match event.as_ref().map(PanelEvent::from) {
                Ok(PanelEvent::Changed { tags }) => self.add_stale_tags(tags),
                Ok(other) => return Some(other),
                // Some events were lost, so everything may be stale.
                Err(RecvError::Lagged(_)) => self.add_stale_tags(ChangeTag::ALL.iter().copied()),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn add_stale_tags(&mut self, tags: impl IntoIterator<Item = ChangeTag>) {
        if self.stale.is_empty() {
            self.next_flush = Box::pin(sleep(Duration::from_millis(CHANGES_BATCH_MS)));
        }
        self.stale.extend(tags);
    }

    fn take_changed_event(&mut self) -> PanelEvent {
        PanelEvent::Changed { tags: std::mem::take(&mut self.stale).into_iter().collect() }
    }
}
