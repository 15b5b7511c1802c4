//! A Redis or Valkey server that answers PING, with its password if it has one.

use std::sync::Arc;

use domain::BoundSecret;
use gateway::UpstreamFailure;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError};
use rustls::pki_types::ServerName;
use settings::{ServiceAddress, ServiceSettings};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::outcome::{CLOSED, GIVE_PASSWORD, Outcome, WANTS_PASSWORD, bound_to, reach};
use crate::tls;

const REPLACE_PASSWORD: &str =
    "Replace the password with the server's, or remove it if the server has none.";

pub(crate) async fn check(
    service: &ServiceSettings,
    key: Option<Arc<BoundSecret>>,
) -> Result<Outcome, Outcome> {
    let address = &service.address;
    let database = address.database();
    let database = database.as_deref();
    let login = login(address, key.as_deref())?;
    let stream = reach(service).await?;
    if !address.is_encrypted() {
        return Ok(ping(stream, &login, database).await);
    }
    let encrypted = encrypt(stream, address).await;
    let stream = encrypted.map_err(|failure| Outcome::of_failure(&failure))?;
    Ok(ping(stream, &login, database).await)
}

fn login(
    address: &ServiceAddress,
    key: Option<&BoundSecret>,
) -> Result<RedisConnectionInfo, Outcome> {
    let mut login = RedisConnectionInfo::default().set_skip_set_lib_name();
    if let Some(user) = address.user() {
        login = login.set_username(user);
    }
    if let Some(key) = key {
        login = login.set_password(bound_to(key, address)?.expose());
    }
    Ok(login)
}

async fn encrypt(
    stream: TcpStream,
    address: &ServiceAddress,
) -> Result<TlsStream<TcpStream>, UpstreamFailure> {
    let name = tls::server_name(address.host());
    let name = ServerName::try_from(name).map_err(|_| UpstreamFailure::Local)?;
    let connecting = TlsConnector::from(tls::client_config()?).connect(name, stream);
    let broken = |error| UpstreamFailure::of_tls(&error).unwrap_or(UpstreamFailure::Broken);
    connecting.await.map_err(broken)
}

async fn ping<S>(stream: S, login: &RedisConnectionInfo, database: Option<&str>) -> Outcome
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // The whole check has a time limit.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let opening = MultiplexedConnection::new_with_config(login, stream, config);
    let (connection, driver) = match opening.await {
        Ok(opened) => opened,
        Err(error) => return judge(&error, "AUTH"),
    };
    tokio::select! {
        outcome = ask(connection, database) => outcome,
        () = driver => Outcome::unreachable(CLOSED.to_owned()),
    }
}

async fn ask(mut connection: MultiplexedConnection, database: Option<&str>) -> Outcome {
    if let Err(error) = redis::cmd("PING").query_async::<()>(&mut connection).await {
        return judge(&error, "PING");
    }
    if let Some(number) = database
        && let Err(error) =
            redis::cmd("SELECT").arg(number).query_async::<()>(&mut connection).await
    {
        return judge(&error, "SELECT for the database of its address");
    }
    Outcome::Passed("it answers PING".to_owned())
}

/// The server's own words are not repeated: they may quote what was sent.
fn judge(error: &RedisError, asked: &str) -> Outcome {
    let unexpected = |detail: &str| Outcome::unexpected(detail.to_owned(), None);
    match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed, _) => Outcome::KeyRejected {
            detail: "it refuses the user or the password".to_owned(),
            fix: REPLACE_PASSWORD,
        },
        (_, Some("NOAUTH")) => {
            Outcome::unexpected(WANTS_PASSWORD.to_owned(), Some(GIVE_PASSWORD.to_owned()))
        }
        (_, Some("NOPERM")) => unexpected(&format!("its user has no permission for {asked}")),
        (_, Some("LOADING")) => unexpected("it is still loading its data"),
        (ErrorKind::Io, _) => Outcome::unreachable(CLOSED.to_owned()),
        (ErrorKind::Parse, _) => unexpected("it does not speak the protocol of Redis"),
        _ => unexpected(&format!("it refuses {asked}")),
    }
}
