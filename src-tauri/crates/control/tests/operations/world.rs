//! A whole engine for one test, in a temporary folder and with its keys in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ::wiring::ToolEnvironment;
use alerts::{DesktopScreen, Notification, ShownNotification};
use control::view::*;
use control::{ApiError, Core, EngineConfig, ErrorCode};
use domain::{BackendId, ClientId, RequestId, Secret, SeededEntropy, SystemClock};
use engine::{Engine, Folders};
use ledger::{NewRequest, Purpose, RequestOutcome, Settlement};
use monitor::{
    ChannelError, DeliveryOutcome, DesktopAbility, NotificationChannel, NotificationProgram,
    ScreenHandler,
};
use pricing::Cost;
use settings::VaultKind;
use tempfile::TempDir;
use test_support::{MARKED_KEY, ReceivedRequest, Reply, ScriptedUpstream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub(crate) struct World {
    pub(crate) home: TempDir,
    pub(crate) core: Core,
    /// The notifications that its desktop has shown.
    pub(crate) shown: UnboundedReceiver<Notification>,
}

/// An engine in a new folder that serves on a free port.
pub(crate) async fn world() -> World {
    World::open(new_home(), |_| {}).await.serving().await
}

pub(crate) fn new_home() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Keys in memory, a free port, no desktop.
pub(crate) fn config(home: &TempDir) -> EngineConfig {
    EngineConfig {
        folders: Folders::resolve(Some(home.path())).expect("folders"),
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(SeededEntropy::new(7)),
        port: Some(0),
        vault: Some(VaultKind::Memory),
        keychain_service: "gatehouse-test".to_owned(),
        passphrase: None,
        variables: Vec::new(),
        channel: None,
        log_roots: Vec::new(),
        tools: None,
        command_line: None,
        home: None,
        is_offline: || false,
    }
}

impl World {
    /// An engine that does not listen, with [`config`] changed by `change`.
    pub(crate) async fn open(home: TempDir, change: fn(&mut EngineConfig)) -> Self {
        let (desktop, shown) = unbounded_channel();
        let mut config =
            EngineConfig { channel: Some(Arc::new(TestDesktop(desktop))), ..config(&home) };
        change(&mut config);
        let core = Core::open(config).await.expect("an engine");
        Self { home, core, shown }
    }

    pub(crate) async fn serving(self) -> Self {
        control::serve(self.engine(), |_| None).await.expect("serving");
        self
    }

    /// Stops the engine. Its folder stays for the next one.
    pub(crate) async fn stop(self) -> TempDir {
        self.core.stop().await;
        self.home
    }

    pub(crate) fn engine(&self) -> &Engine {
        let Core::Local(engine, _) = &self.core else { panic!("nobody else has this folder") };
        engine
    }

    /// A request of now that the backend `up` answered for `client`, at an unknown cost.
    pub(crate) fn answered(&self, client: &str) -> Settlement {
        let engine = self.engine();
        let started = engine.clock().wall();
        let request = NewRequest {
            id: RequestId::generate(started, engine.entropy()),
            started,
            client: ClientId::new(client).expect("a name"),
            project: None,
            route: "r".to_owned(),
            model_asked: "m".to_owned(),
            dialect: "openai".to_owned(),
            streamed: false,
            purpose: Purpose::User,
        };
        Settlement {
            outcome: RequestOutcome::Complete,
            backend: Some(BackendId::new("up").expect("a name")),
            cost: Cost::Unpriced,
            ..Settlement::unfinished(request)
        }
    }

    pub(crate) async fn settle(&self, ended: Settlement) {
        self.engine().ledger().settle(Box::new(ended)).await.expect("settled");
    }

    /// Adds the backend `up`.
    pub(crate) async fn add_up(&self, upstream: &ScriptedUpstream, key: BackendKey) -> BackendView {
        control::backend_add(&self.core, add_request(upstream, key)).await.expect("added")
    }

    pub(crate) async fn up(&self) -> BackendView {
        let backends = control::backends(&self.core).await.expect("backends");
        backends.into_iter().find(|backend| backend.id == "up").expect("there")
    }
}

/// A desktop that accepts every notification.
struct TestDesktop(UnboundedSender<Notification>);

impl NotificationChannel for TestDesktop {
    fn deliver(&self, notification: &Notification) -> Result<DeliveryOutcome, ChannelError> {
        // A test that ignores notifications has dropped the receiver.
        let _ = self.0.send(notification.clone());
        Ok(DeliveryOutcome::Clickable)
    }

    fn withdraw(&self, _key: &str) -> Result<(), ChannelError> {
        Ok(())
    }

    fn restore(&self, _: BTreeMap<String, ShownNotification>) -> Result<(), ChannelError> {
        Ok(())
    }

    fn describe(&self) -> Result<Option<NotificationProgram>, ChannelError> {
        let abilities = DesktopAbility::ALL.iter().map(|it| (*it, *it != DesktopAbility::Sound));
        Ok(Some(NotificationProgram {
            name: "dunst".to_owned(),
            version: "1.9.0".to_owned(),
            abilities: abilities.collect(),
        }))
    }

    fn take_screen(&self) -> DesktopScreen {
        DesktopScreen::default()
    }

    fn watch_screen(&self, _: ScreenHandler) {}
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::parse(text.to_owned()).expect("a secret")
}

pub(crate) fn marked_key() -> BackendKey {
    BackendKey::New { secret: secret(MARKED_KEY) }
}

pub(crate) async fn lists_models() -> ScriptedUpstream {
    let models = |_: &ReceivedRequest| Some(Reply::models(&["m-1", "m-2"]));
    ScriptedUpstream::start_with(models).await.expect("an upstream")
}

/// Asks for the backend `up`.
pub(crate) fn add_request(upstream: &ScriptedUpstream, key: BackendKey) -> BackendAdd {
    BackendAdd {
        id: "up".to_owned(),
        label: "Upstream".to_owned(),
        kind: BackendKind::OpenAiCompatible,
        base_url: upstream.base_url(),
        key,
        models: Vec::new(),
        lacks: Vec::new(),
        offers: Vec::new(),
        crossing: TranslationMode::Strict,
    }
}

/// A monthly budget of all spending, or of what `scope` names.
pub(crate) fn budget_request(
    id: &str,
    limit: &str,
    scope: Option<(BudgetDimension, &str)>,
) -> BudgetSet {
    BudgetSet {
        id: id.to_owned(),
        limit_usd: limit.to_owned(),
        period: BudgetPeriod::Month,
        scope: scope.map(|(dimension, name)| BudgetScopeView { dimension, name: name.to_owned() }),
        days: None,
        reset_day: None,
        reset_weekday: None,
        action: None,
        switch_to: None,
        marks: None,
        forecast: None,
        refuse_unpriced: None,
    }
}

/// Changes the backend `up`, without a key.
pub(crate) fn edit_request(upstream: &ScriptedUpstream) -> BackendEdit {
    BackendEdit {
        id: "up".to_owned(),
        label: "Upstream".to_owned(),
        kind: BackendKind::OpenAiCompatible,
        base_url: upstream.base_url(),
        credential: None,
        pool: None,
        limits: None,
        models: Vec::new(),
        lacks: Vec::new(),
        offers: Vec::new(),
        crossing: TranslationMode::Strict,
    }
}

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(
    answer: Result<T, ApiError>,
    code: ErrorCode,
    field: Option<&str>,
) {
    let error = answer.expect_err("refused");
    assert_eq!((error.code, error.field.as_deref()), (code, field), "{}", error.message);
    assert!(!error.message.contains(MARKED_KEY));
}

/// A user's home in the folder `user`, and a command line program that can be started.
pub(crate) fn add_tools(config: &mut EngineConfig) {
    let root = config.folders.data.parent().expect("a folder").to_owned();
    let mut tools = ToolEnvironment::new(root.join("user"), []);
    tools.system_root = root.join("system");
    config.tools = Some(tools);
    config.command_line = Some("/opt/gatehouse".into());
    install_program(&root);
}

/// Creates the program of [`add_tools`] in the home of a test.
pub(crate) fn install_program(root: &Path) {
    let program = root.join("system/opt/gatehouse");
    std::fs::create_dir_all(program.parent().expect("a folder")).expect("a folder");
    std::fs::File::create(&program).expect("a file");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, mode).expect("a mode");
    }
}
