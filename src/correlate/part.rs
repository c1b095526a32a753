//! One cluster: from its events to its findings.

use super::chains::Chains;
use super::codes::Codes;
use super::commands::PdAddress;
use super::episodes::{Episodes, OfEpisodes};
use super::findings::{Episode, Findings, Task};
use super::gc::Gc;
use super::graph::Graph;
use super::incidents::{self, World};
use super::learned::{Learned, Told};
use super::members::{self, Members};
use super::regions::Regions;
use super::runs::{BrRun, Job, Runs};
use super::signs;
use super::stores::Stores;
use super::tasks::{self, Court, Judged, Story, Tasks};
use super::tiflash::Replicas;
use super::troubles::Troubles;
use super::{Derived, Options, caveats, sources};
use crate::event::{Event, EventStream};
use crate::rules::Catalog;
use crate::units::{Component, Timestamp};
use rayon::prelude::*;

/// What a cluster is told with.
#[derive(Clone, Copy)]
pub(super) struct Case<'c> {
    pub(super) chains: &'c Chains,
    pub(super) catalog: &'c Catalog,
    pub(super) options: &'c Options,
    /// The moment the verdicts are for.
    pub(super) now: Option<Timestamp>,
    /// The TiFlash replicas that the logs of all clusters name, where there are several.
    pub(super) everywhere: Option<&'c Replicas>,
}

/// What is known of a cluster beyond its findings.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) learned: Learned,
    members: Members,
    episodes: Episodes,
    of_episodes: OfEpisodes,
    /// Ids of all incidents, also of those that somebody takes out of the table.
    ids: Vec<String>,
}

impl Part {
    /// Whether some episodes are on disk only, so that the findings do not have all of them.
    pub(super) fn is_written(&self) -> bool {
        self.episodes.are_written()
    }

    /// Makes something of every few episodes, in parallel, and hands it to `each`, by first time.
    ///
    /// # Errors
    /// Where the temporary file cannot be read back, or `make` or `each` fails.
    pub(super) fn each_made<T: Send>(
        &self,
        make: &(impl Fn(Vec<Episode>) -> std::io::Result<T> + Sync),
        each: &mut impl FnMut(T) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        self.episodes.each_made(&self.learned, &self.of_episodes, make, each)
    }

    /// What other records say of an event; `None` where it is of another cluster.
    pub(super) fn derived<'a>(&'a self, event: &'a Event) -> Option<Derived<'a>> {
        let told = self.learned.tell(event)?;
        let id = |at: u32| self.ids.get(at as usize).map(String::as_str);
        let mut incidents: Vec<&str> = self.members.incidents(&told).into_iter().filter_map(id).collect();
        incidents.sort_unstable();
        Some(Derived {
            component: told.component,
            instance: self.learned.instance(told.instance).address.as_deref().filter(|_| !told.is_guest),
            store: told.store,
            task: told.task.map(|task| self.learned.task(task)),
            incidents,
        })
    }
}

/// What the second reading gathers about episodes, and what refers to them.
#[derive(Default)]
struct Gathered {
    episodes: Episodes,
    stores: Stores,
    tasks: Tasks,
    gc: Gc,
    runs: Runs,
    replicas: Replicas,
    pd: PdAddress,
    events: u64,
}

impl Gathered {
    fn take(&mut self, told: &Told<'_>, learned: &Learned, chains: &Chains) {
        let episode = self.episodes.take(told, learned, chains);
        self.stores.take(told, learned, episode);
        self.tasks.take(told, learned, episode);
        self.gc.take(told, learned, episode);
        self.runs.take(told, learned, episode);
        if !told.event.facts.is_empty() {
            self.replicas.take(told, learned, episode);
            self.pd.take(told);
        }
        self.events += 1;
    }
}

/// What it gathers without episodes, at the same time.
#[derive(Default)]
struct Counted {
    regions: Regions,
    codes: Codes,
    troubles: Troubles,
}

impl Counted {
    fn take(&mut self, told: &Told<'_>, learned: &Learned) {
        self.regions.take(told, learned);
        self.codes.take(told);
        self.troubles.take(told);
    }
}

/// Tells a cluster's story. What no rule knew is not part of it.
///
/// # Errors
/// Where events cannot be read back from a temporary file.
pub(super) fn tell(events: &dyn EventStream, learned: Learned, case: Case<'_>) -> std::io::Result<(Part, Findings)> {
    let Case { chains, catalog, options, now, everywhere } = case;
    let mut gathered = Gathered { episodes: Episodes::new(options.episode_gap_ms), ..Gathered::default() };
    let mut counted = Counted::default();
    events.for_each_batch(&mut |batch| {
        let told: Vec<Told<'_>> = batch.par_iter().filter_map(|event| learned.tell(event)).collect();
        rayon::join(
            || told.iter().for_each(|told| gathered.take(told, &learned, chains)),
            || told.iter().for_each(|told| counted.take(told, &learned)),
        );
    })?;
    let Gathered { mut episodes, stores, tasks, gc, runs, replicas, pd, events: count } = gathered;
    let Counted { regions, codes, troubles } = counted;
    let (pd, runs) = (pd.finish(&learned), runs.finish());
    let stories = judged(tasks.finish(&learned), &runs, &gc, &learned, now, options);
    if episodes.are_written() {
        let downs = stories.iter().flat_map(|(story, _)| &story.life.downs);
        let mut wanted = episodes.regions_that_matter(&learned, chains);
        wanted.extend(downs.filter_map(|down| down.region));
        let partners: Vec<_> = wanted.iter().flat_map(|region| regions.partners(*region)).collect();
        wanted.extend(partners);
        episodes.fetch(&wanted, &learned, chains)?;
    }
    let graph = Graph::new(chains, &episodes, &learned);
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
        everywhere,
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
        troubles: troubles.rows(&learned, catalog),
        unmatched: Vec::new(),
        sources,
        caveats,
        incidents: rows.into_iter().map(|(incident, _)| incident).collect(),
        episodes: episodes.rows(&learned, &of_episodes),
    };
    let ids = findings.incidents.iter().map(|incident| incident.id.clone()).collect();
    Ok((Part { learned, members, episodes, of_episodes, ids }, findings))
}

/// The stories, each with its verdict.
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
            let refused = runs.iter().rev().find_map(|run| {
                let of_the_task = matches!(run.job, Job::Log(signs::Verb::Resume | signs::Verb::Pause) | Job::Other);
                let refusal = run.refusal.filter(|_| of_the_task)?;
                let meant = incidents::refused_story(run, refusal, stories.iter())?;
                // A task that was started since is a new one.
                let since = run.last.is_none() || story.life.started.is_none_or(|started| Some(started) <= run.last);
                (meant.id == story.id && since).then_some((run.job, refusal))
            });
            tasks::judge(story, Court { gc, refused, pd_until, now, gc_ttl_ms: options.gc_ttl_ms })
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
