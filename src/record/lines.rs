//! Where lines end, and which of them hold a second header: read many bytes at a time, since every byte passes here.

use crate::search::masks::{self, STRETCH};

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
    reading: Reading,
}

/// How far the text was read.
#[derive(Debug, Clone, Copy, Default)]
struct Reading {
    at: usize,
    /// Whether the line that is not yet at its end is glued.
    is_glued: bool,
    /// The masks before: what their last bits mark may concern the next bytes.
    newlines: u64,
    opens: u64,
}

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
        // Apart from `self`, so that it stays in registers.
        let mut reading = self.reading;
        if reading.at <= from {
            // A line starts here.
            reading = Reading { at: from, newlines: 1 << 63, ..Reading::default() };
        }
        self.found.clear();
        self.next = 0;
        let stretch = text.get(reading.at..).filter(|rest| !rest.is_empty())?;
        masks::signs(&stretch[..stretch.len().min(STRETCH)], *b"\n[2", |masks| {
            reading.block(text, masks, &mut self.found);
        });
        self.reading = Reading { at: reading.at.min(text.len()), ..reading };
        Some(())
    }
}

impl Reading {
    #[inline]
    fn block(&mut self, text: &[u8], [mut newlines, opens, twos]: [u64; 3], found: &mut Vec<LineEnd>) {
        // `[2`, by the place of its digit; not where the line starts with it.
        let seconds = (opens << 1 | self.opens >> 63) & twos & !(newlines << 2 | self.newlines >> 62);
        let mut heads = if seconds == 0 { 0 } else { self.heads(text, seconds) };
        (self.newlines, self.opens) = (newlines, opens);
        while newlines != 0 {
            let bit = newlines.trailing_zeros();
            let before = (1u64 << bit) - 1;
            found.push(LineEnd { at: self.at + bit as usize, is_glued: self.is_glued || heads & before != 0 });
            self.is_glued = false;
            heads &= !before;
            newlines &= newlines - 1;
        }
        self.is_glued |= heads != 0;
        self.at += masks::BLOCK;
    }

    /// Those of the digits of `[2` behind which a `0` stands.
    fn heads(&self, text: &[u8], mut seconds: u64) -> u64 {
        let mut heads = 0;
        while seconds != 0 {
            let bit = seconds.trailing_zeros();
            heads |= u64::from(text.get(self.at + bit as usize + 1) == Some(&b'0')) << bit;
            seconds &= seconds - 1;
        }
        heads
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
