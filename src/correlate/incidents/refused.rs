//! A `br log` command that was refused, since GC has passed what it needs.

use super::World;
use super::draft::{Draft, Seed};
use super::runs::{moment, run_seed};
use super::words::at;
use crate::correlate::commands;
use crate::correlate::findings::{Cause, Certainty, IncidentKind, Verdict};
use crate::correlate::graph::Taken;
use crate::correlate::runs::{BrRun, Job, Refusal};
use crate::correlate::signs::{Sign, Verb};
use crate::correlate::tasks::{Judged, Story};
use crate::units::{Severity, Timestamp, hms};
use std::collections::BTreeMap;

/// A run and what it was refused.
type Refused<'r> = (&'r BrRun, Refusal);

/// The story of a refused command's task: the one that it names, or the only one whose checkpoint fits.
pub(in crate::correlate) fn story_of<'s>(
    run: &BrRun,
    refusal: Refusal,
    stories: impl Iterator<Item = &'s Story> + Clone,
) -> Option<&'s Story> {
    if let Some(name) = &run.task {
        return stories.clone().find(|story| story.name == *name);
    }
    let wanted = refusal.wanted.time();
    let fits = |story: &&Story| {
        let begun = story.log.start.is_none_or(|start| wanted >= start.plus_ms(-1));
        // The checkpoint may have moved a little since it was last seen.
        let near = story.checkpoint().is_none_or(|known| wanted.since(known.time()).abs() <= 3_600_000);
        begun && near
    };
    let mut fitting = stories.filter(fits);
    let only = fitting.next()?;
    fitting.next().is_none().then_some(only)
}

pub(super) fn find(world: &World<'_>, taken: &mut Taken) -> Vec<Draft> {
    // Who tries again is refused again: one incident.
    let mut same: BTreeMap<(Option<String>, u64), Vec<Refused<'_>>> = BTreeMap::new();
    for run in world.runs.iter().filter(|run| run.failed() || !run.failures().is_empty()) {
        let Some(refusal) = run.refusal.filter(|_| !matches!(run.job, Job::Backup | Job::Restore)) else { continue };
        let story = story_of(run, refusal, world.stories.iter().map(|(story, _)| story));
        let task = story.map(|story| story.name.clone()).or_else(|| run.task.clone());
        same.entry((task, refusal.wanted.0)).or_default().push((run, refusal));
    }
    let mut drafts = Vec::new();
    for ((task, _), runs) in same {
        let draft = draft(task, &runs, world);
        taken.take(runs.iter().flat_map(|(run, _)| run.records.iter().map(|record| record.episode)));
        drafts.push(draft);
    }
    drafts
}

fn draft(task: Option<String>, runs: &[Refused<'_>], world: &World<'_>) -> Draft {
    let (first, refusal) = runs[0];
    let known = task.as_ref().and_then(|task| world.stories.iter().find(|(story, _)| story.name == *task));
    let seed: Seed = run_seed(first);
    let mut draft = Draft::new(IncidentKind::ResumeRefused, seed);
    draft.severity = Severity::Critical;
    draft.task = task.filter(|task| !task.is_empty());
    draft.cause = Cause::GcSafepoint;
    draft.certainty = Certainty::Observed;
    draft.verdict = Verdict::RecreateTask;
    let storage = known.and_then(|(story, _)| story.log.storage.as_deref());
    // A task whose start was refused is not there to be stopped.
    let commands = if is_new(first, known) { commands::start } else { commands::recreate };
    draft.commands = commands(draft.task.as_deref(), world.pd, storage);
    for (run, _) in runs {
        for record in run.records.iter().filter(|record| record.fails() || record.severity >= Severity::Error) {
            draft.add(moment(record, world, refused_words(run)));
        }
    }
    if let Some((_, judged)) = known {
        super::tasks::add_gc(&mut draft, judged, world);
    }
    draft.summary = summary(first, refusal, runs.len(), is_new(first, known), &draft);
    if let Some(start) = recreated(known, runs, world) {
        draft.says(&format!("A new task was started{}.", at(Some(start))));
        draft.recovered(Some(start));
    }
    draft
}

/// Whether a task was to be started of which nothing is known but what was asked.
fn is_new(run: &BrRun, known: Option<&(Story, Judged)>) -> bool {
    run.job == Job::Log(Verb::Start) && known.is_none_or(|(story, _)| !story.log.is_known())
}

fn refused_words(run: &BrRun) -> String {
    let command = run.command.as_deref().unwrap_or("the command");
    format!("{command} is refused: GC has passed the checkpoint")
}

/// When a task was started after the refusal.
fn recreated(known: Option<&(Story, Judged)>, runs: &[(&BrRun, Refusal)], world: &World<'_>) -> Option<Timestamp> {
    let refused = runs.iter().filter_map(|(run, _)| run.last).max()?;
    let stories = world
        .stories
        .iter()
        .filter(|(story, _)| known.is_none_or(|(own, _)| own.name == story.name || story.log.start > own.log.start));
    let starts = stories.flat_map(|(story, _)| &story.log.steps).filter(|step| step.sign == Sign::Command(Verb::Start));
    starts.filter_map(|step| step.time).filter(|time| *time > refused).min()
}

fn summary(run: &BrRun, refusal: Refusal, times: usize, is_new: bool, draft: &Draft) -> String {
    let command = match run.job {
        Job::Log(verb) => format!("br log {}", verb.as_str()),
        _ => "A br log command".to_owned(),
    };
    let of = draft.task.as_ref().map(|task| format!(" of task {task}")).unwrap_or_default();
    let again = if times > 1 { format!(" {times} times") } else { String::new() };
    let when = at(run.started.filter(|_| run.records.iter().any(|record| record.time.is_some())));
    let (wanted, reached) = (refusal.wanted.time(), refusal.reached.time());
    if refusal.reached.0 - refusal.wanted.0 <= OFF_BY_ONE {
        return format!(
            "{command}{of} was refused{again}{when}: GC has reached the checkpoint itself ({}Z), not what comes after it. Older versions \
             refuse that by mistake (tikv#13532). Try again once the checkpoint has moved, or with a newer br; recreate the task only if \
             that is refused too.",
            wanted.human(),
        );
    }
    if is_new {
        return format!(
            "{command}{of} was refused{again}{when}: GC has reached {}Z, {} past the moment to start from ({}Z), so changes after it may \
             be gone. Start the task without --start-ts, and take a full backup.",
            reached.human(),
            hms(reached.since(wanted)),
            wanted.human(),
        );
    }
    format!(
        "{command}{of} was refused{again}{when}: GC has reached {}Z, {} past the checkpoint ({}Z), so changes after it may be gone. \
         Stop the task, start a new one, and take a full backup.",
        reached.human(),
        hms(reached.since(wanted)),
        wanted.human(),
    )
}

/// br asks for one less than the checkpoint, at which some versions let GC stand: changes after it are all there.
const OFF_BY_ONE: u64 = 1;
