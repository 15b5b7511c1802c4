//! The meaning of a piece of text; a terminal may show it by colour.

pub(crate) use control::{Shape, Sign};

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

/// What a sentence says of something, shown by the symbol before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Done,
    Attention,
    Failed,
}

impl Mark {
    pub(crate) const fn tone(self) -> Tone {
        match self {
            Self::Done => Tone::Good,
            Self::Attention => Tone::Warn,
            Self::Failed => Tone::Bad,
        }
    }

    /// The sentence with the symbol before it.
    pub(crate) fn before(self, sentence: &str) -> String {
        let shape = match self {
            Self::Done => Shape::Disc,
            Self::Attention => Shape::Triangle,
            Self::Failed => Shape::Barred,
        };
        format!("{} {sentence}", shape.symbol())
    }
}
