//! What the new events of a night come to, counted in one pass.

use super::state::{Kind, Tally, Totals};
use crate::correlate::{Correlation, Derived, Episode};
use crate::event::{Event, EventStream, UnmatchedRow};
use crate::units::{Component, RegionId, Severity, StoreId, Timestamp};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Counts of events of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) events: u64,
    pub(super) errors: u64,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) stores: BTreeSet<StoreId>,
    pub(super) regions: BTreeSet<RegionId>,
}

/// An instance that is no store: component and address.
pub(super) type Other = (Option<Component>, Option<String>);

type EpisodeKey = (Arc<str>, Option<RegionId>, Option<StoreId>, Option<Box<str>>);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) events: u64,
    pub(super) by_rule: BTreeMap<Arc<str>, u64>,
    pub(super) by_code: BTreeMap<Box<str>, Count>,
    pub(super) by_store: BTreeMap<StoreId, Count>,
    pub(super) by_other: BTreeMap<Other, Count>,
    pub(super) by_region: BTreeMap<RegionId, Count>,
    pub(super) by_incident: BTreeMap<String, u64>,
    /// By rule and store.
    pub(super) totals: Totals,
    pub(super) spans: Arc<Spans>,
}

/// Spans of time with new events of one rule, region, store and task, to tell episodes that have something new.
#[derive(Debug, Default)]
pub(super) struct Spans(FxHashMap<EpisodeKey, Vec<Span>>);

/// First and last time; none where the records have no time.
type Span = (Option<Timestamp>, Option<Timestamp>);

/// Most names of one kind that are counted: a hostile log has millions.
const MOST: usize = 65_536;
/// Most counts of one kind that are stored of a night.
const MOST_STORED: usize = 500;

impl Counts {
    /// Counts.
    ///
    /// # Errors
    /// Where events cannot be read back from a temporary file.
    pub(super) fn of(fresh: &dyn EventStream, correlation: &Correlation, gap_ms: i64) -> std::io::Result<Self> {
        let (mut counts, mut spans) = (Self::default(), Spans::default());
        fresh.for_each(&mut |event| {
            let derived = correlation.derived(event);
            counts.take(event, &derived);
            spans.take(event, &derived, gap_ms);
        })?;
        Ok(Self { spans: Arc::new(spans), ..counts })
    }

    fn take(&mut self, event: &Event, derived: &Derived<'_>) {
        self.events += 1;
        *self.by_rule.entry(Arc::clone(&event.rule)).or_default() += 1;
        let at_store = (Arc::clone(&event.rule), derived.store);
        if self.totals.len() < MOST || self.totals.contains_key(&at_store) {
            *self.totals.entry(at_store).or_default() += 1;
        }
        let count = |count: &mut Count| count.take(event, derived.store);
        for code in &event.codes {
            if self.by_code.len() < MOST || self.by_code.contains_key(code) {
                count(self.by_code.entry(code.clone()).or_default());
            }
        }
        for region in &event.regions {
            if self.by_region.len() < MOST || self.by_region.contains_key(region) {
                count(self.by_region.entry(*region).or_default());
            }
        }
        if let Some(store) = derived.store {
            count(self.by_store.entry(store).or_default());
        } else {
            let other = (derived.component, derived.instance.map(str::to_owned));
            count(self.by_other.entry(other).or_default());
        }
        for incident in &derived.incidents {
            *self.by_incident.entry((*incident).to_owned()).or_default() += 1;
        }
    }

    /// What is stored of the night: of each kind the most frequent names.
    pub(super) fn tallies(&self, unmatched: &[UnmatchedRow]) -> Vec<Tally> {
        let tally = |kind, name: String, count| Tally { kind, name, run: 0, count };
        let mut templates: BTreeMap<&str, u64> = BTreeMap::new();
        for row in unmatched {
            *templates.entry(&row.template).or_default() += row.count;
        }
        let kinds: [Vec<Tally>; 5] = [
            self.by_rule.iter().map(|(rule, count)| tally(Kind::Rule, rule.to_string(), *count)).collect(),
            self.by_code.iter().map(|(code, count)| tally(Kind::Code, code.to_string(), count.events)).collect(),
            self.by_store.iter().map(|(store, count)| tally(Kind::Store, store.to_string(), count.events)).collect(),
            self.by_region.iter().map(|(id, count)| tally(Kind::Region, id.to_string(), count.events)).collect(),
            templates.into_iter().map(|(name, count)| tally(Kind::Template, name.to_owned(), count)).collect(),
        ];
        let most = |mut all: Vec<Tally>| {
            all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
            all.truncate(MOST_STORED);
            all
        };
        kinds.into_iter().flat_map(most).collect()
    }
}

impl Spans {
    fn take(&mut self, event: &Event, derived: &Derived<'_>, gap_ms: i64) {
        let key = (Arc::clone(&event.rule), event.region, derived.store, derived.task.map(Box::from));
        let spans = self.0.entry(key).or_default();
        match (spans.last_mut(), event.time) {
            (Some((_, Some(last))), Some(time)) if time.since(*last) <= gap_ms => *last = time,
            (Some((_, None)), None) => {}
            (_, time) => spans.push((time, time)),
        }
    }

    /// Whether an episode has something new.
    pub(super) fn touch(&self, episode: &Episode) -> bool {
        let task = episode.task.as_deref().map(Box::from);
        let key = (Arc::clone(&episode.rule), episode.region, episode.store, task);
        let overlaps = |(first, last): &Span| match first {
            Some(_) => *first <= episode.last && episode.first <= *last,
            None => episode.first.is_none(),
        };
        self.0.get(&key).is_some_and(|spans| spans.iter().any(overlaps))
    }
}

impl Count {
    fn take(&mut self, event: &Event, store: Option<StoreId>) {
        self.events += 1;
        self.errors += u64::from(event.severity >= Severity::Error);
        self.first = self.first.into_iter().chain(event.time).min();
        self.last = self.last.max(event.time);
        self.stores.extend(store);
        self.regions.extend(event.region);
    }
}
