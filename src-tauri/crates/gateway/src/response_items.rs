//! Items of answers that clients may refer to (`wire::resolve_items`), for as long as they are kept.
//!
//! In memory only: they are what people and models said, which the gateway does not write to the disk
//! unasked; a restart loses them, and a reference to a lost one is left out and named. They hold no
//! key. A client finds its own only: the id of another's request is no secret, as the log shows it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{ClientId, Clock, Moment};
use parking_lot::Mutex;
use wire::ResponseItem;

/// Most items kept at once, for all clients. A long agent's session makes some hundreds.
pub(crate) const KEPT_ITEMS_MAX: usize = 8_192;

/// Most bytes of items kept at once, for all clients: a hundred times a long conversation in text.
pub(crate) const KEPT_ITEMS_BYTES_MAX: usize = 33_554_432;

/// Time an item is kept. A conversation that rests longer goes on without its reasoning.
pub(crate) const KEPT_ITEM_TIME: Duration = Duration::from_secs(86_400);

/// The items that are kept, the oldest of which go first.
pub(crate) struct ResponseItemStore {
    clock: Arc<dyn Clock>,
    kept: Mutex<StoredItems>,
}

#[derive(Default)]
struct StoredItems {
    items: HashMap<(ClientId, String), (Arc<str>, Moment)>,
    /// Their keys, in the order of their time.
    order: VecDeque<(ClientId, String)>,
    bytes: usize,
}

/// Where the items of one client's answer are kept.
pub(crate) struct ResponseItemWriter {
    items: Arc<ResponseItemStore>,
    client: ClientId,
}

impl ResponseItemStore {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, kept: Mutex::default() })
    }

    /// The request of `client` with its own items in the place of their references.
    pub(crate) fn resolve(&self, client: &ClientId, body: Bytes) -> Bytes {
        wire::resolve_items(body, |id| self.find(client, id))
    }

    /// For an answer to `client`.
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
        // The same answer may come twice, from the cache.
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

    /// Bytes and items that are kept.
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
            (0..=KEPT_ITEMS_MAX).map(|place| format!("rs_req1_{place}")).collect();
        items.keep(&client("one"), names.iter().map(|name| item(name, 1)).collect());
        assert_eq!(items.find(&client("one"), &names[0]), None);
        assert!(names[1..].iter().all(|name| items.find(&client("one"), name).is_some()));
        // The same again takes no more room.
        items.keep(&client("one"), vec![item(&names[1], 1)]);
        assert_eq!(room(&items), (KEPT_ITEMS_MAX, KEPT_ITEMS_MAX));

        items.keep(&client("one"), vec![item("rs_req2_0", KEPT_ITEMS_BYTES_MAX)]);
        assert!(items.find(&client("one"), "rs_req2_0").is_some());
        assert_eq!(room(&items), (KEPT_ITEMS_BYTES_MAX, 1), "it takes all the room there is");
        items.keep(&client("one"), vec![item("rs_req3_0", KEPT_ITEMS_BYTES_MAX + 1)]);
        assert_eq!(room(&items), (0, 0));
    }
}
