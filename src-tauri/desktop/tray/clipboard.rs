//! The desktop's clipboard.

use std::sync::Arc;

use anyhow::Context as _;
use arboard::Clipboard;
use parking_lot::Mutex;

/// Kept for as long as the program runs: on Linux the program that copied a text hands it out, and the
/// text is gone with it.
#[derive(Clone, Default)]
pub(super) struct SharedClipboard(Arc<Mutex<Option<Clipboard>>>);

impl SharedClipboard {
    /// Copies `text`. Blocks while it talks to the desktop.
    pub(super) fn copy(&self, text: &str) -> anyhow::Result<()> {
        let mut kept = self.0.lock();
        let mut clipboard = match kept.take() {
            Some(clipboard) => clipboard,
            None => Clipboard::new().context("this desktop has no clipboard")?,
        };
        // One that failed is opened again by the next copy.
        clipboard.set_text(text).context("the desktop did not take the text")?;
        *kept = Some(clipboard);
        Ok(())
    }
}
