//! Counts over all events and episodes, made in the passes that write them.

use super::html::{Crowd, Frame, Heat};
use super::tables::EventRow;
use crate::correlate::Findings;
use crate::units::{RegionId, Severity, StoreId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many events there are, of which kind and where. Store and region are those of `events.csv`.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) total: u64,
    pub(super) by_severity: BTreeMap<Severity, u64>,
    pub(super) by_rule: BTreeMap<Arc<str>, u64>,
    pub(super) by_store: BTreeMap<StoreId, u64>,
    pub(super) by_region: BTreeMap<RegionId, u64>,
    /// Where and when, for the page's map.
    pub(super) heat: Option<Heat>,
    /// What the page's picture is drawn into.
    pub(super) frame: Option<Frame>,
    /// All episodes, by their place in the picture.
    pub(super) crowd: Crowd,
}

impl Tally {
    /// Nothing counted yet, for the report of these findings.
    pub(super) fn of(findings: &Findings) -> Self {
        Self { heat: Heat::new(findings), frame: Frame::of(findings), ..Self::default() }
    }

    /// Counts one event.
    pub(super) fn count(&mut self, row: &EventRow<'_>) {
        let event = row.event;
        self.total += 1;
        *self.by_severity.entry(event.severity).or_default() += 1;
        if let Some(count) = self.by_rule.get_mut(&event.rule) {
            *count += 1;
        } else {
            self.by_rule.insert(Arc::clone(&event.rule), 1);
        }
        if let Some(store) = row.derived.store {
            *self.by_store.entry(store).or_default() += 1;
        }
        if let Some(region) = event.region {
            *self.by_region.entry(region).or_default() += 1;
        }
        if let Some(heat) = &mut self.heat {
            heat.count(event);
        }
    }
}
