//! What every row stands on: the program, the upstream and nginx, and rounds in which they take turns.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use tokio::runtime::{Builder, Runtime};

use super::client::Door;
use super::dialect::Dialect;
use super::figures::median;
use super::home::Home;
use super::nginx::Nginx;
use super::upstream::{Epoch, Upstream};
use crate::repository::Repository;

/// The ground of one run.
pub(crate) struct Ground<'a> {
    /// Where builds are done.
    pub(crate) repository: &'a Repository,
    /// The measured program.
    pub(crate) program: PathBuf,
    /// How often each figure is measured; the median counts.
    pub(crate) rounds: usize,
    /// How long an idle program is watched.
    pub(crate) idle: Duration,
    /// Common to both ends of every stream.
    pub(crate) epoch: Epoch,
    upstream: Upstream,
    nginx: Option<Nginx>,
    /// One thread makes all the load, so that most of the machine is left to what is measured.
    client: Runtime,
}

/// What was measured, one value a round.
pub(crate) struct Rounds<T> {
    /// Straight at the upstream.
    pub(crate) direct: Vec<T>,
    /// Through nginx; empty where it is not installed.
    pub(crate) nginx: Vec<T>,
    /// Through Gatehouse.
    pub(crate) gatehouse: Vec<T>,
}

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    Direct,
    Nginx,
    Gatehouse,
}

impl<'a> Ground<'a> {
    /// Starts what stands around the program.
    pub(crate) fn prepare(
        repository: &'a Repository,
        program: PathBuf,
        rounds: usize,
        idle: Duration,
    ) -> Result<Self> {
        let epoch = Epoch::begin();
        let upstream = Upstream::start(epoch)?;
        let nginx = Nginx::start(upstream.address)?;
        let client = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { repository, program, rounds, idle, epoch, upstream, nginx, client })
    }

    /// A new installation in front of the upstream.
    pub(crate) fn home(&self) -> Result<Home> {
        Home::new(&self.program, self.upstream.address)
    }

    /// Waits for something that needs the network.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.client.block_on(work)
    }

    /// Measures all contenders in every round, each time another one first: what happens on the
    /// machine meanwhile hits them alike. The direct way and nginx are asked in the dialect of the
    /// backend, which so has the same work to do for each.
    pub(crate) fn interleaved<T>(
        &self,
        backend: Dialect,
        gatehouse: &Door,
        mut measure: impl FnMut(&Door) -> Result<T>,
    ) -> Result<Rounds<T>> {
        let direct = Door {
            address: self.upstream.address,
            token: "sk-not-asked-for".to_owned(),
            model_prefix: "",
            dialect: backend,
        };
        let mut doors = vec![(Contender::Direct, &direct), (Contender::Gatehouse, gatehouse)];
        let nginx =
            self.nginx.as_ref().map(|nginx| Door { dialect: backend, ..nginx.door.clone() });
        doors.extend(nginx.iter().map(|door| (Contender::Nginx, door)));
        let mut rounds = Rounds { direct: Vec::new(), nginx: Vec::new(), gatehouse: Vec::new() };
        for _ in 0..self.rounds {
            for (contender, door) in &doors {
                let measured = measure(door)?;
                match contender {
                    Contender::Direct => rounds.direct.push(measured),
                    Contender::Nginx => rounds.nginx.push(measured),
                    Contender::Gatehouse => rounds.gatehouse.push(measured),
                }
            }
            doors.rotate_left(1);
        }
        Ok(rounds)
    }
}

impl<T> Rounds<T> {
    /// The same rounds, each measurement brought to one number.
    pub(crate) fn each(&self, number: impl Fn(&T) -> f64) -> Rounds<f64> {
        let all = |measured: &[T]| measured.iter().map(&number).collect();
        Rounds {
            direct: all(&self.direct),
            nginx: all(&self.nginx),
            gatehouse: all(&self.gatehouse),
        }
    }
}

impl Rounds<f64> {
    /// What Gatehouse added to the direct way: the median of what it added in each round.
    pub(crate) fn added(&self) -> f64 {
        let pairs = self.gatehouse.iter().zip(&self.direct);
        median(&pairs.map(|(ours, direct)| ours - direct).collect::<Vec<_>>())
    }

    /// Gatehouse as a share of nginx: the median of each round's share; `None` without nginx.
    pub(crate) fn share_of_nginx(&self) -> Option<f64> {
        let pairs = self.gatehouse.iter().zip(&self.nginx);
        let shares: Vec<f64> = pairs.map(|(ours, nginx)| ours / nginx).collect();
        (!shares.is_empty()).then(|| median(&shares))
    }
}

#[cfg(test)]
mod tests {
    use super::Rounds;

    #[test]
    fn rounds_are_compared_one_by_one() {
        let rounds = Rounds {
            direct: vec![1.0, 10.0, 2.0],
            nginx: vec![10.0, 40.0, 20.0],
            gatehouse: vec![2.0, 12.0, 5.0],
        };
        assert_eq!(rounds.added(), 2.0);
        assert_eq!(rounds.share_of_nginx(), Some(0.25));
        let alone = Rounds { nginx: Vec::new(), ..rounds };
        assert_eq!(alone.share_of_nginx(), None);
    }
}
