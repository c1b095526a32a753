//! The passes over all sources: signals first, then the context that they implicate.

use super::context::ContextSearch;
use super::part::{self, Part, TimeWindow, Wanted};
use super::window::{BEFORE, Window};
use super::{About, Mark, Start, head, seek, stream};
use crate::event::{
    Corrections, Event, EventStore, Implicated, ImplicatedNamed, ReadStatus, SortedEvents, SourceRow, UnmatchedRow,
    Writer,
};
use crate::input::{Body, Discovery, Input, Problem, Status};
use crate::matching::Matcher;
use crate::units::{Level, Timestamp};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Seek as _;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a scan is asked for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Only records from this moment on.
    pub since: Option<Timestamp>,
    /// Only records up to this moment.
    pub until: Option<Timestamp>,
    /// Which context is wanted.
    pub context: Context,
    /// Only records whose first byte lies in this range of a plain file. What is compressed or an archive cannot be entered in
    /// the middle: all of it belongs to the split that begins at 0.
    pub split: Option<Range<u64>>,
    /// Where sources go on; those that are not named begin at their beginning.
    pub starts: BTreeMap<Arc<str>, Start>,
    /// Offset of times without one, where the user gave it.
    pub zone_minutes: Option<i64>,
    /// Whether secrets are replaced.
    pub redact: bool,
    /// About how many bytes of events are held in memory.
    pub memory: usize,
}

/// Which context events are wanted.
#[derive(Debug, Clone)]
pub enum Context {
    /// What the signals implicate.
    Auto,
    /// None.
    None,
    /// That of these regions and keys, and no signals.
    Only(Implicated),
    /// Instead of events, every record about something.
    About(Arc<About>),
}

/// How far a scan is; shown while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes read (decompressed), over all passes.
    pub bytes: AtomicU64,
    /// Events found.
    pub events: AtomicU64,
}

/// A scan's result before it is put in order.
#[derive(Debug)]
pub struct Outcome {
    /// All events.
    pub events: EventStore,
    /// What is to be corrected when they are read.
    pub corrections: Corrections,
    /// Sources by name.
    pub sources: Vec<SourceRow>,
    /// Templates that no rule knew, by template.
    pub unmatched: Vec<UnmatchedRow>,
    /// Per source, places that a later run may go back to; the first is where the reading began.
    pub marks: BTreeMap<Arc<str>, Vec<Mark>>,
    /// Sources that may still grow and whose last line was left, since it has no end yet.
    pub unfinished: BTreeSet<Arc<str>>,
}

impl Outcome {
    /// The events in order.
    pub fn sorted(self) -> (SortedEvents, Vec<SourceRow>, Vec<UnmatchedRow>) {
        (self.events.finish(self.corrections), self.sources, self.unmatched)
    }
}

/// At most this many context passes: the first, and twice more while ids are added.
const CONTEXT_PASSES: usize = 3;

/// Reads all inputs.
///
/// # Errors
/// Where a temporary file cannot be written or read back. What is wrong with inputs stands in the sources.
pub fn scan(
    found: &Discovery,
    matcher: &Matcher,
    settings: &Settings,
    progress: &Progress,
) -> std::io::Result<Outcome> {
    let mut run = Scan::new(matcher, settings, progress);
    run.problems(&found.problems);
    let mut inputs: Vec<&Input> = found.inputs.iter().collect();
    // The largest first, so that none of them runs alone at the end.
    inputs.sort_by(|a, b| b.size().cmp(&a.size()).then_with(|| a.name().cmp(b.name())));
    match &settings.context {
        Context::Only(implicated) => run.context(&inputs, implicated.clone())?,
        Context::About(about) => run.pass(&inputs, &Wanted::About(Arc::clone(about)))?,
        Context::None => run.signals(&inputs)?,
        Context::Auto => {
            run.signals(&inputs)?;
            let mut known = Implicated::default();
            for _ in 0..CONTEXT_PASSES {
                let implicated = match run.shared_mut().named.without_ranges() {
                    Some(implicated) => implicated,
                    None => {
                        let corrections = run.corrections();
                        run.shared_mut().store.so_far(&corrections, |events| Implicated::by(events))??
                    }
                };
                let new = implicated.without(&known);
                if new.is_empty() {
                    break;
                }
                run.context(&inputs, new)?;
                known = implicated;
            }
        }
    }
    Ok(run.finish())
}

/// A scan at work.
struct Scan<'a> {
    matcher: &'a Matcher,
    time: TimeWindow,
    split: Option<Range<u64>>,
    starts: &'a BTreeMap<Arc<str>, Start>,
    zone_minutes: Option<i64>,
    redact: bool,
    progress: &'a Progress,
    shared: Mutex<Shared>,
    failure: Mutex<Option<std::io::Error>>,
    spools: Mutex<FxHashMap<Arc<str>, std::fs::File>>,
}

#[derive(Debug)]
struct Shared {
    store: EventStore,
    named: ImplicatedNamed,
    sources: BTreeMap<Arc<str>, SourceRow>,
    unmatched: BTreeMap<Template, UnmatchedRow>,
    lines: BTreeMap<Arc<str>, Vec<(u64, u64)>>,
    marks: BTreeMap<Arc<str>, Vec<Mark>>,
    unfinished: BTreeSet<Arc<str>>,
}

/// What the parts of one source gave, to be added up.
#[derive(Default)]
struct Gathered {
    row: SourceRow,
    /// Start, line ends and latest time of each part.
    parts: Vec<(u64, u64, Option<Timestamp>)>,
    unmatched: Vec<(u64, part::Templates)>,
    zone_at: Option<u64>,
    unfinished: bool,
}

impl Gathered {
    /// Of what lies before a time window only the lines are counted: an event says on which one it stands.
    fn skip(&mut self, window: Window<'_>, before: Range<usize>) {
        let parts = if before.is_empty() { Vec::new() } else { Window::parts(before) };
        let count = |part: Range<usize>| {
            let newlines = memchr::memchr_iter(b'\n', &window.text[part.clone()]).count() as u64;
            (window.base + part.start as u64, newlines, None)
        };
        self.parts.par_extend(parts.into_par_iter().map(count));
    }
}

impl<'a> Scan<'a> {
    fn new(matcher: &'a Matcher, settings: &'a Settings, progress: &'a Progress) -> Self {
        let shared = Shared {
            store: EventStore::new(settings.memory / (rayon::current_num_threads() + 1), settings.redact),
            named: ImplicatedNamed::default(),
            sources: BTreeMap::new(),
            unmatched: BTreeMap::new(),
            lines: BTreeMap::new(),
            marks: BTreeMap::new(),
            unfinished: BTreeSet::new(),
        };
        Self {
            matcher,
            time: TimeWindow { since: settings.since, until: settings.until },
            split: settings.split.clone(),
            starts: &settings.starts,
            zone_minutes: settings.zone_minutes,
            redact: settings.redact,
            progress,
            shared: Mutex::new(shared),
            failure: Mutex::new(None),
            spools: Mutex::default(),
        }
    }

    fn start(&self, file: &str) -> Start {
        self.starts.get(file).copied().unwrap_or_default()
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared_mut(&mut self) -> &mut Shared {
        self.shared.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn signals(&mut self, inputs: &[&Input]) -> std::io::Result<()> {
        self.pass(inputs, &Wanted::Signals)
    }

    fn context(&mut self, inputs: &[&Input], implicated: Implicated) -> std::io::Result<()> {
        self.pass(inputs, &Wanted::Context(Arc::new(ContextSearch::new(implicated))))
    }

    fn pass(&mut self, inputs: &[&Input], wanted: &Wanted) -> std::io::Result<()> {
        inputs.par_iter().with_max_len(1).for_each(|input| self.input(input, wanted));
        match self.failure.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn input(&self, input: &Input, wanted: &Wanted) {
        let first = matches!(wanted, Wanted::Signals);
        let split = self.split.as_ref().filter(|_| input.is_plain());
        if split.is_none() && self.split.as_ref().is_some_and(|split| split.start > 0 || split.is_empty()) {
            return;
        }
        if !first && !input.is_rereadable() {
            return self.spooled(input, wanted);
        }
        // Of a plain file only the split is asked for.
        let part = split.map(|split| input.tail(split.start.saturating_sub(BEFORE as u64)));
        let problems = part.as_ref().unwrap_or(input).read(&mut |name, body| {
            let file: Arc<str> = Arc::from(name);
            match body {
                Body::Mapped(text) => self.mapped(&file, text, split, wanted),
                Body::Stream(stream) if first && !input.is_rereadable() => self.spool(input, &file, stream, wanted),
                Body::Stream(stream) => self.stream(&file, stream, 0, split, wanted),
                Body::Tail(begin, stream) => self.stream(&file, stream, begin, split, wanted),
            }
        });
        self.problems(&problems);
    }

    fn mapped(&self, file: &Arc<str>, text: &[u8], split: Option<&Range<u64>>, wanted: &Wanted) {
        let own = match split {
            Some(_) => clipped(0, 0..text.len(), split),
            None => self.start(file).own(text, 0),
        };
        // What a growing source has behind its last line end is not there yet.
        let unfinished = split.is_none() && own.end < text.len();
        let text = if unfinished { &text[..own.end] } else { text };
        let mut gathered = Gathered { unfinished, ..Gathered::default() };
        let window = Window { text, base: 0 };
        let sought = seek::window(text, own.clone(), self.time).unwrap_or_else(|| own.clone());
        if !sought.is_empty() {
            gathered.skip(window, own.start..sought.start);
        }
        let gathered = Mutex::new(gathered);
        Window::parts(sought).into_par_iter().for_each(|part| self.part(file, window, part, wanted, &gathered));
        let mut gathered = gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
        gathered.row.head_hash = head::hash(&text[..text.len().min(head::HEAD)]);
        let is_end = own.end == text.len();
        gathered.row.tail_hash = is_end.then(|| head::hash(&text[text.len().saturating_sub(head::HEAD)..]));
        let writer = if matches!(wanted, Wanted::Signals) {
            head::writer(&text[..text.len().min(head::HEAD)])
        } else {
            Writer::default()
        };
        self.source(file, own.start as u64..own.end as u64, gathered, writer, wanted, None);
    }

    /// Reads a stream that begins at byte `begins_at` of the source.
    fn stream(
        &self,
        file: &Arc<str>,
        stream: &mut (dyn std::io::Read + Send),
        begins_at: u64,
        split: Option<&Range<u64>>,
        wanted: &Wanted,
    ) {
        let start = self.start(file);
        let gathered = Mutex::new(Gathered::default());
        let ends = Mutex::new((start.offset, Writer::default()));
        let first_pass = matches!(wanted, Wanted::Signals);
        let end = stream::read(stream, start, begins_at, &|window, own, is_last| {
            let wanted_here = clipped(window.base, own.clone(), split);
            if split.is_none() || !wanted_here.is_empty() {
                Window::parts(wanted_here)
                    .into_par_iter()
                    .for_each(|part| self.part(file, window, part, wanted, &gathered));
            }
            let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
            let mut ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
            if window.base == 0 {
                let head = &window.text[..window.text.len().min(head::HEAD)];
                gathered.row.head_hash = head::hash(head);
                if first_pass {
                    ends.1 = head::writer(head);
                }
            }
            let end = window.base + own.end as u64;
            if is_last && split.is_none_or(|split| split.end >= end) {
                gathered.row.tail_hash = Some(head::hash(&window.text[window.text.len().saturating_sub(head::HEAD)..]));
            }
            ends.0 = end;
            // What lies behind the split is not read.
            split.is_none_or(|split| end < split.end)
        });
        let stream::End { problem, unfinished } = end;
        let mut gathered = gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
        gathered.unfinished = unfinished;
        let (end, writer) = ends.into_inner().unwrap_or_else(PoisonError::into_inner);
        let end = end.max(start.offset);
        let own = split.map_or(start.offset..end, |split| split.start.min(end)..split.end.min(end));
        self.source(file, own, gathered, writer, wanted, problem);
    }

    /// Reads one part; its events go to the store, its counts to the source's.
    fn part(
        &self,
        file: &Arc<str>,
        window: Window<'_>,
        own: Range<usize>,
        wanted: &Wanted,
        gathered: &Mutex<Gathered>,
    ) {
        let start = window.base + own.start as u64;
        let bytes = own.len() as u64;
        let Part { events, unmatched, tally, clock } =
            part::read(window, own, file, self.matcher, wanted, self.time, self.redact);
        self.progress.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.progress.events.fetch_add(events.len() as u64, Ordering::Relaxed);
        self.store(events);
        let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.parts.push((start, tally.newlines, clock.last));
        if !unmatched.is_empty() {
            gathered.unmatched.push((start, unmatched));
        }
        if clock.zone_minutes.is_some() && gathered.zone_at.is_none_or(|at| start < at) {
            gathered.zone_at = Some(start);
            gathered.row.zone_minutes = clock.zone_minutes;
        }
        let row = &mut gathered.row;
        row.bytes += bytes;
        row.records += tally.records;
        row.newlines += tally.newlines;
        row.continuation_lines += tally.continuation_lines;
        row.unparsed_lines += tally.unparsed_lines;
        row.first = part::earlier(row.first, clock.first);
        row.last = row.last.max(clock.last);
        row.local = match (row.local, clock.local) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }

    fn store(&self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let mut named = ImplicatedNamed::default();
        events.iter().for_each(|event| named.add(event));
        let mut shared = self.shared();
        shared.named.merge(named);
        let batch = shared.store.add(events);
        // A full batch is written outside of the lock.
        drop(shared);
        if let Some(batch) = batch {
            match batch.write() {
                Ok(run) => self.shared().store.keep(run),
                Err(error) => *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
            }
        }
    }

    /// Adds up a source that was read.
    fn source(
        &self,
        file: &Arc<str>,
        own: Range<u64>,
        mut gathered: Gathered,
        writer: Writer,
        wanted: &Wanted,
        problem: Option<String>,
    ) {
        if !matches!(wanted, Wanted::Signals) {
            if !self.shared().lines.contains_key(file) {
                self.lines(file, &mut gathered);
            }
            return;
        }
        let before = self.lines(file, &mut gathered);
        let mut shared = self.shared();
        for (start, rows) in gathered.unmatched {
            let at = before.partition_point(|(part, _)| *part <= start);
            let newlines = at.checked_sub(1).map_or(0, |at| before[at].1);
            for ((template, level), mut row) in rows {
                row.line += newlines;
                add_template(&mut shared.unmatched, (Arc::clone(file), template, level), row);
            }
        }
        let mut row = gathered.row;
        row.file = Arc::clone(file);
        (row.start, row.end) = (own.start, own.end);
        row.zone_minutes = self.start(file).zone_minutes.or(row.zone_minutes);
        row.writer = writer;
        if problem.is_some() {
            (row.status, row.problem) = (ReadStatus::Partial, problem);
        }
        if gathered.unfinished {
            shared.unfinished.insert(Arc::clone(file));
        }
        shared.sources.insert(Arc::clone(file), row);
    }

    /// Line ends before each part, and the marks.
    fn lines(&self, file: &Arc<str>, gathered: &mut Gathered) -> Vec<(u64, u64)> {
        gathered.parts.sort_unstable();
        let mut at = Mark { offset: 0, newlines: self.start(file).newlines, last: None };
        let mut before: Vec<(u64, u64)> = Vec::with_capacity(gathered.parts.len());
        let mut marks: Vec<Mark> = Vec::new();
        for (start, newlines, last) in gathered.parts.iter().copied() {
            at.offset = start;
            before.push((start, at.newlines));
            if marks.last().is_none_or(|mark| start >= mark.offset + Mark::APART) {
                marks.push(at);
            }
            (at.newlines, at.last) = (at.newlines + newlines, at.last.max(last));
        }
        self.shared().marks.insert(Arc::clone(file), marks);
        if before.len() > 1 || before.first().is_some_and(|(_, newlines)| *newlines > 0) {
            self.shared().lines.insert(Arc::clone(file), before.clone());
        }
        before
    }

    fn problems(&self, problems: &[Problem]) {
        let mut shared = self.shared();
        for problem in problems {
            let file: Arc<str> = Arc::from(problem.file.as_str());
            let status = match problem.status {
                Status::Partial => ReadStatus::Partial,
                Status::Skipped => ReadStatus::Skipped,
                Status::Failed => ReadStatus::Failed,
            };
            let row =
                shared.sources.entry(Arc::clone(&file)).or_insert_with(|| SourceRow { file, ..SourceRow::default() });
            if row.bytes > 0 && status == ReadStatus::Failed {
                // It was read before: only the pass for its context failed.
                row.status = ReadStatus::Partial;
                let reason = || format!("could not be read again for its context: {}", problem.reason);
                row.problem.get_or_insert_with(reason);
                continue;
            }
            row.status = status;
            row.problem = Some(problem.reason.clone());
        }
    }

    /// Reads what cannot be read twice, and keeps a compressed copy of it in the temporary folder.
    fn spool(&self, input: &Input, file: &Arc<str>, stream: &mut (dyn std::io::Read + Send), wanted: &Wanted) {
        // A file without a name: however the run ends, nothing is left of it.
        let result = tempfile::tempfile().and_then(|copy| {
            let mut encoder = zstd::Encoder::new(copy.try_clone()?, 1)?;
            let mut tee = Tee { stream, copy: &mut encoder, failure: None };
            self.stream(file, &mut tee, 0, None, wanted);
            if let Some(failure) = tee.failure.take() {
                return Err(failure);
            }
            encoder.finish()?;
            self.spools.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(file), copy);
            Ok(())
        });
        if let Err(error) = result {
            let reason = format!("cannot be kept for a second reading, so its context is missing: {error}");
            self.problems(&[Problem { file: input.name().to_owned(), status: Status::Partial, reason }]);
        }
    }

    fn spooled(&self, input: &Input, wanted: &Wanted) {
        let spools = self.spools.lock().unwrap_or_else(PoisonError::into_inner);
        let name = input.name();
        let own: Vec<_> = spools
            .iter()
            .filter(|(file, _)| &***file == name || file.strip_prefix(name).is_some_and(|rest| rest.starts_with('!')))
            .filter_map(|(file, copy)| Some((Arc::clone(file), copy.try_clone().ok()?)))
            .collect();
        drop(spools);
        for (file, mut copy) in own {
            match copy.rewind().and_then(|()| zstd::Decoder::new(copy)) {
                Ok(mut decoder) => self.stream(&file, &mut decoder, 0, None, wanted),
                Err(error) => *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
            }
        }
    }

    fn corrections(&mut self) -> Corrections {
        let given = self.zone_minutes;
        let shared = self.shared_mut();
        Corrections { zones: zones(shared.sources.values(), given), lines: shared.lines.clone() }
    }

    fn finish(mut self) -> Outcome {
        let corrections = self.corrections();
        let shared = self.shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        Outcome {
            events: shared.store,
            corrections,
            sources: shared.sources.into_values().collect(),
            unmatched: shared.unmatched.into_values().collect(),
            marks: shared.marks,
            unfinished: shared.unfinished,
        }
    }
}

/// What of a range of text, whose text begins at byte `base` of its source, lies in the split.
fn clipped(base: u64, own: Range<usize>, split: Option<&Range<u64>>) -> Range<usize> {
    let Some(split) = split else { return own };
    let clip = |at: u64| (at.saturating_sub(base) as usize).clamp(own.start, own.end);
    clip(split.start)..clip(split.end)
}

/// The zone of each source for times without an offset: the one given, else its own records', else that of another
/// source in its folder.
pub(crate) fn zones<'r>(rows: impl IntoIterator<Item = &'r SourceRow>, given: Option<i64>) -> BTreeMap<Arc<str>, i64> {
    let rows: Vec<&SourceRow> = rows.into_iter().collect();
    let folder = |row: &SourceRow| row.file.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let mut folders: BTreeMap<String, i64> = BTreeMap::new();
    for row in &rows {
        if let Some(zone) = row.zone_minutes {
            folders.entry(folder(row)).or_insert(i64::from(zone));
        }
    }
    let own =
        |row: &SourceRow| given.or(row.zone_minutes.map(i64::from)).or_else(|| folders.get(&folder(row)).copied());
    rows.iter().filter(|row| row.local.is_some()).filter_map(|row| Some((Arc::clone(&row.file), own(row)?))).collect()
}

/// A template in one source: sources that turn out to be copies of others are left out later.
type Template = (Arc<str>, Box<str>, Option<Level>);

/// Adds a template's counts to those known; the example is the first in its source.
fn add_template(known: &mut BTreeMap<Template, UnmatchedRow>, key: Template, row: UnmatchedRow) {
    match known.entry(key) {
        std::collections::btree_map::Entry::Vacant(entry) => {
            entry.insert(row);
        }
        std::collections::btree_map::Entry::Occupied(mut entry) => {
            let one = entry.get_mut();
            let (count, first, last) =
                (one.count + row.count, part::earlier(one.first, row.first), one.last.max(row.last));
            if row.offset < one.offset {
                *one = row;
            }
            (one.count, one.first, one.last) = (count, first, last);
        }
    }
}

/// Copies a stream while it is read.
struct Tee<'s, W> {
    stream: &'s mut (dyn std::io::Read + Send),
    copy: W,
    failure: Option<std::io::Error>,
}

impl<W: std::io::Write> std::io::Read for Tee<'_, W> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.stream.read(buffer)?;
        if self.failure.is_none() {
            self.failure = self.copy.write_all(&buffer[..count]).err();
        }
        Ok(count)
    }
}
