//! Stores that crash, and processes that die.

use super::services::{is_store, process, started_again, told_to_stop};
use super::{Whom, apart, rests_on, tell, whom};
use crate::correlate::chains::By;
use crate::correlate::episodes::EpisodeId;
use crate::correlate::findings::{Cause, Certainty, IncidentKind};
use crate::correlate::graph::Taken;
use crate::correlate::incidents::World;
use crate::correlate::incidents::draft::Draft;
use crate::correlate::incidents::prose::because;
use crate::correlate::incidents::runs::verdict;
use crate::correlate::incidents::words::{at, since};
use crate::units::{Component, Severity, StoreId, Timestamp};
use std::collections::BTreeMap;

/// Crashes of one store within this time are one incident.
pub(super) const CRASHES_MS: i64 = 2 * 3_600_000;
/// Who has been up this long since the last crash has recovered.
const CALM_MS: i64 = 30 * 60_000;
/// Nobody dies twice within this time.
const MOMENT_MS: i64 = 1_000;
/// The kinds of records that a process dies with.
pub(super) const DEATHS: [&str; 2] = ["killed-for-memory", "panic"];
/// Those where nothing but the end of a process is told.
pub(super) const ENDS: [&str; 1] = ["signalled"];

/// Stores that started without having been told to stop. One crash that explains something else is part of that; a store
/// that crashes again and again needs somebody of its own.
pub(super) fn crashes(world: &World<'_>, taken: &Taken) -> Vec<Draft> {
    let mut groups: BTreeMap<Whom, Vec<EpisodeId>> = BTreeMap::new();
    for (store, restart) in world.stores.crashes(world.learned) {
        let whom = (store, store.is_none().then_some(restart.instance), None);
        groups.entry(whom).or_default().push(restart.episode);
    }
    let mut drafts = Vec::new();
    for ((store, instance, _), ids) in groups {
        let address = instance.and_then(|instance| world.learned.instance(instance).address.as_deref());
        for core in apart(ids, CRASHES_MS, world) {
            if core.len() == 1 && taken.has(core[0]) {
                continue;
            }
            let mut draft = rests_on(IncidentKind::StoreRestarted, &core, world);
            draft.stores.extend(store);
            let near = draft.episodes.clone();
            (draft.cause, draft.certainty) =
                world.nearest_cause(&near).unwrap_or((Cause::Unknown, Certainty::Inferred));
            if draft.cause == Cause::Unknown && died(&draft, "panic", world) {
                draft.cause = Cause::Bug;
            }
            let last = core.iter().filter_map(|id| world.ended(*id)).max();
            draft.verdict = verdict(draft.cause);
            draft.summary = crash_words(&name(store, address), core.len(), &draft, world);
            let calm = last.zip(world.now).is_some_and(|(last, now)| now.since(last) >= CALM_MS);
            if core.len() == 1 || calm {
                draft.recovered(last);
            }
            drafts.push(draft);
        }
    }
    drafts
}

fn name(store: Option<StoreId>, address: Option<&str>) -> String {
    match (store, address) {
        (Some(store), _) => format!("Store {store}"),
        (None, Some(address)) => format!("The store at {address}"),
        (None, None) => "A store".to_owned(),
    }
}

fn crash_words(store: &str, times: usize, draft: &Draft, world: &World<'_>) -> String {
    let times = match times {
        1 => format!("restarted{}", at(draft.start)),
        times => format!("restarted {times} times{}", since(draft.start)),
    };
    let why = because(draft.cause);
    // What it died of says more than the cause alone.
    let death = DEATHS.iter().flat_map(|kind| world.graph.of_kind(kind)).find(|id| draft.episodes.contains_key(id));
    let rule = death.and_then(|id| world.catalog.get(world.learned.rule(world.episodes.at(*id).key.rule)));
    let said = rule.map_or_else(String::new, |rule| format!(" {}", rule.meaning));
    format!("{store} {times} without having been told to stop: {why}.{said}")
}

fn died(draft: &Draft, kind: &str, world: &World<'_>) -> bool {
    world.graph.of_kind(kind).iter().any(|id| draft.episodes.contains_key(id))
}

/// Panics and kills after which no start is seen. One that explains something else is part of that; a store that is killed
/// again and again needs somebody of its own.
pub(super) fn deaths(kinds: &[&str], world: &World<'_>, taken: &Taken, alarmed: &Taken) -> Vec<Draft> {
    let mut groups: BTreeMap<Whom, Vec<EpisodeId>> = BTreeMap::new();
    for id in kinds.iter().flat_map(|kind| world.graph.of_kind(kind)) {
        let run = world.episodes.at(*id);
        if !alarmed.has(*id) && run.severity >= Severity::Critical && !told_to_stop(*id, world) {
            let group = groups.entry(whom(*id, By::Store, world)).or_default();
            if !group.contains(id) {
                group.push(*id);
            }
        }
    }
    let mut drafts = Vec::new();
    for ids in groups.into_values() {
        for core in apart(ids, CRASHES_MS, world) {
            let times = times_died(&core, world);
            if times < 2 && core.iter().all(|id| taken.has(*id)) {
                continue;
            }
            let run = world.episodes.at(core[0]);
            let store = run.key.store;
            let last = core.iter().filter_map(|id| world.ended(*id)).max();
            let mut draft = rests_on(IncidentKind::Other, &core, world);
            let lives = match (store, last) {
                (Some(store), Some(last)) => world.lives_after(store, last),
                _ => draft.episodes.keys().any(|id| started_again(*id, world)),
            };
            let of_a_store = store.is_some()
                || run.component.is_some_and(Component::is_store)
                || core.iter().any(|id| process(world.episodes.at(*id)).is_some_and(is_store));
            draft.kind = match (of_a_store, lives || times >= 2) {
                (true, true) => IncidentKind::StoreRestarted,
                (true, false) => IncidentKind::StoreDown,
                (false, _) => IncidentKind::Other,
            };
            draft.severity = Severity::Critical;
            let chains = world.graph.chains;
            let own = core.iter().find_map(|id| chains.cause_of(world.graph.kinds(*id)));
            let said = core.iter().find_map(|id| world.reason(*id));
            let near = draft.episodes.clone();
            (draft.cause, draft.certainty) = match own.or(said) {
                Some(cause) => (cause, Certainty::Observed),
                None => world.nearest_cause(&near).unwrap_or_else(|| {
                    // A FATAL record that no rule knows ends a process, but need not be a bug.
                    let open = core.iter().all(|id| world.told(*id).is_some_and(|told| told.cause == Cause::Unknown));
                    (if open { Cause::Unknown } else { Cause::Bug }, Certainty::Inferred)
                }),
            };
            draft.verdict = verdict(draft.cause);
            let lead = core.iter().find(|id| names_the_killed(**id, world)).map_or(core[0], |id| *id);
            tell(&mut draft, lead, world);
            if lives {
                draft.recovered(last);
            }
            drafts.push(draft);
        }
    }
    drafts
}

/// How often a process died: what its log, its terminal and the system say of one moment is one death, and what has no time may be of any.
fn times_died(core: &[EpisodeId], world: &World<'_>) -> u64 {
    let mut times = 0;
    let mut last: Option<Timestamp> = None;
    for id in core {
        let (Some(began), Some(ended)) = (world.began(*id), world.ended(*id)) else { continue };
        let again = if ended.since(began) >= MOMENT_MS { world.episodes.at(*id).count } else { 1 };
        let same = last.is_some_and(|last| began.since(last) < MOMENT_MS);
        times += again - u64::from(same);
        last = last.max(Some(ended));
    }
    times.max(1)
}

/// Whether the kernel says here whom it killed: it writes more records of a kill, some about others.
fn names_the_killed(id: EpisodeId, world: &World<'_>) -> bool {
    world.graph.of_kind("process-killed").contains(&id)
}
