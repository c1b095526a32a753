//! The first reading of all events: who wrote them, which tasks and regions they are about, how far clocks are off. The
//! second reading, which tells the story, rests on it.

use super::Options;
use super::clusters::ClusterIds;
use super::duplicates::counted_in_place;
use super::episodes::Run;
use super::findings::Place;
use super::identify::{Identify, Instance, InstanceId, Instances};
use super::keymap::KeyMap;
use super::lives::Lives;
use super::names::{FileId, Names, RuleId, TaskId};
use super::signs::{screen_of, task_of_service};
use super::skew::Skew;
use crate::event::{Event, EventStream, ImplicatedGathered, SourceRow};
use crate::units::{Component, FactKind, RegionId, StoreId, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// What the first reading found.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// Sources, also those that only events name.
    pub(super) sources: Vec<SourceRow>,
    /// For each source the one that counts in its place.
    pub(super) counted: Vec<usize>,
    /// Who wrote them.
    pub(super) instances: Instances,
    /// How far each instance's clock is ahead, in milliseconds.
    pub(super) skew: Vec<Option<i64>>,
    /// Tasks.
    pub(super) lives: Lives,
    /// Regions by their keys.
    pub(super) keys: KeyMap,
    /// Regions that the report is about.
    pub(super) implicated: FxHashSet<RegionId>,
    /// Which cluster each source says it is of.
    pub(super) cluster_ids: ClusterIds,
    /// The newest time of an event, of a status screen when somebody looked.
    newest: Option<Timestamp>,
    /// Rules.
    pub(super) rules: Names,
    groups: Vec<Arc<str>>,
    by_file: FxHashMap<Arc<str>, u32>,
}

/// An event with what other records say of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'e> {
    pub(super) event: &'e Event,
    pub(super) file: FileId,
    pub(super) instance: InstanceId,
    /// The same where the record's row names it.
    pub(super) of_row: Option<InstanceId>,
    pub(super) component: Option<Component>,
    /// Whether another program wrote it than the rest of its source: somebody has put records of several together.
    pub(super) is_guest: bool,
    pub(super) rule: RuleId,
    /// The store that the record is about; the writing store where it names none.
    pub(super) store: Option<StoreId>,
    pub(super) task: Option<TaskId>,
}

impl Learned {
    /// Skew that is less than this is delay, not skew.
    const LEAST_SKEW_MS: i64 = 500;

    /// Reads all events once.
    pub(super) fn read(events: &dyn EventStream, sources: &[SourceRow], options: &Options) -> std::io::Result<Self> {
        let mut learned = Self { sources: sources.to_vec(), ..Self::default() };
        learned.by_file = sources.iter().enumerate().map(|(at, row)| (Arc::clone(&row.file), at as u32)).collect();
        learned.counted = counted_in_place(sources);
        let mut identify = Identify::new(sources);
        let mut skew = Skew::default();
        let mut implicated = ImplicatedGathered::default();
        events.for_each_batch(&mut |batch| {
            let counted: Vec<(usize, &Event)> =
                batch.iter().filter_map(|event| Some((learned.counted_or_new(event)?, *event))).collect();
            rayon::join(
                || {
                    for (file, event) in &counted {
                        identify.take(*file, event);
                        skew.take(*file, event);
                    }
                },
                || {
                    for (file, event) in &counted {
                        implicated.add(event);
                        learned.take(*file, event);
                    }
                },
            );
        })?;
        learned.keys.finish();
        learned.implicated = implicated.close().regions.into_iter().collect();
        learned.instances = identify.decide(&learned.sources, options);
        let writers = learned.instances.all.iter();
        learned.skew = skew.estimate(writers.map(|one| (&one.sources[..], one.component == Some(Component::Pd))));
        Ok(learned)
    }

    fn take(&mut self, file: usize, event: &Event) {
        let rule = self.rules.intern(&event.rule);
        if self.groups.len() <= rule as usize {
            self.groups.push(Arc::clone(&event.group));
        }
        self.cluster_ids.take(file, event);
        let looked = if event.task.is_some() { screen_of(event).and_then(|screen| screen.observed_at) } else { None };
        self.newest = self.newest.max(event.time).max(looked);
        self.lives.take(event);
        self.keys.take(event);
    }

    /// The newest time of a record; of a status screen the moment when somebody looked.
    pub(super) fn now(&self) -> Option<Timestamp> {
        let counted = self.sources.iter().enumerate().filter(|(at, _)| self.counted[*at] == *at);
        counted.filter_map(|(_, row)| row.last).max().max(self.newest)
    }

    /// The source of an event, where it counts; a new one where no row names it.
    fn counted_or_new(&mut self, event: &Event) -> Option<usize> {
        if let Some(at) = self.by_file.get(&event.file) {
            let at = *at as usize;
            return (self.counted[at] == at).then_some(at);
        }
        let at = self.sources.len();
        self.by_file.insert(Arc::clone(&event.file), at as u32);
        self.sources.push(SourceRow { file: Arc::clone(&event.file), ..SourceRow::default() });
        self.counted.push(at);
        Some(at)
    }

    /// The number of a source.
    pub(super) fn file_of(&self, file: &str) -> Option<FileId> {
        self.by_file.get(file).map(|at| FileId(*at))
    }

    /// The source of an event, where it counts.
    pub(super) fn counted_file(&self, event: &Event) -> Option<FileId> {
        let at = *self.by_file.get(&event.file)?;
        (self.counted[at as usize] == at as usize).then_some(FileId(at))
    }

    /// Whether a source counts.
    pub(super) fn counts(&self, file: &str) -> bool {
        self.by_file.get(file).is_none_or(|at| self.counted[*at as usize] == *at as usize)
    }

    /// What other records say of an event; `None` where its source does not count.
    pub(super) fn tell<'e>(&self, event: &'e Event) -> Option<Told<'e>> {
        let file = self.counted_file(event)?;
        let of_row = self.instances.of_row(event);
        let instance = of_row.unwrap_or(self.instances.of_source[file.0 as usize]);
        let writer = self.instances.at(instance);
        let is_guest = is_guest(event, writer);
        Some(Told {
            event,
            file,
            instance,
            of_row,
            component: writer.component.filter(|host| !is_guest && !is_carried(event, *host)).or(event.component),
            is_guest,
            rule: RuleId(self.rules.get(&event.rule)?),
            store: event
                .store
                .or_else(|| store_of_service(event))
                .or(writer.store.filter(|_| !is_guest))
                .or_else(|| self.store_meant(event, writer)),
            task: self.lives.task_of(event),
        })
    }

    /// The store that a record of another component means: by its address, or by the machine.
    fn store_meant(&self, event: &Event, writer: &Instance) -> Option<StoreId> {
        if writer.component == Some(Component::Os) {
            return writer.store_of_host.filter(|_| event.component == Some(Component::Tikv));
        }
        if writer.component.is_none_or(Component::is_store) {
            return None;
        }
        let address = event.fact(FactKind::Addr, "remote")?;
        self.instances.store_at(address)
    }

    /// The writer of an event, whether a rule knows the event or not.
    pub(super) fn writer(&self, event: &Event) -> Option<&Instance> {
        // Who wrote a source that does not count is known by the one that counts in its place.
        let place = self.counted[*self.by_file.get(&event.file)? as usize];
        Some(self.instances.at(self.instances.of_row(event).unwrap_or(self.instances.of_source[place])))
    }

    /// The writer of a number.
    pub(super) fn instance(&self, id: InstanceId) -> &Instance {
        self.instances.at(id)
    }

    /// A time that an instance wrote, by the clock of the others.
    pub(super) fn real_time(&self, instance: InstanceId, time: Timestamp) -> Timestamp {
        time.plus_ms(-self.known_skew(instance).unwrap_or_default())
    }

    /// How far a clock is ahead, where that is more than delay.
    pub(super) fn known_skew(&self, instance: InstanceId) -> Option<i64> {
        self.skew.get(instance.0 as usize).copied().flatten().filter(|ms| ms.abs() >= Self::LEAST_SKEW_MS)
    }

    /// The name of a task.
    pub(super) fn task(&self, id: TaskId) -> &str {
        self.lives.names.name(id.0)
    }

    /// The name of a rule.
    pub(super) fn rule(&self, id: RuleId) -> &Arc<str> {
        self.rules.name(id.0)
    }

    /// The group of a rule.
    pub(super) fn group(&self, id: RuleId) -> &str {
        &self.groups[id.0 as usize]
    }

    /// The name of a source.
    pub(super) fn file_name(&self, id: FileId) -> &Arc<str> {
        &self.sources[id.0 as usize].file
    }

    /// Where the first record of an episode stands.
    pub(super) fn place(&self, run: &Run) -> Place {
        Place { file: Arc::clone(self.file_name(run.file)), line: run.line, offset: run.offset }
    }
}

/// Whether a record shows that another program wrote it than its source's writer: TiKV is written in Rust, TiDB, PD and BR are in Go.
fn is_guest(event: &Event, writer: &Instance) -> bool {
    let Some(host) = writer.component.filter(|_| event.shows_writer) else { return false };
    match event.component {
        Some(guest) if host.is_in_go() && guest.is_in_go() => {
            // BR runs parts of TiDB, and TiDB parts of BR; PD does neither. What a tool puts on a terminal has no level.
            let is_screen = matches!(guest, Component::Br | Component::Cdc) && event.level.is_none();
            let is_apart =
                (guest == Component::Pd || host == Component::Pd) && ["gc", "log-backup"].contains(&&*event.group);
            guest != host && (is_screen || is_apart)
        }
        Some(Component::Os) => host != Component::Os,
        Some(guest) if host.is_in_go() => guest.is_store(),
        Some(guest) => host.is_store() && guest.is_in_go(),
        None => host.is_store() || host == Component::Os,
    }
}

/// Whether a log of the system only carries a record: the program that wrote it is another.
fn is_carried(event: &Event, host: Component) -> bool {
    host == Component::Os && event.shows_writer && event.component.is_some()
}

fn store_of_service(event: &Event) -> Option<StoreId> {
    task_of_service(event.fact(FactKind::Service, "")?)?.1
}
