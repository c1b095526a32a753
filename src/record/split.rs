//! Where records begin and end.
//!
//! What a line is depends on the line alone (`look`); which record it continues depends on the nearest line before it that
//! starts one for sure, never further back than `MAX_RECORD`. So a part of a source splits as the whole does.

use super::clean::is_clean;
use super::continuation::{closes_quote, ends, goes_on, is_partial, is_stack, is_trace, may_be_piece};
use super::header;
use super::json::{self, Nesting};
use super::lines::LineEnds;
use super::look::{self, Kind, Look, look};
use super::plain::{plain, raw_offset};
use super::{foreign, safepoint, status};
use std::borrow::Cow;
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
    /// The line to begin with: the nearest one before `own` that starts a record for sure, else the source's first where that
    /// is near, else the first of `own`.
    fn sync(&self) -> usize {
        let start = self.own.start;
        let floor = start.saturating_sub(MAX_RECORD);
        let Some(first) = line_start(self.window, start, floor) else {
            // In a line that began too far back: nothing of it is read.
            let own = &self.window[start..self.own.end];
            return memchr::memchr(b'\n', own).map_or(self.own.end, |newline| start + newline + 1);
        };
        let mut line = first;
        // The nearest line that starts a record unless it is a piece of a screen further up.
        let mut nearest = None;
        loop {
            let (text, next) = self.line_at(line);
            let before = line.checked_sub(1).map(|end| line_start(self.window, end, floor));
            if let Look::Start(kind, _) = self.look(text, next) {
                if !may_be_piece(kind, text) {
                    let takes_pieces = matches!(kind, Kind::StatusTask | Kind::StatusJson | Kind::Json);
                    return if takes_pieces { line } else { nearest.unwrap_or(line) };
                }
                let earlier = before.flatten().map(|earlier| self.line_at(earlier).0).unwrap_or_default();
                // It may be the end of a header on the line before, or of a line that a container cut.
                if !(is_partial(earlier) || (kind == Kind::Header && header::cut(&plain(earlier)).is_some())) {
                    nearest = nearest.or(Some(line));
                }
            }
            match before {
                // Such a screen is short.
                _ if nearest.is_some_and(|nearest| nearest - line > MAX_SCREEN) => return nearest.unwrap_or(line),
                Some(Some(earlier)) => line = earlier,
                Some(None) => return nearest.unwrap_or(first),
                None => return nearest.unwrap_or(line),
            }
        }
    }

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
            Look::Start(Kind::Json, from)
                if line[from..].starts_with(b"[") || memchr::memmem::find(line, b"}{\"").is_some() =>
            {
                self.objects(at + from..at + line.len(), Kind::Json, self.tally.newlines);
            }
            // The end of a header that a terminal broke.
            Look::Start(Kind::Header, _)
                if self.is_cut() && header::is_weak(&plain(line)) && self.continues(at, line, true) => {}
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

    /// Whether the open record is a header that its line's end cut.
    fn is_cut(&self) -> bool {
        self.open.is_some_and(|open| {
            let text = &self.window[open.start..open.end];
            matches!(open.kind, Kind::Clean | Kind::Header) && text.len() < 512 && header::cut(&plain(text)).is_some()
        })
    }

    /// Whether the line before is one that a container cut.
    fn is_behind_partial(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|end| line_start(self.window, end, end.saturating_sub(MAX_RECORD)));
        before.is_some_and(|start| is_partial(self.line_at(start).0))
    }

    /// Whether the line goes on with a value on a narrow screen, or with JSON that a terminal broke.
    fn is_narrow(&self, at: usize) -> bool {
        let Some(open) = self.open.filter(|open| at - open.start <= MAX_SCREEN) else { return false };
        match open.kind {
            Kind::StatusTask => status::is_narrow_piece(&self.window[open.start..at]),
            Kind::Json | Kind::StatusJson => {
                let first = line_start(self.window, open.start, 0).unwrap_or(open.start);
                open.unfinished && json::is_broken(&self.window[first..at])
            }
            _ => false,
        }
    }

    fn start(&mut self, start: usize, end: usize, kind: Kind, unfinished: bool) {
        self.close();
        let newlines = self.tally.newlines;
        self.open = Some(Open { start, end, kind, unfinished, newlines, nesting: Nesting::default() });
    }

    /// Records that stand behind the first on one line.
    fn glued(&mut self, at: usize, line: &'w [u8]) {
        let mut from = 1;
        let text = if is_clean(line) { Cow::Borrowed(line) } else { plain(line) };
        if !is_clean(line) {
            match header::whole(&text, true) {
                // The first header of the line is past: find it, then those behind it.
                Some(first) => from = first.start + 1,
                None => return self.glued_heads(at, line, &text),
            }
        }
        while let Some(found) = text.get(from..).and_then(|rest| header::whole(rest, false)) {
            let start = from + found.start;
            self.split_open(at, line, &text, start, Kind::Header);
            from = start + 1;
        }
    }

    /// Records of an old format behind the first on one line.
    fn glued_foreign(&mut self, at: usize, line: &[u8], first: usize) {
        // A time has so many bytes.
        const STAMP: usize = 24;
        let own = line.get(first..).and_then(foreign::within).unwrap_or(0);
        let mut from = first + own + STAMP;
        while let Some(found) = line.get(from..).and_then(foreign::within) {
            if let Some(open) = &mut self.open {
                open.end = at + from + found;
            }
            self.start(at + from + found, at + line.len(), Kind::Foreign, false);
            from += found + STAMP;
        }
    }

    /// Further tasks of a status screen whose lines a copy has joined.
    fn flat_tasks(&mut self, at: usize, line: &[u8], first: usize) {
        let mut from = first + 1;
        while let Some(found) = line.get(from..).and_then(status::flat_task) {
            if let Some(open) = &mut self.open {
                open.end = at + from + found;
            }
            self.start(at + from + found, at + line.len(), Kind::StatusTask, false);
            from += found + 1;
        }
    }

    /// The same where the records have lost their times.
    fn glued_heads(&mut self, at: usize, line: &[u8], text: &[u8]) {
        let mut body = header::find(text).map_or(0, |first| first.body);
        while let Some(next) = header::glued(text, body) {
            body = match next {
                header::Glued::Head(start) => {
                    self.split_open(at, line, text, start, Kind::Header);
                    start
                }
                header::Glued::Message(start) => {
                    self.split_open(at, line, text, start, Kind::Fragment);
                    start
                }
            };
        }
    }

    /// Ends the record of a line at a position of its plain text and starts another one there.
    fn split_open(&mut self, at: usize, line: &[u8], text: &[u8], start: usize, kind: Kind) {
        // The next record's line number in an editor is no part of this one.
        let digits = text[..start].iter().rev().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
        let gap = if text[..start].ends_with(b" ") && (1..=24).contains(&digits) { digits + 1 } else { 0 };
        if let Some(open) = &mut self.open {
            open.end = at + raw_offset(line, start - gap);
            open.unfinished = false;
        }
        self.start(at + raw_offset(line, start), at + line.len(), kind, !ends(line));
    }

    /// Whether the line belongs to the open record; then it is added to it.
    fn continues(&mut self, at: usize, line: &[u8], fragment: bool) -> bool {
        let Some(open) = self.open else { return false };
        let takes = match open.kind {
            // Behind an empty line only what can be nothing else: prose may follow.
            Kind::Report => true,
            Kind::Panic => !self.is_behind_blank(open, at) || is_trace(line),
            Kind::StatusTask => !self.is_behind_blank(open, at) || status::key(line).is_some() || look::is_deep(line),
            Kind::Console => !fragment || line.starts_with(b" ") || self.ends_console(open.start..open.end, line),
            Kind::Foreign => !fragment && (!self.is_behind_blank(open, at) || is_trace(line)),
            // An empty line within a value: only what closes its quote goes on behind it.
            Kind::Clean | Kind::Header if self.is_behind_blank(open, at) => open.unfinished && closes_quote(line),
            Kind::Clean | Kind::Header => {
                goes_on(&self.window[open.start..open.end], line, open.unfinished) || (!fragment && is_stack(line))
            }
            Kind::Json | Kind::StatusJson => open.unfinished,
            _ => false,
        };
        takes && self.add(at, line)
    }

    /// Whether an empty line stands between the open record and the line.
    fn is_behind_blank(&self, open: Open, at: usize) -> bool {
        memchr::memchr_iter(b'\n', &self.window[open.end..at]).count() > 1
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

    /// Whether a line brings the code that the `Error: ` before it, wrapped by a terminal, still lacks.
    fn ends_console(&self, so_far: Range<usize>, line: &[u8]) -> bool {
        let find = |text, code| memchr::memmem::find(text, code);
        let code = [&b": [BR:"[..], b": [KV:", b": [PD:"].iter().any(|code| find(line, code).is_some());
        code && find(line, b"\"] [").is_none() && find(&self.window[so_far], b"[BR:").is_none()
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

    /// Each object is a record of its own, from its `{`: tasks of `br log status --json`, lines of a container glued together.
    fn objects(&mut self, range: Range<usize>, kind: Kind, newlines: u64) {
        self.close();
        let start = range.start;
        let text = &self.window[start..range.end.min(start + MAX_RECORD)];
        for object in json::top_level_objects(text) {
            self.emit_object(start, object, text, kind, newlines);
        }
    }

    /// An object in a text that begins at `start`.
    fn emit_object(&mut self, start: usize, object: Range<usize>, text: &[u8], kind: Kind, newlines: u64) {
        let before = memchr::memchr_iter(b'\n', &text[..object.start]).count() as u64;
        self.emit(start + object.start, start + object.end, kind, newlines + before);
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

/// The start of the line that holds a position; `None` where it lies before `floor`.
fn line_start(window: &[u8], at: usize, floor: usize) -> Option<usize> {
    match memchr::memrchr(b'\n', &window[floor..at]) {
        Some(newline) => Some(floor + newline + 1),
        None => (floor == 0).then_some(0),
    }
}

impl<'w, S> Splitter<'w, '_, S> {
    /// The line at a position, without its line end and cut at `MAX_RECORD`, and where the next begins.
    /// Looks for the next no further than `own`, so that a file without line ends is read once, not once for each part.
    fn line_at(&self, at: usize) -> (&'w [u8], usize) {
        let window = self.window;
        let cap = window.len().min(at + MAX_RECORD);
        let (end, next) = match memchr::memchr(b'\n', &window[at..cap]) {
            Some(length) => (at + length, at + length + 1),
            None => {
                let bound = self.own.end.clamp(cap, window.len());
                (cap, memchr::memchr(b'\n', &window[cap..bound]).map_or(bound, |length| cap + length + 1))
            }
        };
        let line = &window[at..end];
        (line.strip_suffix(b"\r").unwrap_or(line), next)
    }
}
