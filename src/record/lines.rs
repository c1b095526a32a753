//! Where lines end, and which of them hold a second header: read many bytes at a time, since every byte passes here.

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
        let (blocks, rest) = stretch[..stretch.len().min(STRETCH)].as_chunks::<64>();
        self.blocks(text, blocks);
        if self.read + rest.len() == text.len() {
            let mut block = [0; 64];
            block[..rest.len()].copy_from_slice(rest);
            self.block(text, masks(&block));
            self.read = text.len();
        }
        Some(())
    }

    fn blocks(&mut self, text: &[u8], blocks: &[[u8; 64]]) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            #[allow(unsafe_code, reason = "half the instructions for every byte of every log")]
            return unsafe { self.blocks_avx2(text, blocks) };
        }
        blocks.iter().for_each(|block| self.block(text, masks(block)));
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn blocks_avx2(&mut self, text: &[u8], blocks: &[[u8; 64]]) {
        for block in blocks {
            self.block(text, masks_avx2(block));
        }
    }

    #[inline]
    fn block(&mut self, text: &[u8], [mut newlines, opens, twos]: Masks) {
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
        self.read += 64;
    }
}

/// Which of 64 bytes are a line end, which `[`, which `2`: a bit for each byte.
type Masks = [u64; 3];
const SIGNS: [u8; 3] = *b"\n[2";

#[inline]
fn masks(block: &[u8; 64]) -> Masks {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f * ONES;
    SIGNS.map(|sign| {
        block.as_chunks::<8>().0.iter().rev().fold(0, |mask, bytes| {
            let other = u64::from_le_bytes(*bytes) ^ (ONES * u64::from(sign));
            // The high bit of each byte that is the sign, then all of them side by side.
            let found = !(((other & LOW) + LOW) | other | LOW) >> 7;
            mask << 8 | found.wrapping_mul(0x0102_0408_1020_4080) >> 56
        })
    })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn masks_avx2(block: &[u8; 64]) -> Masks {
    use std::arch::x86_64::{__m256i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_set_epi64x, _mm256_set1_epi8};
    let half = |bytes: &[u8; 32]| -> __m256i {
        let [a, b, c, d] = *bytes.as_chunks::<8>().0 else { unreachable!("32 bytes are four times eight") };
        let [a, b, c, d] = [a, b, c, d].map(i64::from_le_bytes);
        _mm256_set_epi64x(d, c, b, a)
    };
    let (halves, _) = block.as_chunks::<32>();
    let found = |half: __m256i, sign: u8| {
        u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(half, _mm256_set1_epi8(sign as i8))) as u32)
    };
    let (low, high) = (half(&halves[0]), half(&halves[1]));
    SIGNS.map(|sign| found(low, sign) | found(high, sign) << 32)
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

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn both_ways_to_the_masks_agree() {
        let mut block = [0; 64];
        for (at, byte) in (0..=u8::MAX).chain(b"\n[2\n\n[22[2\x8a\xdb\xb2".repeat(40)).enumerate() {
            block[at * 7 % 64] = byte;
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has AVX2.
                #[allow(unsafe_code, reason = "as above")]
                let fast = unsafe { masks_avx2(&block) };
                assert_eq!(fast, masks(&block), "{block:?}");
            }
        }
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
