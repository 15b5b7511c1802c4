//! Operations on the settings: the form, and the fix of a broken file.

mod form;

use std::collections::BTreeMap;

use engine::{Engine, EngineEditError, NotificationOutcome};
use settings::{Setting, SettingValue, Settings, SettingsError, SettingsFileState, Severity};

use super::vault_view;
use crate::view::{
    Count, FoldersView, NotificationTestView, RangeView, SettingsProblemView, SettingsValues,
    SettingsView, form_settings,
};
use crate::{ApiError, ErrorCode};

pub(crate) async fn settings(engine: &Engine) -> Result<SettingsView, ApiError> {
    engine.settings_editor().reload().await?;
    Ok(settings_view(engine))
}

pub(crate) async fn settings_edit(
    engine: &Engine,
    req: SettingsValues,
) -> Result<SettingsView, ApiError> {
    let changes = form::form_changes(&req, &engine.settings())?;
    engine.settings_editor().set_values(changes).await?;
    Ok(settings_view(engine))
}

pub(crate) async fn settings_fix(engine: &Engine) -> Result<SettingsView, ApiError> {
    engine.settings_editor().fix().await?;
    Ok(settings_view(engine))
}

pub(crate) async fn settings_fix_undo(engine: &Engine) -> Result<SettingsView, ApiError> {
    engine.settings_editor().undo_fix().await?;
    Ok(settings_view(engine))
}

pub(crate) async fn notification_test(engine: &Engine) -> Result<NotificationTestView, ApiError> {
    let view =
        |delivered, detail: &str| NotificationTestView { delivered, detail: detail.to_owned() };
    Ok(match engine.notifications().test().await {
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
        valid: engine.settings_editor().state() == SettingsFileState::Valid,
        values: settings_values(&settings),
        defaults: settings_values(&Settings::default()),
        entries: entry_values(&settings),
        ranges: setting_ranges(),
        resilience: form::resilience_form(),
        problems: engine.settings_editor().problems().iter().map(problem_view).collect(),
        proposed_fix: engine.settings_editor().proposed_fix().map(|fix| fix.diff),
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

fn setting_ranges() -> BTreeMap<String, RangeView> {
    let count = |number: i64| Count(number.try_into().unwrap_or_default());
    let range = |setting: &Setting| {
        let (min, max) = setting.range.clone()?.into_inner();
        Some((setting.key.to_owned(), RangeView { min: count(min), max: count(max) }))
    };
    form_settings().filter_map(range).collect()
}

fn settings_values(settings: &Settings) -> SettingsValues {
    let values: BTreeMap<String, SettingValue> = settings.values().into_iter().collect();
    let field =
        |setting: &Setting| Some((setting.key.to_owned(), values.get(setting.path)?.clone()));
    SettingsValues {
        fields: form_settings().filter_map(field).collect(),
        resilience: form::resilience_values(&settings.resilience),
    }
}

/// The settings of backends and clients by their paths.
fn entry_values(settings: &Settings) -> BTreeMap<String, SettingValue> {
    let table = Settings::table();
    let is_entry = |(path, _): &(String, _)| !table.iter().any(|setting| setting.path == path);
    settings.values().into_iter().filter(is_entry).collect()
}

/// Maps a path in the file to a field of the form: `gateway.port` to `gateway_port`.
fn form_field(path: &str) -> Option<String> {
    let setting = Settings::table().into_iter().find(|setting| setting.path == path);
    let key = setting.map_or(path, |setting| setting.key);
    key.rsplit('.').next().filter(|last| !last.is_empty()).map(str::to_owned)
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
        let hint = (code == ErrorCode::SettingsInvalid).then_some(
            "`gatehouse settings check` lists the errors; `gatehouse settings fix` shows a repair.",
        );
        Self { code, message: error.to_string(), hint: hint.map(str::to_owned), field }
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
