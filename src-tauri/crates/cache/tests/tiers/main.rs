//! The public API of the cache: tiers, purges, damage, restarts, kills.

#[cfg(test)]
mod damage;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod purging;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod shared;
#[cfg(test)]
mod storing;
