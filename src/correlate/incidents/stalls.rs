//! A checkpoint that stands still though the task runs, and what holds it back.

use super::draft::{Draft, Seed};
use super::tasks::{add_gc, task_commands};
use super::{World, prose};
use crate::correlate::chains::{Blocker, By};
use crate::correlate::episodes::{EpisodeId, Run};
use crate::correlate::findings::{Cause, Certainty, IncidentKind};
use crate::correlate::graph::{Member, Taken};
use crate::correlate::identify::InstanceId;
use crate::correlate::stores::Stores;
use crate::correlate::tasks::{Judged, Stall, Story};
use crate::units::{Component, Severity, StoreId, Timestamp, Tso};
use std::collections::{BTreeMap, BTreeSet};

/// A stall that is over was worth a word if it was this long.
const LONG_MS: i64 = 3_600_000;
/// What a record says of the time shortly before a stall counts too.
const BEFORE_MS: i64 = 10 * 60_000;
/// A store that is gone is missed at least this often.
pub(super) const BREAK_MS: i64 = 3 * 60_000;
/// A store or leader that is gone for less is no incident.
pub(super) const GONE_MS: i64 = 5 * 60_000;

pub(super) fn find(world: &World<'_>, taken: &mut Taken) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (story, judged) in world.stories {
        for stall in &story.stalls {
            // One that a pause or failure ended is part of that.
            let ended = story.life.downs.iter().any(|down| {
                down.since.is_some_and(|since| since >= stall.since)
                    && stall.until.is_none_or(|until| down.since.is_none_or(|since| since <= until))
            });
            if ended || (stall.until.is_some() && stall.lag_ms() < LONG_MS) {
                continue;
            }
            let draft = draft(story, judged, stall, world);
            taken.take(draft.episodes.keys().copied());
            drafts.push(draft);
        }
    }
    drafts
}

fn draft(story: &Story, judged: &Judged, stall: &Stall, world: &World<'_>) -> Draft {
    let run = world.episodes.at(stall.episode);
    let seed = Seed { instance: run.instance, time: Some(stall.since), rule: run.key.rule, place: stall.place.clone() };
    let mut draft = Draft::new(IncidentKind::CheckpointStalled, seed);
    draft.task = Some(story.name.clone()).filter(|name| !name.is_empty());
    draft.start = Some(stall.moved);
    draft.severity = if judged.lost { Severity::Critical } else { Severity::Warning };
    draft.verdict = judged.verdict;
    draft.commands = task_commands(story, judged, world);
    let window = Window {
        from: stall.value.time().plus_ms(-BEFORE_MS),
        moved: stall.moved,
        since: stall.since,
        seen: stall.seen,
    };
    let value = stall.value.exact().unwrap_or(Tso::from_time(stall.value.time()));
    blockers(&mut draft, window, value, world);
    if draft.cause == Cause::Unknown
        && let Some(core) = advancers_stopped(world)
    {
        blame(&mut draft, Cause::Operator, Certainty::Inferred, &core, world);
    }
    draft.add(super::Moment {
        real: Some(stall.since),
        written: Some(stall.since),
        rule: run.key.rule,
        component: run.component,
        severity: run.severity,
        store: None,
        region: None,
        place: stall.place.clone(),
        episode: stall.episode,
        message: run.summary.clone(),
        what: format!("the checkpoint stands at {}Z", stall.value.time().human()),
    });
    if stall.until.is_none() {
        add_gc(&mut draft, judged, world);
    }
    draft.summary = prose::of_stall(&draft, story, judged, stall, world);
    if stall.until.is_some() {
        draft.recovered(stall.until);
    }
    draft
}

/// What held the checkpoint back before a pause that the lag limit made, or after an error that paused nothing.
pub(super) fn add_blockers(
    draft: &mut Draft,
    story: &Story,
    until: Option<Timestamp>,
    world: &World<'_>,
) -> Option<Cause> {
    let until = until?;
    let point = story.log.checkpoints.at(until)?;
    let (cause, certainty) = (draft.cause, draft.certainty);
    let value = point.value.exact().unwrap_or(Tso::from_time(point.value.time()));
    let window =
        Window { from: point.value.time().plus_ms(-BEFORE_MS), moved: point.moved(), since: point.first, seen: until };
    draft.cause = Cause::Unknown;
    blockers(draft, window, value, world);
    let held = Some(std::mem::replace(&mut draft.cause, cause)).filter(|held| *held != Cause::Unknown);
    draft.certainty = certainty;
    held
}

/// The time of a stall.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// From when on records count.
    from: Timestamp,
    /// When the checkpoint moved for the last time.
    moved: Timestamp,
    /// Since when it was seen standing.
    since: Timestamp,
    /// Until when.
    seen: Timestamp,
}

/// Adds what holds the checkpoint back, and sets the cause to the first of it.
fn blockers(draft: &mut Draft, window: Window, value: Tso, world: &World<'_>) {
    if let Some((store, cause, core)) = restart_loop(window, world) {
        blame(draft, cause, Certainty::Inferred, &core, world);
        draft.stores.insert(store);
        return;
    }
    for blocker in &world.graph.chains.blockers {
        let found = standing(blocker, window, value, world);
        if found.is_empty() {
            continue;
        }
        let said = found.iter().find_map(|id| world.reason(*id));
        let members = world.grow(&found);
        let led = world.nearest_cause(&members);
        let certainty = if blocker.ts { Certainty::Observed } else { Certainty::Inferred };
        let cause = blocker.cause.or(said).or(led.map(|(cause, _)| cause)).unwrap_or(Cause::Unknown);
        blame(draft, cause, certainty, &found, world);
        for id in &found {
            let run = world.episodes.at(*id);
            draft.stores.extend(run.key.store.filter(|_| blocker.by == By::Store || run.key.region.is_some()));
            if blocker.by == By::Region {
                draft.regions.extend(run.key.region.or(run.partner));
            }
        }
        if blocker.by == By::Region && draft.regions.is_empty() {
            held_by_region(draft, window, value, world);
        }
        return;
    }
    let gone = stores_gone(window, world);
    if !gone.is_empty() {
        let core: Vec<EpisodeId> =
            unreachable(window, world).filter(|(store, _)| gone.contains(store)).map(|(_, id)| id).collect();
        blame(draft, Cause::StoreDown, Certainty::Inferred, &core, world);
        draft.stores.extend(gone);
        with_kinds(draft, &["no-leader", "advancer-cannot-ask"], window, world);
        return;
    }
    let deaf = kinds_in(&["advancer-cannot-tell-pd", "pd-not-reached"], window, world);
    let standing: Vec<EpisodeId> = deaf.into_iter().filter(|id| stands(*id, window, world)).collect();
    if !standing.is_empty() {
        blame(draft, Cause::PdUnavailable, Certainty::Observed, &standing, world);
        return;
    }
    with_kinds(
        draft,
        &["owner-gone", "no-leader", "last-region", "resolver-behind", "advancer-cannot-ask"],
        window,
        world,
    );
}

fn blame(draft: &mut Draft, cause: Cause, certainty: Certainty, core: &[EpisodeId], world: &World<'_>) {
    draft.cause = cause;
    draft.certainty = certainty;
    for (id, member) in world.grow(core) {
        draft.add_episode(id, member);
    }
}

/// Records that say which region holds the checkpoint, where those that say why do not.
fn held_by_region(draft: &mut Draft, window: Window, value: Tso, world: &World<'_>) {
    for id in kinds_in(&["last-region", "resolver-behind"], window, world) {
        let run = world.episodes.at(id);
        if names_ts(run, value) {
            draft.add_episode(id, Member { certainty: Certainty::Inferred, distance: 1 });
            draft.regions.extend(run.key.region.or(run.partner));
            draft.stores.extend(run.key.store);
        }
    }
}

/// Records of these kinds belong to the chain, but do not say why.
fn with_kinds(draft: &mut Draft, kinds: &[&str], window: Window, world: &World<'_>) {
    for id in kinds_in(kinds, window, world) {
        draft.add_episode(id, Member { certainty: Certainty::Inferred, distance: 1 });
        let run = world.episodes.at(id);
        let region = run.key.region.or(run.partner);
        draft.regions.extend(region);
        // A region that holds the checkpoint back does so on its leader.
        if draft.stores.is_empty() {
            draft.stores.extend(region.and_then(|region| world.regions.leader(region)));
        }
    }
}

fn kinds_in(kinds: &[&str], window: Window, world: &World<'_>) -> Vec<EpisodeId> {
    let mut found: Vec<EpisodeId> = kinds
        .iter()
        .flat_map(|kind| world.graph.of_kind(kind))
        .copied()
        .filter(|id| {
            world.began(*id).is_none_or(|began| began <= window.seen)
                && world.ended(*id).is_none_or(|ended| ended >= window.from)
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether records go on well into the stall: one at its beginning does not hold it.
fn stands(id: EpisodeId, window: Window, world: &World<'_>) -> bool {
    let Window { moved, seen, .. } = window;
    world.ended(id).is_some_and(|ended| ended >= moved.plus_ms(seen.since(moved) / 3))
}

fn standing(blocker: &Blocker, window: Window, value: Tso, world: &World<'_>) -> Vec<EpisodeId> {
    let chains = world.graph.chains;
    let names: Vec<&str> = blocker.of.iter().map(|kind| chains.at(*kind).name.as_str()).collect();
    let all: Vec<EpisodeId> = kinds_in(&names, window, world)
        .into_iter()
        .filter(|id| !blocker.ts || names_ts(world.episodes.at(*id), value))
        .collect();
    // Rare records of one kind are many episodes: the last one of a store or region tells whether it stands.
    let group = |id: EpisodeId| {
        let run = world.episodes.at(id);
        match blocker.by {
            By::Store => (run.key.store, None),
            By::Region => (None, run.key.region.or(run.partner)),
        }
    };
    let stand: BTreeSet<_> =
        all.iter().filter(|id| blocker.once || stands(**id, window, world)).map(|id| group(*id)).collect();
    all.into_iter().filter(|id| stand.contains(&group(*id))).collect()
}

/// Whether a record names a checkpoint: exactly, or the one before it, or to the millisecond where no more is known.
fn names_ts(run: &Run, value: Tso) -> bool {
    run.tsos.iter().any(|ts| ts.0.abs_diff(value.0) <= 1 || (value.logical() == 0 && ts.time() == value.time()))
}

/// A store that restarted without being told to, twice or more.
fn restart_loop(window: Window, world: &World<'_>) -> Option<(StoreId, Cause, Vec<EpisodeId>)> {
    let restarts = world.stores.crashes(world.learned).filter(|(_, restart)| {
        let real = world.learned.real_time(restart.instance, restart.time);
        real >= window.from && real <= window.seen
    });
    let mut by_store: BTreeMap<StoreId, Vec<EpisodeId>> = BTreeMap::new();
    for (store, restart) in restarts.filter_map(|(store, restart)| Some((store?, restart))) {
        by_store.entry(store).or_default().push(restart.episode);
    }
    // Without the store's own log: the kernel killed it, and others lost it again and again.
    for id in world.graph.of_kind("killed-for-memory") {
        let run = world.episodes.at(*id);
        let then = world.began(*id).is_none_or(|began| began >= window.from && began <= window.seen);
        if let (Some(store), true) = (run.key.store, then)
            && unreachable(window, world).filter(|(lost, _)| *lost == store).count() >= 2
        {
            let core = by_store.entry(store).or_default();
            core.extend(std::iter::repeat_n(*id, run.count as usize));
        }
    }
    let often = by_store.into_iter().filter(|(_, core)| core.len() >= 2);
    let (store, mut core) = often.max_by_key(|(_, core)| core.len())?;
    core.sort_unstable();
    core.dedup();
    let own = core.iter().find_map(|id| world.graph.chains.cause_of(world.graph.kinds(*id)));
    let led = || world.nearest_cause(&world.grow(&core)).map(|(cause, _)| cause);
    let cause = own.or_else(led).unwrap_or(Cause::StoreRestart);
    Some((store, cause, core))
}

/// Where somebody told every TiDB to stop and none has come back, nobody runs the advancer: the records that say so.
fn advancers_stopped(world: &World<'_>) -> Option<Vec<EpisodeId>> {
    const LAST_WORDS_MS: i64 = 60_000;
    let of_tidb = |id: &&EpisodeId| world.episodes.at(**id).component == Some(Component::Tidb);
    let stops: Vec<EpisodeId> = world.graph.of_kind("stop").iter().filter(of_tidb).copied().collect();
    // Those of several TiDBs that stop together are one episode.
    let said = |last: Timestamp| {
        stops.iter().rfind(|id| {
            let run = world.episodes.at(**id);
            run.first.is_some_and(|first| first <= last)
                && run.last.is_some_and(|stop| last.since(stop) <= LAST_WORDS_MS)
        })
    };
    let all = world.learned.instances.all.iter().enumerate();
    let tidbs = all.filter(|(_, instance)| instance.component == Some(Component::Tidb));
    let core: Option<Vec<EpisodeId>> = tidbs
        .map(|(at, _)| Stores::last_word(world.learned, InstanceId(at as u32)).and_then(|last| said(last).copied()))
        .collect();
    core.filter(|core| !core.is_empty())
}

/// Records that a store cannot be reached, with that store.
fn unreachable<'w>(window: Window, world: &'w World<'_>) -> impl Iterator<Item = (StoreId, EpisodeId)> + 'w {
    kinds_in(&["store-unreachable"], window, world)
        .into_iter()
        .filter_map(|id| Some((world.other_store(world.episodes.at(id))?, id)))
}

/// Stores that others cannot reach until the end, without a break, and whose own logs have ended.
fn stores_gone(window: Window, world: &World<'_>) -> BTreeSet<StoreId> {
    let mut by_store: BTreeMap<StoreId, Vec<EpisodeId>> = BTreeMap::new();
    for (store, id) in unreachable(window, world) {
        by_store.entry(store).or_default().push(id);
    }
    let gone = by_store.into_iter().filter(|(store, ids)| {
        let Some((began, ended)) = world.last_run(ids, BREAK_MS) else { return false };
        let until_the_end = window.seen.since(ended) <= GONE_MS && ended.since(began) >= GONE_MS;
        until_the_end && !world.lives_after(*store, window.since)
    });
    gone.map(|(store, _)| store).collect()
}
