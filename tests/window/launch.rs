//! The stage about launching a tool: a real terminal, the user's login shell, `gatehouse run`.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use super::poll_or_fail;
use super::stages::WindowTest;

/// A made-up Codex that lies where only a login shell looks. It tells where it runs and what it
/// got, and ends as by Ctrl-C.
const TOOL: &str = r#"#!/bin/sh
case "$1" in --version) echo "codex-cli 0.98.0"; exit ;; esac
{ pwd; [ -t 0 ] && echo "in a terminal"
  [ -n "$GATEHOUSE_API_KEY" ] && echo "with a token"
  printf '%s\n' "$@"; } > "$HOME/launched.part"
mv "$HOME/launched.part" "$HOME/launched"
kill -INT $$
"#;

impl WindowTest {
    /// The tool starts in the chosen folder, through the gateway, in a terminal that stays open.
    pub(crate) async fn a_tool_is_launched_in_a_terminal(&self) {
        let home = self.session.folder().join("home");
        let (programs, project) = (home.join(".local/bin"), home.join("my project"));
        for folder in [&programs, &project] {
            fs::create_dir_all(folder).expect("created");
        }
        write(&home.join(".profile"), "PATH=\"$HOME/.local/bin:$PATH\"\n");
        write(&programs.join("codex"), TOOL);
        fs::set_permissions(programs.join("codex"), Permissions::from_mode(0o755)).expect("set");

        self.panel.open_screen("Clients").await;
        self.panel.press("Launch…").await;
        self.panel.wait_for_text("Launch Codex CLI").await;
        self.panel.wait_for_text("gatehouse run codex").await;
        self.panel.press("Choose…").await;
        let title = ["search", "--onlyvisible", "--name", "Folder for Codex CLI"];
        poll_or_fail("the desktop's dialog", async || {
            self.session.try_run("xdotool", &title).await.0.then_some(())
        })
        .await;
        self.save_picture("11-folder").await;
        self.session.run("xdotool", &[&title[..], &["windowfocus", "--sync"]].concat()).await;
        self.session.run("xdotool", &["key", "Escape"]).await;
        poll_or_fail("the dialog goes", async || {
            (!self.session.try_run("xdotool", &title).await.0).then_some(())
        })
        .await;
        self.session.screen.focus_panel();
        self.panel.fill("Folder", "/nowhere").await;
        self.panel.press("Open terminal").await;
        self.panel.wait_for_text("there is no folder").await;
        let folder = self.panel.field("Folder").await;
        folder.clear().await.expect("cleared");
        self.panel.fill("Folder", "~/my project").await;
        self.save_picture("11-launch").await;
        self.panel.press("Open terminal").await;
        let told = poll_or_fail("the tool starts", async || {
            fs::read_to_string(home.join("launched")).ok()
        });
        let told = told.await;
        let told: Vec<_> = told.lines().collect();
        assert_eq!(told[..3], [project.to_str().expect("UTF-8"), "in a terminal", "with a token"]);
        let port = self.session.gateway_port;
        let provider = "model_providers.gatehouse-run";
        for argument in [
            "model_provider=\"gatehouse-run\"".to_owned(),
            format!("{provider}.base_url=\"http://127.0.0.1:{port}/v1\""),
            format!("{provider}.env_key=\"GATEHOUSE_API_KEY\""),
        ] {
            assert!(told[3..].contains(&argument.as_str()), "{argument} is not in {told:?}");
        }
        self.panel.wait_for_text("Opened a terminal with Codex CLI").await;
        self.save_picture("11-terminal").await;
        // The tool has ended, and its terminal is still there.
        self.session.run("xdotool", &["search", "--class", "XTerm", "windowkill"]).await;
    }
}

fn write(path: &std::path::Path, text: &str) {
    File::create(path).and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
}
