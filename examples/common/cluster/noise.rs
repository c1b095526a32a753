//! A healthy cluster's own life: leaders that move, splits, merges that work, routine errors, clients that err.

use crate::cluster::record::fields;
use crate::cluster::record::{error, info, warn};
use crate::cluster::region::Region;
use crate::cluster::time::{HOUR, MINUTE, Ms, SECOND};
use crate::cluster::world::World;
use crate::cluster::writers::storage::{self, Fault};
use crate::cluster::writers::{merge, observe, raft};
use crate::random::Random;

/// At most so many happenings, however long the logs are.
const MOST: Ms = 900;

/// Fills the window with life that has nothing to do with the story. The task is observed while `backup(time)` holds.
pub(crate) fn run(world: &mut World, seed: u64) {
    let story = std::mem::replace(&mut world.random, Random::new(seed ^ 0x0e15e));
    let step = ((world.end - world.begin) / MOST).max(9 * SECOND);
    let mut time = world.begin;
    while time < world.end - MINUTE {
        time += world.around(1, 2 * step);
        happen(world, time);
    }
    let mut time = world.begin + 12 * MINUTE;
    let mut revision = 8_000_000;
    while time < world.end {
        compact_etcd(world, time, revision);
        revision += 7_000;
        time += HOUR;
    }
    world.random = story;
}

/// Whether the task runs, so that regions are observed.
fn observed(world: &World, time: Ms) -> bool {
    !crate::cluster::backup::within(&world.plan.paused, time)
}

fn up(world: &mut World, time: Ms, region: &Region) -> bool {
    region.stores().into_iter().all(|store| world.store(store).down_since(time).is_none())
        && !crate::cluster::backup::within(&world.plan.no_pd, time)
}

fn happen(world: &mut World, time: Ms) {
    let at = world.random.below(world.background.len() as u64) as usize;
    let mut region = world.background[at].clone();
    if !up(world, time, &region) {
        return;
    }
    match world.random.below(100) {
        0..30 => move_leader(world, time, &mut region),
        30..36 => split(world, time, &mut region),
        36..39 => merge_away(world, time),
        39..52 => {
            let store = region.follower(region.leader, world.random.bits());
            raft::not_leader(world, time, &region, store);
        }
        52..60 => {
            let store = region.follower(region.leader, world.random.bits());
            raft::get_snapshot_failed(world, time, &region, store);
        }
        60..68 => compact(world, time, &region),
        68..72 => slow_write(world, time, region.leader),
        72..74 => {
            let head = error("kv.rs:778", "KvService::batch_raft send response fail");
            world.kv(region.leader, time, head, fields!["err" => "RemoteStopped"]);
        }
        74..75 => storage::request_failed(world, region.leader, time, Fault::Throttled),
        75..90 => slow_read(world, time, &region),
        90..95 => duplicate_key(world, time),
        _ => schema(world, time),
    }
    // A merge may have taken regions out of the list.
    if let Some(place) = world.background.iter_mut().find(|r| r.id == region.id) {
        *place = region;
    }
}

fn move_leader(world: &mut World, time: Ms, region: &mut Region) {
    let (from, to) = (region.leader, region.follower(region.leader, world.random.bits()));
    raft::transfer(world, time, region, to);
    if observed(world, time) {
        observe::stop(world, from, time + 14, "Stop", region);
        observe::begin(world, to, time + 15, region);
    }
}

fn split(world: &mut World, time: Ms, region: &mut Region) {
    // Keys of one region differ in their last bytes only; a later table cannot be hit.
    let key = middle(&region.start, &region.end);
    let Some(key) = key else { return };
    let new = raft::split(world, time, region, key);
    if observed(world, time) {
        observe::refresh(world, region.leader, time + 11, region);
        observe::begin(world, new.leader, time + 20, &new);
    }
    world.background.push(new);
}

/// A key between two rows of one table.
fn middle(start: &str, end: &str) -> Option<String> {
    let row = |key: &str| u64::from_str_radix(key.get(36..42)?, 16).ok();
    let (low, high) = (row(start)?, row(end)?);
    (start[..36] == end[..36] && high > low + 1)
        .then(|| format!("{}{:06X}{}", &start[..36], low + (high - low) / 2, &start[42..]))
}

/// A small table is dropped and its region merged into the next: done within a second.
fn merge_away(world: &mut World, time: Ms) {
    let (mut source, mut target) = world.pair();
    if !up(world, time, &source) || !up(world, time + 2 * SECOND, &target) {
        return;
    }
    let merging = merge::prepare(world, time, &mut source, &target);
    let takes = 300 + world.around(0, 900);
    merging.commit(world, time + takes, &source, &mut target);
    if observed(world, time) {
        observe::stop(world, source.leader, time + takes + 20, "Destroy", &source);
        observe::refresh(world, target.leader, time + takes + 21, &target);
    }
    world.background.push(target);
}

fn compact(world: &mut World, time: Ms, region: &Region) {
    let takes = format!("{}.{:06}ms", 80 + time % 800, time % 999_983);
    let fields = fields!["time_takes" => takes, "cf" => "write", "range_end" => format!("Some({})", region.end),
        "range_start" => format!("Some({})", region.start)];
    world.kv(region.leader, time, info("compact.rs:70", "compact range finished"), fields);
}

fn slow_write(world: &mut World, time: Ms, store: u64) {
    let message = format!(
        "[store {store}] async write too slow, write_kv: 0.01s, write_raft: 1.{:02}s, send: 0.002s, callback: 0.05s thread: store-writer-0",
        time % 100
    );
    world.kv(store, time, warn("write.rs:611", &message), fields!["takes" => 1_000 + time % 900]);
}

fn slow_read(world: &mut World, time: Ms, region: &Region) {
    let address = world.address(region.leader);
    let took = 300 + time % 600;
    let message = format!(
        "[TIME_COP_PROCESS] resp_time:{took}.293630ms txnStartTS:{} region_id:{} store_addr:{address} kv_process_ms:{} kv_wait_ms:0 \
         kv_read_ms:{} processed_versions:187608 total_versions:412336 rocksdb_delete_skipped_count:12 rocksdb_key_skipped_count:412335 \
         rocksdb_cache_hit_count:310 rocksdb_read_count:4 rocksdb_read_byte:201223",
        world.tso(time - SECOND) + 3,
        region.id,
        took - 7,
        took - 20
    );
    let node = world.random.below(world.tidbs.len() as u64) as usize;
    World::node(
        &mut world.tidbs[node],
        time,
        info("coprocessor.go:1203", &message),
        fields!["conn" => 2_199_023_255_941 + time % 9_999],
    );
}

fn duplicate_key(world: &mut World, time: Ms) {
    let conn = 2_199_023_255_000 + time % 9_999;
    let fields = fields!["conn" => conn,
        "connInfo" => format!("id:{conn}, addr:10.9.3.7:{} status:10, collation:utf8mb4_general_ci, user:app", 30_000 + time % 9_000),
        "command" => "Query", "status" => "inTxn:0, autocommit:1",
        "sql" => "INSERT INTO `orders_tag` (`order_id`, `tag`) VALUES (81723, 'gift')", "txn_mode" => "PESSIMISTIC",
        "err" => "[kv:1062]Duplicate entry '81723-gift' for key 'orders_tag.uk_order_tag'"];
    let node = world.random.below(world.tidbs.len() as u64) as usize;
    World::node(&mut world.tidbs[node], time, info("conn.go:1149", "command dispatched failed"), fields);
}

fn schema(world: &mut World, time: Ms) {
    let version = (time - world.begin) / MINUTE + 100;
    for node in &mut world.tidbs {
        let fields = fields!["currentSchemaVersion" => version, "neededSchemaVersion" => version + 1, "start time" => "1.433298ms",
            "phyTblIDs" => "[73]", "actionTypes" => "[8]"];
        World::node(node, time, info("domain.go:133", "diff load InfoSchema success"), fields);
    }
}

fn compact_etcd(world: &mut World, time: Ms, revision: u64) {
    for node in &mut world.pds {
        World::node(node, time, info("index.go:189", "compact tree index"), fields!["revision" => revision]);
        let fields = fields!["compact-revision" => revision, "took" => "6.190338ms"];
        World::node(node, time + 13, info("kvstore_compaction.go:57", "finished scheduled compaction"), fields);
    }
}
