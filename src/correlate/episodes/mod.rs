//! Episodes: runs of events of one rule, region, store and task with no longer gap.
//!
//! A storm has as many episodes as events. Those that are over go to a temporary file, page by page; those that incidents can
//! rest on stay at hand, or are looked up again for the regions that turn out to matter.

mod pages;
mod rows;

use super::chains::{Chains, Kinds};
use super::identify::InstanceId;
use super::learned::{Learned, Told};
use super::names::{FileId, RuleId, TaskId};
use super::signs::is_screen;
use crate::units::{Component, FactKind, RegionId, Severity, StoreId, Timestamp, Tso};
use pages::Pages;
pub(super) use rows::OfEpisodes;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Position of an episode, in the order in which they began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct EpisodeId(pub(super) u32);

/// What all events of an episode have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) rule: RuleId,
    pub(super) region: Option<RegionId>,
    pub(super) store: Option<StoreId>,
    pub(super) task: Option<TaskId>,
    /// The writer that their rows name, where its store is not known: another one is another store.
    pub(super) of_row: Option<InstanceId>,
}

impl Key {
    /// Of an event.
    pub(super) fn of(told: &Told<'_>) -> Self {
        let of_row = told.of_row.filter(|_| told.store.is_none());
        Self { rule: told.rule, region: told.event.region, store: told.store, task: told.task, of_row }
    }
}

/// A run of events. Times are as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) key: Key,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) count: u64,
    pub(super) severity: Severity,
    pub(super) component: Option<Component>,
    /// Who wrote the first event.
    pub(super) instance: InstanceId,
    pub(super) codes: Vec<Box<str>>,
    /// The first event's message.
    pub(super) summary: Box<str>,
    pub(super) file: FileId,
    pub(super) line: u64,
    pub(super) offset: u64,
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
    pages: Pages,
    /// Episodes of written pages that are at hand: those that are not over, and those that incidents can rest on.
    kept: FxHashMap<u32, Run>,
    open: FxHashMap<Key, u32>,
    untimed: FxHashMap<(Key, FileId), u32>,
    of_rules: FxHashMap<RuleId, Kinds>,
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
    pub(super) fn take(&mut self, told: &Told<'_>, learned: &Learned, chains: &Chains) -> EpisodeId {
        let event = told.event;
        let key = Key::of(told);
        let known = match event.time {
            Some(_) => self.open.get(&key).copied(),
            None => self.untimed.get(&(key, told.file)).copied(),
        };
        let gap_ms = self.gap_ms;
        if let Some(at) = known
            && let Some(run) = self.at_mut(at)
            && run.last.zip(event.time).is_none_or(|(last, time)| time.since(last) <= gap_ms)
        {
            run.count += 1;
            run.last = run.last.max(event.time);
            run.severity = run.severity.max(event.severity);
            add_codes(&mut run.codes, &event.codes);
            return EpisodeId(at);
        }
        let at = self.pages.len();
        match event.time {
            Some(_) => self.open.insert(key, at),
            None => self.untimed.insert((key, told.file), at),
        };
        self.pages.push(first_of(told, key, learned));
        if self.pages.are_full() {
            self.write_page(event.time, learned, chains);
        }
        EpisodeId(at)
    }

    /// Writes the oldest page; what is not over or can matter to an incident stays.
    fn write_page(&mut self, now: Option<Timestamp>, learned: &Learned, chains: &Chains) {
        let Some((first, runs)) = self.pages.write_oldest() else { return };
        let gap_ms = self.gap_ms;
        let is_open = |run: &Run| run.last.zip(now).is_some_and(|(last, now)| now.since(last) <= gap_ms);
        self.kept
            .retain(|at, run| is_open(run) || Self::matters(&mut self.of_rules, run, learned, chains) || *at >= first);
        for (at, run) in (first..).zip(runs) {
            if is_open(&run) || Self::matters(&mut self.of_rules, &run, learned, chains) {
                self.kept.insert(at, run);
            }
        }
        let (pages, kept) = (&self.pages, &self.kept);
        self.open.retain(|_, at| pages.get(*at).or_else(|| kept.get(at)).is_some_and(is_open));
        self.untimed.retain(|_, at| pages.get(*at).is_some());
    }

    /// Whether an incident can rest on an episode, whatever its region.
    fn matters(of_rules: &mut FxHashMap<RuleId, Kinds>, run: &Run, learned: &Learned, chains: &Chains) -> bool {
        let kinds = *of_rules.entry(run.key.rule).or_insert_with(|| chains.kinds_of_rule(learned, run));
        run.key.region.is_none() || run.severity >= Severity::Critical || chains.has_rare(kinds)
    }

    /// The regions of episodes that incidents can rest on.
    pub(super) fn regions_that_matter(&self, learned: &Learned, chains: &Chains) -> FxHashSet<RegionId> {
        let mut of_rules = FxHashMap::default();
        let of_a_region = self.iter().filter(|(_, run)| run.key.region.is_some());
        of_a_region
            .filter(|(_, run)| Self::matters(&mut of_rules, run, learned, chains))
            .flat_map(|(_, run)| run.key.region.into_iter().chain(run.partner))
            .collect()
    }

    /// Reads back the episodes of these regions, which chains may lead to.
    ///
    /// # Errors
    /// Where the temporary file cannot be read back.
    pub(super) fn fetch(
        &mut self,
        regions: &FxHashSet<RegionId>,
        learned: &Learned,
        chains: &Chains,
    ) -> std::io::Result<()> {
        let (kept, of_rules) = (&mut self.kept, &mut self.of_rules);
        self.pages.for_each_written(&mut |at, run| {
            let named = run.key.region.into_iter().chain(run.partner).any(|region| regions.contains(&region));
            if named && !kept.contains_key(&at) {
                let kinds = *of_rules.entry(run.key.rule).or_insert_with(|| chains.kinds_of_rule(learned, &run));
                if !kinds.is_empty() {
                    kept.insert(at, run);
                }
            }
            Ok(())
        })
    }

    /// Whether some episodes are on disk only.
    pub(super) fn are_written(&self) -> bool {
        self.pages.are_written()
    }

    /// An episode that is at hand: those of incidents are.
    pub(super) fn at(&self, id: EpisodeId) -> &Run {
        // None is asked for that is not; an empty one stands in rather than a panic.
        self.kept.get(&id.0).or_else(|| self.pages.get(id.0)).unwrap_or(&NOTHING)
    }

    fn at_mut(&mut self, at: u32) -> Option<&mut Run> {
        match self.kept.get_mut(&at) {
            Some(run) => Some(run),
            None => self.pages.get_mut(at),
        }
    }

    /// All that are at hand, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (EpisodeId, &Run)> {
        let kept: BTreeMap<u32, &Run> = self.kept.iter().map(|(at, run)| (*at, run)).collect();
        kept.into_iter().chain(self.pages.held()).map(|(at, run)| (EpisodeId(at), run))
    }
}

static NOTHING: std::sync::LazyLock<Run> = std::sync::LazyLock::new(|| Run {
    key: Key { rule: RuleId(0), region: None, store: None, task: None, of_row: None },
    first: None,
    last: None,
    count: 0,
    severity: Severity::Info,
    component: None,
    instance: InstanceId(0),
    codes: Vec::new(),
    summary: Box::default(),
    file: FileId(0),
    line: 0,
    offset: 0,
    partner: None,
    remote: None,
    screen: false,
    tsos: Box::default(),
});

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
        instance: told.instance,
        codes,
        summary: cut(&event.message, Episodes::SUMMARY).into(),
        file: told.file,
        line: event.line,
        offset: event.offset,
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
    use super::{Chains, Episodes, cut};
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
            episodes.take(&learned.tell(event).unwrap(), &learned, &Chains::embedded());
        }
        episodes.iter().map(|(_, run)| run.count).collect()
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
