//! The checkpoint stands still, or almost, though no store gives up: locks, the advancer, PD, a store that does nothing.

use super::{healthy, live, moment, open, stalled, stuck, task};
use crate::cluster::backup::Cap;
use crate::cluster::gc::Gc;
use crate::cluster::record::fields;
use crate::cluster::record::{Fields, error, info, warn};
use crate::cluster::region::Region;
use crate::cluster::time::{HOUR, MINUTE, Ms, SECOND, go_duration, tso_time};
use crate::cluster::truth::{Incident, Truth};
use crate::cluster::world::World;
use crate::cluster::writers::status::State;
use crate::cluster::writers::{advancer, lifecycle, task as backup_task};

/// A lock of one transaction in one region.
struct Lock {
    region: Region,
    from: Ms,
    until: Ms,
    ts: u64,
}

impl Lock {
    /// A lock from `from` until `until`: the region's leader cannot get past it.
    fn new(world: &mut World, from: Ms, until: Ms) -> Self {
        let region = world.new_regions(1).remove(0);
        let ts = world.tso(from - 2 * SECOND) + world.random.between(1, 9);
        let cap = Cap { store: region.leader, region: region.id, from, until, ts, lock: true };
        world.plan.capped.push(cap);
        Self { region, from, until, ts }
    }

    /// What its store, the advancer and the lock resolver say about it meanwhile.
    fn describe(&self, world: &mut World, resolved: bool) {
        let (store, id, ts) = (self.region.leader, self.region.id, self.ts);
        let steps = (self.until - self.from) / (3 * MINUTE);
        // Long stalls say the same for ever: an hour of it is enough to see.
        for step in 1..=steps.min(40) {
            let at = self.from + step * 3 * MINUTE;
            let gap = go_duration(at - tso_time(ts));
            if !world.version.resolves_locks() {
                let resolver = format!("Some(Resolver {{ region_id: {id}, resolved_ts: TimeStamp({ts}) }})");
                let fields = fields!["gap" => gap, "far_resolver" => resolver];
                world.kv(
                    store,
                    at,
                    warn("subscription_track.rs:141", "log backup resolver ts advancing too slow"),
                    fields,
                );
                continue;
            }
            let message = if world.version.async_subscription() {
                "non-large txn locks with the minimum start_ts in resolver"
            } else {
                "locks with the minimum start_ts in resolver"
            };
            let locks = format!("TxnLocks {{ lock_count: 1, sample_lock: Some({}) }}", self.region.start);
            let fields = fields!["region_id" => id, "txn_locks" => locks, "start_ts" => ts, "search_lower_bound" => 0];
            world.kv(store, at, info("resolver.rs:498", message), fields);
            advancer::last_region(world, at + 700, &self.region, ts);
            let last = resolved && step == steps.min(40);
            world.db(at + 900, info("advancer.go:640", "Advancer starts to resolve locks"), fields!["targets" => 1]);
            let mut fields: Fields = fields!["category" => "advancer", "uuid" => "log backup advancer"];
            if last {
                fields.extend(fields!["StartKey" => "", "EndKey" => "", "targets" => 1]);
                world.db(at + 1_900, info("advancer.go:690", "finish resolve locks for checkpoint"), fields);
            } else {
                fields.extend(fields!["error" => "context deadline exceeded"]);
                world.db(at + 1_900, warn("advancer.go:680", "resolve locks failed, wait for next tick"), fields);
            }
        }
    }

    /// GC that a session with this transaction holds back.
    fn gc(&self) -> Gc {
        Gc { session: Some((self.from, self.until, self.ts)), ..Gc::default() }
    }
}

/// Chain 5.
pub(super) fn lock_held(world: &mut World) -> Truth {
    let time = moment(world);
    world.end = time + world.random.between(60, 170) as Ms * MINUTE;
    let lock = Lock::new(world, time, world.end);
    lock.describe(world, false);
    live(world, &lock.gc(), |_| (State::Normal, vec![]));
    let incident = Incident {
        regions: vec![lock.region.id],
        stores: vec![lock.region.leader],
        start: Some(tso_time(lock.ts)),
        ..stalled(world, "lock-unresolved")
    };
    Truth { incidents: vec![incident], ..stuck(world) }
}

/// Its twin.
pub(super) fn lock_resolved(world: &mut World) -> Truth {
    let time = moment(world);
    world.end = time + 80 * MINUTE;
    let lock = Lock::new(world, time, time + 7 * MINUTE);
    lock.describe(world, true);
    live(world, &lock.gc(), |_| (State::Normal, vec![]));
    Truth {
        noise: vec![format!("a lock in region {} holds the checkpoint for 7 minutes", lock.region.id)],
        ..healthy(world)
    }
}

/// Chain 9: the limit is two days by default, and lower here for most seeds.
pub(super) fn lag_pause(world: &mut World) -> Truth {
    let time = moment(world);
    let limit = if world.random.below(4) == 0 { 48 * HOUR } else { world.random.between(3, 6) as Ms * HOUR };
    let paused = world.around(time + limit + SECOND, 20 * SECOND);
    world.end = paused + world.random.between(30, 90) as Ms * MINUTE;
    let lock = Lock::new(world, time, world.end);
    lock.describe(world, false);
    world.plan.paused.push((paused, world.end));
    live(world, &lock.gc(), |world| {
        let lag = go_duration(paused - tso_time(lock.ts));
        advancer::log(
            world,
            paused,
            warn("advancer.go:531", "checkpoint lag is too large"),
            "log backup advancer",
            fields!["lag" => lag],
        );
        advancer::tick_failed(world, paused + 10, true, "check point lagged too large: check point lagged too large");
        backup_task::paused(world, paused + 60, None);
        (State::Paused, vec![])
    });
    let incident = Incident { start: Some(paused), ..open(world, "task-paused", "lag-check", "PAUSED") };
    Truth {
        incidents: vec![incident.or("cause", &["lock-unresolved"])],
        task: Some(task(world, "PAUSED")),
        ..Truth::default()
    }
}

/// Its twin.
pub(super) fn lag_below(world: &mut World) -> Truth {
    let time = moment(world);
    let until = time + 2 * HOUR;
    world.end = until + 60 * MINUTE;
    let lock = Lock::new(world, time, until);
    lock.describe(world, true);
    live(world, &lock.gc(), |_| (State::Normal, vec![]));
    let stall = Incident {
        kind: "checkpoint-stalled",
        status: "recovered",
        task: world.task.name.clone(),
        ..Incident::default()
    };
    Truth {
        allowed: vec![stall],
        noise: vec!["a lock holds the checkpoint for two hours".to_owned()],
        ..healthy(world)
    }
}

/// Chain 7: every TiDB was stopped and none came back.
pub(super) fn owner_lost(world: &mut World) -> Truth {
    let time = moment(world);
    world.end = time + world.random.between(60, 240) as Ms * MINUTE;
    for node in 0..world.tidbs.len() {
        let at = time + node as Ms * 9 * SECOND;
        lifecycle::stop_tidb(world, node, at);
        world.tidbs[node].stop(at + SECOND, Ms::MAX);
    }
    subscriptions_gone(world, time + 2 * SECOND);
    live(world, &Gc::default(), |_| (State::Normal, vec![]));
    let incident = Incident { start: Some(time), ..stalled(world, "operator") };
    Truth { incidents: vec![incident.or("cause", &["unknown", "configuration"])], ..stuck(world) }
}

/// The stores notice that nobody listens to their flushes.
fn subscriptions_gone(world: &mut World, time: Ms) {
    if !world.version.display_errors() {
        return;
    }
    for store in world.store_ids() {
        let id = format!("5f1c0d2e-8d7e-4a1e-9f51-{:012x}", world.random.below(1 << 48));
        world.kv(
            store,
            time,
            info("checkpoint_manager.rs:117", "client is gone, removing subscription"),
            fields!["id" => id],
        );
    }
}

/// Its twin: the owner restarts, and owns again.
pub(super) fn owner_moved(world: &mut World) -> Truth {
    let time = moment(world);
    world.end = time + 80 * MINUTE;
    world.db(
        time - SECOND,
        info("owner_daemon.go:45", "cancel running daemon"),
        fields!["daemon" => "LogBackup::Advancer"],
    );
    lifecycle::stop_tidb(world, 0, time);
    let up = world.around(time + 15 * SECOND, 40 * SECOND);
    world.tidbs[0].stop(time + SECOND, up);
    lifecycle::start_tidb(world, 0, up);
    advancer::become_owner(world, 0, up + 5 * SECOND);
    subscriptions_gone(world, time + 2 * SECOND);
    for store in world.store_ids() {
        let boot = world.begin - 40 * HOUR;
        advancer::subscribe(world, up + 6 * SECOND, store, boot);
    }
    live(world, &Gc::default(), |_| (State::Normal, vec![]));
    Truth { noise: vec!["the TiDB that owns the advancer restarts".to_owned()], ..healthy(world) }
}

/// What TiKV and TiDB say while PD does not answer.
fn no_pd(world: &mut World, from: Ms, until: Ms) {
    world.plan.no_pd.push((from, until));
    let rpc =
        "RpcFailure(RpcStatus { code: 14-UNAVAILABLE, message: \"failed to connect to all addresses\", details: [] })";
    let mut at = from + 3 * SECOND;
    while at < until {
        for store in world.store_ids() {
            for (after, err, context) in [
                (
                    0,
                    "gRPC meet error RpcFailure: 14-UNAVAILABLE failed to connect to all addresses",
                    "metadata client watch meet error",
                ),
                (
                    800,
                    "PD client meet error: Grpc(RpcFailure: 14-UNAVAILABLE failed to connect to all addresses)",
                    "failed to update service safe point!",
                ),
            ] {
                let mut fields = fields!["verbose_err" => format!("Grpc({rpc})")];
                if world.version.async_subscription() {
                    fields.push(("position", "components/backup-stream/src/endpoint.rs:402:14".to_owned()));
                }
                fields.extend(fields!["err" => err, "context" => context]);
                world.kv(store, at + after, warn("errors.rs:155", "backup stream meet error"), fields);
            }
        }
        advancer::tick_failed(world, at + 400, true, "failed to upload global checkpoint: context deadline exceeded");
        let (message, category) = world.version.tagged("gc worker", "failed to update service safe point");
        let mut fields: Fields = category.map(|c| ("category", c)).into_iter().collect();
        fields.extend(fields!["uuid" => "60f1c0a4d5c0001", "error" => "rpc error: code = Unavailable desc = transport is closing"]);
        world.gc_db(at + 600, error("gc_worker.go:618", &message), fields);
        at += 40 * SECOND;
    }
}

/// Chain 8, for good.
pub(super) fn pd_unavailable(world: &mut World) -> Truth {
    let time = moment(world);
    world.end = time + world.random.between(45, 120) as Ms * MINUTE;
    for node in &mut world.pds {
        node.stop(time, Ms::MAX);
    }
    no_pd(world, time, world.end);
    live(world, &Gc::default(), |_| (State::Normal, vec![]));
    let incident = Incident { start: Some(time), ..stalled(world, "pd-unavailable") };
    Truth { incidents: vec![incident.or("kind", &["other"])], ..stuck(world) }
}

/// Its twin.
pub(super) fn pd_leader_change(world: &mut World) -> Truth {
    let time = moment(world);
    world.end = time + 80 * MINUTE;
    world.pd(time, info("server.go:1308", "pd leader has changed, try to re-campaign a pd leader"), fields![]);
    let again = world.around(time + 3 * SECOND, 5 * SECOND);
    no_pd(world, time, again);
    let (message, key) = if world.version.async_subscription() {
        ("campaign PD leader ok", "campaign-leader-name")
    } else {
        ("campaign pd leader ok", "campaign-pd-leader-name")
    };
    world.pd(again, info("server.go:1352", message), fields![key => "pd-1"]);
    live(world, &Gc::default(), |_| (State::Normal, vec![]));
    Truth { noise: vec!["PD has no leader for seconds".to_owned()], ..healthy(world) }
}

/// The task starts in the middle of the logs; `late`: how long after the others `store` gets it, if at all.
fn start_task(world: &mut World, time: Ms, store: u64, late: Option<Ms>) {
    world.task.start = world.tso(time - 60);
    world.plan.paused.push((world.begin, time));
    let event = "AddTask";
    for other in world.store_ids() {
        if other != store {
            backup_task::register(world, other, time + 100, Some(event), true);
            continue;
        }
        backup_task::register(world, other, time + 100, Some(event), false);
        let mut fields = fields!["verbose_err" => "Other(\"regions not found\")"];
        if !world.version.display_errors() {
            fields.clear();
        }
        fields
            .extend(fields!["err" => "Other Error: regions not found", "context" => "backup stream initialize failed"]);
        world.kv(other, time + 1_900, warn("errors.rs:155", "backup stream meet error"), fields);
        if let Some(late) = late {
            backup_task::register(world, other, time + late, None, true);
        }
    }
    advancer::task_event(world, time + 120, "Add");
}

/// Chain 11: one store could not initialize, and nothing tells the person who looks at the status.
pub(super) fn silent_store(world: &mut World) -> Truth {
    let time = moment(world);
    let ids = world.store_ids();
    let store = world.pick(&ids);
    world.end = time + world.random.between(60, 200) as Ms * MINUTE;
    world.plan.no_flush.push((store, world.begin, world.end));
    start_task(world, time, store, None);
    live(world, &Gc::default(), |_| (State::Normal, vec![]));
    let incident = Incident { stores: vec![store], start: Some(world.written(store, time)), ..stalled(world, "bug") }
        .or("kind", &["other"])
        .or("cause", &["unknown"])
        .or("verdict", &["recreate-task", "resume"]);
    Truth { incidents: vec![incident], ..stuck(world) }
}

/// Its twin.
pub(super) fn late_store(world: &mut World) -> Truth {
    let time = moment(world);
    let ids = world.store_ids();
    let store = world.pick(&ids);
    world.end = time + 80 * MINUTE;
    start_task(world, time, store, Some(12 * SECOND));
    live(world, &Gc::default(), |_| (State::Normal, vec![]));
    Truth { noise: vec![format!("store {store} needs a second attempt to initialize the task")], ..healthy(world) }
}
