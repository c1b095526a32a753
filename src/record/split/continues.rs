//! Which lines go on with the record before them.

use super::sync::line_start;
use super::{MAX_RECORD, MAX_SCREEN, Open, Sink, Splitter};
use crate::record::continuation::{closes_quote, goes_on, is_partial, is_stack, is_trace};
use crate::record::look::{self, Kind};
use crate::record::plain::plain;
use crate::record::prefix;
use crate::record::tools::{command, service, upright};
use crate::record::{console, header, json, status};
use crate::units::parse_naive;
use std::ops::Range;

/// Whether a line is a heading of a report: `### 2. What did you expect`, or in brackets as Chinese forms have it.
fn is_heading(line: &[u8]) -> bool {
    line.starts_with(b"##") || line.starts_with("\u{3010}".as_bytes())
}

/// Whether a line is a time and nothing else, as a viewer puts it between records.
fn is_moment(line: &[u8]) -> bool {
    parse_naive(line.trim_ascii()).is_some_and(|(_, rest)| rest.is_empty())
}

impl<S: Sink> Splitter<'_, '_, S> {
    /// Whether the line belongs to the open record; then it is added to it.
    pub(super) fn continues(&mut self, at: usize, line: &[u8], fragment: bool) -> bool {
        let Some(open) = self.open else { return false };
        let takes = match open.kind {
            // Behind an empty line only what can be nothing else: prose may follow.
            Kind::Report => true,
            Kind::Panic => {
                // A container's stamp stands before empty lines, too.
                let bare = &line[prefix::behind_stamp(line).unwrap_or_default()..];
                !self.is_behind_blank(open, at) || bare.is_empty() || is_trace(bare)
            }
            Kind::StatusTask => !self.is_behind_blank(open, at) || status::key(line).is_some() || look::is_deep(line),
            Kind::Console if is_heading(line) || console::is_refusal(line) || is_moment(line) => false,
            Kind::Console if self.is_closed_quote(open) || self.is_above_sentence(open, line) => false,
            Kind::Console => {
                let so_far = open.start..open.end;
                !fragment || line.starts_with(b" ") || self.ends_console(so_far, line) || self.is_list(open)
            }
            Kind::Foreign => {
                (!fragment || self.is_dispatch(open) || self.is_list(open))
                    && (!self.is_behind_blank(open, at) || is_trace(line))
            }
            // An empty line within a value: only what closes its quote goes on behind it.
            Kind::Clean | Kind::Header if self.is_behind_blank(open, at) => open.unfinished && closes_quote(line),
            Kind::Clean | Kind::Header => {
                goes_on(&self.window[open.start..open.end], line, open.unfinished) || (!fragment && is_stack(line))
            }
            Kind::Json | Kind::StatusJson => open.unfinished,
            Kind::Command => command::goes_on(&self.window[open.start..open.end]),
            Kind::Service => service::goes_on(&plain(line)),
            Kind::Row => !upright::is_between(line),
            _ => false,
        };
        takes && self.add(at, line)
    }

    /// Whether the line is a column of the open row: what it holds begins no record.
    pub(super) fn is_column(&self, line: &[u8]) -> bool {
        self.open.is_some_and(|open| open.kind == Kind::Row) && upright::is_column(line)
    }

    /// Whether an empty line stands between the open record and the line.
    fn is_behind_blank(&self, open: Open, at: usize) -> bool {
        memchr::memchr_iter(b'\n', &self.window[open.end..at]).count() > 1
    }

    /// Whether the line stands right below a record of another program, or goes on with it.
    pub(super) fn is_below_foreign(&self, at: usize) -> bool {
        self.open.is_some_and(|open| open.kind == Kind::Foreign && !self.is_behind_blank(open, at))
    }

    /// Whether the line is prose below the open record.
    fn is_above_sentence(&self, open: Open, line: &[u8]) -> bool {
        let text = &self.window[open.start..open.end];
        let above = memchr::memrchr(b'\n', text).map_or(text, |at| &text[at + 1..]);
        console::is_sentence_below(above, plain(line).trim_ascii_start())
    }

    /// Whether the open record is TiDB's of a statement that failed, as before v3.0: connection, statement and error are lines of it.
    fn is_dispatch(&self, open: Open) -> bool {
        memchr::memmem::find(&self.window[open.start..open.end.min(open.start + 256)], b" dispatch error").is_some()
    }

    /// Whether the open record is about retries that lasted too long: each error that they met is a line of it.
    fn is_list(&self, open: Open) -> bool {
        let text = &self.window[open.start..open.end.min(open.start + 512)];
        memchr::memmem::find(text, b" is exceeded, errors:").is_some()
    }

    /// Whether the open record stands in backticks and they are closed.
    fn is_closed_quote(&self, open: Open) -> bool {
        let text = self.window[open.start..open.end].trim_ascii();
        let is_quote = text.starts_with(b"`") || memchr::memmem::find(text, b"`Error: ").is_some();
        is_quote && text.ends_with(b"`") && memchr::memchr_iter(b'`', text).count() == 2
    }

    /// Whether the open record is a header that its line's end cut.
    pub(super) fn is_cut(&self) -> bool {
        self.open.is_some_and(|open| {
            let text = &self.window[open.start..open.end];
            matches!(open.kind, Kind::Clean | Kind::Header) && text.len() < 512 && header::cut(&plain(text)).is_some()
        })
    }

    /// Whether the line before is one that a container cut.
    pub(super) fn is_behind_partial(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|end| line_start(self.window, end, end.saturating_sub(MAX_RECORD)));
        before.is_some_and(|start| is_partial(self.line_at(start).0))
    }

    /// Whether the line goes on with a value on a narrow screen, or with JSON that a terminal broke.
    pub(super) fn is_narrow(&self, at: usize) -> bool {
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

    /// Whether a line brings the code that the `Error: ` before it, wrapped by a terminal, still lacks.
    fn ends_console(&self, so_far: Range<usize>, line: &[u8]) -> bool {
        let find = |text, code| memchr::memmem::find(text, code);
        let code = [&b": [BR:"[..], b": [KV:", b": [PD:"].iter().any(|code| find(line, code).is_some());
        code && find(line, b"\"] [").is_none() && find(&self.window[so_far], b"[BR:").is_none()
    }
}
