//! One part of a source: its records through the gate, to events.

use super::clock::Clock;
use super::context::ContextSearch;
use super::template;
use super::{About, Window};
use crate::event::{Event, Facts, Place, UnmatchedRow, message_line};
use crate::matching::{Chatter, Matcher};
use crate::record::{Kind, RawRecord, Record, Sink, Tally, clean_level, split};
use crate::rules;
use crate::safe::Safe;
use crate::units::{Component, Level, Timestamp};
use rustc_hash::FxHashMap;
use std::ops::Range;
use std::sync::Arc;

/// What is looked for.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// Events of signal rules, and templates of what no rule knew.
    Signals,
    /// Events of context rules for implicated regions and keys.
    Context(Arc<ContextSearch>),
    /// Every record about something, matched by a rule or not.
    About(Arc<About>),
}

/// Only records of this time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TimeWindow {
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

impl TimeWindow {
    fn holds(self, time: Option<Timestamp>) -> bool {
        time.is_none_or(|time| {
            self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time <= until)
        })
    }
}

/// Templates that no rule knew.
pub(super) type Templates = FxHashMap<(Box<str>, Option<Level>), UnmatchedRow>;

/// What a part gave.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// In batches, so that none is ever copied to a larger place.
    pub(super) events: Vec<Vec<Event>>,
    pub(super) unmatched: Templates,
    pub(super) tally: Tally,
    pub(super) clock: Clock,
}

/// Reads the records of a part. Lines count from the part's start.
pub(super) fn read(
    window: Window<'_>,
    own: Range<usize>,
    file: &Arc<str>,
    matcher: &Matcher,
    wanted: &Wanted,
    time: TimeWindow,
    redact: bool,
) -> Part {
    let mut part = Part::default();
    let mut reader = Reader {
        window,
        file,
        matcher,
        wanted,
        time,
        redact,
        newlines: 0,
        chatter: Chatter::default(),
        part: &mut part,
    };
    if let Wanted::Context(search) = wanted {
        let mut at = own.start;
        search.lines(window.text, own.clone(), &mut |lines| {
            reader.newlines += newlines(&window.text[at..lines.start]);
            at = lines.start;
            split(window.text, lines, &mut reader);
        });
        let rest = newlines(&window.text[at..own.end]);
        part.tally.newlines = reader.newlines + rest;
    } else {
        let tally = split(window.text, own, &mut reader);
        part.tally = tally;
    }
    part
}

fn newlines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

struct Reader<'a, 'p> {
    window: Window<'a>,
    file: &'a Arc<str>,
    matcher: &'a Matcher,
    wanted: &'a Wanted,
    time: TimeWindow,
    /// Whether secrets are replaced.
    redact: bool,
    /// Line ends of the part before what is read.
    newlines: u64,
    /// What the gate of what is wanted has stopped.
    chatter: Chatter,
    part: &'p mut Part,
}

impl Sink for Reader<'_, '_> {
    #[inline]
    fn record(&mut self, raw: RawRecord<'_>) {
        match self.wanted {
            Wanted::Signals => {
                if raw.kind == Kind::Clean {
                    self.part.clock.clean(raw.bytes);
                    if !self.matcher.signals().passes(raw.bytes, &mut self.chatter) {
                        return;
                    }
                }
                self.signal(raw);
            }
            Wanted::Context(search) => {
                let low = raw.kind == Kind::Clean && clean_level(raw.bytes).is_some_and(|level| !level.is_high());
                if low && !self.matcher.context().passes(raw.bytes, &mut self.chatter) {
                    return;
                }
                if search.may(raw.bytes) {
                    self.context(raw, search);
                }
            }
            Wanted::About(about) => {
                if about.may(raw.bytes) {
                    self.about(raw, about);
                }
            }
        }
    }
}

/// Events of a batch.
const BATCH: usize = 64;

impl Reader<'_, '_> {
    fn signal(&mut self, raw: RawRecord<'_>) {
        let record = Record::read(raw.bytes, raw.kind);
        if raw.kind != Kind::Clean
            && let Some(time) = record.time
        {
            self.part.clock.any(time, record.zone_minutes, record.time_is_local);
        }
        if !record.time_is_local && !self.time.holds(record.time) {
            return;
        }
        let facts = Facts::of(&record);
        match self.matcher.find(&record, facts.codes()).map(|index| self.matcher.catalog().at(index)) {
            Some(rule) if rule.kind == rules::Kind::Signal => {
                let place = self.place(raw);
                self.push(facts.event(&record, rule, place));
            }
            Some(_) => {}
            None => self.unmatched(&record, raw),
        }
    }

    fn context(&mut self, raw: RawRecord<'_>, search: &ContextSearch) {
        let record = Record::read(raw.bytes, raw.kind);
        if !record.time_is_local && !self.time.holds(record.time) {
            return;
        }
        let facts = Facts::of(&record);
        let Some(index) = self.matcher.find(&record, facts.codes()) else { return };
        let rule = self.matcher.catalog().at(index);
        if rule.kind != rules::Kind::Context {
            return;
        }
        let event = facts.event(&record, rule, Place { file: Arc::clone(self.file), line: 0, offset: 0 });
        if search.wants(&event) {
            let place = self.place(raw);
            self.push(Event { line: place.line, offset: place.offset, ..event });
        }
    }

    fn about(&mut self, raw: RawRecord<'_>, about: &About) {
        let record = Record::read(raw.bytes, raw.kind);
        if !record.time_is_local && !self.time.holds(record.time) {
            return;
        }
        let facts = Facts::of(&record);
        let rule = self.matcher.find(&record, facts.codes()).map(|index| self.matcher.catalog().at(index));
        let place = self.place(raw);
        let event = facts.event_of(&record, rule, place);
        if about.holds(&event, &record.text) {
            self.push(event);
        }
    }

    fn push(&mut self, mut event: Event) {
        if self.redact {
            event.redact();
        }
        let events = &mut self.part.events;
        if events.last().is_none_or(|batch| batch.len() == BATCH) {
            events.push(Vec::with_capacity(BATCH));
        }
        if let Some(batch) = events.last_mut() {
            batch.push(event);
        }
    }

    fn place(&self, raw: RawRecord<'_>) -> Place {
        Place {
            file: Arc::clone(self.file),
            line: self.newlines + raw.newlines + 1,
            offset: self.window.base + raw.start as u64,
        }
    }

    /// Counts the template of a record of WARN and worse that no rule knew.
    fn unmatched(&mut self, record: &Record<'_>, raw: RawRecord<'_>) {
        if !record.level.is_some_and(Level::is_high) {
            return;
        }
        let safe = Safe::new(self.redact);
        let template: Box<str> = (*safe.line(&template::of(record))).into();
        let time = record.time.filter(|_| !record.time_is_local);
        if let Some(known) = self.part.unmatched.get_mut(&(template.clone(), record.level)) {
            known.count += 1;
            known.first = earlier(known.first, time);
            known.last = known.last.max(time);
            return;
        }
        let place = self.place(raw);
        let component = match &*record.caller {
            caller if caller.ends_with(b".rs") => Some(Component::Tikv),
            _ => None,
        };
        let row = UnmatchedRow {
            template: template.clone(),
            component,
            level: record.level,
            count: 1,
            first: time,
            last: time,
            example: (*safe.line(&message_line(record))).into(),
            file: place.file,
            line: place.line,
            offset: place.offset,
        };
        self.part.unmatched.insert((template, record.level), row);
    }
}

/// The earlier of two times; a missing one does not count.
pub(super) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
