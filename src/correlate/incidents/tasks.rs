//! A task that failed, or that was paused.

use super::draft::{Draft, Moment, Seed};
use super::words::at;
use super::{World, prose, stalls};
use crate::correlate::chains::Reason as Told;
use crate::correlate::commands;
use crate::correlate::episodes::EpisodeId;
use crate::correlate::findings::{Cause, Certainty, DeadlineBasis, IncidentKind, Verdict};
use crate::correlate::graph::{Member, Taken};
use crate::correlate::regions::Merge;
use crate::correlate::signs::{Sign, Verb};
use crate::correlate::tasks::{Down, Judged, Reason, Step, Story};
use crate::units::{Severity, Timestamp};

/// Whatever a chain needs of the time before a failure.
const BEFORE_MS: i64 = 5_000;
/// An episode that is part of the pause as a whole is not much longer than it.
const WHOLE_MS: i64 = 10 * 60_000;

pub(super) fn find(world: &World<'_>, taken: &mut Taken) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (story, judged) in world.stories {
        for down in &story.life.downs {
            // A pause by hand that was resumed is somebody's work, not a failure.
            let routine = matches!(down.reason, Reason::Operator | Reason::Unknown) && down.end.is_some();
            if !routine {
                let draft = draft(story, judged, down, world);
                taken.take(draft.episodes.keys().copied());
                drafts.push(draft);
            }
        }
    }
    drafts
}

fn draft(story: &Story, judged: &Judged, down: &Down, world: &World<'_>) -> Draft {
    let first = &story.log.steps[down.first];
    let kind = match down.reason {
        Reason::Fatal if down.silent => IncidentKind::CheckpointStalled,
        Reason::Fatal => IncidentKind::TaskFailed,
        _ => IncidentKind::TaskPaused,
    };
    let seed = Seed { instance: first.instance, time: first.written, rule: first.rule, place: first.place.clone() };
    let mut draft = Draft::new(kind, seed);
    draft.task = Some(story.name.clone()).filter(|name| !name.is_empty());
    draft.severity = if down.reason == Reason::Fatal { Severity::Critical } else { Severity::Warning };
    let core = core(story, down, world);
    let members = world.grow(&core);
    (draft.cause, draft.certainty) = cause(story, down, &members, world);
    for (id, member) in members {
        draft.add_episode(id, member);
    }
    if draft.cause == Cause::Unknown && down.reason == Reason::Fatal {
        add_beside(&mut draft, first, down, world);
    }
    add_of_store(&mut draft, down, world);
    let merge = down.region.and_then(|region| world.regions.merge_at(region, down.since, 60_000));
    let merge = merge.filter(|_| draft.cause == Cause::RegionMerge);
    if let Some(merge) = merge {
        add_merge(&mut draft, merge, world);
    }
    if down.end.is_none() {
        draft.verdict = judged.verdict;
        draft.commands = task_commands(story, judged, world);
        add_gc(&mut draft, judged, world);
    }
    add_steps(&mut draft, story, down, world);
    draft.stores.extend(down.store);
    draft.regions.extend(down.region);
    let held = (draft.cause == Cause::LagCheck || down.silent)
        .then(|| stalls::add_blockers(&mut draft, story, down.since, world));
    let says = fatal_steps(story, down)
        .find_map(|step| told(step, world).filter(|told| told.cause == draft.cause))
        .and_then(|told| told.says.as_deref());
    let told = prose::Downfall { story, judged, down, merge, held: held.flatten(), says };
    draft.summary = prose::of_down(&draft, told, world);
    if let Some((end, _)) = down.end {
        draft.recovered(end);
    }
    draft
}

/// What to type for a task.
pub(in crate::correlate) fn task_commands(story: &Story, judged: &Judged, world: &World<'_>) -> Vec<String> {
    let task = Some(story.name.as_str());
    match judged.verdict {
        Verdict::Resume | Verdict::ResumeOrRecreate => commands::resume(task, world.pd),
        Verdict::RecreateTask => commands::recreate(task, world.pd, story.log.storage.as_deref()),
        Verdict::Investigate => commands::status(task, world.pd),
        _ => Vec::new(),
    }
}

/// The merge as all stores tell it, also where the log of the store that gave up is missing.
fn add_merge(draft: &mut Draft, merge: &Merge, world: &World<'_>) {
    const AROUND_MS: i64 = 5_000;
    draft.regions.insert(merge.source);
    draft.regions.extend(merge.target);
    let moments = [merge.scheduled, merge.started, merge.ended];
    let times = || moments.iter().flatten().map(|moment| moment.real);
    let (Some(from), Some(to)) = (times().min(), times().max()) else { return };
    for id in ["merge-begins", "merge-ends", "merge-taken-back"].iter().flat_map(|kind| world.graph.of_kind(kind)) {
        let run = world.episodes.at(*id);
        let of_the_source = run.key.region == Some(merge.source) || run.partner == Some(merge.source);
        let then =
            world.began(*id).is_some_and(|began| began.since(from) >= -AROUND_MS && began.since(to) <= AROUND_MS);
        if of_the_source && then {
            draft.add_episode(*id, Member { certainty: Certainty::Inferred, distance: 1 });
        }
    }
}

/// Text without a time in the file that shows the failure: somebody pasted the error beside the screen.
fn add_beside(draft: &mut Draft, first: &Step, down: &Down, world: &World<'_>) {
    for (id, run) in world.episodes.iter() {
        let is_beside = run.first.is_none() && *world.learned.file_name(run.file) == first.place.file;
        let of_the_store = run.key.store.is_none() || run.key.store == down.store;
        if !is_beside || !of_the_store || run.screen {
            continue;
        }
        if let Some(cause) = world.reason(id) {
            draft.cause = cause;
            draft.regions.extend(run.key.region);
            draft.add_episode(id, Member { certainty: Certainty::Inferred, distance: 1 });
            return;
        }
    }
}

/// What others say of the store that gave up: PD sees a full disk, the kernel kills a process. Without the store's own log
/// that is all there is.
fn add_of_store(draft: &mut Draft, down: &Down, world: &World<'_>) {
    const BEFORE_FAILURE_MS: i64 = 6 * 3_600_000;
    let (Some(store), Some(since), Reason::Fatal) = (down.store, down.since, down.reason) else { return };
    for (kind, cause) in [
        ("disk-full", Cause::DiskFull),
        ("disk-full-error", Cause::DiskFull),
        ("killed-for-memory", Cause::OutOfMemory),
    ] {
        if draft.cause != cause && draft.cause != Cause::Unknown {
            continue;
        }
        for id in world.graph.of_kind(kind) {
            let near = world
                .began(*id)
                .zip(world.ended(*id))
                .is_some_and(|(began, ended)| began <= since && since.since(ended) <= BEFORE_FAILURE_MS);
            if world.episodes.at(*id).key.store == Some(store) && near {
                draft.add_episode(*id, Member { certainty: Certainty::Inferred, distance: 1 });
                draft.cause = cause;
            }
        }
    }
}

/// The records that say that the task is given up or paused.
fn core(story: &Story, down: &Down, world: &World<'_>) -> Vec<EpisodeId> {
    let until = down.end.and_then(|(end, _)| end);
    let mut core = Vec::new();
    if down.reason == Reason::Fatal {
        for id in world.graph.of_kind("fatal") {
            let run = world.episodes.at(*id);
            let mine = run.key.task.is_none_or(|task| task == story.id);
            let time = world.began(*id);
            let after = down.since.is_none()
                || time.zip(down.since).is_some_and(|(time, since)| time.since(since) >= -BEFORE_MS);
            let before = until.is_none() || time.zip(until).is_none_or(|(time, until)| time <= until);
            if mine && after && before {
                core.push(*id);
            }
        }
    }
    // A record that leads nowhere is told by its own words.
    let first = &story.log.steps[down.first];
    if is_whole(first.episode, down, world) && !world.graph.kinds(first.episode).is_empty() {
        core.push(first.episode);
    }
    core.sort_unstable();
    core.dedup();
    core
}

/// Whether an episode as a whole is part of the pause: it is not the endless run of a periodic record.
fn is_whole(id: EpisodeId, down: &Down, world: &World<'_>) -> bool {
    let run = world.episodes.at(id);
    let Some(since) = down.since else { return true };
    let (Some(began), Some(ended)) = (world.began(id), world.ended(id)) else { return run.count == 1 };
    let until = down.end.and_then(|(end, _)| end).unwrap_or(ended);
    ended.since(began) <= WHOLE_MS && began.since(since) >= -WHOLE_MS && ended.since(until) <= WHOLE_MS
}

fn add_steps(draft: &mut Draft, story: &Story, down: &Down, world: &World<'_>) {
    for at in std::iter::once(&down.first).chain(&down.steps) {
        let step = &story.log.steps[*at];
        draft.add(moment(step, world));
    }
    // The last checkpoint before: from here on it stands still.
    if let Some(point) = down.since.and_then(|since| story.log.checkpoints.at(since)) {
        let run = world.episodes.at(point.episode);
        draft.add(Moment {
            real: Some(point.first),
            written: Some(point.written),
            rule: run.key.rule,
            component: run.component,
            severity: run.severity,
            store: None,
            region: None,
            place: point.place.clone(),
            episode: point.episode,
            message: run.summary.clone(),
            what: format!("the checkpoint moves for the last time: {}Z", point.value.time().human()),
        });
    }
}

/// A record of a task's life, in plain words.
pub(super) fn moment(step: &Step, world: &World<'_>) -> Moment {
    let run = world.episodes.at(step.episode);
    let what = match &step.sign {
        Sign::Command(Verb::Start) => "somebody starts the task".to_owned(),
        Sign::Command(Verb::Pause) => "somebody pauses the task".to_owned(),
        Sign::Command(Verb::Resume) => "somebody resumes the task".to_owned(),
        Sign::Command(Verb::Stop) => "somebody stops the task".to_owned(),
        Sign::Seen(Verb::Start) => "the task is started".to_owned(),
        Sign::Seen(Verb::Pause) => "the task is paused: nothing is backed up from here on".to_owned(),
        Sign::Seen(Verb::Resume) => "the task is resumed".to_owned(),
        Sign::Seen(Verb::Stop) => "the task is removed".to_owned(),
        Sign::Loaded => "the task is loaded".to_owned(),
        Sign::Fatal => "the task is given up".to_owned(),
        Sign::Guard(_) => "PD is asked to keep the checkpoint's data: the pause guard".to_owned(),
        Sign::PausePoint => "PD is asked to keep the checkpoint's data: the pause".to_owned(),
        Sign::Lag => "the advancer finds that the task lags too much".to_owned(),
        Sign::Checkpoint(_) | Sign::Slowest(..) | Sign::StoreCheckpoint(_) => "the checkpoint".to_owned(),
        Sign::Screen(screen) => format!("br log status shows {}{}", screen.status, at(screen.observed_at)),
    };
    Moment {
        real: step.time,
        written: step.written,
        rule: step.rule,
        component: run.component,
        severity: run.severity,
        store: step.store,
        region: step.region,
        place: step.place.clone(),
        episode: step.episode,
        message: step.message.clone(),
        what,
    }
}

/// Who holds the checkpoint's data, and the record that shows that GC has passed it.
pub(super) fn add_gc(draft: &mut Draft, judged: &Judged, world: &World<'_>) {
    let mut add = |real: Option<Timestamp>, place, episode: EpisodeId, what: String| {
        let run = world.episodes.at(episode);
        draft.add(Moment {
            real: real.or_else(|| world.began(episode)),
            written: real,
            rule: run.key.rule,
            component: run.component,
            severity: run.severity,
            store: None,
            region: None,
            place,
            episode,
            message: run.summary.clone(),
            what,
        });
    };
    if let Some(held) =
        judged.held.as_ref().filter(|_| judged.deadline.is_some_and(|(_, basis)| basis == DeadlineBasis::Pd))
    {
        let holds = if judged.lost { "held" } else { "holds" };
        let what = format!("{} {holds} the checkpoint's data until {}Z", held.service, held.until.human());
        add(held.seen, held.place.clone(), held.episode, what);
    }
    if let Some(passed) = judged.passed.as_ref().filter(|_| judged.lost) {
        let what = format!("GC reaches {}Z: past the checkpoint", passed.point.time().human());
        add(passed.seen, passed.place.clone(), passed.episode, what);
    }
}

/// The records of a pause that name an error.
fn fatal_steps<'s>(story: &'s Story, down: &'s Down) -> impl Iterator<Item = &'s Step> {
    let steps = std::iter::once(&down.first).chain(&down.steps).map(|at| &story.log.steps[*at]);
    steps.filter(|step| matches!(step.sign, Sign::Fatal | Sign::Screen(_)))
}

/// What a record of a task names as the reason.
fn told<'w>(step: &Step, world: &World<'w>) -> Option<&'w Told> {
    // A screen shows what stores say: which rule its words fit says nothing of the task.
    let rule = if matches!(step.sign, Sign::Screen(_)) { "" } else { world.learned.rule(step.rule) };
    world.graph.chains.told(rule, &step.message)
}

/// The cause: what the error says; else what led to it; else the code. A pause has the cause of who paused.
fn cause(
    story: &Story,
    down: &Down,
    members: &std::collections::BTreeMap<EpisodeId, Member>,
    world: &World<'_>,
) -> (Cause, Certainty) {
    match down.reason {
        Reason::Lag => return (Cause::LagCheck, Certainty::Observed),
        Reason::Operator => return (Cause::Operator, Certainty::Observed),
        Reason::Unknown => return (Cause::Unknown, Certainty::Inferred),
        Reason::Fatal => {}
    }
    let errors: Vec<&Step> = fatal_steps(story, down).collect();
    let said = errors.iter().find_map(|step| told(step, world)?.known());
    let led = world.nearest_cause(members);
    match (said, led) {
        // `failed to put object` or a timeout alone: what the storage answered before says more.
        (Some(Cause::Network | Cause::StorageAccess), Some((led, certainty)))
            if matches!(led, Cause::StorageFull | Cause::StorageThrottled | Cause::StorageAccess | Cause::DiskFull) =>
        {
            (led, certainty)
        }
        (Some(said), _) => (said, Certainty::Observed),
        (None, Some(led)) => led,
        (None, None) => {
            let code = errors.iter().find_map(|step| step.code.as_deref()).or(down.code.as_deref());
            match code {
                Some(
                    "KV:LogBackup:Pd" | "KV:LogBackup:PD" | "KV:LogBackup:Etcd" | "KV:LogBackup:ETCD"
                    | "KV:LogBackup:Grpc" | "KV:LogBackup:gRPC",
                ) => (Cause::PdUnavailable, Certainty::Observed),
                Some("KV:LogBackup:OutOfQuota") => (Cause::MemoryQuota, Certainty::Observed),
                _ => (Cause::Unknown, Certainty::Inferred),
            }
        }
    }
}
