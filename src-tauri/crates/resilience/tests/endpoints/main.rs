//! Breaker, cooldown, block and manual settings on virtual time: each transition by an example, and
//! all of them against an independent reference model.

#[cfg(test)]
mod block;
#[cfg(test)]
mod breaker;
#[cfg(test)]
mod cooldown;
#[cfg(test)]
mod forced;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod model;
#[cfg(test)]
mod nearest;
#[cfg(test)]
mod network;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod saved;
#[cfg(test)]
mod world;
