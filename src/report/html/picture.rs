//! The picture: lanes over time with episodes as bars, the chain of the main incident as numbered steps joined by
//! arrows, and below it on the same axis the checkpoint and the GC safe point.

use super::axis::{Axis, Tick};
use super::curve::{self, Curve};
use super::lanes::{Lane, Lanes};
use crate::correlate::{Certainty, Episode, Findings, Incident, IncidentStatus, MergeResult, Task};
use crate::report::words;
use crate::safe::{Safe, SafeText};
use crate::units::{Severity, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Left edge and width of the plot, in units of the drawing.
pub(super) const LEFT: f64 = 112.0;
pub(super) const WIDTH: f64 = 1_068.0;
/// Episodes with a bar of their own; the others share blocks.
const MOST_BARS: usize = 150;
/// Merges and spans of logs that are drawn.
const MOST_SPANS: usize = 60;
/// Width of such a block.
const BLOCK: f64 = 24.0;
/// Letters of a record's message that a bar shows.
const MESSAGE: usize = 200;
/// Steps that are numbered.
const MOST_STEPS: usize = 24;

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

/// An episode, several of them, or a merge.
pub(super) struct Bar {
    pub(super) span: Span,
    pub(super) height: f64,
    pub(super) class: String,
    pub(super) rule: SafeText<'static>,
    pub(super) region: String,
    pub(super) store: String,
    pub(super) title: SafeText<'static>,
}

/// A step of the chain.
pub(super) struct Mark {
    pub(super) number: usize,
    pub(super) at: i64,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) class: &'static str,
    pub(super) title: SafeText<'static>,
}

/// From one step to the next.
pub(super) struct Arrow {
    pub(super) from: (i64, f64, f64),
    pub(super) to: (i64, f64, f64),
    pub(super) is_inferred: bool,
}

impl Arrow {
    /// From side to side where there is room for it, else from the lower edge of one mark to the upper of the next.
    pub(super) fn path(&self) -> String {
        let ((_, x1, y1), (_, x2, y2)) = (self.from, self.to);
        if x2 - x1 > 26.0 {
            let (from, to) = (px(x1 + 8.0), px(x2 - 9.0));
            let middle = px(f64::midpoint(from, to));
            return format!("M{from} {y1}C{middle} {y1} {middle} {y2} {to} {y2}");
        }
        if (y2 - y1).abs() < 1.0 {
            return String::new();
        }
        let way = if y2 > y1 { 1.0 } else { -1.0 };
        let middle = f64::midpoint(y1, y2);
        format!("M{x1} {}C{x1} {middle} {x2} {middle} {x2} {}", y1 + 8.0 * way, y2 - 9.0 * way)
    }
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

/// The picture, or none where nothing has a time.
pub(super) fn draw(findings: &Findings, safe: Safe) -> Option<Picture> {
    let told = told(findings);
    let main = told.first().copied();
    let task = main.and_then(|incident| words::task_of(findings, incident)).or_else(|| findings.tasks.first());
    let axis = axis(findings, &told, task)?;
    let lanes = Lanes::of(findings);
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
    let merges = merges(findings, &lanes, &axis, &span, safe);
    let (bars, note) = bars(findings, &lanes, &span, safe);
    let (steps, arrows) = chain(&told, &lanes, &x, safe);
    let lines = moments(findings, task, &axis)
        .into_iter()
        .map(|(time, label, class)| Line { at: time.0, x: x(time), label, class })
        .collect();
    let curve = task.and_then(|task| curve::draw(task, &axis, lanes_height + 40.0));
    let wanted: Vec<_> = moments(findings, task, &axis)
        .iter()
        .map(|(time, _, _)| *time)
        .chain(told.iter().flat_map(|incident| incident.chain.iter().filter_map(|step| step.first)))
        .collect();
    let ticks = axis.ticks(&wanted, 0.072);
    let mut choices = Choices::default();
    for episode in findings.episodes.iter().take(20_000) {
        if choices.rules.len() < 200 {
            choices.rules.insert(safe.line(&episode.rule).into_owned());
        }
        choices.regions.extend(episode.region.filter(|_| choices.regions.len() < 200).map(|region| region.0));
        choices.stores.extend(episode.store.filter(|_| choices.stores.len() < 200).map(|store| store.0));
    }
    Some(Picture {
        height: curve.as_ref().map_or(lanes_height + 50.0, |curve| curve.bottom + 8.0),
        lanes_height,
        lane_height: lane_height - 1.0,
        coverage: coverage.take(MOST_SPANS).collect(),
        merges,
        bars,
        arrows,
        steps,
        spans: axis.spans(&ticks, 0.05),
        ticks,
        lines,
        curve,
        knots: axis.knots(),
        is_stretched: axis.knots().split(' ').count() > 2,
        note,
        description: safe.own(describe(findings, main)),
        rows: rows.collect(),
        choices,
    })
}

/// The incidents that the picture tells: the worst with a chain, and what became of the same task, in order of time.
fn told(findings: &Findings) -> Vec<&Incident> {
    let is_open = |incident: &Incident| incident.status == IncidentStatus::Open;
    let main = findings.incidents.iter().min_by_key(|incident| (!is_open(incident), incident.chain.is_empty()));
    let Some(main) = main else { return Vec::new() };
    let same = |other: &&Incident| {
        std::ptr::eq(*other, main) || (is_open(other) && other.task.is_some() && other.task == main.task)
    };
    let mut told: Vec<_> = findings.incidents.iter().filter(same).take(4).collect();
    told.sort_by_key(|incident| (incident.start.is_none(), incident.start));
    told
}

/// Number of an incident's first step: one, or as the picture goes on from the incident before.
pub(super) fn number_of(findings: &Findings, incident: &Incident) -> usize {
    let told = told(findings);
    let at = told.iter().position(|other| std::ptr::eq(*other, incident)).unwrap_or(0);
    1 + told[..at].iter().map(|before| before.chain.len()).sum::<usize>()
}

/// The axis: from the first to the last moment of the story, stretched where it is told.
fn axis(findings: &Findings, told: &[&Incident], task: Option<&Task>) -> Option<Axis> {
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
        let about = if task.deadline_basis == Some(crate::correlate::DeadlineBasis::Pd) { "" } else { "about " };
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

/// A bar for each merge, in the lanes of both regions.
fn merges(
    findings: &Findings,
    lanes: &Lanes,
    axis: &Axis,
    span: &dyn Fn(Timestamp, Timestamp, f64) -> Span,
    safe: Safe,
) -> Vec<Bar> {
    let mut bars = Vec::new();
    for source in &findings.regions {
        let Some(from) = source.merge_started else { continue };
        let to = source.merge_ended.unwrap_or(axis.last());
        let into: Vec<_> = source.merge_source_of.iter().map(ToString::to_string).collect();
        let until = source.merge_ended.map_or_else(|| "no end seen".to_owned(), words::moment);
        let result = source.merge_result.map_or("", MergeResult::as_str);
        let title =
            format!("{} merges into {}, {} to {until}, {result}", source.id, into.join(" "), words::moment(from));
        for region in source.merge_source_of.iter().chain([&source.id]) {
            let Some(lane) = lanes.index(Lane::Region(*region)) else { continue };
            let height = lanes.height() * if *region == source.id { 0.7 } else { 0.4 };
            bars.push(Bar {
                span: span(from, to, lanes.middle(lane) - height / 2.0),
                height,
                class: "merge".to_owned(),
                rule: SafeText::default(),
                region: region.to_string(),
                store: String::new(),
                title: safe.own(title.clone()),
            });
        }
    }
    bars.truncate(MOST_SPANS);
    bars
}

/// Bars for the episodes that matter most, blocks for the others, and what the reader must know of that.
fn bars(
    findings: &Findings,
    lanes: &Lanes,
    span: &dyn Fn(Timestamp, Timestamp, f64) -> Span,
    safe: Safe,
) -> (Vec<Bar>, String) {
    let mut episodes: Vec<_> = findings
        .episodes
        .iter()
        .filter_map(|episode| Some((episode, episode.first?, episode.last.or(episode.first)?)))
        .collect();
    let all = episodes.len();
    if all > MOST_BARS {
        episodes.sort_by_key(|(episode, first, _)| {
            (Reverse((!episode.incidents.is_empty(), episode.severity)), *first, &episode.place)
        });
    }
    let (single, shared) = episodes.split_at(all.min(MOST_BARS));
    let mut blocks: BTreeMap<(usize, i64), Block> = BTreeMap::new();
    for (episode, first, last) in shared {
        for lane in lanes.of_episode(episode) {
            let at = (span(*first, *first, 0.0).x / BLOCK) as i64;
            blocks.entry((lane, at)).or_insert_with(|| Block::new(*first, *last)).add(episode, *first, *last);
        }
    }
    let note = if shared.is_empty() {
        String::new()
    } else {
        format!(
            "{} of {} are drawn one by one, the worst first; the others are gathered in {} by the moment they begin. \
             timeline.csv has them all.",
            words::grouped(single.len() as u64),
            words::counted(all as u64, "episode"),
            words::counted(blocks.len() as u64, "block"),
        )
    };
    let mut bars: Vec<Bar> = blocks
        .iter()
        .map(|((lane, _), block)| {
            let height = bar_height(block.severity, lanes);
            let y = lanes.middle(*lane) - height / 2.0;
            let mut span = span(block.first, block.first, y);
            span.width = BLOCK - 1.0;
            Bar {
                span,
                height,
                class: format!("block {}", block.severity),
                rule: SafeText::default(),
                region: String::new(),
                store: String::new(),
                title: safe.own(block.title()),
            }
        })
        .collect();
    let mut single: Vec<_> = single.iter().collect();
    single.sort_by_key(|(episode, first, _)| (episode.severity, *first));
    for (episode, first, last) in single {
        for lane in lanes.of_episode(episode) {
            let height = bar_height(episode.severity, lanes);
            let y = lanes.middle(lane) - height / 2.0;
            bars.push(Bar {
                span: span(*first, *last, y),
                height,
                class: episode.severity.to_string(),
                rule: safe.line(&episode.rule).into_owned(),
                region: episode.region.map(|region| region.to_string()).unwrap_or_default(),
                store: episode.store.map(|store| store.to_string()).unwrap_or_default(),
                title: safe.own(episode_title(episode, *first, *last)),
            });
        }
    }
    (bars, note)
}

/// Worse is taller, so that colour is not all that tells.
fn bar_height(severity: Severity, lanes: &Lanes) -> f64 {
    let part = match severity {
        Severity::Info => 0.25,
        Severity::Notice => 0.35,
        Severity::Warning => 0.45,
        Severity::Error => 0.6,
        Severity::Critical => 0.75,
    };
    px(lanes.height() * part)
}

/// Several episodes that begin close together in one lane.
struct Block {
    first: Timestamp,
    last: Timestamp,
    severity: Severity,
    episodes: u64,
    events: u64,
}

impl Block {
    fn new(first: Timestamp, last: Timestamp) -> Self {
        Self { first, last, severity: Severity::Info, episodes: 0, events: 0 }
    }

    fn add(&mut self, episode: &Episode, first: Timestamp, last: Timestamp) {
        self.first = self.first.min(first);
        self.last = self.last.max(last);
        self.severity = self.severity.max(episode.severity);
        self.episodes += 1;
        self.events += episode.count;
    }

    fn title(&self) -> String {
        let episodes = words::counted(self.episodes, "episode");
        let events = words::counted(self.events, "event");
        let (first, last) = (words::moment(self.first), words::moment(self.last));
        format!("{episodes} with {events}, {first} to {last}, at worst {}", self.severity)
    }
}

fn episode_title(episode: &Episode, first: Timestamp, last: Timestamp) -> String {
    let clock = |time: Timestamp| time.to_string().replace('T', " ");
    let time = if first == last { clock(first) } else { format!("{} to {}", clock(first), clock(last)) };
    let place = words::place(episode.component, episode.store.as_slice());
    let region = episode.region.map_or_else(String::new, |region| format!(", region {region}"));
    let mut message: String = episode.summary.chars().take(MESSAGE).collect();
    if message.len() < episode.summary.len() {
        message.push('…');
    }
    format!(
        "{time} · {place}{region} · {} ({}) × {} · {message} · {}",
        episode.rule, episode.severity, episode.count, episode.place
    )
}

/// The numbered steps of all that is told, and the arrows between them.
fn chain(told: &[&Incident], lanes: &Lanes, x: &dyn Fn(Timestamp) -> f64, safe: Safe) -> (Vec<Mark>, Vec<Arrow>) {
    let mut marks: Vec<Mark> = Vec::new();
    let mut arrows = Vec::new();
    let mut before: Option<(i64, f64, f64, bool)> = None;
    let steps = told.iter().flat_map(|incident| &incident.chain);
    for (number, step) in steps.enumerate().take(MOST_STEPS) {
        let (Some(first), Some(lane)) = (step.first, lanes.of_step(step)) else { continue };
        let (at, mark_x, mark_y) = (first.0, x(first), lanes.middle(lane));
        if let Some((from, from_x, from_y, is_inferred)) = before {
            arrows.push(Arrow { from: (from, from_x, from_y), to: (at, mark_x, mark_y), is_inferred });
        }
        before = Some((at, mark_x, mark_y, step.certainty == Certainty::Inferred));
        let title = format!("{}. {} {}", number + 1, words::moment(first), step.what);
        marks.push(Mark {
            number: number + 1,
            at,
            x: mark_x,
            y: mark_y,
            class: step.severity.as_str(),
            title: safe.own(title),
        });
    }
    (marks, arrows)
}

/// The picture in a sentence, for those who cannot see it.
fn describe(findings: &Findings, main: Option<&Incident>) -> String {
    let episodes = words::counted(findings.episodes.len() as u64, "episode");
    let story = main.map_or_else(String::new, |incident| format!(" {}", incident.summary));
    format!("Lanes over time for regions, stores, TiDB, PD and BR with {episodes}.{story}")
}
