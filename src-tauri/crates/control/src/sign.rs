//! The shape, tone and word of every state, defined once for the command line and the panel. A
//! state is never shown by colour alone.
//!
//! One piece: a table, which is read as a whole.

use crate::view::*;

domain::words! {
    /// The colour role of a state.
    Tone {
        Ok = "ok",
        /// Needs attention.
        Warn = "warn",
        /// Does not work.
        Bad = "bad",
        /// In progress.
        Info = "info",
        Muted = "muted",
    }
}

domain::words! {
    /// The symbol of a state.
    Shape {
        Disc = "disc",
        Half = "half",
        Ring = "ring",
        Triangle = "triangle",
        Square = "square",
        Barred = "barred",
        Dash = "dash",
        /// Turns in the panel.
        Turning = "turning",
    }
}

impl Shape {
    /// The symbol in text.
    #[must_use]
    pub const fn symbol(self) -> char {
        match self {
            Self::Disc => '●',
            Self::Half | Self::Turning => '◐',
            Self::Ring => '○',
            Self::Triangle => '▲',
            Self::Square => '■',
            Self::Barred => '▬',
            Self::Dash => '–',
        }
    }
}

/// A state as it is displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sign {
    /// In lower case, as inside a sentence.
    pub word: &'static str,
    pub shape: Shape,
    pub tone: Tone,
}

impl Sign {
    /// Symbol and word in one string.
    #[must_use]
    pub fn text(self) -> String {
        format!("{} {}", self.shape.symbol(), self.word)
    }
}

/// The signs of one kind of state, for the panel's generated table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignTable {
    pub name: &'static str,
    /// Name of the state's type in Rust and TypeScript.
    pub state_type: &'static str,
    /// Each state by its word in JSON.
    pub signs: Vec<(String, Sign)>,
}

macro_rules! signs {
    ($($name:ident: $State:ident { $($state:ident => $shape:ident $tone:ident $word:expr,)+ })+) => {
        $(
            impl From<$State> for Sign {
                fn from(state: $State) -> Self {
                    match state {
                        $($State::$state => Self { word: $word, shape: Shape::$shape, tone: Tone::$tone },)+
                    }
                }
            }
        )+

        /// All signs, for the panel.
        pub fn sign_tables() -> Result<Vec<SignTable>, serde_json::Error> {
            Ok(vec![$(SignTable {
                name: stringify!($name),
                state_type: stringify!($State),
                signs: vec![$((json_word($State::$state)?, $State::$state.into())),+],
            }),+])
        }
    };
}

fn json_word(state: impl serde::Serialize) -> Result<String, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(state)?)
}

signs! {
    ALERT_CHANNEL_STATE: AlertChannelState {
        Working => Disc Ok "works",
        Failing => Barred Bad "fails",
        NotSetUp => Triangle Warn "not set up",
        Untried => Ring Info "not tried",
        Off => Dash Muted "off",
    }
    ALERT_ENDING: AlertEnding {
        Resolved => Disc Ok "resolved",
        Removed => Dash Muted "ended",
        SwitchedOff => Dash Muted "ended",
        Unknown => Dash Muted "ended",
    }
    ALERT_SEVERITY: AlertSeverity {
        Critical => Barred Bad "critical",
        High => Square Bad "high",
        Medium => Triangle Warn "medium",
        Low => Half Info "low",
        Info => Ring Info "info",
    }
    ASK_OUTCOME: AskOutcome {
        Answered => Disc Ok "answered",
        Failed => Barred Bad "failed",
        TimedOut => Barred Bad "too slow",
        Cancelled => Square Muted "stopped",
    }
    AUDIT_OUTCOME: AuditOutcome {
        Done => Disc Ok "done",
        Refused => Dash Warn "refused",
        NotAllowed => Barred Warn "not allowed",
        Failed => Square Bad "failed",
    }
    AVAILABILITY: AvailabilityState {
        Ready => Disc Ok "healthy",
        Recovering => Half Warn "recovering",
        Trial => Ring Info "testing recovery",
        CoolingDown => Triangle Warn "cooling down",
        Open => Square Bad "tripped",
        Blocked => Barred Bad "blocked",
        Held => Barred Warn "blocked manually",
        Removed => Barred Bad "no longer exists",
        Off => Dash Muted "off",
    }
    BREAKER: BreakerState {
        Closed => Disc Ok "healthy",
        Open => Square Bad "tripped",
        HalfOpen => Ring Info "testing recovery",
        Recovering => Half Warn "recovering",
    }
    BUDGET: BudgetState {
        OnPace => Disc Ok "on pace",
        AheadOfPace => Half Warn "ahead of pace",
        NearlyUsedUp => Triangle Warn "nearly used up",
        UsedUp => Square Bad "used up",
        Refusing => Barred Bad "refusing requests",
        Switched => Half Warn "switched",
    }
    PLAN_WINDOW: PlanWindowState {
        Lasts => Disc Ok "on pace",
        RunsOut => Half Warn "ahead of pace",
        UsedUp => Square Bad "used up",
        NoPace => Ring Muted "pace not known",
        StartedAgain => Ring Muted "started again",
    }
    KEY_EVENT: KeyEvent {
        Added => Disc Muted "added",
        Replaced => Ring Info "replaced",
        Edited => Half Muted "edited",
        Rejected => Barred Bad "not accepted",
        Accepted => Disc Ok "accepted again",
        Expired => Square Warn "expired",
    }
    CACHE_OUTCOME: CacheOutcome {
        Hit => Disc Ok "served from cache",
        Coalesced => Half Ok "shared an identical request in flight",
        Miss => Ring Muted "cache miss",
        Bypass => Dash Muted "cache bypassed",
    }
    CACHE_TIER: CacheTierState {
        On => Disc Ok "on",
        Off => Dash Muted "off",
        Lost => Triangle Warn "unreachable",
    }
    CHECK: CheckStatus {
        Waiting => Ring Muted "waiting",
        Running => Turning Info "running",
        Pass => Disc Ok "passed",
        Warn => Triangle Warn "warning",
        Fail => Barred Bad "failed",
        Skipped => Dash Muted "skipped",
        NotApplicable => Dash Muted "not applicable",
        Crashed => Barred Warn "check crashed",
        Cancelled => Square Muted "cancelled",
    }
    GATEWAY: GatewayState {
        Listening => Disc Ok "running",
        Paused => Square Warn "paused",
        Silent => Barred Bad "not answering",
        Failed => Barred Bad "not running",
    }
    DEPENDENCY: DependencyState {
        Up => Disc Ok "up",
        Degraded => Half Warn "degraded",
        Down => Barred Bad "down",
        Blocked => Square Bad "blocked",
        Unknown => Ring Muted "unknown",
        Offline => Triangle Muted "offline",
        Off => Dash Muted "off",
        NotObserved => Dash Muted "not observed",
    }
    CLIENT: ClientState {
        Active => Disc Ok "active",
        Inactive => Ring Muted "inactive",
        Unused => Ring Muted "never used",
        Expired => Square Warn "expired",
        Blocked => Square Bad "blocked",
    }
    HEALTH: ShownHealth {
        Up => Disc Ok "up",
        Degraded => Half Warn "degraded",
        Down => Barred Bad "down",
        Unknown => Ring Muted "unknown",
        Disabled => Dash Muted "off",
    }
    KEY: KeyState {
        Valid => Disc Ok "valid",
        Unverified => Ring Muted "unverified",
        Rejected => Barred Bad "rejected",
        Expired => Triangle Bad "expired",
        Missing => Triangle Warn "missing",
    }
    KEY_NOTICE: KeyNotice {
        Admin => Triangle Bad "admin key",
        Expired => Barred Bad "expired",
        ExpiresSoon => Triangle Warn "expires soon",
        Old => Triangle Warn "old",
        Unused => Ring Muted "unused",
        BalanceLow => Half Warn "low balance",
        Duplicate => Half Warn "duplicate",
    }
    LEDGER: LedgerStateView {
        Current => Disc Ok "recording",
        Behind => Half Warn "behind",
        Refusing => Barred Bad "not writable",
    }
    PLAYGROUND: PlaygroundState {
        Waiting => Turning Info "waiting",
        Streaming => Turning Info "streaming",
        Complete => Disc Ok "complete",
        Partial => Half Warn "cut short",
        Failed => Barred Bad "failed",
        Cancelled => Square Muted "cancelled",
    }
    REQUEST: RequestState {
        Running => Turning Info "running",
        Complete => Disc Ok "complete",
        Partial => Half Warn "cut short",
        Failed => Barred Bad "failed",
        Cancelled => Square Muted "cancelled",
        Unknown => Ring Muted "unknown",
    }
    RUN_VERDICT: ReadinessVerdict {
        Ready => Disc Ok ReadinessVerdict::Ready.label(),
        ReadyWithWarnings => Triangle Warn ReadinessVerdict::ReadyWithWarnings.label(),
        NotReady => Barred Bad ReadinessVerdict::NotReady.label(),
        NotSetUp => Ring Info ReadinessVerdict::NotSetUp.label(),
    }
    SERVICE_LEVEL: ServiceLevelState {
        Kept => Disc Ok "kept",
        Tight => Half Warn "half used up",
        BurningSlow => Triangle Warn "will be missed",
        BurningFast => Triangle Bad "missed soon",
        Missed => Barred Bad "missed",
        NotEnoughData => Ring Muted "not enough data",
    }
    STRIP_CELL: StripCell {
        Good => Disc Ok "answered",
        Partial => Half Warn "partly down",
        Bad => Barred Bad "down",
        NotObserved => Dash Muted "not observed",
    }
    TEST_STEP: BackendTestStepState {
        Pass => Disc Ok "passed",
        Fail => Barred Bad "failed",
        Skipped => Dash Muted "skipped",
    }
    TOOL_CHECK: ToolCheckOutcome {
        Answers => Disc Ok "answers",
        TokenNotTried => Half Info "token not tried",
        Fails => Barred Bad "fails",
    }
    USAGE_ANOMALY: UsageAnomalyRule {
        Cost => Triangle Warn "cost",
        RequestRate => Triangle Warn "many requests",
        FirstSeen => Ring Info "first seen",
        CacheCollapse => Half Warn "cache not read",
        Loop => Triangle Warn "loop",
    }
    VAULT: VaultStateView {
        Unknown => Ring Muted "not checked yet",
        Ready => Disc Ok "ready",
        Locked => Barred Bad "locked",
        NoCollection => Triangle Warn "no keyring",
        Unavailable => Barred Bad "unavailable",
        Hung => Barred Bad "not responding",
        Damaged => Barred Bad "damaged",
    }
    VERDICT: VerdictLevel {
        Ok => Disc Ok "all clear",
        Unknown => Ring Muted "checking",
        NotSetUp => Ring Info "not set up yet",
        Attention => Triangle Warn "attention",
        Problem => Barred Bad "problem",
    }
    WIRING: WiringState {
        NotInstalled => Dash Muted "not found",
        NotWired => Ring Muted "not connected",
        Wired => Disc Ok "connected",
        TokenNotEntered => Half Warn "token not entered",
        Drifted => Triangle Warn "changed",
        Conflict => Triangle Warn "overridden",
        Broken => Square Bad "unreadable",
    }
}

/// A value that is shown in words, without a symbol.
pub trait Label {
    /// In lower case, as inside a sentence.
    fn label(self) -> &'static str;
}

/// The labels of one enum, for the panel's generated table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelTable {
    pub name: &'static str,
    /// Name of the type in Rust and TypeScript.
    pub value_type: &'static str,
    /// Each value by its word in JSON.
    pub labels: Vec<(String, &'static str)>,
}

macro_rules! labels {
    ($($name:ident: $Value:ident { $($value:ident => $label:literal,)+ })+) => {
        $(
            impl Label for $Value {
                fn label(self) -> &'static str {
                    match self { $($Value::$value => $label),+ }
                }
            }
        )+

        /// All labels, for the panel.
        pub fn label_tables() -> Result<Vec<LabelTable>, serde_json::Error> {
            Ok(vec![$(LabelTable {
                name: stringify!($name),
                value_type: stringify!($Value),
                labels: vec![$((json_word($Value::$value)?, $label)),+],
            }),+])
        }
    };
}

labels! {
    CALLER_WORD: CallerKind {
        Window => "window",
        Panel => "panel in a browser",
        CommandLine => "command line",
        Mcp => "agent",
        Notification => "desktop notification",
    }
    COST_BASIS: CostBasisView {
        Reported => "reported by the provider",
        Computed => "computed from tokens and prices",
        Estimated => "estimated from text length",
        NotBilled => "not billed",
        Unpriced => "usage or price unknown, not included in totals",
    }
    DRIFT_CAUSE_WORD: DriftCause {
        ChangedKeys => "changed",
        ProgramGone => "program gone",
        OtherHome => "other data folder",
        ClientGone => "client is gone",
        OtherAddress => "other address",
    }
    FAILURE_OWNER: FailureOwner {
        Request => "caused by the request",
        Key => "caused by the key",
        Model => "caused by the model",
        Endpoint => "caused by the backend",
        Network => "caused by the network",
        Local => "caused by this machine",
        Client => "caused by the client",
    }
    FORCED_WORD: BreakerOverride {
        Open => "traffic blocked",
        Closed => "traffic allowed",
        MonitorOnly => "monitor only",
        Disabled => "breaker disabled",
    }
    SEVERITY_WORD: CheckSeverity {
        Blocker => "blocker",
        Setup => "setup",
        Major => "major",
        Minor => "minor",
        Info => "info",
    }
    USAGE_BASIS: UsageBasis {
        Reported => "reported by the backend",
        Adjusted => "reported by the backend, adjusted where its numbers did not add up",
        Estimated => "estimated: the backend reported no usage",
    }
    VAULT_KIND_WORD: VaultKind {
        Keychain => "system keychain",
        File => "encrypted file",
        Env => "environment (read-only)",
        Memory => "memory (lost on exit)",
    }
    WASTE_WORD: WasteKind {
        Failed => "failed requests",
        Retries => "retries",
        Health => "health measurements",
        Checks => "readiness checks",
    }
    FAILURE_WORD: FailureClass {
        Local => "this machine",
        Offline => "offline",
        Paused => "machine slept",
        Connect => "no connection",
        Dns => "host not found",
        Tls => "certificate",
        FirstTokenTimeout => "first token too late",
        Stalled => "stalled",
        BadRequest => "bad request",
        ModelMissing => "no such model",
        KeyRejected => "key rejected",
        KeyExpired => "key expired",
        Forbidden => "forbidden",
        Unpaid => "not paid",
        SpendLimit => "spend limit",
        RateLimited => "rate limited",
        Quota => "quota used up",
        Server => "server error",
        Overloaded => "overloaded",
        NonConforming => "unusable answer",
        ConflictOrTimeout => "asked to retry",
        Cancelled => "client left",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_their_json_words_in_the_panels_table() {
        let tables = sign_tables().unwrap();
        let availability = tables.iter().find(|table| table.state_type == "AvailabilityState");
        let availability = availability.expect("a table");
        let (word, sign) = &availability.signs[3];
        assert_eq!((word.as_str(), sign.text()), ("cooling_down", "▲ cooling down".to_owned()));
    }

    #[test]
    fn off_is_a_dash_in_every_table() {
        let tables = sign_tables().unwrap();
        let signs = tables.iter().flat_map(|table| &table.signs).map(|(_, sign)| sign);
        let off: Vec<_> = signs.filter(|sign| sign.word == "off").collect();
        assert_eq!(off.len(), 5);
        assert!(off.iter().all(|sign| sign.shape == Shape::Dash && sign.tone == Tone::Muted));
    }
}
