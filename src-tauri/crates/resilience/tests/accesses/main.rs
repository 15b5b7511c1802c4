//! Breaker, cooldown, block and what is set by hand, on virtual time: each transition by an example,
//! and all of them against a model that is written differently.

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
mod reference;
#[cfg(test)]
mod saved;
#[cfg(test)]
mod world;
