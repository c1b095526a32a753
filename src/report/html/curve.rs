//! Checkpoint and GC safe point over time: how far apart they are, and when the one passes the other.

use super::axis::Axis;
use super::picture::{LEFT, Span, WIDTH, px};
use crate::correlate::Task;
use crate::report::words;
use crate::units::{Timestamp, Tso};
use std::fmt::Write as _;

const HEIGHT: f64 = 104.0;

pub(super) struct Curve {
    pub(super) bottom: f64,
    /// Between the highest and the lowest value: which curve is which is said there, left of the plot.
    pub(super) middle: f64,
    /// Between the two while the data are safe.
    pub(super) safe: Vec<Gap>,
    /// Between the two once GC has passed the checkpoint.
    pub(super) lost: Vec<Gap>,
    pub(super) checkpoint: Option<Steps>,
    pub(super) safepoint: Option<Steps>,
    pub(super) levels: Vec<Level>,
}

/// The room between the curves for a while.
pub(super) struct Gap {
    pub(super) span: Span,
    pub(super) height: f64,
}

/// A curve that holds its value until the next one is seen.
pub(super) struct Steps {
    /// `millis,y` pairs for the script.
    pub(super) points: String,
    pub(super) path: String,
}

/// A value on the vertical axis.
pub(super) struct Level {
    pub(super) y: f64,
    pub(super) label: String,
}

/// The first moment at which the GC safe point was seen at or past the checkpoint.
pub(super) fn crossing(task: &Task) -> Option<Timestamp> {
    let gaps = pieces(task, Timestamp(i64::MAX));
    gaps.iter().find(|piece| piece.safepoint >= piece.checkpoint).map(|piece| piece.from)
}

/// A while in which neither changes.
struct Piece {
    from: Timestamp,
    to: Timestamp,
    checkpoint: Tso,
    safepoint: Tso,
}

/// Both curves cut at every change of either.
fn pieces(task: &Task, end: Timestamp) -> Vec<Piece> {
    let mut times: Vec<_> = task.checkpoints.iter().chain(&task.safepoints).map(|(seen, _)| *seen).collect();
    times.push(end);
    times.sort_unstable();
    times.dedup();
    let value = |curve: &[(Timestamp, Tso)], time: Timestamp| {
        curve.partition_point(|(seen, _)| *seen <= time).checked_sub(1).map(|at| curve[at].1)
    };
    let piece = |pair: &[Timestamp]| {
        let checkpoint = value(&task.checkpoints, pair[0])?;
        let safepoint = value(&task.safepoints, pair[0])?;
        Some(Piece { from: pair[0], to: pair[1], checkpoint, safepoint })
    };
    times.windows(2).filter_map(piece).collect()
}

/// The chart, below `top`. What was seen last holds until `now`. None where nothing moved.
pub(super) fn draw(task: &Task, axis: &Axis, now: Option<Timestamp>, top: f64) -> Option<Curve> {
    let values = || task.checkpoints.iter().chain(&task.safepoints).map(|(_, tso)| tso.time());
    let (low, high) = (values().min()?, values().max()?);
    if low == high {
        return None;
    }
    let bottom = top + 12.0 + HEIGHT;
    let y = |tso: Tso| {
        let part = tso.time().since(low) as f64 / high.since(low) as f64;
        px(bottom - 6.0 - (HEIGHT - 16.0) * part)
    };
    let x = |time: Timestamp| px(LEFT + WIDTH * axis.at(time));
    let (mut safe, mut lost) = (Vec::new(), Vec::new());
    let end = now.map_or(axis.last(), |now| now.clamp(axis.first(), axis.last()));
    for piece in pieces(task, end) {
        let (from, to) = (piece.from.max(axis.first()), piece.to.min(axis.last()));
        if from >= to {
            continue;
        }
        let (upper, lower) = (y(piece.checkpoint).min(y(piece.safepoint)), y(piece.checkpoint).max(y(piece.safepoint)));
        let span = Span { from: from.0, to: to.0, x: x(from), width: px(x(to) - x(from)), y: upper };
        let gap = Gap { span, height: px((lower - upper).max(0.5)) };
        if piece.safepoint < piece.checkpoint { safe.push(gap) } else { lost.push(gap) }
    }
    let steps = |curve: &[(Timestamp, Tso)]| {
        let (first, last) = (curve.first()?, curve.last()?);
        let mut path = format!("M{:.1} {:.1}", x(first.0), y(first.1));
        let mut points = format!("{},{:.1}", first.0.0, y(first.1));
        for (seen, tso) in &curve[1..] {
            // Writing to a string cannot fail.
            let _ = write!(path, "H{:.1}V{:.1}", x(*seen), y(*tso));
            let _ = write!(points, " {},{:.1}", seen.0, y(*tso));
        }
        if end > last.0 {
            let _ = write!(path, "H{:.1}", x(end));
            let _ = write!(points, " {},{:.1}", end.0, y(last.1));
        }
        Some(Steps { points, path })
    };
    let level = |time: Timestamp| {
        let text = words::moment(time);
        Level { y: y(Tso::from_time(time)), label: text.get(5..16).unwrap_or_default().to_owned() }
    };
    Some(Curve {
        bottom: bottom + 4.0,
        middle: px(f64::midpoint(y(Tso::from_time(low)), y(Tso::from_time(high)))),
        safe,
        lost,
        checkpoint: steps(&task.checkpoints),
        safepoint: steps(&task.safepoints),
        levels: vec![level(high), level(low)],
    })
}
