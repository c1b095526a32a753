//! Log backup tasks: what became of each, how far its checkpoint is from GC, and until when it can be resumed.

mod checkpoints;
mod judge;
mod log;
mod rows;
mod state;

pub(super) use checkpoints::{Checkpoint, Stall};
pub(super) use judge::{Court, Judged, judge};
pub(super) use log::{Step, TaskLog};
pub(super) use rows::row;
pub(super) use state::{Down, Ended, Life, Reason};

use super::episodes::EpisodeId;
use super::learned::{Learned, Told};
use super::names::TaskId;
use crate::units::{Timestamp, Tso};
use std::collections::BTreeMap;

/// The task of records that name none, where no record names one.
const UNNAMED: TaskId = TaskId(u32::MAX);

/// The records of all tasks.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    logs: BTreeMap<TaskId, TaskLog>,
}

impl Tasks {
    /// Takes an event.
    pub(super) fn take(&mut self, told: &Told<'_>, learned: &Learned, episode: EpisodeId) {
        let nobody = learned.lives.names.all().is_empty();
        if let Some(task) = told.task.or(nobody.then_some(UNNAMED)) {
            self.logs.entry(task).or_default().take(told, learned, episode);
        }
    }

    /// The story of each, by name.
    pub(super) fn finish(mut self, learned: &Learned) -> Vec<Story> {
        self.logs.retain(|id, log| {
            log.finish();
            *id != UNNAMED || log.is_known()
        });
        let starts: Vec<(TaskId, Timestamp)> =
            self.logs.iter().flat_map(|(id, log)| log.starts().map(|time| (*id, time))).collect();
        let mut stories: Vec<Story> = self
            .logs
            .into_iter()
            .map(|(id, log)| {
                // A cluster runs one task at a time: where another one starts after its last word, it was stopped before.
                let last = log.last_word();
                let others = starts.iter().filter(|(other, time)| *other != id && Some(*time) > last);
                let life = state::run(&log, others.map(|(_, time)| *time).min().filter(|_| last.is_some()));
                let mut stalls = log.checkpoints.stalls(|from, to| life.ran(from, to));
                stalls.extend(silence(&log, &life, learned));
                stalls.dedup_by(|later, earlier| later.until.is_none() && earlier.until.is_none());
                let name = if id == UNNAMED { String::new() } else { learned.task(id).to_owned() };
                Story { id, name, log, life, stalls }
            })
            .collect();
        stories.sort_by(|a, b| a.name.cmp(&b.name));
        stories
    }
}

/// All that is known of one task, in order.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) id: TaskId,
    pub(super) name: String,
    pub(super) log: TaskLog,
    pub(super) life: Life,
    /// Times in which the checkpoint stood still though the task ran.
    pub(super) stalls: Vec<Stall>,
}

impl Story {
    /// The stall that is not over.
    pub(super) fn open_stall(&self) -> Option<&Stall> {
        self.stalls.last().filter(|stall| stall.until.is_none())
    }

    /// The newest checkpoint.
    pub(super) fn checkpoint(&self) -> Option<Checkpoint> {
        self.log.checkpoints.last().map(|point| point.value)
    }

    /// The checkpoint over time, for a picture.
    pub(super) fn checkpoints(&self, most: usize) -> Vec<(Timestamp, Tso)> {
        self.log.checkpoints.thinned(most)
    }
}

/// The advancer's log goes on, and stores go on flushing, but it uploads nothing any more: nobody owns the advancer.
fn silence(log: &TaskLog, life: &Life, learned: &Learned) -> Option<Stall> {
    const LONG_MS: i64 = 15 * 60_000;
    let last = log.checkpoints.last()?;
    let usual = log.checkpoints.usual_step_ms()?;
    let advancer = log.advancer?;
    let written = learned.instance(advancer).sources.iter().filter_map(|at| learned.sources[*at].last).max()?;
    let until = learned.real_time(advancer, written);
    let flushed = log.stores.values().map(|(_, seen)| *seen).max();
    // Its own log goes on, or else the stores' flushes do.
    let goes_on = flushed.map_or(until, |flushed| flushed.max(until));
    let quiet = goes_on.since(last.last);
    (quiet >= LONG_MS && quiet >= 4 * usual && life.open().is_none() && life.ran(last.last, goes_on)).then(|| Stall {
        moved: last.moved(),
        since: last.last,
        value: last.value,
        seen: goes_on,
        until: None,
        place: last.place.clone(),
        episode: last.episode,
    })
}

/// At most so many, thinned evenly; the last one stays.
pub(super) fn thin<T: Clone>(all: Vec<T>, most: usize) -> Vec<T> {
    if all.len() <= most {
        return all;
    }
    let last = all.len() - 1;
    (0..most).map(|at| all[at * last / (most - 1)].clone()).collect()
}
