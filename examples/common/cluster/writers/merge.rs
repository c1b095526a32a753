//! Merges, from PD's operator to the destroyed peers.

use crate::cluster::record::fields;
use crate::cluster::record::info;
use crate::cluster::region::Region;
use crate::cluster::time::Ms;
use crate::cluster::world::World;
use crate::cluster::writers::pd::{self, Operator};

/// A merge that has been prepared.
#[derive(Debug)]
pub(crate) struct Merge {
    operators: [Operator; 2],
    commit: u64,
}

/// PD wants it, the source stops writing, all its peers apply PrepareMerge.
pub(crate) fn prepare(world: &mut World, time: Ms, source: &mut Region, target: &Region) -> Merge {
    let what = format!("merge-region {{merge: region {} to {}}}", source.id, target.id);
    let step = format!("merge region {} into region {}", source.id, target.id);
    let operators = [
        Operator::add(world, time, &what, "merge", source, &step, true),
        Operator::add(world, time, &what, "merge", target, &step, false),
    ];
    let leader = source.leader;
    let fields = fields!["merge" => format!("target {{ {} }}", target.text()), "region_id" => source.id];
    world.kv(leader, time + 100, info("pd.rs:1538", "try to merge"), fields);
    let fields = fields!["prepare_merge_fence" => source.index + 1, "region_id" => source.id];
    world.kv(leader, time + 112, info("peer.rs:4058", "start rejecting new proposals before prepare merge"), fields);
    source.index += 4;
    for (nth, store) in source.stores().into_iter().enumerate() {
        let command = format!(
            "cmd_type: PrepareMerge prepare_merge {{ min_index: {} target {{ {} }} }}",
            source.index - 6,
            target.text()
        );
        let fields = fields!["command" => command, "index" => source.index, "term" => source.term, "peer_id" => source.peer(store),
            "region_id" => source.id];
        world.kv(store, time + 120 + 2 * nth as Ms, info("apply.rs:1442", "execute admin command"), fields);
    }
    let commit = source.index;
    // A prepared merge counts in both halves of the epoch, so that no configuration change gets in between.
    source.version += 1;
    source.conf_ver += 1;
    Merge { operators, commit }
}

impl Merge {
    /// The target takes over the source's range on all stores; the source is gone.
    pub(crate) fn commit(self, world: &mut World, time: Ms, source: &Region, target: &mut Region) {
        target.index += 1;
        for (nth, store) in target.stores().into_iter().enumerate() {
            let fields = fields!["source_region" => source.text(), "index" => target.index, "term" => target.term, "entries" => 1,
                "commit" => self.commit, "peer_id" => target.peer(store), "region_id" => target.id];
            world.kv(store, time + 3 * nth as Ms, info("apply.rs:2580", "execute CommitMerge"), fields);
        }
        let (old_start, old_version) = (std::mem::replace(&mut target.start, source.start.clone()), target.version);
        target.version = source.version.max(target.version) + 1;
        let leader = target.leader;
        let fields = fields!["target_region" => target.text(), "source_region" => source.text(), "peer_id" => target.peer(leader),
            "region_id" => target.id];
        world.kv(leader, time + 9, info("peer.rs:4230", "notify pd with merge"), fields);
        for (nth, store) in source.stores().into_iter().enumerate() {
            let at = time + 12 + 3 * nth as Ms;
            let peer = source.peer(store);
            let fields = fields!["target_region" => target.text(), "peer_id" => peer, "region_id" => source.id];
            world.kv(store, at, info("peer.rs:4357", "merge finished"), fields);
            let fields = fields!["merged_by_target" => true, "peer_id" => peer, "region_id" => source.id];
            world.kv(store, at + 1, info("peer.rs:3251", "starts destroy"), fields);
            let fields = fields!["keep_data" => true, "clean" => false, "takes" => "1.2ms", "peer_id" => peer, "region_id" => source.id];
            world.kv(store, at + 3, info("peer.rs:1334", "peer destroy itself"), fields);
        }
        pd::version_changed(world, time + 20, target, &old_start, old_version);
        for operator in &self.operators {
            operator.finish(world, time + 21);
        }
    }

    /// The merge is given up; the source goes on.
    pub(crate) fn roll_back(self, world: &mut World, time: Ms, source: &mut Region, target: &Region) {
        let leader = source.leader;
        let peer = source.peer(leader);
        let err = format!(
            "EpochNotMatch current epoch of region {} is {}, but you sent conf_ver: {} version: {}",
            target.id,
            target.epoch(),
            target.conf_ver,
            target.version.saturating_sub(1)
        );
        let fields = fields!["error_code" => "KV:Raftstore:EpochNotMatch", "err" => err, "leader_id" => peer, "peer_id" => peer,
            "region_id" => source.id];
        world.kv(leader, time - 40, info("peer.rs:4055", "want to rollback merge"), fields);
        source.index += 1;
        for (nth, store) in source.stores().into_iter().enumerate() {
            let command = format!("cmd_type: RollbackMerge rollback_merge {{ commit: {} }}", self.commit);
            let fields = fields!["command" => command, "index" => source.index, "term" => source.term, "peer_id" => source.peer(store),
                "region_id" => source.id];
            world.kv(store, time + 2 * nth as Ms, info("apply.rs:1442", "execute admin command"), fields);
        }
        source.version += 1;
        let fields = fields!["commit_index" => self.commit, "peer_id" => peer, "region_id" => source.id];
        world.kv(leader, time + 9, info("peer.rs:4292", "notify pd with rollback merge"), fields);
        for operator in &self.operators {
            operator.time_out(world, time + 600);
        }
    }
}
