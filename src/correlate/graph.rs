//! The engine: from the records that an incident rests on to what led to them, and from there to how that ended.

use super::chains::{Chains, Join, KindId, Kinds, Link};
use super::episodes::{EpisodeId, Episodes, Run};
use super::findings::Certainty;
use super::learned::Learned;
use super::names::{RuleId, TaskId};
use crate::units::{RegionId, StoreId, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// Episodes with their kinds, found by what links join on.
#[derive(Debug)]
pub(super) struct Graph<'c> {
    pub(super) chains: &'c Chains,
    kinds: FxHashMap<EpisodeId, Kinds>,
    by_region: FxHashMap<RegionId, Vec<EpisodeId>>,
    by_store: FxHashMap<StoreId, Vec<EpisodeId>>,
    by_kind: BTreeMap<KindId, Vec<EpisodeId>>,
}

/// An episode of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    /// How sure it is that it belongs to it.
    pub(super) certainty: Certainty,
    /// How many links it is away.
    pub(super) distance: u8,
}

impl<'c> Graph<'c> {
    /// Most episodes of one chain.
    const MOST: usize = 4_096;
    /// Most links that are followed from a record.
    const DEEPEST: u8 = 6;
    /// Clocks of hosts differ by this much, and nobody minds.
    const SLACK_MS: i64 = 2_000;

    /// Sorts the episodes that chains speak of.
    pub(super) fn new(chains: &'c Chains, episodes: &Episodes, learned: &Learned) -> Self {
        let mut graph = Self {
            chains,
            kinds: FxHashMap::default(),
            by_region: FxHashMap::default(),
            by_store: FxHashMap::default(),
            by_kind: BTreeMap::new(),
        };
        let mut of_rules: FxHashMap<RuleId, Kinds> = FxHashMap::default();
        for (id, run) in episodes.iter() {
            let of_rule = *of_rules.entry(run.key.rule).or_insert_with(|| chains.kinds_of_rule(learned, run));
            if of_rule.is_empty() || run.screen {
                continue;
            }
            let kinds = chains.kinds_of(of_rule, run);
            if kinds.is_empty() {
                continue;
            }
            graph.kinds.insert(id, kinds);
            for kind in kinds.iter() {
                graph.by_kind.entry(kind).or_default().push(id);
            }
            for region in regions_of(run) {
                graph.by_region.entry(region).or_default().push(id);
            }
            for store in stores_of(run) {
                graph.by_store.entry(store).or_default().push(id);
            }
        }
        graph
    }

    /// The kinds of an episode.
    pub(super) fn kinds(&self, id: EpisodeId) -> Kinds {
        self.kinds.get(&id).copied().unwrap_or_default()
    }

    /// The episodes of a kind, in order.
    pub(super) fn of_kind(&self, name: &str) -> &[EpisodeId] {
        self.chains.kind(name).ok().and_then(|kind| self.by_kind.get(&kind)).map_or(&[], Vec::as_slice)
    }

    /// All that led to these episodes, and how that ended. The episodes themselves are at distance 0.
    pub(super) fn grow(
        &self,
        core: &[EpisodeId],
        episodes: &Episodes,
        learned: &Learned,
    ) -> BTreeMap<EpisodeId, Member> {
        let mut members: BTreeMap<EpisodeId, Member> = BTreeMap::new();
        let mut queue: Vec<(EpisodeId, u8)> = Vec::new();
        for id in core {
            members.insert(*id, Member { certainty: Certainty::Observed, distance: 0 });
            queue.push((*id, 0));
        }
        let mut at = 0;
        while let Some((id, distance)) = queue.get(at).copied() {
            at += 1;
            if distance >= Self::DEEPEST || members.len() >= Self::MOST {
                continue;
            }
            for link in &self.chains.links {
                for (other, certainty) in self.neighbours(id, link, episodes, learned) {
                    if members.len() < Self::MOST && !members.contains_key(&other) {
                        members.insert(other, Member { certainty, distance: distance + 1 });
                        queue.push((other, distance + 1));
                    }
                }
            }
        }
        members
    }

    /// The causes of an episode by a link; where the link tells how causes end, also the ends of an episode.
    fn neighbours<'g>(
        &'g self,
        id: EpisodeId,
        link: &'g Link,
        episodes: &'g Episodes,
        learned: &'g Learned,
    ) -> impl Iterator<Item = (EpisodeId, Certainty)> + 'g {
        let kinds = self.kinds(id);
        let run = episodes.at(id);
        let backwards = kinds.has(link.effect) && !link.ends;
        let forwards = kinds.has(link.cause) && link.ends;
        let wanted = if backwards { link.cause } else { link.effect };
        let candidates = if backwards || forwards { self.candidates(run, link, wanted) } else { &[] };
        candidates.iter().copied().filter_map(move |other| {
            if other == id || !self.kinds(other).has(wanted) {
                return None;
            }
            let far = episodes.at(other);
            let (cause, effect) = if backwards { (far, run) } else { (run, far) };
            let holds = Self::joined(link, cause, effect, learned)
                && in_time(link, cause, effect, learned)
                && link.fits(learned.instance(effect.instance).version.as_deref());
            let certainty = if link.observed { Certainty::Observed } else { Certainty::Inferred };
            holds.then_some((other, certainty))
        })
    }

    fn candidates(&self, run: &Run, link: &Link, wanted: KindId) -> &[EpisodeId] {
        let none: &[EpisodeId] = &[];
        if link.join.contains(&Join::Region) {
            // Those of partners name this region too.
            return run.key.region.and_then(|region| self.by_region.get(&region)).map_or(none, Vec::as_slice);
        }
        if link.join.contains(&Join::Store) {
            return run.key.store.and_then(|store| self.by_store.get(&store)).map_or(none, Vec::as_slice);
        }
        self.by_kind.get(&wanted).map_or(none, Vec::as_slice)
    }

    fn joined(link: &Link, cause: &Run, effect: &Run, learned: &Learned) -> bool {
        link.join.iter().all(|join| match join {
            Join::Region => regions_of(cause).any(|region| regions_of(effect).any(|other| other == region)),
            Join::Store => stores_of(cause).any(|store| stores_of(effect).any(|other| other == store)),
            Join::Task => same_task(cause.key.task, effect.key.task),
            Join::Source => cause.file == effect.file,
            Join::Host => {
                let host = learned.instance(cause.instance).host();
                let is_same = host.is_some() && host == learned.instance(effect.instance).host();
                is_same || cause.instance == effect.instance
            }
            Join::Ts => cause.tsos.iter().any(|ts| effect.tsos.iter().any(|other| ts.0.abs_diff(other.0) <= 1)),
        })
    }
}

fn same_task(one: Option<TaskId>, other: Option<TaskId>) -> bool {
    one == other || one.is_none() || other.is_none()
}

fn regions_of(run: &Run) -> impl Iterator<Item = RegionId> + use<> {
    run.key.region.into_iter().chain(run.partner)
}

fn stores_of(run: &Run) -> impl Iterator<Item = StoreId> + use<> {
    run.key.store.into_iter().chain(run.remote)
}

/// The effect begins while the cause lasts or at most `within` after it. Records without time are not told apart by it.
fn in_time(link: &Link, cause: &Run, effect: &Run, learned: &Learned) -> bool {
    let real = |run: &Run, time: Option<Timestamp>| time.map(|time| learned.real_time(run.instance, time));
    let (Some(began), Some(ended)) = (real(cause, cause.first), real(cause, cause.last)) else { return true };
    let (Some(first), Some(last)) = (real(effect, effect.first), real(effect, effect.last)) else { return true };
    last.since(began) >= -Graph::SLACK_MS && first.since(ended) <= link.within_ms
}

/// Episodes that already belong to an incident.
#[derive(Debug, Default)]
pub(super) struct Taken(FxHashSet<EpisodeId>);

impl Taken {
    pub(super) fn take(&mut self, ids: impl IntoIterator<Item = EpisodeId>) {
        self.0.extend(ids);
    }

    pub(super) fn has(&self, id: EpisodeId) -> bool {
        self.0.contains(&id)
    }
}
