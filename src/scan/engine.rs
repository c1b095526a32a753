//! The passes over all sources: signals first, then the context that they implicate.

use super::context::ContextSearch;
use super::gather::{self, Gathered, Sources};
use super::part::{self, TimeWindow, Wanted};
use super::settings::{Context, Outcome, Progress, Settings};
use super::spool::Spools;
use super::window::{BEFORE, Window};
use super::{Start, head, seek, stream};
use crate::event::{Corrections, Event, EventStore, Implicated, ImplicatedNamed, Writer};
use crate::input::{Body, Discovery, Input, Problem, Status};
use crate::matching::Matcher;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

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
    spools: Spools,
}

#[derive(Debug)]
struct Shared {
    store: EventStore,
    named: ImplicatedNamed,
    sources: Sources,
}

impl<'a> Scan<'a> {
    fn new(matcher: &'a Matcher, settings: &'a Settings, progress: &'a Progress) -> Self {
        let shared = Shared {
            store: EventStore::new(settings.memory / (rayon::current_num_threads() + 1), settings.redact),
            named: ImplicatedNamed::default(),
            sources: Sources::default(),
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
            spools: Spools::default(),
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

    /// Remembers why the pass ends in an error.
    fn fail(&self, error: std::io::Error) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
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
        let mut gathered = Gathered::default();
        let window = Window { text, base: 0 };
        let sought = seek::window(text, own.clone(), self.time).unwrap_or_else(|| own.clone());
        // A pass for context finds them counted.
        let is_counted = || self.shared().sources.lines.contains_key(file);
        if !sought.is_empty() && !is_counted() {
            gathered.skip(window, own.start..sought.start);
        }
        let gathered = Mutex::new(gathered);
        Window::parts(sought).into_par_iter().for_each(|part| self.part(file, window, part, wanted, &gathered));
        let mut gathered = gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
        gathered.unfinished = unfinished;
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
        let mut part = part::read(window, own, file, self.matcher, wanted, self.time, self.redact);
        let events = std::mem::take(&mut part.events);
        self.progress.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.progress.events.fetch_add(events.iter().map(|batch| batch.len() as u64).sum(), Ordering::Relaxed);
        self.store(events);
        gathered.lock().unwrap_or_else(PoisonError::into_inner).add(start, bytes, part);
    }

    fn store(&self, events: Vec<Vec<Event>>) {
        if events.is_empty() {
            return;
        }
        let mut named = ImplicatedNamed::default();
        events.iter().flatten().for_each(|event| named.add(event));
        let mut shared = self.shared();
        shared.named.merge(named);
        let full: Vec<_> = events.into_iter().filter_map(|events| shared.store.add(events)).collect();
        // What memory cannot hold is written outside of the lock.
        drop(shared);
        for batch in full {
            match batch.write() {
                Ok(written) => self.shared().store.keep(written),
                Err(error) => self.fail(error),
            }
        }
    }

    /// Adds up a source that was read.
    fn source(
        &self,
        file: &Arc<str>,
        own: Range<u64>,
        gathered: Gathered,
        writer: Writer,
        wanted: &Wanted,
        problem: Option<String>,
    ) {
        let start = self.start(file);
        let sources = &mut self.shared().sources;
        if matches!(wanted, Wanted::Signals) {
            sources.add(file, own, start, gathered, writer, problem);
        } else {
            sources.add_lines(file, start, gathered);
        }
    }

    fn problems(&self, problems: &[Problem]) {
        self.shared().sources.problems(problems);
    }

    /// Reads what cannot be read twice.
    fn spool(&self, input: &Input, file: &Arc<str>, stream: &mut (dyn std::io::Read + Send), wanted: &Wanted) {
        let kept = self.spools.keep(file, stream, |stream| self.stream(file, stream, 0, None, wanted));
        if let Err(error) = kept {
            let reason = format!("cannot be kept for a second reading, so its context is missing: {error}");
            self.problems(&[Problem { file: input.name().to_owned(), status: Status::Partial, reason }]);
        }
    }

    fn spooled(&self, input: &Input, wanted: &Wanted) {
        for (file, copy) in self.spools.of(input) {
            match copy {
                Ok(mut copy) => self.stream(&file, &mut copy, 0, None, wanted),
                Err(error) => self.fail(error),
            }
        }
    }

    fn corrections(&mut self) -> Corrections {
        let given = self.zone_minutes;
        let shared = self.shared_mut();
        let sources = &shared.sources;
        Corrections { zones: gather::zones(sources.rows.values(), given), lines: sources.lines.clone() }
    }

    fn finish(mut self) -> Outcome {
        let corrections = self.corrections();
        let Shared { store, mut sources, .. } = self.shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        Outcome {
            events: store,
            corrections,
            unmatched: sources.unmatched(),
            sources: sources.rows.into_values().collect(),
            marks: sources.marks,
            unfinished: sources.unfinished,
        }
    }
}

/// What of a range of text, whose text begins at byte `base` of its source, lies in the split.
fn clipped(base: u64, own: Range<usize>, split: Option<&Range<u64>>) -> Range<usize> {
    let Some(split) = split else { return own };
    let clip = |at: u64| (at.saturating_sub(base) as usize).clamp(own.start, own.end);
    clip(split.start)..clip(split.end)
}
