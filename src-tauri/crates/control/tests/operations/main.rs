//! The operations over a whole engine on loopback.

#[cfg(test)]
mod engine_under_test;
#[cfg(test)]
mod explaining;
#[cfg(test)]
mod playground;
#[cfg(test)]
mod pools;
#[cfg(test)]
mod resilience;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod settings_form;
#[cfg(test)]
mod whole_engine;
