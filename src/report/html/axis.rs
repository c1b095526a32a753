//! The time axis of the picture. An incident takes seconds, its deadline is a day away: so the axis is stretched
//! where the story is, evenly between two moments of it, and says how long each stretch is.

use super::picture::{LEFT, WIDTH, px};
use crate::units::{Timestamp, hms};
use std::collections::BTreeSet;

/// Moments that stretch the axis, at most; more would leave no room for any.
const MOST_KNOTS: usize = 48;

impl Tick {
    /// Where it stands in the drawing.
    pub(super) fn x(&self) -> f64 {
        px(LEFT + WIDTH * self.at)
    }
}

/// Maps time to `0..=1`.
#[derive(Debug)]
pub(super) struct Axis {
    knots: Vec<(Timestamp, f64)>,
    /// The last moment is no moment of the story, only room after it.
    ends_in_room: bool,
}

/// A label on the axis.
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
    /// Which end of the label stands at the moment.
    pub(super) anchor: &'static str,
}

impl Axis {
    /// An axis over these moments and `room` milliseconds after them; those within `story` are stretched most.
    /// None where there is no span of time.
    pub(super) fn new(moments: &BTreeSet<Timestamp>, story: Option<(Timestamp, Timestamp)>, room: i64) -> Option<Self> {
        let mut moments: Vec<Timestamp> = moments.iter().copied().collect();
        while moments.len() > MOST_KNOTS {
            // The shortest stretch loses its end, but the axis keeps both of its own.
            let shortest = (1..moments.len() - 1).min_by_key(|&at| moments[at].since(moments[at - 1]))?;
            moments.remove(shortest);
        }
        let (first, last) = (*moments.first()?, *moments.last()?);
        if first == last {
            return None;
        }
        if room > 0 {
            moments.push(last.plus_ms(room));
        }
        let weight = |from: Timestamp, to: Timestamp| {
            let told = story.is_some_and(|(start, end)| from >= start && to <= end);
            (1.0 + to.since(from) as f64 / 200.0).ln() * if told { 2.5 } else { 1.0 } + 0.6
        };
        let total: f64 = moments.windows(2).map(|pair| weight(pair[0], pair[1])).sum();
        let mut at = 0.0;
        let mut knots = vec![(first, 0.0)];
        for pair in moments.windows(2) {
            at += weight(pair[0], pair[1]) / total;
            knots.push((pair[1], at));
        }
        if let Some(end) = knots.last_mut() {
            end.1 = 1.0;
        }
        Some(Self { knots, ends_in_room: room > 0 })
    }

    /// Where a moment stands; those before and after the axis stand at its ends.
    pub(super) fn at(&self, time: Timestamp) -> f64 {
        let after = self.knots.partition_point(|(knot, _)| *knot <= time);
        let (Some(before), Some((to, x_to))) = (after.checked_sub(1), self.knots.get(after)) else {
            return if after == 0 { 0.0 } else { 1.0 };
        };
        let (from, x_from) = self.knots[before];
        x_from + (x_to - x_from) * time.since(from) as f64 / to.since(from) as f64
    }

    /// The moment that stands there.
    pub(super) fn time_at(&self, at: f64) -> Timestamp {
        let after = self.knots.partition_point(|(_, knot)| *knot <= at).clamp(1, self.knots.len() - 1);
        let ((from, x_from), (to, x_to)) = (self.knots[after - 1], self.knots[after]);
        let part = ((at - x_from) / (x_to - x_from)).clamp(0.0, 1.0);
        from.plus_ms((to.since(from) as f64 * part).round() as i64)
    }

    pub(super) fn first(&self) -> Timestamp {
        self.knots[0].0
    }

    pub(super) fn last(&self) -> Timestamp {
        self.knots[self.knots.len() - 1].0
    }

    /// The knots for the script: `millis,position` pairs.
    pub(super) fn knots(&self) -> String {
        let pairs: Vec<_> = self.knots.iter().map(|(time, at)| format!("{},{at:.5}", time.0)).collect();
        pairs.join(" ")
    }

    /// Labels that do not touch, those of `wanted` moments first.
    pub(super) fn ticks(&self, wanted: &[Timestamp]) -> Vec<Tick> {
        let told = &self.knots[..self.knots.len() - usize::from(self.ends_in_room)];
        let ends = [told.first(), told.last()].into_iter().flatten();
        let first_day = day(self.first());
        let mut chosen: Vec<(Timestamp, [f64; 2])> = Vec::new();
        for time in ends.map(|(time, _)| time).chain(wanted).chain(told.iter().map(|(time, _)| time)) {
            // A label with its date, which one of a later day may need, is wider.
            let has_date = *time == self.first() || day(*time) != first_day;
            let extent = self.extent(*time, if has_date { 84.0 } else { 52.0 });
            if chosen.iter().all(|(_, [from, to])| extent[0] > to + 6.0 || extent[1] < from - 6.0) {
                chosen.push((*time, extent));
            }
        }
        chosen.sort_unstable_by_key(|(time, _)| *time);
        let mut last_day = None;
        let label = |time: Timestamp| {
            let text = time.human();
            let (date, clock) = text.split_once(' ').unwrap_or((&text, ""));
            let same_day = last_day.replace(day(time)) == Some(day(time));
            let label = if same_day { clock.to_owned() } else { format!("{} {clock}", &date[5..]) };
            let at = self.at(time);
            Tick { at, label, anchor: anchor(at) }
        };
        chosen.into_iter().map(|(time, _)| time).map(label).collect()
    }

    /// From where to where a label of this width reaches.
    fn extent(&self, time: Timestamp, width: f64) -> [f64; 2] {
        let at = self.at(time);
        let x = LEFT + WIDTH * at;
        match anchor(at) {
            "start" => [x, x + width],
            "end" => [x - width, x],
            _ => [x - width / 2.0, x + width / 2.0],
        }
    }

    /// How long the stretches between neighbouring ticks are: where, and in words. None where all is to scale.
    pub(super) fn spans(&self, ticks: &[Tick], room: f64) -> Vec<Tick> {
        if self.knots.len() <= 2 {
            return Vec::new();
        }
        let time_at = |x: f64| self.knots.iter().find(|(_, at)| (at - x).abs() < 1e-9).map(|(time, _)| *time);
        let span = |pair: &[Tick]| {
            let (from, to) = (time_at(pair[0].at)?, time_at(pair[1].at)?);
            let wide = pair[1].at - pair[0].at >= room;
            wide.then(|| Tick {
                at: f64::midpoint(pair[0].at, pair[1].at),
                label: hms(to.since(from)),
                anchor: "middle",
            })
        };
        ticks.windows(2).filter_map(span).collect()
    }
}

/// Labels at the ends of the axis stay within it.
fn anchor(at: f64) -> &'static str {
    match at {
        ..0.03 => "start",
        0.97.. => "end",
        _ => "middle",
    }
}

fn day(time: Timestamp) -> i64 {
    time.0.div_euclid(86_400_000)
}

#[cfg(test)]
mod tests {
    use super::Axis;
    use crate::units::Timestamp;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_single_moment_is_no_axis() {
        assert!(Axis::new(&BTreeSet::new(), None, 0).is_none());
        assert!(Axis::new(&BTreeSet::from([Timestamp(5)]), None, 9).is_none());
    }

    proptest! {
        #[test]
        fn later_is_never_further_left(
            moments in proptest::collection::btree_set(0i64..200_000_000, 2..200),
            room in 0i64..9,
            mut times in proptest::collection::vec(-1_000i64..200_001_000, 1..50),
        ) {
            let moments: BTreeSet<_> = moments.into_iter().map(Timestamp).collect();
            let axis = Axis::new(&moments, None, room).unwrap();
            times.sort_unstable();
            let xs: Vec<_> = times.iter().map(|time| axis.at(Timestamp(*time))).collect();
            prop_assert!(xs.is_sorted() && xs.iter().all(|x| (0.0..=1.0).contains(x)), "{xs:?}");
            prop_assert_eq!((axis.at(axis.first()), axis.at(axis.last())), (0.0, 1.0));
            let away = |time: i64| axis.time_at(axis.at(Timestamp(time))).since(Timestamp(time)).abs();
            prop_assert!(times.iter().filter(|time| (axis.first().0..=axis.last().0).contains(*time)).all(|time| away(*time) <= 1));
            let ticks = axis.ticks(&[]);
            prop_assert!(ticks.windows(2).all(|pair| pair[1].x() - pair[0].x() >= 52.0));
        }
    }
}
