//! The lanes of the picture: one for each region and store of the story, and for TiDB, PD and BR.

use crate::correlate::{Episode, Findings, Incident, IncidentStatus, Step, Store};
use crate::units::{Component, RegionId, StoreId};
use std::cmp::Reverse;
use std::collections::BTreeMap;

const MOST_REGIONS: usize = 5;
const MOST_STORES: usize = 7;
/// From so many lanes on they are lower: the picture is to fit the first screen.
const MANY: usize = 10;

/// What a lane shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    Region(RegionId),
    Store(StoreId),
    /// Stores without a lane of their own.
    MoreStores,
    /// Records of this program that name no store.
    Program(Component),
    /// Records of an unknown program that name no store.
    Unknown,
}

/// The lanes, from top to bottom.
#[derive(Debug)]
pub(super) struct Lanes {
    pub(super) lanes: Vec<Lane>,
    more_stores: u64,
}

impl Lanes {
    /// Lanes for what is open first, then for what has the most errors.
    pub(super) fn of(findings: &Findings) -> Self {
        let open = || findings.incidents.iter().filter(|incident| incident.status == IncidentStatus::Open);
        let rank = |is_in: &dyn Fn(&Incident) -> bool| open().position(is_in).unwrap_or(usize::MAX);
        let mut regions: Vec<_> = findings.regions.iter().collect();
        regions.sort_by_key(|region| {
            (
                rank(&|incident| incident.regions.contains(&region.id)),
                Reverse((region.errors, region.events)),
                region.id,
            )
        });
        regions.truncate(MOST_REGIONS);
        regions.sort_by_key(|region| region.id);

        let mut stores: BTreeMap<StoreId, u64> = BTreeMap::new();
        for store in findings.stores.iter().filter_map(|store| Some((store.id?, store.errors))) {
            *stores.entry(store.0).or_default() += store.1;
        }
        for episode in &findings.episodes {
            if let Some(store) = episode.store {
                stores.entry(store).or_default();
            }
        }
        let all = stores.len();
        let mut stores: Vec<_> = stores.into_iter().collect();
        stores.sort_by_key(|(id, errors)| (rank(&|incident| incident.stores.contains(id)), Reverse(*errors), *id));
        stores.truncate(MOST_STORES);
        stores.sort_unstable();

        let mut lanes: Vec<Lane> = regions.iter().map(|region| Lane::Region(region.id)).collect();
        lanes.extend(stores.iter().map(|(id, _)| Lane::Store(*id)));
        if all > stores.len() {
            lanes.push(Lane::MoreStores);
        }
        let programs = [
            Component::Tidb,
            Component::Pd,
            Component::Br,
            Component::Tikv,
            Component::Tiflash,
            Component::Cdc,
            Component::Os,
        ];
        let speaks = |program: Option<Component>| {
            // Of very many episodes not all are at hand, but who wrote them is known.
            findings.stores.iter().any(|store| store.id.is_none() && store.component == program && store.events > 0)
                || findings.episodes.iter().any(|episode| episode.store.is_none() && episode.component == program)
                || open()
                    .flat_map(|incident| &incident.chain)
                    .any(|step| step.stores.is_empty() && step.component == program)
        };
        lanes.extend(programs.iter().filter(|program| speaks(Some(**program))).map(|program| Lane::Program(*program)));
        if speaks(None) {
            lanes.push(Lane::Unknown);
        }
        Self { lanes, more_stores: (all - stores.len()) as u64 }
    }

    /// Height of a lane.
    pub(super) fn height(&self) -> f64 {
        if self.lanes.len() < MANY { 24.0 } else { 18.0 }
    }

    /// Middle of a lane; a thin line parts it from the next.
    pub(super) fn middle(&self, lane: usize) -> f64 {
        lane as f64 * self.height() + (self.height() - 1.0) / 2.0
    }

    pub(super) fn label(&self, lane: Lane) -> String {
        match lane {
            Lane::Region(id) => format!("region {id}"),
            Lane::Store(id) => format!("store {id}"),
            Lane::MoreStores => format!("{} more stores", self.more_stores),
            Lane::Program(program) if program.is_store() => format!("{program} (which?)"),
            Lane::Program(program) => program.as_str().to_owned(),
            Lane::Unknown => "unknown".to_owned(),
        }
    }

    /// The lanes that an episode is drawn in: its region's, and that of who wrote it.
    pub(super) fn of_episode(&self, episode: &Episode) -> impl Iterator<Item = usize> {
        let region = episode.region.and_then(|id| self.index(Lane::Region(id)));
        let writer = match (episode.store, episode.component) {
            (Some(id), _) => self.index(Lane::Store(id)).or_else(|| self.index(Lane::MoreStores)),
            (None, Some(program)) => self.index(Lane::Program(program)),
            (None, None) => self.index(Lane::Unknown),
        };
        region.into_iter().chain(writer)
    }

    /// The lane in which a step of a chain is marked: its store's; its region's where several stores tell of it.
    pub(super) fn of_step(&self, step: &Step) -> Option<usize> {
        let region = step.regions.iter().find_map(|id| self.index(Lane::Region(*id)));
        let program = step.component.and_then(|program| self.index(Lane::Program(program)));
        match step.stores.as_slice() {
            _ if step.component.is_some_and(|component| !component.is_store()) => program.or(region),
            [store] => self.index(Lane::Store(*store)).or(region).or_else(|| self.index(Lane::MoreStores)),
            [] => region.or(program),
            [store, ..] => region.or_else(|| self.index(Lane::Store(*store))).or_else(|| self.index(Lane::MoreStores)),
        }
    }

    /// The lane of a row of `stores.csv`.
    pub(super) fn of_instance(&self, store: &Store) -> Option<usize> {
        match store.id {
            Some(id) => self.index(Lane::Store(id)),
            None => self.index(Lane::Program(store.component?)),
        }
    }

    /// The region or store of a lane.
    pub(super) fn ids(&self, lane: usize) -> (Option<RegionId>, Option<StoreId>) {
        match self.lanes.get(lane) {
            Some(Lane::Region(id)) => (Some(*id), None),
            Some(Lane::Store(id)) => (None, Some(*id)),
            _ => (None, None),
        }
    }

    pub(super) fn index(&self, lane: Lane) -> Option<usize> {
        self.lanes.iter().position(|known| *known == lane)
    }
}
