//! A merge that is in the way of an initial snapshot, and what becomes of the task.

use super::{aftermath, healthy, live, moment, open, task};
use crate::cluster::backup::Cap;
use crate::cluster::gc::Gc;
use crate::cluster::region::Region;
use crate::cluster::time::{DAY, HOUR, MINUTE, Ms, SECOND};
use crate::cluster::truth::{Incident, Truth};
use crate::cluster::world::World;
use crate::cluster::writers::merge::Merge;
use crate::cluster::writers::status::State;
use crate::cluster::writers::task::LastError;
use crate::cluster::writers::{br, merge, observe, raft, refusal};

/// A store that has begun to be refused, until it gives up.
pub(super) struct Refused {
    pub(super) source: Region,
    pub(super) target: Region,
    pub(super) store: u64,
    /// First refusal.
    pub(super) first: Ms,
    /// The fatal error, or the moment when the refusals end.
    pub(super) last: Ms,
    /// The merge cannot end before.
    pub(super) held_until: Ms,
    merging: Option<Merge>,
}

/// The source prepares its merge, another store becomes its leader and observes it: refused until `until` at the latest.
pub(super) fn refuse(world: &mut World, time: Ms, pair: (Region, Region), until: Ms) -> Refused {
    let (mut source, target) = pair;
    let merging = merge::prepare(world, time, &mut source, &target);
    let (old, store) = (source.leader, source.follower(source.leader, world.random.bits()));
    let elected = world.around(time + 700, 2_500);
    raft::elect(world, elected, &mut source, store, true);
    observe::stop(world, old, elected + 14, "Stop", &source);
    let first = elected + 210;
    observe::start(world, store, elected + 200, &source);
    let (last, _) = refusal::run(world, store, first, &source, until);
    // What is not scanned holds the checkpoint where the scan has to begin.
    let ts = world.tso(first - 300);
    world.plan.capped.push(Cap { store, region: source.id, from: first, until: last + SECOND, ts, lock: false });
    Refused { source, target, store, first, last, held_until: last, merging: Some(merging) }
}

impl Refused {
    /// The fatal error, and the end of the merge a little later.
    pub(super) fn give_up(&mut self, world: &mut World) -> LastError {
        let error = refusal::fatal(world, self.store, self.last, &self.source);
        let ends = world.around(self.held_until.max(self.last + 2 * SECOND), 40 * SECOND);
        if let Some(merging) = self.merging.take() {
            merging.commit(world, ends, &self.source, &mut self.target);
        }
        error
    }

    /// The fatal error, and a merge that is given up.
    fn give_up_and_roll_back(&mut self, world: &mut World) -> LastError {
        let error = refusal::fatal(world, self.store, self.last, &self.source);
        let ends = world.around(self.last + 10 * MINUTE, 2 * MINUTE);
        if let Some(merging) = self.merging.take() {
            merging.roll_back(world, ends, &mut self.source, &self.target);
        }
        error
    }

    /// What the incident is about.
    pub(super) fn describe(&self, world: &mut World, incident: Incident) -> Incident {
        Incident {
            regions: vec![self.source.id, self.target.id],
            stores: vec![self.store],
            start: Some(world.written(self.store, self.first)),
            ..incident
        }
    }
}

/// Chain 1.
pub(super) fn failed(world: &mut World) -> Truth {
    let time = moment(world);
    let pair = world.pair();
    let mut refused = refuse(world, time, pair, Ms::MAX);
    world.end = refused.last + aftermath(world);
    world.plan.paused.push((refused.last, world.end));
    live(world, &Gc::default(), |world| (State::Error, vec![refused.give_up(world)]));
    let incident = open(world, "task-failed", "region-merge", "ERROR");
    let incident = refused.describe(world, incident);
    Truth { incidents: vec![incident], task: Some(task(world, "ERROR")), ..Truth::default() }
}

/// Its twin.
pub(super) fn survived(world: &mut World) -> Truth {
    let time = moment(world);
    let pair = world.pair();
    let refused = refuse(world, time, pair, time + 9 * SECOND);
    let Refused { source, mut target, store, last, merging, .. } = refused;
    world.end = last + 90 * MINUTE;
    live(world, &Gc::default(), |world| {
        if let Some(merging) = merging {
            merging.commit(world, last - 300, &source, &mut target);
        }
        refusal::region_gone(world, store, last, &source);
        observe::stop(world, store, last + 30, "Destroy", &source);
        observe::refresh(world, target.leader, last + 31, &target);
        (State::Normal, vec![])
    });
    let noise = format!("region {} refuses snapshots for seconds and is merged away", source.id);
    Truth { noise: vec![noise], ..healthy(world) }
}

/// Chain 1 to its end.
pub(super) fn refused(world: &mut World) -> Truth {
    let time = moment(world);
    let pair = world.pair();
    let mut refused = refuse(world, time, pair, Ms::MAX);
    // The guard lasts a day, then the next round of GC takes the data, then somebody tries to resume.
    let resumed = world.around(refused.last + DAY + 25 * MINUTE, 90 * MINUTE);
    world.end = resumed + 6 * MINUTE;
    world.plan.paused.push((refused.last, world.end));
    live(world, &Gc::default(), |world| (State::Error, vec![refused.give_up(world)]));
    br::log_resume_refused(world, resumed);
    let failed = open(world, "task-failed", "region-merge", "ERROR");
    let failed = refused.describe(world, failed);
    let refusal = Incident { start: Some(resumed), ..open(world, "resume-refused", "gc-safepoint", "ERROR") };
    Truth { incidents: vec![failed, refusal], task: Some(task(world, "ERROR")), ..Truth::default() }
}

/// Its twin.
pub(super) fn in_time(world: &mut World) -> Truth {
    let time = moment(world);
    let pair = world.pair();
    let mut refused = refuse(world, time, pair, Ms::MAX);
    let resumed = world.around(refused.last + 20 * MINUTE, 5 * HOUR);
    world.end = resumed + 70 * MINUTE;
    world.plan.paused.push((refused.last, resumed + SECOND));
    live(world, &Gc::default(), |world| {
        refused.give_up(world);
        br::log_resume(world, resumed);
        (State::Normal, vec![])
    });
    let incident = recovered(world, &refused);
    Truth { allowed: vec![incident], ..healthy(world) }
}

/// A failure by a merge that somebody has resumed since.
pub(super) fn recovered(world: &mut World, refused: &Refused) -> Incident {
    let incident = Incident {
        kind: "task-failed",
        cause: "region-merge",
        status: "recovered",
        task: world.task.name.clone(),
        ..Incident::default()
    };
    refused.describe(world, incident)
}

/// The first merge is rolled back, so that the region lives to be merged again.
pub(super) fn twice(world: &mut World) -> Truth {
    let time = moment(world);
    let pair = world.pair();
    let mut first = refuse(world, time, pair, Ms::MAX);
    let resumed = world.around(first.last + 30 * MINUTE, 2 * HOUR);
    // What the rollback does to the epoch.
    let mut again = first.source.clone();
    again.version += 1;
    let second_time = world.around(resumed + 40 * MINUTE, 2 * HOUR);
    let mut second = refuse(world, second_time, (again, first.target.clone()), Ms::MAX);
    world.end = second.last + aftermath(world);
    world.plan.paused.extend([(first.last, resumed + SECOND), (second.last, world.end)]);
    live(world, &Gc::default(), |world| {
        first.give_up_and_roll_back(world);
        br::log_resume(world, resumed);
        (State::Error, vec![second.give_up(world)])
    });
    let open = open(world, "task-failed", "region-merge", "ERROR");
    let open = second.describe(world, open);
    let recovered = recovered(world, &first);
    Truth { incidents: vec![recovered, open], task: Some(task(world, "ERROR")), ..Truth::default() }
}
