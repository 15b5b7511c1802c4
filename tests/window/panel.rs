//! Drives the panel in its window as a user does: by its visible text and its accessible names.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use acceptance::{await_or_fail, built_program};
use serde_json::{Value, json};
use thirtyfour::extensions::query::ElementQueryable as _;
use thirtyfour::{By, Capabilities, Key, TypingData, WebDriver, WebElement};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::timeout;

use super::session::{DesktopSession, free_port};
use super::{poll, poll_or_fail};

/// Longest wait for something to appear on the page.
const APPEAR_TIME_MAX: Duration = Duration::from_secs(20);
/// Interval between two looks at the page.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Longest time of a driver command, such as the start of the window.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(60);

/// Variables in the environment of the window, which must not reach its children.
pub(crate) const SECRET_VARIABLES: [(&str, &str); 2] = [
    ("OPENAI_API_KEY", "sk-environment-c4n4ry-0001"),
    ("GATEHOUSE_PASSPHRASE", "environment-c4n4ry-0002"),
];

/// A running window and its driver.
pub(crate) struct PanelPage {
    driver: WebDriver,
    process: Child,
    pictures: PathBuf,
}

impl PanelPage {
    /// Starts the program in the session and connects to its page.
    pub(crate) async fn open(session: &DesktopSession) -> Self {
        let port = free_port();
        let mut command = session.command("/usr/bin/WebKitWebDriver");
        command.arg(format!("--port={port}")).arg("--host=127.0.0.1");
        command.env("TAURI_WEBVIEW_AUTOMATION", "true");
        // A user who starts the window from a shell may have them; no child may see them.
        for (name, value) in SECRET_VARIABLES {
            command.env(name, value);
        }
        let process = command.spawn().expect("starts");
        poll_or_fail("the driver", async || TcpStream::connect(("127.0.0.1", port)).await.ok())
            .await;
        // Features that other crates of the workspace enable make the client's TLS library require
        // a choice of cryptography, although nothing here is encrypted.
        let _set_before = rustls::crypto::ring::default_provider().install_default();
        let program = built_program("gatehouse-desktop");
        let pictures = program.ancestors().nth(2).expect("a target folder").join("xtask/window");
        std::fs::create_dir_all(&pictures).expect("a folder for the pictures");
        // Remove the picture of an earlier failure.
        let _unless_none = std::fs::remove_file(pictures.join("failed.png"));
        let mut wanted = Capabilities::new();
        let options = json!({"binary": program.display().to_string(), "args": []});
        wanted.set("webkitgtk:browserOptions", options).expect("JSON");
        let address = format!("http://127.0.0.1:{port}");
        let driver = WebDriver::builder(address, wanted).request_timeout(COMMAND_TIME_MAX).await;
        let driver = driver.expect("a window");
        driver.set_script_timeout(APPEAR_TIME_MAX).await.expect("a limit for scripts");
        Self { driver, process, pictures }
    }

    /// The process id of the driver, which starts the window.
    pub(crate) fn driver_pid(&self) -> u32 {
        self.process.id().expect("the driver runs")
    }

    /// Ends the driver of a window that has quit.
    pub(crate) async fn release(mut self) {
        self.process.kill().await.expect("killed");
    }

    /// Waits for the verdict and returns the text of its first heading.
    pub(crate) async fn verdict(&self) -> String {
        let heading = self.find("//section[@aria-label='Verdict']//h1").await;
        text_of(&heading).await.expect("a heading")
    }

    /// The control with that name, outside of what a dialog covers.
    pub(crate) async fn button(&self, name: &str) -> WebElement {
        self.find(&format!(
            "//*[self::button or self::a][not(ancestor::*[@aria-hidden='true'])]\
             [normalize-space(.)=\"{name}\" or @aria-label=\"{name}\"]"
        ))
        .await
    }

    /// Clicks the control with that name.
    pub(crate) async fn press(&self, name: &str) {
        self.button(name).await.click().await.expect(name);
    }

    pub(crate) async fn field(&self, label: &str) -> WebElement {
        self.find(&format!("//*[@id=//label[normalize-space(text()[1])=\"{label}\"]/@for]")).await
    }

    /// Types into the field with that label.
    pub(crate) async fn fill(&self, label: &str, text: &str) {
        self.field(label).await.send_keys(text).await.expect(label);
    }

    /// Opens a screen by its link, and waits for its heading.
    pub(crate) async fn open_screen(&self, screen: &str) {
        let link = format!("//nav//a[@aria-label[.=\"{screen}\" or starts-with(.,\"{screen},\")]]");
        self.find(&link).await.click().await.expect(screen);
        if screen != "Overview" {
            self.find(&format!("//main//h1[normalize-space(.)=\"{screen}\"]")).await;
        }
    }

    /// The text of the table row whose first cell's button contains `name`, once it satisfies
    /// `enough`.
    pub(crate) async fn row(&self, name: &str, enough: impl Fn(&str) -> bool) -> String {
        let path = format!("//tbody//tr[.//button[@data-row][contains(., \"{name}\")]]");
        let look = poll(async || {
            let row = self.driver.find(By::XPath(path.as_str())).await.ok()?;
            text_of(&row).await.filter(|text| enough(text))
        });
        match timeout(APPEAR_TIME_MAX, look).await {
            Ok(text) => text,
            Err(_elapsed) => self.fail_with_picture(&format!("a row of {name} as wanted")).await,
        }
    }

    /// Opens the table row whose button contains `name`.
    pub(crate) async fn press_row(&self, name: &str) {
        let path = format!("//tbody//tr//button[@data-row][contains(., \"{name}\")]");
        self.find(&path).await.click().await.expect(name);
    }

    /// Waits for the element at this XPath.
    pub(crate) async fn find(&self, path: &str) -> WebElement {
        let query = self.driver.query(By::XPath(path)).wait(APPEAR_TIME_MAX, POLL_INTERVAL);
        match query.first().await {
            Ok(found) => found,
            Err(_error) => self.fail_with_picture(path).await,
        }
    }

    /// Fails the test, with a picture of the page.
    async fn fail_with_picture(&self, what: &str) -> ! {
        let _unless_gone = self.driver.screenshot(&self.pictures.join("failed.png")).await;
        let text = self.text().await;
        panic!("not on the page: {what}; there is:\n{text}")
    }

    /// Waits until these words appear on the page.
    pub(crate) async fn wait_for_text(&self, words: &str) {
        let look = poll(async || self.text().await.contains(words).then_some(()));
        if timeout(APPEAR_TIME_MAX, look).await.is_err() {
            self.fail_with_picture(words).await;
        }
    }

    /// The visible text of the page.
    pub(crate) async fn text(&self) -> String {
        let text = self.script("return document.body.innerText", vec![]).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Presses keys; they go to the focused element.
    pub(crate) async fn press_keys(&self, keys: impl Into<TypingData>) {
        self.driver.action_chain().send_keys(keys).perform().await.expect("keys");
    }

    /// Presses a key together with Ctrl.
    pub(crate) async fn press_with_control(&self, key: char) {
        self.press_chord(Key::Control, key.to_string()).await;
    }

    /// Presses a key while `held` is down.
    pub(crate) async fn press_chord(&self, held: Key, key: impl Into<TypingData>) {
        let chain = self.driver.action_chain().key_down(held.clone()).send_keys(key);
        chain.key_up(held).perform().await.expect("keys");
    }

    /// Presses Tab until the control with that name has the focus.
    pub(crate) async fn tab_to(&self, name: &str) {
        const STEPS_MAX: usize = 40;
        for _ in 0..STEPS_MAX {
            let focused = self.script(NAME_OF_FOCUSED, vec![]).await;
            if focused.as_str().is_some_and(|focused| focused.trim() == name) {
                return;
            }
            self.press_keys(Key::Tab).await;
        }
        panic!("{name} cannot be reached with {STEPS_MAX} steps of Tab");
    }

    /// Runs a script in the page and returns its result.
    pub(crate) async fn script(&self, script: &str, words: Vec<Value>) -> Value {
        let said = await_or_fail("a script", self.driver.execute(script, words)).await;
        said.expect("the script runs").json().clone()
    }

    /// Runs a script that passes its result to its last argument.
    pub(crate) async fn wait_for_script(&self, script: &str, words: Vec<Value>) -> Value {
        let said = await_or_fail("a script", self.driver.execute_async(script, words)).await;
        said.expect("the script answers").json().clone()
    }

    /// Calls a command of the program as the page could. Returns the answer, or the error of a
    /// refusal.
    pub(crate) async fn invoke_command(
        &self,
        command: &str,
        request: Value,
    ) -> Result<Value, Value> {
        let answer = self.wait_for_script(INVOKE, vec![json!(command), request]).await;
        match answer.get("refused") {
            Some(why) => Err(why.clone()),
            None => Ok(answer["answer"].clone()),
        }
    }

    /// Saves a picture of the page and one of the whole screen.
    pub(crate) async fn save_picture(&self, session: &DesktopSession, name: &str) {
        let page = self.pictures.join(format!("{name}.png"));
        self.driver.screenshot(&page).await.expect("a picture of the page");
        let screen = self.pictures.join(format!("{name}.screen.png"));
        let mut command = session.command("/usr/bin/import");
        command.args(["-window", "root"]).arg(screen).stderr(Stdio::inherit());
        let taken = await_or_fail("a picture", command.status()).await.expect("import starts");
        assert!(taken.success(), "no picture of the screen");
    }

    /// The number of windows that the driver knows.
    pub(crate) async fn window_count(&self) -> usize {
        self.driver.windows().await.expect("windows").len()
    }
}

impl Drop for PanelPage {
    /// The library would ask the driver to close the window and wait for an answer, but by then the
    /// window has quit or its screen is gone.
    fn drop(&mut self) {
        let _ended_before = self.driver.clone().leak();
    }
}

/// The visible text of an element that still exists. The driver's own method finds no text in this
/// page's boxes.
async fn text_of(element: &WebElement) -> Option<String> {
    element.prop("innerText").await.ok().flatten()
}

const NAME_OF_FOCUSED: &str = "
    const it = document.activeElement;
    return it === null ? '' : it.getAttribute('aria-label') ?? it.innerText;
";

const INVOKE: &str = "
    const [command, request, done] = arguments;
    window.__TAURI_INTERNALS__.invoke(command, request).then(
        (answer) => done({ answer: answer ?? null }),
        (why) => done({ refused: why ?? 'refused' }),
    );
";
