//! The connection to the session bus: calls of the notification server, and its signals.

use std::collections::BTreeSet;

use domain::one_line;
use zbus::blocking::fdo::DBusProxy;
use zbus::blocking::{Connection, MessageIterator};
use zbus::message::Type;
use zbus::names::BusName;
use zbus::{DBusError as _, Error, MatchRule, Message};

use crate::channel::{ChannelError, DELIVERY_LIMIT};

const SERVER: &str = "org.freedesktop.Notifications";
const SERVER_PATH: &str = "/org/freedesktop/Notifications";
/// Most of a server's name and version that is kept, in characters.
const NAME_CHARS_MAX: usize = 60;
const BUS: &str = "org.freedesktop.DBus";

pub(super) struct SessionBus {
    connection: Connection,
    /// Differs from that of every other bus, so that equal unique names on two buses are told apart.
    id: String,
}

/// The running notification server.
pub(super) struct Server {
    /// The bus and the server on it.
    pub(super) instance: String,
    pub(super) capabilities: BTreeSet<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum DesktopSignal {
    Pressed {
        server: String,
        id: u32,
        action: String,
    },
    /// By the user, by a call, or because its time was over.
    Closed {
        server: String,
        id: u32,
    },
    /// Another server shows notifications, or none.
    ServerChanged {
        ended: Option<String>,
    },
    BusEnded,
}

impl SessionBus {
    /// Connects, and passes each signal to `take_in` until that returns false. May hang.
    pub(super) fn open(
        take_in: impl Fn(DesktopSignal) -> bool + Send + 'static,
    ) -> Result<Self, ChannelError> {
        let no_bus = |error: Error| ChannelError::NoBus(Box::new(error));
        let connection = Connection::session().map_err(no_bus)?;
        // Before the rules, so that no signal is missed.
        let messages = MessageIterator::from(&connection);
        let id = subscribe(&connection).map_err(no_bus)?;
        let bus_id = id.clone();
        std::thread::Builder::new()
            .name("notification-bus".to_owned())
            .spawn(move || {
                for message in messages.map_while(Result::ok) {
                    let signal = signal_of(&message, &bus_id);
                    if signal.is_some_and(|signal| !take_in(signal)) {
                        return;
                    }
                }
                take_in(DesktopSignal::BusEnded);
            })
            .map_err(|error| ChannelError::Refused(Box::new(error)))?;
        Ok(Self { connection, id })
    }

    /// The server, which the bus starts if it can. May hang.
    pub(super) fn server(&self) -> Result<Server, ChannelError> {
        let asked = self.connection.call_method(
            Some(SERVER),
            SERVER_PATH,
            Some(SERVER),
            "GetCapabilities",
            &(),
        );
        let reply = asked.map_err(channel_error)?;
        let capabilities = reply.body().deserialize().map_err(channel_error)?;
        Ok(Server { instance: instance(&self.id, &sender_of(&reply)), capabilities })
    }

    /// Name and version of the server, which the bus starts if it can. May hang.
    pub(super) fn server_name(&self) -> Result<(String, String), ChannelError> {
        let asked = self.connection.call_method(
            Some(SERVER),
            SERVER_PATH,
            Some(SERVER),
            "GetServerInformation",
            &(),
        );
        let reply = asked.map_err(channel_error)?;
        let told: (String, String, String, String) =
            reply.body().deserialize().map_err(channel_error)?;
        let (name, _vendor, version, _specification) = told;
        Ok((one_line(&name, NAME_CHARS_MAX), one_line(&version, NAME_CHARS_MAX)))
    }

    /// The server that runs now, which is not started for it.
    pub(super) fn present_instance(&self) -> Result<Option<String>, ChannelError> {
        let proxy = DBusProxy::new(&self.connection).map_err(channel_error)?;
        let name = BusName::try_from(SERVER).map_err(|error| channel_error(error.into()))?;
        match proxy.get_name_owner(name) {
            Ok(owner) => Ok(Some(instance(&self.id, &owner))),
            Err(zbus::fdo::Error::NameHasNoOwner(_)) => Ok(None),
            Err(error) => Err(channel_error(error.into())),
        }
    }

    /// Closes a notification, if the instance that shows it still runs. May hang.
    pub(super) fn close(&self, server: &str, id: u32) -> Result<(), ChannelError> {
        let Some((bus, unique_name)) = server.split_once('/') else { return Ok(()) };
        if bus == self.id {
            let server = Some(unique_name);
            self.connection
                .call_method(server, SERVER_PATH, Some(SERVER), "CloseNotification", &id)
                .map_err(channel_error)?;
        }
        Ok(())
    }
}

impl Drop for SessionBus {
    fn drop(&mut self) {
        // The thread that listens ends with the connection.
        if let Err(error) = self.connection.clone().close() {
            tracing::debug!(%error, "the session bus had ended already");
        }
    }
}

/// Asks for the signals and returns the id of the bus.
fn subscribe(connection: &Connection) -> Result<String, Error> {
    let bus = DBusProxy::new(connection)?;
    let signals = || MatchRule::builder().msg_type(Type::Signal);
    bus.add_match_rule(signals().sender(SERVER)?.interface(SERVER)?.build())?;
    let owner = signals().sender(BUS)?.interface(BUS)?.member("NameOwnerChanged")?;
    bus.add_match_rule(owner.add_arg(SERVER)?.build())?;
    Ok(bus.get_id()?.to_string())
}

fn instance(bus: &str, unique_name: &str) -> String {
    format!("{bus}/{unique_name}")
}

fn sender_of(message: &Message) -> String {
    message.header().sender().map(ToString::to_string).unwrap_or_default()
}

fn signal_of(message: &Message, bus_id: &str) -> Option<DesktopSignal> {
    if message.message_type() != Type::Signal {
        return None;
    }
    let header = message.header();
    let server = instance(bus_id, &sender_of(message));
    let (interface, body) = (header.interface()?.as_str(), message.body());
    match (interface, header.member()?.as_str()) {
        (SERVER, "ActionInvoked") => {
            let (id, action) = body.deserialize().ok()?;
            Some(DesktopSignal::Pressed { server, id, action })
        }
        (SERVER, "NotificationClosed") => {
            let (id, _reason): (u32, u32) = body.deserialize().ok()?;
            Some(DesktopSignal::Closed { server, id })
        }
        (BUS, "NameOwnerChanged") => {
            let (name, ended, _new): (String, String, String) = body.deserialize().ok()?;
            let ended = (!ended.is_empty()).then(|| instance(bus_id, &ended));
            (name == SERVER).then_some(DesktopSignal::ServerChanged { ended })
        }
        _ => None,
    }
}

fn channel_error(error: Error) -> ChannelError {
    let name = match &error {
        Error::MethodError(name, _, _) => name.as_str().to_owned(),
        Error::FDO(inner) => inner.name().as_str().to_owned(),
        _ => return ChannelError::NoBus(Box::new(error)),
    };
    match name.strip_prefix("org.freedesktop.DBus.Error.").unwrap_or_default() {
        // A server that dies while it starts counts as none.
        "ServiceUnknown" | "NameHasNoOwner" | "NoReply" | "Disconnected" => {
            ChannelError::NoDaemon(Box::new(error))
        }
        start if start.starts_with("Spawn.") => ChannelError::NoDaemon(Box::new(error)),
        "Timeout" | "TimedOut" => ChannelError::Hung(DELIVERY_LIMIT),
        _ => ChannelError::Refused(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use zbus::fdo;

    use super::*;

    fn fdo(error: fdo::Error) -> ChannelError {
        channel_error(Error::FDO(Box::new(error)))
    }

    #[test]
    fn errors_are_classified_by_their_dbus_name() {
        let text = String::new;
        assert!(matches!(fdo(fdo::Error::ServiceUnknown(text())), ChannelError::NoDaemon(_)));
        assert!(matches!(fdo(fdo::Error::NameHasNoOwner(text())), ChannelError::NoDaemon(_)));
        assert!(matches!(fdo(fdo::Error::SpawnChildExited(text())), ChannelError::NoDaemon(_)));
        assert!(matches!(fdo(fdo::Error::TimedOut(text())), ChannelError::Hung(_)));
        assert!(matches!(fdo(fdo::Error::AccessDenied(text())), ChannelError::Refused(_)));
    }
}
