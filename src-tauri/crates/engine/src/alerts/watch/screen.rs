//! What is on the desktop's screen, kept with the alerts.

use alerts::AlertBook;

use super::AlertWatch;

impl AlertWatch {
    /// False if nothing on the screen changed.
    pub(super) fn note_screen(&self, book: &mut AlertBook) -> bool {
        self.notifications.take_screen().is_some_and(|screen| book.note_screen(&screen))
    }

    /// Saves what the desktop says of what was shown just now, so that the process after this one can
    /// replace and withdraw it. The caller holds `changing`.
    pub(super) async fn save_screen(&self) {
        let mut book = self.book.lock().clone();
        if self.note_screen(&mut book) {
            self.save(&book, Vec::new()).await;
            *self.book.lock() = book;
        }
    }

    /// Shows what the desktop did not take before.
    pub(super) async fn show_unshown(&self) {
        let _alone = self.changing.lock().await;
        self.notifications.show_unshown().await;
        self.save_screen().await;
    }
}
