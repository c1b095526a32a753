//! The course of a log backup: which store flushes when, what the checkpoint becomes, and which safe points protect it.

use crate::cluster::time::{MINUTE, Ms, SECOND, tso_time};
use crate::cluster::world::World;
use crate::cluster::writers::{advancer, task};

/// When the parts of the backup work. Spans are from a moment until a moment.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The task is paused.
    pub(crate) paused: Vec<(Ms, Ms)>,
    /// A store does not get its flushes done: its id and the span.
    pub(crate) no_flush: Vec<(u64, Ms, Ms)>,
    /// No TiDB advances the checkpoint.
    pub(crate) no_advancer: Vec<(Ms, Ms)>,
    /// The advancer runs but gets nowhere.
    pub(crate) frozen: Vec<(Ms, Ms)>,
    /// The checkpoint of a store cannot pass a TSO: store, region that defines it, span, TSO.
    pub(crate) capped: Vec<Cap>,
    /// GC has begun a round that cannot end.
    pub(crate) no_gc: Vec<(Ms, Ms)>,
    /// PD accepts nothing.
    pub(crate) no_pd: Vec<(Ms, Ms)>,
}

/// Something that holds the checkpoint of a store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cap {
    /// The store of the region's leader.
    pub(crate) store: u64,
    /// The region.
    pub(crate) region: u64,
    /// From when.
    pub(crate) from: Ms,
    /// Until when.
    pub(crate) until: Ms,
    /// The highest possible checkpoint.
    pub(crate) ts: u64,
    /// Whether a lock does it, else an initial scan.
    pub(crate) lock: bool,
}

/// Whether `time` is in one of the spans.
pub(crate) fn within(spans: &[(Ms, Ms)], time: Ms) -> bool {
    spans.iter().any(|(from, until)| (*from..*until).contains(&time))
}

/// Writes the flushes of all stores and the advancer's steps from the beginning to the end of the logs.
pub(crate) fn run(world: &mut World) {
    let interval = world.version.flush_interval();
    let mut flushes = Vec::new();
    for store in world.store_ids() {
        let mut time = world.around(world.begin + 5 * SECOND, interval);
        while time < world.end {
            let gap = world.plan.no_flush.iter().any(|(s, from, until)| *s == store && (*from..*until).contains(&time));
            let down = world.store(store).down_since(time).is_some();
            if !gap && !down && !within(&world.plan.paused, time) && !within(&world.plan.no_pd, time) {
                flushes.push((time, store));
            }
            time += interval + world.random.below(3) as Ms * 40;
        }
    }
    flushes.sort_unstable();
    // A task that starts within the logs begins at its start on every store.
    let start = world.task.start;
    let fresh = tso_time(start) > world.begin;
    let mut last: Vec<(u64, u64)> =
        if fresh { world.store_ids().into_iter().map(|s| (s, start)).collect() } else { Vec::new() };
    for (time, store) in flushes {
        let lag = world.random.between(200, 1_500) as Ms;
        let resolved = world.tso(time - lag);
        let cap = world.plan.capped.iter().find(|c| c.store == store && (c.from..c.until).contains(&time)).copied();
        let checkpoint = cap.map_or(resolved, |c| resolved.min(c.ts));
        task::flush(world, store, time, checkpoint, cap);
        last.retain(|(s, _)| *s != store);
        last.push((store, checkpoint));
        advance(world, time + 5 * SECOND, &last);
    }
}

/// One step of the advancer: the minimum over the stores that have regions to lead.
fn advance(world: &mut World, time: Ms, last: &[(u64, u64)]) {
    let covered = |world: &mut World, store: u64| {
        // Regions of a store that is down have been led by others since a minute or so.
        world.store(store).down_since(time).is_some_and(|since| time - since > MINUTE)
    };
    let mut lowest = u64::MAX;
    for store in world.store_ids() {
        match last.iter().find(|(s, _)| *s == store) {
            Some((_, ts)) if !covered(world, store) => lowest = lowest.min(*ts),
            None if !covered(world, store) => return,
            _ => {}
        }
    }
    let off = within(&world.plan.no_advancer, time) || within(&world.plan.paused, time);
    if off || lowest == u64::MAX || world.tidbs[0].down_since(time).is_some() {
        return;
    }
    let before = world.checkpoint_at(time);
    let checkpoint = if within(&world.plan.frozen, time) { before } else { lowest.max(before) };
    if world.checkpoints.is_empty() && within(&world.plan.frozen, time) {
        return;
    }
    world.checkpoints.push((time, checkpoint));
    advancer::upload(world, time, checkpoint);
}
