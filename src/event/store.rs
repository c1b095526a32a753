//! Events of a run, sorted, in bounded memory: beyond a limit, sorted runs go to temporary files and are merged when read.

use super::Event;
use super::merge::{Run, SortedEvents};
use super::spill::WrittenRun;
use crate::units::Timestamp;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Takes events in any order.
#[derive(Debug)]
pub struct EventStore {
    limit: usize,
    redacted: bool,
    held: Vec<Vec<Event>>,
    bytes: usize,
    /// Events whose time is still to be shifted by a zone that is not known yet.
    local: Vec<Vec<Event>>,
    written: Vec<Written>,
}

/// Events that memory cannot hold any more. Written apart from the store, so that others can add to it meanwhile.
#[derive(Debug)]
pub struct Batch {
    held: Vec<Vec<Event>>,
    local: Vec<Vec<Event>>,
}

/// The same, in temporary files.
#[derive(Debug, Clone)]
pub struct Written {
    run: Option<Arc<WrittenRun>>,
    /// Those with a time still to be shifted, and the sources that they are of.
    local: Option<(Arc<WrittenRun>, Vec<Arc<str>>)>,
}

impl Batch {
    /// Sorts the events and writes them to temporary files.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn write(self) -> std::io::Result<Written> {
        let write = |events: &[Vec<Event>]| {
            let in_order = sorted(events).into_iter().map(|(batch, at)| &events[batch as usize][at as usize]);
            WrittenRun::write(in_order).map(Arc::new)
        };
        let mut files: Vec<Arc<str>> = self.local.iter().flatten().map(|event| Arc::clone(&event.file)).collect();
        files.sort_unstable();
        files.dedup();
        Ok(Written {
            run: if self.held.is_empty() { None } else { Some(write(&self.held)?) },
            local: if files.is_empty() { None } else { Some((write(&self.local)?, files)) },
        })
    }
}

impl Written {
    /// The runs that it stands for: of times to be shifted one for each zone, so that each is in order.
    fn runs(&self, zone_of: &dyn Fn(&Arc<str>) -> Option<i64>) -> Vec<Run> {
        let local = self.local.iter().flat_map(|(run, files)| {
            let zones: BTreeSet<Option<i64>> = files.iter().map(zone_of).collect();
            zones.into_iter().map(|zone| Run { written: Arc::clone(run), zone })
        });
        self.run.iter().map(|run| Run { written: Arc::clone(run), zone: None }).chain(local).collect()
    }
}

/// What is to be corrected when all events are there.
#[derive(Debug, Clone, Default)]
pub struct Corrections {
    /// Per source, its zone (minutes east of UTC) for times without an offset.
    pub zones: BTreeMap<Arc<str>, i64>,
    /// Per source read in splits, the start of each split and the line ends before it.
    pub lines: BTreeMap<Arc<str>, Vec<(u64, u64)>>,
}

impl EventStore {
    /// A store that holds about `limit` bytes in memory; `redacted`: whether its events come without secrets.
    pub fn new(limit: usize, redacted: bool) -> Self {
        Self { limit, redacted, held: Vec::new(), bytes: 0, local: Vec::new(), written: Vec::new() }
    }

    /// Adds events; gives back a batch that is to be written (`Batch::write`) and kept (`keep`) where memory is full.
    pub fn add(&mut self, mut events: Vec<Event>) -> Option<Batch> {
        self.bytes += events.iter().map(Event::footprint).sum::<usize>();
        if events.iter().any(|event| event.time_is_local) {
            let mut local: Vec<Event> = events.extract_if(.., |event| event.time_is_local).collect();
            local.shrink_to_fit();
            self.local.push(local);
        }
        if !events.is_empty() {
            events.shrink_to_fit();
            self.held.push(events);
        }
        (self.bytes > self.limit).then(|| {
            self.bytes = 0;
            Batch { held: std::mem::take(&mut self.held), local: std::mem::take(&mut self.local) }
        })
    }

    /// Adds events, and writes what memory cannot hold.
    ///
    /// # Errors
    /// Where a temporary file cannot be written.
    pub fn extend(&mut self, events: Vec<Event>) -> std::io::Result<()> {
        if let Some(batch) = self.add(events) {
            self.keep(batch.write()?);
        }
        Ok(())
    }

    /// Takes a written batch.
    pub fn keep(&mut self, written: Written) {
        self.written.push(written);
    }

    /// The written runs, with times shifted by their zones.
    fn runs(&self, corrections: &Corrections) -> Vec<Run> {
        self.written.iter().flat_map(|written| written.runs(&|file| Some(corrections.zone_of(file)))).collect()
    }

    /// Hands all events so far to `look`, in order, before more are added.
    ///
    /// # Errors
    /// Where a temporary file cannot be read back.
    pub fn so_far<T>(
        &mut self,
        corrections: &Corrections,
        look: impl FnOnce(&SortedEvents) -> T,
    ) -> std::io::Result<T> {
        let mut local = self.local.clone();
        local.iter_mut().flatten().for_each(|event| corrections.zone(event));
        let mut held = std::mem::take(&mut self.held);
        let kept = held.len();
        held.append(&mut local);
        let runs = self.runs(corrections);
        let order = sorted(&held);
        let so_far = SortedEvents { held, order, runs, corrections: corrections.clone(), redacted: self.redacted };
        let result = look(&so_far);
        self.held = so_far.held;
        self.held.truncate(kept);
        Ok(result)
    }

    /// All events, sorted.
    pub fn finish(mut self, corrections: Corrections) -> SortedEvents {
        self.local.iter_mut().flatten().for_each(|event| corrections.zone(event));
        let runs = self.runs(&corrections);
        self.in_order(runs, corrections)
    }

    /// All events, sorted, with times without an offset as they are written.
    pub fn as_written(self, corrections: Corrections) -> SortedEvents {
        let runs = self.written.iter().flat_map(|written| written.runs(&|_| None)).collect();
        self.in_order(runs, corrections)
    }

    fn in_order(mut self, runs: Vec<Run>, corrections: Corrections) -> SortedEvents {
        self.held.append(&mut self.local);
        self.held.par_iter_mut().flatten().for_each(|event| corrections.line(event));
        let order = sorted(&self.held);
        SortedEvents { held: self.held, order, runs, corrections, redacted: self.redacted }
    }
}

impl Corrections {
    /// The zone of a source's times without an offset, in minutes east of UTC.
    pub(super) fn zone_of(&self, file: &Arc<str>) -> i64 {
        self.zones.get(file).copied().unwrap_or(0)
    }

    /// Shifts a time that was written without an offset.
    pub(super) fn zone(&self, event: &mut Event) {
        if let Some(time) = event.time
            && event.time_is_local
        {
            event.time = Some(Timestamp(time.0 - self.zone_of(&event.file) * 60_000));
            event.time_is_local = false;
        }
    }

    pub(super) fn line(&self, event: &mut Event) {
        if let Some(splits) = self.lines.get(&event.file) {
            let at = splits.partition_point(|(start, _)| *start <= event.offset);
            if let Some((_, newlines)) = at.checked_sub(1).map(|at| splits[at]) {
                event.line += newlines;
            }
        }
    }
}

/// The order of events by time, source and offset: where each stands. The same record may come from several passes; it is there once.
fn sorted(held: &[Vec<Event>]) -> Vec<(u32, u32)> {
    // Events of one source come in runs.
    let files_of = held
        .par_iter()
        .flat_map_iter(|events| events.chunk_by(|a, b| Arc::ptr_eq(&a.file, &b.file)).map(|run| &run[0].file));
    let mut files: Vec<&Arc<str>> = files_of.collect();
    files.sort_unstable();
    files.dedup();
    let keys_of = |(batch, events): (usize, &Vec<Event>)| {
        let mut rank: Option<(&Arc<str>, u32)> = None;
        let mut keys: Vec<(i64, u32, u64, u32, u32)> = Vec::with_capacity(events.len());
        for (at, event) in (0u32..).zip(events) {
            let known = rank.filter(|(file, _)| Arc::ptr_eq(file, &event.file)).map(|(_, rank)| rank);
            let number = known.unwrap_or_else(|| files.partition_point(|file| **file < event.file) as u32);
            rank = Some((&event.file, number));
            keys.push((event.time.map_or(i64::MAX, |time| time.0), number, event.offset, batch as u32, at));
        }
        keys
    };
    let mut keys: Vec<_> = held.par_iter().enumerate().flat_map_iter(keys_of).collect();
    keys.par_sort_unstable();
    keys.dedup_by(|(_, file, offset, ..), (_, file_before, offset_before, ..)| {
        (file, offset) == (file_before, offset_before)
    });
    keys.into_iter().map(|(_, _, _, batch, at)| (batch, at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventStream as _, test_event};

    fn collected(events: &SortedEvents) -> Vec<Event> {
        let mut out = Vec::new();
        events.for_each(&mut |event| out.push(event.clone())).unwrap();
        out
    }

    #[test]
    fn spilled_runs_give_the_same_events_in_the_same_order() {
        let events: Vec<Event> = (0..500u64)
            .map(|at| {
                let mut event = test_event("x", "log-backup");
                event.offset = at;
                event.time = (at % 7 != 0).then_some(Timestamp((at * 7919 % 101) as i64));
                event
            })
            .collect();
        let run = |limit: usize| {
            let mut store = EventStore::new(limit, false);
            for chunk in events.chunks(40).chain([&events[..50]]) {
                store.extend(chunk.to_vec()).unwrap();
            }
            collected(&store.finish(Corrections::default()))
        };
        let (held, spilled) = (run(usize::MAX), run(20_000));
        assert_eq!(held.len(), 500);
        assert_eq!(held, spilled);
        assert!(held.windows(2).all(|pair| pair[0].order() < pair[1].order()));
    }

    /// Logs without offsets may be as large as any, and be of several zones.
    #[test]
    fn times_that_are_still_to_be_shifted_are_written_too() {
        let files: [Arc<str>; 3] = ["a", "b", "c"].map(Arc::from);
        let event = |at: u64| {
            let mut event = test_event("x", "log-backup");
            (event.file, event.offset) = (Arc::clone(&files[at as usize % 3]), at);
            (event.time, event.time_is_local) =
                (Some(Timestamp((at * 7_919 % 101) as i64 * 60_000)), !at.is_multiple_of(5));
            event
        };
        let events: Vec<Event> = (0..500).map(event).collect();
        let corrections = Corrections {
            zones: BTreeMap::from([(Arc::clone(&files[0]), 480), (Arc::clone(&files[1]), -60)]),
            ..Corrections::default()
        };
        let store = |limit: usize| {
            let mut store = EventStore::new(limit, false);
            events.chunks(40).for_each(|chunk| store.extend(chunk.to_vec()).unwrap());
            store
        };
        let spilling = store(20_000);
        assert!(spilling.local.iter().flatten().count() < 100 && spilling.written.len() > 5);
        let in_order = |found: &[Event]| found.windows(2).all(|pair| pair[0].order() < pair[1].order());
        let (held, spilled) =
            (collected(&store(usize::MAX).finish(corrections.clone())), collected(&spilling.finish(corrections)));
        assert_eq!((held.len(), &held), (500, &spilled));
        assert!(in_order(&held) && held.iter().all(|event| !event.time_is_local));
        let [held, spilled] =
            [usize::MAX, 20_000].map(|limit| collected(&store(limit).as_written(Corrections::default())));
        assert_eq!((held.len(), &held), (500, &spilled));
        assert!(in_order(&held) && held.iter().any(|event| event.time_is_local));
    }

    #[test]
    fn lines_and_zones_are_corrected_at_the_end() {
        let mut event = test_event("x", "log-backup");
        (event.offset, event.line, event.time, event.time_is_local) = (150, 3, Some(Timestamp(0)), true);
        let mut store = EventStore::new(1 << 20, false);
        store.extend(vec![event.clone()]).unwrap();
        let corrections = Corrections {
            zones: BTreeMap::from([(Arc::clone(&event.file), 480)]),
            lines: BTreeMap::from([(Arc::clone(&event.file), vec![(0, 0), (100, 40)])]),
        };
        let found = collected(&store.finish(corrections));
        assert_eq!((found[0].line, found[0].time), (43, Some(Timestamp(-480 * 60_000))));
    }
}
