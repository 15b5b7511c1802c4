//! Charts in the real window: they render, say their numbers to the keyboard, zoom and filter.

use thirtyfour::{Key, WebElement};

use super::stages::{CLIENT, WindowTest};

/// The bars of Usage, one for each such span of time.
fn bars_by(span: &str) -> String {
    format!("//*[@role='slider'][starts-with(@aria-label, 'requests by {span}')]")
}

/// The areas of the chart's marks that can be seen.
const VISIBLE_MARKS: &str = "
    const boxes = [...arguments[0].querySelectorAll('[data-mark]')].map((mark) => mark.getBoundingClientRect());
    return boxes.filter((box) => box.width >= 1 && box.height >= 1).length;
";

impl WindowTest {
    /// A chart of the requests so far is read out, zoomed into, and filtered, with keys alone.
    pub(crate) async fn charts_are_read_zoomed_and_filtered_by_keyboard(&self) {
        let panel = &self.panel;
        panel.open_screen("Usage").await;
        panel.press("Activity").await;
        let bars = panel.find(&bars_by("day")).await;
        let marks = panel.script(VISIBLE_MARKS, vec![bars.to_json().expect("an element")]).await;
        assert!(marks.as_u64().is_some_and(|marks| marks > 0), "the chart is empty: {marks}");
        bars.focus().await.expect("it can have the focus");
        panel.press_keys(Key::End).await;
        let mut said = spoken(&bars).await;
        if !said.contains("Scripted") {
            // Midnight has passed since the requests.
            panel.press_keys(Key::Left).await;
            said = spoken(&bars).await;
        }
        assert!(said.contains("Scripted 1"), "{said}");
        self.save_picture("06-chart-read").await;

        panel.press_chord(Key::Shift, Key::Left).await;
        panel.press_keys(Key::Enter).await;
        panel.button("Zoom out").await;
        panel.find("//input[@aria-label='First day']").await;
        panel.find(&bars_by("hour")).await;
        self.save_picture("06-chart-zoomed").await;
        panel.press("Zoom out").await;
        panel.find(&bars_by("day")).await;

        panel.button("Filter").await.focus().await.expect("it can have the focus");
        for key in [Key::Enter, Key::Down, Key::Down, Key::Right] {
            panel.press_keys(key).await;
        }
        panel.press_keys(Key::Enter).await;
        panel.button(&format!("Client: {CLIENT}")).await;
        self.save_picture("06-chart-filtered").await;
        panel.press("Clear client filter").await;
    }
}

/// What a screen reader says of the chosen bar.
async fn spoken(bars: &WebElement) -> String {
    bars.attr("aria-valuetext").await.expect("an attribute").unwrap_or_default()
}
