//! Which incidents rest on an event: asked for every event of a report, so only those of incidents are kept.

use super::episodes::{EpisodeId, Episodes, Key, OfEpisodes};
use super::findings::Incident;
use super::incidents::Draft;
use super::learned::{Learned, Told};
use super::names::FileId;
use crate::units::{RegionId, Timestamp};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// Episodes and single records of incidents, with the positions of those.
#[derive(Debug, Default)]
pub(super) struct Members {
    whole: FxHashMap<Key, Vec<Span>>,
    /// By file and first byte.
    single: FxHashMap<(FileId, u64), Vec<u32>>,
}

#[derive(Debug)]
struct Span {
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    file: FileId,
    incidents: Vec<u32>,
}

impl Members {
    /// Of incidents in the order of their table.
    pub(super) fn of(rows: &[(Incident, Draft)], episodes: &Episodes, learned: &Learned) -> Self {
        let mut members = Self::default();
        let mut whole: BTreeMap<EpisodeId, Vec<u32>> = BTreeMap::new();
        for (at, (_, draft)) in rows.iter().enumerate() {
            for id in draft.episodes.keys() {
                whole.entry(*id).or_default().push(at as u32);
            }
            for moment in &draft.moments {
                if let Some(file) = learned.file_of(&moment.place.file) {
                    members.single.entry((file, moment.place.offset)).or_default().push(at as u32);
                }
            }
        }
        for (id, incidents) in whole {
            let run = episodes.at(id);
            let span = Span { first: run.first, last: run.last, file: run.file, incidents };
            members.whole.entry(run.key).or_default().push(span);
        }
        members
    }

    /// The positions of the incidents that rest on an event, in the order of their table.
    pub(super) fn incidents(&self, told: &Told<'_>) -> Vec<u32> {
        let event = told.event;
        let key = Key::of(told);
        let mut found: BTreeSet<u32> = BTreeSet::new();
        for span in self.whole.get(&key).into_iter().flatten() {
            let within = match event.time {
                Some(_) => span.first <= event.time && event.time <= span.last,
                None => span.first.is_none() && span.file == told.file,
            };
            if within {
                found.extend(&span.incidents);
            }
        }
        found.extend(self.single.get(&(told.file, event.offset)).into_iter().flatten());
        found.into_iter().collect()
    }
}

/// The incidents of each episode, also those that rest on a single record of it.
pub(super) fn of_episodes(rows: &[(Incident, Draft)]) -> OfEpisodes {
    let mut found = OfEpisodes::new();
    for (incident, draft) in rows {
        for id in draft.episodes.keys().copied().chain(draft.moments.iter().map(|moment| moment.episode)) {
            found.entry(id).or_default().insert(incident.id.clone());
        }
    }
    found
}

/// The incidents of each region.
pub(super) fn of_regions(rows: &[(Incident, Draft)]) -> BTreeMap<RegionId, BTreeSet<String>> {
    let mut found: BTreeMap<RegionId, BTreeSet<String>> = BTreeMap::new();
    for (incident, _) in rows {
        for region in &incident.regions {
            found.entry(*region).or_default().insert(incident.id.clone());
        }
    }
    found
}
