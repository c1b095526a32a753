//! PD: safe points and operators.

use crate::cluster::record::fields;
use crate::cluster::record::{escaped, info};
use crate::cluster::region::Region;
use crate::cluster::time::{Ms, SECOND, go_date, go_duration};
use crate::cluster::world::{Safepoint, World};

/// A service sets its safe point; accepted.
pub(crate) fn safepoint(world: &mut World, time: Ms, service: &str, ttl: Ms, value: u64) {
    if world.pds[0].down_since(time).is_some() {
        return;
    }
    let seconds = (time + world.pds[0].skew).div_euclid(SECOND);
    let expires = seconds + ttl / SECOND;
    let fields = fields!["service-id" => service, "expire-at" => expires, "safepoint" => value];
    world.pd(time, info("grpc_service.go:1412", "update service GC safe point"), fields);
    world.safepoints.push(Safepoint { time, service: service.to_owned(), value, expires: expires * SECOND });
    world.safepoints.sort_by_key(|s| s.time);
}

/// TiDB's own: it lives for ever, and the sum of now and for ever overflows in the log.
pub(crate) fn gc_worker(world: &mut World, time: Ms, value: u64) {
    let expires = (time + world.pds[0].skew).div_euclid(SECOND).wrapping_add(i64::MAX);
    let fields = fields!["service-id" => "gc_worker", "expire-at" => expires, "safepoint" => value];
    world.pd(time, info("grpc_service.go:1412", "update service GC safe point"), fields);
}

/// GC may go up to here.
pub(crate) fn gc_safepoint(world: &mut World, time: Ms, value: u64) {
    world.pd(time, info("grpc_service.go:1351", "updated gc safe point"), fields!["safe-point" => value]);
}

/// An operator of PD: what it is, for which region, and its step.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    region: u64,
    created: Ms,
    text: String,
}

impl Operator {
    /// Adds it, and sends its first step unless another operator does that.
    pub(crate) fn add(
        world: &mut World,
        time: Ms,
        what: &str,
        kind: &str,
        region: &Region,
        step: &str,
        sent: bool,
    ) -> Self {
        let created = go_date(time + world.pds[0].skew, world.zone);
        let zone = if world.zone.0 == 0 { "UTC" } else { "CST" };
        let monotonic = (time - world.begin) / SECOND + 86_411;
        let text = format!(
            "{what} (kind:{kind}, region:{}({}, {}), createAt:{created} {zone} m=+{monotonic}.{:09}, startAt:0001-01-01 00:00:00 +0000 UTC, \
             currentStep:0, size:1, steps:[{step}])",
            region.id,
            region.version,
            region.conf_ver,
            time % 1_000_000_007 % 1_000_000_000
        );
        let fields = fields!["region-id" => region.id, "operator" => escaped(&text), "additional-info" => ""];
        world.pd(time, info("operator_controller.go:450", "add operator"), fields);
        if sent {
            let fields = fields!["region-id" => region.id, "step" => step, "source" => "create"];
            world.pd(time + 1, info("operator_controller.go:652", "send schedule command"), fields);
        }
        Self { region: region.id, created: time, text }
    }

    /// It is done.
    pub(crate) fn finish(&self, world: &mut World, time: Ms) {
        self.end(world, time, "operator_controller.go:566", "operator finish", "currentStep:1", " finished");
    }

    /// It took too long.
    pub(crate) fn time_out(&self, world: &mut World, time: Ms) {
        self.end(world, time, "operator_controller.go:590", "operator timeout", "currentStep:0", " timeout");
    }

    fn end(&self, world: &mut World, time: Ms, caller: &str, message: &str, step: &str, word: &str) {
        let text = self.text.replace("currentStep:0", step) + word;
        let takes = go_duration(time - self.created);
        let fields = fields!["region-id" => self.region, "takes" => takes, "operator" => escaped(&text), "additional-info" => ""];
        world.pd(time, info(caller, message), fields);
    }
}

/// A region's leader reports from another store.
pub(crate) fn leader_changed(world: &mut World, time: Ms, region: &Region, from: u64) {
    let fields = fields!["region-id" => region.id, "from" => from, "to" => region.leader];
    world.pd(time, info("region.go:570", "leader changed"), fields);
}

/// A region's range changed at its start.
pub(crate) fn version_changed(world: &mut World, time: Ms, region: &Region, old_start: &str, old_version: u64) {
    let detail = format!("StartKey Changed:{{{old_start}}} -> {{{}}}, EndKey:{{{}}}", region.start, region.end);
    let fields = fields!["region-id" => region.id, "detail" => detail, "old-version" => old_version, "new-version" => region.version];
    world.pd(time, info("region.go:546", "region Version changed"), fields);
}
