//! Whether the page in the window of this process lives: the window says that it is there, and the page
//! that it still draws.

use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, Moment, WallTime};
use parking_lot::Mutex;

/// Longest time between two answers of a page that is known to live: it says so every 30 s.
const SILENCE_MAX: Duration = Duration::from_secs(90);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebViewState {
    /// The window is there, and its page has not drawn since it is shown.
    Starting,
    /// Its page draws.
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
}

#[derive(Debug, Clone, Copy)]
struct Window {
    is_hidden: bool,
    drawn: Option<(Moment, WallTime)>,
    /// Since when it is not hidden: a hidden page need not have drawn.
    shown: Moment,
}

impl WebView {
    pub(crate) const fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, window: Mutex::new(None) }
    }

    /// Takes in that this process has a window, and whether it is hidden.
    pub fn record_window(&self, is_hidden: bool) {
        let now = self.clock.now();
        let mut window = self.window.lock();
        let mut known = window.unwrap_or(Window { is_hidden, drawn: None, shown: now });
        if known.is_hidden && !is_hidden {
            known.shown = now;
        }
        known.is_hidden = is_hidden;
        *window = Some(known);
    }

    /// Takes in that the page draws; true if it did so for the first time.
    pub fn record_drawn(&self) -> bool {
        let now = (self.clock.now(), self.clock.wall());
        let mut window = self.window.lock();
        let known = window.get_or_insert(Window { is_hidden: false, drawn: None, shown: now.0 });
        known.drawn.replace(now).is_none()
    }

    /// `None` without a window.
    #[must_use]
    pub fn state(&self) -> Option<WebViewState> {
        let window = (*self.window.lock())?;
        let is_recent = |at: Moment| self.clock.now().since(at) <= SILENCE_MAX;
        Some(match window.drawn {
            _ if window.is_hidden => WebViewState::Hidden,
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
}
