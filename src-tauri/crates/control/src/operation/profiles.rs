//! Profiles: sets of backends, one of which is in use at a time.

use std::collections::BTreeSet;

use domain::{BackendId, ProfileId};
use engine::Engine;
use settings::{PROFILES_MAX, Profile, Settings};

use crate::operation::input;
use crate::view::{ProfileRef, ProfileSet, ProfileSwitch, ProfileView, ProfilesView};
use crate::{ApiError, unknown_name_error};

pub(crate) async fn profiles(engine: &Engine) -> Result<ProfilesView, ApiError> {
    Ok(profiles_view(&engine.settings()))
}

pub(crate) async fn profile_set(
    engine: &Engine,
    req: ProfileSet,
) -> Result<ProfilesView, ApiError> {
    let id: ProfileId = input::parse_id("name", &req.name)?;
    let settings = engine.settings();
    if settings.profiles.len() >= PROFILES_MAX && !settings.profiles.contains_key(&id) {
        let message = format!("there are {PROFILES_MAX} profiles; remove one first");
        return Err(ApiError::invalid("name", message));
    }
    let named = req.backends.iter().map(|name| input::parse_known_backend(&settings, name));
    let named: BTreeSet<BackendId> =
        named.collect::<Result<_, _>>().map_err(|error: ApiError| error.at_field("backends"))?;
    // In the order of the settings, whatever order they were chosen in.
    let backends = settings.backends.keys().filter(|id| named.contains(*id)).cloned().collect();
    edit(engine, move |draft| {
        draft.profiles.insert(id, Profile { backends });
    })
    .await
}

pub(crate) async fn profile_remove(
    engine: &Engine,
    req: ProfileRef,
) -> Result<ProfilesView, ApiError> {
    let id = parse_known_profile(&engine.settings(), &req.name)?;
    edit(engine, move |draft| {
        draft.profile.active = draft.profile.active.take().filter(|active| *active != id);
        draft.profiles.shift_remove(&id);
    })
    .await
}

pub(crate) async fn profile_switch(
    engine: &Engine,
    req: ProfileSwitch,
) -> Result<ProfilesView, ApiError> {
    let settings = engine.settings();
    let id = req.name.map(|name| parse_known_profile(&settings, &name)).transpose()?;
    let before: BTreeSet<BackendId> = settings.backends_on().map(|(id, _)| id.clone()).collect();
    let view = edit(engine, move |draft| draft.profile.active = id).await?;
    // What was left out until now has not been probed.
    for (id, _) in engine.settings().backends_on().filter(|(id, _)| !before.contains(*id)) {
        engine.health_watch().request_probe(id);
    }
    Ok(view)
}

async fn edit(
    engine: &Engine,
    change: impl FnOnce(&mut Settings) + Send + 'static,
) -> Result<ProfilesView, ApiError> {
    engine.settings_editor().edit(change).await?;
    Ok(profiles_view(&engine.settings()))
}

fn parse_known_profile(settings: &Settings, name: &str) -> Result<ProfileId, ApiError> {
    let id: ProfileId = input::parse_id("name", name)?;
    match settings.profiles.contains_key(&id) {
        true => Ok(id),
        false => {
            let known = settings.profiles.keys().map(ProfileId::as_str);
            Err(unknown_name_error("profile", id.as_str(), known))
        }
    }
}

fn profiles_view(settings: &Settings) -> ProfilesView {
    let names = |ids: &[BackendId]| ids.iter().map(ToString::to_string).collect();
    let is_in_all =
        |id: &&BackendId| !settings.profiles.values().any(|profile| profile.backends.contains(*id));
    let view = |(id, profile): (&ProfileId, &Profile)| ProfileView {
        name: id.to_string(),
        active: settings.profile.active.as_ref() == Some(id),
        backends: names(&profile.backends),
    };
    ProfilesView {
        active: settings.profile.active.as_ref().map(ToString::to_string),
        profiles: settings.profiles.iter().map(view).collect(),
        in_all: settings.backends.keys().filter(is_in_all).map(ToString::to_string).collect(),
    }
}
