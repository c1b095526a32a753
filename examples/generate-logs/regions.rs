//! The regions of the store that writes: ids and keys as text, ready to be copied.

/// How many regions the store has.
pub(crate) const COUNT: u64 = 20_000;
/// The few regions that the signals of a calm log name.
pub(crate) const HANDFUL: u64 = 5;

/// One region with its peers on stores 1, 4 and 5.
#[derive(Debug)]
pub(crate) struct Region {
    /// The first id; the peers have the next three.
    pub(crate) id: u64,
    /// Start key, 54 hex digits.
    pub(crate) start: [u8; 54],
    /// End key.
    pub(crate) end: [u8; 54],
    /// Raft term.
    pub(crate) term: u64,
    /// Epoch version.
    pub(crate) version: u64,
}

/// All regions of the store, neighbours side by side.
pub(crate) fn all() -> Vec<Region> {
    (0..COUNT)
        .map(|n| Region { id: 100_004 + n * 4, start: key(n), end: key(n + 1), term: 6 + n % 9, version: 17 + n % 61 })
        .collect()
}

/// Row `n * 40001 + 1` of table 81 as a memory-comparable key: groups of 8 bytes, each closed by a marker.
fn key(n: u64) -> [u8; 54] {
    let mut key = *b"7480000000000000FF515F728000000000FF0000000000000000FA";
    let row = n * 40_001 + 1;
    // The upper five bytes of the row end the second group, the lower three begin the last.
    for (digit, at) in (32..34).chain(36..42).enumerate() {
        key[at] = b"0123456789ABCDEF"[(row >> (28 - 4 * digit)) as usize & 15];
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_key() {
        let regions = all();
        assert_eq!(regions[0].start, *b"7480000000000000FF515F728000000000FF0000010000000000FA");
        assert!(regions.windows(2).all(|pair| pair[0].end == pair[1].start && pair[0].start < pair[0].end));
    }
}
