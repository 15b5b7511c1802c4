//! The meaning of a piece of text; a terminal may show it by colour.

pub(crate) use control::Sign;

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

impl From<control::Tone> for Tone {
    fn from(tone: control::Tone) -> Self {
        match tone {
            control::Tone::Ok => Self::Good,
            control::Tone::Warn => Self::Warn,
            control::Tone::Bad => Self::Bad,
            control::Tone::Info => Self::Plain,
            control::Tone::Muted => Self::Muted,
        }
    }
}
