//! Tries what a wired tool does, step by step, and says which one fails. Nothing is billed.

use std::time::Duration;

use domain::Secret;
use engine::{Engine, GatewayStatus, TOKEN_COMMAND_MS_MAX, list_models_at, run_token_command};
use wiring::{ClientTool, ToolStatus, WiringRung, WiringState};

use super::state::{DescribedState, describe_tool};
use crate::ApiError;
use crate::operation::clients::client_token;
use crate::view::{
    BackendTestStepState, BackendTestStepView, ClientCheck, ClientRef, ToolCheckOutcome,
    ToolCheckView,
};

pub(crate) async fn client_check(
    engine: &Engine,
    req: ClientCheck,
) -> Result<ToolCheckView, ApiError> {
    let status = find_wired(engine, req.tool).await?;
    let described = describe_tool(engine, &status).await?;
    let mut attempt = ToolAttempt { engine, status: &status, steps: Vec::new() };
    let name = req.tool.name();
    let (outcome, sentence) = match attempt.run(described).await {
        Ok(outcome @ ToolCheckOutcome::TokenNotTried) => {
            let sentence = format!(
                "The gateway answers at the address in the file of {name}; its token is in {name} \
                 alone."
            );
            (outcome, sentence)
        }
        Ok(outcome) => (outcome, format!("The gateway answers as {name} asks it.")),
        Err(failed) => {
            attempt.steps.push(failed);
            (ToolCheckOutcome::Fails, format!("{name} would fail."))
        }
    };
    let steps = attempt.steps;
    Ok(ToolCheckView { tool: req.tool, name: name.to_owned(), outcome, sentence, steps })
}

async fn find_wired(engine: &Engine, tool: ClientTool) -> Result<ToolStatus, ApiError> {
    let tools = engine.client_wiring().list().await?;
    let found = tools.into_iter().find(|status| status.tool == tool && status.is_recorded);
    found.ok_or_else(|| {
        let hint = format!("`gatehouse clients wire {tool}` connects it.");
        ApiError::not_found(format!("{} is not connected", tool.name())).with_hint(hint)
    })
}

struct ToolAttempt<'a> {
    engine: &'a Engine,
    status: &'a ToolStatus,
    /// Those that did not fail.
    steps: Vec<BackendTestStepView>,
}

impl ToolAttempt<'_> {
    /// Fails with the step that failed.
    async fn run(
        &mut self,
        described: DescribedState,
    ) -> Result<ToolCheckOutcome, BackendTestStepView> {
        let is_token_its_own =
            described.state == WiringState::TokenNotEntered || self.status.rung.is_token_entered();
        self.check_files(described)?;
        self.check_gateway()?;
        let token = self.token().await?;
        self.list_models(&token).await?;
        Ok(match is_token_its_own {
            true => ToolCheckOutcome::TokenNotTried,
            false => ToolCheckOutcome::Answers,
        })
    }

    fn check_files(&mut self, described: DescribedState) -> Result<(), BackendTestStepView> {
        const TITLE: &str = "Files";
        if !matches!(described.state, WiringState::Wired | WiringState::TokenNotEntered) {
            let fix = format!("Run `gatehouse clients wire {}`.", self.status.tool);
            return Err(failed(TITLE, described.sentence, Some(fix)));
        }
        self.pass(TITLE, "They are as they were connected.".to_owned());
        Ok(())
    }

    fn check_gateway(&self) -> Result<(), BackendTestStepView> {
        const TITLE: &str = "Gateway";
        let (detail, fix) = match self.engine.gateway().status() {
            GatewayStatus::Listening => return Ok(()),
            GatewayStatus::Paused => {
                ("the gateway is paused".to_owned(), Some("Run `gatehouse resume`."))
            }
            GatewayStatus::Stopped => (
                "the gateway is not running".to_owned(),
                Some("Run `gatehouse serve`, or open the window."),
            ),
            GatewayStatus::Failed(reason) => (reason, None),
        };
        Err(failed(TITLE, detail, fix.map(str::to_owned)))
    }

    /// The token as the tool gets it, or else that of its client.
    async fn token(&mut self) -> Result<Secret, BackendTestStepView> {
        const TITLE: &str = "Token";
        if self.status.rung == WiringRung::Command {
            let limit = Duration::from_millis(TOKEN_COMMAND_MS_MAX);
            let ran = run_token_command(&self.status.pointer.command, limit).await;
            let token = ran.map_err(|reason| failed(TITLE, reason, None))?;
            self.pass(TITLE, "The command in its file printed one.".to_owned());
            return Ok(token);
        }
        let (tool, client) = (self.status.tool, self.status.client.clone().unwrap_or_default());
        let kept = client_token(self.engine, ClientRef { id: client.clone() }).await;
        let token = kept.map_err(|error| failed(TITLE, error.message, error.hint))?;
        if self.status.rung.is_token_entered() {
            let detail =
                format!("{} keeps its own; that of the client {client} is used here.", tool.name());
            self.steps.push(step(TITLE, BackendTestStepState::Skipped, detail, None));
        } else {
            self.pass(TITLE, format!("`gatehouse run {tool}` gives it that of {client}."));
        }
        Ok(token)
    }

    async fn list_models(&mut self, token: &Secret) -> Result<(), BackendTestStepView> {
        const TITLE: &str = "Models";
        let gateway = self.engine.gateway();
        let base_url = self.status.pointer.base_url.clone().unwrap_or_else(|| gateway.address());
        // Where the tool adds the version itself, the base URL has no path.
        let url = match base_url.trim_end_matches('/') {
            base if base.ends_with("/v1") => format!("{base}/models"),
            base => format!("{base}/v1/models"),
        };
        let listed = list_models_at(&url, gateway.port(), token).await;
        let models = listed.map_err(|reason| failed(TITLE, reason, None))?;
        if models == 0 {
            let detail = format!("{url} lists no model that its client may use");
            let fix = "Add a backend, or allow the client more.".to_owned();
            return Err(failed(TITLE, detail, Some(fix)));
        }
        self.pass(TITLE, format!("{url} lists {models}."));
        Ok(())
    }

    fn pass(&mut self, title: &str, detail: String) {
        self.steps.push(step(title, BackendTestStepState::Pass, detail, None));
    }
}

fn failed(title: &str, detail: String, fix: Option<String>) -> BackendTestStepView {
    step(title, BackendTestStepState::Fail, detail, fix)
}

fn step(
    title: &str,
    state: BackendTestStepState,
    detail: String,
    fix: Option<String>,
) -> BackendTestStepView {
    BackendTestStepView { title: title.to_owned(), state, detail, fix, duration_ms: None }
}
