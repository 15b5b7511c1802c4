//! Queries the notification server's capabilities before each notification and closes clicked ones.
//!
//! notify-rust returns errors only as text. This query fails in the same ways as showing does, but
//! its error carries the D-Bus error name, which is stable across library versions.

use zbus::blocking::Connection;
use zbus::{DBusError as _, Error};

use super::ChannelError;
use super::desktop::DELIVERY_LIMIT;

const SERVER: &str = "org.freedesktop.Notifications";
const SERVER_PATH: &str = "/org/freedesktop/Notifications";

/// Returns the server's capabilities (Desktop Notifications Specification 1.2). May hang.
pub(super) fn capabilities() -> Result<Vec<String>, ChannelError> {
    let bus = Connection::session().map_err(|error| ChannelError::NoBus(Box::new(error)))?;
    bus.call_method(Some(SERVER), SERVER_PATH, Some(SERVER), "GetCapabilities", &())
        .and_then(|reply| reply.body().deserialize())
        .map_err(channel_error)
}

/// Closes a notification. Some servers keep one on the screen after a click.
pub(super) fn close(server_id: u32) -> Result<(), Error> {
    let bus = Connection::session()?;
    bus.call_method(Some(SERVER), SERVER_PATH, Some(SERVER), "CloseNotification", &server_id)?;
    Ok(())
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
