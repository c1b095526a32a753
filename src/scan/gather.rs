//! What the parts of a source come to: its row, its line numbers, what no rule knew of it.

use super::part::{self, Part};
use super::window::Window;
use super::{Mark, Start};
use crate::event::{ReadStatus, SourceRow, UnmatchedRow, Writer};
use crate::input::{Problem, Status};
use crate::units::{Level, Timestamp};
use rayon::prelude::*;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// What the parts of one source gave in one pass, to be added up.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) row: SourceRow,
    pub(super) unfinished: bool,
    /// Start, line ends and latest time of each part.
    parts: Vec<(u64, u64, Option<Timestamp>)>,
    unmatched: Vec<(u64, part::Templates)>,
    zone_at: Option<u64>,
}

impl Gathered {
    /// Of what lies before a time window only the lines are counted: an event says on which one it stands.
    pub(super) fn skip(&mut self, window: Window<'_>, before: Range<usize>) {
        let parts = if before.is_empty() { Vec::new() } else { Window::parts(before) };
        let count = |part: Range<usize>| {
            let newlines = memchr::memchr_iter(b'\n', &window.text[part.clone()]).count() as u64;
            (window.base + part.start as u64, newlines, None)
        };
        self.parts.par_extend(parts.into_par_iter().map(count));
    }

    /// Adds the counts of a part that begins at byte `start` of the source and has so many bytes.
    pub(super) fn add(&mut self, start: u64, bytes: u64, part: Part) {
        let Part { unmatched, tally, clock, .. } = part;
        self.parts.push((start, tally.newlines, clock.last));
        if !unmatched.is_empty() {
            self.unmatched.push((start, unmatched));
        }
        if clock.zone_minutes.is_some() && self.zone_at.is_none_or(|at| start < at) {
            self.zone_at = Some(start);
            self.row.zone_minutes = clock.zone_minutes;
        }
        let row = &mut self.row;
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
}

/// What all sources come to.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) rows: BTreeMap<Arc<str>, SourceRow>,
    /// Per source, the start of each part and the line ends before it.
    pub(super) lines: BTreeMap<Arc<str>, Vec<(u64, u64)>>,
    pub(super) marks: BTreeMap<Arc<str>, Vec<Mark>>,
    pub(super) unfinished: BTreeSet<Arc<str>>,
    unmatched: BTreeMap<Template, UnmatchedRow>,
}

/// A template in one source: sources that turn out to be copies of others are left out later.
type Template = (Arc<str>, Box<str>, Option<Level>);

impl Sources {
    /// Adds a source of which `own` was read.
    pub(super) fn add(
        &mut self,
        file: &Arc<str>,
        own: Range<u64>,
        start: Start,
        mut gathered: Gathered,
        writer: Writer,
        problem: Option<String>,
    ) {
        let before = self.count_lines(file, start, &mut gathered);
        for (start, rows) in gathered.unmatched {
            let at = before.partition_point(|(part, _)| *part <= start);
            let newlines = at.checked_sub(1).map_or(0, |at| before[at].1);
            for ((template, level), mut row) in rows {
                row.line += newlines;
                self.template((Arc::clone(file), template, level), row);
            }
        }
        let mut row = gathered.row;
        row.file = Arc::clone(file);
        (row.start, row.end) = (own.start, own.end);
        row.zone_minutes = start.zone_minutes.or(row.zone_minutes);
        row.writer = writer;
        if problem.is_some() {
            (row.status, row.problem) = (ReadStatus::Partial, problem);
        }
        if gathered.unfinished {
            self.unfinished.insert(Arc::clone(file));
        }
        self.rows.insert(Arc::clone(file), row);
    }

    /// Takes the line numbers of a source that only a context pass has read.
    pub(super) fn add_lines(&mut self, file: &Arc<str>, start: Start, mut gathered: Gathered) {
        if !self.lines.contains_key(file) {
            self.count_lines(file, start, &mut gathered);
        }
    }

    /// Line ends before each part, and the marks.
    fn count_lines(&mut self, file: &Arc<str>, start: Start, gathered: &mut Gathered) -> Vec<(u64, u64)> {
        gathered.parts.sort_unstable();
        let mut at = Mark { offset: 0, newlines: start.newlines, last: None };
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
        self.marks.insert(Arc::clone(file), marks);
        if before.len() > 1 || before.first().is_some_and(|(_, newlines)| *newlines > 0) {
            self.lines.insert(Arc::clone(file), before.clone());
        }
        before
    }

    /// Adds a template's counts to those known; the example is the first in its source.
    fn template(&mut self, key: Template, row: UnmatchedRow) {
        match self.unmatched.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(row);
            }
            Entry::Occupied(mut entry) => {
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

    /// Notes what was wrong with inputs.
    pub(super) fn problems(&mut self, problems: &[Problem]) {
        for problem in problems {
            let file: Arc<str> = Arc::from(problem.file.as_str());
            let status = match problem.status {
                Status::Partial => ReadStatus::Partial,
                Status::Skipped => ReadStatus::Skipped,
                Status::Failed => ReadStatus::Failed,
            };
            let row = self.rows.entry(Arc::clone(&file)).or_insert_with(|| SourceRow { file, ..SourceRow::default() });
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

    /// What no rule knew, by source and template.
    pub(super) fn unmatched(&mut self) -> Vec<UnmatchedRow> {
        std::mem::take(&mut self.unmatched).into_values().collect()
    }
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
