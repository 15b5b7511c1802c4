//! The kinds of data that a change makes stale.

/// Calls the macro `$then` with every topic: doc, name and text form.
#[macro_export]
macro_rules! for_each_topic {
    ($then:ident) => {
        $then! {
            /// Verdict, gateway, counts and spend.
            Status = "status",
            /// Backends, their health and their models.
            Backends = "backends",
            /// Keys and the vault.
            Keys = "keys",
            Clients = "clients",
            /// Requests and sums.
            Usage = "usage",
            /// Usage from session logs.
            SessionLogs = "session_logs",
            Readiness = "readiness",
            Settings = "settings",
            Playground = "playground",
            /// Routes and their current targets.
            Routes = "routes",
            /// Breakers, cooldowns and blocks.
            Endpoints = "accesses",
            Cache = "cache",
            /// Alerts, silences and what is unread of the inbox.
            Alerts = "alerts",
            /// Availability, scores and service levels.
            Health = "health",
            Prices = "prices",
            /// The log of what was changed, and by what.
            Audit = "audit",
            /// The ledger's file, its backups and its problems.
            Ledger = "ledger",
        }
    };
}

macro_rules! define_topic {
    ($($(#[$doc:meta])* $name:ident = $text:tt,)*) => {
        /// Kinds of data that clients of the engine display. A change makes them stale.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Topic { $($(#[$doc])* $name),* }
    };
}

for_each_topic!(define_topic);
