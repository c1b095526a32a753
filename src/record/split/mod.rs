//! Where records begin and end.
//!
//! What a line is depends on the line alone (`look`); which record it continues depends on the nearest line before it that
//! starts one for sure, never further back than `MAX_RECORD`. So a part of a source splits as the whole does.

mod continues;
mod glued;
mod sync;

use super::clean::is_clean;
use super::continuation::{ends, may_be_piece};
use super::json::{self, Nesting};
use super::lines::LineEnds;
use super::look::{self, Kind, Look, look};
use super::plain::plain;
use super::tools::{safepoint, stores};
use super::{console, header, status};
use std::ops::Range;

/// A record's lines end this far behind its first byte; what would follow is not matched.
pub const MAX_RECORD: usize = 1 << 20;

/// A task on a narrow screen has fewer bytes.
const MAX_SCREEN: usize = 64 << 10;

/// A record in a window of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRecord<'a> {
    /// The record's bytes, without the line end.
    pub bytes: &'a [u8],
    /// Its first byte, in the window.
    pub start: usize,
    /// How it is to be read.
    pub kind: Kind,
    /// Line ends between the start of the part and the record.
    pub newlines: u64,
}

/// Counts of a part of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records that start in the part.
    pub records: u64,
    /// Line ends in it.
    pub newlines: u64,
    /// Lines that continue a record.
    pub continuation_lines: u64,
    /// Lines that are no record and continue none.
    pub unparsed_lines: u64,
}

/// Takes the records of a part, in order.
pub trait Sink {
    /// A record. Called for every record that starts in the part; `Kind::Clean` ones are the many.
    fn record(&mut self, record: RawRecord<'_>);
}

/// Hands the records that start in `own` to `sink`. The window holds `MAX_RECORD` bytes of text around `own`, where the source has them.
pub fn split(window: &[u8], own: Range<usize>, sink: &mut impl Sink) -> Tally {
    let mut splitter =
        Splitter { window, own: own.clone(), sink, open: None, ends: LineEnds::default(), tally: Tally::default() };
    let mut at = splitter.sync();
    if let Some(skipped) = window.get(own.start..at) {
        splitter.tally.newlines = memchr::memchr_iter(b'\n', skipped).count() as u64;
    }
    while at < own.end {
        at = splitter.run(at);
        if at < own.end {
            at = splitter.line(at);
        }
    }
    splitter.finish(at);
    splitter.tally
}

/// A record whose end is not known yet.
#[derive(Debug, Clone, Copy)]
struct Open {
    start: usize,
    end: usize,
    kind: Kind,
    /// Whether its text so far lacks an end: a quote or bracket is open.
    unfinished: bool,
    /// Line ends before it.
    newlines: u64,
    /// Of JSON: how deep its text has got.
    nesting: Nesting,
}

struct Splitter<'w, 's, S> {
    window: &'w [u8],
    own: Range<usize>,
    sink: &'s mut S,
    open: Option<Open>,
    ends: LineEnds,
    tally: Tally,
}

impl<'w, S: Sink> Splitter<'w, '_, S> {
    /// Judges a line that is not clean. Of two kinds of lines the next one is part.
    fn look(&self, line: &[u8], next: usize) -> Look {
        match look(line) {
            Look::Other if json::begins_object(line, self.line_at(next).0) => {
                Look::Start(Kind::Json, memchr::memchr(b'{', line).unwrap_or(0))
            }
            known => known,
        }
    }

    /// Hands on clean records of one line each, which are the many, as long as a clean one follows. Gives the line that is to be
    /// looked at with more care, or the end.
    fn run(&mut self, mut at: usize) -> usize {
        if at < self.own.start || !is_clean(&self.window[at..]) {
            return at;
        }
        self.close();
        let text = &self.window[..self.own.end];
        while let Some(end) = self.ends.of(text, at)
            && !end.is_glued
            && end.at - at < MAX_RECORD
            && is_clean(&self.window[end.at + 1..])
        {
            self.hand_on(&text[at..end.at], at, Kind::Clean, self.tally.newlines);
            self.tally.newlines += 1;
            at = end.at + 1;
        }
        at
    }

    /// Reads the line at `at`; gives the start of the next.
    fn line(&mut self, at: usize) -> usize {
        let (line, next) = self.line_at(at);
        if is_clean(line) {
            self.clean(at, line, next);
        } else {
            self.other(at, line, next);
        }
        // `next` is own.end where no line end was found.
        if next > self.own.start && next <= self.own.end && self.window[next - 1] == b'\n' {
            self.tally.newlines += 1;
        }
        next
    }

    /// A clean record. Mostly another one follows, and it is whole.
    #[inline]
    fn clean(&mut self, at: usize, line: &'w [u8], next: usize) {
        self.close();
        if is_clean(&self.window[next..]) && !header::may_be_in(&line[1..]) {
            self.emit(at, at + line.len(), Kind::Clean, self.tally.newlines);
            return;
        }
        self.start(at, at + line.len(), Kind::Clean, !ends(line));
        self.glued(at, line);
    }

    /// A line that is not clean.
    fn other(&mut self, at: usize, line: &'w [u8], next: usize) {
        match self.look(line, next) {
            Look::Start(..) if self.is_column(line) && self.add(at, line) => {}
            Look::Start(Kind::Json, from)
                if line[from..].starts_with(b"[") || memchr::memmem::find(line, b"}{\"").is_some() =>
            {
                self.objects(at + from..at + line.len(), Kind::Json, self.tally.newlines);
            }
            // The end of a header that a terminal broke.
            Look::Start(Kind::Header, _)
                if self.is_cut()
                    && header::is_weak(plain(line).trim_ascii_start())
                    && self.continues(at, line, true) => {}
            // The exception that a record of Java is about.
            Look::Start(Kind::Panic, _)
                if self.is_below_foreign(at) && console::is_exception(&plain(line)) && self.add(at, line) => {}
            // The next piece of a line that a container cut.
            Look::Start(kind, _) if may_be_piece(kind, line) && self.is_behind_partial(at) && self.add(at, line) => {}
            Look::Start(kind, _) if may_be_piece(kind, line) && self.is_narrow(at) && self.add(at, line) => {}
            Look::Noise if self.is_narrow(at) && self.add(at, line) => {}
            Look::Start(kind, from) => {
                let mut nesting = Nesting::default();
                let unfinished = match kind {
                    Kind::Header => !ends(line),
                    Kind::Json | Kind::StatusJson => {
                        nesting.read(&line[from..]);
                        nesting.is_open() && !(kind == Kind::Json && line.trim_ascii_end().ends_with(b"}"))
                    }
                    _ => false,
                };
                self.start(at + from, at + line.len(), kind, unfinished);
                if let Some(open) = &mut self.open {
                    open.nesting = nesting;
                }
                match kind {
                    Kind::Header => self.glued(at, line),
                    Kind::StatusTask => self.flat_tasks(at, line, from),
                    Kind::Foreign => self.glued_foreign(at, line, from),
                    _ => {}
                }
            }
            Look::Fragment if !self.continues(at, line, true) => {
                if status::is_part(line, self.line_at(next).0) {
                    self.start(at, at + line.len(), Kind::StatusTask, false);
                    return;
                }
                // A fragment takes no further lines: whether it does could not be told from the lines near it.
                self.start(at, at + line.len(), Kind::Fragment, false);
                self.glued(at, line);
                self.close();
            }
            Look::Other if !self.continues(at, line, false) => {
                if status::is_part(line, self.line_at(next).0) {
                    self.start(at, at + line.len(), Kind::StatusTask, false);
                } else if console::is_running(line) {
                    // A panic that has lost its head.
                    self.start(at, at + line.len(), Kind::Panic, false);
                } else {
                    self.close();
                    self.unparsed(at);
                }
            }
            Look::Fragment | Look::Other => {}
            Look::Blank => {
                if !self.open.is_some_and(|open| match open.kind {
                    Kind::Panic | Kind::Foreign | Kind::Report | Kind::StatusTask => true,
                    _ => open.unfinished,
                }) {
                    self.close();
                }
            }
            // An elision inside a status screen or an object: `<......>`.
            Look::Noise
                if self.open.is_some_and(|open| match open.kind {
                    Kind::StatusTask => line.trim_ascii().starts_with(b"<"),
                    Kind::Json | Kind::StatusJson => open.unfinished && line.trim_ascii().starts_with(b".."),
                    _ => false,
                }) =>
            {
                self.continues(at, line, false);
            }
            Look::Noise => {
                self.close();
                self.unparsed(at);
            }
        }
    }

    fn start(&mut self, start: usize, end: usize, kind: Kind, unfinished: bool) {
        self.close();
        let newlines = self.tally.newlines;
        self.open = Some(Open { start, end, kind, unfinished, newlines, nesting: Nesting::default() });
    }

    /// Adds a line to the open record, if there is one.
    fn add(&mut self, at: usize, line: &[u8]) -> bool {
        let Some(mut open) = self.open.filter(|open| at - open.start < MAX_RECORD) else { return false };
        open.end = (at + line.len()).min(open.start + MAX_RECORD);
        match open.kind {
            Kind::Clean | Kind::Header => open.unfinished = !ends(line),
            Kind::Json | Kind::StatusJson => {
                open.nesting.read(line);
                open.unfinished = open.nesting.is_open();
            }
            _ => {}
        }
        self.open = Some(open);
        if self.own.contains(&at) {
            self.tally.continuation_lines += 1;
        }
        true
    }

    fn unparsed(&mut self, at: usize) {
        if self.own.contains(&at) {
            self.tally.unparsed_lines += 1;
        }
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let text = &self.window[open.start..open.end];
        match open.kind {
            Kind::StatusJson => self.objects(open.start..open.end, Kind::StatusJson, open.newlines),
            Kind::Json if safepoint::is_answer(text) => {
                for part in safepoint::parts(text) {
                    self.emit_object(open.start, part, text, Kind::SafePoint, open.newlines);
                }
            }
            Kind::Json if stores::is_answer(text) => {
                for part in stores::parts(text) {
                    self.emit_object(open.start, part, text, Kind::Store, open.newlines);
                }
            }
            Kind::Json if json::holds_several(text) => {
                for object in json::wrapped_objects(text) {
                    self.emit_object(open.start, object, text, Kind::Json, open.newlines);
                }
            }
            // An object of many lines is only known as a whole.
            Kind::Json if text.contains(&b'\n') => {
                if let Some(kind) = look::object_kind(text) {
                    self.emit(open.start, open.end, kind, open.newlines);
                }
            }
            kind => self.emit(open.start, open.end, kind, open.newlines),
        }
    }

    #[inline]
    fn emit(&mut self, start: usize, end: usize, kind: Kind, newlines: u64) {
        if !self.own.contains(&start) {
            return;
        }
        let window = self.window;
        self.hand_on(&window[start..end.min(start + MAX_RECORD)], start, kind, newlines);
    }

    #[inline]
    fn hand_on(&mut self, mut bytes: &'w [u8], start: usize, kind: Kind, newlines: u64) {
        while let Some(shorter) = bytes.strip_suffix(b"\n").or_else(|| bytes.strip_suffix(b"\r")) {
            bytes = shorter;
        }
        self.tally.records += u64::from(kind.counts());
        self.sink.record(RawRecord { bytes, start, kind, newlines });
    }

    /// Behind `own`: lines that continue the last record.
    fn finish(&mut self, mut at: usize) {
        while let Some(open) = self.open {
            if at >= self.window.len() || at - open.start >= MAX_RECORD || !self.own.contains(&open.start) {
                break;
            }
            at = self.line(at);
        }
        self.close();
    }
}
