//! One leader with many followers: leaving, late joins, slow readers, wake-ups.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::*;

/// A scripted backend that counts calls and dropped connections.
#[derive(Default)]
struct ScriptedBackend {
    calls: AtomicUsize,
    dropped: Arc<AtomicUsize>,
}

struct BackendStream {
    rest: mpsc::UnboundedReceiver<Vec<u8>>,
    dropped: Arc<AtomicUsize>,
}

impl Drop for BackendStream {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

impl ScriptedBackend {
    fn answer(&self) -> (mpsc::UnboundedSender<Vec<u8>>, BoxStream<'static, Vec<u8>>) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let (says, rest) = mpsc::unbounded_channel();
        let line = BackendStream { rest, dropped: Arc::clone(&self.dropped) };
        let stream = stream::unfold(line, |mut line| async move {
            let item = line.rest.recv().await?;
            Some((item, line))
        });
        (says, stream.boxed())
    }

    fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }
}

fn flights(kept_bytes_max: usize) -> SingleFlight<Vec<u8>> {
    SingleFlight::new(kept_bytes_max, Vec::len)
}

fn key(number: u8) -> CacheKey {
    CacheKey::new([number; 32])
}

type BackendSender = mpsc::UnboundedSender<Vec<u8>>;

/// Starts a flight of key 1; panics if one is running.
fn lead(
    flights: &SingleFlight<Vec<u8>>,
    backend: &ScriptedBackend,
) -> (BackendSender, FlightStream<Vec<u8>>) {
    let mut says = None;
    let joined = flights.join(key(1), 0, (), |()| {
        let (to, stream) = backend.answer();
        says = Some(to);
        Ok::<_, Infallible>(stream)
    });
    match (joined, says) {
        (Joined::Leader(stream), Some(says)) => (says, stream),
        _ => panic!("something was under way"),
    }
}

/// Joins the flight of key 1; panics if there is none.
fn join(flights: &SingleFlight<Vec<u8>>) -> FlightStream<Vec<u8>> {
    match flights.join(key(1), 0, (), |()| Err::<BoxStream<'static, Vec<u8>>, _>(())) {
        Joined::Follower(stream, ()) => stream,
        _ => panic!("nothing to join"),
    }
}

fn is_nothing_under_way(flights: &SingleFlight<Vec<u8>>) -> bool {
    matches!(
        flights.join(key(1), 0, (), |()| Err::<BoxStream<'static, Vec<u8>>, _>(())),
        Joined::Declined(())
    )
}

async fn all(stream: FlightStream<Vec<u8>>) -> Vec<u8> {
    let chunks: Vec<_> = stream.map(|item| item.expect("not left behind")).collect().await;
    chunks.concat()
}

#[tokio::test]
async fn three_hundred_ask_and_the_backend_is_asked_once() {
    let (flights, backend) = (flights(1_000_000), ScriptedBackend::default());
    let (says, leader) = lead(&flights, &backend);
    let mut readers = vec![leader];
    readers.extend((0..149).map(|_| join(&flights)));
    let mut reading: JoinSet<_> = readers.into_iter().map(all).collect();
    let mut expected = Vec::new();
    for number in 0..100_u8 {
        let chunk = vec![number; 100];
        expected.extend_from_slice(&chunk);
        says.send(chunk).expect("someone listens");
        tokio::task::yield_now().await;
        if number == 50 {
            // Late joiners still get the beginning.
            for _ in 0..150 {
                reading.spawn(all(join(&flights)));
            }
        }
    }
    drop(says);
    let mut whole = 0;
    for read in reading.join_all().await {
        assert!(read == expected);
        whole += 1;
    }
    assert_eq!((whole, backend.calls.load(Ordering::SeqCst)), (300, 1));
    assert_eq!((flights.count(), backend.dropped()), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_threads_drive_one_answer() {
    for _ in 0..20 {
        let (flights, backend) = (flights(10_000_000), ScriptedBackend::default());
        let (says, leader) = lead(&flights, &backend);
        let mut readers = vec![leader];
        readers.extend((0..50).map(|_| join(&flights)));
        let reading: JoinSet<_> = readers.into_iter().map(all).collect();
        for number in 0..200_u8 {
            says.send(vec![number; 10]).expect("someone listens");
        }
        drop(says);
        for read in reading.join_all().await {
            assert_eq!(read.len(), 2_000);
        }
    }
}

#[tokio::test]
async fn when_the_leader_leaves_another_goes_on() {
    let (flights, backend) = (flights(1_000), ScriptedBackend::default());
    let (says, mut leader) = lead(&flights, &backend);
    let mut joined = join(&flights);
    says.send(b"one".to_vec()).expect("someone listens");
    assert_eq!(leader.next().await, Some(Ok(b"one".to_vec())));
    // The leader's waker is registered with the backend's stream when it leaves.
    assert!(leader.next().now_or_never().is_none());
    let mut waiting = JoinSet::new();
    waiting.spawn(async move {
        let first = joined.next().await;
        (first, all(joined).await)
    });
    tokio::task::yield_now().await;
    drop(leader);
    assert_eq!(backend.dropped(), 0);
    says.send(b"two".to_vec()).expect("someone still listens");
    drop(says);
    let (first, rest) = waiting.join_next().await.expect("it waits").expect("no panic");
    assert_eq!((first, rest), (Some(Ok(b"one".to_vec())), b"two".to_vec()));
}

#[tokio::test]
async fn when_all_leave_the_backend_is_hung_up_on() {
    let (flights, backend) = (flights(1_000), ScriptedBackend::default());
    let (says, mut leader) = lead(&flights, &backend);
    let joined = join(&flights);
    assert!(leader.next().now_or_never().is_none());
    drop(leader);
    assert_eq!(backend.dropped(), 0, "one still waits");
    drop(joined);
    assert_eq!((backend.dropped(), flights.count()), (1, 0));
    assert!(says.send(b"into the void".to_vec()).is_err());
    // The next request starts anew.
    let (_says, _leader) = lead(&flights, &backend);
    assert_eq!(backend.calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_leader_whose_client_does_not_read_holds_nobody_up() {
    let (flights, backend) = (flights(1_000_000), ScriptedBackend::default());
    let (says, leader) = lead(&flights, &backend);
    let joined = join(&flights);
    for _ in 0..10 {
        says.send(b"x".to_vec()).expect("someone listens");
    }
    drop(says);
    assert_eq!(all(joined).await.len(), 10);
    assert_eq!(all(leader).await.len(), 10);
}

#[tokio::test]
async fn past_the_limit_nobody_joins_and_the_slow_are_left_behind() {
    let (flights, backend) = (flights(100), ScriptedBackend::default());
    let (says, mut fast) = lead(&flights, &backend);
    let mut slow = join(&flights);
    let mut near = join(&flights);
    let send = |bytes: usize| says.send(vec![7; bytes]).expect("someone listens");
    send(60);
    assert_eq!(fast.next().await.map(|item| item.is_ok()), Some(true));
    assert_eq!(near.next().await.map(|item| item.is_ok()), Some(true));
    drop(join(&flights));
    send(60);
    assert_eq!(fast.next().await.map(|item| item.is_ok()), Some(true));
    // The first item is dropped: `near` has read it, `slow` has not.
    assert_eq!(near.next().await.map(|item| item.is_ok()), Some(true));
    assert_eq!(slow.next().await, Some(Err(Lagged)));
    assert_eq!(slow.next().await, None);
    // A later request gets its own call.
    let mut asked_again = false;
    let joined = flights.join(key(1), 0, (), |()| {
        asked_again = true;
        Ok::<_, Infallible>(backend.answer().1)
    });
    assert!(asked_again && matches!(joined, Joined::Leader(_)));
    drop(joined);
    drop(says);
    assert_eq!(fast.next().await, None);
}

#[tokio::test]
async fn who_rides_alone_is_never_left_behind_and_keeps_nothing() {
    let (flights, backend) = (flights(100), ScriptedBackend::default());
    let (says, mut only) = lead(&flights, &backend);
    for _ in 0..50 {
        says.send(vec![7; 1_000]).expect("someone listens");
    }
    drop(says);
    for _ in 0..50 {
        assert_eq!(only.next().await, Some(Ok(vec![7; 1_000])));
        assert_eq!(only.flight.buffer.lock().items.len(), 0);
    }
    assert_eq!(only.next().await, None);
}

#[tokio::test]
async fn keys_and_generations_are_kept_apart() {
    let (flights, backend) = (flights(100), ScriptedBackend::default());
    let (_says, _leader) = lead(&flights, &backend);
    let other = |key, generation| {
        let work = |()| Err::<BoxStream<'static, Vec<u8>>, _>(());
        matches!(flights.join(key, generation, (), work), Joined::Declined(()))
    };
    assert!(other(key(2), 0) && other(key(1), 1));
    assert!(!other(key(1), 0));
}

#[tokio::test]
async fn an_answer_that_is_over_is_not_joined() {
    let (flights, backend) = (flights(100), ScriptedBackend::default());
    let (says, mut leader) = lead(&flights, &backend);
    drop(says);
    assert_eq!(leader.next().await, None);
    assert!(is_nothing_under_way(&flights));
    // The end is final.
    assert_eq!(leader.next().await, None);
}
