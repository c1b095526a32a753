//! All events of a run in order, from memory and from temporary files.

use super::spill::{Reading, WrittenRun};
use super::stream::BATCH;
use super::{Corrections, Event, EventStream};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::iter::Peekable;
use std::sync::{Arc, mpsc};

/// All events, sorted, each once. They stay where they were put; only their order is made.
#[derive(Debug)]
pub struct SortedEvents {
    pub(super) held: Vec<Vec<Event>>,
    /// Where each of those in memory stands.
    pub(super) order: Vec<(u32, u32)>,
    pub(super) runs: Vec<Run>,
    pub(super) corrections: Corrections,
    pub(super) redacted: bool,
}

/// A written run, or what of it has times of one zone.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) written: Arc<WrittenRun>,
    pub(super) zone: Option<i64>,
}

impl Run {
    fn read(&self) -> Source<'_> {
        Source { reading: self.written.read(), zone: self.zone, head: None }
    }
}

/// A run while it is read, and its next event.
struct Source<'r> {
    reading: Reading<'r>,
    zone: Option<i64>,
    head: Option<Event>,
}

/// Batches that wait to be looked at while the next one is read back.
const AHEAD: usize = 1;

impl EventStream for SortedEvents {
    fn is_redacted(&self) -> bool {
        self.redacted
    }

    fn for_each_batch(&self, each: &mut dyn FnMut(&[&Event])) -> io::Result<()> {
        if self.runs.is_empty() {
            for chunk in self.order.chunks(BATCH) {
                each(&chunk.iter().map(|place| self.held_at(*place)).collect::<Vec<_>>());
            }
            return Ok(());
        }
        // One thread reads back and merges, this one looks. What was looked at goes back to be dropped there.
        std::thread::scope(|scope| {
            let (ready, batches) = mpsc::sync_channel(AHEAD);
            let (done, used) = mpsc::channel::<Vec<Event>>();
            scope.spawn(move || {
                let mut hand_over = |batch| {
                    used.try_iter().for_each(drop);
                    ready.send(Ok(batch)).is_ok()
                };
                if let Err(error) = self.merge(&mut hand_over) {
                    // Where nobody waits any more, nobody needs the reason.
                    let _ = ready.send(Err(error));
                }
            });
            for batch in batches {
                let batch = batch?;
                each(&batch.iter().collect::<Vec<_>>());
                let _ = done.send(batch);
            }
            Ok(())
        })
    }
}

/// What decides which event comes next, and the run that it is in.
type Key = (i64, Arc<str>, u64, usize);

impl SortedEvents {
    fn held_at(&self, (batch, at): (u32, u32)) -> &Event {
        &self.held[batch as usize][at as usize]
    }

    /// Hands batches of all events to `hand_over`, in order, until it says that nobody wants more.
    fn merge(&self, hand_over: &mut dyn FnMut(Vec<Event>) -> bool) -> io::Result<()> {
        let mut runs: Vec<Source<'_>> = self.runs.iter().map(Run::read).collect();
        let mut heads: BinaryHeap<Reverse<Key>> = BinaryHeap::with_capacity(runs.len());
        for at in 0..runs.len() {
            self.advance(&mut runs, at, &mut heads)?;
        }
        let mut held = self.order.iter().map(|place| self.held_at(*place)).peekable();
        let mut batch: Vec<Event> = Vec::with_capacity(BATCH);
        let mut last: Option<(Arc<str>, u64)> = None;
        while let Some(event) = self.next(&mut runs, &mut heads, &mut held)? {
            // The same record may come from several passes.
            if last.as_ref().is_some_and(|(file, offset)| *file == event.file && *offset == event.offset) {
                continue;
            }
            last = Some((Arc::clone(&event.file), event.offset));
            batch.push(event);
            if batch.len() == BATCH && !hand_over(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))) {
                return Ok(());
            }
        }
        hand_over(batch);
        Ok(())
    }

    fn next<'e>(
        &self,
        runs: &mut [Source<'_>],
        heads: &mut BinaryHeap<Reverse<Key>>,
        held: &mut Peekable<impl Iterator<Item = &'e Event>>,
    ) -> io::Result<Option<Event>> {
        let is_held_first = |event: &&Event| {
            heads.peek().is_none_or(|Reverse((time, file, offset, _))| event.order() <= (*time, &**file, *offset))
        };
        if let Some(event) = held.next_if(is_held_first) {
            return Ok(Some(event.clone()));
        }
        let Some(Reverse((.., at))) = heads.pop() else { return Ok(None) };
        let mut event = self.advance(runs, at, heads)?;
        if let Some(event) = &mut event {
            self.corrections.line(event);
        }
        Ok(event)
    }

    /// Takes the head of a run; the run's next event becomes its head.
    fn advance(
        &self,
        runs: &mut [Source<'_>],
        at: usize,
        heads: &mut BinaryHeap<Reverse<Key>>,
    ) -> io::Result<Option<Event>> {
        let Source { reading, zone, head } = &mut runs[at];
        let next = loop {
            let Some(mut event) = reading.next()? else { break None };
            if zone.is_none() {
                break Some(event);
            }
            if *zone == Some(self.corrections.zone_of(&event.file)) {
                self.corrections.zone(&mut event);
                break Some(event);
            }
        };
        if let Some(event) = &next {
            let (time, _, offset) = event.order();
            heads.push(Reverse((time, Arc::clone(&event.file), offset, at)));
        }
        Ok(std::mem::replace(head, next))
    }
}
