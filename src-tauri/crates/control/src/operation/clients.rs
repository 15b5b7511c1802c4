//! Client tools and their local tokens.
//!
//! The settings hold the SHA-256 of a token, the vault holds the token, so that `gatehouse token`
//! can print it to the tool that asks. No panel ever sees one: its snippets call that command.

use domain::{BoundSecret, ClientId, CredentialId, Secret, WallTime};
use engine::Engine;
use gateway::{NewToken, new_token};
use ledger::{GroupBy, UsageKey};
use settings::{ClientPriority, ClientSettings, TrafficLimits};
use vault::VaultError;

use super::{input, spend_of, sums_of_last_days};
use crate::ApiError;
use crate::view::{ClientAdd, ClientEdit, ClientRef, ClientView, SnippetView};

/// Days over which a client's use is summed.
const USE_DAYS: i64 = 30;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Longest life of a token, in days (ten years).
const EXPIRY_DAYS_MAX: u32 = 3_650;
/// What stands before a client's name in the vault.
const VAULT_PREFIX: &str = "client.";

pub(crate) async fn clients(engine: &Engine) -> Result<Vec<ClientView>, ApiError> {
    let settings = engine.settings();
    let used = sums_of_last_days(engine, USE_DAYS, GroupBy::Client).await?;
    let now = engine.wall();
    let mut clients = Vec::with_capacity(settings.clients.len());
    for (id, client) in &settings.clients {
        clients.push(ClientView {
            id: id.to_string(),
            created_at: client.created.into(),
            expires_at: client.expires.map(Into::into),
            expired: client.expires.is_some_and(|end| end <= now),
            seen_at: engine.client_seen(id).await?.map(Into::into),
            limits: client.limits.into(),
            cache: client.cache.map(Into::into),
            priority: client.priority.into(),
            last_month: spend_of(used.get(&UsageKey::Named(id.to_string()))),
            snippets: snippets(&engine.gateway_address(), id),
        });
    }
    Ok(clients)
}

pub(crate) async fn client_add(engine: &Engine, req: ClientAdd) -> Result<ClientView, ApiError> {
    let name = req.id.clone();
    client_issue(engine, req).await?;
    one_client(engine, &name).await
}

pub(crate) async fn client_edit(engine: &Engine, req: ClientEdit) -> Result<ClientView, ApiError> {
    let id = input::known_client(&engine.settings(), &req.id)?;
    engine
        .edit(move |draft| {
            if let Some(known) = draft.clients.get_mut(&id) {
                known.limits = req.limits.into();
                known.cache = req.cache.map(Into::into);
                known.priority = req.priority.into();
            }
        })
        .await?;
    one_client(engine, &req.id).await
}

async fn one_client(engine: &Engine, name: &str) -> Result<ClientView, ApiError> {
    let found = clients(engine).await?.into_iter().find(|client| client.id == name.trim());
    found.ok_or_else(|| ApiError::not_found(format!("there is no client named {name}")))
}

/// Makes a client and its token, and hands the token to the command line.
pub(crate) async fn client_issue(engine: &Engine, req: ClientAdd) -> Result<Secret, ApiError> {
    let id: ClientId = input::id("id", &req.id)?;
    if engine.settings().clients.contains_key(&id) {
        let message = format!("a client named {id} exists; revoke it, or choose another name");
        return Err(ApiError::invalid("id", message));
    }
    let created = engine.wall();
    let expires = expiry(created, req.expires_in_days)?;
    let NewToken { secret: token, hash: token_sha256 } = new_token(engine.entropy());
    let kept = vault_id(&id)?;
    engine.vault().put(&kept, BoundSecret::new(token.clone(), None)).await?;
    let client = ClientSettings {
        token_sha256,
        created,
        expires,
        limits: TrafficLimits::default(),
        cache: None,
        priority: ClientPriority::default(),
    };
    let added = engine.edit(move |draft| {
        draft.clients.insert(id, client);
    });
    if let Err(error) = added.await {
        drop(engine.vault().remove(&kept).await);
        return Err(error.into());
    }
    Ok(token)
}

pub(crate) async fn client_token(engine: &Engine, req: ClientRef) -> Result<Secret, ApiError> {
    let id = input::known_client(&engine.settings(), &req.id)?;
    let kept = engine.vault().get(&vault_id(&id)?).await.map_err(|error| match error {
        VaultError::NotFound(_) => {
            ApiError::not_found(format!("the token of {id} is not in this vault"))
                .with_hint(format!("Revoke {id} and add it again."))
        }
        other => other.into(),
    })?;
    Ok(kept.parts().0.clone())
}

pub(crate) async fn client_revoke(engine: &Engine, req: ClientRef) -> Result<(), ApiError> {
    let id = input::known_client(&engine.settings(), &req.id)?;
    let place = id.clone();
    engine
        .edit(move |draft| {
            draft.clients.shift_remove(&place);
        })
        .await?;
    // The token has ended with the settings; what lies in the vault is only litter from here on.
    if let Err(error) = engine.vault().remove(&vault_id(&id)?).await {
        tracing::warn!(client = %id, %error, "a revoked token was left in the vault");
    }
    Ok(())
}

fn vault_id(id: &ClientId) -> Result<CredentialId, ApiError> {
    CredentialId::new(format!("{VAULT_PREFIX}{id}"))
        .map_err(|_| ApiError::invalid("id", "the name is too long; use at most 57 characters"))
}

fn expiry(created: WallTime, days: Option<u32>) -> Result<Option<WallTime>, ApiError> {
    match days {
        None => Ok(None),
        Some(days) if (1..=EXPIRY_DAYS_MAX).contains(&days) => {
            Ok(Some(WallTime::from_unix_ms(created.unix_ms() + i64::from(days) * DAY_MS)))
        }
        Some(_) => {
            let message = format!("choose 1 to {EXPIRY_DAYS_MAX} days, or no end");
            Err(ApiError::invalid("expires_in_days", message))
        }
    }
}

fn snippets(address: &str, id: &ClientId) -> Vec<SnippetView> {
    let snippet = |title: &str, code: String| SnippetView { title: title.to_owned(), code };
    vec![
        snippet(
            "curl",
            format!(
                "curl {address}/v1/chat/completions \\\n  -H \"authorization: Bearer $(gatehouse token {id})\" \\\n  -H 'content-type: application/json' \\\n  -d '{{\"model\":\"mock/echo\",\"messages\":[{{\"role\":\"user\",\"content\":\"hello\"}}]}}'"
            ),
        ),
        snippet(
            "Shell",
            format!(
                "export OPENAI_BASE_URL={address}/v1\nexport OPENAI_API_KEY=\"$(gatehouse token {id})\""
            ),
        ),
        snippet(
            "Python",
            format!(
                "import subprocess\nfrom openai import OpenAI\n\ntoken = subprocess.check_output([\"gatehouse\", \"token\", \"{id}\"], text=True).strip()\nclient = OpenAI(base_url=\"{address}/v1\", api_key=token)\nanswer = client.chat.completions.create(\n    model=\"mock/echo\", messages=[{{\"role\": \"user\", \"content\": \"hello\"}}]\n)\nprint(answer.choices[0].message.content)"
            ),
        ),
        snippet(
            "Node",
            format!(
                "import {{ execFileSync }} from \"node:child_process\";\nimport OpenAI from \"openai\";\n\nconst apiKey = execFileSync(\"gatehouse\", [\"token\", \"{id}\"], {{ encoding: \"utf8\" }}).trim();\nconst client = new OpenAI({{ baseURL: \"{address}/v1\", apiKey }});\nconst answer = await client.chat.completions.create({{\n  model: \"mock/echo\",\n  messages: [{{ role: \"user\", content: \"hello\" }}],\n}});\nconsole.log(answer.choices[0].message.content);"
            ),
        ),
    ]
}
