//! The operations over a whole engine on loopback.

#[cfg(test)]
mod playground;
mod resilience;
#[cfg(test)]
mod whole_engine;
