//! Operations on the settings: the form, and the fix of a broken file.

mod form;

use std::ops::RangeInclusive;

use engine::{Engine, EngineEditError, NotificationOutcome};
use settings::{
    GatewaySettings, Settings, SettingsError, SettingsFileState, Severity, Theme, VaultKind,
};

use self::form::ParsedSettingsForm;
use super::keys::vault_kind_view;
use super::vault_view;
use crate::view::{
    Count, FoldersView, NotificationTestView, RangeView, SettingsProblemView, SettingsRanges,
    SettingsValues, SettingsView, ThemeChoice, VaultKindView,
};
use crate::{ApiError, ErrorCode};

pub(crate) async fn settings(engine: &Engine) -> Result<SettingsView, ApiError> {
    engine.reload_settings().await?;
    Ok(settings_view(engine))
}

pub(crate) async fn settings_edit(
    engine: &Engine,
    req: SettingsValues,
) -> Result<SettingsView, ApiError> {
    let parts = ParsedSettingsForm::parse(&req, &engine.settings())?;
    engine.edit(move |draft| apply_form(draft, &req, parts)).await?;
    Ok(settings_view(engine))
}

pub(crate) async fn settings_fix(engine: &Engine) -> Result<SettingsView, ApiError> {
    engine.fix_settings().await?;
    Ok(settings_view(engine))
}

pub(crate) async fn notification_test(engine: &Engine) -> Result<NotificationTestView, ApiError> {
    let view =
        |delivered, detail: &str| NotificationTestView { delivered, detail: detail.to_owned() };
    Ok(match engine.test_notification().await {
        NotificationOutcome::Delivered => view(
            true,
            "The desktop accepted it. If you did not see it, check whether Do Not Disturb is on.",
        ),
        NotificationOutcome::NoChannel => {
            view(false, "Gatehouse is running without a desktop, so it cannot show notifications.")
        }
        NotificationOutcome::Failed { reason, hint } => view(false, &format!("{reason}. {hint}")),
    })
}

fn settings_view(engine: &Engine) -> SettingsView {
    let settings = engine.settings();
    let folders = engine.folders();
    SettingsView {
        path: folders.settings_file().display().to_string(),
        valid: engine.settings_state() == SettingsFileState::Valid,
        values: settings_values(&settings),
        defaults: settings_values(&Settings::default()),
        ranges: setting_ranges(),
        resilience: form::resilience_form(),
        problems: engine.settings_problems().iter().map(problem_view).collect(),
        proposed_fix: engine.proposed_fix().map(|fix| fix.diff),
        vault: vault_view(engine),
        folders: FoldersView {
            config: folders.config.display().to_string(),
            data: folders.data.display().to_string(),
            state: folders.state.display().to_string(),
            ledger_bytes: engine.ledger().size_bytes().into(),
        },
    }
}

fn problem_view(problem: &settings::FileProblem) -> SettingsProblemView {
    SettingsProblemView {
        path: problem.path.clone(),
        line: problem.line.and_then(|line| u32::try_from(line).ok()),
        fatal: problem.severity == Severity::Error,
        message: format!("{}; {}", problem.what, problem.hint),
    }
}

fn setting_ranges() -> SettingsRanges {
    SettingsRanges {
        gateway_port: range_view(&settings::GATEWAY_PORT_RANGE),
        in_flight_max: range_view(&settings::GATEWAY_IN_FLIGHT_MAX_RANGE),
        body_bytes_max: range_view(&settings::GATEWAY_BODY_BYTES_MAX_RANGE),
        connect_timeout_ms: range_view(&settings::GATEWAY_CONNECT_TIMEOUT_MS_RANGE),
        first_token_timeout_ms: range_view(&settings::GATEWAY_FIRST_TOKEN_TIMEOUT_MS_RANGE),
        stall_timeout_ms: range_view(&settings::GATEWAY_STALL_TIMEOUT_MS_RANGE),
        total_timeout_ms: range_view(&settings::GATEWAY_TOTAL_TIMEOUT_MS_RANGE),
        health_interval_secs: range_view(&settings::HEALTH_INTERVAL_SECS_RANGE),
        retention_days: range_view(&settings::LEDGER_RETENTION_DAYS_RANGE),
        cache_ttl_secs: range_view(&settings::CACHE_TTL_SECS_RANGE),
        cache_memory_bytes_max: range_view(&settings::CACHE_MEMORY_BYTES_MAX_RANGE),
        cache_entry_bytes_max: range_view(&settings::CACHE_ENTRY_BYTES_MAX_RANGE),
        cache_disk_bytes_max: range_view(&settings::CACHE_DISK_BYTES_MAX_RANGE),
    }
}

fn range_view<N: Copy + TryInto<u64>>(allowed: &RangeInclusive<N>) -> RangeView {
    let number = |number: N| Count(number.try_into().unwrap_or(u64::MAX));
    RangeView { min: number(*allowed.start()), max: number(*allowed.end()) }
}

fn settings_values(settings: &Settings) -> SettingsValues {
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let size = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    SettingsValues {
        gateway_port: settings.gateway.port,
        in_flight_max: size(settings.gateway.in_flight_max),
        body_bytes_max: size(settings.gateway.body_bytes_max),
        connect_timeout_ms: small(settings.gateway.connect_timeout_ms),
        first_token_timeout_ms: small(settings.gateway.first_token_timeout_ms),
        stall_timeout_ms: small(settings.gateway.stall_timeout_ms),
        total_timeout_ms: small(settings.gateway.total_timeout_ms),
        health_interval_secs: small(settings.health.interval_secs),
        retention_days: settings.ledger.retention_days,
        notifications_enabled: settings.notifications.enabled,
        theme: match settings.appearance.theme {
            Theme::System => ThemeChoice::System,
            Theme::Light => ThemeChoice::Light,
            Theme::Dark => ThemeChoice::Dark,
        },
        vault_kind: vault_kind_view(settings.vault.kind),
        cache_enabled: settings.cache.enabled,
        cache_ttl_secs: settings.cache.ttl_secs,
        cache_memory_bytes_max: settings.cache.memory_bytes_max.into(),
        cache_entry_bytes_max: settings.cache.entry_bytes_max.into(),
        cache_disk: settings.cache.disk,
        cache_disk_bytes_max: settings.cache.disk_bytes_max.into(),
        cache_redis_url: settings.cache.redis_url.as_ref().map(ToString::to_string),
        cache_redis_credential: settings.cache.redis_credential.as_ref().map(ToString::to_string),
        resilience: form::resilience_values(&settings.resilience),
    }
}

fn apply_form(draft: &mut Settings, req: &SettingsValues, parts: ParsedSettingsForm) {
    draft.cache = parts.cache;
    draft.resilience = parts.resilience;
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    draft.gateway = GatewaySettings {
        port: req.gateway_port,
        in_flight_max: size(req.in_flight_max),
        body_bytes_max: size(req.body_bytes_max),
        connect_timeout_ms: req.connect_timeout_ms.into(),
        first_token_timeout_ms: req.first_token_timeout_ms.into(),
        stall_timeout_ms: req.stall_timeout_ms.into(),
        total_timeout_ms: req.total_timeout_ms.into(),
        ..draft.gateway.clone()
    };
    draft.health.interval_secs = req.health_interval_secs.into();
    draft.ledger.retention_days = req.retention_days;
    draft.notifications.enabled = req.notifications_enabled;
    draft.appearance.theme = match req.theme {
        ThemeChoice::System => Theme::System,
        ThemeChoice::Light => Theme::Light,
        ThemeChoice::Dark => Theme::Dark,
    };
    draft.vault.kind = match req.vault_kind {
        VaultKindView::Keychain => VaultKind::Keychain,
        VaultKindView::File => VaultKind::File,
        VaultKindView::Env => VaultKind::Env,
        VaultKindView::Memory => VaultKind::Memory,
    };
}

/// Maps a path in the file to a field of the form: `gateway.port` to `gateway_port`.
fn form_field(path: &str) -> Option<String> {
    let field = match path {
        "gateway.port" => "gateway_port",
        "health.interval_secs" => "health_interval_secs",
        "notifications.enabled" => "notifications_enabled",
        "appearance.theme" => "theme",
        "vault.kind" => "vault_kind",
        other => match other.split_once('.') {
            Some(("cache", field)) => return Some(format!("cache_{field}")),
            _ => other.rsplit('.').next().filter(|last| !last.is_empty())?,
        },
    };
    Some(field.to_owned())
}

impl From<SettingsError> for ApiError {
    fn from(error: SettingsError) -> Self {
        let (code, field) = match &error {
            SettingsError::Invalid { .. } => (ErrorCode::SettingsInvalid, None),
            SettingsError::Rejected { problems } => {
                let field = problems.first().and_then(|problem| form_field(&problem.path));
                (ErrorCode::InvalidInput, field)
            }
            _ => (ErrorCode::Failed, None),
        };
        Self { code, message: error.to_string(), hint: None, field }
    }
}

impl From<EngineEditError> for ApiError {
    fn from(error: EngineEditError) -> Self {
        match error {
            EngineEditError::Settings(error) => error.into(),
            EngineEditError::Interrupted => Self::failed("the settings were not saved; try again"),
        }
    }
}
