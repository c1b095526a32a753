//! Incidents in sentences: what happened, why, and what that means now.

use super::World;
use super::draft::Draft;
use super::words::{at, list, plural};
use crate::correlate::episodes::{EpisodeId, cut};
use crate::correlate::findings::{Cause, DeadlineBasis, MergeResult, Verdict};
use crate::correlate::regions::Merge;
use crate::correlate::tasks::{Down, Ended, Judged, Reason, Stall, Story};
use crate::units::{RegionId, StoreId, hms};
use std::fmt::Display;

/// What is told of a task that failed or was paused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Downfall<'d> {
    pub(super) story: &'d Story,
    pub(super) judged: &'d Judged,
    pub(super) down: &'d Down,
    pub(super) merge: Option<&'d Merge>,
    /// What held the checkpoint back before a pause by the lag limit.
    pub(super) held: Option<Cause>,
    /// What the error itself names, as a noun.
    pub(super) says: Option<&'d str>,
}

/// Of a task that failed or was paused.
pub(super) fn of_down(draft: &Draft, told: Downfall<'_>, world: &World<'_>) -> String {
    let Downfall { story, judged, down, merge, held, says } = told;
    let since = at(down.since);
    let who = store_at(draft, world).unwrap_or_else(|| "a store".to_owned());
    let code = down.code.as_deref().map(|code| format!(" with {code}")).unwrap_or_default();
    let mut said = vec![capital(&match (down.reason, draft.cause) {
        (Reason::Fatal, Cause::RegionMerge) => {
            let region = down.region.map_or_else(|| "a region".to_owned(), |region| format!("region {region}"));
            let other = merge.and_then(|merge| other(merge, down.region));
            let into = other.map(|other| format!(" into region {other}")).unwrap_or_default();
            let refused = refusals(draft, down, world);
            format!(
                "{region} was merging{into} when {who} took its initial snapshot; {refused}it gave up{code}{since}."
            )
        }
        (Reason::Fatal, Cause::Unknown) if says.is_none() => {
            format!("{who} met a fatal error{code}{since}; the logs do not say why.")
        }
        (Reason::Fatal, cause) => {
            let why = says.map_or_else(|| because(cause), |says| format!("because of {says}"));
            format!("{who} met a fatal error{code}{since}, {why}.")
        }
        (Reason::Lag, _) => {
            format!("The advancer paused task {}{since}, since its checkpoint lagged too much.", story.name)
        }
        (Reason::Operator, _) => format!("Task {} was paused by hand{since}.", story.name),
        (Reason::Unknown, _) => format!("Task {} was paused{since}; no record says by whom or why.", story.name),
    })];
    if draft.cause == Cause::RegionMerge {
        said.push(of_merge(merge, judged.lost));
    }
    if let (Some(held), Reason::Lag) = (held, down.reason) {
        said.push(format!("What held it back: {}{}.", noun(held), whom(draft)));
    }
    if down.silent {
        said.push("The task was not paused, so its status stays NORMAL, but the checkpoint stands still.".to_owned());
    }
    match down.end {
        Some((Some(end), Ended::Resumed)) => said.push(format!("It runs again since {}Z.", end.human())),
        Some((None, Ended::Resumed)) => said.push("It runs again.".to_owned()),
        Some((end, Ended::Stopped)) => said.push(format!("The task was stopped{}.", at(end))),
        Some((end, Ended::Replaced)) => {
            said.push(format!("Another task was started{}, and a cluster runs one at a time.", at(end)));
        }
        None => said.extend(prospect(judged)),
    }
    said.join(" ")
}

/// Of a checkpoint that stands still.
pub(super) fn of_stall(draft: &Draft, story: &Story, judged: &Judged, stall: &Stall, world: &World<'_>) -> String {
    let (value, seen) = (stall.value.time().human(), stall.seen.human());
    let lag = hms(stall.lag_ms());
    let task = if story.name.is_empty() { "the task".to_owned() } else { format!("task {}", story.name) };
    let mut said = vec![format!("The checkpoint of {task} stands at {value}Z, {lag} behind at {seen}Z.")];
    let whom = whom(draft);
    let is_leaderless = world.graph.of_kind("no-leader").iter().any(|id| draft.episodes.contains_key(id));
    said.push(match draft.cause {
        Cause::Unknown if whom.is_empty() => match reported(&world.episodes.at(stall.episode).summary) {
            Some((store, code)) => format!("The task is not paused, but store {store} reports {code}."),
            None => "The task is not paused, and no record says what holds it back.".to_owned(),
        },
        Cause::Unknown if is_leaderless => {
            format!("The task is not paused; it waits for a region without a leader{whom}.")
        }
        Cause::Unknown => format!("The task is not paused; it waits for something{whom}, and no record says why."),
        Cause::Operator => "Every TiDB was told to stop and none has come back: nobody runs the advancer.".to_owned(),
        Cause::Bug => format!("What holds it back: a store that has not loaded the task{whom}."),
        Cause::StoreDown if draft.stores.len() > 1 => format!("What holds it back: stores that are gone{whom}."),
        cause => format!("What holds it back: {}{whom}.", noun(cause)),
    });
    match stall.until {
        Some(until) => said.push(format!("It has moved again at {}Z.", until.human())),
        None => said.extend(prospect(judged)),
    }
    said.join(" ")
}

/// The first error that the screen of a task shows, whatever its status: `; error[store=1]: KV:LogBackup:NoSuchTask`.
fn reported(screen: &str) -> Option<(StoreId, &str)> {
    let (store, rest) = screen.split_once("; error[store=")?.1.split_once("]: ")?;
    Some((StoreId(store.parse().ok()?), rest.split(';').next()?.trim()))
}

/// ` (store 4, region 7)`, as far as known.
fn whom(draft: &Draft) -> String {
    let named: Vec<String> =
        named("store", draft.stores.iter()).into_iter().chain(named("region", draft.regions.iter())).collect();
    if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) }
}

/// What a task's verdict means.
fn prospect(judged: &Judged) -> Option<String> {
    let gc = judged.passed.as_ref().map(|passed| passed.point).or(judged.gc_safepoint);
    match (judged.verdict, judged.deadline) {
        (Verdict::RecreateTask, _) => {
            let gc = gc.map(|gc| format!(" ({}Z)", gc.time().human())).unwrap_or_default();
            Some(format!("GC has passed the checkpoint{gc}: a resume will not help."))
        }
        (Verdict::Resume, Some((until, basis))) => {
            let how = if basis == DeadlineBasis::Pd { "PD's log" } else { "an estimate" };
            Some(format!("It can be resumed until {}Z ({how}).", until.human()))
        }
        (Verdict::ResumeOrRecreate, Some((until, _))) => {
            Some(format!("Since {}Z nothing holds back GC: a resume may be refused.", until.human()))
        }
        _ => None,
    }
}

/// How often the region that the task failed by was refused before that.
fn refusals(draft: &Draft, down: &Down, world: &World<'_>) -> String {
    let Ok(kind) = world.graph.chains.kind("snapshot-refused") else { return String::new() };
    let refused = |id: &&EpisodeId| {
        let run = world.episodes.at(**id);
        let before = world.began(**id).zip(down.since).is_none_or(|(began, since)| began <= since);
        world.graph.kinds(**id).has(kind) && (down.region.is_none() || run.key.region == down.region) && before
    };
    match draft.episodes.keys().filter(refused).map(|id| world.episodes.at(*id).count).sum() {
        0 => String::new(),
        1 => "after 1 refusal ".to_owned(),
        count => format!("after {count} refusals "),
    }
}

fn other(merge: &Merge, region: Option<RegionId>) -> Option<RegionId> {
    if region == merge.target { Some(merge.source) } else { merge.target }
}

fn of_merge(merge: Option<&Merge>, lost: bool) -> String {
    let Some(merge) = merge else { return "No record of the merge itself is in these logs.".to_owned() };
    let end = at(merge.ended.map(|end| end.written));
    // What is lost is not resumed, whatever stands in the way.
    let so = if lost { "" } else { ": it no longer stands in the way" };
    match merge.result {
        MergeResult::Committed => format!("The merge ended{end}{so}."),
        MergeResult::RolledBack => format!("The merge was taken back{end}{so}."),
        MergeResult::Unfinished => "No record says that the merge has ended.".to_owned(),
    }
}

/// The stores of an incident; a single one with its address, where that is known.
fn store_at(draft: &Draft, world: &World<'_>) -> Option<String> {
    let named = named("store", draft.stores.iter())?;
    let only = draft.stores.first().filter(|_| draft.stores.len() == 1);
    let address = only.and_then(|store| world.learned.instances.address_of(*store));
    Some(address.map_or_else(|| named.clone(), |address| format!("{named} ({address})")))
}

/// `stores 1 and 4`, where there are any.
pub(super) fn named<T: Display>(what: &str, ids: impl ExactSizeIterator<Item = T>) -> Option<String> {
    let count = ids.len();
    (count > 0).then(|| format!("{} {}", plural(what, count), list(ids)))
}

/// The reason as the end of a sentence.
pub(super) fn because(cause: Cause) -> String {
    match cause {
        Cause::Unknown => "the logs do not say why".to_owned(),
        cause => format!("because of {}", noun(cause)),
    }
}

/// What a record says, where no rule knows more of it.
pub(super) fn quote(text: &str) -> String {
    const MOST: usize = 240;
    format!("it says \"{}\"", cut(text, MOST))
}

/// A sentence begins with a capital.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A cause as a noun.
const fn noun(cause: Cause) -> &'static str {
    match cause {
        Cause::RegionMerge => "a merge of the region",
        Cause::RegionSplit => "a split of the region",
        Cause::LeaderChange => "leaders that moved",
        Cause::StoreDown => "a store that is gone",
        Cause::StoreRestart => "a store that restarted",
        Cause::Network => "the network",
        Cause::PdUnavailable => "PD, which could not be reached",
        Cause::StorageAccess => "the external storage, which refused access",
        Cause::StorageFull => "the external storage, which is full",
        Cause::StorageThrottled => "the external storage, which throttles",
        Cause::GcSafepoint => "GC, which has passed the data",
        Cause::LockUnresolved => "a lock that was not resolved",
        Cause::LagCheck => "the lag limit",
        Cause::MemoryQuota => "a memory quota",
        Cause::OutOfMemory => "too little memory",
        Cause::DiskFull => "a full disk",
        Cause::DataCorruption => "damaged data",
        Cause::TiflashReplica => "TiFlash replicas that are not set",
        Cause::Version => "versions that do not fit",
        Cause::Configuration => "the configuration",
        Cause::Operator => "what a person did",
        Cause::Bug => "a bug",
        Cause::Unknown => "something that the logs do not say",
    }
}
