//! Several records on one line.

use super::{MAX_RECORD, Sink, Splitter};
use crate::record::clean::is_clean;
use crate::record::continuation::ends;
use crate::record::look::Kind;
use crate::record::plain::{plain, raw_offset};
use crate::record::{foreign, header, json, status};
use std::borrow::Cow;
use std::ops::Range;

impl<'w, S: Sink> Splitter<'w, '_, S> {
    /// Records that stand behind the first on one line.
    pub(super) fn glued(&mut self, at: usize, line: &'w [u8]) {
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
    pub(super) fn glued_foreign(&mut self, at: usize, line: &[u8], first: usize) {
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
    pub(super) fn flat_tasks(&mut self, at: usize, line: &[u8], first: usize) {
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

    /// Each object is a record of its own, from its `{`: tasks of `br log status --json`, lines of a container glued together.
    pub(super) fn objects(&mut self, range: Range<usize>, kind: Kind, newlines: u64) {
        self.close();
        let start = range.start;
        let text = &self.window[start..range.end.min(start + MAX_RECORD)];
        for object in json::top_level_objects(text) {
            self.emit_object(start, object, text, kind, newlines);
        }
    }

    /// An object in a text that begins at `start`.
    pub(super) fn emit_object(&mut self, start: usize, object: Range<usize>, text: &[u8], kind: Kind, newlines: u64) {
        let before = memchr::memchr_iter(b'\n', &text[..object.start]).count() as u64;
        self.emit(start + object.start, start + object.end, kind, newlines + before);
    }
}
