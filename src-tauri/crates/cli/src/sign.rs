//! The symbol, word and tone of every state, defined once. A state is never shown by colour alone.

use control::view::{
    AvailabilityState, BackendTestStepState, CacheTierState, CheckStateView, GatewayState,
    HealthStateView, KeyStateView, ReadinessVerdictView, RequestStateView, VaultStateView,
    VerdictLevel,
};

/// The meaning of a piece of text; a terminal may show it by colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Strong,
    Muted,
    Good,
    /// Needs attention.
    Warn,
    /// Does not work.
    Bad,
}

/// A state as it is displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sign {
    pub(crate) shape: char,
    pub(crate) word: &'static str,
    pub(crate) tone: Tone,
}

const DISC: char = '●';
const HALF: char = '◐';
const RING: char = '○';
const TRIANGLE: char = '▲';
const SQUARE: char = '■';
const BAR: char = '▬';
const DASH: char = '–';

impl Sign {
    const fn of(shape: char, word: &'static str, tone: Tone) -> Self {
        Self { shape, word, tone }
    }

    /// Shape and word in one string.
    pub(crate) fn text(self) -> String {
        format!("{} {}", self.shape, self.word)
    }
}

impl From<HealthStateView> for Sign {
    fn from(state: HealthStateView) -> Self {
        match state {
            HealthStateView::Up => Self::of(DISC, "up", Tone::Good),
            HealthStateView::Down => Self::of(BAR, "down", Tone::Bad),
            HealthStateView::Unknown => Self::of(RING, "unknown", Tone::Muted),
            HealthStateView::Disabled => Self::of(SQUARE, "off", Tone::Muted),
        }
    }
}

impl From<AvailabilityState> for Sign {
    fn from(state: AvailabilityState) -> Self {
        match state {
            AvailabilityState::Ready => Self::of(DISC, "healthy", Tone::Good),
            AvailabilityState::Recovering => Self::of(HALF, "recovering", Tone::Warn),
            AvailabilityState::Trial => Self::of(HALF, "testing recovery", Tone::Warn),
            AvailabilityState::CoolingDown => Self::of(TRIANGLE, "cooling down", Tone::Warn),
            AvailabilityState::Open => Self::of(BAR, "tripped", Tone::Bad),
            AvailabilityState::Blocked => Self::of(BAR, "blocked", Tone::Bad),
            AvailabilityState::Held => Self::of(BAR, "blocked manually", Tone::Warn),
            AvailabilityState::Off => Self::of(SQUARE, "off", Tone::Muted),
            AvailabilityState::Removed => Self::of(BAR, "no longer exists", Tone::Bad),
        }
    }
}

impl From<KeyStateView> for Sign {
    fn from(state: KeyStateView) -> Self {
        match state {
            KeyStateView::Valid => Self::of(DISC, "valid", Tone::Good),
            KeyStateView::Unverified => Self::of(RING, "unverified", Tone::Muted),
            KeyStateView::Rejected => Self::of(BAR, "rejected", Tone::Bad),
            KeyStateView::Missing => Self::of(TRIANGLE, "missing", Tone::Warn),
        }
    }
}

impl From<RequestStateView> for Sign {
    fn from(state: RequestStateView) -> Self {
        match state {
            RequestStateView::Running => Self::of(HALF, "running", Tone::Plain),
            RequestStateView::Complete => Self::of(DISC, "complete", Tone::Good),
            RequestStateView::Partial => Self::of(HALF, "cut short", Tone::Warn),
            RequestStateView::Failed => Self::of(BAR, "failed", Tone::Bad),
            RequestStateView::Cancelled => Self::of(SQUARE, "cancelled", Tone::Muted),
            RequestStateView::Unknown => Self::of(RING, "unknown", Tone::Muted),
        }
    }
}

impl From<CheckStateView> for Sign {
    fn from(state: CheckStateView) -> Self {
        match state {
            CheckStateView::Waiting => Self::of(RING, "waiting", Tone::Muted),
            CheckStateView::Running => Self::of(HALF, "running", Tone::Plain),
            CheckStateView::Pass => Self::of(DISC, "passed", Tone::Good),
            CheckStateView::Warn => Self::of(TRIANGLE, "warning", Tone::Warn),
            CheckStateView::Fail => Self::of(BAR, "failed", Tone::Bad),
            CheckStateView::Skipped => Self::of(DASH, "skipped", Tone::Muted),
            CheckStateView::NotApplicable => Self::of(DASH, "not applicable", Tone::Muted),
            CheckStateView::Crashed => Self::of(BAR, "check crashed", Tone::Warn),
            CheckStateView::Cancelled => Self::of(SQUARE, "cancelled", Tone::Muted),
        }
    }
}

impl From<CacheTierState> for Sign {
    fn from(state: CacheTierState) -> Self {
        match state {
            CacheTierState::On => Self::of(DISC, "on", Tone::Good),
            CacheTierState::Off => Self::of(SQUARE, "off", Tone::Muted),
            CacheTierState::Lost => Self::of(BAR, "unreachable", Tone::Bad),
        }
    }
}

impl From<BackendTestStepState> for Sign {
    fn from(state: BackendTestStepState) -> Self {
        match state {
            BackendTestStepState::Pass => Self::of(DISC, "passed", Tone::Good),
            BackendTestStepState::Fail => Self::of(BAR, "failed", Tone::Bad),
            BackendTestStepState::Skipped => Self::of(DASH, "skipped", Tone::Muted),
        }
    }
}

impl From<VerdictLevel> for Sign {
    fn from(level: VerdictLevel) -> Self {
        match level {
            VerdictLevel::Ok => Self::of(DISC, "ok", Tone::Good),
            VerdictLevel::Unknown => Self::of(RING, "checking", Tone::Muted),
            VerdictLevel::Attention => Self::of(TRIANGLE, "attention", Tone::Warn),
            VerdictLevel::Problem => Self::of(BAR, "problem", Tone::Bad),
        }
    }
}

impl From<ReadinessVerdictView> for Sign {
    fn from(verdict: ReadinessVerdictView) -> Self {
        match verdict {
            ReadinessVerdictView::Ready => Self::of(DISC, "ready", Tone::Good),
            ReadinessVerdictView::ReadyWithWarnings => {
                Self::of(TRIANGLE, "ready with warnings", Tone::Warn)
            }
            ReadinessVerdictView::NotReady => Self::of(BAR, "not ready", Tone::Bad),
        }
    }
}

impl From<GatewayState> for Sign {
    fn from(state: GatewayState) -> Self {
        match state {
            GatewayState::Listening => Self::of(DISC, "running", Tone::Good),
            GatewayState::Failed => Self::of(SQUARE, "not running", Tone::Bad),
        }
    }
}

impl From<VaultStateView> for Sign {
    fn from(state: VaultStateView) -> Self {
        match state {
            VaultStateView::Unknown => Self::of(RING, "not checked yet", Tone::Muted),
            VaultStateView::Ready => Self::of(DISC, "ready", Tone::Good),
            VaultStateView::Locked => Self::of(TRIANGLE, "locked", Tone::Warn),
            VaultStateView::NoCollection => Self::of(TRIANGLE, "no keyring", Tone::Warn),
            VaultStateView::Unavailable => Self::of(BAR, "unavailable", Tone::Bad),
            VaultStateView::Hung => Self::of(BAR, "not responding", Tone::Bad),
            VaultStateView::Damaged => Self::of(BAR, "damaged", Tone::Bad),
        }
    }
}
