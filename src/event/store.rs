//! Events of a run, sorted, in bounded memory: beyond a limit, sorted runs go to temporary files and are merged when read.

use super::{Event, EventStream};
use crate::units::Timestamp;
use std::collections::BTreeMap;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::sync::Arc;

/// Takes events in any order.
#[derive(Debug)]
pub struct EventStore {
    limit: usize,
    redacted: bool,
    held: Vec<Vec<Event>>,
    bytes: usize,
    /// Events whose time is still to be shifted by a zone that is not known yet.
    local: Vec<Event>,
    runs: Vec<std::fs::File>,
}

/// Events that memory cannot hold any more. Written apart from the store, so that others can add to it meanwhile.
#[derive(Debug)]
pub struct Batch(Vec<Vec<Event>>);

/// A sorted run in a temporary file.
#[derive(Debug)]
pub struct WrittenRun(std::fs::File);

impl Batch {
    /// Sorts the events and writes them to a temporary file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(self) -> std::io::Result<WrittenRun> {
        let mut out = BufWriter::with_capacity(1 << 20, tempfile::tempfile()?);
        let mut bytes = Vec::new();
        for (batch, at) in sorted(&self.0) {
            bytes.clear();
            bytes = postcard::to_extend(&Packed::from(&self.0[batch as usize][at as usize]), bytes)
                .map_err(std::io::Error::other)?;
            out.write_all(&(bytes.len() as u32).to_le_bytes())?;
            out.write_all(&bytes)?;
        }
        Ok(WrittenRun(out.into_inner().map_err(std::io::IntoInnerError::into_error)?))
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

/// All events, sorted, each once. They stay where they were put; only their order is made.
#[derive(Debug)]
pub struct SortedEvents {
    held: Vec<Vec<Event>>,
    order: Vec<(u32, u32)>,
    runs: Vec<std::fs::File>,
    corrections: Corrections,
    redacted: bool,
}

impl EventStore {
    /// A store that holds about `limit` bytes in memory; `redacted`: whether its events come without secrets.
    pub fn new(limit: usize, redacted: bool) -> Self {
        Self { limit, redacted, held: Vec::new(), bytes: 0, local: Vec::new(), runs: Vec::new() }
    }

    /// Adds events; gives back a batch that is to be written (`Batch::write`) and kept (`keep`) where memory is full.
    pub fn add(&mut self, mut events: Vec<Event>) -> Option<Batch> {
        if events.iter().any(|event| event.time_is_local) {
            self.local.extend(events.extract_if(.., |event| event.time_is_local));
        }
        events.shrink_to_fit();
        self.bytes += events.iter().map(Event::footprint).sum::<usize>();
        self.held.push(events);
        (self.bytes > self.limit).then(|| {
            self.bytes = 0;
            Batch(std::mem::take(&mut self.held))
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
    pub fn keep(&mut self, run: WrittenRun) {
        self.runs.push(run.0);
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
        local.iter_mut().for_each(|event| corrections.zone(event));
        let mut held = std::mem::take(&mut self.held);
        held.push(local);
        let runs = self.runs.iter().map(std::fs::File::try_clone).collect::<Result<_, _>>()?;
        let order = sorted(&held);
        let so_far = SortedEvents { held, order, runs, corrections: corrections.clone(), redacted: self.redacted };
        let result = look(&so_far);
        self.held = so_far.held;
        self.held.pop();
        Ok(result)
    }

    /// All events, sorted.
    pub fn finish(mut self, corrections: Corrections) -> SortedEvents {
        self.local.iter_mut().for_each(|event| corrections.zone(event));
        self.held.push(self.local);
        self.held.iter_mut().flatten().for_each(|event| corrections.line(event));
        let mut order = sorted(&self.held);
        let held = self.held;
        // The same record may come from several passes.
        order.dedup_by(|a, b| {
            let (a, b) = (&held[a.0 as usize][a.1 as usize], &held[b.0 as usize][b.1 as usize]);
            a.offset == b.offset && a.file == b.file
        });
        SortedEvents { held, order, runs: self.runs, corrections, redacted: self.redacted }
    }
}

impl Corrections {
    fn zone(&self, event: &mut Event) {
        if let Some(time) = event.time
            && event.time_is_local
        {
            let zone = self.zones.get(&event.file).copied().unwrap_or(0);
            event.time = Some(Timestamp(time.0 - zone * 60_000));
            event.time_is_local = false;
        }
    }

    fn line(&self, event: &mut Event) {
        if let Some(splits) = self.lines.get(&event.file) {
            let at = splits.partition_point(|(start, _)| *start <= event.offset);
            if let Some((_, newlines)) = at.checked_sub(1).map(|at| splits[at]) {
                event.line += newlines;
            }
        }
    }
}

/// The order of events by time, source and offset: where each stands.
fn sorted(held: &[Vec<Event>]) -> Vec<(u32, u32)> {
    let mut files: Vec<&Arc<str>> = held.iter().flatten().map(|event| &event.file).collect();
    files.dedup_by(|a, b| Arc::ptr_eq(a, b));
    files.sort_unstable();
    files.dedup();
    let mut rank: Option<(&Arc<str>, u32)> = None;
    let mut keys: Vec<(i64, u32, u64, u32, u32)> = Vec::with_capacity(held.iter().map(Vec::len).sum());
    for (batch, events) in (0u32..).zip(held) {
        for (at, event) in (0u32..).zip(events) {
            // Events of one source come in runs.
            let known = rank.filter(|(file, _)| Arc::ptr_eq(file, &event.file)).map(|(_, rank)| rank);
            let number = known.unwrap_or_else(|| files.partition_point(|file| **file < event.file) as u32);
            rank = Some((&event.file, number));
            keys.push((event.time.map_or(i64::MAX, |time| time.0), number, event.offset, batch, at));
        }
    }
    keys.sort_unstable();
    keys.into_iter().map(|(_, _, _, batch, at)| (batch, at)).collect()
}

impl EventStream for SortedEvents {
    fn is_redacted(&self) -> bool {
        self.redacted
    }

    fn for_each_batch(&self, each: &mut dyn FnMut(&[&Event])) -> std::io::Result<()> {
        let held = |(batch, at): (u32, u32)| &self.held[batch as usize][at as usize];
        if self.runs.is_empty() {
            for chunk in self.order.chunks(super::stream::BATCH) {
                each(&chunk.iter().map(|place| held(*place)).collect::<Vec<_>>());
            }
            return Ok(());
        }
        let mut runs = self.runs.iter().map(Run::open).collect::<std::io::Result<Vec<_>>>()?;
        let mut order = self.order.iter().map(|place| held(*place)).peekable();
        let mut batch: Vec<Event> = Vec::with_capacity(super::stream::BATCH);
        let mut last: Option<(Arc<str>, u64)> = None;
        loop {
            let run = runs.iter().enumerate().filter_map(|(at, run)| Some((run.head.as_ref()?.order(), at))).min();
            let from_held = match (&run, order.peek()) {
                (None, None) => break,
                (Some((key, _)), Some(event)) => event.order() <= *key,
                (None, Some(_)) => true,
                (Some(_), None) => false,
            };
            let next = if from_held {
                order.next().cloned()
            } else if let Some((_, at)) = run {
                runs[at].take()?
            } else {
                break;
            };
            let Some(mut event) = next else { continue };
            // The same record may come from several passes.
            if last.as_ref().is_some_and(|(file, offset)| *file == event.file && *offset == event.offset) {
                continue;
            }
            last = Some((Arc::clone(&event.file), event.offset));
            if !from_held {
                self.corrections.line(&mut event);
            }
            batch.push(event);
            if batch.len() == super::stream::BATCH {
                each(&batch.iter().collect::<Vec<_>>());
                batch.clear();
            }
        }
        each(&batch.iter().collect::<Vec<_>>());
        Ok(())
    }
}

/// A run while it is read back.
struct Run {
    input: BufReader<FileAt>,
    head: Option<Event>,
}

/// Reads a file from its start without moving the position that other readers of it use.
struct FileAt {
    file: std::fs::File,
    at: u64,
}

impl Read for FileAt {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = std::os::unix::fs::FileExt::read_at(&self.file, buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Run {
    fn open(file: &std::fs::File) -> std::io::Result<Self> {
        let mut file = file.try_clone()?;
        file.rewind()?;
        let mut run = Self { input: BufReader::with_capacity(1 << 18, FileAt { file, at: 0 }), head: None };
        run.take()?;
        Ok(run)
    }

    /// The head; the next event becomes the head.
    fn take(&mut self) -> std::io::Result<Option<Event>> {
        let mut length = [0u8; 4];
        let next = match self.input.read_exact(&mut length) {
            Ok(()) => {
                let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
                self.input.read_exact(&mut bytes)?;
                let packed: Packed = postcard::from_bytes(&bytes).map_err(std::io::Error::other)?;
                Some(packed.into())
            }
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => None,
            Err(error) => return Err(error),
        };
        Ok(std::mem::replace(&mut self.head, next))
    }
}

/// The form of an event in a run: every part, in order, since postcard has no names to skip parts by.
#[derive(serde::Serialize, serde::Deserialize)]
struct Packed(
    (Arc<str>, u64, u64, Option<Timestamp>, bool),
    (Arc<str>, Arc<str>, crate::units::Severity, bool, Option<crate::units::Component>, Option<crate::units::Level>),
    (Option<crate::units::RegionId>, Option<crate::units::StoreId>, Option<crate::units::PeerId>, Option<Box<str>>),
    (Vec<Box<str>>, Vec<crate::units::Tso>, Vec<crate::units::RegionId>, Vec<crate::units::StoreId>, Box<str>),
    Vec<(crate::units::FactKind, Arc<str>, Box<str>)>,
    Vec<PackedDescription>,
    Vec<super::KeyRange>,
);

type PackedDescription = (
    crate::units::RegionId,
    Option<super::KeyRange>,
    Option<(u64, u64)>,
    Vec<(crate::units::PeerId, crate::units::StoreId)>,
);

impl From<&Event> for Packed {
    fn from(event: &Event) -> Self {
        let e = event.clone();
        Self(
            (e.file, e.line, e.offset, e.time, e.time_is_local),
            (e.rule, e.group, e.severity, e.implicates, e.component, e.level),
            (e.region, e.store, e.peer, e.task),
            (e.codes, e.tsos, e.regions, e.stores, e.message),
            e.facts.into_iter().map(|fact| (fact.kind, fact.role, fact.value)).collect(),
            e.descriptions.into_iter().map(|one| (one.id, one.range, one.epoch, one.peers)).collect(),
            e.ranges,
        )
    }
}

impl From<Packed> for Event {
    fn from(packed: Packed) -> Self {
        let Packed(place, rule, subject, ids, facts, descriptions, ranges) = packed;
        Self {
            file: place.0,
            line: place.1,
            offset: place.2,
            time: place.3,
            time_is_local: place.4,
            rule: rule.0,
            group: rule.1,
            severity: rule.2,
            implicates: rule.3,
            component: rule.4,
            level: rule.5,
            region: subject.0,
            store: subject.1,
            peer: subject.2,
            task: subject.3,
            codes: ids.0,
            tsos: ids.1,
            regions: ids.2,
            stores: ids.3,
            message: ids.4,
            facts: facts.into_iter().map(|(kind, role, value)| super::Fact { kind, role, value }).collect(),
            descriptions: descriptions
                .into_iter()
                .map(|(id, range, epoch, peers)| super::RegionDescription { id, range, epoch, peers })
                .collect(),
            ranges,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::test_event;

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
