//! Keeps items of answers that clients may refer to later (`wire::resolve_items`).
//!
//! In memory only: items are conversation content, which the gateway does not write to disk
//! unasked. A restart loses them; a reference to a lost item is left out and named. Items hold no
//! key. A client finds only its own items, since the id of another client's request is no secret:
//! the log shows it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{ClientId, Clock, Moment};
use parking_lot::Mutex;
use wire::ResponseItem;

/// Maximum number of items, for all clients. A long agent session makes some hundreds.
pub(crate) const KEPT_ITEMS_MAX: usize = 8_192;

/// Maximum bytes of items, for all clients: a hundred times a long text conversation.
pub(crate) const KEPT_ITEMS_BYTES_MAX: usize = 33_554_432;

/// Lifetime of an item. A conversation that rests longer continues without its reasoning.
pub(crate) const KEPT_ITEM_TIME: Duration = Duration::from_secs(86_400);

/// The kept items. The oldest are evicted first.
pub(crate) struct ResponseItemStore {
    clock: Arc<dyn Clock>,
    kept: Mutex<StoredItems>,
}

#[derive(Default)]
struct StoredItems {
    items: HashMap<(ClientId, String), (Arc<str>, Moment)>,
    /// The keys of `items`, oldest first.
    order: VecDeque<(ClientId, String)>,
    bytes: usize,
}

/// Keeps the items of answers to one client.
pub(crate) struct ResponseItemWriter {
    items: Arc<ResponseItemStore>,
    client: ClientId,
}

impl ResponseItemStore {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, kept: Mutex::default() })
    }

    /// Replaces the item references in a request of `client` with its own items.
    pub(crate) fn resolve(&self, client: &ClientId, body: Bytes) -> Bytes {
        wire::resolve_items(body, |id| self.find(client, id))
    }

    /// A writer for an answer to `client`.
    pub(crate) fn keeper(self: &Arc<Self>, client: &ClientId) -> ResponseItemWriter {
        ResponseItemWriter { items: Arc::clone(self), client: client.clone() }
    }

    fn find(&self, client: &ClientId, id: &str) -> Option<Arc<str>> {
        let now = self.clock.now();
        let kept = self.kept.lock();
        let (json, since) = kept.items.get(&(client.clone(), id.to_owned()))?;
        (now.since(*since) < KEPT_ITEM_TIME).then(|| Arc::clone(json))
    }

    fn keep(&self, client: &ClientId, items: Vec<ResponseItem>) {
        let now = self.clock.now();
        let mut kept = self.kept.lock();
        for ResponseItem { id, json } in items {
            kept.add((client.clone(), id), json, now);
        }
        kept.evict(now);
    }
}

impl StoredItems {
    fn add(&mut self, key: (ClientId, String), json: Arc<str>, now: Moment) {
        // The same answer may come again, from the cache.
        if self.items.contains_key(&key) {
            return;
        }
        self.bytes += json.len();
        self.order.push_back(key.clone());
        self.items.insert(key, (json, now));
    }

    fn evict(&mut self, now: Moment) {
        while let Some(oldest) = self.order.front() {
            let is_old =
                self.items.get(oldest).is_none_or(|(_, since)| now.since(*since) >= KEPT_ITEM_TIME);
            let is_full = self.order.len() > KEPT_ITEMS_MAX || self.bytes > KEPT_ITEMS_BYTES_MAX;
            if !is_old && !is_full {
                break;
            }
            if let Some((json, _)) = self.items.remove(oldest) {
                self.bytes = self.bytes.saturating_sub(json.len());
            }
            self.order.pop_front();
        }
    }
}

impl ResponseItemWriter {
    /// Keeps the items of a whole answer, or of a stream whose last bytes these are.
    pub(crate) fn keep(&self, answer: &[u8]) {
        self.items.keep(&self.client, wire::response_items(answer));
    }
}

#[cfg(test)]
mod tests {
    use domain::{ManualClock, WallTime};

    use super::*;

    fn client(name: &str) -> ClientId {
        ClientId::new(name).expect("an id")
    }

    fn item(id: &str, bytes: usize) -> ResponseItem {
        ResponseItem { id: id.to_owned(), json: "x".repeat(bytes).into() }
    }

    fn kept() -> (Arc<ManualClock>, Arc<ResponseItemStore>) {
        let clock = Arc::new(ManualClock::starting_at(WallTime::from_unix_ms(0)));
        let items = ResponseItemStore::new(Arc::clone(&clock) as Arc<dyn Clock>);
        (clock, items)
    }

    /// Bytes and number of kept items.
    fn room(items: &ResponseItemStore) -> (usize, usize) {
        let kept = items.kept.lock();
        assert_eq!(kept.items.len(), kept.order.len());
        (kept.bytes, kept.order.len())
    }

    #[test]
    fn an_item_is_found_by_its_client_for_its_time() {
        let (clock, items) = kept();
        items.keep(&client("one"), vec![item("rs_req1_0", 3)]);
        clock.advance(KEPT_ITEM_TIME - Duration::from_millis(1));
        assert_eq!(items.find(&client("one"), "rs_req1_0").as_deref(), Some("xxx"));
        assert_eq!(items.find(&client("two"), "rs_req1_0"), None);
        clock.advance(Duration::from_millis(1));
        assert_eq!(items.find(&client("one"), "rs_req1_0"), None);
        items.keep(&client("one"), Vec::new());
        assert_eq!(room(&items), (0, 0));
    }

    #[test]
    fn the_oldest_go_at_each_limit() {
        let (_clock, items) = kept();
        let names: Vec<String> =
            (0..=KEPT_ITEMS_MAX).map(|index| format!("rs_req1_{index}")).collect();
        items.keep(&client("one"), names.iter().map(|name| item(name, 1)).collect());
        assert_eq!(items.find(&client("one"), &names[0]), None);
        assert!(names[1..].iter().all(|name| items.find(&client("one"), name).is_some()));
        // The same item again takes no more room.
        items.keep(&client("one"), vec![item(&names[1], 1)]);
        assert_eq!(room(&items), (KEPT_ITEMS_MAX, KEPT_ITEMS_MAX));

        items.keep(&client("one"), vec![item("rs_req2_0", KEPT_ITEMS_BYTES_MAX)]);
        assert!(items.find(&client("one"), "rs_req2_0").is_some());
        assert_eq!(room(&items), (KEPT_ITEMS_BYTES_MAX, 1), "it takes all the room there is");
        items.keep(&client("one"), vec![item("rs_req3_0", KEPT_ITEMS_BYTES_MAX + 1)]);
        assert_eq!(room(&items), (0, 0));
    }
}
