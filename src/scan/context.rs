//! Which records may be context of what is implicated: a test of raw bytes that costs the same for one region as for a million.

use crate::event::{Event, Implicated, may_describe};
use rustc_hash::FxHashSet;

/// What is implicated, and a quick test for it.
#[derive(Debug)]
pub(super) struct ContextSearch {
    implicated: Implicated,
    ids: FxHashSet<u64>,
    /// Digits of the shortest and the longest id.
    shortest: usize,
    longest: usize,
}

impl ContextSearch {
    pub(super) fn new(implicated: Implicated) -> Self {
        let digits = |id: u64| id.checked_ilog10().map_or(1, |log| log as usize + 1);
        let ids: FxHashSet<u64> = implicated.regions.iter().map(|id| id.0).collect();
        let lengths = || ids.iter().map(|id| digits(*id));
        let (shortest, longest) = (lengths().min().unwrap_or(1), lengths().max().unwrap_or(0));
        Self { implicated, ids, shortest, longest }
    }

    /// Whether a record may be wanted: it holds the number of a region, or keys where keys are implicated.
    pub(super) fn may(&self, record: &[u8]) -> bool {
        self.holds_id(record) || (!self.implicated.ranges.is_empty() && may_describe(record))
    }

    /// Whether an event of a context rule is wanted.
    pub(super) fn wants(&self, event: &Event) -> bool {
        self.implicated.wants(event)
    }

    /// Numbers of `shortest` digits and more cover every such step of the text: nothing between is looked at.
    fn holds_id(&self, text: &[u8]) -> bool {
        let mut at = self.shortest - 1;
        while let Some(byte) = text.get(at) {
            if !byte.is_ascii_digit() {
                at += self.shortest;
                continue;
            }
            let start = at - text[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            let digits = text[start..].iter().take_while(|byte| byte.is_ascii_digit());
            let (mut id, mut length) = (0u64, 0);
            for digit in digits {
                id = id.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
                length += 1;
            }
            if (self.shortest..=self.longest).contains(&length) && self.ids.contains(&id) {
                return true;
            }
            at = start + length + self.shortest;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::RegionId;

    fn search(ids: &[u64]) -> ContextSearch {
        ContextSearch::new(Implicated { regions: ids.iter().copied().map(RegionId).collect(), ..Implicated::default() })
    }

    #[test]
    fn whole_numbers_are_found_wherever_they_stand() {
        for ids in [&[94812][..], &[7, 94812], &[94812, 1_234_567_890_123]] {
            for (text, holds) in [
                ("94812", true),
                ("[region_id=94812]", true),
                ("x94812 194812", true),
                ("[from=1] [to=948120] [region_id=194812]", false),
                ("9481", false),
                ("", false),
                ("region 1 in 94812", true),
                ("7480000000000000FF6F5F728000000000FF94812A", true),
            ] {
                assert_eq!(search(ids).may(text.as_bytes()), holds, "{text}");
            }
        }
        assert!(!search(&[]).may(b"region 94812"));
    }

    #[test]
    fn keys_count_where_keys_are_implicated() {
        let range = crate::event::KeyRange { start: "74".into(), end: "75".into() };
        let search = ContextSearch::new(Implicated { ranges: [range].into(), ..Implicated::default() });
        assert!(search.may(b"region id: 5 start_key: 74 end_key: 75"));
        assert!(!search.may(b"region id: 5"));
    }
}
