//! Regions by time: how many events speak of each, counted in the pass over all events.

use super::bars::level;
use crate::correlate::Findings;
use crate::event::Event;
use crate::report::words;
use crate::units::{RegionId, Timestamp};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

const MOST_REGIONS: usize = 16;
const COLUMNS: usize = 72;

/// Counts of events for each of some regions and equal parts of a time.
#[derive(Debug)]
pub(in crate::report) struct Heat {
    first: Timestamp,
    span: i64,
    rows: FxHashMap<RegionId, usize>,
    counts: Vec<[u64; COLUMNS]>,
}

impl Heat {
    /// For the regions with the most errors, over the time in which they are spoken of.
    pub(in crate::report) fn new(findings: &Findings) -> Option<Self> {
        let mut regions: Vec<_> = findings.regions.iter().collect();
        regions.sort_by_key(|region| (Reverse((region.errors, region.events)), region.id));
        regions.truncate(MOST_REGIONS);
        let first = regions.iter().filter_map(|region| region.first).min()?;
        let last = regions.iter().filter_map(|region| region.last).max()?;
        let mut ids: Vec<_> = regions.iter().map(|region| region.id).collect();
        ids.sort_unstable();
        let span = last.since(first).max(COLUMNS as i64 - 1) + 1;
        let counts = vec![[0; COLUMNS]; ids.len()];
        Some(Self { first, span, rows: ids.into_iter().enumerate().map(|(at, id)| (id, at)).collect(), counts })
    }

    /// Counts an event for every region that it names.
    pub(in crate::report) fn count(&mut self, event: &Event) {
        let Some(time) = event.time else { return };
        let at = i128::from(time.since(self.first)) * COLUMNS as i128 / i128::from(self.span);
        let Ok(at) = usize::try_from(at) else { return };
        let also = event.region.filter(|region| !event.regions.contains(region));
        for region in event.regions.iter().copied().chain(also) {
            if let Some(row) = self.rows.get(&region)
                && let Some(count) = self.counts[*row].get_mut(at)
            {
                *count += 1;
            }
        }
    }

    /// The counts as a drawing; none where there are none.
    pub(super) fn draw(&self) -> Option<HeatMap> {
        let highest = self.counts.iter().flatten().copied().max().filter(|count| *count > 0)?;
        let mut ids: Vec<_> = self.rows.iter().collect();
        ids.sort_unstable_by_key(|(_, row)| **row);
        let moment = |column: usize| self.first.plus_ms(self.span / COLUMNS as i64 * column as i64);
        let row = |(id, row): (&RegionId, &usize)| HeatRow {
            label: format!("region {id}"),
            total: self.counts[*row].iter().sum(),
            cells: self.counts[*row]
                .iter()
                .enumerate()
                .filter(|(_, count)| **count > 0)
                .map(|(column, count)| HeatCell {
                    column,
                    level: level(*count, highest),
                    title: format!(
                        "region {id}, from {}: {}",
                        words::moment(moment(column)),
                        words::counted(*count, "event")
                    ),
                })
                .collect(),
        };
        let tick = |at: usize| HeatTick {
            x: 112 + 1008 * at / 4,
            anchor: match at {
                0 => "start",
                4 => "end",
                _ => "middle",
            },
            label: words::moment(self.first.plus_ms((self.span - 1) / 4 * at as i64)),
        };
        Some(HeatMap {
            ticks: (0..=4).map(tick).collect(),
            rows: ids.into_iter().map(row).collect(),
            first: words::moment(self.first),
            last: words::moment(self.first.plus_ms(self.span - 1)),
            highest: words::counted(highest, "event"),
        })
    }
}

pub(super) struct HeatMap {
    pub(super) ticks: Vec<HeatTick>,
    pub(super) rows: Vec<HeatRow>,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) highest: String,
}

pub(super) struct HeatTick {
    pub(super) x: usize,
    pub(super) anchor: &'static str,
    pub(super) label: String,
}

pub(super) struct HeatRow {
    pub(super) label: String,
    pub(super) total: u64,
    pub(super) cells: Vec<HeatCell>,
}

pub(super) struct HeatCell {
    pub(super) column: usize,
    pub(super) level: usize,
    pub(super) title: String,
}
