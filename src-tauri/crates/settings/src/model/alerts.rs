//! The rules of alerts: what becomes of the alerts of each, and the numbers that it judges by. The
//! settings of a rule begin with its name.

use domain::{AlertDelivery, AlertSeverity, DigestPeriod};

use crate::setting::{Rows, Setting, SettingValue, settings};

settings! {
    pub AlertSettings in "alerts", keys "alerts_" {
        /// When a backend does not answer.
        backend_down: AlertDelivery, panel Notifications "Backend down";
        /// When the gateway sends a backend no requests, because too many of them failed.
        breaker_open: AlertDelivery, panel Notifications "Backend failing";
        /// When no backend of a route can answer.
        route_dead: AlertDelivery, panel Notifications "Route without a backend";
        /// When a budget reached one of its marks.
        budget_mark: AlertDelivery, panel Notifications "Budget mark reached";
        /// When a budget will be used up before its period ends.
        budget_forecast: AlertDelivery, panel Notifications "Budget used up early";
        /// When the gateway does not listen or does not answer.
        gateway_fault: AlertDelivery, panel Notifications "Gateway fault";
        /// When requests are not recorded as they should be.
        ledger_fault: AlertDelivery, panel Notifications "Ledger fault";
        /// When a key was rejected or is missing.
        key_blocked: AlertDelivery, panel Notifications "Key rejected";
        /// When so many requests fail that an objective is missed within days.
        burn_fast: AlertDelivery, panel Notifications "Many requests fail";
        /// When so many requests fail that an objective is missed before its period ends.
        burn_slow: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Requests fail steadily";
        /// When a webhook or a mail could not be sent.
        channel_fault: AlertDelivery, panel Notifications "Alerts not sent";
        /// The digest: in the inbox, and by mail if mail is on.
        digest: AlertDelivery, panel Notifications "Digest";
        /// When more requests to a backend fail than usual.
        error_rate: AlertDelivery, panel Notifications "Requests to a backend fail";
        /// When a backend takes much longer to answer than in the week before.
        slow_answers: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Slow answers";
        /// When an hour costs far more than such hours do.
        spend_anomaly: AlertDelivery, panel Notifications "Unusual cost";
        /// When the cost of requests is not known.
        unpriced_model: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Unknown cost";
        /// When a provider billed another amount than was computed.
        bill_drift: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Bill differs";
        /// When few answers come from the response cache.
        cache_hits: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Few cache hits";
        /// When the disk with the data is almost full.
        disk_space: AlertDelivery, panel Notifications "Disk almost full";
        /// When keys cannot be read.
        vault_fault: AlertDelivery, panel Notifications "Keys cannot be read";
        /// When a key expires soon.
        key_expiry: AlertDelivery, panel Notifications "Key expires";
        /// When a key has been in use for long.
        key_age: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Old key";
        /// When no request used a key for a month.
        key_unused: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Unused key";
        /// When there are far more requests than in a usual hour.
        unusual_use: AlertDelivery, panel Notifications "Unusual use";
        /// When a client or a model is used for the first time.
        first_use: AlertDelivery = AlertDelivery::Inbox, panel Notifications "First use";
        /// When a client is stopped because it sends one conversation again and again.
        stopped_loop: AlertDelivery, panel Notifications "Stopped loop";
        /// When keys lie in plain text in files that are known to hold some.
        plain_key: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Keys in plain text";
        /// When little is left of a limit of a provider.
        quota_low: AlertDelivery, panel Notifications "Near a provider's limit";
        /// When what is left at a provider is used up soon.
        balance_low: AlertDelivery, panel Notifications "Balance runs out";
        /// When a service beside the backends does not work.
        service_down: AlertDelivery, panel Notifications "Service down";
        /// When the last three starts took long.
        slow_start: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Slow start";
        /// When Gatehouse uses much memory.
        app_memory: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Much memory";
        /// When Gatehouse keeps a processor core busy.
        app_processor: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Busy processor";
        /// When the memory of this machine is almost full.
        machine_memory: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Memory almost full";
        /// When the ledger answers slowly.
        slow_queries: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Slow ledger";
        /// When backends are checked less often than they should be.
        probe_coverage: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Backends not checked";
        /// When all checks of the page Readiness were run last long ago.
        checks_old: AlertDelivery = AlertDelivery::Inbox, panel Notifications "Old checks";
        /// How often alerts, requests and cost are summed up.
        digest_period: DigestPeriod = DigestPeriod::Weekly, panel Digest "Digest";
        /// Hour of the day at which the digest is made.
        digest_hour: u32 = 9, in 0..=23, panel Digest "Digest at";
        /// Hour of the day from which only what stops requests is shown; until the same hour: never.
        quiet_from_hour: u32 = 0, in 0..=23, panel Notifications "Quiet from";
        /// Hour of the day at which quiet hours end.
        quiet_until_hour: u32 = 0, in 0..=23, panel Notifications "Quiet until";
        /// How long it must hold before an alert fires.
        backend_down_for_secs: u32 = 0, in 0..=604_800;
        /// How long it must hold before an alert fires.
        breaker_open_for_secs: u32 = 120, in 0..=604_800;
        /// How long it must hold before an alert fires.
        route_dead_for_secs: u32 = 10, in 0..=604_800;
        /// How long it must hold before an alert fires.
        budget_mark_for_secs: u32 = 0, in 0..=604_800;
        /// How long it must hold before an alert fires.
        budget_forecast_for_secs: u32 = 1_800, in 0..=604_800;
        /// How severe it is.
        budget_forecast_severity: AlertSeverity = AlertSeverity::Medium;
        /// How long it must hold before an alert fires.
        gateway_fault_for_secs: u32 = 0, in 0..=604_800;
        /// How long it must hold before an alert fires.
        ledger_fault_for_secs: u32 = 0, in 0..=604_800;
        /// How long it must hold before an alert fires.
        key_blocked_for_secs: u32 = 0, in 0..=604_800;
        /// How long it must hold before an alert fires.
        burn_fast_for_secs: u32 = 120, in 0..=604_800;
        /// How severe it is.
        burn_fast_severity: AlertSeverity = AlertSeverity::High;
        /// How long it must hold before an alert fires.
        burn_slow_for_secs: u32 = 900, in 0..=604_800;
        /// How severe it is.
        burn_slow_severity: AlertSeverity = AlertSeverity::Medium;
        /// How long it must hold before an alert fires.
        channel_fault_for_secs: u32 = 0, in 0..=604_800;
        /// How severe it is.
        channel_fault_severity: AlertSeverity = AlertSeverity::Medium;
        /// How long it must hold before an alert fires.
        error_rate_for_secs: u32 = 300, in 0..=604_800;
        /// Share of failed requests to a backend in half an hour.
        error_rate_percent: u32 = 1, in 1..=100;
        /// Fewer requests say nothing.
        error_rate_requests_min: u32 = 20, in 5..=10_000, counts "requests";
        /// How long it must hold before an alert fires.
        slow_answers_for_secs: u32 = 300, in 0..=604_800;
        /// The 95th percentile of the first token as a share of that of the week before.
        slow_answers_percent: u32 = domain::SLOW_PERCENT, in 110..=10_000;
        /// Fewer requests in half an hour say nothing.
        slow_answers_requests_min: u32 = domain::SLOW_CALLS_MIN, in 5..=10_000, counts "requests";
        /// How severe it is.
        slow_answers_severity: AlertSeverity = AlertSeverity::Low;
        /// How long it must hold before an alert fires.
        spend_anomaly_for_secs: u32 = 300, in 0..=604_800;
        /// Cost of an hour as a share of what it usually is.
        spend_anomaly_percent: u32 = 150, in 110..=10_000;
        /// How severe it is.
        spend_anomaly_severity: AlertSeverity = AlertSeverity::High;
        /// How long it must hold before an alert fires.
        unpriced_model_for_secs: u32 = 0, in 0..=604_800;
        /// Requests of unknown cost in 24 hours.
        unpriced_model_requests: u32 = 1, in 1..=1_000_000, counts "requests";
        /// How severe it is.
        unpriced_model_severity: AlertSeverity = AlertSeverity::Low;
        /// How long it must hold before an alert fires.
        bill_drift_for_secs: u32 = 0, in 0..=604_800;
        /// Difference between a bill and what was computed.
        bill_drift_percent: u32 = 2, in 1..=100;
        /// How severe it is.
        bill_drift_severity: AlertSeverity = AlertSeverity::Low;
        /// How long it must hold before an alert fires.
        cache_hits_for_secs: u32 = 86_400, in 0..=604_800;
        /// Share of answers from the cache in 24 hours.
        cache_hits_percent: u32 = 50, in 1..=100;
        /// Fewer requests that looked into the cache say nothing.
        cache_hits_requests_min: u32 = 50, in 10..=100_000, counts "requests";
        /// How severe it is.
        cache_hits_severity: AlertSeverity = AlertSeverity::Info;
        /// How long it must hold before an alert fires.
        disk_space_for_secs: u32 = 300, in 0..=604_800;
        /// Free space on the disk with the data.
        disk_space_megabytes: u32 = 500, in 50..=100_000, counts "MB";
        /// How severe it is.
        disk_space_severity: AlertSeverity = AlertSeverity::Medium;
        /// How long it must hold before an alert fires.
        vault_fault_for_secs: u32 = 30, in 0..=604_800;
        /// How severe it is.
        vault_fault_severity: AlertSeverity = AlertSeverity::High;
        /// How long it must hold before an alert fires.
        key_expiry_for_secs: u32 = 0, in 0..=604_800;
        /// Days before the end of a key.
        key_expiry_days: u32 = 14, in 1..=90;
        /// How long it must hold before an alert fires.
        key_age_for_secs: u32 = 0, in 0..=604_800;
        /// Days since a key was made or replaced.
        key_age_days: u32 = 90, in 1..=3_650;
        /// How severe it is.
        key_age_severity: AlertSeverity = AlertSeverity::Low;
        /// How long it must hold before an alert fires.
        key_unused_for_secs: u32 = 0, in 0..=604_800;
        /// How severe it is.
        key_unused_severity: AlertSeverity = AlertSeverity::Info;
        /// How long it must hold before an alert fires.
        unusual_use_for_secs: u32 = 60, in 0..=604_800;
        /// Requests of an hour as a share of those of a usual busy hour.
        unusual_use_percent: u32 = 500, in 500..=10_000;
        /// How severe it is.
        unusual_use_severity: AlertSeverity = AlertSeverity::High;
        /// How long it must hold before an alert fires.
        first_use_for_secs: u32 = 0, in 0..=604_800;
        /// How severe it is.
        first_use_severity: AlertSeverity = AlertSeverity::Low;
        /// How long it must hold before an alert fires.
        stopped_loop_for_secs: u32 = 0, in 0..=604_800;
        /// How severe it is.
        stopped_loop_severity: AlertSeverity = AlertSeverity::High;
        /// How long it must hold before an alert fires.
        plain_key_for_secs: u32 = 0, in 0..=604_800;
        /// Keys in plain text in known files.
        plain_key_keys: u32 = 1, in 1..=1_000, counts "keys";
        /// How severe it is.
        plain_key_severity: AlertSeverity = AlertSeverity::Low;
        /// How long it must hold before an alert fires.
        quota_low_for_secs: u32 = 120, in 0..=604_800;
        /// Share that is left of a provider's limit.
        quota_low_percent: u32 = 10, in 1..=90;
        /// How severe it is.
        quota_low_severity: AlertSeverity = AlertSeverity::Medium;
        /// How long it must hold before an alert fires.
        balance_low_for_secs: u32 = 120, in 0..=604_800;
        /// Days that the balance lasts at the pace of the last week.
        balance_low_days: u32 = 3, in 1..=60, counts "days";
        /// How severe it is.
        balance_low_severity: AlertSeverity = AlertSeverity::Medium;
        /// How long it must hold before an alert fires.
        service_down_for_secs: u32 = 0, in 0..=604_800;
        /// How long it must hold before an alert fires.
        slow_start_for_secs: u32 = 0, in 0..=604_800;
        /// Time from the start until clients are served.
        slow_start_ms: u32 = 1_000, in 100..=60_000;
        /// How severe it is.
        slow_start_severity: AlertSeverity = AlertSeverity::Info;
        /// How long it must hold before an alert fires.
        app_memory_for_secs: u32 = 300, in 0..=604_800;
        /// Memory that Gatehouse holds, without the window's web view.
        app_memory_megabytes: u32 = 240, in 50..=100_000, counts "MB";
        /// How severe it is.
        app_memory_severity: AlertSeverity = AlertSeverity::Medium;
        /// How long it must hold before an alert fires.
        app_processor_for_secs: u32 = 300, in 0..=604_800;
        /// Processor time as a share of one core.
        app_processor_percent: u32 = 80, in 5..=6_400;
        /// How severe it is.
        app_processor_severity: AlertSeverity = AlertSeverity::Medium;
        /// How long it must hold before an alert fires.
        machine_memory_for_secs: u32 = 300, in 0..=604_800;
        /// Share of the memory of this machine that is in use.
        machine_memory_percent: u32 = 85, in 50..=100;
        /// How severe it is.
        machine_memory_severity: AlertSeverity = AlertSeverity::Medium;
        /// How long it must hold before an alert fires.
        slow_queries_for_secs: u32 = 60, in 0..=604_800;
        /// Statements of the ledger that took 100 ms or longer within an hour.
        slow_queries_statements: u32 = 3, in 1..=10_000, counts "statements";
        /// How severe it is.
        slow_queries_severity: AlertSeverity = AlertSeverity::Medium;
        /// How long it must hold before an alert fires.
        probe_coverage_for_secs: u32 = 60, in 0..=604_800;
        /// Share of the last hour in which the state of backends was known.
        probe_coverage_percent: u32 = 90, in 10..=100;
        /// How severe it is.
        probe_coverage_severity: AlertSeverity = AlertSeverity::Medium;
        /// How long it must hold before an alert fires.
        checks_old_for_secs: u32 = 0, in 0..=604_800;
        /// Days since all checks were run.
        checks_old_days: u32 = 30, in 1..=365;
        /// How severe it is.
        checks_old_severity: AlertSeverity = AlertSeverity::Low;
    }
}

impl AlertSettings {
    /// The setting `name` of this section; `None` if there is none.
    #[must_use]
    pub fn setting(name: &str) -> Option<&'static Setting> {
        <Self as Rows>::settings().find(|setting| setting.name == name)
    }

    /// The value of the setting `name` of this section; `None` if there is none.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<SettingValue> {
        let row = Self::ROWS.iter().find(|row| row.setting.name == name)?;
        Some((row.write)(self).into())
    }
}
