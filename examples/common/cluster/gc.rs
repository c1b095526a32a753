//! Garbage collection: TiDB's rounds, what holds them back, and what they do to the safe point.

use crate::cluster::backup::within;
use crate::cluster::record::fields;
use crate::cluster::record::{Fields, info};
use crate::cluster::time::{MINUTE, Ms, SECOND, log_time, tso_time};
use crate::cluster::world::World;
use crate::cluster::writers::pd;

/// How GC is set up.
#[derive(Clone, Debug)]
pub(crate) struct Gc {
    /// `tidb_gc_life_time`
    pub(crate) life: Ms,
    /// A session with an open transaction: from, until, its start TSO.
    pub(crate) session: Option<(Ms, Ms, u64)>,
}

impl Default for Gc {
    fn default() -> Self {
        Self { life: 10 * MINUTE, session: None }
    }
}

const INTERVAL: Ms = 10 * MINUTE;

/// Writes all rounds of the window: TiDB looks every minute, and works at most every ten.
pub(crate) fn run(world: &mut World, gc: &Gc) {
    let uuid = format!("{:x}{:04x}", 0x60f_0000_0000 + world.random.below(0xfff_ffff), world.random.below(0xff));
    let mut tick = world.around(world.begin, MINUTE);
    let mut last_run = tick - INTERVAL;
    let mut safepoint = 0;
    while tick < world.end {
        let runs = world.tidbs.last().is_some_and(|n| n.down_since(tick).is_none()) && !within(&world.plan.no_pd, tick);
        if runs && within(&world.plan.no_gc, tick) {
            stuck(world, &uuid, tick, safepoint);
        } else if runs && tick - last_run >= INTERVAL {
            let target = held_back(world, gc, &uuid, tick);
            if target <= safepoint {
                no_progress(world, &uuid, tick, safepoint, target);
            } else {
                safepoint = target;
                last_run = tick;
                round(world, &uuid, tick, safepoint);
            }
        }
        tick += MINUTE;
    }
}

/// A message of the GC worker, with its tag where the version puts it.
fn gc_log(world: &mut World, time: Ms, caller: &str, message: &str, fields: Fields) {
    let (message, category) = world.version.tagged("gc worker", message);
    let mut all: Fields = category.map(|c| ("category", c)).into_iter().collect();
    all.extend(fields);
    world.gc_db(time, info(caller, &message), all);
}

/// The safe point that this round can reach.
fn held_back(world: &mut World, gc: &Gc, uuid: &str, tick: Ms) -> u64 {
    let mut ours = world.tso(tick - gc.life);
    if let Some((from, until, ts)) = gc.session
        && (from..until).contains(&tick)
        && ts < ours
    {
        let allowed = world.tso(tick - 60 * 60 * SECOND);
        let fields = fields!["uuid" => uuid, "globalMinStartTS" => ts, "globalMinStartAllowedTS" => allowed, "safePoint" => ours];
        gc_log(world, tick, "gc_worker.go:454", "gc safepoint blocked by a running session", fields);
        ours = ts;
    }
    pd::gc_worker(world, tick + 4, ours);
    let lowest = lowest_service(world, tick);
    if lowest >= ours {
        return ours;
    }
    let message =
        "there's another service in the cluster requires an earlier safe point. gc will continue with the earlier one";
    let fields = fields!["uuid" => uuid, "ourSafePoint" => ours, "minSafePoint" => lowest];
    gc_log(world, tick + 6, "gc_worker.go:625", message, fields);
    lowest
}

/// The lowest safe point of a service that has not expired.
fn lowest_service(world: &World, time: Ms) -> u64 {
    let mut active: Vec<(&str, u64)> = Vec::new();
    for update in world.safepoints.iter().filter(|s| s.time <= time) {
        active.retain(|(service, _)| *service != update.service);
        if update.expires > time + world.pds[0].skew {
            active.push((&update.service, update.value));
        }
    }
    active.iter().map(|(_, value)| *value).min().unwrap_or(u64::MAX)
}

fn no_progress(world: &mut World, uuid: &str, tick: Ms, last: u64, current: u64) {
    let message = "last safe point is later than current one. No need to gc. This might be caused by manually enlarging gc lifetime";
    let time = |ts: u64| log_time(tso_time(ts), world.zone);
    let fields =
        fields!["leaderTick on" => uuid, "last safe point" => time(last), "current safe point" => time(current)];
    gc_log(world, tick + 7, "gc_worker.go:534", message, fields);
}

/// A round waits for regions that do not answer; the next ones find it running.
fn stuck(world: &mut World, uuid: &str, tick: Ms, safepoint: u64) {
    if within(&world.plan.no_gc, tick - MINUTE) {
        gc_log(
            world,
            tick,
            "gc_worker.go:276",
            "there's already a gc job running, skipped",
            fields!["leaderTick on" => uuid],
        );
    } else {
        let fields = fields!["uuid" => uuid, "safePoint" => safepoint, "concurrency" => 3];
        gc_log(world, tick, "gc_worker.go:1074", "start resolve locks", fields);
    }
}

fn round(world: &mut World, uuid: &str, tick: Ms, safepoint: u64) {
    let fields = fields!["uuid" => uuid, "safePoint" => safepoint, "concurrency" => 3];
    gc_log(world, tick + 10, "gc_worker.go:347", "starts the whole job", fields.clone());
    gc_log(world, tick + 20, "gc_worker.go:1074", "start resolve locks", fields);
    let fields = fields!["uuid" => uuid, "safePoint" => safepoint, "regions" => 1203];
    gc_log(world, tick + 910, "gc_worker.go:1095", "finish resolve locks", fields);
    let sent = tick + 100 * SECOND + 930;
    pd::gc_safepoint(world, sent - 2, safepoint);
    gc_log(
        world,
        sent,
        "gc_worker.go:1667",
        "sent safe point to PD",
        fields!["uuid" => uuid, "safe point" => safepoint],
    );
    world.gc.push((sent, safepoint));
    for store in world.store_ids() {
        let start = world.around(sent + SECOND, 10 * SECOND);
        let end = world.around(start + 40 * SECOND, 60 * SECOND);
        world.kv(
            store,
            start,
            info("gc_manager.rs:435", "gc_worker: auto gc starts"),
            fields!["safe_point" => safepoint],
        );
        let regions = 380 + end % 50;
        world.kv(
            store,
            end,
            info("gc_manager.rs:474", "gc_worker: auto gc finishes"),
            fields!["processed_regions" => regions],
        );
    }
}
