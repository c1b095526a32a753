//! The picture: lanes over time with episodes as bars, the chain of the main incident as numbered steps joined by
//! arrows, and below it on the same axis the checkpoint and the GC safe point.

use super::axis::{Axis, Tick};
use super::bars::{self, Bar};
use super::chain::{self, Arrow, MOST_STEPS, Mark};
use super::curve::{self, Curve};
use super::frame::{Crowd, Frame, alone_in};
use super::lanes::{Lane, Lanes};
use crate::correlate::{DeadlineBasis, Findings, Incident, IncidentStatus, Task};
use crate::report::words;
use crate::safe::{Safe, SafeText};
use crate::units::Timestamp;
use std::collections::BTreeSet;

/// Left edge and width of the plot, in units of the drawing.
pub(super) const LEFT: f64 = 112.0;
pub(super) const WIDTH: f64 = 1_068.0;
/// Merges and spans of logs that are drawn.
pub(super) const MOST_SPANS: usize = 60;

/// A tenth of a unit is as fine as an eye can see.
pub(super) fn px(units: f64) -> f64 {
    (units * 10.0).round() / 10.0
}

pub(super) struct Picture {
    pub(super) height: f64,
    pub(super) lanes_height: f64,
    pub(super) lane_height: f64,
    pub(super) rows: Vec<Row>,
    pub(super) coverage: Vec<Span>,
    pub(super) merges: Vec<Bar>,
    pub(super) bars: Vec<Bar>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) steps: Vec<Mark>,
    pub(super) ticks: Vec<Tick>,
    pub(super) spans: Vec<Tick>,
    pub(super) lines: Vec<Line>,
    pub(super) curve: Option<Curve>,
    pub(super) knots: String,
    pub(super) is_stretched: bool,
    pub(super) note: String,
    pub(super) description: SafeText<'static>,
    pub(super) choices: Choices,
}

/// A lane.
pub(super) struct Row {
    pub(super) y: f64,
    pub(super) label: SafeText<'static>,
    pub(super) is_region: bool,
}

/// From a moment to a moment, in a lane.
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) x: f64,
    pub(super) width: f64,
    pub(super) y: f64,
}

/// A moment that matters, over the whole height.
pub(super) struct Line {
    pub(super) at: i64,
    pub(super) x: f64,
    pub(super) label: String,
    pub(super) class: &'static str,
}

/// What the filters offer.
#[derive(Default)]
pub(super) struct Choices {
    pub(super) rules: BTreeSet<SafeText<'static>>,
    pub(super) regions: BTreeSet<u64>,
    pub(super) stores: BTreeSet<u64>,
}

/// The picture: what is drawn one by one, and the crowd in blocks.
pub(super) fn draw(findings: &Findings, frame: &Frame, crowd: &Crowd, safe: Safe) -> Picture {
    let Frame { lanes, axis, .. } = frame;
    let told = chain::told(findings);
    let main = told.first().copied();
    let task = task_of(findings, main);
    let lane_height = lanes.height();
    let lanes_height = lanes.lanes.len() as f64 * lane_height;
    let x = |time: Timestamp| px(LEFT + WIDTH * axis.at(time));
    let y = |lane: usize| lane as f64 * lane_height;
    let span = |from: Timestamp, to: Timestamp, y: f64| {
        let (start, end) = (x(from), x(to));
        Span { from: from.0, to: to.0, x: start, width: px((end - start).max(3.0)), y }
    };

    let rows = lanes.lanes.iter().enumerate().map(|(at, lane)| Row {
        y: y(at),
        label: safe.own(lanes.label(*lane)),
        is_region: matches!(lane, Lane::Region(_)),
    });
    let coverage = findings.stores.iter().filter_map(|store| {
        let (from, to) = (store.first?.max(axis.first()), store.last?.min(axis.last()));
        (from < to).then_some(span(from, to, y(lanes.of_instance(store)?) + lane_height - 2.0))
    });
    let (steps, arrows) = chain::chain(&told, lanes, &x, safe);
    let lines = moments(findings, task, axis)
        .into_iter()
        .map(|(time, label, class)| Line { at: time.0, x: x(time), label, class })
        .collect();
    let curve = task.and_then(|task| curve::draw(task, axis, findings.now, lanes_height + 40.0));
    let wanted: Vec<_> = moments(findings, task, axis)
        .iter()
        .map(|(time, _, _)| *time)
        .chain(told.iter().flat_map(|incident| incident.chain.iter().filter_map(|step| step.first)))
        .collect();
    let ticks = axis.ticks(&wanted);
    Picture {
        height: curve.as_ref().map_or(lanes_height + 64.0, |curve| curve.bottom + 8.0),
        lanes_height,
        lane_height: lane_height - 1.0,
        coverage: coverage.take(MOST_SPANS).collect(),
        merges: bars::merges(findings, lanes, axis.last(), &span, safe),
        bars: bars::bars(findings, frame, crowd, &span, safe),
        arrows,
        steps,
        spans: axis.spans(&ticks, 0.05),
        ticks,
        lines,
        curve,
        knots: axis.knots(),
        is_stretched: axis.knots().split(' ').count() > 2,
        note: bars::note(crowd),
        description: safe.own(describe(crowd, main)),
        rows: rows.collect(),
        choices: Choices::of(findings, lanes, safe),
    }
}

/// The task that the main incident is about; where there is none, the first.
fn task_of<'f>(findings: &'f Findings, main: Option<&Incident>) -> Option<&'f Task> {
    main.and_then(|incident| words::task_of(findings, incident)).or_else(|| findings.tasks.first())
}

impl Choices {
    /// What is in the picture.
    fn of(findings: &Findings, lanes: &Lanes, safe: Safe) -> Self {
        let mut choices = Self::default();
        for (region, store) in (0..lanes.lanes.len()).map(|lane| lanes.ids(lane)) {
            choices.regions.extend(region.map(|id| id.0));
            choices.stores.extend(store.map(|id| id.0));
        }
        for episode in alone_in(findings) {
            choices.rules.insert(safe.line(&episode.rule).into_owned());
            choices.regions.extend(episode.region.map(|id| id.0));
            choices.stores.extend(episode.store.map(|id| id.0));
        }
        choices
    }
}

/// The axis: from the first to the last moment of the story, stretched where it is told. None where nothing has a time.
pub(super) fn axis(findings: &Findings) -> Option<Axis> {
    let told = chain::told(findings);
    let task = task_of(findings, told.first().copied());
    let mut moments = BTreeSet::new();
    let open = findings.incidents.iter().filter(|incident| incident.status == IncidentStatus::Open).take(3);
    for incident in open.chain(told.iter().copied()) {
        for step in incident.chain.iter().take(MOST_STEPS) {
            moments.extend(step.first);
            moments.extend(step.last);
        }
        moments.extend(incident.start);
    }
    let longest = told.iter().max_by_key(|incident| incident.chain.len());
    let times =
        || longest.iter().flat_map(|incident| &incident.chain).flat_map(|step| [step.first, step.last]).flatten();
    let story = times().min().zip(times().max());
    for region in &findings.regions {
        if told.iter().any(|incident| incident.regions.contains(&region.id)) {
            moments.extend(region.merge_started);
            moments.extend(region.merge_ended);
        }
    }
    moments.extend(findings.now);
    moments.extend(findings.episodes.iter().filter_map(|episode| episode.first).min());
    moments.extend(findings.episodes.iter().filter_map(|episode| episode.last).max());
    // Of very many episodes not all are at hand.
    moments.extend(findings.regions.iter().filter_map(|region| region.first).min());
    moments.extend(findings.regions.iter().filter_map(|region| region.last).max());
    if let Some(task) = task {
        let curves = || task.checkpoints.iter().chain(&task.safepoints).map(|(seen, _)| *seen);
        moments.extend(curves().min());
        moments.extend(curves().max());
        moments.extend(curve::crossing(task));
        // A deadline long past or far ahead would squeeze everything else.
        let near = |deadline: &Timestamp| findings.now.is_some_and(|now| deadline.since(now).abs() <= 3 * 86_400_000);
        moments.extend(task.resume_deadline.filter(near));
    }
    // Room after the deadline, for its line to stand in the picture.
    let room = if findings.now.is_some_and(|now| moments.last() > Some(&now)) { 600_000 } else { 0 };
    Axis::new(&moments, story, room)
}

/// Moments with a line over the whole height.
fn moments(findings: &Findings, task: Option<&Task>, axis: &Axis) -> Vec<(Timestamp, String, &'static str)> {
    let mut moments = Vec::new();
    if let Some(now) = findings.now {
        moments.push((now, "as of".to_owned(), "now"));
    }
    if let Some(task) = task {
        let about = if task.deadline_basis == Some(DeadlineBasis::Pd) { "" } else { "about " };
        let crossing = curve::crossing(task);
        if let Some(crossing) = crossing {
            moments.push((crossing, "GC passed the checkpoint".to_owned(), "crossed"));
        } else if let Some(deadline) = task.resume_deadline {
            moments.push((deadline, format!("{about}safe until here"), "deadline"));
        }
    }
    moments.retain(|(time, _, _)| *time >= axis.first() && *time <= axis.last());
    moments
}

/// The picture in a sentence, for those who cannot see it.
fn describe(crowd: &Crowd, main: Option<&Incident>) -> String {
    let episodes = words::counted(crowd.all, "episode");
    let story = main.map_or_else(String::new, |incident| format!(" {}", incident.summary));
    format!("Lanes over time for regions, stores, TiDB, PD and BR with {episodes}.{story}")
}
