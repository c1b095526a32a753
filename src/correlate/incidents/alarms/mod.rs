//! What no task and no run of `br` explains: damaged data, full disks, stores that crash or are gone, and any other record
//! that is critical.

mod deaths;
mod services;

use super::World;
use super::draft::Draft;
use super::prose::{because, capital, named, quote};
use super::runs::verdict;
use super::stalls::{BREAK_MS, GONE_MS};
use super::tasks::task_commands;
use super::words::at;
use crate::correlate::chains::{Alarm, By};
use crate::correlate::episodes::EpisodeId;
use crate::correlate::findings::{Certainty, IncidentKind, Verdict};
use crate::correlate::graph::Taken;
use crate::correlate::identify::InstanceId;
use crate::units::{Component, RegionId, Severity, StoreId, Timestamp};
use deaths::{CRASHES_MS, DEATHS, ENDS, crashes, deaths};
use services::{killed, told_to_stop, unit};
use std::collections::{BTreeMap, BTreeSet};

/// Critical records of one writer within this time are one incident.
const TOGETHER_MS: i64 = 10 * 60_000;

pub(super) fn find(world: &World<'_>, taken: &mut Taken) -> Vec<Draft> {
    let mut drafts = Vec::new();
    // What belongs to an alarm, beside what belongs to a task or run.
    let mut alarmed = Taken::default();
    let mut keep = |found: Vec<Draft>, taken: &mut Taken, alarmed: &mut Taken| {
        for draft in found {
            taken.take(draft.episodes.keys().copied());
            alarmed.take(draft.episodes.keys().copied());
            drafts.push(draft);
        }
    };
    for alarm in &world.graph.chains.alarms {
        let (found, over) = raised(alarm, world, taken);
        keep(found, taken, &mut alarmed);
        taken.take(over);
    }
    keep(crashes(world, taken), taken, &mut alarmed);
    keep(deaths(&DEATHS, world, taken, &alarmed), taken, &mut alarmed);
    keep(deaths(&ENDS, world, taken, &alarmed), taken, &mut alarmed);
    keep(gone(world, taken), taken, &mut alarmed);
    keep(leaderless(world, taken), taken, &mut alarmed);
    keep(criticals(world, taken), taken, &mut alarmed);
    let told = drafts.iter().flat_map(|draft| draft.stores.iter().copied()).collect();
    drafts.extend(unheard(world, &told));
    drafts
}

/// Whom an alarm is about: a store, or whoever writes where none is named; or a region.
type Whom = (Option<StoreId>, Option<InstanceId>, Option<RegionId>);

fn whom(id: EpisodeId, by: By, world: &World<'_>) -> Whom {
    let run = world.episodes.at(id);
    match by {
        By::Store => (run.key.store, run.key.store.is_none().then_some(run.instance), None),
        By::Region => (None, None, run.key.region),
    }
}

/// The alarms of the chains file, and the episodes of those that ended by themselves.
fn raised(alarm: &Alarm, world: &World<'_>, taken: &Taken) -> (Vec<Draft>, Vec<EpisodeId>) {
    let chains = world.graph.chains;
    let of = |kinds: &[crate::correlate::chains::KindId]| -> BTreeSet<EpisodeId> {
        kinds.iter().flat_map(|kind| world.graph.of_kind(&chains.at(*kind).name)).copied().collect()
    };
    let over = of(&alarm.over);
    let mut groups: BTreeMap<Whom, Vec<EpisodeId>> = BTreeMap::new();
    for id in of(&alarm.of).into_iter().filter(|id| !taken.has(*id) && !over.contains(id)) {
        groups.entry(whom(id, alarm.by, world)).or_default().push(id);
    }
    let (mut drafts, mut ended_well) = (Vec::new(), Vec::new());
    for (whom_of_group, ids) in groups {
        for core in apart(ids, alarm.gap_ms, world) {
            let last = core.iter().filter_map(|id| world.ended(*id)).max();
            let ended = over
                .iter()
                .filter(|id| whom(**id, alarm.by, world) == whom_of_group)
                .filter_map(|id| world.began(*id))
                .filter(|time| Some(*time) >= last)
                .min();
            // What ended by itself was no failure.
            if ended.is_some() {
                ended_well.extend(core);
                continue;
            }
            let mut draft = rests_on(alarm.kind, &core, world);
            draft.severity = alarm.severity;
            // Where the alarm leaves the cause open, the record that names it tells most.
            let names = |id: &&EpisodeId| alarm.cause.is_none() && world.reason(**id).is_some();
            let lead = core.iter().find(names).map_or(core[0], |id| *id);
            if let Some(cause) = alarm.cause.or_else(|| world.reason(lead)) {
                (draft.cause, draft.certainty) = (cause, Certainty::Observed);
            }
            draft.verdict = alarm.verdict.unwrap_or_else(|| verdict(draft.cause));
            let task = core.iter().find_map(|id| world.episodes.at(*id).key.task);
            draft.task = task.map(|task| world.learned.task(task).to_owned());
            tell(&mut draft, lead, world);
            follow_task(&mut draft, world);
            drafts.push(draft);
        }
    }
    (drafts, ended_well)
}

/// What a task needs is judged by its whole story, where that asks for something.
fn follow_task(draft: &mut Draft, world: &World<'_>) {
    let Some(task) = &draft.task else { return };
    if let Some((story, judged)) = world.stories.iter().find(|(story, _)| story.name == *task)
        && judged.verdict != Verdict::None
    {
        draft.verdict = judged.verdict;
        draft.commands = task_commands(story, judged, world);
    }
}

/// Runs of episodes with no longer gap, in order.
fn apart(mut ids: Vec<EpisodeId>, gap_ms: i64, world: &World<'_>) -> Vec<Vec<EpisodeId>> {
    ids.sort_by_key(|id| (world.began(*id).is_none(), world.began(*id), *id));
    let mut runs: Vec<Vec<EpisodeId>> = Vec::new();
    let mut last: Option<Timestamp> = None;
    for id in ids {
        let near = match (last, world.began(id)) {
            (Some(last), Some(began)) => began.since(last) <= gap_ms,
            // Without a time it may as well be the same.
            _ => true,
        };
        match runs.last_mut().filter(|_| near) {
            Some(run) => run.push(id),
            None => runs.push(vec![id]),
        }
        last = last.max(world.ended(id));
    }
    runs
}

/// An incident of some episodes, with what led to them.
fn rests_on(kind: IncidentKind, core: &[EpisodeId], world: &World<'_>) -> Draft {
    let mut draft = Draft::new(kind, world.seed(core[0]));
    for (id, member) in world.grow(core) {
        draft.add_episode(id, member);
    }
    for id in core {
        let run = world.episodes.at(*id);
        draft.stores.extend(run.key.store);
        draft.regions.extend(run.key.region);
    }
    draft
}

/// Stores that others cannot reach until the end of the logs, and whose own logs have ended.
fn gone(world: &World<'_>, taken: &Taken) -> Vec<Draft> {
    let mut by_store: BTreeMap<StoreId, Vec<EpisodeId>> = BTreeMap::new();
    for id in world.graph.of_kind("store-unreachable").iter().filter(|id| !taken.has(**id)) {
        if let Some(store) = world.other_store(world.episodes.at(*id)) {
            by_store.entry(store).or_default().push(*id);
        }
    }
    let mut drafts = Vec::new();
    for (store, ids) in by_store {
        let Some(core) = apart(ids, BREAK_MS, world).pop() else { continue };
        let began = core.iter().filter_map(|id| world.began(*id)).min();
        let ended = core.iter().filter_map(|id| world.ended(*id)).max();
        let (Some(began), Some(ended)) = (began, ended) else { continue };
        let until_the_end = world.now.is_some_and(|now| now.since(ended) <= GONE_MS);
        if ended.since(began) < GONE_MS || !until_the_end || world.lives_after(store, began) {
            continue;
        }
        let mut draft = rests_on(IncidentKind::StoreDown, &core, world);
        draft.stores = BTreeSet::from([store]);
        draft.summary = format!("Store {store} cannot be reached since{}.", at(Some(began)).trim_start_matches(" at"));
        drafts.push(draft);
    }
    drafts
}

/// Stores of which PD says that it hears nothing, and nobody else says more.
fn unheard(world: &World<'_>, told: &BTreeSet<StoreId>) -> Vec<Draft> {
    let mut by_store: BTreeMap<StoreId, Vec<EpisodeId>> = BTreeMap::new();
    for id in world.graph.of_kind("store-not-heard") {
        if let Some(store) = world.episodes.at(*id).key.store.filter(|store| !told.contains(store)) {
            by_store.entry(store).or_default().push(*id);
        }
    }
    let draft = |core: Vec<EpisodeId>| {
        let mut draft = rests_on(IncidentKind::StoreDown, &core, world);
        tell(&mut draft, core[0], world);
        draft
    };
    by_store.into_values().map(draft).collect()
}

/// Regions that have no leader until the end of the logs.
fn leaderless(world: &World<'_>, taken: &Taken) -> Vec<Draft> {
    let mut by_region: BTreeMap<RegionId, Vec<EpisodeId>> = BTreeMap::new();
    for id in world.graph.of_kind("no-leader").iter().filter(|id| !taken.has(**id)) {
        if let Some(region) = world.episodes.at(*id).key.region {
            by_region.entry(region).or_default().push(*id);
        }
    }
    let mut drafts = Vec::new();
    for (region, ids) in by_region {
        let Some(core) = apart(ids, BREAK_MS, world).pop() else { continue };
        let began = core.iter().filter_map(|id| world.began(*id)).min();
        let ended = core.iter().filter_map(|id| world.ended(*id)).max();
        let (Some(began), Some(ended)) = (began, ended) else { continue };
        if ended.since(began) >= GONE_MS && world.now.is_some_and(|now| now.since(ended) <= GONE_MS) {
            let mut draft = rests_on(IncidentKind::RegionUnavailable, &core, world);
            draft.summary =
                format!("Region {region} has no leader since{}.", at(Some(began)).trim_start_matches(" at"));
            drafts.push(draft);
        }
    }
    drafts
}

/// Any other critical record: a person must look at it. Those of one writer that come together are one incident.
fn criticals(world: &World<'_>, taken: &Taken) -> Vec<Draft> {
    let mut groups: BTreeMap<(IncidentKind, Whom), Vec<EpisodeId>> = BTreeMap::new();
    for (id, run) in world.episodes.iter() {
        // Only the record that ends a process is worse than its rule.
        let rule = world.catalog.get(world.learned.rule(run.key.rule));
        let ends = rule.is_some_and(|rule| rule.severity < run.severity);
        // Those of a task's life and of a refused command speak of what the task's state tells already.
        let group = world.learned.group(run.key.rule);
        let told = (matches!(group, "log-backup" | "gc" | "region-merge") && !ends) || run.screen;
        if run.severity < Severity::Critical || told || taken.has(id) || told_to_stop(id, world) {
            continue;
        }
        let starts = ends || matches!(group, "lifecycle" | "encryption");
        let of_a_store = run.component.is_some_and(Component::is_store);
        let kind = if of_a_store && starts { IncidentKind::StoreDown } else { IncidentKind::Other };
        groups.entry((kind, whom(id, By::Store, world))).or_default().push(id);
    }
    let mut drafts = Vec::new();
    for ((kind, _), ids) in groups {
        // A process that is started again and again, and each time says why it does not come up, has failed once.
        let gap_ms = if kind == IncidentKind::StoreDown { CRASHES_MS } else { TOGETHER_MS };
        for core in apart(ids, gap_ms, world) {
            let mut draft = rests_on(kind, &core, world);
            draft.severity = Severity::Critical;
            let telling = core.iter().find(|id| world.reason(**id).is_some());
            if let Some(cause) = telling.and_then(|id| world.reason(*id)) {
                (draft.cause, draft.certainty) = (cause, Certainty::Observed);
            }
            let asked = core.iter().find_map(|id| world.told(*id).filter(|told| told.cause == draft.cause)?.verdict);
            draft.verdict = asked.unwrap_or_else(|| verdict(draft.cause));
            let lead = telling.map_or(core[0], |id| *id);
            tell(&mut draft, lead, world);
            drafts.push(draft);
        }
    }
    drafts
}

/// What happened and what to do about it, by the rule of the record that tells most.
fn tell(draft: &mut Draft, lead: EpisodeId, world: &World<'_>) {
    let run = world.episodes.at(lead);
    let rule = world.catalog.get(world.learned.rule(run.key.rule));
    draft.remedy = rule.filter(|rule| !rule.wraps).map(|rule| rule.remedy.to_string()).filter(|text| !text.is_empty());
    let address = world.learned.instance(run.instance).address.clone();
    let component = run.component.map(|component| component.name().to_owned());
    let service = unit(run).map(|unit| format!("service {unit}"));
    let whom = named("store", draft.stores.iter())
        .or(service)
        .or(address)
        .or(component)
        .unwrap_or_else(|| "a process".to_owned());
    let meaning = rule.map(|rule| {
        let said = if rule.wraps { format!(" {}.", capital(&quote(&run.summary))) } else { String::new() };
        let killed = killed(&run.summary).filter(|name| !rule.meaning.contains(*name));
        let killed = killed.map(|name| format!(" It was {name}.")).unwrap_or_default();
        format!("{}{killed}{said}", rule.meaning)
    });
    let meaning = meaning.unwrap_or_else(|| format!("{}.", because(draft.cause)));
    draft.summary = format!("{}{}: {meaning}", capital(&whom), at(draft.start));
}
