//! Where the reading of a source goes on: what a run that was before it has left.

use crate::units::Timestamp;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// See the module. The default is the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Start {
    /// Only records whose first byte is here or later.
    pub offset: u64,
    /// Line ends before it.
    pub newlines: u64,
    /// Offset of the source's times, minutes east of UTC, as records before it have it.
    pub zone_minutes: Option<i32>,
    /// Whether the source may still grow: a last line without an end is left for the next time, and so is what it continues.
    pub grows: bool,
}

/// A place in a source that a later run may go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// First byte of a part.
    pub offset: u64,
    /// Line ends before it.
    pub newlines: u64,
    /// Latest time before it, of what was read.
    pub last: Option<Timestamp>,
}

impl Mark {
    /// Bytes between two marks, at least.
    pub(super) const APART: u64 = 32 << 20;
}

impl Start {
    /// The first byte of the text that the first record may need.
    pub fn text_from(self) -> u64 {
        self.offset.saturating_sub(super::window::BEFORE as u64)
    }

    /// What is to be read of a text that begins at byte `base` of the source; the text ends where the range does.
    pub(super) fn own(self, text: &[u8], base: u64) -> Range<usize> {
        let begin = usize::try_from(self.offset.saturating_sub(base)).unwrap_or(usize::MAX).min(text.len());
        begin..begin + self.whole(&text[begin..])
    }

    /// How much of what is new at the end of a source is read.
    pub(super) fn whole(self, new: &[u8]) -> usize {
        if self.grows { memchr::memrchr(b'\n', new).map_or(0, |newline| newline + 1) } else { new.len() }
    }
}
