//! Whole decimal numbers in text, found 64 bytes at a time.

/// Bytes of a block: one bit each in a mask.
const BLOCK: usize = 64;
/// Digits that one word holds.
const WORD: usize = 8;

/// The last digit of the first number that begins at or behind `from`, has at least `shortest` digits, and is wanted.
/// A number that `from` cuts counts from there. Numbers beyond 64 bits wrap; nobody wants them.
pub(super) fn find(text: &[u8], from: usize, shortest: usize, is_wanted: impl Fn(u64, usize) -> bool) -> Option<usize> {
    let mut base = from;
    // No number begins before the end of the last one that was looked at.
    let mut done = from;
    while base < text.len() {
        let digits = mask(text, base);
        let mut starts = runs(digits, shortest.min(BLOCK / 2));
        while starts != 0 {
            let bit = starts.trailing_zeros() as usize;
            let length = (digits >> bit).trailing_ones() as usize;
            // This number's other bits.
            starts &= u64::MAX.checked_shl((bit + length) as u32).unwrap_or(0);
            let begin = base + bit;
            if begin < done {
                continue;
            }
            let (number, length) = match text.get(begin..begin + WORD) {
                Some(word) if length <= WORD && bit + length < BLOCK => (short(word, length), length),
                _ => long(&text[begin..]),
            };
            done = begin + length;
            if length >= shortest && is_wanted(number, length) {
                return Some(done - 1);
            }
        }
        // A number at the block's end is looked at again from its beginning, unless that was done.
        let open = digits.leading_ones() as usize;
        base = (base + BLOCK - open.min(BLOCK - 1)).max(done.min(base + BLOCK));
    }
    None
}

/// Which of the 64 bytes from `base` on are digits; what is behind the text is none.
#[inline]
fn mask(text: &[u8], base: usize) -> u64 {
    let rest = &text[base..];
    let Some(block) = rest.first_chunk::<BLOCK>() else {
        let mut block = [0; BLOCK];
        block[..rest.len()].copy_from_slice(rest);
        return of_block(&block);
    };
    of_block(block)
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[expect(unsafe_code, reason = "without vectors a pass over a log takes half as long again")]
fn of_block(block: &[u8; BLOCK]) -> u64 {
    // SAFETY: SSE2 is all that `of_vectors` needs, and is part of x86-64.
    unsafe { of_vectors(block) }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "sse2")]
fn of_vectors(block: &[u8; BLOCK]) -> u64 {
    use std::arch::x86_64::{_mm_add_epi8, _mm_cmplt_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
    // Signed bytes are compared: digits become the ten least of them.
    let (shift, limit) = (_mm_set1_epi8(i8::MIN.wrapping_sub_unsigned(b'0')), _mm_set1_epi8(i8::MIN + 10));
    let (words, _) = block.as_chunks::<8>();
    let (pairs, _) = words.as_chunks::<2>();
    let mut mask = 0;
    for (at, [low, high]) in pairs.iter().enumerate() {
        let bytes = _mm_set_epi64x(i64::from_le_bytes(*high), i64::from_le_bytes(*low));
        let bits = _mm_movemask_epi8(_mm_cmplt_epi8(_mm_add_epi8(bytes, shift), limit));
        mask |= u64::from(bits as u16) << (at * 16);
    }
    mask
}

#[cfg(not(target_arch = "x86_64"))]
fn of_block(block: &[u8; BLOCK]) -> u64 {
    block.iter().enumerate().fold(0, |mask, (at, byte)| mask | u64::from(byte.is_ascii_digit()) << at)
}

/// Where `length` set bits in a row begin; a run that the end cuts counts, since it may go on.
#[inline]
fn runs(mask: u64, length: usize) -> u64 {
    let (mut all, mut have) = (mask, 1);
    while have < length {
        let step = have.min(length - have);
        // Ones come in from behind the end.
        all &= !(!all >> step);
        have += step;
    }
    all
}

/// The number in the first digits of a word.
#[inline]
fn short(word: &[u8], length: usize) -> u64 {
    let word = word.first_chunk::<WORD>().map_or(0, |word| u64::from_le_bytes(*word));
    // The digits move to the word's end, zeros come before them.
    let digits = (word & 0x0f0f_0f0f_0f0f_0f0f).checked_shl(((WORD - length) * 8) as u32).unwrap_or(0);
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (fours * 10_000 + (fours >> 32)) & 0xffff_ffff
}

/// The number at the start of a text, and its length.
fn long(text: &[u8]) -> (u64, usize) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold((0u64, 0), |(number, length), digit| {
        (number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')), length + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same, byte by byte.
    fn plainly(text: &[u8], from: usize, shortest: usize, wanted: &[u64]) -> Option<usize> {
        let mut at = from;
        while at < text.len() {
            let (number, length) = long(&text[at..]);
            if length >= shortest.max(1) && wanted.contains(&number) {
                return Some(at + length - 1);
            }
            at += length.max(1);
        }
        None
    }

    proptest! {
        #[test]
        fn agrees_with_the_plain_way(
            text in "([0-9]{1,9}|[0-9]{10,90}|[ a-z=\\[\\]/:,]{1,40}){0,30}",
            from in 0usize..40,
            shortest in 1usize..9,
            pick in any::<prop::sample::Index>(),
        ) {
            let text = text.as_bytes();
            let numbers: Vec<u64> = text
                .split(|byte| !byte.is_ascii_digit())
                .filter(|number| !number.is_empty())
                .map(|number| long(number).0)
                .collect();
            let wanted = if numbers.is_empty() { vec![] } else { vec![numbers[pick.index(numbers.len())]] };
            let found = find(text, from.min(text.len()), shortest, |number, _| wanted.contains(&number));
            prop_assert_eq!(found, plainly(text, from.min(text.len()), shortest, &wanted));
        }
    }
}
