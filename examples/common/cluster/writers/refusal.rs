//! A region that will not give its initial snapshot since it is merging: refusals, retries, and the fatal error at the end.

use crate::cluster::record::fields;
use crate::cluster::record::{Fields, error, info, warn};
use crate::cluster::region::Region;
use crate::cluster::time::{DAY, Ms, SECOND};
use crate::cluster::version::RetryBudget;
use crate::cluster::world::World;
use crate::cluster::writers::{pd, task};

/// The innermost text.
fn inner(region: u64) -> String {
    format!(
        "message: \"read index not ready, reason can not read index due to merge, region {region}\" read_index_not_ready {{ reason: \
         \"can not read index due to merge\" region_id: {region} }}"
    )
}

/// With its contexts.
fn text(region: u64) -> String {
    format!(
        "failed to get initial snapshot: failed to get the snapshot (region_id = {region}): Error during requesting raftstore: {}",
        inner(region)
    )
}

/// One refused attempt, `retry` if another follows.
fn attempt(world: &mut World, store: u64, time: Ms, region: &Region, raft_error: &str, retry: bool) {
    let id = region.id;
    let mut fields = Fields::new();
    if world.version.display_errors() {
        fields.push((
            "verbose_err",
            format!(
                "Contextual {{ context: \"failed to get initial snapshot: failed to get the snapshot (region_id = {id})\", inner_error: \
                 RaftRequest({raft_error}) }}"
            ),
        ));
    }
    if world.version.async_subscription() {
        fields.push(("position", "components/backup-stream/src/event_loader.rs:299:21".to_owned()));
    }
    fields.extend(fields![
        "err" => format!("failed to get initial snapshot: failed to get the snapshot (region_id = {id}): Error during requesting raftstore: {raft_error}"),
        "context" => format!("during getting initial snapshot for region {}; can retry = {retry}", region.text()),
    ]);
    world.kv(store, time, warn("errors.rs:155", "backup stream meet error"), fields);
}

/// Refusals from `time` until the budget is used up or `until` comes. Gives the moment after the last, and whether it is used up.
pub(crate) fn run(world: &mut World, store: u64, time: Ms, region: &Region, until: Ms) -> (Ms, bool) {
    let Some(budget) = world.version.retry_budget() else { return (time, false) };
    let mut now = time;
    for scan in 0..budget.scans {
        for _ in 0..budget.attempts {
            if now >= until {
                return (now, false);
            }
            attempt(world, store, now, region, &inner(region.id), true);
            now += budget.pause + (now % 2);
        }
        if scan + 1 < budget.scans {
            now = pause(world, store, now, region, scan, budget);
        }
    }
    (now, true)
}

/// What stands between two scans.
fn pause(world: &mut World, store: u64, now: Ms, region: &Region, scan: u64, budget: RetryBudget) -> Ms {
    if !world.version.async_subscription() {
        let now = now + budget.back_off;
        let fields = fields!["retry_time" => budget.scans - 1 - scan, "err" => text(region.id)];
        world.kv(store, now, warn("subscription_manager.rs:183", "meet retryable error"), fields);
        return now + 1;
    }
    let mut fields = region.short_fields();
    fields.push(("err", text(region.id)));
    world.kv(store, now, warn("subscription_manager.rs:653", "failed to start observe, would retry"), fields);
    let now = now + (SECOND << scan.min(10)).min(budget.back_off);
    let handle = format!("ObserveHandle {{ id: ObserveId({}), observing: true }}", world.observe_id);
    let fields = fields!["handle" => handle, "failure_count" => scan + 1, "region" => region.id];
    world.kv(store, now, info("subscription_manager.rs:731", "retry observe region"), fields);
    now + 2
}

/// The region is gone: this attempt is not repeated, and that is harmless.
pub(crate) fn region_gone(world: &mut World, store: u64, time: Ms, region: &Region) {
    let id = region.id;
    let gone = format!("message: \"region {id} not found\" region_not_found {{ region_id: {id} }}");
    attempt(world, store, time, region, &gone, false);
}

/// The text that a fatal error shows, and its code.
pub(crate) fn fatal_text(world: &World, region: &Region) -> (&'static str, String) {
    let one = text(region.id);
    if world.version.async_subscription() {
        let text = format!(
            "retry encountered error, origin error is and error and error and error and error {}: Other Error: retry time exceeds for region {}",
            vec![one; 5].join(": "),
            region.short()
        );
        return ("KV:LogBackup:Unknown", text);
    }
    let attempts = world.version.retry_budget().map_or(3, |b| b.attempts as usize);
    let ands = vec!["and error "; attempts - 2].concat();
    ("KV:LogBackup:RaftReq", format!("retry time exceeds: {ands}{}", vec![one; attempts].join(": ")))
}

/// The Debug text of the same error.
fn debug_text(world: &World, region: &Region) -> String {
    let id = region.id;
    if world.version.async_subscription() {
        let region = region.short();
        return format!(
            "Contextual {{ context: \"retry encountered error\", inner_error: Other(\"retry time exceeds for region {region}\") }}"
        );
    }
    if world.version.display_errors() {
        return format!("Contextual {{ context: \"retry time exceeds\", inner_error: RaftRequest({}) }}", inner(id));
    }
    let quoted = text(id).replace('"', "\\\"");
    format!(
        "Contextual {{ context: \"retry time exceeds\", inner_error: Contextual {{ context: \"and error {quoted}: {quoted}\", inner_error: \
         Contextual {{ context: \"failed to get initial snapshot: failed to get the snapshot (region_id = {id})\", inner_error: \
         RaftRequest({}) }} }} }}",
        inner(id)
    )
}

/// The store gives up, protects the checkpoint for a day, and pauses the task everywhere. Gives the error for the status screen.
pub(crate) fn fatal(world: &mut World, store: u64, time: Ms, region: &Region) -> task::LastError {
    let (code, shown) = fatal_text(world, region);
    let mut fields = fields!["err_code" => code];
    if world.version.display_errors() {
        fields.extend(fields!["err" => shown, "verbose" => debug_text(world, region)]);
    } else {
        fields.push(("err", debug_text(world, region)));
    }
    world.kv(store, time, error("errors.rs:162", "backup stream meet fatal error"), fields);
    let selector = format!("ByRange({}, {})", region.start, region.end);
    task::fatal_reporting(world, store, time + 1, &shown, &selector);
    task::give_up(world, store, time + 3);
    task::LastError { store, time, code, message: shown }
}

/// The 24 hours that a store asks for when it gives up.
pub(crate) fn pause_guard(world: &mut World, store: u64, time: Ms, checkpoint: u64) {
    let service = format!("{}-{store}-pause-guard", world.task.name);
    let below = u64::from(world.version != crate::cluster::version::Version::V61);
    pd::safepoint(world, time, &service, DAY, checkpoint - below);
}
