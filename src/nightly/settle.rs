//! What is known of files and texts after a night.

use super::read::Read;
use super::state::{KnownFile, KnownSource, Sources};
use super::tonight::{Reading, Tonight};
use crate::event::{ReadStatus, SourceRow};
use crate::input::Status;
use crate::scan::Mark;
use crate::units::Timestamp;
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A text whose file is gone is forgotten after this time; it may still come back, compressed.
const GONE_MS: i64 = 90 * 86_400_000;
/// Most marks of a text.
const MOST_MARKS: usize = 256;

/// The name of every known text tonight: where it is now, or was last.
pub(super) fn names(known: &Sources, tonight: &Tonight) -> BTreeMap<i64, Arc<str>> {
    let mut names: BTreeMap<i64, Arc<str>> = BTreeMap::new();
    for (at, (_, name)) in &tonight.places {
        names.insert(known.sources[*at].id, Arc::clone(name));
    }
    for (name, reading) in &tonight.readings {
        if let Some(at) = reading.known {
            names.insert(known.sources[at].id, Arc::clone(name));
        }
    }
    let mut taken: FxHashSet<Arc<str>> = names.values().cloned().chain(tonight.readings.keys().cloned()).collect();
    for source in &known.sources {
        if names.contains_key(&source.id) {
            continue;
        }
        let own = Arc::from(source.name.as_str());
        let others = (1..).map(|number| match number {
            1 => Arc::from(format!("{} (gone)", source.name)),
            number => Arc::from(format!("{} (gone {number})", source.name)),
        });
        let free = std::iter::once(own).chain(others).find(|name| !taken.contains(name));
        if let Some(name) = free {
            taken.insert(Arc::clone(&name));
            names.insert(source.id, name);
        }
    }
    names
}

/// Files and texts as the next run is to find them.
pub(super) fn settle(
    mut known: Sources,
    tonight: &Tonight,
    read: &Read,
    back_to: Timestamp,
    now: Timestamp,
) -> Sources {
    let mut next_id = known.sources.iter().map(|source| source.id).max().unwrap_or_default() + 1;
    for source in &mut known.sources {
        (source.row.status, source.row.problem) = (ReadStatus::Read, None);
    }
    for (at, (input, name)) in &tonight.places {
        let source = &mut known.sources[*at];
        source.name = name.to_string();
        source.inode = tonight.inputs[*input].stamp().unwrap_or_default().inode;
        source.seen = now;
    }
    for (at, len) in &tonight.cut {
        known.sources[*at].offset = *len;
    }
    let rows = read.rows.iter().filter(|row| !read.postponed.contains(&row.file));
    for row in rows {
        let Some(reading) = tonight.readings.get(&row.file) else { continue };
        let at = reading.known.unwrap_or_else(|| {
            known.sources.push(begun(next_id, reading));
            next_id += 1;
            known.sources.len() - 1
        });
        let marks = read.marks.get(&row.file).map_or(&[][..], Vec::as_slice);
        go_on(&mut known.sources[at], reading, row, marks, now);
        known.sources[at].inode = tonight.inputs[reading.input].stamp().unwrap_or_default().inode;
    }
    for source in &mut known.sources {
        thin(&mut source.marks, back_to);
        source.row.file = Arc::from(source.name.as_str());
    }
    known.sources.retain(|source| now.since(source.seen) <= GONE_MS);
    let files = tonight.inputs.iter().enumerate().filter_map(|(at, input)| {
        let stamp = input.stamp()?;
        Some(KnownFile { name: input.name().to_owned(), stamp, settled: !tonight.unsettled.contains(&at) })
    });
    Sources { files: files.collect(), sources: known.sources }
}

fn begun(id: i64, reading: &Reading) -> KnownSource {
    KnownSource {
        id,
        name: String::new(),
        head: reading.head,
        inode: 0,
        offset: 0,
        newlines: 0,
        seen: Timestamp(0),
        marks: Vec::new(),
        // Tells it from every other for correlation, which looks for copies by this.
        row: SourceRow { head_hash: id.cast_unsigned(), ..SourceRow::default() },
    }
}

fn go_on(source: &mut KnownSource, reading: &Reading, row: &SourceRow, marks: &[Mark], now: Timestamp) {
    let before = source.row.last;
    source.marks.extend(marks.iter().map(|mark| Mark { last: before.max(mark.last), ..*mark }));
    source.name = row.file.to_string();
    source.head = reading.head;
    source.offset = row.end.max(reading.start.offset);
    source.newlines = reading.start.newlines + row.newlines;
    source.seen = now;
    let known = &mut source.row;
    known.end = source.offset;
    known.bytes += row.bytes;
    known.records += row.records;
    known.newlines += row.newlines;
    known.continuation_lines += row.continuation_lines;
    known.unparsed_lines += row.unparsed_lines;
    known.first = known.first.into_iter().chain(row.first).min();
    known.last = known.last.max(row.last);
    known.local = match (known.local, row.local) {
        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
        (one, other) => one.or(other),
    };
    known.zone_minutes = known.zone_minutes.or(row.zone_minutes);
    known.status = row.status;
    known.problem.clone_from(&row.problem);
    known.writer.component = row.writer.component.or(known.writer.component);
    let peers: BTreeSet<_> = known.writer.peers.iter().chain(&row.writer.peers).copied().collect();
    known.writer.peers = peers.into_iter().take(64).collect();
}

/// Of the marks before the time that can be asked for the last one is enough.
fn thin(marks: &mut Vec<Mark>, back_to: Timestamp) {
    let last_before = marks.iter().rposition(|mark| mark.last.is_some_and(|last| last < back_to)).unwrap_or(0);
    marks.drain(..last_before);
    while marks.len() > MOST_MARKS {
        let mut at = 0;
        marks.retain(|_| {
            at += 1;
            at % 2 == 1
        });
    }
}

/// The rows of all texts under tonight's names, and of what could not be read.
pub(super) fn rows(sources: &Sources, names: &BTreeMap<i64, Arc<str>>, tonight: &Tonight) -> Vec<SourceRow> {
    let named = |source: &KnownSource| {
        let file = names.get(&source.id).cloned().unwrap_or_else(|| Arc::from(source.name.as_str()));
        SourceRow { file, ..source.row.clone() }
    };
    let mut rows: BTreeMap<Arc<str>, SourceRow> =
        sources.sources.iter().map(named).map(|row| (Arc::clone(&row.file), row)).collect();
    for problem in &tonight.problems {
        let file: Arc<str> = Arc::from(problem.file.as_str());
        let status = match problem.status {
            Status::Partial => ReadStatus::Partial,
            Status::Skipped => ReadStatus::Skipped,
            Status::Failed => ReadStatus::Failed,
        };
        let row = rows.entry(Arc::clone(&file)).or_insert_with(|| SourceRow { file, ..SourceRow::default() });
        // What was read of it before stays worth something.
        let status = if row.records > 0 { status.min(ReadStatus::Partial) } else { status };
        if status > row.status || row.problem.is_none() {
            (row.status, row.problem) = (status, Some(problem.reason.clone()));
        }
    }
    rows.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_that_nobody_asks_for_go() {
        let mark = |offset: u64, last: Option<i64>| Mark { offset, newlines: 0, last: last.map(Timestamp) };
        let mut marks = vec![mark(0, None), mark(10, Some(1)), mark(20, Some(5)), mark(30, Some(9))];
        thin(&mut marks, Timestamp(6));
        assert_eq!(marks.iter().map(|mark| mark.offset).collect::<Vec<_>>(), [20, 30]);
    }
}
