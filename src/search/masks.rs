//! Which bytes of a text are something, as a bit for each of 64 bytes at a time: by vectors where the processor has them.

/// Bytes of a block.
pub(crate) const BLOCK: usize = 64;
/// Bytes to be read at once: they stay near the processor until what was found in them is looked at.
pub(crate) const STRETCH: usize = 16 << 10;

/// Hands on where the signs stand in each block of a text, in order; the last block is filled up with zeros.
pub(crate) fn signs<const N: usize>(text: &[u8], signs: [u8; N], take: impl FnMut([u64; N])) {
    #[cfg(target_arch = "x86_64")]
    if avx2::is_there() {
        // SAFETY: the processor has what `avx2` needs.
        #[allow(unsafe_code, reason = "the features of a processor are known when the program runs")]
        return unsafe { avx2::signs(text, signs, take) };
    }
    blocks(text, |block| signs.map(|sign| plain::sign(block, sign)), take);
}

/// Hands on where digits stand in each block of a text, in order; the last block is filled up with zeros.
pub(crate) fn digits(text: &[u8], take: impl FnMut(u64)) {
    #[cfg(target_arch = "x86_64")]
    if avx2::is_there() {
        // SAFETY: the processor has what `avx2` needs.
        #[allow(unsafe_code, reason = "the features of a processor are known when the program runs")]
        return unsafe { avx2::digits(text, take) };
    }
    blocks(text, plain::digits, take);
}

fn blocks<M>(text: &[u8], mask: impl Fn(&[u8; BLOCK]) -> M, mut take: impl FnMut(M)) {
    let (blocks, rest) = text.as_chunks();
    for block in blocks.iter().chain(&filled(rest)) {
        take(mask(block));
    }
}

/// The last bytes of a text as a block, where there are any.
fn filled(rest: &[u8]) -> Option<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    (!rest.is_empty()).then_some(block)
}

/// Eight bytes at a time, for any processor.
mod plain {
    use super::BLOCK;

    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f * ONES;
    const HIGH: u64 = 0x80 * ONES;

    pub(super) fn sign(block: &[u8; BLOCK], sign: u8) -> u64 {
        mask(block, |word| {
            let other = word ^ (ONES * u64::from(sign));
            !(((other & LOW) + LOW) | other) & HIGH
        })
    }

    pub(super) fn digits(block: &[u8; BLOCK]) -> u64 {
        mask(block, |word| {
            let from_zero = (word & LOW) + (0x80 - u64::from(b'0')) * ONES;
            let behind_nine = (word & LOW) + (0x7f - u64::from(b'9')) * ONES;
            from_zero & !behind_nine & !word & HIGH
        })
    }

    /// One bit of each byte out of the high bits of `test`.
    fn mask(block: &[u8; BLOCK], test: impl Fn(u64) -> u64) -> u64 {
        block.as_chunks::<8>().0.iter().rev().fold(0, |mask, bytes| {
            let found = test(u64::from_le_bytes(*bytes)) >> 7;
            mask << 8 | found.wrapping_mul(0x0102_0408_1020_4080) >> 56
        })
    }
}

/// Thirty-two bytes at a time. No closure holds a vector: it would not become part of its caller.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{BLOCK, filled};
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi8, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_movemask_epi8, _mm256_set_epi64x,
        _mm256_set1_epi8,
    };

    /// Whether the processor has AVX2, and what came with it.
    pub(super) fn is_there() -> bool {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2")
    }

    #[target_feature(enable = "avx2,bmi1,bmi2")]
    pub(super) fn signs<const N: usize>(text: &[u8], signs: [u8; N], mut take: impl FnMut([u64; N])) {
        let (blocks, rest) = text.as_chunks();
        for block in blocks.iter().chain(&filled(rest)) {
            take(signs_of(block, signs));
        }
    }

    #[target_feature(enable = "avx2,bmi1,bmi2")]
    pub(super) fn digits(text: &[u8], mut take: impl FnMut(u64)) {
        let (blocks, rest) = text.as_chunks();
        for block in blocks.iter().chain(&filled(rest)) {
            take(digits_of(block));
        }
    }

    #[target_feature(enable = "avx2,bmi1,bmi2")]
    #[inline]
    fn signs_of<const N: usize>(block: &[u8; BLOCK], signs: [u8; N]) -> [u64; N] {
        let (low, high) = halves(block);
        let mut masks = [0; N];
        for (mask, sign) in masks.iter_mut().zip(signs) {
            let sign = _mm256_set1_epi8(sign as i8);
            *mask = bits(_mm256_cmpeq_epi8(low, sign), _mm256_cmpeq_epi8(high, sign));
        }
        masks
    }

    #[target_feature(enable = "avx2,bmi1,bmi2")]
    #[inline]
    fn digits_of(block: &[u8; BLOCK]) -> u64 {
        let (low, high) = halves(block);
        // Moved so that the digits are the ten lowest of all signed bytes.
        let moved = _mm256_set1_epi8((0x80 - b'0') as i8);
        let behind = _mm256_set1_epi8(i8::MIN + 10);
        bits(
            _mm256_cmpgt_epi8(behind, _mm256_add_epi8(low, moved)),
            _mm256_cmpgt_epi8(behind, _mm256_add_epi8(high, moved)),
        )
    }

    #[target_feature(enable = "avx2,bmi1,bmi2")]
    #[inline]
    fn halves(block: &[u8; BLOCK]) -> (__m256i, __m256i) {
        let (words, _) = block.as_chunks();
        let word = |at: usize| i64::from_le_bytes(words[at]);
        (_mm256_set_epi64x(word(3), word(2), word(1), word(0)), _mm256_set_epi64x(word(7), word(6), word(5), word(4)))
    }

    #[target_feature(enable = "avx2,bmi1,bmi2")]
    #[inline]
    fn bits(low: __m256i, high: __m256i) -> u64 {
        u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_way_finds_the_same(text in prop::collection::vec(any::<u8>(), 0..300), some in any::<[u8; 2]>()) {
            let plainly = |is: &dyn Fn(u8) -> bool| -> Vec<u64> {
                let mask = |block: &[u8]| block.iter().rev().fold(0, |mask, byte| mask << 1 | u64::from(is(*byte)));
                text.chunks(BLOCK).map(mask).collect()
            };
            let wanted = text.first().copied().unwrap_or(1).max(1);
            let wanted = [wanted, some[0].max(1), some[1].max(1)];
            let (mut here, mut anywhere) = (Vec::new(), Vec::new());
            signs(&text, wanted, |masks| here.push(masks));
            blocks(&text, |block| wanted.map(|sign| plain::sign(block, sign)), |masks| anywhere.push(masks));
            prop_assert_eq!(&here, &anywhere);
            for (at, sign) in wanted.into_iter().enumerate() {
                let found: Vec<u64> = here.iter().map(|masks| masks[at]).collect();
                prop_assert_eq!(found, plainly(&|byte| byte == sign));
            }
            let (mut here, mut anywhere) = (Vec::new(), Vec::new());
            digits(&text, |mask| here.push(mask));
            blocks(&text, plain::digits, |mask| anywhere.push(mask));
            prop_assert_eq!(&here, &anywhere);
            prop_assert_eq!(here, plainly(&|byte| byte.is_ascii_digit()));
        }
    }
}
