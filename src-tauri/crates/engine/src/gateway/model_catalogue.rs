//! The models of each backend: declared in the settings, otherwise as the backend listed them.

use std::collections::HashMap;
use std::sync::Arc;

use domain::BackendId;
use parking_lot::Mutex;
use settings::{Settings, SettingsStore};

pub struct ModelCatalogue {
    settings: Arc<SettingsStore>,
    mock: BackendId,
    listed: Mutex<HashMap<BackendId, Vec<String>>>,
}

impl ModelCatalogue {
    pub(crate) fn new(settings: Arc<SettingsStore>, mock: BackendId) -> Self {
        Self { settings, mock, listed: Mutex::default() }
    }

    /// Models of a backend: the declared ones, otherwise those it listed. The mock has a fixed
    /// list.
    #[must_use]
    pub fn models(&self, id: &BackendId) -> Vec<String> {
        self.models_with(&self.settings.current(), id)
    }

    /// As [`Self::models`], with these settings.
    pub(crate) fn models_with(&self, settings: &Settings, id: &BackendId) -> Vec<String> {
        if id == &self.mock {
            return wire::mock::MODELS.iter().map(|model| (*model).to_owned()).collect();
        }
        match settings.backends.get(id) {
            Some(known) if !known.models.is_empty() => known.models.clone(),
            _ => self.listed.lock().get(id).cloned().unwrap_or_default(),
        }
    }

    /// Stores the models that a backend listed. Returns `true` if they changed.
    pub(crate) fn set_listed(&self, id: &BackendId, models: &[String]) -> bool {
        let before = self.listed.lock().insert(id.clone(), models.to_vec());
        before.as_deref() != Some(models)
    }

    pub(crate) fn forget(&self, id: &BackendId) {
        self.listed.lock().remove(id);
    }
}
