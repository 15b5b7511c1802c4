//! Keys of OAuth: `gatehouse keys add NAME --oauth TOKEN_URL`.

use clap::ValueHint;
use control::Core;
use control::view::{KeyOAuthAdd, KeyView, OAuthGrant, UnixMs};

use super::{AddKeyArguments, preset_base_url, render_stored_key};
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::format_distance;
use crate::secret_input::{SecretSource, read_oauth_secrets};
use crate::unlock::unlock_interactively;
use crate::word::word;

/// How access tokens are got.
#[derive(Debug, clap::Args)]
pub(crate) struct OAuthArguments {
    /// Token endpoint (OAuth 2.0). The key that is asked for is a refresh token or client secret; it
    /// goes there alone, and requests carry the access tokens got with it
    #[arg(long, value_name = "TOKEN_URL", value_hint = ValueHint::Url, requires = "client_id",
        conflicts_with = "billing")]
    oauth: Option<String>,
    /// Client id that the provider gave
    #[arg(long, value_name = "ID", requires = "oauth")]
    client_id: Option<String>,
    /// OAuth grant type
    #[arg(long, value_name = "GRANT", value_parser = word::<OAuthGrant>(), requires = "oauth",
        default_value = "refresh_token")]
    grant: OAuthGrant,
    /// Scopes, separated by spaces (default: the server's)
    #[arg(long, requires = "oauth")]
    scope: Option<String>,
    /// Ask for a client secret too; with --stdin it is the second line
    #[arg(long, requires = "oauth")]
    client_secret: bool,
}

impl OAuthArguments {
    pub(super) const fn is_given(&self) -> bool {
        self.oauth.is_some()
    }
}

pub(super) async fn add(
    wanted: AddKeyArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let AddKeyArguments { named, stdin, url, label, billing: _, oauth } = wanted;
    let OAuthArguments { oauth, client_id, grant, scope, client_secret } = oauth;
    let id = named.name;
    let (what, with_client_secret) = match grant {
        OAuthGrant::RefreshToken => ("Refresh token", client_secret),
        OAuthGrant::ClientCredentials => ("Client secret", false),
    };
    let source = SecretSource::from_argument(stdin);
    let (secret, client_secret) =
        read_oauth_secrets(source, (what, &id), with_client_secret, console)?;
    unlock_interactively(core, console).await?;
    let url = match url {
        Some(url) => Some(url),
        None => preset_base_url(&id, core).await?,
    };
    let request = KeyOAuthAdd {
        id,
        label,
        secret,
        url,
        token_url: oauth.unwrap_or_default(),
        client_id: client_id.unwrap_or_default(),
        grant,
        scope,
        client_secret,
    };
    let key = control::key_oauth_add(core, request).await?;
    let now = console.now();
    console.print_view(&key, |key| {
        let mut text = render_stored_key("Stored", "in", key);
        let known = describe_access_token(key, now).or_else(|| key.reason.clone());
        if let Some(known) = known {
            text.line(crate::sign::Tone::Plain, &known);
        }
        text
    })?;
    Ok(Exit::Success)
}

/// When the access token of a key ends; `None` for a plain key.
pub(super) fn describe_access_token(key: &KeyView, now: UnixMs) -> Option<String> {
    let oauth = key.oauth.as_ref()?;
    let (refreshed, ends) = (oauth.refreshed_at?, oauth.access_expires_at?);
    let (refreshed, ends) = (format_distance(now, refreshed), format_distance(now, ends));
    Some(format!("access token expires {ends}, refreshed {refreshed}"))
}
