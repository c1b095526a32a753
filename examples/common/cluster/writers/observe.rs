//! Log backup's subscriptions to regions.

use crate::cluster::record::fields;
use crate::cluster::record::{Fields, info};
use crate::cluster::region::Region;
use crate::cluster::time::{Ms, go_duration};
use crate::cluster::world::World;

fn handle(world: &mut World) -> String {
    world.observe_id += 1;
    let name = if world.version.async_subscription() { "ObserveId" } else { "ObserveID" };
    format!("ObserveHandle {{ id: {name}({}), observing: true }}", world.observe_id)
}

/// `on_modify_observe` with the region as the version prints it.
fn operation(world: &mut World, store: u64, time: Ms, name: &str, region: &Region) {
    let text = if world.version.short_regions() { region.short() } else { region.text() };
    let fields = fields!["op" => format!("{name} {{ region: {text} }}")];
    world.kv(store, time, info("subscription_manager.rs:400", "backup stream: on_modify_observe"), fields);
}

/// A store begins to observe a region.
pub(crate) fn start(world: &mut World, store: u64, time: Ms, region: &Region) {
    operation(world, store, time, "Start", region);
    let mut fields: Fields = if world.version.async_subscription() {
        region.short_fields()
    } else if world.version.short_regions() {
        Fields::new()
    } else {
        fields!["region_id" => region.id]
    };
    fields.push(("observer", handle(world)));
    world.kv(store, time + 2, info("subscription_track.rs:106", "start listen stream from store"), fields);
}

/// The initial scan of a region is done.
pub(crate) fn scanned(world: &mut World, store: u64, time: Ms, region: &Region, from: u64, takes: Ms) {
    let takes = go_duration(takes);
    if world.version.short_regions() {
        let mut fields = region.short_fields();
        fields.extend(fields!["from_ts" => from, "takes" => takes]);
        world.kv(store, time, info("subscription_manager.rs:184", "initial scanning finished!"), fields);
    } else {
        let fields = fields!["from_ts" => from, "region" => region.id, "takes" => takes];
        world.kv(
            store,
            time,
            info("subscription_manager.rs:164", "initial scanning of leader transforming finished!"),
            fields,
        );
    }
}

/// A store begins to observe a region, and its initial scan succeeds.
pub(crate) fn begin(world: &mut World, store: u64, time: Ms, region: &Region) {
    start(world, store, time, region);
    let takes = 40 + time.rem_euclid(400);
    let from = world.checkpoint_at(time);
    scanned(world, store, time + 2 + takes, region, from, takes);
}

/// A store ceases to observe a region: `Stop` for a lost leader, `Destroy` for a lost region.
pub(crate) fn stop(world: &mut World, store: u64, time: Ms, name: &str, region: &Region) {
    operation(world, store, time, name, region);
    let observer = format!("RegionSubscription({}, {})", region.id, handle(world));
    let fields = fields!["region_id" => region.id, "observer" => observer];
    world.kv(store, time + 1, info("subscription_track.rs:182", "stop listen stream from store"), fields);
}

/// The range or epoch of an observed region changed.
pub(crate) fn refresh(world: &mut World, store: u64, time: Ms, region: &Region) {
    operation(world, store, time, "RefreshResolver", region);
}
