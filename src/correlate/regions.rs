//! The life of each implicated region over all stores: leaders, merges, keys, and who names it.

use super::findings::{MergeResult, Region};
use super::learned::{Learned, Told};
use super::merges::{MergeStep, merge_of};
use super::names::RuleId;
use crate::event::KeyRange;
use crate::units::{PeerId, RegionId, Severity, StoreId, Timestamp};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// A moment in a merge: by the clock of the others, and as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    pub(super) real: Timestamp,
    pub(super) written: Timestamp,
}

/// One attempt to merge a region into another.
#[derive(Debug, Clone)]
pub(super) struct Merge {
    pub(super) source: RegionId,
    pub(super) target: Option<RegionId>,
    /// When PD asked for it.
    pub(super) scheduled: Option<Moment>,
    /// When the source began to refuse reads, or else writes.
    pub(super) started: Option<Moment>,
    /// Whether `started` is the applied `PrepareMerge`.
    prepared: bool,
    /// When it was committed or taken back.
    pub(super) ended: Option<Moment>,
    /// How it ended.
    pub(super) result: MergeResult,
}

/// All implicated regions and all merges.
#[derive(Debug, Default)]
pub(super) struct Regions {
    lives: FxHashMap<RegionId, Life>,
    merges: BTreeMap<RegionId, Vec<Merge>>,
}

#[derive(Debug, Default)]
struct Life {
    events: u64,
    errors: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    stores: BTreeSet<StoreId>,
    leader: Option<StoreId>,
    leader_peer: Option<PeerId>,
    rules: BTreeSet<RuleId>,
    range: Option<(u64, KeyRange)>,
}

impl Regions {
    /// Most attempts to merge one region that are kept.
    const MOST_MERGES: usize = 64;
    /// Records of one attempt come within this time of its end: every replica applies it.
    const SAME_END_MS: i64 = 120_000;

    /// Takes an event.
    pub(super) fn take(&mut self, told: &Told<'_>, learned: &Learned) {
        let event = told.event;
        for region in &event.regions {
            if learned.implicated.contains(region) {
                self.lives.entry(*region).or_default().take(told, *region);
            }
        }
        for description in event.descriptions.iter().filter(|one| learned.implicated.contains(&one.id)) {
            let life = self.lives.entry(description.id).or_default();
            life.stores.extend(description.peers.iter().map(|(_, store)| *store));
            let version = description.epoch.map_or(0, |(_, version)| version);
            if let Some(range) = &description.range
                && life.range.as_ref().is_none_or(|(known, _)| *known <= version)
            {
                life.range = Some((version, range.clone()));
            }
        }
        self.merge(told, learned);
    }

    fn merge(&mut self, told: &Told<'_>, learned: &Learned) {
        let Some((sign, written)) = merge_of(told.event).zip(told.event.time) else { return };
        let known = learned.implicated.contains(&sign.source)
            || sign.target.is_some_and(|target| learned.implicated.contains(&target));
        if !known {
            return;
        }
        let moment = Moment { real: learned.real_time(told.instance, written), written };
        let attempts = self.merges.entry(sign.source).or_default();
        let ends = matches!(sign.step, MergeStep::Committed | MergeStep::RolledBack);
        let same = |merge: &Merge| {
            let target = merge.target.is_none() || sign.target.is_none() || merge.target == sign.target;
            let over = merge.ended.is_some_and(|end| {
                let since = moment.real.since(end.real);
                if ends { since > Self::SAME_END_MS } else { since > 1_000 }
            });
            target && !over
        };
        if !attempts.last().is_some_and(same) {
            if attempts.len() >= Self::MOST_MERGES {
                return;
            }
            attempts.push(Merge {
                source: sign.source,
                target: sign.target,
                scheduled: None,
                started: None,
                prepared: false,
                ended: None,
                result: MergeResult::Unfinished,
            });
        }
        let Some(merge) = attempts.last_mut() else { return };
        merge.target = merge.target.or(sign.target);
        let earlier = |known: Option<Moment>| Some(known.map_or(moment, |known| known.min(moment)));
        match sign.step {
            MergeStep::Scheduled => merge.scheduled = earlier(merge.scheduled),
            MergeStep::Fenced if !merge.prepared => merge.started = earlier(merge.started),
            MergeStep::Fenced => {}
            MergeStep::Prepared => {
                merge.started = if merge.prepared { earlier(merge.started) } else { Some(moment) };
                merge.prepared = true;
            }
            MergeStep::Committed | MergeStep::RolledBack => {
                merge.ended = earlier(merge.ended);
                merge.result =
                    if sign.step == MergeStep::Committed { MergeResult::Committed } else { MergeResult::RolledBack };
            }
        }
    }

    /// The merge of a region, as source or target, that was under way at a time, or that began or ended within some
    /// milliseconds of it.
    pub(super) fn merge_at(&self, region: RegionId, time: Option<Timestamp>, around_ms: i64) -> Option<&Merge> {
        let fits = |merge: &&Merge| {
            let Some(time) = time else { return true };
            let from = merge.started.or(merge.scheduled).map(|moment| moment.real);
            from.is_some_and(|from| from.since(time) <= around_ms)
                && merge.ended.is_none_or(|end| time.since(end.real) <= around_ms)
        };
        let as_source = self.merges.get(&region).into_iter().flatten().rev().find(fits);
        as_source.or_else(|| self.merges.values().flatten().filter(|merge| merge.target == Some(region)).rfind(fits))
    }

    /// The regions that a region was to be merged into, or that were to be merged into it.
    pub(super) fn partners(&self, region: RegionId) -> impl Iterator<Item = RegionId> + '_ {
        let into = self.merges_of(region).iter().filter_map(|merge| merge.target);
        let from = self.merges.values().flatten().filter(move |merge| merge.target == Some(region));
        into.chain(from.map(|merge| merge.source))
    }

    /// The merges of a region as source.
    pub(super) fn merges_of(&self, region: RegionId) -> &[Merge] {
        self.merges.get(&region).map_or(&[], Vec::as_slice)
    }

    /// The last known leader store of a region.
    pub(super) fn leader(&self, region: RegionId) -> Option<StoreId> {
        self.lives.get(&region)?.leader
    }

    /// The rows of the table, with the incidents that each region takes part in.
    pub(super) fn rows(&self, learned: &Learned, incidents: &BTreeMap<RegionId, BTreeSet<String>>) -> Vec<Region> {
        let empty = Life::default();
        let mut sources_of: BTreeMap<RegionId, BTreeSet<RegionId>> = BTreeMap::new();
        for merge in self.merges.values().flatten() {
            if let Some(target) = merge.target {
                sources_of.entry(target).or_default().insert(merge.source);
            }
        }
        let row = |id: &RegionId| {
            let life = self.lives.get(id).unwrap_or(&empty);
            let merge = self.merges_of(*id).last();
            let mut targets: Vec<RegionId> = self.merges_of(*id).iter().filter_map(|merge| merge.target).collect();
            targets.sort_unstable();
            targets.dedup();
            let mut rules: Vec<String> = life.rules.iter().map(|rule| learned.rule(*rule).to_string()).collect();
            rules.sort_unstable();
            let keys = life
                .range
                .as_ref()
                .map(|(_, range)| range)
                .or_else(|| learned.keys.newest(*id).map(|(range, _)| range));
            Region {
                id: *id,
                events: life.events,
                errors: life.errors,
                first: life.first,
                last: life.last,
                stores: life.stores.iter().copied().collect(),
                leader: life.leader,
                leader_peer: life.leader_peer,
                rules,
                merge_source_of: targets,
                merge_target_of: sources_of.get(id).map(|all| all.iter().copied().collect()).unwrap_or_default(),
                merge_started: merge.and_then(|merge| merge.started.or(merge.scheduled)).map(|moment| moment.written),
                merge_ended: merge.and_then(|merge| merge.ended).map(|moment| moment.written),
                merge_result: merge.map(|merge| merge.result),
                start_key: keys.map(|range| range.start.to_string()),
                end_key: keys.map(|range| range.end.to_string()),
                incidents: incidents.get(id).map(|ids| ids.iter().cloned().collect()).unwrap_or_default(),
            }
        };
        let mut ids: Vec<&RegionId> = learned.implicated.iter().collect();
        ids.sort_unstable();
        ids.into_iter().map(row).collect()
    }
}

impl Life {
    fn take(&mut self, told: &Told<'_>, region: RegionId) {
        let event = told.event;
        self.events += 1;
        self.errors += u64::from(event.severity >= Severity::Error);
        self.first = match (self.first, event.time) {
            (Some(known), Some(time)) => Some(known.min(time)),
            (known, time) => known.or(time),
        };
        self.last = self.last.max(event.time);
        self.rules.insert(told.rule);
        if event.region != Some(region) {
            return;
        }
        self.stores.extend(told.store);
        let leader = match &*event.rule {
            "raft-became-leader" => told.store,
            "pd-leader-changed" => event.store_as("to"),
            _ => event.store_as("leader"),
        };
        if leader.is_some() {
            self.leader = leader;
            self.leader_peer = event.peer.filter(|_| &*event.rule == "raft-became-leader");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Regions;
    use crate::correlate::Options;
    use crate::correlate::findings::{MergeResult, Region};
    use crate::correlate::learned::Learned;
    use crate::correlate::testing::{Cluster, Record, at, record};
    use crate::units::{Component, RegionId, Severity, StoreId};
    use std::collections::BTreeMap;

    fn merge(rule: &str) -> Record {
        record(rule, "region-merge", Severity::Notice, Component::Tikv)
    }

    fn prepare() -> Record {
        merge("merge-prepare-exec").region(94812).other_region("target", 94816)
    }

    fn commit() -> Record {
        merge("merge-commit").region(94816).other_region("source", 94812)
    }

    fn fatal(region: u64) -> Record {
        record("lb-fatal-raftreq-merge", "log-backup", Severity::Critical, Component::Tikv).region(region)
    }

    fn rows(cluster: &Cluster) -> Vec<Region> {
        let events = cluster.events();
        let learned = Learned::read(&events, &cluster.sources(), &Options::default()).unwrap();
        let mut regions = Regions::default();
        for event in &events {
            regions.take(&learned.tell(event).unwrap(), &learned);
        }
        regions.rows(&learned, &BTreeMap::new())
    }

    #[test]
    fn a_merge_is_seen_from_both_sides() {
        let mut cluster = Cluster::default();
        cluster
            .log("1", "2022-07-25T14:54:42.500Z", prepare())
            .log("2", "2022-07-25T14:54:42.510Z", prepare())
            .log("1", "2022-07-25T14:54:44.467Z", fatal(94812))
            .log("1", "2022-07-25T14:54:55.101Z", commit())
            .log("2", "2022-07-25T14:54:55.090Z", commit());
        let [source, target] = rows(&cluster).try_into().unwrap();
        assert_eq!((source.id, source.merge_source_of.as_slice()), (RegionId(94812), &[RegionId(94816)][..]));
        assert_eq!(source.merge_started, Some(at("2022-07-25T14:54:42.500Z")));
        assert_eq!(source.merge_ended, Some(at("2022-07-25T14:54:55.090Z")));
        assert_eq!(source.merge_result, Some(MergeResult::Committed));
        assert_eq!((target.merge_target_of.as_slice(), target.merge_started), (&[RegionId(94812)][..], None));
    }

    #[test]
    fn the_last_attempt_counts() {
        let mut cluster = Cluster::default();
        cluster
            .log("1", "2022-07-25T14:00:00Z", prepare())
            .log("1", "2022-07-25T14:00:10Z", merge("merge-rollback-exec").region(94812))
            .log("1", "2022-07-25T14:10:00Z", prepare())
            .log("1", "2022-07-25T14:54:44.467Z", fatal(94812));
        let rows = rows(&cluster);
        assert_eq!(rows[0].merge_started, Some(at("2022-07-25T14:10:00Z")));
        assert_eq!((rows[0].merge_ended, rows[0].merge_result), (None, Some(MergeResult::Unfinished)));
    }

    #[test]
    fn the_leader_is_the_last_one() {
        let mut cluster = Cluster::default();
        let leader = record("pd-leader-changed", "leader", Severity::Info, Component::Pd);
        cluster.log("1", "2022-07-25T14:00:00Z", fatal(7)).log(
            "pd.log",
            "2022-07-25T14:00:10Z",
            leader.region(7).fact(crate::units::FactKind::Store, "to", "4"),
        );
        assert_eq!(rows(&cluster)[0].leader, Some(StoreId(4)));
    }
}
