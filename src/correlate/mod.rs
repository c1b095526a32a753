//! Facts to stories: episodes, regions, stores, tasks, error codes and incidents, out of events in order.
//!
//! Events are read twice. The first reading (`learned`) finds out who wrote them, which tasks and regions they are about and
//! how far clocks are off; the second hands each event, with what is known of it by then, to all that count or tell a story.
//! Incidents are made of episodes and stories; what leads to what is data (`chains.toml`), evaluated by one engine (`graph`).
//! Where the logs are of several clusters (`clusters`), each is told by itself (`part`), and the findings are put together (`join`).

mod caveats;
mod chains;
mod clusters;
mod codes;
mod commands;
mod duplicates;
mod episodes;
mod findings;
mod gc;
mod graph;
mod identify;
mod incidents;
mod join;
mod keymap;
mod learned;
mod lives;
mod members;
mod merges;
mod names;
mod part;
mod regions;
mod runs;
mod signs;
mod skew;
mod sources;
mod stores;
mod tasks;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tiflash;
mod troubles;
mod unmatched;
mod versions;

pub use findings::*;

use crate::event::{Event, EventStream, SourceRow, UnmatchedRow};
use crate::rules::Catalog;
use crate::units::{Component, StoreId, Timestamp};
use chains::Chains;
use episodes::EpisodeId;
use learned::Learned;
use part::{Case, Part};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;
use std::sync::Arc;
use tiflash::Replicas;

/// What correlation is told besides the events.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Longest gap within an episode, in milliseconds.
    pub episode_gap_ms: i64,
    /// How long the service safe point of a stopped task holds back GC, in milliseconds.
    pub gc_ttl_ms: i64,
    /// The moment the verdict is for; default: the newest time of a record, of a status screen its checkpoint + gap.
    pub now: Option<Timestamp>,
    /// Only records from this moment on were read.
    pub since: Option<Timestamp>,
    /// Only this task.
    pub task: Option<String>,
    /// Stores that the user named: address and id.
    pub stores: Vec<(String, StoreId)>,
    /// Chains of the user's own, as TOML like the built-in ones.
    pub chains: Vec<String>,
}

/// The result of correlation.
#[derive(Debug, Default)]
pub struct Correlation {
    /// The rows of every table.
    pub findings: Findings,
    /// What is known of each cluster.
    parts: Vec<Part>,
    /// Which episodes are shown.
    shown: Shown,
}

/// Which episodes are shown; default: all.
#[derive(Default)]
struct Shown(Option<Box<dyn Fn(&Episode) -> bool + Send + Sync>>);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Shown(some)" } else { "Shown(all)" })
    }
}

/// What other records say of an event's record: the columns that a scan leaves empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Derived<'a> {
    /// Component of the writer.
    pub component: Option<Component>,
    /// Address or host of the writer.
    pub instance: Option<&'a str>,
    /// The store that the record is about; the writing store where it names none.
    pub store: Option<StoreId>,
    /// Task.
    pub task: Option<&'a str>,
    /// Incidents that rest on it.
    pub incidents: Vec<&'a str>,
}

impl Correlation {
    /// Whether an event's source counts. One that is the same as another does not, and its events are left out everywhere.
    pub fn is_counted(&self, event: &Event) -> bool {
        self.parts.iter().all(|part| part.learned.counts(&event.file))
    }

    /// Hands every episode to `each`, by first time. `findings.episodes` has all only where there are not too many.
    ///
    /// # Errors
    /// Where a temporary file cannot be read back, or `each` fails.
    pub fn each_episode(&self, each: &mut dyn FnMut(&Episode) -> std::io::Result<()>) -> std::io::Result<()> {
        self.each_made(&|rows| Ok(rows.to_vec()), &mut |rows| rows.iter().try_for_each(&mut *each))
    }

    /// Makes something of every few episodes, in parallel, and hands it to `each`, in order.
    ///
    /// # Errors
    /// Where a temporary file cannot be read back, or `make` or `each` fails.
    pub fn each_made<T: Send>(
        &self,
        make: &(impl Fn(&[Episode]) -> std::io::Result<T> + Sync),
        each: &mut impl FnMut(T) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        if !self.parts.iter().any(Part::is_written) {
            return made_ahead(&self.findings.episodes, make, each);
        }
        let make = |mut rows: Vec<Episode>| {
            rows.retain(|row| self.shown.0.as_ref().is_none_or(|shown| shown(row)));
            make(&rows)
        };
        join::each_made(&self.parts, &make, each)
    }

    /// Leaves out the episodes that are not to be shown.
    pub fn show_episodes(&mut self, shown: impl Fn(&Episode) -> bool + Send + Sync + 'static) {
        self.findings.episodes.retain(&shown);
        self.shown = Shown(Some(Box::new(shown)));
    }

    /// Store and address of an event's writer, whether a rule knows the event or not.
    pub fn writer(&self, event: &Event) -> (Option<StoreId>, Option<&str>) {
        let writer = self.parts.iter().find_map(|part| part.learned.writer(event));
        writer.map_or((None, None), |writer| (writer.store, writer.address.as_deref()))
    }

    /// The names by which rows call these stores as the writers of their records.
    pub fn row_names(&self, stores: &BTreeSet<StoreId>) -> BTreeSet<Box<str>> {
        let writers = self.parts.iter().flat_map(|part| &part.learned.instances.all);
        let asked = writers.filter(|writer| writer.store.is_some_and(|store| stores.contains(&store)));
        asked.flat_map(|writer| writer.row_names.iter().cloned()).collect()
    }

    /// The columns of `events.csv` that a scan leaves empty.
    pub fn derived<'a>(&'a self, event: &'a Event) -> Derived<'a> {
        self.parts.iter().find_map(|part| part.derived(event)).unwrap_or_else(|| Derived {
            component: event.component,
            store: event.store,
            task: event.task.as_deref(),
            ..Derived::default()
        })
    }
}

/// Makes something of every few rows, in parallel, while what was made of those before is handed to `each`, in order.
fn made_ahead<R: Sync, T: Send>(
    rows: &[R],
    make: &(impl Fn(&[R]) -> std::io::Result<T> + Sync),
    each: &mut impl FnMut(T) -> std::io::Result<()>,
) -> std::io::Result<()> {
    const FEW: usize = 1_024;
    const AHEAD: usize = 16 * FEW;
    let mut made = Vec::new();
    for batch in rows.chunks(AHEAD) {
        let ready = std::mem::take(&mut made);
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| made = batch.par_chunks(FEW).map(make).collect());
            ready.into_iter().try_for_each(|ready: std::io::Result<T>| each(ready?))
        })?;
    }
    made.into_iter().try_for_each(|made| each(made?))
}

/// Correlates all events of a run.
///
/// # Errors
/// Where events cannot be read back from a temporary file.
pub fn correlate(
    events: &dyn EventStream,
    sources: &[SourceRow],
    unmatched: &[UnmatchedRow],
    catalog: &Catalog,
    options: &Options,
) -> std::io::Result<Correlation> {
    let mut chains = Chains::embedded();
    for own in &options.chains {
        chains.add(own).map_err(|reason| std::io::Error::new(std::io::ErrorKind::InvalidInput, reason))?;
    }
    let learned = Learned::read(events, sources, options)?;
    let now = options.now.or_else(|| learned.now());
    let unmatched = unmatched::rows(unmatched, &learned);
    let clusters = clusters::apart(&learned);
    let case = |everywhere| Case { chains: &chains, catalog, options, now, everywhere };
    if clusters.len() == 1 {
        let (part, findings) = part::tell(events, learned, case(None))?;
        return Ok(Correlation {
            findings: Findings { unmatched, ..findings },
            parts: vec![part],
            ..Correlation::default()
        });
    }
    // The tables that a restore needs may be named by the cluster that was backed up.
    let mut everywhere = Replicas::default();
    events.for_each(&mut |event| {
        if let Some(told) = learned.tell(event) {
            everywhere.take(&told, &learned, EpisodeId(0));
        }
    })?;
    let mut parts = Vec::new();
    let mut all = Vec::new();
    for cluster in &clusters {
        let rows: Vec<SourceRow> = cluster.sources.iter().map(|at| learned.sources[*at].clone()).collect();
        let files: FxHashSet<Arc<str>> = rows.iter().map(|row| Arc::clone(&row.file)).collect();
        let own = OfFiles { events, files: &files };
        let (part, findings) = part::tell(&own, Learned::read(&own, &rows, options)?, case(Some(&everywhere)))?;
        parts.push(part);
        all.push((cluster.id.as_deref(), findings));
    }
    let findings = Findings { now, unmatched, ..join::findings(all, catalog) };
    Ok(Correlation { findings, parts, ..Correlation::default() })
}

/// The events of some sources.
struct OfFiles<'a> {
    events: &'a dyn EventStream,
    files: &'a FxHashSet<Arc<str>>,
}

impl EventStream for OfFiles<'_> {
    fn for_each_batch(&self, each: &mut dyn FnMut(&[&Event])) -> std::io::Result<()> {
        self.events.for_each_batch(&mut |batch| {
            let own: Vec<&Event> = batch.iter().copied().filter(|event| self.files.contains(&event.file)).collect();
            each(&own);
        })
    }

    fn is_redacted(&self) -> bool {
        self.events.is_redacted()
    }
}
