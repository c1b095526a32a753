//! A task's global checkpoint over time, and where it stood still.

use crate::correlate::episodes::EpisodeId;
use crate::correlate::findings::Place;
use crate::units::{Timestamp, Tso};

/// One value of the checkpoint, as long as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::correlate) struct Point {
    /// The value, exact or to the millisecond.
    pub(in crate::correlate) value: Checkpoint,
    /// When it was first seen, by the clock of the others.
    pub(in crate::correlate) first: Timestamp,
    /// The same as written.
    pub(in crate::correlate) written: Timestamp,
    /// When it was last seen.
    pub(in crate::correlate) last: Timestamp,
    /// The first record that shows the value again, without progress.
    pub(in crate::correlate) repeat: Option<(Timestamp, Place, EpisodeId)>,
    /// Where it was first seen.
    pub(in crate::correlate) place: Place,
    /// The episode of that record.
    pub(in crate::correlate) episode: EpisodeId,
}

/// A checkpoint. A status table gives only its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::correlate) enum Checkpoint {
    /// With its logical part.
    Exact(Tso),
    /// To the millisecond.
    Time(Timestamp),
}

impl Checkpoint {
    /// As a time.
    pub(in crate::correlate) const fn time(self) -> Timestamp {
        match self {
            Self::Exact(tso) => tso.time(),
            Self::Time(time) => time,
        }
    }

    /// The TSO, where it is known.
    pub(in crate::correlate) const fn exact(self) -> Option<Tso> {
        match self {
            Self::Exact(tso) => Some(tso),
            Self::Time(_) => None,
        }
    }

    /// The largest TSO that it can be.
    pub(in crate::correlate) const fn at_most(self) -> Tso {
        match self {
            Self::Exact(tso) => tso,
            Self::Time(time) => Tso(Tso::from_time(time.plus_ms(1)).0 - 1),
        }
    }

    /// Whether it is a later one; to the millisecond where one of them is.
    fn is_past(self, other: Self) -> bool {
        match (self, other) {
            (Self::Exact(own), Self::Exact(other)) => own > other,
            _ => self.time() > other.time(),
        }
    }
}

/// A time in which the checkpoint stood still though the task ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::correlate) struct Stall {
    /// When it moved for the last time; where it was far behind already when it was first seen, its own time.
    pub(in crate::correlate) moved: Timestamp,
    /// The first record without progress.
    pub(in crate::correlate) since: Timestamp,
    /// The value at which it stands.
    pub(in crate::correlate) value: Checkpoint,
    /// When it was last seen standing.
    pub(in crate::correlate) seen: Timestamp,
    /// When it moved again.
    pub(in crate::correlate) until: Option<Timestamp>,
    /// Where the first record without progress stands.
    pub(in crate::correlate) place: Place,
    /// Its episode.
    pub(in crate::correlate) episode: EpisodeId,
}

impl Point {
    /// When the checkpoint moved to this value, as far as can be told.
    pub(in crate::correlate) const fn moved(&self) -> Timestamp {
        let behind = self.first.since(self.value.time());
        if behind >= Checkpoints::LAG_MS { self.value.time() } else { self.first }
    }
}

impl Stall {
    /// How far the checkpoint was behind when it was last seen.
    pub(in crate::correlate) const fn lag_ms(&self) -> i64 {
        self.seen.since(self.value.time())
    }
}

/// The values of a checkpoint in the order in which they were seen.
#[derive(Debug, Clone, Default)]
pub(in crate::correlate) struct Checkpoints {
    points: Vec<Point>,
}

impl Checkpoints {
    /// Most values that are kept; then every second one goes.
    const MOST: usize = 8_192;
    /// Behind by less than this is normal: stores flush every 3 to 5 minutes.
    const LAG_MS: i64 = 10 * 60_000;
    /// A task that has just been resumed is behind and catches up.
    pub(super) const CATCH_UP_MS: i64 = 30 * 60_000;

    /// Takes a value that was seen.
    pub(super) fn take(
        &mut self,
        value: Checkpoint,
        seen: Timestamp,
        written: Timestamp,
        place: Place,
        episode: EpisodeId,
    ) {
        if let Some(last) = self.points.last_mut() {
            if !value.is_past(last.value) {
                // Screens are taken while older uploads are still to come, and an old owner may repeat an old value.
                if value.time() == last.value.time() && seen >= last.last {
                    last.last = seen;
                    last.repeat.get_or_insert((seen, place, episode));
                    if let (Checkpoint::Time(_), Checkpoint::Exact(_)) = (last.value, value) {
                        last.value = value;
                    }
                }
                return;
            }
            if self.points.len() >= Self::MOST {
                let mut at = 0;
                self.points.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
            }
        }
        self.points.push(Point { value, first: seen, written, last: seen, repeat: None, place, episode });
    }

    /// All values.
    pub(in crate::correlate) fn points(&self) -> &[Point] {
        &self.points
    }

    /// The newest value.
    pub(in crate::correlate) fn last(&self) -> Option<&Point> {
        self.points.last()
    }

    /// The newest value that was seen by a time.
    pub(in crate::correlate) fn at(&self, time: Timestamp) -> Option<&Point> {
        let after = self.points.partition_point(|point| point.first <= time);
        self.points.get(after.checked_sub(1)?)
    }

    /// Longest usual time between two values.
    pub(super) fn usual_step_ms(&self) -> Option<i64> {
        let mut steps: Vec<i64> = self.points.windows(2).map(|pair| pair[1].first.since(pair[0].first)).collect();
        steps.sort_unstable();
        (steps.len() >= 2).then(|| steps[steps.len() / 2])
    }

    /// Where the checkpoint stood still for so long that it fell behind. `ran` says whether the task ran all the time
    /// between two moments and was not catching up.
    pub(super) fn stalls(&self, ran: impl Fn(Timestamp, Timestamp) -> bool) -> Vec<Stall> {
        let mut stalls = Vec::new();
        for (at, point) in self.points.iter().enumerate() {
            let next = self.points.get(at + 1);
            let seen = next.map_or(point.last, |next| next.first);
            let behind = seen.since(point.value.time()) >= Self::LAG_MS;
            // One screen that shows it far behind is enough; of two values the time between them counts.
            let still = next.is_none_or(|next| next.first.since(point.first) >= Self::LAG_MS);
            if !(behind && still && ran(point.first, seen)) || (next.is_some() && point.repeat.is_none()) {
                continue;
            }
            let (since, place, episode) =
                point.repeat.clone().unwrap_or_else(|| (point.first, point.place.clone(), point.episode));
            stalls.push(Stall {
                moved: point.moved(),
                since,
                value: point.value,
                seen: if next.is_some() { point.last } else { seen },
                until: next.map(|next| next.first),
                place,
                episode,
            });
        }
        stalls
    }

    /// At most so many (seen, value) pairs, thinned evenly, for a picture.
    pub(super) fn thinned(&self, most: usize) -> Vec<(Timestamp, Tso)> {
        let pairs: Vec<_> = self
            .points
            .iter()
            .map(|point| (point.first, point.value.exact().unwrap_or(Tso::from_time(point.value.time()))))
            .collect();
        super::thin(pairs, most)
    }
}

#[cfg(test)]
mod tests {
    use super::{Checkpoint, Checkpoints};
    use crate::correlate::episodes::EpisodeId;
    use crate::correlate::findings::Place;
    use crate::correlate::testing::at;
    use crate::units::Tso;

    fn series(values: &[(&str, &str)]) -> Checkpoints {
        let mut series = Checkpoints::default();
        for (line, (seen, value)) in values.iter().enumerate() {
            let place = Place { file: "tidb.log".into(), line: line as u64, offset: 0 };
            let value = Checkpoint::Exact(Tso::from_time(at(&format!("2022-07-25T{value}:00Z"))));
            let seen = at(&format!("2022-07-25T{seen}:00Z"));
            series.take(value, seen, seen, place, EpisodeId(0));
        }
        series
    }

    #[test]
    fn a_checkpoint_that_moves_is_no_stall() {
        let series = series(&[("14:00", "13:57"), ("14:03", "14:00"), ("14:06", "14:03")]);
        assert_eq!(series.stalls(|_, _| true), []);
        assert_eq!(series.last().map(|point| point.value.time()), Some(at("2022-07-25T14:03:00Z")));
    }

    #[test]
    fn a_value_that_repeats_is_a_stall() {
        let series = series(&[("14:00", "13:57"), ("14:03", "13:57"), ("14:30", "13:57")]);
        let stalls = series.stalls(|_, _| true);
        assert_eq!(stalls.len(), 1);
        assert_eq!((stalls[0].moved, stalls[0].since), (at("2022-07-25T14:00:00Z"), at("2022-07-25T14:03:00Z")));
        assert_eq!(stalls[0].lag_ms(), 33 * 60_000);
        assert_eq!((stalls[0].until, stalls[0].place.line), (None, 1));
        assert_eq!(series.stalls(|_, _| false), [], "a paused task does not stall");
    }

    #[test]
    fn an_older_value_is_not_taken() {
        let series = series(&[("14:00", "13:57"), ("14:03", "13:50")]);
        assert_eq!(series.points().len(), 1);
        assert_eq!(series.last().map(|point| point.last), Some(at("2022-07-25T14:00:00Z")));
    }

    #[test]
    fn many_values_are_thinned() {
        let mut series = Checkpoints::default();
        for step in 0..50_000u64 {
            let time = at("2022-07-25T14:00:00Z").plus_ms(step as i64 * 60_000);
            series.take(
                Checkpoint::Time(time),
                time,
                time,
                Place { file: "a".into(), line: step, offset: 0 },
                EpisodeId(0),
            );
        }
        assert!(series.points().len() <= Checkpoints::MOST);
        assert_eq!(series.last().map(|point| point.place.line), Some(49_999));
    }
}
