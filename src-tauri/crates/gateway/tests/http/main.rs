//! The gateway and the control listener on loopback, with a scripted upstream behind them and raw bytes in front.

#[cfg(test)]
mod addresses;
#[cfg(test)]
mod before;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod bench_server;
#[cfg(test)]
mod budgets;
#[cfg(test)]
mod caching;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod client_control;
#[cfg(test)]
mod control;
#[cfg(test)]
mod cooling;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod dialects;
#[cfg(test)]
mod echoes;
#[cfg(test)]
mod embeddings;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod failover;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod guessing;
#[cfg(test)]
mod ledger_behind;
#[cfg(test)]
mod local;
#[cfg(test)]
mod metering;
#[cfg(test)]
mod pair;
#[cfg(test)]
mod probing;
#[cfg(test)]
mod references;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod scopes;
#[cfg(test)]
mod secure;
#[cfg(test)]
mod spellings;
#[cfg(test)]
mod surfaces;
#[cfg(test)]
mod token_counts;
#[cfg(test)]
mod token_limits;
#[cfg(test)]
mod unreachable;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod world;
