//! Incidents: one for each failure that a person must act on, with the chain that led to it.

mod alarms;
mod draft;
mod prose;
mod refused;
mod restores;
mod runs;
mod stalls;
mod tasks;
mod words;

pub(super) use draft::{Draft, Moment, Seed};
pub(super) use refused::story_of as refused_story;
pub(super) use tasks::task_commands;

use super::Options;
use super::chains::Reason;
use super::episodes::{EpisodeId, Episodes, Run};
use super::findings::{Cause, Certainty, Incident, IncidentKind, IncidentStatus};
use super::gc::Gc;
use super::graph::{Graph, Member, Taken};
use super::identify::rotated_set;
use super::learned::Learned;
use super::regions::Regions;
use super::runs::BrRun;
use super::stores::Stores;
use super::tasks::{Judged, Story};
use super::tiflash::Replicas;
use crate::rules::Catalog;
use crate::units::{Severity, StoreId, Timestamp};
use std::collections::BTreeMap;

/// All that incidents are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct World<'w> {
    pub(super) learned: &'w Learned,
    pub(super) episodes: &'w Episodes,
    pub(super) graph: &'w Graph<'w>,
    pub(super) regions: &'w Regions,
    pub(super) stores: &'w Stores,
    pub(super) gc: &'w Gc,
    pub(super) stories: &'w [(Story, Judged)],
    pub(super) runs: &'w [BrRun],
    pub(super) replicas: &'w Replicas,
    /// The replicas that the logs of other clusters name too, where there are several.
    pub(super) everywhere: Option<&'w Replicas>,
    pub(super) catalog: &'w Catalog,
    pub(super) options: &'w Options,
    pub(super) pd: &'w str,
    pub(super) now: Option<Timestamp>,
}

impl World<'_> {
    /// The chain of some episodes.
    fn grow(&self, core: &[EpisodeId]) -> BTreeMap<EpisodeId, Member> {
        self.graph.grow(core, self.episodes, self.learned)
    }

    /// When an episode began, by the clock of the others.
    fn began(&self, id: EpisodeId) -> Option<Timestamp> {
        let run = self.episodes.at(id);
        run.first.map(|first| self.learned.real_time(run.instance, first))
    }

    /// When an episode ended, by the clock of the others.
    fn ended(&self, id: EpisodeId) -> Option<Timestamp> {
        let run = self.episodes.at(id);
        run.last.map(|last| self.learned.real_time(run.instance, last))
    }

    /// When the last run of episodes with no longer break began and ended.
    fn last_run(&self, ids: &[EpisodeId], break_ms: i64) -> Option<(Timestamp, Timestamp)> {
        let mut spans: Vec<(Timestamp, Timestamp)> =
            ids.iter().filter_map(|id| self.began(*id).zip(self.ended(*id))).collect();
        spans.sort_unstable();
        let mut run: Option<(Timestamp, Timestamp)> = None;
        for (began, ended) in spans {
            run = match run {
                Some((first, last)) if began.since(last) <= break_ms => Some((first, last.max(ended))),
                _ => Some((began, ended)),
            };
        }
        run
    }

    /// Whether a store's own log goes on after a time, by more than its last words.
    fn lives_after(&self, store: StoreId, time: Timestamp) -> bool {
        const LAST_WORDS_MS: i64 = 120_000;
        self.learned.instances.of_store(store).is_some_and(|id| {
            let last = Stores::last_word(self.learned, id).map(|last| self.learned.real_time(id, last));
            last.is_some_and(|last| last.since(time) > LAST_WORDS_MS)
        })
    }

    /// The store that records are about, where it is not the one that writes them.
    fn other_store(&self, run: &Run) -> Option<StoreId> {
        let writer = self.learned.instance(run.instance).store;
        run.remote.or(run.key.store.filter(|store| writer != Some(*store)))
    }

    /// The record that an episode begins with.
    fn seed(&self, id: EpisodeId) -> Seed {
        let run = self.episodes.at(id);
        Seed { instance: run.instance, time: run.first, rule: run.key.rule, place: self.learned.place(run) }
    }

    /// What an episode names as the reason.
    fn told(&self, id: EpisodeId) -> Option<&Reason> {
        let run = self.episodes.at(id);
        self.graph.chains.told(self.learned.rule(run.key.rule), &run.summary)
    }

    /// The cause that an episode names.
    fn reason(&self, id: EpisodeId) -> Option<Cause> {
        self.told(id).and_then(Reason::known)
    }

    /// The cause that the nearest members of a chain stand for, in the order of distance, then of time.
    fn nearest_cause(&self, members: &BTreeMap<EpisodeId, Member>) -> Option<(Cause, Certainty)> {
        let mut near: Vec<_> = members.iter().filter(|(_, member)| member.distance > 0).collect();
        near.sort_by_key(|(id, member)| (member.distance, **id));
        near.into_iter().find_map(|(id, member)| {
            let chains = self.graph.chains;
            let own = chains.cause_of(self.graph.kinds(*id));
            let cause = own.or_else(|| self.reason(*id))?;
            Some((cause, member.certainty))
        })
    }
}

/// All incidents, as drafts. What belongs to an earlier one is not an incident of its own.
pub(super) fn find(world: &World<'_>) -> Vec<Draft> {
    let mut taken = Taken::default();
    let mut all = tasks::find(world, &mut taken);
    all.extend(stalls::find(world, &mut taken));
    all.extend(refused::find(world, &mut taken));
    all.extend(restores::find(world, &mut taken));
    all.extend(runs::find(world, &mut taken));
    all.extend(alarms::find(world, &mut taken));
    if let Some(wanted) = &world.options.task {
        all.retain(|draft| draft.task.as_ref().is_none_or(|task| task == wanted));
    }
    all
}

/// The rows of the table, worst first, then by start, with the draft of each.
pub(super) fn rows(drafts: Vec<Draft>, world: &World<'_>) -> Vec<(Incident, Draft)> {
    let mut rows: Vec<(Incident, Draft)> = drafts.into_iter().map(|draft| (incident(&draft, world), draft)).collect();
    rows.sort_by(|(a, _), (b, _)| order(a, b));
    // Two of one id would be one.
    for at in 1..rows.len() {
        let mut twin = 1;
        while rows[..at].iter().any(|(known, _)| known.id == rows[at].0.id) {
            twin += 1;
            let seed = format!("{}#{twin}", hash_text(&rows[at].1, world));
            rows[at].0.id = id(rows[at].0.kind, &seed);
        }
    }
    rows
}

/// Worst first, then by start.
pub(super) fn order(a: &Incident, b: &Incident) -> std::cmp::Ordering {
    let key = |one: &Incident| {
        (
            std::cmp::Reverse(one.severity),
            one.status == IncidentStatus::Recovered,
            one.start.is_none(),
            one.start,
            rank(one.kind),
        )
    };
    key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
}

/// Of incidents that began at once the one that says most comes first.
const fn rank(kind: IncidentKind) -> u8 {
    match kind {
        IncidentKind::ResumeRefused => 0,
        IncidentKind::TaskFailed => 1,
        IncidentKind::DataCorrupted => 2,
        _ => 3,
    }
}

fn incident(draft: &Draft, world: &World<'_>) -> Incident {
    let open = draft.status == IncidentStatus::Open;
    Incident {
        id: id(draft.kind, &hash_text(draft, world)),
        kind: draft.kind,
        cluster: None,
        severity: if open { draft.severity } else { draft.severity.min(Severity::Notice) },
        status: draft.status,
        start: draft.start,
        end: draft.end,
        task: draft.task.clone(),
        stores: draft.stores.iter().copied().collect(),
        regions: draft.regions.iter().copied().collect(),
        cause: draft.cause,
        certainty: draft.certainty,
        verdict: draft.verdict,
        summary: draft.summary.clone(),
        remedy: draft.remedy.clone(),
        commands: draft.commands.clone(),
        events: draft.events(world),
        chain: draft.steps(world),
    }
}

/// Kind, task and first evidence: instance, time, rule. A record without time is told apart by where it stands.
fn hash_text(draft: &Draft, world: &World<'_>) -> String {
    let seed = &draft.seed;
    let writer = world.learned.instance(seed.instance);
    let instance = match (writer.store, &writer.address) {
        (Some(store), _) => format!("store {store}"),
        (None, Some(address)) => address.clone(),
        // The same before and after its log is rotated.
        (None, None) => rotated_set(&writer.file),
    };
    let time = seed.time.map_or_else(|| seed.place.to_string(), |time| time.to_string());
    let task = draft.task.as_deref().unwrap_or_default();
    format!("{}\n{task}\n{instance}\n{time}\n{}", draft.kind, world.learned.rule(seed.rule))
}

/// The kind and 8 hex digits.
fn id(kind: IncidentKind, text: &str) -> String {
    // FNV-1a: the same in every run and on every machine.
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{kind}-{:08x}", (hash >> 32) as u32 ^ hash as u32)
}
