//! The reading of a night: signals of what is new, then the context that they, and what is remembered, implicate.

use super::state::{KnownSource, Memo, Sources};
use super::tonight::Tonight;
use crate::event::{
    Corrections, Event, EventStore, EventStream, Implicated, ReadStatus, SortedEvents, SourceRow, UnmatchedRow,
};
use crate::input::{Discovery, Input};
use crate::matching::Matcher;
use crate::scan::{self, Context, Mark, Start};
use crate::units::Timestamp;
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    /// Offset of times without one, minutes east of UTC.
    pub(super) zone_minutes: Option<i64>,
    /// Bytes of events held in memory.
    pub(super) memory: usize,
    /// Whether secrets are replaced.
    pub(super) redact: bool,
    /// Context of records before this moment that were read already is not looked for again; `None`: of none.
    pub(super) back_to: Option<Timestamp>,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Read {
    /// Remembered and new events.
    pub(super) events: SortedEvents,
    /// Where the remembered ones stand.
    pub(super) remembered: FxHashSet<(Arc<str>, u64)>,
    /// What of each text is new.
    pub(super) rows: Vec<SourceRow>,
    /// New records that no rule knows.
    pub(super) unmatched: Vec<UnmatchedRow>,
    /// Places that a later run may go back to.
    pub(super) marks: BTreeMap<Arc<str>, Vec<Mark>>,
    /// Texts of which nothing counts: they are still being written, and read again next time.
    pub(super) postponed: BTreeSet<Arc<str>>,
    /// Bytes read, over all passes.
    pub(super) bytes: u64,
}

impl Read {
    /// The reading of a night without news.
    pub(super) fn nothing(bytes: u64) -> Self {
        Self {
            events: EventStore::new(0, true).finish(Corrections::default()),
            remembered: FxHashSet::default(),
            rows: Vec::new(),
            unmatched: Vec::new(),
            marks: BTreeMap::new(),
            postponed: BTreeSet::new(),
            bytes,
        }
    }

    /// The new events.
    pub(super) fn fresh(&self) -> Fresh<'_> {
        Fresh(self)
    }

    /// Whether an event is new.
    pub(super) fn is_new(&self, event: &Event) -> bool {
        self.remembered.is_empty() || !self.remembered.contains(&(Arc::clone(&event.file), event.offset))
    }
}

/// See [`Read::fresh`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Fresh<'r>(&'r Read);

impl EventStream for Fresh<'_> {
    fn for_each_batch(&self, each: &mut dyn FnMut(&[&Event])) -> std::io::Result<()> {
        self.0.events.for_each_batch(&mut |batch| {
            let new: Vec<&Event> = batch.iter().copied().filter(|event| self.0.is_new(event)).collect();
            if !new.is_empty() {
                each(&new);
            }
        })
    }

    fn is_redacted(&self) -> bool {
        self.0.events.is_redacted()
    }
}

/// At most this many context passes, as in a scan of everything.
const CONTEXT_PASSES: usize = 3;

/// Reads what is new.
///
/// # Errors
/// Where a temporary file cannot be written or read back.
pub(super) fn read(
    tonight: &mut Tonight,
    known: &Sources,
    memory: &[Memo],
    names: &BTreeMap<i64, Arc<str>>,
    matcher: &Matcher,
    how: How,
) -> std::io::Result<Read> {
    let mut night = Night { matcher, how, events: EventStore::new(how.memory / 2, how.redact), bytes: 0 };
    let (new, back) = (Part::new(tonight), Part::back(tonight, known, how.back_to));
    let outcome = night.scan(&new, Context::None)?;
    let (unfinished, marks) = (outcome.unfinished.clone(), outcome.marks.clone());
    let (signals, mut rows, mut unmatched) = outcome.sorted();

    let mut postponed = BTreeSet::new();
    for row in &rows {
        let Some(reading) = tonight.readings.get(&row.file) else { continue };
        let failed = row.status == ReadStatus::Failed;
        let half = row.status == ReadStatus::Partial && reading.start.grows;
        if failed || half {
            postponed.insert(Arc::clone(&row.file));
        }
        if failed || half || unfinished.contains(&row.file) {
            tonight.unsettled.insert(reading.input);
        }
    }
    rows.retain(|row| tonight.readings.contains_key(&row.file) || row.status != ReadStatus::Read);
    unmatched.retain(|row| !postponed.contains(&row.file));
    let counts = |event: &Event| !postponed.contains(&event.file);
    add(&mut night.events, &signals, &counts)?;
    drop(signals);

    let remembered = remembered(memory, names, how.redact);
    let told = Implicated::by(&remembered)?;
    let places = remembered.iter().map(|event| (Arc::clone(&event.file), event.offset)).collect();
    night.events.extend(remembered)?;
    let (mut done, mut done_back) = (Implicated::default(), told);
    for _ in 0..CONTEXT_PASSES {
        let all = night.events.so_far(&Corrections::default(), |events| Implicated::by(events))??;
        let (wanted, wanted_back) = (all.without(&done), all.without(&done_back));
        if wanted.is_empty() {
            break;
        }
        // What is new about regions that were implicated before; all about those that were not.
        night.context(&new, wanted.without(&wanted_back), &counts)?;
        let since = how.back_to;
        let near = |event: &Event| {
            let is_new = new.starts.get(&event.file).is_some_and(|start| event.offset >= start.offset);
            counts(event) && (is_new || (event.time.is_some() && event.time >= since))
        };
        night.context(&back, wanted_back, &near)?;
        (done, done_back) = (all.clone(), all);
    }
    let events = night.events.finish(Corrections::default());
    Ok(Read { events, remembered: places, rows, unmatched, marks, postponed, bytes: night.bytes + tonight.bytes })
}

/// Remembered events, under the names that their sources have tonight.
fn remembered(memory: &[Memo], names: &BTreeMap<i64, Arc<str>>, redact: bool) -> Vec<Event> {
    let named = |memo: &Memo| {
        let file = names.get(&memo.source)?;
        let mut event = Event { file: Arc::clone(file), ..memo.event.clone() };
        // An earlier run may have left them in.
        if redact {
            event.redact();
        }
        Some(event)
    };
    let mut events: Vec<Event> = memory.iter().filter_map(named).collect();
    events.sort_by(|a, b| a.order().cmp(&b.order()));
    events
}

/// Inputs, and where their texts begin.
#[derive(Debug)]
struct Part {
    inputs: Vec<Input>,
    starts: BTreeMap<Arc<str>, Start>,
}

/// Nothing of a text is wanted.
const NOTHING: Start = Start { offset: u64::MAX, newlines: 0, zone_minutes: None, grows: false };

impl Part {
    /// What is new.
    fn new(tonight: &Tonight) -> Self {
        let starts = tonight.readings.iter().map(|(name, reading)| (Arc::clone(name), reading.start)).collect();
        let inputs = tonight.readings.values().map(|reading| reading.input).collect();
        Self::of(&inputs, starts, tonight)
    }

    /// The same, with what stands up to some time before it, also in texts that have nothing new.
    fn back(tonight: &Tonight, known: &Sources, back_to: Option<Timestamp>) -> Self {
        let mut starts: BTreeMap<Arc<str>, Start> = BTreeMap::new();
        let mut inputs = BTreeSet::new();
        for (name, reading) in &tonight.readings {
            let source = reading.known.map(|at| &known.sources[at]);
            let earlier = source.zip(back_to).map(|(source, back_to)| earlier(source, back_to, reading.start));
            starts.insert(Arc::clone(name), earlier.unwrap_or(reading.start));
            inputs.insert(reading.input);
        }
        for (at, (input, name)) in &tonight.places {
            let source = &known.sources[*at];
            let Some(back_to) = back_to.filter(|back_to| source.row.last >= Some(*back_to)) else { continue };
            let end = Start { offset: source.offset, zone_minutes: source.row.zone_minutes, ..Start::default() };
            starts.entry(Arc::clone(name)).or_insert_with(|| earlier(source, back_to, end));
            inputs.insert(*input);
        }
        Self::of(&inputs, starts, tonight)
    }

    /// Of the other texts of these inputs nothing is wanted.
    fn of(inputs: &BTreeSet<usize>, mut starts: BTreeMap<Arc<str>, Start>, tonight: &Tonight) -> Self {
        let others = tonight.problems.iter().map(|problem| Arc::from(problem.file.as_str()));
        let there = tonight.places.values().map(|(_, name)| Arc::clone(name));
        for name in others.chain(there).chain(tonight.readings.keys().cloned()) {
            starts.entry(name).or_insert(NOTHING);
        }
        let tail = |at: &usize| {
            let input = &tonight.inputs[*at];
            let start = starts.get(input.name()).copied().unwrap_or_default();
            input.tail(start.text_from().min(input.size()))
        };
        Self { inputs: inputs.iter().map(tail).collect(), starts }
    }
}

/// The last mark of a source before a moment, else its beginning.
fn earlier(source: &KnownSource, back_to: Timestamp, start: Start) -> Start {
    let marks = source.marks.iter().filter(|mark| mark.offset <= source.offset);
    match marks.rev().find(|mark| mark.last.is_some_and(|last| last < back_to)) {
        Some(mark) => Start { offset: mark.offset, newlines: mark.newlines, ..start },
        None => Start { offset: 0, newlines: 0, ..start },
    }
}

/// A reading at work.
struct Night<'a> {
    matcher: &'a Matcher,
    how: How,
    events: EventStore,
    bytes: u64,
}

impl Night<'_> {
    fn scan(&mut self, part: &Part, context: Context) -> std::io::Result<scan::Outcome> {
        let settings = scan::Settings {
            since: None,
            until: None,
            context,
            split: None,
            starts: part.starts.clone(),
            zone_minutes: self.how.zone_minutes,
            redact: self.how.redact,
            memory: self.how.memory / 2,
        };
        let progress = scan::Progress::default();
        let found = Discovery { inputs: part.inputs.clone(), problems: Vec::new() };
        let outcome = scan::scan(&found, self.matcher, &settings, &progress)?;
        self.bytes += progress.bytes.load(Ordering::Relaxed);
        Ok(outcome)
    }

    fn context(&mut self, part: &Part, wanted: Implicated, counts: &dyn Fn(&Event) -> bool) -> std::io::Result<()> {
        if wanted.is_empty() || part.inputs.is_empty() {
            return Ok(());
        }
        let (found, _, _) = self.scan(part, Context::Only(wanted))?.sorted();
        add(&mut self.events, &found, counts)
    }
}

/// Adds events to others, a batch at a time.
fn add(store: &mut EventStore, events: &SortedEvents, counts: &dyn Fn(&Event) -> bool) -> std::io::Result<()> {
    const BATCH: usize = 4_096;
    let mut batch = Vec::new();
    let mut result = Ok(());
    events.for_each(&mut |event| {
        if result.is_ok() && counts(event) {
            batch.push(event.clone());
            if batch.len() >= BATCH {
                result = store.extend(std::mem::take(&mut batch));
            }
        }
    })?;
    result?;
    store.extend(batch)
}
