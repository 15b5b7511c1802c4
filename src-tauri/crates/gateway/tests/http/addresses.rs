//! Where the names of backends may lead, with a resolver of the test's own: addresses are checked
//! at each connection and not once (S28, S29).

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway::{HttpUpstream, NameLookup};
use parking_lot::Mutex;
use settings::AllowedNetwork;
use tokio::task::JoinSet;

use crate::bench::Server;
use crate::pair::{At, Pair, limits};
use crate::secure::{Authority, amid, serve_at};
use crate::world::ASK;

const PUBLIC_NAME: &str = "llm.example.com";

/// The addresses of every name, changed by the test.
#[derive(Debug)]
struct Answers(Mutex<Vec<IpAddr>>);

impl Answers {
    fn of(addresses: &[&str]) -> Arc<Self> {
        let answers = Arc::new(Self(Mutex::default()));
        answers.say(addresses);
        answers
    }

    fn say(&self, addresses: &[&str]) {
        *self.0.lock() = addresses.iter().map(|it| it.parse().expect("an address")).collect();
    }
}

#[async_trait]
impl NameLookup for Answers {
    async fn addresses(&self, _name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(self.0.lock().iter().map(|address| SocketAddr::new(*address, port)).collect())
    }
}

fn network(names: &Arc<Answers>, authority: &Authority) -> Arc<HttpUpstream> {
    amid(Arc::clone(names), authority, Duration::from_secs(5))
}

async fn backend(url: String, network: &Arc<HttpUpstream>, reach: AllowedNetwork) -> Pair {
    let pair = Pair::alone(At::Url(url), limits(Arc::clone(network))).await;
    pair.world.snapshot.rcu(|snapshot| {
        let mut snapshot = (**snapshot).clone();
        for backend in snapshot.backends.values_mut() {
            *backend = backend.clone().network(reach);
        }
        snapshot
    });
    pair
}

/// Asks and expects an error that contains `words`.
#[track_caller]
fn assert_refused(answer: &test_support::RawAnswer, words: &str) {
    let error = &answer.json()["error"];
    assert_eq!((answer.status, error["code"].as_str()), (502, Some("dns")), "{}", answer.text());
    assert!(error["message"].to_string().contains(words), "{}", answer.text());
}

#[tokio::test]
async fn a_public_name_is_not_followed_into_this_machine_or_network() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.set_nonblocking(true).expect("set");
    let port = listener.local_addr().expect("an address").port();
    let names = Answers::of(&[]);
    let network = network(&names, &Authority::new());
    let url = format!("https://{PUBLIC_NAME}:{port}/v1");
    for (address, words) in [
        ("127.0.0.1", "its public name resolves to 127.0.0.1"),
        ("10.9.8.7", "set private_network = true"),
        ("169.254.169.254", "link-local, a cloud metadata service"),
        ("fd00:ec2::254", "link-local, a cloud metadata service"),
    ] {
        names.say(&[address]);
        let pair = backend(url.clone(), &network, AllowedNetwork::Public).await;
        assert_refused(&pair.ask(ASK).await, words);
    }
    let nobody = listener.accept().expect_err("nothing connected");
    assert_eq!(nobody.kind(), io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_name_that_changes_between_two_connections_is_judged_again() {
    let authority = Authority::new();
    let mut serving = JoinSet::new();
    let identity = authority.identity(PUBLIC_NAME, 4_000);
    let url =
        serve_at(PUBLIC_NAME, &mut serving, identity, Server::Chat.answer().to_string()).await;
    let names = Answers::of(&["127.0.0.1"]);
    let network = network(&names, &authority);
    let pair = backend(url, &network, AllowedNetwork::Private).await;
    assert_eq!(pair.ask(ASK).await.status, 200, "private addresses are allowed here");
    // Each answer of this server closes its connection, so the next request resolves anew.
    names.say(&["169.254.169.254"]);
    assert_refused(&pair.ask(ASK).await, "169.254.169.254");
    // Of several addresses only the allowed ones are connected to.
    names.say(&["169.254.169.254", "127.0.0.1", "fe80::1"]);
    assert_eq!(pair.ask(ASK).await.status, 200);
}

#[tokio::test]
async fn localhost_over_plain_http_stays_on_this_machine() {
    let names = Answers::of(&["10.9.8.7"]);
    let network = network(&names, &Authority::new());
    let url = "http://gate.localhost:9/v1".to_owned();
    let pair = backend(url, &network, AllowedNetwork::Private).await;
    assert_refused(
        &pair.ask(ASK).await,
        "its name refers to this machine but resolves to 10.9.8.7",
    );
}
