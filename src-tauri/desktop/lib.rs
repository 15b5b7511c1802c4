//! The desktop window: a transport for the operations of `control`, and a tray.
//!
//! Closing the window leaves the gateway running in the tray; Quit stops it. If another process
//! owns the data folder (`gatehouse serve`), the window connects to it.

mod bindings;
mod browser;
mod commands;
mod event_relay;
mod panel_tables;
mod signal;
mod terminal;
mod tool_launch;
mod tray;
mod window;

use std::sync::Arc;

use anyhow::Context as _;
use control::view::CallerKind;
use control::{
    AppIdentity, Caller, Core, DesktopChannel, EngineConfig, NotificationAction,
    NotificationResponse, respond_to_notification,
};
use parking_lot::Mutex;
use tauri::{AppHandle, Manager, RunEvent, WindowEvent, Wry};

use crate::tool_launch::ToolLauncher;
use crate::tray::{TrayNotifier, TrayWatch};

pub use bindings::{PanelMessage, bindings};
pub use commands::capability;
pub use panel_tables::{fake_presets, form_tables, panel_tables};

/// Starts the core, then the window, and returns when the user quits.
#[expect(
    clippy::disallowed_methods,
    reason = "the code that Tauri generates for the context exits; a program reads its environment"
)]
pub fn run(config: EngineConfig) -> anyhow::Result<()> {
    let opener = NotificationOpener::default();
    let channel = Arc::new(desktop_channel(&opener));
    let launcher = ToolLauncher::new(&config, std::env::var_os("SHELL").map(Into::into));
    let (core, theme) = tauri::async_runtime::block_on(async {
        let core = open_core(config, &opener, Arc::clone(&channel)).await?;
        let settings = control::settings(&core).await.context("the settings could not be read")?;
        anyhow::Ok((core, settings.values.theme()))
    })?;
    let commands = bindings();
    let (answer, called) = (commands.invoke_handler(), core.clone());
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _arguments, _folder| window::show(app)))
        .plugin(tauri_plugin_dialog::init())
        .manage(core.clone())
        .manage(launcher)
        .manage(TrayNotifier(channel))
        .manage(TrayWatch::default())
        .invoke_handler(move |invoke| {
            called.record_page_call();
            answer(invoke)
        })
        .setup(move |app| {
            commands.mount_events(app);
            window::create(app.handle(), theme)?;
            app.state::<Core>().record_window(false);
            if let Ok(version) = tauri::webview_version() {
                app.state::<Core>().record_web_view_version(version);
            }
            app.manage(tray::create(app.handle())?);
            opener.set_app(app.handle().clone());
            start_watching(app.handle());
            signal::quit_on_signal(app.handle().clone());
            Ok(())
        })
        .on_window_event(|window, event| on_window_event(window.app_handle(), event))
        .build(tauri::generate_context!())
        .context("the window could not be created")?;
    app.run(move |_app, event| {
        if let RunEvent::Exit = event {
            tauri::async_runtime::block_on(core.stop());
        }
    });
    Ok(())
}

/// Begins to forward the core's events, and to keep the tray up to date.
fn start_watching(app: &AppHandle<Wry>) {
    let core = app.state::<Core>().inner().clone();
    let tray = app.state::<TrayWatch>().inner().clone();
    event_relay::start(app, core.clone(), tray.clone());
    tauri::async_runtime::spawn(tray.run(app.clone(), core));
}

fn desktop_channel(opener: &NotificationOpener) -> DesktopChannel {
    let clicked = opener.clone();
    let program = std::env::current_exe().unwrap_or_default();
    let identity = AppIdentity::gatehouse(&program);
    DesktopChannel::new(identity, Arc::new(move |response| clicked.respond(response)))
}

/// Opens the core. Starts the gateway if this process owns the core.
async fn open_core(
    mut config: EngineConfig,
    opener: &NotificationOpener,
    channel: Arc<DesktopChannel>,
) -> anyhow::Result<Core> {
    config.channel = Some(channel);
    let core = Core::open(config).await.context("Gatehouse could not start")?;
    let core = core.called_by(Caller::new(CallerKind::Window));
    if let Core::Local(engine, _) = &core {
        opener.set_core(core.clone());
        control::serve(engine, |_path| None).await.context("Gatehouse could not start")?;
        mcp::serve_http(engine, env!("CARGO_PKG_VERSION"));
    }
    Ok(core)
}

fn on_window_event(app: &AppHandle<Wry>, event: &WindowEvent) {
    match event {
        WindowEvent::Focused(focused) => {
            event_relay::report_focus(&app.state::<Core>(), *focused);
        }
        WindowEvent::CloseRequested { api, .. } => {
            api.prevent_close();
            window::hide(app);
        }
        _ => {}
    }
}

/// Does what is chosen on notifications. After a click the engine tells the panel what to show, and
/// the window comes to the front.
#[derive(Clone, Default)]
struct NotificationOpener(Arc<Mutex<NotificationOpenerState>>);

#[derive(Default)]
struct NotificationOpenerState {
    /// The engine of this process.
    core: Option<Core>,
    app: Option<AppHandle<Wry>>,
}

impl NotificationOpener {
    fn set_core(&self, core: Core) {
        self.0.lock().core = Some(core);
    }

    fn set_app(&self, app: AppHandle<Wry>) {
        self.0.lock().app = Some(app);
    }

    /// On a thread of the channel's own.
    fn respond(&self, response: &NotificationResponse) {
        let core = self.0.lock().core.clone();
        match (response.action, core) {
            (NotificationAction::Open, _) => self.open(&response.path),
            (_, Some(core)) => {
                tauri::async_runtime::block_on(respond_to_notification(&core, response));
            }
            (_, None) => {}
        }
    }

    fn open(&self, path: &str) {
        let opened = self.0.lock();
        if let Some(app) = &opened.app {
            window::show(app);
        }
        if let Some(Core::Local(engine, _)) = &opened.core {
            engine.notifications().open_panel_path(path);
        }
    }
}
