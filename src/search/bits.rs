//! A set of hashes as bits: a look at it costs the same for one member as for thousands. It may hold what was not put in, never
//! the other way round.

/// Bits of a hash.
pub(crate) const LOG: u32 = 16;

/// A hash of a word.
#[inline]
pub(crate) fn hash(word: u64) -> u32 {
    (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - LOG)) as u32
}

/// A set of such hashes.
#[derive(Debug)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub(crate) fn new() -> Self {
        Self(vec![0; 1 << (LOG - 6)])
    }

    pub(crate) fn set(&mut self, hash: u32) {
        self.0[(hash >> 6) as usize] |= 1 << (hash & 63);
    }

    #[inline]
    pub(crate) fn has(&self, hash: u32) -> bool {
        self.0[(hash >> 6) as usize] >> (hash & 63) & 1 == 1
    }
}
