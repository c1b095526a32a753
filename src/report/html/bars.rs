//! Episodes and merges as bars in the lanes. Very many episodes share blocks, and the page says so.

use super::lanes::{Lane, Lanes};
use super::picture::{MOST_SPANS, Span, px};
use crate::correlate::{Episode, Findings, MergeResult};
use crate::report::words;
use crate::safe::{Safe, SafeText};
use crate::units::{Severity, Timestamp};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Episodes up to which each has a bar of its own.
const MOST_EPISODES: usize = 300;
/// Of more than that so many have, and the others share blocks.
const MOST_BARS: usize = 150;
/// Width of such a block.
const BLOCK: f64 = 24.0;
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

/// Bars for the episodes that matter most, blocks for the others, and what the reader must know of that.
pub(super) fn bars(
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
    if all > MOST_EPISODES {
        episodes.sort_by_key(|(episode, first, _)| {
            (Reverse((!episode.incidents.is_empty(), episode.severity)), *first, &episode.place)
        });
    }
    let (single, shared) = episodes.split_at(if all > MOST_EPISODES { MOST_BARS } else { all });
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
