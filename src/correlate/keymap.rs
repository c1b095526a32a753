//! Which region held a key at a moment, as the region descriptions in the logs tell it.

use crate::event::{Event, KeyRange};
use crate::units::{RegionId, StoreId, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};

/// Regions by their keys, one entry for each version of a region that a record describes.
#[derive(Debug, Default)]
pub(super) struct KeyMap {
    entries: Vec<Entry>,
    seen: FxHashSet<(RegionId, u64)>,
    /// The largest end among this entry and all before it: where a search may stop. Set by `finish`.
    reach: Vec<Reach>,
    newest: FxHashMap<RegionId, u32>,
}

#[derive(Debug)]
struct Entry {
    range: KeyRange,
    region: RegionId,
    version: u64,
    first: Option<Timestamp>,
    stores: Box<[StoreId]>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Key(Box<str>),
    End,
}

impl KeyMap {
    /// Most versions of regions that are kept.
    const MOST: usize = 200_000;

    /// Takes the descriptions of an event.
    pub(super) fn take(&mut self, event: &Event) {
        for description in &event.descriptions {
            let Some(range) = &description.range else { continue };
            let version = description.epoch.map_or(0, |(_, version)| version);
            if self.entries.len() >= Self::MOST || !self.seen.insert((description.id, version)) {
                continue;
            }
            self.entries.push(Entry {
                range: range.clone(),
                region: description.id,
                version,
                first: event.time,
                stores: description.peers.iter().map(|(_, store)| *store).collect(),
            });
        }
    }

    /// Makes it ready to be asked.
    pub(super) fn finish(&mut self) {
        self.seen = FxHashSet::default();
        self.entries.sort_by(|a, b| (&a.range.start, a.region, a.version).cmp(&(&b.range.start, b.region, b.version)));
        self.reach = Vec::with_capacity(self.entries.len());
        for (at, entry) in self.entries.iter().enumerate() {
            let newest = self.newest.entry(entry.region).or_insert(at as u32);
            if self.entries[*newest as usize].version <= entry.version {
                *newest = at as u32;
            }
            let own = if entry.range.end.is_empty() { Reach::End } else { Reach::Key(entry.range.end.clone()) };
            let reach = self.reach.last().map_or(own.clone(), |before| before.clone().max(own));
            self.reach.push(reach);
        }
    }

    /// The region that held a key (upper hex) at a time: of those whose description covers it the newest that was
    /// described by then, else the oldest that was described later.
    pub(super) fn region_at(&self, key: &str, time: Option<Timestamp>) -> Option<RegionId> {
        let from = self.entries.partition_point(|entry| &*entry.range.start <= key);
        let mut best: Option<&Entry> = None;
        for at in (0..from).rev() {
            if matches!(&self.reach[at], Reach::Key(reach) if &**reach <= key) {
                break;
            }
            let entry = &self.entries[at];
            if !entry.range.contains(key) {
                continue;
            }
            // Described in time beats described later; then the higher version; later ones the other way round.
            let rank = |entry: &Entry| {
                let known = time.is_none() || entry.first <= time;
                let version = entry.version as i64;
                (known, if known { version } else { -version }, entry.region)
            };
            if best.is_none_or(|best| rank(entry) > rank(best)) {
                best = Some(entry);
            }
        }
        best.map(|entry| entry.region)
    }

    /// Keys of a region as its newest description has them, with the stores of its peers.
    pub(super) fn newest(&self, region: RegionId) -> Option<(&KeyRange, &[StoreId])> {
        let entry = &self.entries[*self.newest.get(&region)? as usize];
        Some((&entry.range, &entry.stores))
    }
}

#[cfg(test)]
mod tests {
    use super::KeyMap;
    use crate::correlate::testing::{Cluster, Record, at, record};
    use crate::units::{Component, RegionId, Severity};

    fn says(id: u64, keys: (&str, &str), version: u64) -> Record {
        record("merge-commit", "region-merge", Severity::Notice, Component::Tikv).describes(id, keys, version, &[])
    }

    fn map(cluster: &Cluster) -> KeyMap {
        let mut map = KeyMap::default();
        cluster.events().iter().for_each(|event| map.take(event));
        map.finish();
        map
    }

    #[test]
    fn a_key_belongs_to_the_target_after_the_merge() {
        let mut cluster = Cluster::default();
        cluster
            .log("a", "2022-07-25T14:00:00Z", says(1, ("74", "75"), 20))
            .log("a", "2022-07-25T14:00:00Z", says(2, ("75", "76"), 31))
            .log("a", "2022-07-25T15:00:00Z", says(2, ("74", "76"), 33));
        let map = map(&cluster);
        let asked = |key, time| map.region_at(key, Some(at(time)));
        assert_eq!(asked("7480", "2022-07-25T14:30:00Z"), Some(RegionId(1)));
        assert_eq!(asked("7480", "2022-07-25T15:30:00Z"), Some(RegionId(2)));
        assert_eq!(asked("75", "2022-07-25T14:30:00Z"), Some(RegionId(2)));
        assert_eq!(asked("76", "2022-07-25T15:30:00Z"), None);
        assert_eq!(asked("73", "2022-07-25T15:30:00Z"), None);
    }

    #[test]
    fn the_last_region_has_no_end() {
        let mut cluster = Cluster::default();
        cluster.log("a", "2022-07-25T14:00:00Z", says(1, ("74", ""), 20)).log(
            "a",
            "2022-07-25T14:00:00Z",
            says(2, ("", "74"), 20),
        );
        let map = map(&cluster);
        assert_eq!(map.region_at("FF", None), Some(RegionId(1)));
        assert_eq!(map.region_at("01", None), Some(RegionId(2)));
    }

    #[test]
    fn a_description_that_comes_later_is_better_than_none() {
        let mut cluster = Cluster::default();
        cluster.log("a", "2022-07-25T15:00:00Z", says(1, ("74", "75"), 20));
        assert_eq!(map(&cluster).region_at("7480", Some(at("2022-07-25T14:00:00Z"))), Some(RegionId(1)));
    }
}
