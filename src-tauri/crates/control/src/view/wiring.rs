//! Request and view types for pointing client tools at the gateway. No view holds a token or a
//! secret of the user's files.

use ::wiring::{Conflict, FilePlan, GuideStep, KeyChange, LeftSealed, ToolGuide, WiringPlan};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::BackendTestStepView;

pub use ::wiring::{
    ChangedKeys, ClientTool, ConflictLayer, DriftCause, GuideKind, GuidedTool, WiringRung,
    WiringState,
};

/// What a caller sees that the process with the engine does not. Holds no value of a variable.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Type)]
pub struct CallerEnvironment {
    /// Whole path of a project whose own settings of the tools are looked at too.
    #[serde(default)]
    #[specta(optional)]
    pub project: Option<String>,
    /// Names of variables that are set where the tools are started. Those that outrank no wiring are left
    /// out.
    #[serde(default)]
    #[specta(optional)]
    pub variables: Vec<String>,
}

/// A client tool and how it reaches the gateway.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ToolWiringView {
    pub tool: ClientTool,
    /// The tool's own name.
    pub name: String,
    pub state: WiringState,
    /// Why it has drifted. `other_home` with `not_wired` is what another Gatehouse wired.
    pub cause: Option<DriftCause>,
    /// The state in a sentence.
    pub sentence: String,
    /// How it gets its token.
    pub rung: WiringRung,
    pub rung_sentence: String,
    /// What the user does once it is wired. Empty for a tool that gets its token by itself, and while
    /// it is not wired.
    pub steps: Vec<GuideStepView>,
    /// The command that starts it in a terminal, through the gateway. None if its program was not
    /// found, if it is not used in a terminal, or if its files would lead it past the gateway.
    pub run_command: Option<String>,
    /// What in its files keeps it from the gateway however it is started, and what helps; in a
    /// sentence.
    pub run_obstacle: Option<String>,
    /// True if it reads its files only when it starts.
    pub restart: bool,
    /// None if only its folder was found.
    pub program: Option<String>,
    /// None if it is not known.
    pub version: Option<String>,
    /// Files that are changed, or would be.
    pub files: Vec<String>,
    /// The client whose token it uses, while it is wired.
    pub client: Option<String>,
    /// Where it sends its requests, while it is wired.
    pub address: Option<String>,
    /// Keys that someone else changed.
    pub drift: Vec<WiredKeyChangeView>,
    /// What is used instead of the wired keys.
    pub conflicts: Vec<WiringConflictView>,
    /// What the undo that led to this state did not put back.
    #[serde(default)]
    #[specta(optional)]
    pub left_sealed: Vec<LeftSealedView>,
}

/// What an undo does not put back, since nothing opens it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LeftSealedView {
    pub file: String,
    /// Where it was, as in `env.ANTHROPIC_API_KEY`.
    pub keys: Vec<String>,
    /// What is left out and where it stays.
    pub sentence: String,
}

impl From<LeftSealed> for LeftSealedView {
    fn from(left: LeftSealed) -> Self {
        let LeftSealed { file, keys } = left;
        let (file, names) = (file.display().to_string(), keys.join(", "));
        let sentence = format!(
            "What was at {names} in {file} before is not put back: no vault opens it. Gatehouse keeps \
             it sealed."
        );
        Self { file, keys, sentence }
    }
}

/// A wired key that someone else changed. Secrets in the values are masked.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct WiredKeyChangeView {
    pub file: String,
    /// With the objects around it, as in `env.ANTHROPIC_BASE_URL`.
    pub key: String,
    /// None if wiring had removed it.
    pub expected: Option<String>,
    /// None if it is gone.
    pub found: Option<String>,
}

impl From<KeyChange> for WiredKeyChangeView {
    fn from(change: KeyChange) -> Self {
        let KeyChange { file, key, expected, found } = change;
        Self { file: file.display().to_string(), key, expected, found }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct WiringConflictView {
    pub layer: ConflictLayer,
    /// The file; empty for the environment.
    pub place: String,
    pub key: String,
    /// What it does and what to do.
    pub explanation: String,
}

impl From<Conflict> for WiringConflictView {
    fn from(conflict: Conflict) -> Self {
        let explanation = conflict.explanation();
        let Conflict { layer, place, key } = conflict;
        Self { layer, place, key, explanation }
    }
}

/// Asks what wiring a tool, or undoing that, would change.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct WiringPlanQuery {
    pub tool: ClientTool,
    /// True for the undo.
    pub undo: bool,
    /// The client whose token the tool would use; None for the one in use, or one with the tool's
    /// name.
    #[serde(default)]
    #[specta(optional)]
    pub client: Option<String>,
    /// For the undo.
    #[serde(default)]
    #[specta(optional)]
    pub changed_keys: Option<ChangedKeys>,
    /// Where the tool is started, as far as the caller knows.
    #[serde(default)]
    #[specta(optional)]
    pub environment: CallerEnvironment,
}

/// What would change. Nothing is written yet.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct WiringPlanView {
    pub files: Vec<WiringFileView>,
    /// Wired keys that someone else changed.
    pub changes: Vec<WiredKeyChangeView>,
    /// What would be used instead.
    pub conflicts: Vec<WiringConflictView>,
    /// What the undo would not put back.
    #[serde(default)]
    #[specta(optional)]
    pub left_sealed: Vec<LeftSealedView>,
    /// Given back, it makes sure that this plan is carried out.
    pub fingerprint: String,
}

impl From<WiringPlan> for WiringPlanView {
    fn from(plan: WiringPlan) -> Self {
        let WiringPlan { files, changes, conflicts, left_sealed, fingerprint } = plan;
        Self {
            files: files.into_iter().map(Into::into).collect(),
            changes: changes.into_iter().map(Into::into).collect(),
            conflicts: conflicts.into_iter().map(Into::into).collect(),
            left_sealed: left_sealed.into_iter().map(Into::into).collect(),
            fingerprint,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct WiringFileView {
    pub path: String,
    /// There is no such file yet.
    pub creates: bool,
    /// There will be no such file.
    pub removes: bool,
    /// Unified diff, with secrets masked.
    pub diff: String,
}

impl From<FilePlan> for WiringFileView {
    fn from(plan: FilePlan) -> Self {
        let FilePlan { path, creates, removes, diff } = plan;
        Self { path: path.display().to_string(), creates, removes, diff }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientWire {
    pub tool: ClientTool,
    /// The client whose token the tool uses. It is created if there is none of that name. None for
    /// the one in use, or one with the tool's name.
    #[serde(default)]
    #[specta(optional)]
    pub client: Option<String>,
    /// Of the plan that was shown.
    #[serde(default)]
    #[specta(optional)]
    pub fingerprint: Option<String>,
    /// Where the tool is started, as far as the caller knows.
    #[serde(default)]
    #[specta(optional)]
    pub environment: CallerEnvironment,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientCheck {
    pub tool: ClientTool,
}

/// What came of trying what a wired tool does before its first prompt.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ToolCheckView {
    pub tool: ClientTool,
    /// The tool's own name.
    pub name: String,
    pub outcome: ToolCheckOutcome,
    /// The outcome in a sentence; a failed step says why.
    pub sentence: String,
    /// In order; a failed one is the last.
    pub steps: Vec<BackendTestStepView>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ToolCheckOutcome {
    Answers,
    /// The gateway answers, and the tool alone has its token.
    TokenNotTried,
    Fails,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientUnwire {
    pub tool: ClientTool,
    pub changed_keys: ChangedKeys,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ClientsUnwireAll {
    pub changed_keys: ChangedKeys,
}

/// What came of undoing one tool's wiring.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UnwiredToolView {
    pub tool: ClientTool,
    /// The tool's own name.
    pub name: String,
    /// Why it is still wired; None if it is not.
    pub error: Option<String>,
    /// What was not put back.
    #[serde(default)]
    #[specta(optional)]
    pub left_sealed: Vec<LeftSealedView>,
}

/// How a client tool that is not wired reaches the gateway.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct ToolGuideView {
    pub tool: GuidedTool,
    /// The tool's own name.
    pub name: String,
    pub kind: GuideKind,
    /// What is special about it.
    pub sentence: String,
    /// Empty if nothing helps.
    pub steps: Vec<GuideStepView>,
    /// True if it was found on this machine.
    pub found: bool,
    /// None if it is not known.
    pub version: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct GuideStepView {
    pub text: String,
    /// What to run or to paste.
    pub code: Option<String>,
}

impl From<GuideStep> for GuideStepView {
    fn from(step: GuideStep) -> Self {
        Self { text: step.text, code: step.code }
    }
}

impl From<ToolGuide> for ToolGuideView {
    fn from(guide: ToolGuide) -> Self {
        let ToolGuide { tool, kind, sentence, steps, installation } = guide;
        Self {
            tool,
            name: tool.name().to_owned(),
            kind,
            sentence: sentence.to_owned(),
            steps: steps.into_iter().map(Into::into).collect(),
            found: installation.is_some(),
            version: installation.and_then(|found| found.version),
        }
    }
}
