//! Stores and other instances: what they wrote, what was written about them, and when they restarted.

use super::episodes::EpisodeId;
use super::findings::Store;
use super::identify::InstanceId;
use super::learned::{Learned, Told};
use crate::units::{Component, RegionId, Severity, StoreId, Timestamp};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// A start of a process that ran before.
#[derive(Debug, Clone)]
pub(super) struct Restart {
    pub(super) instance: InstanceId,
    /// As written.
    pub(super) time: Timestamp,
    /// Whether it was told to stop before.
    pub(super) orderly: bool,
    pub(super) episode: EpisodeId,
}

/// Counts for each store and instance.
#[derive(Debug, Default)]
pub(super) struct Stores {
    by_store: BTreeMap<StoreId, Count>,
    by_instance: BTreeMap<InstanceId, Count>,
    told_to_stop: BTreeMap<InstanceId, Timestamp>,
    started: BTreeMap<InstanceId, Timestamp>,
    registered: BTreeMap<StoreId, u64>,
    pub(super) restarts: Vec<Restart>,
}

#[derive(Debug, Default)]
struct Count {
    events: u64,
    errors: u64,
    regions: FxHashSet<RegionId>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Stores {
    /// A stop belongs to the start that follows within this time.
    const STOP_MS: i64 = 15 * 60_000;
    /// Records of one start come within this time.
    const START_MS: i64 = 60_000;
    /// Most restarts that are kept.
    const MOST: usize = 65_536;

    /// Takes an event.
    pub(super) fn take(&mut self, told: &Told<'_>, learned: &Learned, episode: EpisodeId) {
        let event = told.event;
        let is_store = learned.instance(told.instance).store.is_some();
        if let Some(store) = told.store {
            self.by_store.entry(store).or_default().take(told);
        }
        if !is_store && !told.is_guest {
            self.by_instance.entry(told.instance).or_default().take(told);
        }
        if &*event.group != "lifecycle" {
            return;
        }
        let Some(time) = event.time else { return };
        if &*event.rule == "pd-put-store" {
            *self.registered.entry(told.store.unwrap_or(StoreId(0))).or_default() += 1;
        }
        if matches!(event.component, Some(Component::Br | Component::Os) | None) {
            return;
        }
        if event.message.contains("signal") {
            self.told_to_stop.insert(told.instance, time);
        } else if event.rule.ends_with("-welcome") || &*event.rule == "tikv-start-store" {
            self.start(told, learned, episode, time);
        }
    }

    fn start(&mut self, told: &Told<'_>, learned: &Learned, episode: EpisodeId, time: Timestamp) {
        let before = self.started.insert(told.instance, time);
        if before.is_some_and(|before| time.since(before) < Self::START_MS) {
            return;
        }
        // Its records must go back before the start: else it is the first start, or what came before is not here.
        let goes_back = self.first_word(told, learned).is_some_and(|first| time.since(first) > 1_000);
        if !(goes_back || before.is_some()) || self.restarts.len() >= Self::MOST {
            return;
        }
        let stop = self.told_to_stop.get(&told.instance);
        let orderly = stop.is_some_and(|stop| time.since(*stop) <= Self::STOP_MS && before.is_none_or(|b| *stop >= b));
        self.restarts.push(Restart {
            instance: told.instance,
            time,
            // Without the time before it in the same file nobody can tell.
            orderly: orderly || !goes_back,
            episode,
        });
    }

    /// The first record of an event's writer: in a text of many writers only events tell.
    fn first_word(&self, told: &Told<'_>, learned: &Learned) -> Option<Timestamp> {
        let instance = learned.instance(told.instance);
        let source = told.file.0 as usize;
        if instance.sources.contains(&source) {
            return learned.sources[source].first;
        }
        self.count(told.instance, instance.store).and_then(|count| count.first)
    }

    fn count(&self, instance: InstanceId, store: Option<StoreId>) -> Option<&Count> {
        store.map_or_else(|| self.by_instance.get(&instance), |store| self.by_store.get(&store))
    }

    /// Starts of stores that nothing had told to stop, with the store where a record names it.
    pub(super) fn crashes<'s>(&'s self, learned: &'s Learned) -> impl Iterator<Item = (Option<StoreId>, &'s Restart)> {
        let crashed = self.restarts.iter().filter(|restart| !restart.orderly);
        crashed.filter_map(|restart| {
            let instance = learned.instance(restart.instance);
            let is_store = instance.store.is_some() || instance.component.is_some_and(Component::is_store);
            is_store.then_some((instance.store, restart))
        })
    }

    /// The latest sign of life in an instance's own log.
    pub(super) fn last_word(learned: &Learned, instance: InstanceId) -> Option<Timestamp> {
        learned.instance(instance).sources.iter().filter_map(|at| learned.sources[*at].last).max()
    }

    /// The rows of the table: stores by id, then other instances by address.
    pub(super) fn rows(&self, learned: &Learned) -> Vec<Store> {
        let mut rows: Vec<Store> = Vec::new();
        for (at, instance) in learned.instances.all.iter().enumerate() {
            let id = InstanceId(at as u32);
            if instance.component.is_none() && instance.store.is_none() {
                continue;
            }
            let counted =
                || instance.sources.iter().filter(|at| learned.counted[**at] == **at).map(|at| &learned.sources[*at]);
            let count = self.count(id, instance.store);
            let is_row = count.is_some() && !instance.row_names.is_empty();
            if counted().next().is_none() && !is_row {
                continue;
            }
            let seen = count.filter(|_| is_row);
            rows.push(Store {
                id: instance.store,
                address: instance.address.clone(),
                component: instance.component,
                version: instance.version.clone(),
                sources: counted().count() as u64,
                records: counted().map(|row| row.records).sum(),
                first: counted().filter_map(|row| row.first).chain(seen.and_then(|count| count.first)).min(),
                last: counted().filter_map(|row| row.last).chain(seen.and_then(|count| count.last)).max(),
                events: count.map_or(0, |count| count.events),
                errors: count.map_or(0, |count| count.errors),
                regions: count.map_or(0, |count| count.regions.len() as u64),
                restarts: self.restarts.iter().filter(|restart| restart.instance == id).count() as u64,
                clock_skew_ms: learned.skew.get(at).copied().flatten(),
                identified_by: instance.identified_by.to_owned(),
            });
        }
        let written: FxHashSet<StoreId> = rows.iter().filter_map(|row| row.id).collect();
        for (store, address, version) in &learned.instances.known {
            if !written.contains(store) {
                rows.push(Store {
                    restarts: self.registered.get(store).map_or(0, |puts| puts - 1),
                    ..self.only_named(*store, Some(address), version.as_deref(), "address in other records")
                });
            }
        }
        let known: FxHashSet<StoreId> = rows.iter().filter_map(|row| row.id).collect();
        for store in self.by_store.keys().filter(|store| !known.contains(store)) {
            rows.push(self.only_named(*store, None, None, "named in other records"));
        }
        rows.sort_by(|a, b| {
            let key = |row: &Store| (row.id.is_none(), row.id, row.address.clone(), row.component, row.first);
            key(a).cmp(&key(b))
        });
        rows
    }

    fn only_named(&self, id: StoreId, address: Option<&str>, version: Option<&str>, how: &str) -> Store {
        let count = self.by_store.get(&id);
        Store {
            id: Some(id),
            address: address.map(str::to_owned),
            component: None,
            version: version.map(str::to_owned),
            sources: 0,
            records: 0,
            first: count.and_then(|count| count.first),
            last: count.and_then(|count| count.last),
            events: count.map_or(0, |count| count.events),
            errors: count.map_or(0, |count| count.errors),
            regions: count.map_or(0, |count| count.regions.len() as u64),
            restarts: 0,
            clock_skew_ms: None,
            identified_by: how.to_owned(),
        }
    }
}

impl Count {
    fn take(&mut self, told: &Told<'_>) {
        let event = told.event;
        self.events += 1;
        self.errors += u64::from(event.severity >= Severity::Error);
        self.regions.extend(&event.regions);
        self.first = match (self.first, event.time) {
            (Some(known), Some(time)) => Some(known.min(time)),
            (known, time) => known.or(time),
        };
        self.last = self.last.max(event.time);
    }
}
