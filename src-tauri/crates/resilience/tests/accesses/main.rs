//! Breaker, cooldown, block and what is set by hand, on virtual time: each transition by an example,
//! and all of them against a model that is written differently.

mod block;
mod breaker;
mod cooldown;
mod forced;
mod limits;
mod model;
mod nearest;
mod reference;
mod saved;
mod world;
