//! What could make the report wrong: what was not read, what is missing, what was guessed, whose clock is off.

use super::findings::{Cause, DeadlineBasis, Incident, IncidentStatus, Source};
use super::incidents::{Draft, World};
use super::stores::Stores;
use crate::event::ReadStatus;
use crate::units::{Component, StoreId, Timestamp, hms};
use std::collections::BTreeSet;

/// A pause of this length between two files of one process is a gap.
const GAP_MS: i64 = 30 * 60_000;

/// One sentence each.
pub(super) fn find(world: &World<'_>, rows: &[(Incident, Draft)], sources: &[Source]) -> Vec<String> {
    let mut all = Vec::new();
    unread(sources, &mut all);
    all.extend(world.options.since.map(|since| {
        let since = since.human();
        format!("Only records from {since}Z on were read: when the task was started, what failed before and earlier checkpoints may be missing; leave --since out to have them.")
    }));
    clocks(world, &mut all);
    missing_logs(world, rows, &mut all);
    deadlines(world, &mut all);
    gaps(world, &mut all);
    guesses(world, &mut all);
    all
}

fn unread(sources: &[Source], all: &mut Vec<String>) {
    for source in sources {
        let problem = source.problem.as_deref().unwrap_or("no reason is known");
        match source.status {
            ReadStatus::Failed => all.push(format!("{} could not be read: {problem}.", source.file)),
            ReadStatus::Partial => all.push(format!("{} was read in part only: {problem}.", source.file)),
            ReadStatus::Read | ReadStatus::Skipped => {}
        }
    }
}

fn name(world: &World<'_>, at: usize) -> String {
    let instance = &world.learned.instances.all[at];
    match (instance.store, instance.component, &instance.address) {
        (Some(store), ..) => format!("store {store}"),
        (None, Some(component), Some(address)) => format!("{component} {address}"),
        (None, Some(component), None) => component.to_string(),
        (None, None, _) => instance.file.to_string(),
    }
}

fn clocks(world: &World<'_>, all: &mut Vec<String>) {
    for (at, skew) in world.learned.skew.iter().enumerate() {
        let known = world.learned.known_skew(super::identify::InstanceId(at as u32));
        if let (Some(ms), Some(_)) = (skew, known) {
            let way = if *ms > 0 { "ahead of" } else { "behind" };
            let by = hms(ms.abs());
            all.push(format!(
                "The clock of {} is about {by} {way} the others': times are as written, the order of each chain is set right.",
                name(world, at)
            ));
        }
    }
}

/// Stores that an open incident names and whose logs are not here, or end before it.
fn missing_logs(world: &World<'_>, rows: &[(Incident, Draft)], all: &mut Vec<String>) {
    let mut said: BTreeSet<StoreId> = BTreeSet::new();
    // The log of a store that is gone ends, and there is no more of it.
    let open = rows.iter().filter(|(incident, _)| incident.status == IncidentStatus::Open);
    for (incident, _) in open.filter(|(incident, _)| incident.cause != Cause::StoreDown) {
        for store in incident.stores.iter().filter(|store| said.insert(**store)) {
            let written = world.learned.instances.of_store(*store).and_then(|id| Stores::last_word(world.learned, id));
            let where_is = world.learned.instances.address_of(*store).map(|a| format!(" ({a})")).unwrap_or_default();
            let fetch = fetch("its tikv.log", incident.start);
            match written {
                None => all.push(format!("No log of store {store}{where_is} is here: {fetch}.")),
                Some(last) if incident.start.is_some_and(|start| last < start) => {
                    let last = last.human();
                    all.push(format!(
                        "The log of store {store}{where_is} ends at {last}Z, before the incident: {fetch}."
                    ));
                }
                Some(_) => {}
            }
        }
    }
    // Of a pause that no store is known of, all of them may tell why.
    let down = world.stories.iter().find_map(|(story, _)| story.life.open());
    let tikv = world.learned.instances.all.iter().any(|instance| instance.component == Some(Component::Tikv));
    if let (Some(down), true, false) = (down, said.is_empty(), tikv) {
        let fetch = fetch("tikv.log of every store", down.since);
        all.push(format!(
            "No TiKV log is here, so what led to this cannot be seen: {fetch}, or what `br log status` shows."
        ));
    }
}

/// Which file would tell more, and of which time.
fn fetch(file: &str, time: Option<Timestamp>) -> String {
    let around = time.map(|time| format!(" around {}Z", time.human())).unwrap_or_default();
    format!("fetch {file}{around}")
}

fn deadlines(world: &World<'_>, all: &mut Vec<String>) {
    for (story, judged) in world.stories {
        if judged.deadline.is_some_and(|(_, basis)| basis == DeadlineBasis::Estimate) && !judged.lost {
            let ttl = hms(world.options.gc_ttl_ms);
            let since = story.life.open().and_then(|down| down.since);
            let fetch = fetch("pd.log", since);
            let task = if story.name.is_empty() { "the task" } else { &story.name };
            all.push(format!("No PD log reaches the failure of {task}: {ttl} of safety is an estimate, {fetch}."));
        }
    }
}

fn gaps(world: &World<'_>, all: &mut Vec<String>) {
    for (at, instance) in world.learned.instances.all.iter().enumerate() {
        if instance.component.is_none_or(|component| component == Component::Br || component == Component::Os) {
            continue;
        }
        let mut spans: Vec<(Timestamp, Timestamp)> = instance
            .sources
            .iter()
            .filter(|source| world.learned.counted[**source] == **source)
            .filter_map(|source| world.learned.sources[*source].first.zip(world.learned.sources[*source].last))
            .collect();
        spans.sort_unstable();
        let mut until: Option<Timestamp> = None;
        for (first, last) in spans {
            if let Some(until) = until.filter(|until| first.since(*until) >= GAP_MS) {
                let (from, to) = (until.human(), first.human());
                all.push(format!("No record of {} is here between {from}Z and {to}Z.", name(world, at)));
            }
            until = until.max(Some(last));
        }
    }
}

fn guesses(world: &World<'_>, all: &mut Vec<String>) {
    for instance in &world.learned.instances.all {
        if let (Some(store), true) = (instance.store, instance.identified_by.starts_with("inferred")) {
            all.push(format!("That {} is of store {store} is {}.", instance.file, instance.identified_by));
        }
    }
}
