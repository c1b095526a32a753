//! The verdict on a task: how far its checkpoint is from GC, until when it can be resumed, and what to do.

use super::{Checkpoint, Reason, Story};
use crate::correlate::findings::{DeadlineBasis, TaskStatus, Verdict};
use crate::correlate::gc::{Gc, Held, Reached};
use crate::correlate::runs::{Job, Refusal};
use crate::correlate::signs::Verb;
use crate::units::{Timestamp, Tso};

/// What a verdict rests on.
#[derive(Debug, Clone)]
pub(in crate::correlate) struct Judged {
    /// Newest checkpoint.
    pub(in crate::correlate) checkpoint: Option<Checkpoint>,
    /// When it was last seen.
    pub(in crate::correlate) observed_at: Option<Timestamp>,
    /// Newest GC safe point.
    pub(in crate::correlate) gc_safepoint: Option<Tso>,
    /// The first record that shows GC at or past the checkpoint.
    pub(in crate::correlate) passed: Option<Reached>,
    /// Whether GC has it: by such a record, or by a refusal.
    pub(in crate::correlate) lost: bool,
    /// Who holds it, as PD's log has it.
    pub(in crate::correlate) held: Option<Held>,
    /// Until when it is safe.
    pub(in crate::correlate) deadline: Option<(Timestamp, DeadlineBasis)>,
    /// Status.
    pub(in crate::correlate) status: TaskStatus,
    /// Verdict.
    pub(in crate::correlate) verdict: Verdict,
}

/// What a verdict needs besides the task's own story.
#[derive(Debug, Clone, Copy)]
pub(in crate::correlate) struct Court<'c> {
    pub(in crate::correlate) gc: &'c Gc,
    /// What was refused of the task: a resume, a pause, or a command that is not known.
    pub(in crate::correlate) refused: Option<(Job, Refusal)>,
    /// Where PD's log ends.
    pub(in crate::correlate) pd_until: Option<Timestamp>,
    pub(in crate::correlate) now: Option<Timestamp>,
    pub(in crate::correlate) gc_ttl_ms: i64,
}

/// Judges a task.
pub(in crate::correlate) fn judge(story: &Story, court: Court<'_>) -> Judged {
    let mut checkpoint = story.checkpoint();
    // A refusal names the checkpoint exactly.
    if let Some((_, refusal)) = court.refused
        && checkpoint.is_none_or(|known| known.time() == refusal.wanted.time() && known.exact().is_none())
    {
        checkpoint = Some(Checkpoint::Exact(refusal.wanted));
    }
    let refused = court.refused.filter(|(_, refusal)| {
        checkpoint.is_none_or(|checkpoint| checkpoint.time().since(refusal.wanted.time()).abs() <= 1)
    });
    let newest = court.gc.newest().map(|reached| reached.point);
    let gc_safepoint = newest.max(refused.map(|(_, refusal)| refusal.reached));
    let passed = checkpoint.and_then(|checkpoint| court.gc.passed(checkpoint)).cloned();
    let down = story.life.open();
    let status = match story.life.status {
        // What could not be paused runs on.
        TaskStatus::Unknown if refused.is_some_and(|(job, _)| job != Job::Log(Verb::Pause)) => TaskStatus::Paused,
        known => known,
    };
    let stopped = matches!(status, TaskStatus::Error | TaskStatus::Paused);
    let stuck = story.open_stall().is_some() || down.is_some_and(|down| down.silent);
    let lost = refused.is_some() || (stopped || stuck) && passed.is_some();
    let held = checkpoint.and_then(|checkpoint| court.gc.held(checkpoint)).filter(|_| stopped || stuck);
    let deadline = deadline(story, &court, held.as_ref(), stopped);
    let late = court.now.zip(deadline).is_some_and(|(now, (until, _))| now > until);
    let verdict = match () {
        () if lost => Verdict::RecreateTask,
        () if stopped && late => Verdict::ResumeOrRecreate,
        () if stopped => Verdict::Resume,
        () if stuck => Verdict::Investigate,
        () => Verdict::None,
    };
    Judged {
        checkpoint,
        observed_at: story.log.checkpoints.last().map(|point| match court.now {
            // The checkpoint of a task that stands has not moved since.
            Some(now) if story.log.is_undated && stopped => point.last.max(now),
            _ => point.last,
        }),
        gc_safepoint,
        passed,
        lost,
        held,
        deadline,
        status,
        verdict,
    }
}

/// PD writes the guard of a pause at the same time as others write the pause.
const TOGETHER_MS: i64 = 5_000;

/// PD's log counts where it reaches the failure; else the failure or pause plus the time that a service safe point lasts.
fn deadline(
    story: &Story,
    court: &Court<'_>,
    held: Option<&Held>,
    stopped: bool,
) -> Option<(Timestamp, DeadlineBasis)> {
    let since = story.life.open().and_then(|down| match down.reason {
        // Each store that gives up sets its own guard: the last one counts.
        Reason::Fatal => down.last_fatal.max(down.since),
        _ => down.since,
    });
    // It was paused when its checkpoint was reached at the earliest.
    let since = since.or_else(|| Some(story.checkpoint()?.time()).filter(|_| story.log.is_undated));
    let told = since.is_none_or(|since| court.pd_until.is_some_and(|until| until.since(since) >= -TOGETHER_MS));
    // What somebody asked PD for is what holds, whenever that was.
    if let Some(held) = held.filter(|held| told || held.seen.is_none()) {
        return Some((held.until, DeadlineBasis::Pd));
    }
    let estimate = since.filter(|_| stopped)?.plus_ms(court.gc_ttl_ms);
    Some((estimate, DeadlineBasis::Estimate))
}
