//! Which events the next night needs again: those that open incidents rest on, the last word on lasting facts, and all of the
//! last days. The next run puts them before the new ones, so that a story goes on where it was.

use super::read::Read;
use super::state::Memo;
use crate::correlate::{Correlation, IncidentStatus};
use crate::event::{Event, EventStream};
use crate::rules::{Catalog, Kind};
use crate::units::{FactKind, RegionId, Severity, StoreId, Timestamp};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// How long and how much.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The start of this run.
    pub(super) now: Timestamp,
    /// Events that were read before this are forgotten, unless something rests on them.
    pub(super) recent: Timestamp,
    /// Context that was read since is remembered whatever it takes, since it is read again.
    pub(super) context: Timestamp,
    /// Most recent events.
    pub(super) most: usize,
}

/// What events are known by.
#[derive(Debug)]
pub(super) struct Known {
    /// The number of each source, by its name tonight.
    pub(super) sources: BTreeMap<Arc<str>, i64>,
    /// When an event, by source and offset, was read, where that was before this run.
    pub(super) read: BTreeMap<(i64, u64), Timestamp>,
}

/// Of an open incident this many events of one rule, region, store and task are kept at each end.
const ENDS: usize = 128;
/// Most lasting facts.
const MOST_FACTS: usize = 20_000;

/// Chooses.
///
/// # Errors
/// Where events cannot be read back from a temporary file.
pub(super) fn choose(
    read: &Read,
    correlation: &Correlation,
    catalog: &Catalog,
    known: &Known,
    limits: Limits,
) -> std::io::Result<Vec<Memo>> {
    let open: BTreeSet<&str> = correlation
        .findings
        .incidents
        .iter()
        .filter(|incident| incident.status == IncidentStatus::Open)
        .map(|incident| incident.id.as_str())
        .collect();
    let mut chosen = Chosen { limits, ..Chosen::default() };
    read.events.for_each(&mut |event| {
        let Some(source) = known.sources.get(&event.file) else { return };
        let derived = correlation.derived(event);
        let memo = || Memo {
            source: *source,
            read: known.read.get(&(*source, event.offset)).copied().unwrap_or(limits.now),
            event: Event { file: Arc::from(""), ..event.clone() },
        };
        if derived.incidents.iter().any(|id| open.contains(id)) {
            chosen.part(event, derived.store, derived.task, memo());
        }
        if event.severity <= Severity::Notice && event.region.is_none() && !event.facts.is_empty() {
            chosen.fact(event, derived.store, derived.task, memo());
        }
        let is_context = catalog.get(&event.rule).is_some_and(|rule| rule.kind == Kind::Context);
        chosen.recent(memo(), is_context);
    })?;
    Ok(chosen.finish())
}

type Key = (Arc<str>, Option<RegionId>, Option<StoreId>, Option<Box<str>>);
type FactKey = (Arc<str>, Option<StoreId>, Option<Box<str>>, Vec<Named>);
/// What a fact is about: its kind and role, and its value where that is a name.
type Named = (FactKind, Arc<str>, Option<Box<str>>);

#[derive(Debug, Default)]
struct Chosen {
    limits: Limits,
    parts: FxHashMap<Key, (Vec<Memo>, VecDeque<Memo>)>,
    facts: FxHashMap<FactKey, Memo>,
    recent: VecDeque<Memo>,
    context: Vec<Memo>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { now: Timestamp(0), recent: Timestamp(0), context: Timestamp(0), most: 0 }
    }
}

impl Chosen {
    /// Part of an open incident: the first ones, for its id and start, and the last ones, for its end.
    fn part(&mut self, event: &Event, store: Option<StoreId>, task: Option<&str>, memo: Memo) {
        let key = (Arc::clone(&event.rule), event.region, store, task.map(Box::from));
        let (first, last) = self.parts.entry(key).or_default();
        if first.len() < ENDS {
            return first.push(memo);
        }
        if last.len() >= ENDS {
            last.pop_front();
        }
        last.push_back(memo);
    }

    /// The last word on something.
    fn fact(&mut self, event: &Event, store: Option<StoreId>, task: Option<&str>, memo: Memo) {
        use FactKind::{Addr, Command, Service, Store};
        let of = event.facts.iter().map(|fact| {
            let is_name = matches!(fact.kind, Service | Addr | Store | Command);
            (fact.kind, Arc::clone(&fact.role), is_name.then(|| fact.value.clone()))
        });
        self.facts.insert((Arc::clone(&event.rule), store, task.map(Box::from), of.collect()), memo);
    }

    fn recent(&mut self, memo: Memo, is_context: bool) {
        if is_context && memo.read >= self.limits.context {
            self.context.push(memo);
        } else if memo.read >= self.limits.recent {
            if self.recent.len() >= self.limits.most {
                self.recent.pop_front();
            }
            self.recent.push_back(memo);
        }
    }

    /// All, each once, in the order of their sources.
    fn finish(self) -> Vec<Memo> {
        let parts = self.parts.into_values().flat_map(|(first, last)| first.into_iter().chain(last));
        let mut facts: Vec<Memo> = self.facts.into_values().collect();
        facts.sort_by_key(|memo| std::cmp::Reverse(memo.event.time));
        facts.truncate(MOST_FACTS);
        let mut all: Vec<Memo> = parts.chain(facts).chain(self.recent).chain(self.context).collect();
        all.sort_by_key(|memo| (memo.source, memo.event.offset));
        all.dedup_by_key(|memo| (memo.source, memo.event.offset));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::test_event;

    fn memo(offset: u64, read: i64) -> Memo {
        let mut event = test_event("lb-error-report", "log-backup");
        (event.offset, event.time) = (offset, Some(Timestamp(offset as i64)));
        Memo { source: 1, read: Timestamp(read), event }
    }

    fn offsets(chosen: Chosen) -> Vec<u64> {
        chosen.finish().iter().map(|memo| memo.event.offset).collect()
    }

    #[test]
    fn recent_events_are_kept_up_to_a_number_newest_first() {
        let limits = Limits { now: Timestamp(99), recent: Timestamp(10), context: Timestamp(10), most: 3 };
        let mut chosen = Chosen { limits, ..Chosen::default() };
        (0..8).for_each(|at| chosen.recent(memo(at, 5 + at as i64 * 2), false));
        assert_eq!(offsets(chosen), [5, 6, 7]);
        let mut chosen = Chosen { limits, ..Chosen::default() };
        (0..8).for_each(|at| chosen.recent(memo(at, 5 + at as i64 * 2), true));
        assert_eq!(offsets(chosen), [3, 4, 5, 6, 7], "of context all that may be read again");
    }

    #[test]
    fn of_an_open_incident_both_ends_are_kept() {
        let mut chosen = Chosen::default();
        for at in 0..1_000 {
            let memo = memo(at, 0);
            chosen.part(&memo.event.clone(), None, None, memo);
        }
        let kept = offsets(chosen);
        assert_eq!((kept.len(), kept[0], kept[2 * ENDS - 1]), (2 * ENDS, 0, 999));
    }

    #[test]
    fn the_last_word_on_a_fact_stays() {
        let mut chosen =
            Chosen { limits: Limits { most: 0, recent: Timestamp(9), ..Limits::default() }, ..Chosen::default() };
        (0..5).for_each(|at| chosen.fact(&memo(at, 0).event, None, Some("t"), memo(at, 0)));
        assert_eq!(offsets(chosen), [4]);
    }
}
