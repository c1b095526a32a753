//! How far each clock is off, from moments that several processes wrote down: a task event that all stores watch, a leader
//! that moved, a safe point that a store asked PD for.

use super::merges::{MergeStep, merge_of};
use super::signs::{Sign, Verb, service_of, sign_of, task_of_service};
use crate::event::Event;
use crate::units::{Component, Timestamp};
use rustc_hash::FxHashMap;

/// One real moment, as far as events can tell which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Moment {
    /// A task was paused, resumed, added or removed: every store watches that.
    Task(Verb),
    /// A merge was applied: source and target.
    Merged(u64, u64),
    /// PD told a leader to merge: source and target.
    MergeAsked(u64, u64),
    /// A region got a new leader.
    Leader(u64),
    /// A store's checkpoint went to PD.
    ServicePoint(u64),
    /// TiDB sent PD a GC safe point.
    GcPoint(u64),
}

/// A clock that wrote a moment down.
#[derive(Debug, Clone, Copy)]
struct Seen {
    source: usize,
    time: Timestamp,
    pd: bool,
}

/// Gathers moments and how far sources differ on them.
#[derive(Debug, Default)]
pub(super) struct Skew {
    open: FxHashMap<Moment, Vec<Seen>>,
    /// For each source: differences to PD, and to the median of three or more.
    against_pd: Vec<Vec<i64>>,
    against_others: Vec<Vec<i64>>,
}

impl Skew {
    /// Longest time between two records of one moment: skew and delay together.
    const WINDOW_MS: i64 = 60_000;
    /// Fewest differences that an estimate rests on.
    const FEWEST: usize = 3;
    /// Most differences kept of a source.
    const MOST: usize = 512;
    /// Most moments that wait for a second record.
    const MOST_OPEN: usize = 16_384;

    /// Takes an event of a source.
    pub(super) fn take(&mut self, source: usize, event: &Event) {
        let Some(time) = event.time else { return };
        let moments = moments_of(event);
        if moments.iter().all(Option::is_none) {
            return;
        }
        if self.open.len() > Self::MOST_OPEN {
            let old = self.open.extract_if(|_, seen| time.since(seen[0].time) > Self::WINDOW_MS);
            let mut old: Vec<_> = old.map(|(_, seen)| seen).collect();
            old.sort_by_key(|seen| (seen[0].time, seen[0].source));
            for seen in &old {
                self.close(seen);
            }
        }
        let seen = Seen { source, time, pd: event.component == Some(Component::Pd) };
        for moment in moments.into_iter().flatten() {
            let known = self.open.entry(moment).or_default();
            if known.first().is_some_and(|first| time.since(first.time) > Self::WINDOW_MS) {
                let done = std::mem::take(known);
                known.push(seen);
                self.close(&done);
            } else if known.iter().all(|other| other.source != source) {
                known.push(seen);
            }
        }
    }

    fn close(&mut self, seen: &[Seen]) {
        if seen.len() < 2 {
            return;
        }
        let reference = seen.iter().find(|one| one.pd).map(|pd| pd.time);
        if let Some(reference) = reference {
            for one in seen.iter().filter(|one| !one.pd) {
                push(&mut self.against_pd, one, reference);
            }
        } else if seen.len() >= Self::FEWEST {
            let mut times: Vec<i64> = seen.iter().map(|one| one.time.0).collect();
            let reference = Timestamp(median(&mut times));
            for one in seen {
                push(&mut self.against_others, one, reference);
            }
        }
    }

    /// The estimate for each instance, given the sources of each and whether it is PD; `None` where too little is known.
    pub(super) fn estimate<'i>(mut self, instances: impl Iterator<Item = (&'i [usize], bool)>) -> Vec<Option<i64>> {
        let mut open: Vec<_> = std::mem::take(&mut self.open).into_values().collect();
        open.sort_by_key(|seen| (seen[0].time, seen[0].source));
        for seen in &open {
            self.close(seen);
        }
        let gather = |lists: &[Vec<i64>], sources: &[usize]| -> Option<i64> {
            let mut all: Vec<i64> = sources.iter().filter_map(|source| lists.get(*source)).flatten().copied().collect();
            (all.len() >= Self::FEWEST).then(|| median(&mut all))
        };
        let instances: Vec<_> = instances.collect();
        let to_pd: Vec<Option<i64>> = instances.iter().map(|(sources, _)| gather(&self.against_pd, sources)).collect();
        let measured = to_pd.iter().flatten().count();
        if measured == 0 {
            return instances.iter().map(|(sources, _)| gather(&self.against_others, sources)).collect();
        }
        // With PD and two more, the middle one is right, and it may be PD that is off.
        let mut all: Vec<i64> = to_pd.iter().flatten().copied().chain([0]).collect();
        let right = if measured >= 2 { median(&mut all) } else { 0 };
        let mut found: Vec<Option<i64>> = to_pd
            .iter()
            .zip(&instances)
            .map(|(own, (_, pd))| if *pd { Some(-right) } else { own.map(|own| own - right) })
            .collect();
        // Those that share no moment with PD are compared with the others.
        for (at, (sources, _)) in instances.iter().enumerate() {
            found[at] = found[at].or_else(|| gather(&self.against_others, sources));
        }
        found
    }
}

fn push(lists: &mut Vec<Vec<i64>>, one: &Seen, reference: Timestamp) {
    if lists.len() <= one.source {
        lists.resize_with(one.source + 1, Vec::new);
    }
    if lists[one.source].len() < Skew::MOST {
        lists[one.source].push(one.time.since(reference));
    }
}

/// The middle one; of two the lower.
fn median(values: &mut [i64]) -> i64 {
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

fn moments_of(event: &Event) -> [Option<Moment>; 2] {
    let one = |moment| [Some(moment), None];
    match &*event.rule {
        "raft-became-leader" | "pd-leader-changed" => {
            event.region.map_or([None; 2], |region| one(Moment::Leader(region.0)))
        }
        "pd-operator-add" | "merge-pd-command" | "merge-commit" => match merge_of(event) {
            Some(merge) if merge.target.is_some() => {
                let (source, target) = (merge.source.0, merge.target.map_or(0, |target| target.0));
                one(if merge.step == MergeStep::Committed {
                    Moment::Merged(source, target)
                } else {
                    Moment::MergeAsked(source, target)
                })
            }
            _ => [None; 2],
        },
        "pd-service-safepoint" => {
            let of_a_store = service_of(event).and_then(task_of_service).is_some_and(|(_, store)| store.is_some());
            let Some(point) = event.tso("service-safepoint").or(event.tsos.first().copied()).filter(|_| of_a_store)
            else {
                return [None; 2];
            };
            // v6.5 asks for checkpoint - 1, older versions for the checkpoint.
            [Some(Moment::ServicePoint(point.0)), Some(Moment::ServicePoint(point.0 + 1))]
        }
        "gc-sent-safepoint" | "pd-gc-safepoint-updated" | "pd-gc-safepoint-advanced" => {
            event.tso("gc-safepoint").map_or([None; 2], |point| one(Moment::GcPoint(point.0)))
        }
        "lb-flush-checkpoint" => match sign_of(event) {
            Some(Sign::StoreCheckpoint(point)) => one(Moment::ServicePoint(point.0)),
            _ => [None; 2],
        },
        "lb-watch-pause-event" | "lb-watch-task-event" | "lb-watch-task-event-old" => match sign_of(event) {
            Some(Sign::Seen(verb)) => one(Moment::Task(verb)),
            _ => [None; 2],
        },
        _ => [None; 2],
    }
}

#[cfg(test)]
mod tests {
    use super::Skew;
    use crate::correlate::testing::{Cluster, at, record};
    use crate::units::{Component, FactKind, Severity, Timestamp};

    /// Each minute every store flushes and tells PD, with these clocks (ms ahead) and PD's.
    fn cluster(stores: &[i64], pd: Option<i64>, minutes: i64) -> Cluster {
        let mut cluster = Cluster::default();
        for minute in 0..minutes {
            let now = at("2022-07-25T14:00:00Z").plus_ms(minute * 60_000);
            for (store, ahead) in stores.iter().enumerate() {
                let ts = 434_834_088_949_972_992 + minute as u64 * 1_000 + store as u64 * 10;
                let log = |time: Timestamp, ahead: i64| time.plus_ms(ahead).to_string();
                let flush = record("lb-flush-checkpoint", "log-backup", Severity::Info, Component::Tikv);
                let watch = record("lb-watch-pause-event", "log-backup", Severity::Notice, Component::Tikv);
                let file = format!("{store}/tikv.log");
                cluster.log(&file, &log(now, *ahead), flush.ts("store-checkpoint", ts));
                cluster.log(&file, &log(now.plus_ms(500), *ahead), watch.says("PauseTask"));
                if let Some(pd) = pd {
                    let point = record("pd-service-safepoint", "gc", Severity::Notice, Component::Pd);
                    let service = format!("backup-stream-t-{store}");
                    let point = point.ts("service-safepoint", ts - 1).fact(FactKind::Service, "", &service);
                    cluster.log("pd.log", &log(now.plus_ms(20), pd), point);
                }
            }
        }
        cluster
    }

    fn estimate(cluster: &Cluster) -> Vec<Option<i64>> {
        let sources = cluster.sources();
        let mut skew = Skew::default();
        for event in cluster.events() {
            skew.take(sources.iter().position(|row| row.file == event.file).unwrap(), &event);
        }
        let each: Vec<([usize; 1], bool)> =
            sources.iter().enumerate().map(|(at, row)| ([at], row.file.starts_with("pd"))).collect();
        skew.estimate(each.iter().map(|(sources, pd)| (&sources[..], *pd)))
    }

    fn close_to(found: &[Option<i64>], wanted: &[i64]) {
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(found.is_some_and(|found| (found - wanted).abs() < 200), "{found:?}, wanted about {wanted}");
        }
    }

    #[test]
    fn a_store_that_is_off_is_found_against_pd() {
        close_to(&estimate(&cluster(&[0, 5_000, 0], Some(0), 10)), &[0, 5_000, 0, 0]);
        close_to(&estimate(&cluster(&[-5_000, 0, 0], Some(0), 10)), &[-5_000, 0, 0, 0]);
    }

    #[test]
    fn pd_itself_may_be_off() {
        close_to(&estimate(&cluster(&[0, 0, 0], Some(5_000), 10)), &[0, 0, 0, 5_000]);
    }

    #[test]
    fn without_pd_the_majority_is_right() {
        close_to(&estimate(&cluster(&[0, 5_000, 0], None, 10)), &[0, 5_000, 0]);
    }

    #[test]
    fn too_few_pairs_give_no_estimate() {
        assert_eq!(estimate(&cluster(&[0, 5_000], None, 10)), [None, None], "nobody knows which of two is right");
        assert_eq!(estimate(&cluster(&[0, 5_000, 0], None, 2)), [None, None, None]);
    }
}
