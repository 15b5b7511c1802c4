//! The environment of all benchmarks: the program, the upstream, nginx, and rounds in which they
//! take turns.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};

use super::client::MeasuredServer;
use super::dialect::BenchDialect;
use super::figures::median;
use super::home::BenchHome;
use super::nginx::Nginx;
use super::upstream::{BenchUpstream, Epoch};
use crate::repository::Repository;

/// The environment of one run.
pub(crate) struct BenchEnvironment<'a> {
    /// The repository to build in.
    pub(crate) repository: &'a Repository,
    pub(crate) program: PathBuf,
    /// Rounds per figure; the median counts.
    pub(crate) rounds: usize,
    /// How long an idle program is watched.
    pub(crate) idle: Duration,
    /// The time base shared by both ends of every stream.
    pub(crate) epoch: Epoch,
    upstream: BenchUpstream,
    nginx: Option<Nginx>,
    peers: Vec<PeerGateway>,
    /// A single thread generates all load, so that most of the machine is left to the measured
    /// programs.
    client: Runtime,
}

/// The measurements of one row, one value per round.
pub(crate) struct Rounds<T> {
    /// Direct requests to the upstream.
    pub(crate) direct: Vec<T>,
    /// Requests through nginx; empty if it is not installed.
    pub(crate) nginx: Vec<T>,
    /// Requests through Gatehouse.
    pub(crate) gatehouse: Vec<T>,
    /// Requests through each peer, by its name; no value where the peer failed.
    pub(crate) peers: Vec<(String, Vec<T>)>,
}

/// Another gateway, started and configured by the user with our upstream as its backend. It may be
/// a Gatehouse too, another build or with other settings.
#[derive(Debug, Clone)]
pub(crate) struct PeerGateway {
    name: String,
    address: SocketAddr,
    token: String,
}

/// The token of requests to servers that check none.
const TOKEN_UNCHECKED: &str = "sk-not-asked-for";

impl FromStr for PeerGateway {
    type Err = anyhow::Error;

    /// Parses `litellm=127.0.0.1:4000` and `before=127.0.0.1:4001=ghk_TOKEN`.
    fn from_str(text: &str) -> Result<Self> {
        let form = "write it as NAME=ADDRESS:PORT or NAME=ADDRESS:PORT=TOKEN";
        let (name, rest) = text.split_once('=').context(form)?;
        let (address, token) = rest.split_once('=').unwrap_or((rest, TOKEN_UNCHECKED));
        let address = address.parse().context(form)?;
        Ok(Self { name: name.to_owned(), address, token: token.to_owned() })
    }
}

/// A server to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    Direct,
    Nginx,
    Gatehouse,
    Peer(usize),
}

/// The command line options of a run.
pub(crate) struct BenchOptions {
    /// Rounds per figure.
    pub(crate) rounds: usize,
    /// How long an idle program is watched.
    pub(crate) idle: Duration,
    /// Port of the upstream, fixed so that peers can be pointed at it; 0 for a free one.
    pub(crate) upstream_port: u16,
    /// Gateways to measure as well.
    pub(crate) peers: Vec<PeerGateway>,
}

impl<'a> BenchEnvironment<'a> {
    /// Starts the upstream and nginx.
    pub(crate) fn start(
        repository: &'a Repository,
        program: PathBuf,
        around: BenchOptions,
    ) -> Result<Self> {
        let BenchOptions { rounds, idle, upstream_port, peers } = around;
        let epoch = Epoch::begin();
        let upstream = BenchUpstream::start(epoch, upstream_port)?;
        let nginx = Nginx::start(upstream.address)?;
        let client = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { repository, program, rounds, idle, epoch, upstream, nginx, peers, client })
    }

    /// Creates a new installation in front of the upstream.
    pub(crate) fn create_home(&self) -> Result<BenchHome> {
        BenchHome::new(&self.program, self.upstream.address)
    }

    /// The upstream itself, in Chat.
    pub(crate) fn direct(&self) -> MeasuredServer {
        MeasuredServer {
            address: self.upstream.address,
            token: TOKEN_UNCHECKED.to_owned(),
            model_prefix: "",
            dialect: BenchDialect::Chat,
        }
    }

    /// Runs a future on the client's runtime.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.client.block_on(work)
    }

    /// Measures all contenders in every round, starting with another one each time, so that other
    /// load on the machine affects them alike. Direct and nginx requests use the backend's dialect,
    /// so that its work is the same for all.
    pub(crate) fn measure_interleaved<T>(
        &self,
        backend: BenchDialect,
        gatehouse: &MeasuredServer,
        mut measure: impl FnMut(&MeasuredServer) -> Result<T>,
    ) -> Result<Rounds<T>> {
        let direct = MeasuredServer { dialect: backend, ..self.direct() };
        let mut servers = vec![(Contender::Direct, &direct), (Contender::Gatehouse, gatehouse)];
        let nginx = self
            .nginx
            .as_ref()
            .map(|nginx| MeasuredServer { dialect: backend, ..nginx.server.clone() });
        servers.extend(nginx.iter().map(|server| (Contender::Nginx, server)));
        let peers = self.peer_servers(backend);
        servers.extend(peers.iter().enumerate().map(|(at, server)| (Contender::Peer(at), server)));
        let mut rounds = Rounds {
            direct: Vec::new(),
            nginx: Vec::new(),
            gatehouse: Vec::new(),
            peers: self.peers.iter().map(|peer| (peer.name.clone(), Vec::new())).collect(),
        };
        for _ in 0..self.rounds {
            for (contender, server) in &servers {
                let measured = measure(server);
                if let Contender::Peer(at) = contender {
                    match (rounds.peers.get_mut(*at), measured) {
                        (Some((_, all)), Ok(measured)) => all.push(measured),
                        (peer, refused) => {
                            let name = peer.map_or("", |(name, _)| name);
                            let error = refused.err().map(|error| format!("{error:#}"));
                            println!("{name} could not do it: {}", error.unwrap_or_default());
                        }
                    }
                    continue;
                }
                let measured = measured?;
                match contender {
                    Contender::Peer(_) => {}
                    Contender::Direct => rounds.direct.push(measured),
                    Contender::Nginx => rounds.nginx.push(measured),
                    Contender::Gatehouse => rounds.gatehouse.push(measured),
                }
            }
            servers.rotate_left(1);
        }
        Ok(rounds)
    }

    /// Peers are measured in Chat only, the dialect that all of them support.
    fn peer_servers(&self, dialect: BenchDialect) -> Vec<MeasuredServer> {
        let peers = if dialect == BenchDialect::Chat { self.peers.as_slice() } else { &[] };
        let server = |peer: &PeerGateway| MeasuredServer {
            address: peer.address,
            token: peer.token.clone(),
            model_prefix: "",
            dialect,
        };
        peers.iter().map(server).collect()
    }
}

impl<T> Rounds<T> {
    /// Reduces each measurement to one number.
    pub(crate) fn each(&self, number: impl Fn(&T) -> f64) -> Rounds<f64> {
        let all = |measured: &[T]| measured.iter().map(&number).collect();
        Rounds {
            direct: all(&self.direct),
            nginx: all(&self.nginx),
            gatehouse: all(&self.gatehouse),
            peers: self.peers.iter().map(|(name, it)| (name.clone(), all(it))).collect(),
        }
    }
}

impl Rounds<f64> {
    /// The time or amount that Gatehouse added to direct requests: the median of the differences
    /// per round.
    pub(crate) fn added(&self) -> f64 {
        let pairs = self.gatehouse.iter().zip(&self.direct);
        median(&pairs.map(|(ours, direct)| ours - direct).collect::<Vec<_>>())
    }

    /// The same compared with nginx; `None` without nginx.
    pub(crate) fn beyond_nginx(&self) -> Option<f64> {
        let pairs = self.gatehouse.iter().zip(&self.nginx);
        let beyond: Vec<f64> = pairs.map(|(ours, nginx)| ours - nginx).collect();
        (!beyond.is_empty()).then(|| median(&beyond))
    }

    /// Gatehouse as a share of nginx: the median of the ratios per round; `None` without nginx.
    pub(crate) fn share_of_nginx(&self) -> Option<f64> {
        let pairs = self.gatehouse.iter().zip(&self.nginx);
        let shares: Vec<f64> = pairs.map(|(ours, nginx)| ours / nginx).collect();
        (!shares.is_empty()).then(|| median(&shares))
    }
}

#[cfg(test)]
mod tests {
    use super::{PeerGateway, Rounds};

    #[test]
    fn rounds_are_compared_one_by_one() {
        let rounds = Rounds {
            direct: vec![1.0, 10.0, 2.0],
            nginx: vec![10.0, 40.0, 20.0],
            gatehouse: vec![2.0, 12.0, 5.0],
            peers: Vec::new(),
        };
        assert_eq!(rounds.added(), 2.0);
        assert_eq!(rounds.share_of_nginx(), Some(0.25));
        assert_eq!(rounds.beyond_nginx(), Some(-15.0));
        let alone = Rounds { nginx: Vec::new(), ..rounds };
        assert_eq!(alone.share_of_nginx(), None);
    }

    #[test]
    fn a_peer_is_a_name_and_an_address() {
        let peer: PeerGateway = "litellm=127.0.0.1:4000".parse().expect("a peer");
        assert_eq!((peer.name.as_str(), peer.address.port()), ("litellm", 4000));
        let before: PeerGateway = "before=127.0.0.1:4001=ghk_1".parse().expect("a peer");
        assert_eq!((before.address.port(), before.token.as_str()), (4001, "ghk_1"));
        assert!("litellm".parse::<PeerGateway>().is_err() && "a=b".parse::<PeerGateway>().is_err());
    }
}
