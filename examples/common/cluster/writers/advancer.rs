//! The advancer: the part of TiDB that moves the global checkpoint.

use crate::cluster::record::fields;
use crate::cluster::record::{Fields, Head};
use crate::cluster::record::{info, warn};
use crate::cluster::time::{DAY, Ms, SECOND, Zone, go_duration, go_time, tso_time};
use crate::cluster::world::World;
use crate::cluster::writers::pd;

const TAG: &str = "log backup advancer";

/// A record of the advancer with its tag where the version puts it.
pub(crate) fn log(world: &mut World, time: Ms, head: Head<'_>, tag: &str, fields: Fields) {
    let (message, category) = world.version.tagged(tag, head.message);
    let mut all: Fields = category.map(|c| ("category", c)).into_iter().collect();
    all.extend(fields);
    world.db(time, Head { message: &message, ..head }, all);
}

/// The global checkpoint goes to PD.
pub(crate) fn upload(world: &mut World, time: Ms, checkpoint: u64) {
    if !world.version.advancer() {
        return;
    }
    let date = go_time(tso_time(checkpoint), Zone(0));
    let fields = fields!["checkpoint" => date, "checkpoint" => checkpoint, "task" => world.task.name,
        "take" => go_duration(60 + time % 90)];
    world.db(time, info("advancer.go:334", "uploading checkpoint for task"), fields);
    if world.version.coordinator() {
        pd::safepoint(world, time + 50, "log-backup-coordinator", DAY, checkpoint - 1);
        let fields = fields!["checkpoint" => checkpoint - 1, "target" => checkpoint - 1];
        world.db(time + 60, info("advancer.go:417", "updated log backup GC safe point."), fields);
    }
}

/// Something happened to the task: `Add`, `Pause`, `Resume`, `Del`.
pub(crate) fn task_event(world: &mut World, time: Ms, what: &str) {
    if !world.version.advancer() {
        return;
    }
    let message = if world.version.short_regions() { "Meet task event" } else { "meet task event" };
    let event = format!("{what}({})", world.task.name);
    let fields = fields!["event" => event];
    if world.version.short_regions() {
        log(world, time, info("advancer.go:209", message), TAG, fields);
    } else {
        world.db(time, info("advancer.go:209", message), fields);
    }
}

/// A tick did not work out; the checkpoint may be older than it could.
pub(crate) fn tick_failed(world: &mut World, time: Ms, important: bool, error: &str) {
    if !world.version.display_errors() {
        return;
    }
    let head = if important {
        warn("advancer.go:434", "important tick failed.")
    } else {
        warn("advancer.go:428", "option tick failed.")
    };
    log(world, time, head, TAG, fields!["error" => error]);
}

/// The stream of flushes of a store is broken.
pub(crate) fn subscriber_error(world: &mut World, time: Ms, store: u64, error: &str) {
    if !world.version.display_errors() {
        return;
    }
    let fields = fields!["error" => error, "can-retry?" => true, "store" => store];
    log(world, time, warn("flush_subscriber.go:118", "Meet error."), "log backup flush subscriber", fields);
    let message = "Subscriber meet error, would polling the checkpoint.";
    let fields = fields!["error" => format!("store {store} has error: {error}")];
    log(world, time + 40, warn("advancer.go:401", message), TAG, fields);
}

/// The advancer subscribes to a store's flushes.
pub(crate) fn subscribe(world: &mut World, time: Ms, store: u64, boot: Ms) {
    if !world.version.display_errors() {
        return;
    }
    let fields = fields!["store" => store, "boot" => boot / SECOND];
    log(
        world,
        time,
        info("flush_subscriber.go:213", "Adding subscription."),
        "log backup subscription manager",
        fields,
    );
}

/// A TiDB becomes the owner of the advancer.
pub(crate) fn become_owner(world: &mut World, node: usize, time: Ms) {
    if !world.version.display_errors() {
        return;
    }
    let id = format!("{:08x}-3f5e-4a3b-8f0e-{:012x}", world.random.below(1 << 32), world.random.below(1 << 48));
    let fields = fields!["id" => id, "daemon-id" => "LogBackup::Advancer"];
    World::node(&mut world.tidbs[node], time, info("owner_daemon.go:56", "daemon became owner"), fields);
}

/// A region that has no leader holds up the advancer.
pub(crate) fn no_leader(world: &mut World, time: Ms, region: u64) {
    if world.version.advancer() {
        world.db(time, warn("collector.go:283", "there are regions without leader"), fields!["region" => region]);
    }
}

/// Which range is behind.
pub(crate) fn last_region(world: &mut World, time: Ms, region: &crate::cluster::region::Region, checkpoint: u64) {
    if !world.version.short_regions() {
        return;
    }
    let behind = crate::cluster::time::rfc3339(tso_time(checkpoint));
    let mut fields = fields![
        "min" => format!("([{}, {}), {checkpoint})", region.start, region.end),
        "for-polling" => 12,
        "min-ts" => format!("{}Z", &behind[..19]),
    ];
    let stores: Vec<String> = region.peers.iter().map(|(s, _)| s.to_string()).collect();
    fields.push((
        "region-hint",
        format!(
            "ID={},Leader={},ConfVer={},Version={},Peers=[{}],RealRange=[{}, {})",
            region.id,
            region.leader,
            region.conf_ver,
            region.version,
            stores.join(" "),
            region.start,
            region.end
        ),
    ));
    log(world, time, info("advancer.go:231", "current last region"), "log backup advancer hint", fields);
}
