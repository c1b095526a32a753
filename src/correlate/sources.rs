//! Sources, with what was found out about who wrote them.

use super::findings::{Source, Totals};
use super::learned::Learned;
use crate::event::ReadStatus;

/// The rows of the table.
pub(super) fn rows(learned: &Learned) -> Vec<Source> {
    let mut rows: Vec<Source> = learned
        .sources
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let place = learned.counted[at];
            let instance = learned.instance(learned.instances.of_source[place]);
            let (status, problem) = if place == at {
                (row.status, row.problem.clone())
            } else {
                (ReadStatus::Skipped, Some(format!("the same text as {}", learned.sources[place].file)))
            };
            Source {
                file: row.file.clone(),
                component: instance.component,
                instance: instance.address.clone(),
                store: instance.store,
                bytes: row.bytes,
                records: row.records,
                continuation_lines: row.continuation_lines,
                unparsed_lines: row.unparsed_lines,
                first: row.first,
                last: row.last,
                status,
                problem,
            }
        })
        .collect();
    rows.sort_by(|a, b| a.file.cmp(&b.file));
    rows
}

/// Sums over all sources that count.
pub(super) fn totals(learned: &Learned, events: u64) -> Totals {
    let mut totals = Totals { events, ..Totals::default() };
    for (at, row) in learned.sources.iter().enumerate() {
        if learned.counted[at] != at {
            continue;
        }
        totals.bytes += row.bytes;
        totals.records += row.records;
        totals.first = totals.first.into_iter().chain(row.first).min();
        totals.last = totals.last.max(row.last);
    }
    totals
}
