//! Raft: elections, leader transfers, splits, and the region errors that follow.

use crate::cluster::record::fields;
use crate::cluster::record::{info, warn};
use crate::cluster::region::Region;
use crate::cluster::time::Ms;
use crate::cluster::world::World;
use crate::cluster::writers::pd::{self, Operator};

fn raft(
    world: &mut World,
    store: u64,
    time: Ms,
    region: &Region,
    caller: &str,
    message: &str,
    more: crate::cluster::record::Fields,
) {
    let mut fields = more;
    fields.extend(fields!["raft_id" => region.peer(store), "region_id" => region.id]);
    world.kv(store, time, info(caller, message), fields);
}

/// A follower asks for votes and gets none: its peers are unreachable.
pub(crate) fn try_election(world: &mut World, time: Ms, region: &Region, store: u64) {
    let term = region.term;
    raft(world, store, time, region, "raft.rs:1550", "starting a new election", fields!["term" => term]);
    let message = format!("became pre-candidate at term {term}");
    raft(world, store, time, region, "raft.rs:1170", &message, fields!["term" => term]);
    let others: Vec<u64> = region.peers.iter().map(|(_, p)| *p).filter(|p| *p != region.peer(store)).collect();
    let fields = fields!["to" => format!("{others:?}"), "log_index" => region.index, "log_term" => term, "term" => term,
        "type" => "MsgRequestPreVote"];
    raft(world, store, time, region, "raft.rs:1299", "broadcasting vote request", fields);
}

/// A store becomes the leader.
pub(crate) fn elect(world: &mut World, time: Ms, region: &mut Region, store: u64, by_timeout: bool) {
    let old_term = region.term;
    let voter = region.peer(region.follower(store, 1));
    if by_timeout {
        try_election(world, time, region, store);
        let fields = fields!["term" => old_term, "type" => "MsgRequestPreVoteResponse", "approvals" => 2, "rejections" => 0,
            "from" => voter, "vote" => true];
        raft(world, store, time + 2, region, "raft.rs:2104", "received votes response", fields);
    } else {
        raft(world, store, time, region, "raft.rs:1550", "starting a new election", fields!["term" => old_term]);
    }
    region.term += 1;
    let (term, peer) = (region.term, region.peer(store));
    let message = format!("became candidate at term {term}");
    raft(world, store, time + 2, region, "raft.rs:1144", &message, fields!["term" => term]);
    for (other, _) in region.peers.clone().iter().filter(|(s, _)| *s != store) {
        let message = format!("received a message with higher term from {peer}");
        let fields =
            fields!["msg type" => "MsgRequestVote", "message_term" => term, "term" => old_term, "from" => peer];
        raft(world, *other, time + 3, region, "raft.rs:1364", &message, fields);
        let message = format!("became follower at term {term}");
        raft(world, *other, time + 3, region, "raft.rs:1120", &message, fields!["term" => term]);
    }
    let fields = fields!["term" => term, "type" => "MsgRequestVoteResponse", "approvals" => 2, "rejections" => 0, "from" => voter,
        "vote" => true];
    raft(world, store, time + 5, region, "raft.rs:2104", "received votes response", fields);
    let message = format!("became leader at term {term}");
    raft(world, store, time + 5, region, "raft.rs:1218", &message, fields!["term" => term]);
    let from = region.leader;
    region.leader = store;
    region.index += 1;
    if from != store {
        pd::leader_changed(world, time + 12, region, from);
    }
}

/// PD moves a leader.
pub(crate) fn transfer(world: &mut World, time: Ms, region: &mut Region, to: u64) {
    let from = region.leader;
    let what = format!("balance-leader {{transfer leader: store {from} to {to}}}");
    let step = format!("transfer leader from store {from} to store {to}");
    let operator = Operator::add(world, time, &what, "leader", region, &step, true);
    let fields = fields!["to_peers" => "[]", "to_peer" => region.peer_text(to), "from_peer" => region.peer_text(from),
        "region_id" => region.id];
    world.kv(from, time + 3, info("pd.rs:1498", "try to transfer leader"), fields);
    let fields = fields!["peer" => region.peer_text(to), "peer_id" => region.peer(from), "region_id" => region.id];
    world.kv(from, time + 4, info("peer.rs:3583", "transfer leader"), fields);
    let message =
        format!("received MsgTimeoutNow from {} and starts an election to get leadership.", region.peer(from));
    let fields = fields!["from" => region.peer(from), "term" => region.term];
    raft(world, to, time + 6, region, "raft.rs:2284", &message, fields);
    elect(world, time + 6, region, to, false);
    operator.finish(world, time + 20);
}

/// The region is split at `key`; the left part gets new ids.
pub(crate) fn split(world: &mut World, time: Ms, region: &mut Region, key: String) -> Region {
    let id = world.new_id(4);
    let peers: Vec<(u64, u64)> = region.peers.iter().map(|(s, _)| *s).zip(id + 1..).collect();
    let ids: Vec<u64> = peers.iter().map(|(_, p)| *p).collect();
    let new_peers = ids.iter().map(|p| format!("new_peer_ids: {p}")).collect::<Vec<_>>().join(" ");
    world.pd(
        time,
        info("cluster_worker.go:145", "alloc ids for region split"),
        fields!["region-id" => id, "peer-ids" => format!("{ids:?}").replace(' ', "")],
    );
    let before = region.text();
    let fields = fields!["task" => "batch_split", "region" => before, "new_region_ids" => format!("[new_region_id: {id} {new_peers}]"),
        "region_id" => region.id];
    world.kv(region.leader, time + 1, info("pd.rs:1064", "try to batch split region"), fields);
    region.index += 1;
    for store in region.stores() {
        let command = format!(
            "cmd_type: BatchSplit splits {{ requests {{ split_key: {key} new_region_id: {id} {new_peers} }} right_derive: true }}"
        );
        let fields = fields!["command" => command, "index" => region.index, "term" => region.term, "peer_id" => region.peer(store),
            "region_id" => region.id];
        world.kv(store, time + 4, info("apply.rs:1442", "execute admin command"), fields);
        let fields = fields!["keys" => format!("key {key}"), "region" => before, "peer_id" => region.peer(store),
            "region_id" => region.id];
        world.kv(store, time + 4, info("apply.rs:2285", "split region"), fields);
    }
    let (old_start, old_version) = (std::mem::replace(&mut region.start, key.clone()), region.version);
    region.version += 1;
    let mut new = Region {
        id,
        start: old_start.clone(),
        end: key,
        version: region.version,
        peers,
        term: 5,
        index: 6,
        ..region.clone()
    };
    for store in region.stores() {
        world.kv(
            store,
            time + 8,
            info("peer.rs:3676", "insert new region"),
            fields!["region" => new.text(), "region_id" => id],
        );
        world.kv(
            store,
            time + 8,
            info("peer.rs:262", "create peer"),
            fields!["peer_id" => new.peer(store), "region_id" => id],
        );
    }
    pd::version_changed(world, time + 9, region, &old_start, old_version);
    let fields = fields!["region-id" => region.id, "origin" => new.go_text(), "total" => 1];
    world.pd(time + 10, info("cluster_worker.go:237", "region batch split, generate new regions"), fields);
    let leader = new.leader;
    elect(world, time + 12, &mut new, leader, false);
    new
}

/// `message: "peer is not leader .." not_leader { .. }`
fn not_leader_text(region: &Region) -> String {
    let leader = region.peer_text(region.leader);
    let id = region.id;
    format!(
        "message: \"peer is not leader for region {id}, leader may Some({leader})\" not_leader {{ region_id: {id} leader {{ {leader} }} }}"
    )
}

/// A client asked the wrong store: routine.
pub(crate) fn not_leader(world: &mut World, time: Ms, region: &Region, store: u64) {
    let text = format!("Region error (will back off and retry) {}", not_leader_text(region));
    world.kv(store, time, warn("endpoint.rs:703", "error-response"), fields!["err" => text]);
}

/// The same for a write: routine.
pub(crate) fn get_snapshot_failed(world: &mut World, time: Ms, region: &Region, store: u64) {
    let text = format!("Error(Request({}))", not_leader_text(region));
    let (key, value) = if world.version.display_errors() {
        ("tag", "prewrite".to_owned())
    } else {
        ("cid", (time % 99_991).to_string())
    };
    world.kv(store, time, info("scheduler.rs:546", "get snapshot failed"), fields!["err" => text, key => value]);
}
