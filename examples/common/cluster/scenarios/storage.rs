//! The external storage, and the stores' own disks.

use super::{aftermath, healthy, live, merges, moment, open, task};
use crate::cluster::gc::Gc;
use crate::cluster::record::fields;
use crate::cluster::record::warn;
use crate::cluster::time::{HOUR, MINUTE, Ms, SECOND};
use crate::cluster::truth::{Incident, Truth};
use crate::cluster::version::Version;
use crate::cluster::world::World;
use crate::cluster::writers::br;
use crate::cluster::writers::status::State;
use crate::cluster::writers::storage::{self, Fault};

fn cause(fault: Fault) -> &'static str {
    match fault {
        Fault::Access => "storage-access",
        Fault::Full => "storage-full",
        Fault::Throttled => "storage-throttled",
        Fault::Disk => "disk-full",
    }
}

/// Before v6.5 the safe point of a flush is the checkpoint itself: GC must be slower than the failures, or the pause guard comes too late.
fn slow_gc(version: Version) -> Gc {
    if version < Version::V65 { Gc { life: HOUR, ..Gc::default() } } else { Gc::default() }
}

/// Whether it hits all stores, or one.
fn everywhere(fault: Fault) -> bool {
    matches!(fault, Fault::Full | Fault::Throttled)
}

/// Chain 4: a store gives up after so many failed flushes; where all stores are hit, the others are not so far yet.
fn fail(world: &mut World, fault: Fault, time: Ms) -> Truth {
    let ids = world.store_ids();
    let store = world.pick(&ids);
    let every = world.around(25 * SECOND, 20 * SECOND);
    let fatal = storage::fail_until_fatal(world, store, time, every, fault);
    world.end = fatal + aftermath(world);
    world.plan.paused.push((fatal, world.end));
    for other in ids.into_iter().filter(|id| *id == store || everywhere(fault)) {
        world.plan.no_flush.push((other, time - SECOND, world.end));
        let mut at = time + 40 * SECOND;
        while other != store && at < fatal - every {
            storage::flush_failed(world, other, at, fault);
            at += every + 4 * SECOND;
        }
    }
    live(world, &slow_gc(world.version), |world| (State::Error, vec![storage::fatal(world, store, fatal, fault)]));
    let start = Some(world.written(store, time));
    let incident = Incident { stores: vec![store], start, ..open(world, "task-failed", cause(fault), "ERROR") };
    Truth { incidents: vec![incident], task: Some(task(world, "ERROR")), ..Truth::default() }
}

/// Its twin: a handful of failures, then flushes again.
fn fail_briefly(world: &mut World, fault: Fault) -> Truth {
    let time = moment(world);
    let ids = world.store_ids();
    let store = world.pick(&ids);
    let every = world.around(25 * SECOND, 20 * SECOND);
    let times = world.random.between(3, 9) as Ms;
    world.end = time + 90 * MINUTE;
    for other in ids.into_iter().filter(|id| *id == store || everywhere(fault)) {
        world.plan.no_flush.push((other, time - SECOND, time + times * every));
        for n in 0..times {
            storage::flush_failed(world, other, time + n * every, fault);
        }
    }
    live(world, &Gc::default(), |_| (State::Normal, vec![]));
    Truth { noise: vec![format!("{times} flushes of store {store} fail, then they work again")], ..healthy(world) }
}

pub(super) fn access(world: &mut World) -> Truth {
    let time = moment(world);
    fail(world, Fault::Access, time)
}

pub(super) fn access_brief(world: &mut World) -> Truth {
    fail_briefly(world, Fault::Access)
}

pub(super) fn full(world: &mut World) -> Truth {
    let time = moment(world);
    fail(world, Fault::Full, time)
}

pub(super) fn full_brief(world: &mut World) -> Truth {
    fail_briefly(world, Fault::Full)
}

pub(super) fn throttled(world: &mut World) -> Truth {
    let time = moment(world);
    fail(world, Fault::Throttled, time)
}

pub(super) fn throttled_brief(world: &mut World) -> Truth {
    fail_briefly(world, Fault::Throttled)
}

/// A store reports how full its disk is.
fn disk_usage(world: &mut World, store: u64, time: Ms, from: &str, to: &str, available: u64) {
    let rest = "snap=0,kv=182536110080,raft=10737418240,capacity=214748364800";
    let message = if world.version >= Version::V65 {
        format!(
            "disk usage {from}->{to} (raft engine usage: Normal, kv engine usage: {to}), seperated raft mount=false, kv \
             available={available}, {}",
            rest.replace(',', ", ")
        )
    } else {
        format!("disk usage {from}->{to}, available={available},{rest}")
    };
    world.kv(store, time, warn("server.rs:1432", &message), fields![]);
}

/// Chain 10. The store is the one that `fail` picks: it is asked by its first failed flush.
pub(super) fn disk_full(world: &mut World) -> Truth {
    let time = moment(world);
    let truth = fail(world, Fault::Disk, time + 12 * MINUTE);
    let Some(store) = truth.incidents.first().and_then(|i| i.stores.first().copied()) else { return truth };
    disk_usage(world, store, time, "Normal", "AlmostFull", 5_368_709_120);
    disk_usage(world, store, time + 11 * MINUTE, "AlmostFull", "AlreadyFull", 104_857_600);
    for n in 0..5 {
        let fields =
            fields!["store-id" => store, "capacity" => 214_748_364_800_u64, "available" => 5_368_709_120_u64 >> n];
        world.pd(
            time + 20 * SECOND + n * 3 * MINUTE,
            warn("cluster.go:676", "store does not have enough disk space"),
            fields,
        );
    }
    truth
}

pub(super) fn disk_almost_full(world: &mut World) -> Truth {
    let time = moment(world);
    let ids = world.store_ids();
    let store = world.pick(&ids);
    world.end = time + 80 * MINUTE;
    disk_usage(world, store, time, "Normal", "AlmostFull", 5_368_709_120);
    disk_usage(world, store, time + 8 * MINUTE, "AlmostFull", "Normal", 42_949_672_960);
    live(world, &Gc::default(), |_| (State::Normal, vec![]));
    Truth { noise: vec![format!("the disk of store {store} is almost full for 8 minutes")], ..healthy(world) }
}

/// A store has lost access to the storage when another's merge fails the task; after the resume it fails the task itself.
pub(super) fn two_at_once(world: &mut World) -> Truth {
    let time = moment(world);
    let pair = world.pair();
    let mut refused = merges::refuse(world, time, pair, Ms::MAX);
    let ids = world.store_ids();
    let others: Vec<u64> = ids.into_iter().filter(|id| *id != refused.store).collect();
    let store = world.pick(&others);
    let every = world.around(25 * SECOND, 20 * SECOND);
    let began = refused.last - 3 * MINUTE;
    let mut at = began;
    while at < refused.last {
        storage::flush_failed(world, store, at, Fault::Access);
        at += every;
    }
    let resumed = world.around(refused.last + 10 * MINUTE, 40 * MINUTE);
    let fatal = storage::fail_until_fatal(world, store, resumed + 2 * MINUTE, every, Fault::Access);
    world.end = fatal + aftermath(world);
    world.plan.no_flush.push((store, began - SECOND, world.end));
    world.plan.paused.extend([(refused.last, resumed + SECOND), (fatal, world.end)]);
    live(world, &slow_gc(world.version), |world| {
        refused.give_up(world);
        br::log_resume(world, resumed);
        (State::Error, vec![storage::fatal(world, store, fatal, Fault::Access)])
    });
    let start = Some(world.written(store, began));
    let second = Incident { stores: vec![store], start, ..open(world, "task-failed", "storage-access", "ERROR") };
    let first = merges::recovered(world, &refused);
    Truth { incidents: vec![first, second], task: Some(task(world, "ERROR")), ..Truth::default() }
}
