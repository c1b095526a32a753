//! Where a part begins: which line near its start is the first of a record.

use super::{MAX_RECORD, MAX_SCREEN, Sink, Splitter};
use crate::record::continuation::{is_partial, may_be_piece};
use crate::record::look::{Kind, Look};
use crate::record::plain::plain;
use crate::record::{console, header};

impl<'w, S: Sink> Splitter<'w, '_, S> {
    /// The line to begin with: the nearest one before `own` that starts a record for sure, else the source's first where that
    /// is near, else the first of `own`.
    pub(super) fn sync(&self) -> usize {
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
                    let takes_pieces = matches!(kind, Kind::StatusTask | Kind::StatusJson | Kind::Json | Kind::Row);
                    return if takes_pieces { line } else { nearest.unwrap_or(line) };
                }
                let earlier = before.flatten().map(|earlier| self.line_at(earlier).0).unwrap_or_default();
                // It may be the end of a header on the line before, or of a line that a container cut, or what a record is about.
                let is_part = is_partial(earlier)
                    || (kind == Kind::Header && header::cut(&plain(earlier)).is_some())
                    || (kind == Kind::Panic && !earlier.trim_ascii().is_empty() && console::is_exception(&plain(text)));
                if !is_part {
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

    /// The line at a position, without its line end and cut at `MAX_RECORD`, and where the next begins.
    /// Looks for the next no further than `own`, so that a file without line ends is read once, not once for each part.
    pub(super) fn line_at(&self, at: usize) -> (&'w [u8], usize) {
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

/// The start of the line that holds a position; `None` where it lies before `floor`.
pub(super) fn line_start(window: &[u8], at: usize, floor: usize) -> Option<usize> {
    match memchr::memrchr(b'\n', &window[floor..at]) {
        Some(newline) => Some(floor + newline + 1),
        None => (floor == 0).then_some(0),
    }
}
