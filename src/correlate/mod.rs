//! Facts to stories: episodes, regions, stores, tasks, error codes and incidents, out of events in order.
//!
//! Events are read twice. The first reading (`learned`) finds out who wrote them, which tasks and regions they are about and
//! how far clocks are off; the second hands each event, with what is known of it by then, to all that count or tell a story.
//! Incidents are made of episodes and stories; what leads to what is data (`chains.toml`), evaluated by one engine (`graph`).

mod caveats;
mod chains;
mod codes;
mod commands;
mod duplicates;
mod episodes;
mod findings;
mod gc;
mod graph;
mod identify;
mod incidents;
mod keymap;
mod learned;
mod lives;
mod members;
mod merges;
mod names;
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
mod unmatched;
mod versions;

pub use findings::*;

use crate::event::{Event, EventStream, SourceRow, UnmatchedRow};
use crate::rules::Catalog;
use crate::units::{Component, StoreId, Timestamp};
use chains::Chains;
use codes::Codes;
use commands::PdAddress;
use episodes::{Episodes, OfEpisodes};
use gc::Gc;
use graph::Graph;
use incidents::World;
use learned::Learned;
use members::Members;
use rayon::prelude::*;
use regions::Regions;
use runs::{BrRun, Job, Runs};
use signs::Sign;
use stores::Stores;
use tasks::{Court, Judged, Story, Tasks};
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
    learned: Learned,
    members: Members,
    /// Where not all episodes are among the findings: all of them.
    more: Option<(Episodes, OfEpisodes)>,
    /// Ids of all incidents, also of those that somebody takes out of the table.
    ids: Vec<String>,
    /// Which of them are shown.
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
        self.learned.counts(&event.file)
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
        match &self.more {
            Some((episodes, incidents)) => {
                let make = |mut rows: Vec<Episode>| {
                    rows.retain(|row| self.shown.0.as_ref().is_none_or(|shown| shown(row)));
                    make(&rows)
                };
                episodes.each_made(&self.learned, incidents, &make, each)
            }
            None => {
                let made: Vec<_> = self.findings.episodes.par_chunks(1024).map(make).collect();
                made.into_iter().try_for_each(|made| each(made?))
            }
        }
    }

    /// Leaves out the episodes that are not to be shown.
    pub fn show_episodes(&mut self, shown: impl Fn(&Episode) -> bool + Send + Sync + 'static) {
        self.findings.episodes.retain(&shown);
        self.shown = Shown(Some(Box::new(shown)));
    }

    /// The columns of `events.csv` that a scan leaves empty.
    pub fn derived<'a>(&'a self, event: &'a Event) -> Derived<'a> {
        let Some(told) = self.learned.tell(event) else {
            return Derived {
                component: event.component,
                store: event.store,
                task: event.task.as_deref(),
                ..Derived::default()
            };
        };
        let id = |at: u32| self.ids.get(at as usize).map(String::as_str);
        let mut incidents: Vec<&str> = self.members.incidents(&told).into_iter().filter_map(id).collect();
        incidents.sort_unstable();
        Derived {
            component: told.component,
            instance: self.learned.instance(told.instance).address.as_deref(),
            store: told.store,
            task: told.task.map(|task| self.learned.task(task)),
            incidents,
        }
    }
}

/// What the second reading gathers.
#[derive(Default)]
struct Gathered {
    episodes: Episodes,
    regions: Regions,
    stores: Stores,
    tasks: Tasks,
    gc: Gc,
    codes: Codes,
    runs: Runs,
    replicas: Replicas,
    pd: PdAddress,
    events: u64,
    newest: Option<Timestamp>,
}

impl Gathered {
    fn take(&mut self, event: &Event, learned: &Learned, chains: &Chains) {
        let Some(told) = learned.tell(event) else { return };
        let episode = self.episodes.take(&told, learned, chains);
        self.regions.take(&told, learned);
        self.stores.take(&told, learned, episode);
        self.tasks.take(&told, learned, episode);
        self.codes.take(&told);
        self.gc.take(&told, learned, episode);
        self.runs.take(&told, learned, episode);
        if !event.facts.is_empty() {
            self.replicas.take(&told, learned, episode);
            self.pd.take(&told);
        }
        self.events += 1;
        self.newest = self.newest.max(event.time);
    }
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
    let learned = Learned::read(events, sources, options)?;
    let mut chains = Chains::embedded();
    for own in &options.chains {
        chains.add(own).map_err(|reason| std::io::Error::new(std::io::ErrorKind::InvalidInput, reason))?;
    }
    let mut gathered = Gathered { episodes: Episodes::new(options.episode_gap_ms), ..Gathered::default() };
    events.for_each(&mut |event| gathered.take(event, &learned, &chains))?;
    let Gathered { mut episodes, regions, stores, tasks, gc, codes, runs, replicas, pd, events: count, newest } =
        gathered;
    let (pd, runs) = (pd.finish(&learned), runs.finish());
    let stories = tasks.finish(&learned);
    let now = options.now.or_else(|| now(&learned, &stories, newest));
    let stories = judged(stories, &runs, &gc, &learned, now, options);
    if episodes.are_written() {
        let downs = stories.iter().flat_map(|(story, _)| &story.life.downs);
        let mut wanted = episodes.regions_that_matter(&learned, &chains);
        wanted.extend(downs.filter_map(|down| down.region));
        let partners: Vec<_> = wanted.iter().flat_map(|region| regions.partners(*region)).collect();
        wanted.extend(partners);
        episodes.fetch(&wanted, &learned, &chains)?;
    }
    let graph = Graph::new(&chains, &episodes, &learned);
    let world = World {
        learned: &learned,
        episodes: &episodes,
        graph: &graph,
        regions: &regions,
        stores: &stores,
        gc: &gc,
        stories: &stories,
        runs: &runs,
        replicas: &replicas,
        catalog,
        options,
        pd: &pd,
        now,
    };
    let rows = incidents::rows(incidents::find(&world), &world);
    let sources = sources::rows(&learned);
    let caveats = caveats::find(&world, &rows, &sources);
    let members = Members::of(&rows, &episodes, &learned);
    let tasks = task_rows(&world);
    let of_episodes = members::of_episodes(&rows);
    let findings = Findings {
        now,
        totals: sources::totals(&learned, count),
        tasks,
        regions: regions.rows(&learned, &members::of_regions(&rows)),
        stores: stores.rows(&learned),
        errors: codes.rows(&learned, catalog),
        unmatched: unmatched::rows(unmatched, &learned),
        sources,
        caveats,
        incidents: rows.into_iter().map(|(incident, _)| incident).collect(),
        episodes: episodes.rows(&learned, &of_episodes),
    };
    let ids = findings.incidents.iter().map(|incident| incident.id.clone()).collect();
    let more = episodes.are_written().then_some((episodes, of_episodes));
    Ok(Correlation { findings, learned, members, more, ids, shown: Shown::default() })
}

/// The newest time of a record; of a status screen the moment when somebody looked.
fn now(learned: &Learned, stories: &[Story], newest: Option<Timestamp>) -> Option<Timestamp> {
    let counted = learned.sources.iter().enumerate().filter(|(at, _)| learned.counted[*at] == *at);
    let written = counted.filter_map(|(_, row)| row.last).max();
    let looked = stories.iter().flat_map(|story| &story.log.steps).filter_map(|step| match &step.sign {
        Sign::Screen(screen) => screen.observed_at,
        _ => None,
    });
    written.max(newest).max(looked.max())
}

fn judged(
    stories: Vec<Story>,
    runs: &[BrRun],
    gc: &Gc,
    learned: &Learned,
    now: Option<Timestamp>,
    options: &Options,
) -> Vec<(Story, Judged)> {
    let pd = learned.instances.all.iter().filter(|instance| instance.component == Some(Component::Pd));
    let pd_until = pd.flat_map(|instance| &instance.sources).filter_map(|at| learned.sources[*at].last).max();
    let verdicts: Vec<Judged> = stories
        .iter()
        .map(|story| {
            let refusal = runs.iter().rev().find_map(|run| {
                let of_the_task = matches!(run.job, Job::Log(signs::Verb::Resume | signs::Verb::Pause) | Job::Other);
                let refusal = run.refusal.filter(|_| of_the_task)?;
                let meant = incidents::refused_story(run, refusal, stories.iter())?;
                // A task that was started since is a new one.
                let since = run.last.is_none() || story.life.started.is_none_or(|started| Some(started) <= run.last);
                (meant.id == story.id && since).then_some(refusal)
            });
            tasks::judge(story, Court { gc, refusal, pd_until, now, gc_ttl_ms: options.gc_ttl_ms })
        })
        .collect();
    stories.into_iter().zip(verdicts).collect()
}

fn task_rows(world: &World<'_>) -> Vec<Task> {
    let wanted =
        |story: &Story| !story.name.is_empty() && world.options.task.as_ref().is_none_or(|task| *task == story.name);
    world
        .stories
        .iter()
        .filter(|(story, _)| wanted(story))
        .map(|(story, judged)| tasks::row(story, judged, world.gc, incidents::task_commands(story, judged, world)))
        .collect()
}
