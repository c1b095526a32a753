//! Text of a source that is in memory, and the part of it whose records are wanted.

use crate::record::MAX_RECORD;
use std::ops::Range;

/// A piece of a source: `text` begins at byte `base` of it.
#[derive(Debug, Clone, Copy)]
pub struct Window<'t> {
    /// The bytes.
    pub text: &'t [u8],
    /// Where they begin in the source.
    pub base: u64,
}

/// Bytes of one part of a source: the unit of work.
pub(super) const PART: usize = 2 << 20;

impl Window<'_> {
    /// Cuts a range of the window into parts of about `PART` bytes. The cuts do not show in the results.
    pub(super) fn parts(own: Range<usize>) -> Vec<Range<usize>> {
        let count = own.len().div_ceil(PART).max(1);
        (0..count).map(|at| own.start + at * PART..own.end.min(own.start + (at + 1) * PART)).collect()
    }
}

/// Text before a part that its records may need.
pub(super) const BEFORE: usize = MAX_RECORD;
/// Text behind a part that its records may need: the last one's own, and the line that ends it.
pub(super) const BEHIND: usize = 2 * MAX_RECORD;
