//! Rows that `scan` wrote, read back: events, sources and templates of any number of parts.

use crate::event::{Corrections, EventStore, Row, SortedEvents, SourceRow, UnmatchedRow};
use crate::settings::Settings;
use crate::units::{Level, Timestamp};
use anyhow::Context;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// All rows, put together.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) events: SortedEvents,
    pub(super) sources: Vec<SourceRow>,
    pub(super) unmatched: Vec<UnmatchedRow>,
}

/// Reads rows. Splits of one source become one source; lines count from the source's start.
pub(super) fn read(files: &[PathBuf], settings: &Settings) -> anyhow::Result<Rows> {
    let mut store = EventStore::new(settings.memory / 2, settings.redact);
    let mut splits: BTreeMap<Arc<str>, Vec<SourceRow>> = BTreeMap::new();
    let mut templates = Vec::new();
    let mut events = Vec::new();
    for file in files {
        each(file, &mut |row| {
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
                Row::Unmatched(template) => templates.push(template),
            }
            Ok(())
        })?;
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
    let mut unmatched: BTreeMap<(Box<str>, Option<Level>), UnmatchedRow> = BTreeMap::new();
    for mut row in templates {
        if let Some(splits) = corrections.lines.get(&row.file) {
            let at = splits.partition_point(|(start, _)| *start <= row.offset);
            row.line += at.checked_sub(1).map_or(0, |at| splits[at].1);
        }
        crate::scan::merge_unmatched(&mut unmatched, (row.template.clone(), row.level), row);
    }
    corrections.zones = crate::scan::zones(&sources, settings.zone_minutes);
    Ok(Rows { events: store.finish(corrections), sources, unmatched: unmatched.into_values().collect() })
}

fn each(path: &Path, take: &mut dyn FnMut(Row) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let input: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?)
    };
    let mut input = BufReader::with_capacity(1 << 18, input);
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        if input.read_until(b'\n', &mut line).with_context(|| format!("{} cannot be read", path.display()))? == 0 {
            break;
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            let row = serde_json::from_slice(text)
                .with_context(|| format!("{}:{number}: no row that `scan --format jsonl` wrote", path.display()))?;
            take(row)?;
        }
    }
    Ok(())
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
