//! What is done about failure: breaker, cooldown and block, the one plan of attempts, and limits.
//!
//! State machines without IO: time and chance are passed in, and asking for a state never changes it.
//! Invariant: nothing here reads a clock, makes a random number, spawns or locks.
