//! Creates, shows and hides the window. It never navigates to another site.

use control::{Core, Theme as ThemeChoice};
use tauri::window::Color;
use tauri::{
    AppHandle, Manager, Runtime, Theme, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
};

/// Label of the window; the capabilities refer to it.
pub(crate) const PANEL: &str = "panel";

/// Smallest size in which everything is usable, in logical pixels.
const SIZE_MIN: (f64, f64) = (900.0, 600.0);
/// Size at the first start, in logical pixels.
const SIZE_INITIAL: (f64, f64) = (1280.0, 800.0);

/// The page's background, `--surface-0` of panel.css. Without it the window would be white until
/// the page has loaded.
const BACKGROUND_LIGHT: Color = Color(0xf5, 0xf3, 0xee, 0xff);
const BACKGROUND_DARK: Color = Color(0x15, 0x13, 0x10, 0xff);

pub(crate) fn create<R: Runtime>(
    app: &AppHandle<R>,
    theme: ThemeChoice,
) -> tauri::Result<WebviewWindow<R>> {
    let window = WebviewWindowBuilder::new(app, PANEL, WebviewUrl::App("index.html".into()))
        .title("Gatehouse")
        .inner_size(SIZE_INITIAL.0, SIZE_INITIAL.1)
        .min_inner_size(SIZE_MIN.0, SIZE_MIN.1)
        .disable_drag_drop_handler()
        .on_navigation(is_own_page)
        .build()?;
    let is_dark = match theme {
        ThemeChoice::Dark => true,
        ThemeChoice::Light => false,
        ThemeChoice::System => matches!(window.theme(), Ok(Theme::Dark)),
    };
    window.set_background_color(Some(if is_dark { BACKGROUND_DARK } else { BACKGROUND_LIGHT }))?;
    Ok(window)
}

/// Shows the window in front of the others.
pub(crate) fn show<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window(PANEL) {
        let shown =
            window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
        match shown {
            Ok(()) => app.state::<Core>().record_window(false),
            Err(error) => tracing::warn!(%error, "the window could not be shown"),
        }
    }
}

/// Hides the window. The gateway keeps running; the tray or a second start shows the window again.
pub(crate) fn hide<R: Runtime>(app: &AppHandle<R>) {
    match app.get_webview_window(PANEL).map(|window| window.hide()) {
        Some(Ok(())) => app.state::<Core>().record_window(true),
        Some(Err(error)) => tracing::warn!(%error, "the window could not be hidden"),
        None => {}
    }
}

/// True for the panel's own pages (Tauri CVE-2026-42184: a look-alike host is not local).
fn is_own_page(url: &Url) -> bool {
    match (url.scheme(), url.host_str()) {
        ("tauri", Some("localhost")) | ("http" | "https", Some("tauri.localhost")) => true,
        ("http", Some("localhost")) => cfg!(debug_assertions) && url.port() == Some(5173),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_has_the_background_of_the_page() {
        let css = include_str!("../../ui/src/app/panel.css");
        let hex = |Color(red, green, blue, _)| format!("#{red:02x}{green:02x}{blue:02x}");
        let expected = format!(
            "--surface-0: light-dark({}, {});",
            hex(BACKGROUND_LIGHT),
            hex(BACKGROUND_DARK)
        );
        assert!(css.contains(&expected), "{expected}");
    }

    #[test]
    fn look_alike_and_remote_pages_are_refused() {
        let own = |text: &str| is_own_page(&Url::parse(text).expect("a URL"));
        assert!(own("tauri://localhost/index.html"));
        assert!(own("http://tauri.localhost/"));
        for text in [
            "http://app.evil.test/",
            "http://tauri.localhost.evil.test/",
            "https://localhost/",
            "http://127.0.0.1:4283/",
            "file:///etc/passwd",
            "data:text/html,x",
        ] {
            assert!(!own(text), "{text}");
        }
    }
}
