//! Tests of the operations with a whole engine on loopback.

#[cfg(test)]
mod agents;
#[cfg(test)]
mod alert_channels;
#[cfg(test)]
mod alerts;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod backend_ask;
#[cfg(test)]
mod backups;
#[cfg(test)]
mod billing;
#[cfg(test)]
mod budgets;
#[cfg(test)]
mod client_scope;
#[cfg(test)]
mod client_switch;
#[cfg(test)]
mod degraded;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod health;
#[cfg(test)]
mod insight;
#[cfg(test)]
mod key_life;
#[cfg(test)]
mod key_oauth;
#[cfg(test)]
mod keys_scan;
#[cfg(test)]
mod last_known;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod objectives;
#[cfg(test)]
mod owner;
#[cfg(test)]
mod pins;
#[cfg(test)]
mod playground;
#[cfg(test)]
mod pools;
#[cfg(test)]
mod prices;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod readiness;
#[cfg(test)]
mod resilience;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod services;
#[cfg(test)]
mod session_logs;
#[cfg(test)]
mod settings_form;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod vaults;
#[cfg(test)]
mod whole_engine;
#[cfg(test)]
mod wiring;
#[cfg(test)]
mod world;
