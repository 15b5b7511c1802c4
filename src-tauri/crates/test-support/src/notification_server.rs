//! A notification server that shows nothing and tells every call, and a session bus for it.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Error, Write as _};
use std::process::{Child, Command, Stdio};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::zvariant::OwnedValue;

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// Why a notification was closed, by the specification.
const CLOSED_BY_USER: u32 = 2;

/// Without service activation, so that a test chooses its notification server.
pub const SESSION_BUS_CONFIGURATION: &str = r#"<busconfig><type>session</type><keep_umask/><listen>unix:tmpdir=/tmp</listen>
<auth>EXTERNAL</auth><policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#;

/// A notification as a server receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedNotification {
    /// The id that it got.
    pub id: u32,
    /// 0 for none.
    pub replaces_id: u32,
    pub app_name: String,
    pub title: String,
    pub body: String,
    /// Ids and labels in turn.
    pub actions: Vec<String>,
    pub desktop_entry: Option<String>,
    pub urgency: Option<u8>,
    pub sound: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerCall {
    Notify(ReceivedNotification),
    Close(u32),
}

/// A running server. It leaves the bus when dropped.
#[derive(Debug)]
pub struct NotificationServer {
    /// All calls, in their order.
    pub calls: UnboundedReceiver<ServerCall>,
    connection: Connection,
}

impl NotificationServer {
    /// Takes the name of the server on this process's session bus.
    ///
    /// # Errors
    /// There is no bus, or it has a server.
    pub fn start(capabilities: &[&'static str]) -> zbus::Result<Self> {
        Self::serve(Builder::session()?, capabilities)
    }

    /// Takes the name on the bus at `address`.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_at(address: &str, capabilities: &[&'static str]) -> zbus::Result<Self> {
        Self::serve(Builder::address(address)?, capabilities)
    }

    fn serve(bus: Builder<'_>, capabilities: &[&'static str]) -> zbus::Result<Self> {
        let (sender, calls) = unbounded_channel();
        let server = Server { capabilities: capabilities.to_vec(), calls: sender, last_id: 0 };
        let connection = bus.name(NAME)?.serve_at(PATH, server)?.build()?;
        Ok(Self { calls, connection })
    }

    /// Tells that the user pressed something.
    ///
    /// # Errors
    /// The bus ended.
    pub fn press(&self, id: u32, action: &str) -> zbus::Result<()> {
        self.signal("ActionInvoked", &(id, action))
    }

    /// Tells that the user closed a notification.
    ///
    /// # Errors
    /// The bus ended.
    pub fn close_by_user(&self, id: u32) -> zbus::Result<()> {
        self.signal("NotificationClosed", &(id, CLOSED_BY_USER))
    }

    fn signal<B>(&self, name: &str, body: &B) -> zbus::Result<()>
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        self.connection.emit_signal(None::<&str>, PATH, NAME, name, body)
    }
}

impl Drop for NotificationServer {
    fn drop(&mut self) {
        // An error means that the bus ended.
        let _gone = self.connection.clone().close();
    }
}

struct Server {
    capabilities: Vec<&'static str>,
    calls: UnboundedSender<ServerCall>,
    last_id: u32,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Server {
    fn get_capabilities(&self) -> Vec<&'static str> {
        self.capabilities.clone()
    }

    /// Name, vendor, version and version of the specification.
    fn get_server_information(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        ("recording", "Gatehouse", "1", "1.2")
    }

    #[expect(clippy::too_many_arguments, reason = "the specification's own signature")]
    fn notify(
        &mut self,
        app_name: String,
        replaces_id: u32,
        _icon: String,
        title: String,
        body: String,
        actions: Vec<String>,
        mut hints: HashMap<String, OwnedValue>,
        _timeout_ms: i32,
    ) -> u32 {
        let mut text = |name: &str| hints.remove(name).and_then(|hint| hint.try_into().ok());
        let (desktop_entry, sound) = (text("desktop-entry"), text("sound-name"));
        let urgency = hints.remove("urgency").and_then(|hint| hint.try_into().ok());
        if replaces_id == 0 {
            self.last_id += 1;
        }
        let id = if replaces_id == 0 { self.last_id } else { replaces_id };
        let received = ReceivedNotification {
            id,
            replaces_id,
            app_name,
            title,
            body,
            actions,
            desktop_entry,
            urgency,
            sound,
        };
        // A test that ended listens no more.
        let _unheard = self.calls.send(ServerCall::Notify(received));
        id
    }

    fn close_notification(&self, id: u32) {
        let _unheard = self.calls.send(ServerCall::Close(id));
    }
}

/// A session bus of its own. It ends when dropped.
#[derive(Debug)]
pub struct PrivateBus {
    daemon: Child,
    /// What `DBUS_SESSION_BUS_ADDRESS` says to its programs.
    pub address: String,
}

impl PrivateBus {
    /// Starts `dbus-daemon`, with its configuration in `folder`.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub fn start(folder: &std::path::Path) -> Result<Self, Error> {
        let configuration = folder.join("bus.conf");
        std::fs::File::create(&configuration)?.write_all(SESSION_BUS_CONFIGURATION.as_bytes())?;
        let mut daemon = Command::new("dbus-daemon")
            .arg("--config-file")
            .arg(configuration)
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut address = String::new();
        if let Some(stdout) = daemon.stdout.take() {
            BufReader::new(stdout).read_line(&mut address)?;
        }
        Ok(Self { daemon, address: address.trim().to_owned() })
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        // An error means that it has already ended.
        let _gone = self.daemon.kill();
        let _gone = self.daemon.wait();
    }
}
