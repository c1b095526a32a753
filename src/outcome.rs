//! How a run ended: the exit status.

/// Exit status of a run; the worse of two wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Done, nothing at or above `--fail-on`.
    Done,
    /// Done, something at or above `--fail-on`.
    Found,
    /// Done, but some input could not be read; the report names it.
    Incomplete,
    /// Wrong usage, or no readable input.
    Unusable,
}

impl Outcome {
    /// The number that the process exits with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Found => 1,
            Self::Unusable => 2,
            Self::Incomplete => 3,
        }
    }
}
