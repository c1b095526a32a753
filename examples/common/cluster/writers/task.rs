//! Log backup's task on the stores: registration, flushes, pauses.

use crate::cluster::backup::Cap;
use crate::cluster::record::fields;
use crate::cluster::record::{Fields, info, warn};
use crate::cluster::time::{Ms, SECOND};
use crate::cluster::world::World;
use crate::cluster::writers::{advancer, pd, refusal};

/// The last error of a store, as `br log status` shows it.
#[derive(Clone, Debug)]
pub(crate) struct LastError {
    /// Which store.
    pub(crate) store: u64,
    /// True time.
    pub(crate) time: Ms,
    /// Error code.
    pub(crate) code: &'static str,
    /// Message.
    pub(crate) message: String,
}

fn description(world: &World) -> String {
    let (name, start) = (&world.task.name, world.task.start);
    let paused = if world.version.display_errors() { ", is_paused: false" } else { "" };
    format!(
        "Task {{ name: \"{name}\", table_filter: [\"*.*\"], start_ts: {start}, end_ts: 999999999999999999{paused} }}"
    )
}

/// A store learns of the task's start or resume.
fn watch(world: &mut World, store: u64, time: Ms, event: &str, pause: bool) {
    let message = match (world.version.short_regions(), pause) {
        (false, _) => "backup stream watch event from etcd",
        (true, false) => "backup stream watch task from etcd",
        (true, true) => "backup stream watch pause from etcd",
    };
    world.kv(store, time, info("endpoint.rs:326", message), fields!["event" => event]);
}

/// A store loads the task: told by an event, or by itself at its start.
pub(crate) fn register(world: &mut World, store: u64, time: Ms, event: Option<&str>, complete: bool) {
    let task = description(world);
    match event {
        Some("AddTask") => watch(world, store, time, &format!("AddTask {{ task: {task} }}"), false),
        Some(event) => watch(world, store, time, event, true),
        None => {}
    }
    world.kv(store, time + 11, info("endpoint.rs:571", "register backup stream task"), fields!["task" => task]);
    if !complete {
        return;
    }
    for (at, start, end) in [(1_600, "6D", "6E"), (2_100, "74", "75")] {
        let fields =
            fields!["take" => format!("{}.{}s", at / 1_000, at % 1_000 / 100), "end_key" => end, "start_key" => start];
        world.kv(store, time + at, info("endpoint.rs:541", "backup stream success to initialize"), fields);
    }
    world.kv(
        store,
        time + 2_200,
        info("endpoint.rs:619", "finish register backup stream ranges"),
        fields!["task" => task],
    );
}

/// One successful flush.
pub(crate) fn flush(world: &mut World, store: u64, time: Ms, checkpoint: u64, cap: Option<Cap>) {
    let version = world.version;
    let region = cap.map_or_else(|| world.background[(time % 31) as usize].id, |c| c.region);
    if version.short_regions() {
        if let Some(cap) = cap {
            let kind = if cap.lock {
                format!(
                    "StartTsOfTxn(Some((TimeStamp({checkpoint}), TxnLocks {{ lock_count: 1, sample_lock: Some({}) }})))",
                    crate::cluster::region::row_key(81, Some(region))
                )
            } else {
                "StartTsOfInitialScan".to_owned()
            };
            let by = format!(
                "Some(ResolveResult {{ region: {region}, checkpoint: TimeStamp({checkpoint}), checkpoint_type: {kind} }})"
            );
            world.kv(
                store,
                time + 400,
                info("subscription_manager.rs:458", "getting non-trivial checkpoint"),
                fields!["defined_by_region" => by],
            );
        }
    } else if version.advancer() {
        let fields = fields!["checkpoint" => checkpoint, "defined_by_region" => format!("Some({region})")];
        world.kv(store, time + 400, info("subscription_manager.rs:458", "getting checkpoint"), fields);
    }
    if version.display_errors() {
        let size = 60_000_000 + (time * 7_919).rem_euclid(90_000_000);
        let fields = fields!["take" => "1.9s", "total_size" => size, "files" => 150 + size % 97, "merged_files" => 8];
        world.kv(store, time + 2_300, info("router.rs:1219", "log backup flush done"), fields);
    }
    let fields = fields!["task" => world.task.name, "checkpoint_ts" => checkpoint];
    world.kv(store, time + 2_800, info("endpoint.rs:768", "flushing and refreshing checkpoint ts."), fields);
    let service = format!("backup-stream-{}-{store}", world.task.name);
    let value = checkpoint - u64::from(version.flush_safepoint_below());
    pd::safepoint(world, time + 2_900, &service, version.flush_ttl(), value);
}

/// The error is about to be stored in PD.
pub(crate) fn fatal_reporting(world: &mut World, store: u64, time: Ms, text: &str, selector: &str) {
    if world.version == crate::cluster::version::Version::V61 {
        return;
    }
    let fields = fields!["err" => text, "selected" => format!("[\"{}\"]", world.task.name), "selector" => selector];
    world.kv(store, time, warn("endpoint.rs:209", "fatal error reporting"), fields);
}

fn unregister(world: &mut World, store: u64, time: Ms) {
    world.kv(store, time, info("router.rs:438", "backup stream unregister task"), fields!["task" => world.task.name]);
}

/// The store drops its task, asks PD to keep the data, and marks the task as paused: every store and the advancer see it.
pub(crate) fn give_up(world: &mut World, store: u64, time: Ms) {
    unregister(world, store, time);
    let checkpoint = world.checkpoint_at(time);
    refusal::pause_guard(world, store, time + 11, checkpoint);
    paused(world, time + 30, Some(store));
}

/// The mark in PD is seen everywhere. A store that gave up has dropped its task already.
pub(crate) fn paused(world: &mut World, time: Ms, gave_up: Option<u64>) {
    let event = format!("PauseTask {{ task: \"{}\" }}", world.task.name);
    let lowest = world.checkpoint_at(time).saturating_sub(1);
    for (nth, store) in world.store_ids().into_iter().enumerate() {
        let at = time + 11 * nth as Ms;
        watch(world, store, at, &event, true);
        if gave_up != Some(store) {
            unregister(world, store, at + 4);
        }
        let mut fields = Fields::new();
        if world.version.display_errors() {
            let debug = format!(
                "Pd(UnsafeServiceGcSafePoint {{ requested: TimeStamp(0), current_minimal: TimeStamp({lowest}) }})"
            );
            fields.push(("verbose_err", debug));
        }
        let err = format!(
            "PD client meet error: the requested service gc safe point(0) isn't safe(safe point now is {lowest})"
        );
        fields.extend(fields!["err" => err, "context" => "removing safe point for pausing"]);
        world.kv(store, at + 20, warn("errors.rs:155", "backup stream meet error"), fields);
    }
    advancer::task_event(world, time + 6, "Pause");
}

/// Every store loads the task again and observes its regions.
pub(crate) fn resumed(world: &mut World, time: Ms) {
    let event = format!("ResumeTask {{ task: \"{}\" }}", world.task.name);
    let regions = world.background.clone();
    for (nth, store) in world.store_ids().into_iter().enumerate() {
        let at = time + 7 * nth as Ms;
        register(world, store, at, Some(&event), true);
        for (n, region) in regions.iter().filter(|r| r.leader == store).take(5).enumerate() {
            super::observe::begin(world, store, at + SECOND + 30 * n as Ms, region);
        }
    }
    advancer::task_event(world, time + 11, "Resume");
}
