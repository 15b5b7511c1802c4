//! Finds keys in plain text and imports them.
//!
//! A key goes from its file to the vault inside this process: the panel and the command line name it
//! by its fingerprint, and the files are read again for the import. Those in the environment of the
//! command line come with its call, as a new key does. The files stay as they are, since
//! other programs read them; their owner is told the lines, and may have the copies removed
//! (`key_copies`).

use std::path::PathBuf;

use domain::{CredentialId, Origin, Secret};
use engine::{Engine, FoundKey, KeyScan, KeyScanError, KeyScanPlaces, ScannedEnvironment};
use key_scan::{KeyPlace, KeyProvider};
use settings::Settings;

use crate::ApiError;
use crate::operation::backends::{backend_add, preset_views};
use crate::operation::keys::{key_verify, parse_new_key_name, store_key};
use crate::view::{
    BackendAdd, BackendKey, Count, KeyImportView, KeyRef, KeysImport, KeysScan, KeysScanView,
    PlainKeyImport, PlainKeyPlaceView, PlainKeyView, TranslationMode,
};

/// Most files and folders in one call.
const PATHS_MAX: usize = 100;

/// Name of a key whose provider is not known.
const UNKNOWN_PROVIDER_NAME: &str = "key";

pub(crate) async fn keys_scan(engine: &Engine, req: KeysScan) -> Result<KeysScanView, ApiError> {
    let found = scan(engine, &req).await?;
    if req.known_files {
        engine.key_copies().look_again().await;
    }
    let settings = engine.settings();
    let problem = |problem: &key_scan::ScanProblem| {
        format!("{} {}", engine.key_scanner().short_path(&problem.path), problem.what)
    };
    let mut taken: Vec<String> = Vec::new();
    let mut keys = Vec::with_capacity(found.keys.len());
    for key in &found.keys {
        let view = plain_key_view(engine, &settings, key, &taken);
        taken.push(view.name.clone());
        keys.push(view);
    }
    let no_home = || format!("shell profiles and files of tools: {}", KeyScanError::NoHome);
    let no_home = found.is_without_home.then(no_home);
    Ok(KeysScanView {
        keys,
        files: count(found.files),
        problems: no_home.into_iter().chain(found.problems.iter().map(problem)).collect(),
        is_truncated: found.is_truncated,
        vault_was_read: found.vault_was_read,
    })
}

pub(crate) async fn keys_import(
    engine: &Engine,
    req: KeysImport,
) -> Result<Vec<KeyImportView>, ApiError> {
    let found = scan(engine, &req.scan).await?;
    let mut outcomes = Vec::with_capacity(req.keys.len());
    for wanted in req.keys {
        let key = found.keys.iter().find(|key| key.key.secret.fingerprint() == wanted.fingerprint);
        outcomes.push(import_key(engine, wanted, key).await);
    }
    Ok(outcomes)
}

async fn scan(engine: &Engine, req: &KeysScan) -> Result<KeyScan, ApiError> {
    let scanned = engine.key_scanner().scan(scan_places(req)?).await;
    scanned.map_err(|error| ApiError::invalid("known_files", error.to_string()))
}

pub(in crate::operation) fn scan_places(req: &KeysScan) -> Result<KeyScanPlaces, ApiError> {
    if req.paths.len() > PATHS_MAX {
        let message = format!("at most {PATHS_MAX} files and folders can be searched at once");
        return Err(ApiError::invalid("paths", message));
    }
    let named: Vec<PathBuf> = req.paths.iter().map(PathBuf::from).collect();
    if let Some(relative) = named.iter().find(|path| !path.is_absolute()) {
        let message = format!("{} is no whole path", relative.display());
        return Err(ApiError::invalid("paths", message));
    }
    let environment = match &req.environment {
        _ if !req.known_files => ScannedEnvironment::None,
        None => ScannedEnvironment::Own,
        Some(given) => {
            let given = given.iter().map(|key| (key.variable.clone(), key.secret.clone()));
            ScannedEnvironment::Caller(given.collect())
        }
    };
    Ok(KeyScanPlaces { known_files: req.known_files, environment, named })
}

/// Imports one key. A failure concerns this key alone, so it is part of the outcome.
async fn import_key(
    engine: &Engine,
    wanted: PlainKeyImport,
    found: Option<&FoundKey>,
) -> KeyImportView {
    let PlainKeyImport { fingerprint, name, add_backend: with_backend } = wanted;
    let mut outcome = KeyImportView {
        fingerprint,
        name,
        error: None,
        backend: None,
        backend_error: None,
        verification: None,
    };
    let Some(found) = found else {
        outcome.error = Some("the key is no longer where it was found".to_owned());
        return outcome;
    };
    if let Err(error) = store_found_key(engine, &outcome.name, found).await {
        outcome.error = Some(error.message);
        return outcome;
    }
    if with_backend {
        match add_backend(engine, &outcome.name, found.key.provider).await {
            Ok(backend) => outcome.backend = Some(backend),
            Err(error) => outcome.backend_error = Some(error.message),
        }
    }
    if outcome.backend.is_some() {
        let named = KeyRef { id: outcome.name.clone() };
        outcome.verification = key_verify(engine, named).await.ok();
    }
    outcome
}

async fn store_found_key(engine: &Engine, name: &str, found: &FoundKey) -> Result<(), ApiError> {
    let _held = engine.vault_switch().lock_changes().await;
    if let Some(stored) = &found.stored_as {
        return Err(ApiError::invalid("name", format!("it is in the vault already, as {stored}")));
    }
    let id: CredentialId = parse_new_key_name(&engine.settings(), "name", name)?;
    let provider = found.key.provider;
    let origin = provider.and_then(|provider| provider.origin.parse::<Origin>().ok());
    let label = provider.map_or_else(|| name.to_owned(), |provider| provider.label.to_owned());
    let secret: Secret = found.key.secret.clone();
    store_key(engine, &id, label, secret, origin, None).await
}

/// Adds a backend of the provider's preset that uses the key. Returns its id.
async fn add_backend(
    engine: &Engine,
    key: &str,
    provider: Option<KeyProvider>,
) -> Result<String, ApiError> {
    let preset = provider.and_then(|provider| provider.preset);
    let presets = preset_views();
    let preset = presets.into_iter().find(|known| Some(known.id.as_str()) == preset);
    let Some(preset) = preset else {
        let message = "no preset has such a key; add its backend with `gatehouse backends add`";
        return Err(ApiError::invalid("add_backend", message));
    };
    let settings = engine.settings();
    let is_taken = |id: &str| settings.backends.keys().any(|known| known.as_str() == id);
    let id = free_name(&preset.id, is_taken);
    let added = backend_add(
        engine,
        BackendAdd {
            id,
            label: preset.label,
            kind: preset.kind,
            base_url: preset.base_url,
            key: BackendKey::Stored { id: key.to_owned() },
            models: Vec::new(),
            lacks: preset.lacks,
            offers: preset.offers,
            crossing: TranslationMode::default(),
        },
    );
    Ok(added.await?.id)
}

fn plain_key_view(
    engine: &Engine,
    settings: &Settings,
    found: &FoundKey,
    taken: &[String],
) -> PlainKeyView {
    let provider = found.key.provider;
    let wanted = provider.map_or(UNKNOWN_PROVIDER_NAME, |provider| provider.credential);
    let is_taken = |name: &str| {
        taken.iter().any(|other| other == name)
            || settings.credentials.keys().any(|known| known.as_str() == name)
    };
    let stored_as = found.stored_as.as_ref().map(ToString::to_string);
    PlainKeyView {
        fingerprint: found.key.secret.fingerprint(),
        tail: found.key.secret.tail(),
        provider: provider.map(|provider| provider.label.to_owned()),
        preset: provider.and_then(|provider| provider.preset).map(str::to_owned),
        origin: provider.map(|provider| provider.origin.to_owned()),
        name: stored_as.clone().unwrap_or_else(|| free_name(wanted, is_taken)),
        stored_as,
        variable: found.variable.map(str::to_owned),
        places: found.key.places.iter().map(|place| place_view(engine, place)).collect(),
    }
}

fn place_view(engine: &Engine, place: &KeyPlace) -> PlainKeyPlaceView {
    PlainKeyPlaceView {
        path: engine.key_scanner().short_path(&place.path),
        line: count(place.line),
        name: place.name.clone(),
        reader: place.reader.map(str::to_owned),
    }
}

pub(in crate::operation) fn count(number: usize) -> Count {
    Count(u64::try_from(number).unwrap_or(u64::MAX))
}

/// The name, or with the first number that makes it free: `openai-2`.
fn free_name(wanted: &str, is_taken: impl Fn(&str) -> bool) -> String {
    if !is_taken(wanted) {
        return wanted.to_owned();
    }
    let numbered = (2_u32..).map(|number| format!("{wanted}-{number}"));
    numbered.into_iter().find(|name| !is_taken(name)).unwrap_or_else(|| wanted.to_owned())
}
