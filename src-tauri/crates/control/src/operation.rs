//! Implementations of the operations in the table in `operations`, one file for each screen.

mod agents;
mod alerts;
mod audit;
mod backends;
mod backups;
mod billing;
mod budgets;
mod cache;
mod clients;
mod currency;
mod dependents;
mod explain;
mod exports;
mod health;
mod input;
mod invoice;
mod keys;
mod ledger;
mod local;
mod machine_facts;
mod name_list;
mod playground;
mod prices;
mod profiles;
mod readiness;
mod recent_events;
mod requests;
mod resilience;
mod routes;
mod service_levels;
mod services;
mod session_logs;
mod settings;
mod statement;
mod status;
mod text_file;
mod time_figures;
mod usage;
mod vault;
mod verdict;
mod wiring;

pub(crate) use self::agents::*;
pub(crate) use self::alerts::channels::*;
pub(crate) use self::alerts::ladder::*;
pub(crate) use self::alerts::rules::*;
pub(crate) use self::alerts::trials::*;
pub(crate) use self::alerts::*;
pub(crate) use self::audit::audit_log;
pub(crate) use self::billing::{
    billing_cancel, billing_drift, billing_fetch, billing_import, billing_progress_view,
};
pub(crate) use self::budgets::*;
pub(crate) use self::cache::{cache, cache_purge};
pub(crate) use self::invoice::meter_label;
pub(crate) use self::keys::copies::*;
pub(crate) use self::keys::history::key_history;
pub(crate) use self::keys::oauth::key_oauth_add;
pub(crate) use self::keys::replace::{key_replace, key_retired_check};
pub(crate) use self::keys::scan::{keys_import, keys_scan};
pub(crate) use self::ledger::{
    ledger, ledger_acknowledge, ledger_backup, ledger_examine, ledger_export, ledger_merge,
    ledger_merge_plan, ledger_repair, ledger_restore,
};
pub(crate) use self::local::local_health;
pub(crate) use self::service_levels::{service_level_preview, service_level_set, service_levels};
pub(crate) use self::services::{service_remove, service_set, service_test, services};
pub(crate) use self::usage::advice::usage_advice;
pub(crate) use self::usage::anomalies::{
    usage_anomalies, usage_anomaly_dismiss, usage_anomaly_restore,
};
pub(crate) use self::usage::efficiency::*;
pub(crate) use self::usage::expensive::usage_expensive;
pub(crate) use self::usage::forecast::*;
pub(crate) use self::usage::latency::*;
pub(crate) use self::usage::pins::{pin_delete, pin_save, pins_list};
pub(crate) use self::usage::plans::*;
pub(crate) use self::usage::recent::*;
pub(crate) use self::vault::*;
pub use self::wiring::unwired_view;
pub(crate) use self::wiring::{
    client_check, client_guides, client_unwire, client_wire, client_wiring_plan,
    clients_unwire_all, clients_wiring,
};
pub use backends::preset_views;
pub(crate) use backends::*;
pub(crate) use backups::*;
pub(crate) use clients::*;
pub(crate) use currency::currency;
pub(crate) use explain::*;
pub(crate) use exports::*;
pub(crate) use health::{health, health_timeline, health_tree};
pub(crate) use keys::*;
pub(crate) use playground::*;
pub(crate) use prices::*;
pub(crate) use profiles::*;
pub(crate) use readiness::*;
pub(crate) use recent_events::recent_events;
pub use requests::request_query_words;
pub(crate) use requests::{
    request_code, request_query, requests, requests_export, requests_export_save,
    saved_view_remove, saved_view_set, saved_views,
};
pub(crate) use resilience::*;
pub(crate) use routes::*;
pub(crate) use session_logs::*;
pub(crate) use settings::*;
pub(crate) use statement::*;
pub(crate) use status::*;
pub(crate) use usage::*;
