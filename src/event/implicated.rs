//! The regions and key ranges that events draw in: what context is wanted for.

use super::{Event, EventStream, KeyRange};
use crate::units::{RegionId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Merge partners and split children are followed this far; further ids are named but not followed.
const STEPS: usize = 2;

/// Regions and key ranges whose context is wanted. Its JSON is what `scan --context FILE` reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Implicated {
    /// Regions.
    pub regions: BTreeSet<RegionId>,
    /// Key ranges that an event named without their region.
    #[serde(default)]
    pub ranges: BTreeSet<KeyRange>,
}

/// What of the events matters here, gathered in one pass over them.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    named: Named,
    /// Per region, its keys over time.
    holders: BTreeMap<RegionId, Vec<(Option<Timestamp>, KeyRange)>>,
}

/// The part of it for which the order of the events does not matter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Named {
    regions: BTreeSet<RegionId>,
    /// Key ranges with the latest moment at which an event named them.
    ranges: BTreeMap<KeyRange, Option<Timestamp>>,
    links: BTreeMap<RegionId, BTreeSet<RegionId>>,
}

impl Implicated {
    /// What a set of events implicates.
    ///
    /// # Errors
    /// Where events cannot be read back from a temporary file.
    pub fn by(events: &dyn EventStream) -> std::io::Result<Self> {
        let mut gathered = Gathered::default();
        events.for_each(&mut |event| gathered.add(event))?;
        Ok(gathered.close())
    }

    /// What `self` has and `other` has not.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self {
            regions: self.regions.difference(&other.regions).copied().collect(),
            ranges: self.ranges.difference(&other.ranges).cloned().collect(),
        }
    }

    /// Whether nothing is implicated.
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty() && self.ranges.is_empty()
    }

    /// Whether an event of a context rule is wanted.
    pub fn wants(&self, event: &Event) -> bool {
        event.regions.iter().any(|id| self.regions.contains(id))
            || event
                .descriptions
                .iter()
                .filter_map(|one| one.range.as_ref())
                .any(|keys| self.ranges.iter().any(|range| range.overlaps(keys)))
    }
}

impl Gathered {
    pub(crate) fn add(&mut self, event: &Event) {
        self.named.add(event);
        for one in &event.descriptions {
            if let Some(range) = &one.range {
                let known = self.holders.entry(one.id).or_default();
                if known.last().is_none_or(|(_, last)| last != range) && known.len() < 64 {
                    known.push((event.time, range.clone()));
                }
            }
        }
    }

    pub(crate) fn close(mut self) -> Implicated {
        for (range, at) in &self.named.ranges {
            for (id, keys) in &self.holders {
                // The keys that the region had at that moment: the last known before it, else the first known.
                let held = keys.iter().rev().find(|(time, _)| at.is_none() || *time <= *at).or_else(|| keys.first());
                if held.is_some_and(|(_, keys)| keys.overlaps(range)) {
                    self.named.regions.insert(*id);
                }
            }
        }
        self.named.close()
    }
}

impl Named {
    pub(crate) fn add(&mut self, event: &Event) {
        if event.implicates {
            self.regions.extend(&event.regions);
            for range in &event.ranges {
                let at = self.ranges.entry(range.clone()).or_default();
                *at = (*at).max(event.time);
            }
        }
        if event.regions.len() > 1 && matches!(&*event.group, "region-merge" | "region-split" | "pd") {
            let center = event.region.unwrap_or(event.regions[0]);
            for other in event.regions.iter().filter(|id| **id != center) {
                self.links.entry(center).or_default().insert(*other);
                self.links.entry(*other).or_default().insert(center);
            }
        }
    }

    /// Adds what was gathered elsewhere.
    pub(crate) fn merge(&mut self, other: Self) {
        self.regions.extend(other.regions);
        for (range, time) in other.ranges {
            let at = self.ranges.entry(range).or_default();
            *at = (*at).max(time);
        }
        for (region, others) in other.links {
            self.links.entry(region).or_default().extend(others);
        }
    }

    /// What is implicated, unless key ranges were named: whose they are depends on the order of the events.
    pub(crate) fn without_ranges(&self) -> Option<Implicated> {
        self.ranges.is_empty().then(|| self.clone().close())
    }

    fn close(self) -> Implicated {
        let mut regions = self.regions;
        let mut edge = regions.clone();
        for _ in 0..STEPS {
            edge = edge
                .iter()
                .filter_map(|id| self.links.get(id))
                .flatten()
                .copied()
                .filter(|id| !regions.contains(id))
                .collect();
            regions.extend(&edge);
        }
        Implicated { regions, ranges: self.ranges.into_keys().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::test_event;

    fn merge(source: u64, target: u64) -> Event {
        let mut event = test_event("merge-commit", "region-merge");
        event.region = Some(RegionId(target));
        event.regions = vec![RegionId(source), RegionId(target)];
        event
    }

    #[test]
    fn partners_are_followed_two_steps() {
        let mut failed = test_event("lb-fatal-error", "log-backup");
        failed.implicates = true;
        failed.regions = vec![RegionId(1)];
        let events = vec![failed, merge(1, 2), merge(2, 3), merge(3, 4), merge(8, 9)];
        let found = Implicated::by(&events).unwrap();
        assert_eq!(found.regions.iter().map(|id| id.0).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
