//! The connection to the server: opened on demand, dropped when it is slow, retried with a backoff.

use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, Moment};
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, IntoConnectionInfo, Pipeline};

use super::TIMEOUT;
use crate::SharedConfig;

/// First and largest delay after a failure. The delay doubles each time.
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(30);

pub(super) struct SharedConnection {
    /// `None` if the configured address is invalid; the server is never called then.
    client: Option<Client>,
    clock: Arc<dyn Clock>,
    state: Mutex<ConnectionState>,
}

enum ConnectionState {
    New,
    Connecting,
    Open(MultiplexedConnection),
    /// Paused until `until`; `wait` is the next pause.
    Failed {
        until: Moment,
        wait: Duration,
    },
}

impl SharedConnection {
    pub(super) fn new(config: &SharedConfig, clock: Arc<dyn Clock>) -> Self {
        let client = parse_client(config);
        if let Err(error) = &client {
            // Logs only the kind: the error's text may quote the address.
            tracing::error!(kind = ?error.kind(), "the shared cache's address is not valid");
        }
        Self { client: client.ok(), clock, state: Mutex::new(ConnectionState::New) }
    }

    /// True if the last call succeeded.
    pub(super) fn is_open(&self) -> bool {
        matches!(*self.state.lock(), ConnectionState::Open(_))
    }

    /// Remaining pause.
    pub(super) fn retry_in(&self) -> Duration {
        match *self.state.lock() {
            ConnectionState::Failed { until, .. } => until.since(self.clock.now()),
            _ => Duration::ZERO,
        }
    }

    /// Sends a pipeline; `None` if the server is paused, slow or refuses.
    pub(super) async fn send_pipeline<T: FromRedisValue>(&self, ask: &Pipeline) -> Option<T> {
        let (mut connection, wait) = self.connection().await?;
        match tokio::time::timeout(TIMEOUT, ask.query_async(&mut connection)).await {
            Ok(Ok(answer)) => {
                *self.state.lock() = ConnectionState::Open(connection);
                Some(answer)
            }
            Ok(Err(error)) => self.record_failure(&error.to_string(), wait),
            Err(_elapsed) => self.record_failure("it did not answer in time", wait),
        }
    }

    /// The open connection, or a new one unless paused, with the pause after a failure. Only one of
    /// several concurrent callers connects.
    async fn connection(&self) -> Option<(MultiplexedConnection, Duration)> {
        let wait = {
            let mut state = self.state.lock();
            match &*state {
                ConnectionState::Open(connection) => {
                    return Some((connection.clone(), RETRY_FIRST));
                }
                ConnectionState::Connecting => return None,
                ConnectionState::Failed { until, .. } if *until > self.clock.now() => return None,
                ConnectionState::Failed { wait, .. } => {
                    let wait = *wait;
                    *state = ConnectionState::Connecting;
                    wait
                }
                ConnectionState::New => {
                    *state = ConnectionState::Connecting;
                    RETRY_FIRST
                }
            }
        };
        // The connecting caller may be dropped meanwhile; another one must be able to connect then.
        let attempt = ConnectAttempt { line: self, wait, is_over: false };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        let client = self.client.as_ref()?;
        let connected = client.get_multiplexed_async_connection_with_config(&config).await;
        attempt.finish();
        match connected {
            Ok(connection) => {
                *self.state.lock() = ConnectionState::Open(connection.clone());
                Some((connection, wait))
            }
            Err(error) => self.record_failure(&error.to_string(), wait),
        }
    }

    fn record_failure<T>(&self, why: &str, wait: Duration) -> Option<T> {
        tracing::debug!(why, "the shared cache is paused for a while");
        let until = self.clock.now() + wait;
        *self.state.lock() =
            ConnectionState::Failed { until, wait: wait.saturating_mul(2).min(RETRY_MAX) };
        None
    }
}

/// A connection attempt. Dropping it unfinished counts as a failure.
struct ConnectAttempt<'l> {
    line: &'l SharedConnection,
    wait: Duration,
    is_over: bool,
}

impl ConnectAttempt<'_> {
    fn finish(mut self) {
        self.is_over = true;
    }
}

impl Drop for ConnectAttempt<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let _nothing: Option<()> =
                self.line.record_failure("the request was cancelled", self.wait);
        }
    }
}

fn parse_client(config: &SharedConfig) -> redis::RedisResult<Client> {
    let mut info = config.url.as_str().into_connection_info()?;
    if let Some(password) = &config.password {
        let settings = info.redis_settings().clone().set_password(password.expose());
        info = info.set_redis_settings(settings);
    }
    Client::open(info)
}
