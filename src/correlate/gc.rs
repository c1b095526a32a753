//! Garbage collection: how far it has come, what holds it back, and until when a checkpoint's data are safe from it.

use super::episodes::EpisodeId;
use super::findings::Place;
use super::learned::{Learned, Told};
use super::signs::service_of;
use super::tasks::Checkpoint;
use crate::units::{Component, FactKind, Timestamp, Tso};
use std::collections::BTreeMap;

/// A GC safe point that a record names as reached.
#[derive(Debug, Clone)]
pub(super) struct Reached {
    /// When, by the clock of the others.
    pub(super) seen: Option<Timestamp>,
    /// The safe point.
    pub(super) point: Tso,
    /// Where.
    pub(super) place: Place,
    /// Episode of the record.
    pub(super) episode: EpisodeId,
}

/// The last update of a service safe point.
#[derive(Debug, Clone)]
struct Service {
    point: Tso,
    expires: Option<Timestamp>,
    seen: Option<Timestamp>,
    place: Place,
    episode: EpisodeId,
}

/// Who holds a checkpoint's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    /// Until when.
    pub(super) until: Timestamp,
    /// Service id.
    pub(super) service: String,
    /// When PD took it, by the clock of the others.
    pub(super) seen: Option<Timestamp>,
    /// Where PD says so.
    pub(super) place: Place,
    /// Episode of that record.
    pub(super) episode: EpisodeId,
}

/// What is known of GC.
#[derive(Debug, Default)]
pub(super) struct Gc {
    /// Rising values, in the order in which they were seen.
    reached: Vec<Reached>,
    services: BTreeMap<Box<str>, Service>,
}

impl Gc {
    /// Most safe points that are kept; then every second one goes.
    const MOST: usize = 16_384;
    /// Most services: BR takes a new id for each run.
    const MOST_SERVICES: usize = 65_536;
    /// TiDB's own: it is GC, it holds nothing.
    const GC_WORKER: &'static str = "gc_worker";

    /// Takes an event.
    pub(super) fn take(&mut self, told: &Told<'_>, learned: &Learned, episode: EpisodeId) {
        let event = told.event;
        let seen = event.time.map(|time| learned.real_time(told.instance, time));
        let place = || Place::of(event);
        if let Some(point) = event.tso("gc-safepoint").filter(|point| point.is_plausible()) {
            self.reach(Reached { seen, point, place: place(), episode });
        }
        // What BR asks for is not yet what PD granted.
        if told.component == Some(Component::Br) {
            return;
        }
        if let Some(service) = service_of(event)
            && let Some(point) = event.tso("service-safepoint").or_else(|| event.tsos.first().copied())
            && (self.services.contains_key(service) || self.services.len() < Self::MOST_SERVICES)
        {
            let expires = expiry(told);
            self.services.insert(service.into(), Service { point, expires, seen, place: place(), episode });
        }
    }

    fn reach(&mut self, reached: Reached) {
        if self.reached.last().is_some_and(|last| last.point >= reached.point) {
            return;
        }
        if self.reached.len() >= Self::MOST {
            let mut at = 0;
            self.reached.retain(|_| {
                at += 1;
                at % 2 == 1
            });
        }
        self.reached.push(reached);
    }

    /// The newest safe point.
    pub(super) fn newest(&self) -> Option<&Reached> {
        self.reached.last()
    }

    /// The first record that shows GC at or past a checkpoint.
    pub(super) fn passed(&self, checkpoint: Checkpoint) -> Option<&Reached> {
        let at = self.reached.partition_point(|reached| reached.point < checkpoint.at_most());
        self.reached.get(at)
    }

    /// Who holds a checkpoint's data longest, as PD's log has it.
    pub(super) fn held(&self, checkpoint: Checkpoint) -> Option<Held> {
        self.services
            .iter()
            .filter(|(service, held)| &***service != Self::GC_WORKER && held.point <= checkpoint.at_most())
            .filter_map(|(service, held)| held.expires.map(|until| (until, service, held)))
            // The first service id of several that hold equally long.
            .max_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.cmp(a.1)))
            .map(|(until, service, held)| Held {
                until,
                service: service.to_string(),
                seen: held.seen,
                place: held.place.clone(),
                episode: held.episode,
            })
    }

    /// At most so many (seen, safe point) pairs, thinned evenly, for a picture.
    pub(super) fn thinned(&self, most: usize) -> Vec<(Timestamp, Tso)> {
        super::tasks::thin(self.reached.iter().filter_map(|one| one.seen.map(|seen| (seen, one.point))).collect(), most)
    }
}

/// When a service safe point expires: as PD prints it, or the record's time plus the time to live.
fn expiry(told: &Told<'_>) -> Option<Timestamp> {
    let event = told.event;
    let seconds = event.fact(FactKind::UnixSeconds, "expire-at").or_else(|| event.fact(FactKind::UnixSeconds, ""));
    if let Some(seconds) = seconds.and_then(|text| text.parse::<i64>().ok()) {
        // `math.MaxInt64` is for ever; anything past the year 9999 is.
        return (0..253_402_300_800).contains(&seconds).then(|| Timestamp(seconds * 1_000));
    }
    let ttl = event.facts.iter().find(|fact| fact.kind == FactKind::Duration)?;
    Some(event.time?.plus_ms(go_duration_ms(&ttl.value)?))
}

/// `24h0m0s`, `30m0s`, `1.5s` in milliseconds.
fn go_duration_ms(text: &str) -> Option<i64> {
    let mut total = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |end| digits + end);
        total += number
            * match &rest[digits..unit_end] {
                "h" => 3_600_000.0,
                "m" => 60_000.0,
                "s" => 1_000.0,
                "ms" => 1.0,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    (0.0..1e14).contains(&total).then_some(total as i64)
}

#[cfg(test)]
mod tests {
    use super::{Gc, go_duration_ms};
    use crate::correlate::Options;
    use crate::correlate::episodes::EpisodeId;
    use crate::correlate::learned::Learned;
    use crate::correlate::tasks::Checkpoint;
    use crate::correlate::testing::{Cluster, Record, at, record};
    use crate::units::{Component, FactKind, Severity, Timestamp, Tso};

    const CHECKPOINT: u64 = 434_834_088_949_972_992;

    fn service(id: &str, point: u64, expires: &str) -> Record {
        record("pd-service-safepoint", "gc", Severity::Notice, Component::Pd)
            .fact(FactKind::Service, "", id)
            .ts("service-safepoint", point)
            .fact(FactKind::UnixSeconds, "expire-at", &(at(expires).0 / 1_000).to_string())
    }

    fn gc(cluster: &Cluster) -> Gc {
        let events = cluster.events();
        let learned = Learned::read(&events, &cluster.sources(), &Options::default()).unwrap();
        let mut gc = Gc::default();
        for event in &events {
            gc.take(&learned.tell(event).unwrap(), &learned, EpisodeId(0));
        }
        gc
    }

    fn held(cluster: &Cluster) -> Option<(Timestamp, String)> {
        gc(cluster).held(Checkpoint::Exact(Tso(CHECKPOINT))).map(|held| (held.until, held.service))
    }

    #[test]
    fn the_last_expiry_of_those_at_or_below_the_checkpoint() {
        let mut cluster = Cluster::default();
        cluster
            .log("pd", "2022-07-25T14:46:53Z", service("backup-stream-t-1", CHECKPOINT - 1, "2022-07-25T15:16:53Z"))
            .log("pd", "2022-07-25T14:54:45Z", service("t-1-pause-guard", CHECKPOINT - 1, "2022-07-26T14:54:44Z"))
            .log("pd", "2022-07-25T14:55:45Z", service("t-2-pause-guard", CHECKPOINT + 1, "2022-07-29T14:54:44Z"))
            .log("pd", "2022-07-25T14:55:46Z", service("gc_worker", CHECKPOINT - 1, "2099-07-29T14:54:44Z"));
        let found = held(&cluster);
        assert_eq!(found, Some((at("2022-07-26T14:54:44Z"), "t-1-pause-guard".to_owned())));
    }

    #[test]
    fn only_the_last_update_of_a_service_counts() {
        let mut cluster = Cluster::default();
        cluster.log("pd", "2022-07-25T14:46:53Z", service("br-1", CHECKPOINT, "2022-07-29T00:00:00Z")).log(
            "pd",
            "2022-07-25T14:47:53Z",
            service("br-1", CHECKPOINT + 5, "2022-07-30T00:00:00Z"),
        );
        assert_eq!(held(&cluster), None);
    }

    #[test]
    fn gc_passes_a_checkpoint_that_it_reaches() {
        let reached = |point: u64| {
            let mut cluster = Cluster::default();
            let record = record("pd-gc-safepoint-updated", "gc", Severity::Notice, Component::Pd);
            cluster.log("pd", "2022-07-26T15:10:00Z", record.ts("gc-safepoint", point));
            gc(&cluster).passed(Checkpoint::Exact(Tso(CHECKPOINT))).is_some()
        };
        assert_eq!([reached(CHECKPOINT - 1), reached(CHECKPOINT), reached(CHECKPOINT + 1)], [false, true, true]);
    }

    #[test]
    fn durations_of_go() {
        assert_eq!(go_duration_ms("24h0m0s"), Some(86_400_000));
        assert_eq!(go_duration_ms("1.5s"), Some(1_500));
        assert_eq!([go_duration_ms("soon"), go_duration_ms("7x")], [None, None]);
    }
}
