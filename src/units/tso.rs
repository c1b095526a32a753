//! TSO: PD's 64-bit timestamp, milliseconds since the Unix epoch in the upper 46 bits.

use super::Timestamp;
use serde::{Deserialize, Serialize};

/// A timestamp of PD's oracle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tso(pub u64);

impl Tso {
    /// 2015-01-01, before TiDB had users: anything smaller is an id, not a time.
    const EARLIEST: u64 = 372_262_934_937_600_000;
    /// 2040-01-01. The default `end-ts` of a task (999999999999999999, "no end") lies beyond.
    const LATEST: u64 = 579_073_159_987_200_000;
    const LOGICAL_BITS: u32 = 18;

    /// Whether the number can be a TSO of a real cluster, rather than an id that looks like one.
    pub const fn is_plausible(self) -> bool {
        self.0 >= Self::EARLIEST && self.0 < Self::LATEST
    }

    /// The wall-clock part.
    pub const fn time(self) -> Timestamp {
        Timestamp((self.0 >> Self::LOGICAL_BITS) as i64)
    }

    /// The counter within the millisecond.
    pub const fn logical(self) -> u64 {
        self.0 & ((1 << Self::LOGICAL_BITS) - 1)
    }

    /// The first TSO of a millisecond.
    pub const fn from_time(time: Timestamp) -> Self {
        Self((time.0 as u64) << Self::LOGICAL_BITS)
    }
}

impl std::fmt::Display for Tso {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Tso {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::Tso;

    #[test]
    fn decodes_wall_clock_and_counter() {
        let checkpoint = Tso(434_834_088_949_972_992);
        assert_eq!(checkpoint.time().to_string(), "2022-07-25T14:46:50.118Z");
        assert_eq!(checkpoint.logical(), 0);
        assert_eq!(Tso(433_176_834_542_665_736).logical(), 8);
        assert_eq!(Tso::from_time(checkpoint.time()), checkpoint);
    }

    #[test]
    fn no_end_is_no_time() {
        assert!(!Tso(999_999_999_999_999_999).is_plausible());
        assert!(!Tso(94_812).is_plausible());
        assert!(Tso(434_834_088_949_972_992).is_plausible());
    }
}
