//! A PostgreSQL server that answers `SELECT 1`. Encrypted unless it is on this machine or its
//! address says otherwise.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use domain::BoundSecret;
use gateway::UpstreamFailure;
use settings::{ServiceAddress, ServiceSettings};
use tokio::net::TcpStream;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, NoTls, TlsConnect};
use tokio_postgres::{Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::outcome::{CLOSED, GIVE_PASSWORD, Outcome, WANTS_PASSWORD, bound_to, reach};
use crate::tls;

const REPLACE_PASSWORD: &str = "Replace the password with the one of this user.";
const ALLOW_TLS: &str = "Switch TLS on at the server. On a private network it can do without if its \
                         address ends with ?sslmode=disable.";

pub(crate) async fn check(
    service: &ServiceSettings,
    key: Option<Arc<BoundSecret>>,
) -> Result<Outcome, Outcome> {
    let address = &service.address;
    let login = login(address, key.as_deref())?;
    let stream = reach(service).await?;
    let asked = if address.is_encrypted() {
        let config = tls::client_config().map_err(|failure| Outcome::of_failure(&failure))?;
        let mut tls = MakeRustlsConnect::new((*config).clone());
        let name = tls::server_name(address.host());
        let Ok(tls) = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut tls, &name);
        select_one(&login, stream, tls).await
    } else {
        select_one(&login, stream, NoTls).await
    };
    asked.map_err(|error| match error.code() {
        Some(code) => judge_refusal(code, key.is_some()),
        None => judge_failure(&error, address.is_encrypted()),
    })?;
    Ok(Outcome::Passed("it answers SELECT 1".to_owned()))
}

fn login(address: &ServiceAddress, key: Option<&BoundSecret>) -> Result<Config, Outcome> {
    let mut login = Config::new();
    login.user(address.user().unwrap_or_default()).application_name("gatehouse");
    if let Some(database) = address.database() {
        login.dbname(database);
    }
    login.ssl_mode(match address.is_encrypted() {
        true => SslMode::Require,
        false => SslMode::Disable,
    });
    match key {
        Some(key) => login.password(bound_to(key, address)?.expose()),
        // A server that wants one refuses this, which tells more than sending nothing.
        None => login.password(""),
    };
    Ok(login)
}

async fn select_one<T>(login: &Config, stream: TcpStream, tls: T) -> Result<(), Error>
where
    T: TlsConnect<TcpStream>,
    T::Stream: Unpin,
{
    let (client, connection) = login.connect_raw(stream, tls).await?;
    // The connection ends when the client is dropped, after the answer.
    let asking = async move { client.simple_query("SELECT 1").await };
    let (answer, ended) = tokio::join!(asking, connection);
    answer.map(drop).and(ended)
}

/// The server's own words are not repeated: they may quote what was sent.
fn judge_refusal(code: &SqlState, is_keyed: bool) -> Outcome {
    let detail = match *code {
        SqlState::INVALID_PASSWORD if is_keyed => {
            let detail = "it refuses the user or the password".to_owned();
            return Outcome::KeyRejected { detail, fix: REPLACE_PASSWORD };
        }
        SqlState::INVALID_PASSWORD => {
            let fix = Some(GIVE_PASSWORD.to_owned());
            return Outcome::unexpected(WANTS_PASSWORD.to_owned(), fix);
        }
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "it lets this user not sign in from this machine in this way"
        }
        SqlState::INVALID_CATALOG_NAME => "it has no database of this name",
        SqlState::CANNOT_CONNECT_NOW => "it is starting or stopping",
        SqlState::TOO_MANY_CONNECTIONS => "it takes no more connections",
        ref other => {
            return Outcome::unexpected(format!("it answers with error {}", other.code()), None);
        }
    };
    Outcome::unexpected(detail.to_owned(), None)
}

fn judge_failure(error: &Error, is_encrypted: bool) -> Outcome {
    if let Some(failure) = UpstreamFailure::of_tls(error) {
        return Outcome::of_failure(&failure);
    }
    let cause = error.source();
    match cause.map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind)) {
        // The library fails with a mere text here.
        Some(None) if is_encrypted => Outcome::unexpected(
            "it offers no encrypted connection, or no sign-in by password".to_owned(),
            Some(ALLOW_TLS.to_owned()),
        ),
        Some(None) => Outcome::unexpected("it offers no sign-in by password".to_owned(), None),
        None if error.is_closed() => Outcome::unreachable(CLOSED.to_owned()),
        Some(Some(
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe,
        )) => Outcome::unreachable(CLOSED.to_owned()),
        None | Some(Some(_)) => {
            Outcome::unexpected("it does not speak the protocol of PostgreSQL".to_owned(), None)
        }
    }
}
