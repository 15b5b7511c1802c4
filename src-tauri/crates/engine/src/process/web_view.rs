//! Whether the page in the window of this process lives: the window says that it is there, and the page
//! that it still draws.
//!
//! A page that is silent may be in a window that is minimised or behind a lock, which nobody tells us;
//! so that is unknown. But a page runs in any window: one that has not called us at all is lost.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use domain::{Clock, Moment, WallTime};
use parking_lot::Mutex;

/// Longest time between two answers of a page that is known to live: it says so every 30 s.
const SILENCE_MAX: Duration = Duration::from_secs(90);
/// Longest time from the window to the first call of its page. A slow machine takes some seconds.
const LOADING_MAX: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebViewState {
    /// The window is there, and its page has not drawn since it is shown.
    Starting,
    /// The window is there since this time, and its page has not called once, which is too long.
    NotLoaded(WallTime),
    Drawing,
    /// Its page drew last at this time, which is too long ago.
    Silent(WallTime),
    /// The window is hidden, and its page need not draw.
    Hidden,
}

/// The web view of this process; one that has no window knows of none.
pub struct WebView {
    clock: Arc<dyn Clock>,
    window: Mutex<Option<Window>>,
    /// Of the library that draws the page.
    version: OnceLock<String>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    is_hidden: bool,
    opened: (Moment, WallTime),
    /// True once the page has called.
    has_loaded: bool,
    drawn: Option<(Moment, WallTime)>,
    /// Since when it is not hidden: a hidden page need not have drawn.
    shown: Moment,
}

impl WebView {
    pub(crate) const fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, window: Mutex::new(None), version: OnceLock::new() }
    }

    /// Takes in the version of the library that draws the page.
    pub fn record_version(&self, version: String) {
        self.version.get_or_init(|| version);
    }

    /// `None` if the library did not tell it.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.get().map(String::as_str)
    }

    /// Takes in that this process has a window, and whether it is hidden.
    pub fn record_window(&self, is_hidden: bool) {
        let now = self.clock.now();
        let mut window = self.window.lock();
        let mut known = window.unwrap_or_else(|| self.opened(is_hidden));
        if known.is_hidden && !is_hidden {
            known.shown = now;
        }
        known.is_hidden = is_hidden;
        *window = Some(known);
    }

    /// Takes in that the page called us, whatever for.
    pub fn record_call(&self) {
        let mut window = self.window.lock();
        window.get_or_insert_with(|| self.opened(false)).has_loaded = true;
    }

    /// Takes in that the page draws; true if it did so for the first time.
    pub fn record_drawn(&self) -> bool {
        let now = (self.clock.now(), self.clock.wall());
        let mut window = self.window.lock();
        let known = window.get_or_insert_with(|| self.opened(false));
        known.has_loaded = true;
        known.drawn.replace(now).is_none()
    }

    fn opened(&self, is_hidden: bool) -> Window {
        let opened = (self.clock.now(), self.clock.wall());
        Window { is_hidden, opened, has_loaded: false, drawn: None, shown: opened.0 }
    }

    /// `None` without a window.
    #[must_use]
    pub fn state(&self) -> Option<WebViewState> {
        let window = (*self.window.lock())?;
        let age = |since: Moment| self.clock.now().since(since);
        let is_recent = |at: Moment| age(at) <= SILENCE_MAX;
        let (opened, opened_at) = window.opened;
        Some(match window.drawn {
            _ if window.is_hidden => WebViewState::Hidden,
            _ if !window.has_loaded && age(opened) > LOADING_MAX => {
                WebViewState::NotLoaded(opened_at)
            }
            None => WebViewState::Starting,
            Some((at, _)) if is_recent(at) => WebViewState::Drawing,
            Some(_) if is_recent(window.shown) => WebViewState::Starting,
            Some((_, at)) => WebViewState::Silent(at),
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::ManualClock;

    use super::*;
    use crate::test_parts::NOW;

    #[test]
    fn a_page_lives_as_long_as_it_says_so() {
        let clock = Arc::new(ManualClock::starting_at(NOW));
        let view = WebView::new(clock.clone());
        assert_eq!(view.state(), None, "there is no window");
        view.record_window(false);
        assert_eq!(view.state(), Some(WebViewState::Starting));
        assert!(view.record_drawn());
        clock.advance(SILENCE_MAX);
        assert_eq!(view.state(), Some(WebViewState::Drawing));
        clock.advance(Duration::from_millis(1));
        assert_eq!(view.state(), Some(WebViewState::Silent(NOW)));
        view.record_window(true);
        assert_eq!(view.state(), Some(WebViewState::Hidden));
        view.record_window(false);
        assert_eq!(view.state(), Some(WebViewState::Starting), "it need not have drawn before");
        clock.advance(SILENCE_MAX);
        view.record_window(false);
        assert_eq!(view.state(), Some(WebViewState::Starting));
        clock.advance(Duration::from_millis(1));
        assert_eq!(view.state(), Some(WebViewState::Silent(NOW)), "shown twice is shown once");
        assert!(!view.record_drawn());
        assert_eq!(view.state(), Some(WebViewState::Drawing));
    }

    #[test]
    fn a_page_that_never_called_is_lost_after_a_minute_and_one_that_only_did_not_draw_is_not() {
        let clock = Arc::new(ManualClock::starting_at(NOW));
        let view = WebView::new(clock.clone());
        view.record_window(false);
        clock.advance(LOADING_MAX);
        assert_eq!(view.state(), Some(WebViewState::Starting));
        clock.advance(Duration::from_millis(1));
        assert_eq!(view.state(), Some(WebViewState::NotLoaded(NOW)));
        view.record_window(true);
        assert_eq!(view.state(), Some(WebViewState::Hidden));
        view.record_window(false);
        assert_eq!(view.state(), Some(WebViewState::NotLoaded(NOW)), "it runs while hidden too");
        view.record_call();
        assert_eq!(view.state(), Some(WebViewState::Starting));
        clock.advance(SILENCE_MAX * 10);
        assert_eq!(view.state(), Some(WebViewState::Starting), "it may be minimised");
    }
}
