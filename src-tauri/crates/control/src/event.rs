//! Events of an engine, as panels receive them.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::time::Duration;

use engine::{Engine, EngineEvent, EventBus};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Sleep, sleep};

use crate::panel_event::{ChangeTag, PanelEvent};

/// How long changes are collected after a panel was told, in milliseconds: less than the 50 ms within
/// which a change is to be told, and long enough that busy times cause few refreshes.
pub(crate) const CHANGES_BATCH_MS: u64 = 40;

/// Events of an engine, as panels receive them.
///
/// A change is sent at once. Those within `CHANGES_BATCH_MS` after it are collected and sent as one
/// event, so that a thousand requests a second do not cause a thousand refreshes. All other events
/// are sent at once and in order.
#[derive(Debug)]
pub struct PanelEvents {
    events: broadcast::Receiver<EngineEvent>,
    stale: BTreeSet<ChangeTag>,
    /// Over when changes may be sent again.
    pause: Pin<Box<Sleep>>,
}

impl PanelEvents {
    /// Subscribes to the events of `engine` from now on.
    #[must_use]
    pub fn subscribe(engine: &Engine) -> Self {
        Self::of(engine.events())
    }

    fn of(events: &EventBus) -> Self {
        let pause = Box::pin(sleep(Duration::ZERO));
        Self { events: events.subscribe(), stale: BTreeSet::new(), pause }
    }

    /// Returns the next event, or `None` when the engine is gone.
    pub async fn next(&mut self) -> Option<PanelEvent> {
        loop {
            let event = tokio::select! {
                biased;
                () = &mut self.pause, if !self.stale.is_empty() => return Some(self.take_changed_event()),
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
        self.stale.extend(tags);
    }

    fn take_changed_event(&mut self) -> PanelEvent {
        self.pause = Box::pin(sleep(Duration::from_millis(CHANGES_BATCH_MS)));
        PanelEvent::Changed { tags: std::mem::take(&mut self.stale).into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Clock, Moment, SystemClock};
    use engine::Topic;
    use tokio::time::timeout;

    use super::*;

    const BATCH: Duration = Duration::from_millis(CHANGES_BATCH_MS);
    const MOMENT: Duration = Duration::from_millis(1);

    /// The tags of the next event, if there is one within `wait`.
    async fn tags(events: &mut PanelEvents, wait: Duration) -> Option<Vec<ChangeTag>> {
        match timeout(wait, events.next()).await {
            Ok(Some(PanelEvent::Changed { tags })) => Some(tags),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_change_is_told_at_once_and_the_next_ones_together() {
        let bus = EventBus::default();
        let mut events = PanelEvents::of(&bus);
        bus.send_changed(&[Topic::Keys]);
        assert_eq!(tags(&mut events, MOMENT).await, Some(vec![ChangeTag::Keys]));
        for _ in 0..1_000 {
            bus.send_changed(&[Topic::Status, Topic::Usage]);
            assert_eq!(tags(&mut events, Duration::ZERO).await, None, "it is collected");
        }
        let together = tags(&mut events, BATCH).await.expect("the batch");
        assert_eq!(together.len(), 2, "{together:?}");
        assert_eq!(tags(&mut events, BATCH).await, None, "all of it was told");
        bus.send_changed(&[Topic::Keys]);
        assert_eq!(tags(&mut events, MOMENT).await, Some(vec![ChangeTag::Keys]), "at once again");
    }

    #[tokio::test(start_paused = true)]
    async fn each_of_many_changes_is_told_within_fifty_milliseconds() {
        const TOLD_WITHIN: Duration = Duration::from_millis(50);
        let bus = EventBus::default();
        let mut events = PanelEvents::of(&bus);
        let clock = SystemClock::new();
        let mut waiting: Vec<Moment> = Vec::new();
        for _ in 0..500 {
            bus.send_changed(&[Topic::Usage]);
            waiting.push(clock.now());
            if tags(&mut events, Duration::from_millis(7)).await.is_some() {
                let late = waiting.drain(..).map(|sent| clock.now().since(sent)).max();
                assert!(late.is_some_and(|late| late <= TOLD_WITHIN), "{late:?}");
            }
            assert!(waiting.len() < 10, "nothing is told");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn other_events_do_not_wait_for_collected_changes() {
        let bus = EventBus::default();
        let mut events = PanelEvents::of(&bus);
        bus.send_changed(&[Topic::Keys]);
        assert!(tags(&mut events, MOMENT).await.is_some());
        bus.send_changed(&[Topic::Keys]);
        bus.send(EngineEvent::OpenPath("/keys".to_owned()));
        let next = timeout(MOMENT, events.next()).await.expect("at once");
        assert!(matches!(next, Some(PanelEvent::Navigate { .. })), "{next:?}");
        assert!(tags(&mut events, BATCH).await.is_some());
    }
}
