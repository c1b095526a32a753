//! Episodes and merges as bars in the lanes. Very many episodes share blocks, and the page says so.

use super::frame::{Block, Crowd, Frame, alone_in};
use super::lanes::{Lane, Lanes};
use super::picture::{MOST_SPANS, Span, px};
use crate::correlate::{Episode, Findings, MergeResult};
use crate::report::words;
use crate::safe::{Safe, SafeText};
use crate::units::{Severity, Timestamp};

/// Letters of a record's message that a bar shows.
const MESSAGE: usize = 200;

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

/// A bar for each merge, in the lanes of both regions.
pub(super) fn merges(
    findings: &Findings,
    lanes: &Lanes,
    end: Timestamp,
    span: &dyn Fn(Timestamp, Timestamp, f64) -> Span,
    safe: Safe,
) -> Vec<Bar> {
    let mut bars = Vec::new();
    for source in &findings.regions {
        let Some(from) = source.merge_started else { continue };
        let to = source.merge_ended.unwrap_or(end);
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

/// Blocks for the episodes that share them, then bars for those that matter most.
pub(super) fn bars(
    findings: &Findings,
    frame: &Frame,
    crowd: &Crowd,
    span: &dyn Fn(Timestamp, Timestamp, f64) -> Span,
    safe: Safe,
) -> Vec<Bar> {
    let lanes = &frame.lanes;
    let highest = crowd.blocks.values().map(|block| block.episodes).max().unwrap_or_default();
    let mut bars = Vec::new();
    for (&(lane, at), block) in &crowd.blocks {
        let severity = block.severity.unwrap_or(Severity::Info);
        let height = bar_height(severity, lanes);
        let (from, to) = frame.stretch(at);
        let (region, store) = lanes.ids(lane);
        bars.push(Bar {
            span: span(from, to, lanes.middle(lane) - height / 2.0),
            height,
            class: format!("block b{} {severity}", level(block.episodes, highest)),
            rule: SafeText::default(),
            region: region.map(|id| id.to_string()).unwrap_or_default(),
            store: store.map(|id| id.to_string()).unwrap_or_default(),
            title: safe.own(block_title(block, severity, from, to)),
        });
    }
    for episode in alone_in(findings) {
        let Some(first) = episode.first else { continue };
        let last = episode.last.unwrap_or(first);
        for lane in lanes.of_episode(episode) {
            let height = bar_height(episode.severity, lanes);
            bars.push(Bar {
                span: span(first, last, lanes.middle(lane) - height / 2.0),
                height,
                class: episode.severity.to_string(),
                rule: safe.line(&episode.rule).into_owned(),
                region: episode.region.map(|region| region.to_string()).unwrap_or_default(),
                store: episode.store.map(|store| store.to_string()).unwrap_or_default(),
                title: safe.own(episode_title(episode, first, last)),
            });
        }
    }
    bars
}

/// What the reader must know of the episodes that have no bar of their own.
pub(super) fn note(crowd: &Crowd) -> String {
    if crowd.shared + crowd.outside == 0 {
        return String::new();
    }
    let alone = crowd.all - crowd.shared - crowd.outside;
    let outside = match crowd.outside {
        0 => String::new(),
        some => format!(" {} begin before or after what the axis shows.", words::grouped(some)),
    };
    format!(
        "{} of {} are drawn one by one, the worst first; the others are gathered in blocks by the moment they begin, the \
         darker the more.{outside} timeline.csv has them all.",
        words::grouped(alone),
        words::counted(crowd.all, "episode"),
    )
}

/// One to five, by orders of magnitude: a single episode is seen beside thousands.
pub(super) fn level(count: u64, highest: u64) -> usize {
    if highest <= 1 {
        return 5;
    }
    1 + (4.0 * (count as f64).ln() / (highest as f64).ln()).round() as usize
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

fn block_title(block: &Block, severity: Severity, from: Timestamp, to: Timestamp) -> String {
    let episodes = words::counted(block.episodes, "episode");
    let events = words::counted(block.events, "event");
    let begin = if block.episodes == 1 { "begins" } else { "begin" };
    format!("{episodes} of {events} {begin} {} to {}, at worst {severity}", words::moment(from), words::moment(to))
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
