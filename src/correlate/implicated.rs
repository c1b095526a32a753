//! Which regions the report is about: those that events implicate, and from there merge partners and split children.

use super::keymap::KeyMap;
use super::merges::{merge_of, split_of};
use crate::event::{Event, KeyRange};
use crate::units::{RegionId, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;

/// Gathers them, event by event.
#[derive(Debug, Default)]
pub(super) struct Implicated {
    named: FxHashSet<RegionId>,
    ranges: FxHashSet<(KeyRange, Option<Timestamp>)>,
    partners: FxHashSet<(RegionId, RegionId)>,
}

impl Implicated {
    /// Most key ranges that are looked up.
    const MOST_RANGES: usize = 100_000;
    /// How far merges and splits are followed.
    const STEPS: usize = 2;

    /// Takes an event.
    pub(super) fn take(&mut self, event: &Event) {
        if event.implicates {
            self.named.extend(&event.regions);
            for range in &event.ranges {
                if self.ranges.len() < Self::MOST_RANGES {
                    self.ranges.insert((range.clone(), event.time));
                }
            }
        }
        if let Some(merge) = merge_of(event)
            && let Some(target) = merge.target
        {
            self.partners.insert((merge.source, target));
            self.partners.insert((target, merge.source));
        }
        for (parent, children) in split_of(event) {
            self.partners.extend(children.into_iter().map(|child| (parent, child)));
        }
    }

    /// All of them.
    pub(super) fn finish(self, keys: &KeyMap) -> BTreeSet<RegionId> {
        let mut partners: FxHashMap<RegionId, Vec<RegionId>> = FxHashMap::default();
        for (from, to) in &self.partners {
            partners.entry(*from).or_default().push(*to);
        }
        let mut all: BTreeSet<RegionId> = self.named.into_iter().collect();
        all.extend(self.ranges.iter().filter_map(|(range, time)| keys.region_at(&range.start, *time)));
        let mut edge: Vec<RegionId> = all.iter().copied().collect();
        for _ in 0..Self::STEPS {
            let next: Vec<RegionId> = edge
                .iter()
                .filter_map(|region| partners.get(region))
                .flatten()
                .filter(|partner| all.insert(**partner))
                .copied()
                .collect();
            edge = next;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::{Implicated, KeyMap};
    use crate::correlate::testing::{Cluster, Record, record};
    use crate::units::{Component, RegionId, Severity};

    fn error(region: u64) -> Record {
        record("lb-fatal-error", "log-backup", Severity::Critical, Component::Tikv).region(region)
    }

    fn merge(source: u64, target: u64) -> Record {
        let merge = record("merge-prepare-exec", "region-merge", Severity::Notice, Component::Tikv);
        merge.region(source).other_region("target", target)
    }

    fn implicated(cluster: &Cluster) -> Vec<u64> {
        let (mut found, mut keys) = (Implicated::default(), KeyMap::default());
        for event in cluster.events() {
            found.take(&event);
            keys.take(&event);
        }
        keys.finish();
        found.finish(&keys).into_iter().map(|RegionId(id)| id).collect()
    }

    #[test]
    fn merges_are_followed_two_steps() {
        let mut cluster = Cluster::default();
        cluster
            .log("a", "2022-07-25T14:00:00Z", error(1))
            .log("a", "2022-07-25T14:00:01Z", merge(1, 2))
            .log("a", "2022-07-25T14:00:02Z", merge(2, 3))
            .log("a", "2022-07-25T14:00:03Z", merge(3, 4));
        assert_eq!(implicated(&cluster), [1, 2, 3]);
    }

    #[test]
    fn a_range_implicates_the_region_that_held_it() {
        let mut cluster = Cluster::default();
        let hint = record("adv-last-region", "log-backup", Severity::Warning, Component::Tidb);
        let keys = record("lb-snapshot-epoch-not-match", "log-backup", Severity::Info, Component::Tikv);
        cluster
            .log("a", "2022-07-25T14:00:00Z", keys.describes(7, ("74", "75"), 3, &[]))
            .log("a", "2022-07-25T14:00:01Z", hint.range("7480", "7481"));
        assert_eq!(implicated(&cluster), [7]);
    }

    #[test]
    fn routine_implicates_nothing() {
        let mut cluster = Cluster::default();
        let routine = record("get-snapshot-failed", "snapshot", Severity::Warning, Component::Tikv);
        cluster.log("a", "2022-07-25T14:00:00Z", routine.region(9)).log("a", "2022-07-25T14:00:01Z", merge(9, 8));
        assert!(implicated(&cluster).is_empty());
    }
}
