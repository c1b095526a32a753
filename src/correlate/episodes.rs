//! Episodes: runs of events of one rule, region, store and task with no longer gap.

use super::findings::{Episode, Place};
use super::identify::InstanceId;
use super::learned::{Learned, Told};
use super::names::{FileId, RuleId, TaskId};
use super::signs::is_screen;
use crate::units::{Component, FactKind, RegionId, Severity, StoreId, Timestamp, Tso};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Position of an episode, in the order in which they began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct EpisodeId(pub(super) u32);

/// What all events of an episode have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) rule: RuleId,
    pub(super) region: Option<RegionId>,
    pub(super) store: Option<StoreId>,
    pub(super) task: Option<TaskId>,
}

/// A run of events. Times are as written.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) key: Key,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) count: u64,
    pub(super) severity: Severity,
    pub(super) component: Option<Component>,
    pub(super) group: Arc<str>,
    /// Who wrote the first event.
    pub(super) instance: InstanceId,
    pub(super) codes: Vec<Box<str>>,
    /// The first event's message.
    pub(super) summary: Box<str>,
    pub(super) file: FileId,
    pub(super) line: u64,
    /// Merge partner or split child that the first event names, or the region that held the keys that it names.
    pub(super) partner: Option<RegionId>,
    /// Another store that it names.
    pub(super) remote: Option<StoreId>,
    /// Whether it is a task of a `br log status` screen, whatever its words.
    pub(super) screen: bool,
    /// A few TSOs that it names.
    pub(super) tsos: Box<[Tso]>,
}

/// All episodes.
#[derive(Debug, Default)]
pub(super) struct Episodes {
    pub(super) all: Vec<Run>,
    open: FxHashMap<Key, u32>,
    untimed: FxHashMap<(Key, FileId), u32>,
    gap_ms: i64,
}

impl Episodes {
    /// Longest summary; the message itself stands in `events.csv`.
    const SUMMARY: usize = 400;
    const MOST_TSOS: usize = 4;
    const MOST_CODES: usize = 8;

    /// With this longest gap.
    pub(super) fn new(gap_ms: i64) -> Self {
        Self { gap_ms, ..Self::default() }
    }

    /// Takes an event; gives its episode.
    pub(super) fn take(&mut self, told: &Told<'_>, learned: &Learned) -> EpisodeId {
        let event = told.event;
        let key = Key { rule: told.rule, region: event.region, store: told.store, task: told.task };
        let known = match event.time {
            Some(time) => self
                .open
                .get(&key)
                .copied()
                .filter(|at| self.all[*at as usize].last.is_some_and(|last| time.since(last) <= self.gap_ms)),
            None => self.untimed.get(&(key, told.file)).copied(),
        };
        if let Some(at) = known {
            let run = &mut self.all[at as usize];
            run.count += 1;
            run.last = run.last.max(event.time);
            add_codes(&mut run.codes, &event.codes);
            return EpisodeId(at);
        }
        let at = self.all.len() as u32;
        match event.time {
            Some(_) => self.open.insert(key, at),
            None => self.untimed.insert((key, told.file), at),
        };
        self.all.push(first_of(told, key, learned));
        EpisodeId(at)
    }

    /// An episode.
    pub(super) fn at(&self, id: EpisodeId) -> &Run {
        &self.all[id.0 as usize]
    }

    /// The rows of the table, by first time, those without time last, with the incidents of each.
    pub(super) fn rows(self, learned: &Learned, incidents: &BTreeMap<EpisodeId, BTreeSet<String>>) -> Vec<Episode> {
        drop((self.open, self.untimed));
        let mut rows: Vec<Episode> = Vec::with_capacity(self.all.len());
        for (at, run) in self.all.into_iter().enumerate() {
            let incidents = incidents.get(&EpisodeId(at as u32));
            rows.push(Episode {
                first: run.first,
                last: run.last,
                count: run.count,
                rule: Arc::clone(learned.rule(run.key.rule)),
                severity: run.severity,
                component: run.component,
                store: run.key.store,
                region: run.key.region,
                task: run.key.task.map(|task| learned.task(task).to_owned()),
                codes: run.codes.into_iter().map(String::from).collect(),
                summary: run.summary.into(),
                incidents: incidents.map(|ids| ids.iter().cloned().collect()).unwrap_or_default(),
                place: Place { file: Arc::clone(learned.file_name(run.file)), line: run.line },
            });
        }
        // They came in the order of their first event: by time, source, offset.
        rows
    }

    /// All, with their positions.
    pub(super) fn iter(&self) -> impl Iterator<Item = (EpisodeId, &Run)> {
        self.all.iter().enumerate().map(|(at, run)| (EpisodeId(at as u32), run))
    }
}

fn first_of(told: &Told<'_>, key: Key, learned: &Learned) -> Run {
    let event = told.event;
    let mut codes = Vec::new();
    add_codes(&mut codes, &event.codes);
    let partner = event
        .facts
        .iter()
        .filter(|fact| fact.kind == FactKind::Region && !fact.role.is_empty())
        .filter_map(|fact| fact.value.parse().ok().map(RegionId))
        .find(|region| Some(*region) != event.region)
        .or_else(|| {
            let range = event.ranges.first().filter(|_| event.region.is_none())?;
            learned.keys.region_at(&range.start, event.time)
        });
    let remote = event
        .facts
        .iter()
        .filter(|fact| fact.kind == FactKind::Store && &*fact.role == "remote")
        .find_map(|fact| fact.value.parse().ok().map(StoreId));
    Run {
        key,
        first: event.time,
        last: event.time,
        count: 1,
        severity: event.severity,
        component: told.component,
        group: Arc::clone(&event.group),
        instance: told.instance,
        codes,
        summary: cut(&event.message, Episodes::SUMMARY).into(),
        file: told.file,
        line: event.line,
        partner,
        remote,
        screen: is_screen(event),
        tsos: event.tsos.iter().take(Episodes::MOST_TSOS).copied().collect(),
    }
}

fn add_codes(codes: &mut Vec<Box<str>>, more: &[Box<str>]) {
    for code in more {
        if codes.len() < Episodes::MOST_CODES
            && let Err(at) = codes.binary_search(code)
        {
            codes.insert(at, code.clone());
        }
    }
}

/// A text of at most so many bytes, `…` where it was cut: the head says what, the tail, the root of the error, why.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let (mut head, mut tail) = (most / 2, text.len() - most / 2);
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    while !text.is_char_boundary(tail) {
        tail += 1;
    }
    format!("{}…{}", &text[..head], &text[tail..])
}

#[cfg(test)]
mod tests {
    use super::Learned;
    use super::{Episodes, cut};
    use crate::correlate::Options;
    use crate::correlate::testing::{Cluster, Record, record};
    use crate::units::{Component, Severity};

    fn error() -> Record {
        record("lb-error-report", "log-backup", Severity::Warning, Component::Tikv)
    }

    fn counts(cluster: &Cluster) -> Vec<u64> {
        let events = cluster.events();
        let learned = Learned::read(&events, &cluster.sources(), &Options::default()).unwrap();
        let mut episodes = Episodes::new(60_000);
        for event in &events {
            episodes.take(&learned.tell(event).unwrap(), &learned);
        }
        episodes.all.iter().map(|run| run.count).collect()
    }

    #[test]
    fn a_longer_gap_ends_an_episode() {
        let mut cluster = Cluster::default();
        for time in ["14:00:00.000Z", "14:01:00.000Z", "14:02:00.001Z"] {
            cluster.log("a.log", &format!("2022-07-25T{time}"), error());
        }
        assert_eq!(counts(&cluster), [2, 1]);
    }

    #[test]
    fn regions_stores_and_tasks_are_kept_apart() {
        let mut cluster = Cluster::default();
        for record in [error(), error().region(1), error().region(2), error().store(1).region(1)] {
            cluster.log("a.log", "2022-07-25T14:00:00Z", record);
        }
        assert_eq!(counts(&cluster), [1, 1, 1, 1]);
    }

    #[test]
    fn records_without_time_are_one_episode_a_source() {
        let mut cluster = Cluster::default();
        cluster.log("a.txt", "", error()).log("a.txt", "", error()).log("b.txt", "", error());
        assert_eq!(counts(&cluster), [2, 1]);
    }

    #[test]
    fn a_cut_keeps_head_and_root() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcdefghij", 4), "ab…ij");
        assert_eq!(cut("äöüß", 4), "ä…ß");
    }
}
