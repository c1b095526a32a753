//! Where lines end, and which of them hold a second header: read many bytes at a time, since every byte passes here.

use crate::masks;

/// A line that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineEnd {
    /// Where its line end stands.
    pub(super) at: usize,
    /// Whether `[20`, with which a header begins, stands in it anywhere but at its start.
    pub(super) is_glued: bool,
}

/// The line ends of a text, found a stretch at a time.
#[derive(Debug, Default)]
pub(super) struct LineEnds {
    found: Vec<LineEnd>,
    next: usize,
    /// Up to where the text was read.
    read: usize,
    /// Whether the line that was not yet at its end is glued.
    is_glued: bool,
    /// The last bits of the masks before: what they mark may concern the next bytes.
    newlines: u64,
    opens: u64,
}

/// Bytes that are read at once; they stay in the processor's nearest cache until their records are looked at.
const STRETCH: usize = 16 << 10;

impl LineEnds {
    /// The end of the line that starts at `from`; `from` may only grow. None where the text ends before.
    #[inline]
    pub(super) fn of(&mut self, text: &[u8], from: usize) -> Option<LineEnd> {
        loop {
            match self.found.get(self.next) {
                Some(end) if end.at >= from => return Some(*end),
                Some(_) => self.next += 1,
                None => self.read(text, from)?,
            }
        }
    }

    fn read(&mut self, text: &[u8], from: usize) -> Option<()> {
        if self.read <= from {
            // A line starts here.
            *self = Self { found: std::mem::take(&mut self.found), read: from, newlines: 1 << 63, ..Self::default() };
        }
        self.found.clear();
        self.next = 0;
        let stretch = text.get(self.read..).filter(|rest| !rest.is_empty())?;
        let stretch = &stretch[..stretch.len().min(STRETCH)];
        masks::signs(stretch, *b"\n[2", |found| self.block(text, found));
        self.read = self.read.min(text.len());
        Some(())
    }

    #[inline]
    fn block(&mut self, text: &[u8], [mut newlines, opens, twos]: [u64; 3]) {
        // `[2`, by the place of its digit; not where the line starts with it.
        let seconds = (opens << 1 | self.opens >> 63) & twos & !(newlines << 2 | self.newlines >> 62);
        (self.newlines, self.opens) = (newlines, opens);
        let mut heads = 0u64;
        let mut left = seconds;
        while left != 0 {
            let at = left.trailing_zeros();
            if text.get(self.read + at as usize + 1) == Some(&b'0') {
                heads |= 1u64 << at;
            }
            left &= left - 1;
        }
        while newlines != 0 {
            let bit = newlines.trailing_zeros();
            let before = (1u64 << bit) - 1;
            let is_glued = self.is_glued || heads & before != 0;
            self.found.push(LineEnd { at: self.read + bit as usize, is_glued });
            self.is_glued = false;
            heads &= !before;
            newlines &= newlines - 1;
        }
        self.is_glued |= heads != 0;
        self.read += masks::BLOCK;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same, line by line.
    fn plainly(text: &[u8], from: usize) -> Option<LineEnd> {
        let line = &text[from..];
        let length = line.iter().position(|byte| *byte == b'\n')?;
        let is_glued = line[..length].windows(3).skip(1).any(|three| three == b"[20");
        Some(LineEnd { at: from + length, is_glued })
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_plain_way(
            pieces in prop::collection::vec("\\[20|\\[2|[20\\[]{1,3}|[a-z ]{1,90}|\n{1,2}|[a-z]{16300,16500}", 0..60),
            skips in prop::collection::vec(0usize..4, 1..8),
        ) {
            let text = pieces.concat().into_bytes();
            let starts: Vec<usize> =
                [0].into_iter().chain(memchr::memchr_iter(b'\n', &text).map(|newline| newline + 1)).collect();
            let mut ends = LineEnds::default();
            let mut line = 0;
            for skip in skips.iter().cycle() {
                line += skip;
                let Some(start) = starts.get(line) else { break };
                prop_assert_eq!(ends.of(&text, *start), plainly(&text, *start));
                line += 1;
            }
        }
    }
}
