//! The outcome of a probe, as breakers count it.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOutcome {
    Passed,
    Failed,
}
