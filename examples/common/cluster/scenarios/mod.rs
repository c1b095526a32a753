//! The stories: each sets up a failure (or its healthy twin), lets the cluster live through it, and says what really happened.

mod merges;
mod operators;
mod stalls;
mod storage;
mod stores;

use crate::cluster::gc::{self, Gc};
use crate::cluster::time::{HOUR, MINUTE, Ms, SECOND};
use crate::cluster::truth::{Incident, TaskTruth, Truth};
use crate::cluster::version::{ALL as EVERY, Version};
use crate::cluster::world::{LEAD, Variant, World};
use crate::cluster::writers::status::{self, State};
use crate::cluster::writers::task::LastError;
use crate::cluster::{backup, noise};
use crate::random::Random;

/// One story.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// Nothing is open at the end.
    pub(crate) healthy: bool,
    /// One line about it.
    #[allow(dead_code, reason = "only the example lists them")]
    pub(crate) about: &'static str,
    versions: &'static [Version],
    run: fn(&mut World) -> Truth,
}

const fn story(
    name: &'static str,
    about: &'static str,
    versions: &'static [Version],
    run: fn(&mut World) -> Truth,
) -> Scenario {
    Scenario { name, healthy: false, about, versions, run }
}

const fn twin(
    name: &'static str,
    about: &'static str,
    versions: &'static [Version],
    run: fn(&mut World) -> Truth,
) -> Scenario {
    Scenario { name, healthy: true, about, versions, run }
}

/// A failed initial scan is fatal.
const FROM_62: &[Version] = &[Version::V62, Version::V65, Version::V75, Version::V81, Version::V85];
/// The advancer tells what it does.
const FROM_65: &[Version] = &[Version::V65, Version::V75, Version::V81, Version::V85];
/// Memory quota, lag limit.
const FROM_81: &[Version] = &[Version::V81, Version::V85];

/// Every story, a failure before its twin.
pub(crate) const ALL: &[Scenario] = &[
    story(
        "merge-failed",
        "initial snapshot refused by a merging region until the store gives up",
        FROM_62,
        merges::failed,
    ),
    twin("merge-survived", "the merge ends before the retries do", FROM_62, merges::survived),
    story(
        "resume-refused",
        "the pause guard ran out, GC passed the checkpoint, br log resume is refused",
        FROM_62,
        merges::refused,
    ),
    twin("resume-in-time", "failed by a merge, resumed within the deadline", FROM_62, merges::in_time),
    story(
        "restart-storm",
        "a rolling restart moves leaders into a merge that waits for a store",
        FROM_62,
        stores::restart_storm,
    ),
    twin("restart-calm", "a rolling restart with slow scans", FROM_62, stores::restart_calm),
    story("store-down", "two stores are gone, regions have no leader", FROM_62, stores::down),
    twin("store-blip", "the network of a store is away for seconds", EVERY, stores::blip),
    story("storage-access", "a store may not write to the external storage", EVERY, storage::access),
    twin("storage-access-brief", "the same, put right in time", EVERY, storage::access_brief),
    story("storage-full", "the external storage is full", EVERY, storage::full),
    twin("storage-full-brief", "the same, put right in time", EVERY, storage::full_brief),
    story("storage-throttled", "the external storage asks to slow down, for too long", EVERY, storage::throttled),
    twin("storage-throttled-brief", "the same for a while", EVERY, storage::throttled_brief),
    story("lock-held", "a transaction holds the checkpoint", FROM_65, stalls::lock_held),
    twin("lock-resolved", "the same for minutes", FROM_65, stalls::lock_resolved),
    story("oom-loop", "a store is killed for its memory again and again", EVERY, stores::oom_loop),
    twin("memory-high", "initial scans at the quota, they wait and go on", FROM_81, stores::memory_high),
    story("owner-lost", "no TiDB runs that could advance the checkpoint", FROM_62, stalls::owner_lost),
    twin("owner-moved", "the owner restarts or moves", FROM_65, stalls::owner_moved),
    story("pd-unavailable", "PD is gone", FROM_65, stalls::pd_unavailable),
    twin("pd-leader-change", "PD elects a new leader within seconds", FROM_65, stalls::pd_leader_change),
    story("lag-pause", "the advancer pauses a task that lags too much", FROM_81, stalls::lag_pause),
    twin("lag-below", "a long lag that ends below the limit", FROM_81, stalls::lag_below),
    story("disk-full", "a store's own disk is full", EVERY, storage::disk_full),
    twin("disk-almost-full", "a store's disk is almost full for a while", EVERY, storage::disk_almost_full),
    story("silent-store", "a store could not initialize the task and does nothing", FROM_62, stalls::silent_store),
    twin("late-store", "a store initializes the task late", FROM_62, stalls::late_store),
    story("operator-pause", "a person paused the task", FROM_62, operators::pause),
    twin("operator-pause-resumed", "and resumed it", FROM_62, operators::pause_resumed),
    story(
        "tiflash-missing",
        "a restore by v6.2 leaves out the TiFlash replicas",
        &[Version::V62],
        operators::tiflash_missing,
    ),
    twin("tiflash-restored", "a restore by a later version sets them", FROM_65, operators::tiflash_restored),
    twin(
        "stop-noise",
        "br log stop of old versions warns for nothing",
        &[Version::V61, Version::V62, Version::V65],
        operators::stop_noise,
    ),
    story(
        "two-at-once",
        "a merge fails the task while another store loses access to the storage",
        FROM_62,
        storage::two_at_once,
    ),
    story("same-region-twice", "one region's merges fail the task twice", FROM_62, merges::twice),
];

/// What can be added to a name.
pub(crate) const VARIANTS: &[&str] = &["skew", "missing", "rotated", "redacted"];

/// A scenario, its variant and its seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    scenario: &'static Scenario,
    variant: Variant,
    /// The seed.
    pub(crate) seed: u64,
}

impl Request {
    /// `merge-failed+skew+rotated`
    pub(crate) fn parse(name: &str, seed: u64) -> Result<Self, String> {
        let mut parts = name.split('+');
        let base = parts.next().unwrap_or_default();
        let scenario = ALL.iter().find(|s| s.name == base).ok_or_else(|| format!("no scenario {base}; see --list"))?;
        let mut variant = Variant::default();
        for part in parts {
            match part {
                "skew" => variant.skew = true,
                "missing" => variant.missing = true,
                "rotated" => variant.rotated = true,
                "redacted" => variant.redacted = true,
                _ => return Err(format!("no variant {part}; there are {}", VARIANTS.join(", "))),
            }
        }
        Ok(Self { scenario, variant, seed })
    }

    /// As it was given, variants in a fixed order.
    pub(crate) fn name(&self) -> String {
        let flags = [self.variant.skew, self.variant.missing, self.variant.rotated, self.variant.redacted];
        let chosen = VARIANTS.iter().zip(flags).filter(|(_, on)| *on).map(|(name, _)| *name);
        std::iter::once(self.scenario.name).chain(chosen).collect::<Vec<_>>().join("+")
    }

    /// Lets the cluster live.
    pub(crate) fn simulate(&self) -> (World, Truth) {
        let salt = self
            .scenario
            .name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        let seed = Random::new(self.seed ^ salt).bits();
        let version = self.scenario.versions[(seed % self.scenario.versions.len() as u64) as usize];
        let mut world = World::new(version, seed, self.variant);
        let mut truth = (self.scenario.run)(&mut world);
        noise::run(&mut world, seed);
        if self.variant.missing {
            lose_logs(&mut world, &mut truth);
        }
        (world, truth)
    }
}

/// The logs of the stores at fault are not there: then not to know is right, and a wrong cause still is wrong.
fn lose_logs(world: &mut World, truth: &mut Truth) {
    for incident in &mut truth.incidents {
        for store in incident.stores.clone() {
            world.store(store).log.lose();
        }
        incident.accept.entry("cause").or_default().push("unknown");
        incident.regions.clear();
        incident.stores.clear();
        incident.start = None;
    }
}

/// The moment of the story: after some healthy flushes and GC rounds.
fn moment(world: &mut World) -> Ms {
    world.around(world.begin + LEAD, 25 * MINUTE)
}

/// How long before the end somebody looks at the status.
const SCREEN: Ms = 20 * SECOND;

/// Flushes, then what the story adds with `conclude`, then GC and the screen.
fn live(world: &mut World, gc: &Gc, conclude: impl FnOnce(&mut World) -> (State, Vec<LastError>)) {
    crate::cluster::writers::br::log_start(world);
    backup::run(world);
    let (state, errors) = conclude(world);
    gc::run(world, gc);
    let time = world.end - SCREEN;
    status::screen(world, time, state, &errors);
}

/// The task as the last records have it: what began before the end of the story is still written.
fn task(world: &World, status: &'static str) -> TaskTruth {
    // Advancers of old versions do not tell: the screen has the last word.
    let told = if world.version.advancer() { Ms::MAX } else { world.end - SCREEN };
    let checkpoint = world.checkpoint_at(told);
    let gc = world.gc_at(Ms::MAX);
    let stopped = matches!(status, "ERROR" | "PAUSED");
    let deadline = if stopped { world.protected_until(checkpoint) } else { None };
    let verdict = match deadline {
        _ if !stopped => "",
        _ if gc >= checkpoint => "recreate-task",
        Some(deadline) if deadline < world.now() => "resume-or-recreate",
        _ => "resume",
    };
    let name = world.task.name.clone();
    TaskTruth { name, status, checkpoint: Some(checkpoint), gc_safepoint: gc, verdict, deadline }
}

/// A truth with a task and nothing else.
fn healthy(world: &World) -> Truth {
    Truth { task: Some(task(world, "NORMAL")), ..Truth::default() }
}

/// The same where the task runs but gets nowhere: its data are safe only so long.
fn stuck(world: &World) -> Truth {
    let task = task(world, "NORMAL");
    let deadline = task.checkpoint.and_then(|checkpoint| world.protected_until(checkpoint));
    Truth { task: Some(TaskTruth { deadline, ..task }), ..Truth::default() }
}

/// An incident of the task that is open at the end.
fn open(world: &World, kind: &'static str, cause: &'static str, status: &'static str) -> Incident {
    let task = task(world, status);
    Incident {
        kind,
        cause,
        status: "open",
        verdict: task.verdict,
        task: task.name,
        deadline: task.deadline,
        ..Incident::default()
    }
}

/// A checkpoint that stands still at the end although the task runs.
fn stalled(world: &World, cause: &'static str) -> Incident {
    let incident = open(world, "checkpoint-stalled", cause, "NORMAL");
    let incident = Incident { verdict: "investigate", ..incident }.or("verdict", &["fix-and-retry", "wait"]);
    // Short safe points of old versions run out while the checkpoint stands still.
    if world.gc_at(Ms::MAX) >= world.checkpoint_at(Ms::MAX) {
        incident.or("verdict", &["recreate-task"])
    } else {
        incident
    }
}

/// How long after a failure the logs were collected.
fn aftermath(world: &mut World) -> Ms {
    world.around(40 * MINUTE, 9 * HOUR)
}
