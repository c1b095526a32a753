//! The rows of the table of tasks.

use super::{Judged, Story};
use crate::correlate::findings::{Task, TaskStatus, Verdict};
use crate::correlate::gc::Gc;
use crate::correlate::tasks::Checkpoint;

/// Points of a series for a picture.
const POINTS: usize = 512;

/// A row, with the commands that its verdict asks for.
pub(in crate::correlate) fn row(story: &Story, judged: &Judged, gc: &Gc, commands: Vec<String>) -> Task {
    let open = story.life.open();
    // Of a task that runs again, the last error is the one of its last failure.
    let failed = open.or_else(|| story.life.downs.iter().rev().find(|down| down.code.is_some()));
    let stopped = matches!(judged.status, TaskStatus::Error | TaskStatus::Paused);
    let gap = judged.checkpoint.zip(judged.gc_safepoint);
    Task {
        name: story.name.clone(),
        cluster: None,
        status: judged.status,
        start: story.log.start.or(story.life.started),
        storage: story.log.storage.clone(),
        checkpoint: judged.checkpoint.and_then(Checkpoint::exact),
        checkpoint_time: judged.checkpoint.map(Checkpoint::time),
        observed_at: judged.observed_at,
        gc_safepoint: judged.gc_safepoint,
        exceeded_by_s: gap.map(|(checkpoint, gc)| gc.time().since(checkpoint.time()) / 1_000),
        resume_deadline: judged.deadline.map(|(until, _)| until),
        deadline_basis: judged.deadline.map(|(_, basis)| basis),
        held_by: judged.held.as_ref().map(|held| held.service.clone()),
        verdict: judged.verdict,
        error_store: failed.and_then(|down| down.store),
        error_code: failed.and_then(|down| down.code.as_deref()).map(str::to_owned),
        error_region: failed.and_then(|down| down.region),
        since: open.filter(|_| stopped).and_then(|down| down.since),
        commands: if judged.verdict == Verdict::None { Vec::new() } else { commands },
        checkpoints: story.checkpoints(POINTS),
        safepoints: gc.thinned(POINTS),
    }
}
