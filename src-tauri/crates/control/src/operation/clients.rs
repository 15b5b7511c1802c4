//! Operations on clients and their local tokens.
//!
//! The settings hold the SHA-256 of a token, which is all that the gateway needs to admit it. The
//! vault holds the token if it can, so that `gatehouse token` can print it for the tool that asks.
//! No panel ever sees a token: its snippets call that command.

mod scope;
mod snippets;
mod switch;
pub(in crate::operation) mod switched;

pub(crate) use switch::client_switch;

use domain::{BoundSecret, Budget, BudgetId, ClientId, CredentialId, DAY_MS, Secret, WallTime};
use engine::{ClientState, Engine, REVOKED_CLIENT_AGE_MAX, RevokedClient};
use gateway::{NewToken, new_token};
use ledger::{GroupBy, UsageKey};
use settings::{ClientPriority, ClientSettings, Settings, TrafficLimits};
use vault::VaultError;

use super::{input, spend_view, sum_last_days};
use crate::ApiError;
use crate::operation::budgets::{client_budget, client_budgets};
use crate::view::{
    ClientAdd, ClientEdit, ClientRef, ClientView, IssuedToken, RevokedClientView,
    TokenNotStoredView, UnixMs,
};

/// Days over which a client's usage is summed.
const CLIENT_USAGE_DAYS: i64 = 30;
/// Longest lifetime of a token, in days (ten years).
const EXPIRY_DAYS_MAX: u32 = 3_650;

pub(crate) async fn clients(engine: &Engine) -> Result<Vec<ClientView>, ApiError> {
    let settings = engine.settings();
    let budgets_of = |id: &ClientId| {
        let (own, others) = client_budgets(&settings, id);
        (own.map(ToString::to_string), others.into_iter().map(ToString::to_string).collect())
    };
    let used = sum_last_days(engine, CLIENT_USAGE_DAYS, GroupBy::Client).await?;
    let now = engine.clock().wall();
    let mut clients = Vec::with_capacity(settings.clients.len());
    for (id, client) in &settings.clients {
        let (own_budget, other_budgets) = budgets_of(id);
        let seen_at = engine.clients().last_seen(id, now).await?;
        clients.push(ClientView {
            state: ClientState::at(now, client, seen_at),
            own_budget,
            other_budgets,
            id: id.to_string(),
            created_at: client.created.into(),
            expires_at: client.expires.map(Into::into),
            expired: client.is_expired(now),
            blocked: client.blocked,
            refused: engine.clients().refusals(id).filter(|_| client.blocked).map(Into::into),
            seen_at: seen_at.map(Into::into),
            program: engine.clients().program(id).map(Into::into),
            limits: client.limits.into(),
            cache: client.cache,
            priority: client.priority,
            scope: (&client.scope).into(),
            targets: switch::client_targets(&settings, id, client),
            mcp: client.mcp,
            reads_metrics: client.reads_metrics,
            project: client.project.clone(),
            last_month: spend_view(used.get(&UsageKey::Named(id.to_string()))),
            snippets: match client.reads_metrics {
                true => snippets::metrics_snippets(&engine.gateway().address(), id),
                false => snippets::client_snippets(&engine.gateway().address(), id),
            },
        });
    }
    Ok(clients)
}

/// Adds a client for a panel, which never sees the token. A token that cannot be stored would be
/// lost, so then no client is created.
pub(crate) async fn client_add(engine: &Engine, req: ClientAdd) -> Result<ClientView, ApiError> {
    let _held = engine.vault_switch().lock_changes().await;
    let new = prepare_client(engine, &req)?;
    let id = new.id.clone();
    if let Err(error) = store_token(engine, &new).await {
        let hint = format!("In a terminal, `gatehouse clients add {id}` prints the token once.");
        return Err(ApiError::from(error).with_hint(hint));
    }
    add_to_settings(engine, new).await?;
    find_client_view(engine, &id).await
}

pub(crate) async fn client_edit(engine: &Engine, req: ClientEdit) -> Result<ClientView, ApiError> {
    let settings = engine.settings();
    let id = input::parse_known_client(&settings, &req.id)?;
    let client = id.clone();
    let known = settings.clients.get(&id);
    let scope = scope::parse_scope(&settings, &req.scope, known.map(|client| &client.scope))?;
    let project = project_name(req.project.as_deref());
    let known_expiry = known.and_then(|client| client.expires);
    let expires = changed_expiry(known_expiry, req.expires_at, engine.clock().wall())?;
    engine
        .settings_editor()
        .edit(move |draft| {
            if let Some(known) = draft.clients.get_mut(&id) {
                (known.scope, known.expires) = (scope, expires);
                req.limits.apply(&mut known.limits);
                known.cache = req.cache;
                known.priority = req.priority;
                known.mcp = req.mcp;
                known.project = project;
            }
        })
        .await?;
    find_client_view(engine, &client).await
}

pub(crate) async fn client_block(engine: &Engine, req: ClientRef) -> Result<ClientView, ApiError> {
    set_blocked(engine, req, true).await
}

pub(crate) async fn client_allow(engine: &Engine, req: ClientRef) -> Result<ClientView, ApiError> {
    set_blocked(engine, req, false).await
}

async fn set_blocked(
    engine: &Engine,
    req: ClientRef,
    blocked: bool,
) -> Result<ClientView, ApiError> {
    let id = input::parse_known_client(&engine.settings(), &req.id)?;
    let client = id.clone();
    let edit = move |draft: &mut Settings| {
        if let Some(known) = draft.clients.get_mut(&client) {
            known.blocked = blocked;
        }
    };
    engine.settings_editor().edit(edit).await?;
    engine.clients().forget_refusals(&id);
    find_client_view(engine, &id).await
}

async fn find_client_view(engine: &Engine, id: &ClientId) -> Result<ClientView, ApiError> {
    let found = clients(engine).await?.into_iter().find(|client| client.id == id.as_str());
    found.ok_or_else(|| ApiError::not_found(format!("there is no client named {id}")))
}

/// Creates a client and returns its token to the command line. The gateway admits the token by its
/// hash, so a vault that cannot store it is reported but is no error.
pub(crate) async fn client_issue(engine: &Engine, req: ClientAdd) -> Result<IssuedToken, ApiError> {
    let _held = engine.vault_switch().lock_changes().await;
    let new = prepare_client(engine, &req)?;
    let (id, token) = (new.id.clone(), new.token.clone());
    let not_stored = store_token(engine, &new).await.err().map(|error| TokenNotStoredView {
        reason: error.to_string(),
        hint: error.hint().map(str::to_owned),
    });
    add_to_settings(engine, new).await?;
    Ok(IssuedToken { client: id.to_string(), token, not_stored })
}

/// A client that is not in the settings yet.
struct NewClient {
    id: ClientId,
    vault_id: CredentialId,
    token: Secret,
    settings: ClientSettings,
    budget: Option<(BudgetId, Budget)>,
}

fn prepare_client(engine: &Engine, req: &ClientAdd) -> Result<NewClient, ApiError> {
    let id = input::parse_client_id("id", &req.id)?;
    if engine.settings().clients.contains_key(&id) {
        let message = format!("there is already a client named {id}");
        return Err(ApiError::invalid("id", message).with_hint(format!(
            "Choose another name, or revoke it first: `gatehouse clients revoke {id}`."
        )));
    }
    let limit = req.monthly_limit_usd.as_deref();
    let settings = engine.settings();
    let scope = scope::parse_scope(&settings, &req.scope, None)?;
    let budget = limit.map(|limit| client_budget(&settings, &id, limit)).transpose()?;
    let created = engine.clock().wall();
    let expires = expiry_time(created, req.expires_in_days)?;
    let NewToken { secret: token, hash: token_sha256 } = new_token(engine.entropy());
    let settings = ClientSettings {
        token_sha256,
        created,
        expires,
        limits: TrafficLimits::default(),
        cache: None,
        priority: ClientPriority::default(),
        scope,
        switched_to: None,
        blocked: false,
        mcp: false,
        reads_metrics: req.reads_metrics,
        project: project_name(req.project.as_deref()),
    };
    Ok(NewClient { vault_id: token_vault_id(&id)?, id, token, settings, budget })
}

/// None for an empty text. The settings refuse what is no name.
fn project_name(typed: Option<&str>) -> Option<String> {
    typed.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned)
}

async fn store_token(engine: &Engine, new: &NewClient) -> Result<(), VaultError> {
    let secret = BoundSecret::new(new.token.clone(), None);
    engine.vault().put(&new.vault_id, secret).await
}

/// Adds the client to the settings. If that fails, removes its token from the vault.
async fn add_to_settings(engine: &Engine, new: NewClient) -> Result<(), ApiError> {
    let NewClient { id, vault_id, settings, budget, .. } = new;
    let added = engine.settings_editor().edit(move |draft| {
        draft.clients.insert(id, settings);
        draft.budgets.extend(budget);
    });
    let added = added.await;
    if added.is_err() {
        drop(engine.vault().remove(&vault_id).await);
    }
    Ok(added?)
}

pub(crate) async fn client_token(engine: &Engine, req: ClientRef) -> Result<Secret, ApiError> {
    let id = input::parse_known_client(&engine.settings(), &req.id)?;
    let kept = engine.vault().get(&token_vault_id(&id)?).await.map_err(|error| match error {
        VaultError::NotFound(_) => {
            ApiError::not_found(format!("the token of {id} was not stored in this vault"))
                .with_hint(new_token_hint(&id))
        }
        other => {
            let message = format!("the token of {id} cannot be read: {other}");
            let hint = other.hint().map(|hint| format!("{hint} ")).unwrap_or_default();
            let hint = format!("{hint}{}", new_token_hint(&id));
            ApiError { message, ..other.into() }.with_hint(hint)
        }
    })?;
    Ok(kept.parts().0.clone())
}

/// Names the two commands that create another token.
fn new_token_hint(id: &ClientId) -> String {
    format!("For a new token: `gatehouse clients revoke {id}`, then `gatehouse clients add {id}`.")
}

pub(crate) async fn client_revoke(
    engine: &Engine,
    req: ClientRef,
) -> Result<RevokedClientView, ApiError> {
    let _held = engine.vault_switch().lock_changes().await;
    let id = input::parse_known_client(&engine.settings(), &req.id)?;
    let budget = client_budgets(&engine.settings(), &id).0.cloned();
    end_client(engine, id, budget).await
}

/// Ends a client's token and, with it, that budget.
pub(super) async fn end_client(
    engine: &Engine,
    id: ClientId,
    budget: Option<BudgetId>,
) -> Result<RevokedClientView, ApiError> {
    let settings = engine.settings();
    let (place, own_budget) = (id.clone(), budget.clone());
    engine
        .settings_editor()
        .edit(move |draft| {
            draft.clients.shift_remove(&place);
            own_budget.map(|budget| draft.budgets.shift_remove(&budget));
        })
        .await?;
    let vault_id = token_vault_id(&id)?;
    let ended = settings.clients.get(&id).cloned();
    let token = engine.vault().get(&vault_id).await.ok();
    let kept = budget.as_ref().and_then(|id| settings.budgets.get(id)).cloned();
    let kept_budget = budget.clone().zip(kept);
    if let Some(settings) = ended {
        let revoked = RevokedClient { settings, token, budget: kept_budget };
        engine.clients().revoked().keep(id.clone(), revoked, engine.clock().now());
    }
    engine.clients().forget(&id);
    // The token ended with the settings entry. A copy that stays in the vault admits nobody.
    if let Err(error) = engine.vault().remove(&vault_id).await {
        tracing::warn!(client = %id, %error, "a revoked token remains in the vault");
    }
    Ok(RevokedClientView { id: id.to_string(), budget: budget.map(|budget| budget.to_string()) })
}

/// Brings a revoked client back with its token and its budget.
pub(crate) async fn client_restore(
    engine: &Engine,
    req: ClientRef,
) -> Result<ClientView, ApiError> {
    let _held = engine.vault_switch().lock_changes().await;
    let id = input::parse_client_id("id", &req.id)?;
    let settings = engine.settings();
    if settings.clients.contains_key(&id) {
        let message = format!("there is a client named {id}; it has a token of its own");
        return Err(ApiError::invalid("id", message));
    }
    let Some(revoked) = engine.clients().revoked().get(&id, engine.clock().now()) else {
        let minutes = REVOKED_CLIENT_AGE_MAX.as_secs() / 60;
        let message = format!(
            "no client named {id} was revoked in the last {minutes} minutes by this program"
        );
        return Err(ApiError::not_found(message)
            .with_hint(format!("For a new token: `gatehouse clients add {id}`.")));
    };
    let taken = revoked.budget.as_ref().filter(|(name, _)| settings.budgets.contains_key(name));
    if let Some((name, _)) = taken {
        let message = format!("there is another budget named {name} now");
        return Err(ApiError::invalid("id", message)
            .with_hint(format!("Remove it first: `gatehouse budgets remove {name}`.")));
    }
    let vault_id = token_vault_id(&id)?;
    if let Some(token) = &revoked.token {
        engine.vault().put(&vault_id, BoundSecret::clone(token)).await?;
    }
    let (token, client) = (revoked.token.is_some(), id.clone());
    let added = engine.settings_editor().edit(move |draft| {
        draft.clients.insert(client, revoked.settings);
        draft.budgets.extend(revoked.budget);
    });
    let added = added.await;
    if added.is_err() && token {
        drop(engine.vault().remove(&vault_id).await);
    }
    added?;
    engine.clients().revoked().forget(&id);
    find_client_view(engine, &id).await
}

pub(in crate::operation) fn token_vault_id(id: &ClientId) -> Result<CredentialId, ApiError> {
    CredentialId::new(format!("{}{id}", input::TOKEN_VAULT_PREFIX))
        .map_err(|_| ApiError::invalid("id", "the name is too long; use at most 57 characters"))
}

fn expiry_time(created: WallTime, days: Option<u32>) -> Result<Option<WallTime>, ApiError> {
    match days {
        None => Ok(None),
        Some(days) if (1..=EXPIRY_DAYS_MAX).contains(&days) => {
            Ok(Some(created.plus_ms(i64::from(days) * DAY_MS)))
        }
        Some(_) => {
            let message = format!("choose 1 to {EXPIRY_DAYS_MAX} days, or no expiry");
            Err(ApiError::invalid("expires_in_days", message))
        }
    }
}

/// The expiry of an edited token. One that stays as it is may be over.
fn changed_expiry(
    known: Option<WallTime>,
    wanted: Option<UnixMs>,
    now: WallTime,
) -> Result<Option<WallTime>, ApiError> {
    let Some(end) = wanted.map(|at| WallTime::from_unix_ms(at.0)) else { return Ok(None) };
    let last = now.unix_ms() + i64::from(EXPIRY_DAYS_MAX) * DAY_MS;
    if known == Some(end) || (now < end && end.unix_ms() <= last) {
        return Ok(Some(end));
    }
    let message =
        format!("choose a time to come, at most {EXPIRY_DAYS_MAX} days from now, or no expiry");
    Err(ApiError::invalid("expires_at", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_to_come_within_ten_years_or_stays() {
        let (now, last) = (WallTime::from_unix_ms(1_000), 1_000 + 3_650 * DAY_MS);
        let check = |known: Option<i64>, wanted: Option<i64>, expected: Option<Option<i64>>| {
            let known = known.map(WallTime::from_unix_ms);
            let changed = changed_expiry(known, wanted.map(UnixMs), now);
            let read = changed.map(|end| end.map(WallTime::unix_ms));
            let read = read.map_err(|error| error.field);
            assert_eq!(read, expected.ok_or(Some("expires_at".to_owned())), "{known:?} {wanted:?}");
        };
        check(Some(5_000), None, Some(None));
        check(None, Some(1_001), Some(Some(1_001)));
        check(None, Some(last), Some(Some(last)));
        check(None, Some(1_000), None);
        check(None, Some(last + 1), None);
        // Another field of an expired client is edited.
        check(Some(500), Some(500), Some(Some(500)));
        check(Some(500), Some(501), None);
    }
}
