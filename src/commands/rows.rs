//! What the rows of a scan come to: events, sources and templates of any number of parts, put together.

use crate::event::{Corrections, EventStore, Row, SortedEvents, SourceRow, UnmatchedRow};
use crate::rows;
use crate::settings::Settings;
use crate::units::Timestamp;
use anyhow::{Context, anyhow};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

/// All rows, put together.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) events: SortedEvents,
    pub(super) sources: Vec<SourceRow>,
    pub(super) unmatched: Vec<UnmatchedRow>,
}

/// Reads rows. Splits of one source become one source; lines count from the source's start.
pub(super) fn read(given: &[PathBuf], settings: &Settings) -> anyhow::Result<Rows> {
    let mut store = EventStore::new(settings.memory / 2, settings.redact);
    let mut splits: BTreeMap<Arc<str>, Vec<SourceRow>> = BTreeMap::new();
    // A split that was scanned twice gives the same rows twice.
    let mut unmatched: BTreeMap<_, UnmatchedRow> = BTreeMap::new();
    let mut names = rows::Names::default();
    let mut events = Vec::new();
    for file in files(given)? {
        rows::read(&file, &mut names, &mut |row| {
            match row {
                Row::Event(mut event) => {
                    // Rows of another hand may hold what ours do not.
                    if settings.redact {
                        event.redact();
                    }
                    events.push(event);
                    if events.len() == 1024 {
                        store.extend(std::mem::take(&mut events))?;
                    }
                }
                Row::Source(source) => splits.entry(Arc::clone(&source.file)).or_default().push(source),
                Row::Unmatched(row) => {
                    let UnmatchedRow { file, offset, template, level, .. } = &row;
                    unmatched.insert((Arc::clone(file), *offset, template.clone(), *level), row);
                }
            }
            Ok(())
        })
        .with_context(|| file.display().to_string())?;
    }
    store.extend(events)?;
    let mut corrections = Corrections::default();
    let mut sources = Vec::new();
    for (file, mut rows) in splits {
        rows.sort_by_key(|row| (row.start, row.end));
        rows.dedup();
        let mut newlines = 0;
        let sum = |row: &SourceRow| {
            let before = newlines;
            newlines += row.newlines;
            (row.start, before)
        };
        let before: Vec<(u64, u64)> = rows.iter().map(sum).collect();
        corrections.lines.insert(Arc::clone(&file), before);
        sources.push(joined(rows));
    }
    for row in unmatched.values_mut() {
        if let Some(splits) = corrections.lines.get(&row.file) {
            let at = splits.partition_point(|(start, _)| *start <= row.offset);
            row.line += at.checked_sub(1).map_or(0, |at| splits[at].1);
        }
    }
    corrections.zones = crate::scan::zones(&sources, settings.zone_minutes);
    Ok(Rows { events: store.finish(corrections), sources, unmatched: unmatched.into_values().collect() })
}

/// The files behind what was named: a folder stands for all in it, but for what engines leave beside their parts (`_SUCCESS`).
fn files(given: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in given {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        let is_part =
            |name: &OsStr| !name.as_encoded_bytes().starts_with(b"_") && !name.as_encoded_bytes().starts_with(b".");
        let mut walker = ignore::WalkBuilder::new(path);
        walker.standard_filters(false).follow_links(true).sort_by_file_name(Ord::cmp);
        for entry in walker.filter_entry(move |entry| entry.depth() == 0 || is_part(entry.file_name())).build() {
            let entry = entry?;
            if entry.path().is_file() {
                files.push(entry.into_path());
            }
        }
        if files.len() == before {
            return Err(anyhow!("{}: no file of rows in this folder", path.display()));
        }
    }
    Ok(files)
}

/// The splits of one source as one.
fn joined(rows: Vec<SourceRow>) -> SourceRow {
    let mut rows = rows.into_iter();
    let Some(mut whole) = rows.next() else { return SourceRow::default() };
    let earlier = |one: Option<Timestamp>, other: Option<Timestamp>| one.into_iter().chain(other).min();
    for row in rows {
        whole.end = whole.end.max(row.end);
        whole.bytes += row.bytes;
        whole.records += row.records;
        whole.newlines += row.newlines;
        whole.continuation_lines += row.continuation_lines;
        whole.unparsed_lines += row.unparsed_lines;
        whole.first = earlier(whole.first, row.first);
        whole.last = whole.last.max(row.last);
        whole.local = match (whole.local, row.local) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
        whole.zone_minutes = whole.zone_minutes.or(row.zone_minutes);
        whole.tail_hash = whole.tail_hash.or(row.tail_hash);
        if row.status > whole.status {
            whole.status = row.status;
        }
        whole.problem = whole.problem.or(row.problem);
    }
    whole
}
