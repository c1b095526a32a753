//! Stores that restart, vanish, or run out of memory.

use super::{healthy, live, merges, moment, open, stalled, stuck, task};
use crate::cluster::backup::Cap;
use crate::cluster::gc::Gc;
use crate::cluster::record::fields;
use crate::cluster::record::{error, info, warn};
use crate::cluster::region::Region;
use crate::cluster::time::{MINUTE, Ms, SECOND, tso};
use crate::cluster::truth::{Incident, Truth};
use crate::cluster::version::Version;
use crate::cluster::world::World;
use crate::cluster::writers::status::State;
use crate::cluster::writers::{advancer, lifecycle, observe, raft, task as backup_task};

/// A planned restart: leaders leave, the store stops and starts, leaders come back.
fn restart(world: &mut World, store: u64, time: Ms, takes: Ms) {
    let mut movers: Vec<Region> = world.new_regions(5);
    for (n, region) in movers.iter_mut().enumerate() {
        if region.peer(store) != 0 {
            region.leader = store;
            let to = region.follower(store, n as u64);
            raft::transfer(world, time - 20 * SECOND + n as Ms * 700, region, to);
        }
    }
    lifecycle::stop_store(world, store, time);
    let (down, up) = (time + 1_500, time + takes);
    world.store(store).stop(down, up);
    for other in world.store_ids().into_iter().filter(|id| *id != store) {
        unreachable(world, other, store, down + SECOND, 1);
    }
    advancer::subscriber_error(
        world,
        down + 2 * SECOND,
        store,
        "rpc error: code = Unavailable desc = error reading from server: EOF",
    );
    lifecycle::start_store(world, store, up);
    backup_task::register(world, store, up + 2_300, None, true);
    for (n, region) in movers.iter_mut().enumerate().filter(|(_, r)| r.peer(store) != 0) {
        let (from, at) = (region.leader, up + 40 * SECOND + n as Ms * 900);
        raft::transfer(world, at, region, store);
        observe::stop(world, from, at + 14, "Stop", region);
        observe::start(world, store, at + 15, region);
    }
    let boot = world.written(store, up);
    advancer::subscribe(world, up + 30 * SECOND, store, boot);
}

/// A store sees that another is not there.
fn unreachable(world: &mut World, store: u64, lost: u64, time: Ms, times: i64) {
    let address = world.address(lost);
    let fields = fields!["addr" => address,
        "receiver_err" => "Some(RpcFailure(RpcStatus { code: 14-UNAVAILABLE, message: \"Broken pipe\", details: [] }))",
        "sink_error" => "Some(RpcFinished(None))", "store_id" => lost];
    world.kv(store, time, error("raft_client.rs:564", "connection aborted"), fields);
    for n in 0..times {
        let at = time + 5 * SECOND + n * 25 * SECOND;
        if world.version.display_errors() {
            world.kv(
                store,
                at,
                error("raft_client.rs:821", "wait connect timeout"),
                fields!["addr" => address, "store_id" => lost],
            );
        }
        let fields = fields!["unreachable_store_id" => lost, "store_id" => store];
        world.kv(store, at + 100, info("store.rs:2676", "broadcasting unreachable"), fields);
    }
}

/// Chain 2 without chain 1: scans from the checkpoint take a while.
pub(super) fn restart_calm(world: &mut World) -> Truth {
    let time = moment(world);
    let ids = world.store_ids();
    let regions = world.new_regions(ids.len() as u64);
    let mut at = time;
    for (store, region) in ids.iter().zip(&regions) {
        restart(world, *store, at, 35 * SECOND);
        let flushed = world.version.flush_interval();
        world.plan.capped.push(Cap {
            store: *store,
            region: region.id,
            from: at + 36 * SECOND,
            until: at + 36 * SECOND + flushed + MINUTE,
            ts: world.tso(at - 20 * SECOND),
            lock: false,
        });
        let message = "waiting for initial scanning done timed out, forcing progress!";
        world.kv(
            *store,
            at + 3 * MINUTE,
            warn("subscription_manager.rs:451", message),
            fields!["timedout" => true, "take" => "30.0s"],
        );
        at += 6 * MINUTE;
    }
    world.end = at + 60 * MINUTE;
    live(world, &Gc::default(), |_| (State::Normal, vec![]));
    Truth { noise: vec!["every store is restarted, one after the other".to_owned()], ..healthy(world) }
}

/// Chain 2 into chain 1: the merge waits for the store that is down, its source has a new leader.
pub(super) fn restart_storm(world: &mut World) -> Truth {
    let time = moment(world);
    let pair = world.pair();
    let restarted = pair.0.leader;
    let mut refused = merges::refuse(world, time, pair, Ms::MAX);
    restart(world, restarted, time + 180, refused.last - time + 5 * SECOND);
    refused.held_until = refused.last + 10 * SECOND;
    world.end = refused.last + super::aftermath(world);
    let others: Vec<u64> = world.store_ids().into_iter().filter(|id| *id != restarted).collect();
    for (n, store) in others.into_iter().enumerate() {
        restart(world, store, refused.last + (8 + 6 * n as Ms) * MINUTE, 35 * SECOND);
    }
    world.plan.paused.push((refused.last, world.end));
    live(world, &Gc::default(), |world| (State::Error, vec![refused.give_up(world)]));
    let incident = open(world, "task-failed", "region-merge", "ERROR").or("cause", &["store-restart", "leader-change"]);
    let incident = refused.describe(world, incident);
    Truth {
        incidents: vec![incident],
        noise: vec!["every store is restarted on purpose".to_owned()],
        task: Some(task(world, "ERROR")),
        ..Truth::default()
    }
}

/// Chain 3: two hosts lose power, the regions that had two peers there have no leader.
pub(super) fn down(world: &mut World) -> Truth {
    let time = moment(world);
    let mut region = world.new_regions(1).remove(0);
    let stores: Vec<u64> = region.stores();
    let (lost, left) = (stores[..2].to_vec(), stores[2]);
    region.leader = lost[0];
    world.end = time + world.random.between(45, 150) as Ms * MINUTE;
    for store in &lost {
        world.store(*store).stop(time, Ms::MAX);
    }
    world.plan.frozen.push((time, Ms::MAX));
    world.plan.no_gc.push((time, world.end));
    let minutes = (world.end - time) / MINUTE;
    for other in world.store_ids().into_iter().filter(|id| !lost.contains(id)) {
        for store in &lost {
            unreachable(world, other, *store, time + 2 * SECOND, minutes * 2);
        }
    }
    for minute in 0..minutes {
        let at = time + 15 * SECOND + minute * MINUTE;
        raft::try_election(world, at, &region, left);
        for store in &lost {
            let fields = fields!["target-store-id" => store, "error" => "[PD:grpc:ErrGRPCSend]send request error: EOF"];
            let message = "send keepalive message fail, store maybe disconnected";
            world.pd(at + 300, warn("heartbeat_streams.go:143", message), fields);
            let address = world.address(*store);
            let error = format!(
                "failed to get checkpoint from regions: rpc error: code = Unavailable desc = connection error: desc = \"transport: error \
                 while dialing: dial tcp {address}: connect: connection refused\""
            );
            advancer::tick_failed(world, at + 900, false, &error);
        }
        advancer::no_leader(world, at + 800, region.id);
    }
    live(world, &Gc::default(), |_| (State::Normal, vec![]));
    let incident = Incident { stores: lost.clone(), start: Some(time), ..stalled(world, "store-down") }
        .or("cause", &["network"])
        .or("kind", &["store-down", "region-unavailable"]);
    let gone = |store: u64| Incident { kind: "store-down", stores: vec![store], status: "open", ..Incident::default() };
    let mut allowed: Vec<Incident> = lost.iter().map(|s| gone(*s)).collect();
    allowed.push(Incident { kind: "region-unavailable", status: "open", ..Incident::default() });
    allowed.push(Incident { kind: "checkpoint-stalled", status: "open", ..Incident::default() });
    Truth { incidents: vec![incident], allowed, ..stuck(world) }
}

/// Its twin: seconds without network.
pub(super) fn blip(world: &mut World) -> Truth {
    let time = moment(world);
    let ids = world.store_ids();
    let lost = world.pick(&ids);
    world.end = time + 80 * MINUTE;
    for other in ids.into_iter().filter(|id| *id != lost) {
        unreachable(world, other, lost, time, 1);
        unreachable(world, lost, other, time + 100, 1);
    }
    let movers = world.new_regions(4);
    live(world, &Gc::default(), |world| {
        for (n, mut region) in movers.into_iter().enumerate().filter(|(_, r)| r.peer(lost) != 0) {
            region.leader = lost;
            let to = region.follower(lost, n as u64);
            let at = time + 11 * SECOND + n as Ms * 400;
            let fields = fields!["raft_id" => region.peer(lost), "region_id" => region.id];
            world.kv(
                lost,
                at - SECOND,
                warn("raft.rs:1177", "stepped down to follower since quorum is not active"),
                fields,
            );
            raft::elect(world, at, &mut region, to, true);
            observe::stop(world, lost, at + 4 * SECOND, "Stop", &region);
            observe::begin(world, to, at + 20, &region);
        }
        (State::Normal, vec![])
    });
    Truth { noise: vec![format!("store {lost} is cut off for about 15 seconds")], ..healthy(world) }
}

/// A region whose scan has to wait for memory.
fn over_quota(world: &mut World, store: u64, time: Ms, region: u64) {
    if world.version < Version::V81 {
        return;
    }
    let fields = fields!["mem_max" => 536_870_912, "mem_usage" => "0.98", "region" => region];
    world.kv(store, time, info("subscription_manager.rs:528", "log backup triggering high memory usage."), fields);
    let fields = fields!["op" => format!("HighMemUsageWarning {{ inconsistent_region: {region} }}")];
    world.kv(store, time + 3, info("subscription_manager.rs:400", "backup stream: on_modify_observe"), fields);
}

/// Chain 6: killed, started, scanning from the same old checkpoint, killed again.
pub(super) fn oom_loop(world: &mut World) -> Truth {
    let time = moment(world);
    let ids = world.store_ids();
    let store = world.pick(&ids);
    let regions = world.new_regions(6);
    let mut kills = Vec::new();
    let mut at = time;
    for _ in 0..world.random.between(4, 6) {
        kills.push(at);
        let up = at + 22 * SECOND;
        world.store(store).stop(at, up);
        for other in ids.iter().filter(|id| **id != store) {
            unreachable(world, *other, store, at + 800, 1);
        }
        lifecycle::start_store(world, store, up);
        backup_task::register(world, store, up + 2_300, None, true);
        for (n, region) in regions.iter().enumerate() {
            observe::start(world, store, up + 4 * SECOND + n as Ms * 300, region);
            over_quota(world, store, up + 30 * SECOND + n as Ms * 4 * SECOND, region.id);
        }
        at = world.around(at + 8 * MINUTE, 6 * MINUTE);
    }
    world.end = at;
    world.plan.no_flush.push((store, time - 3 * SECOND, world.end));
    lifecycle::kernel_kills(world, store, &kills);
    live(world, &Gc::default(), |_| (State::Normal, vec![]));
    let loop_of = Incident {
        kind: "store-restarted",
        cause: "out-of-memory",
        status: "open",
        verdict: "fix-and-retry",
        stores: vec![store],
        start: Some(world.written(store, time)),
        ..Incident::default()
    }
    .or("verdict", &["investigate"])
    .or("kind", &["checkpoint-stalled", "store-down"]);
    let stall = stalled(world, "out-of-memory").or("cause", &["store-restart", "memory-quota", "unknown"]);
    let restarts = Incident { kind: "store-restarted", stores: vec![store], ..Incident::default() };
    Truth { incidents: vec![loop_of], allowed: vec![stall, restarts], ..stuck(world) }
}

/// Its twin: the quota does what it is for.
pub(super) fn memory_high(world: &mut World) -> Truth {
    let time = moment(world);
    let ids = world.store_ids();
    let store = world.pick(&ids);
    world.end = time + 80 * MINUTE;
    let regions = world.new_regions(5);
    let checkpoint = tso(time - 3 * MINUTE);
    for (n, region) in regions.iter().enumerate() {
        let at = time + n as Ms * 4 * SECOND;
        observe::start(world, store, at, region);
        over_quota(world, store, at + 900, region.id);
        let again = world.around(at + 60 * SECOND, 60 * SECOND);
        observe::start(world, store, again, region);
        observe::scanned(world, store, again + 2_300, region, checkpoint, 2_250);
    }
    live(world, &Gc::default(), |_| (State::Normal, vec![]));
    Truth {
        noise: vec![format!("initial scans of store {store} wait for memory for a minute or two")],
        ..healthy(world)
    }
}
