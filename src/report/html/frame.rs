//! What the picture is drawn into: lanes and axis, known before the pass over all episodes, and which of them are drawn
//! one by one. The others are counted in that pass, by lane and stretch of time.

use super::axis::Axis;
use super::lanes::Lanes;
use super::picture;
use crate::correlate::{Episode, Findings};
use crate::units::{Severity, Timestamp};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Episodes up to which each has a bar of its own.
const MOST_EPISODES: usize = 300;
/// Of more than that so many have, the worst, and the others share blocks.
const MOST_BARS: usize = 150;
/// Stretches of the axis that have a block in each lane.
const BLOCKS: usize = 44;

/// Lanes, axis and the episodes that have a bar of their own.
#[derive(Debug)]
pub(in crate::report) struct Frame {
    pub(super) lanes: Lanes,
    pub(super) axis: Axis,
    alone: FxHashMap<u64, Vec<Arc<str>>>,
}

impl Frame {
    /// None where nothing has a time.
    pub(in crate::report) fn of(findings: &Findings) -> Option<Self> {
        let axis = picture::axis(findings)?;
        let mut alone: FxHashMap<u64, Vec<Arc<str>>> = FxHashMap::default();
        for episode in alone_in(findings) {
            alone.entry(episode.place.line).or_default().push(Arc::clone(&episode.place.file));
        }
        Some(Self { lanes: Lanes::of(findings), axis, alone })
    }

    /// The stretch that a moment is in; none where the axis does not reach.
    fn block(&self, time: Timestamp) -> Option<usize> {
        let is_within = time >= self.axis.first() && time <= self.axis.last();
        is_within.then(|| ((self.axis.at(time) * BLOCKS as f64) as usize).min(BLOCKS - 1))
    }

    fn is_alone(&self, episode: &Episode) -> bool {
        self.alone.get(&episode.place.line).is_some_and(|files| files.contains(&episode.place.file))
    }

    /// From when to when a block reaches.
    pub(super) fn stretch(&self, block: usize) -> (Timestamp, Timestamp) {
        let edge = |at: usize| self.axis.time_at(at as f64 / BLOCKS as f64);
        (edge(block), edge(block + 1))
    }
}

/// The episodes that have a bar of their own, in order of severity, then time: what is worse is drawn over the rest.
pub(super) fn alone_in(findings: &Findings) -> Vec<&Episode> {
    let mut episodes: Vec<_> = findings.episodes.iter().filter(|episode| episode.first.is_some()).collect();
    if episodes.len() > MOST_EPISODES {
        episodes.sort_by_key(|episode| {
            (Reverse((!episode.incidents.is_empty(), episode.severity)), episode.first, &episode.place)
        });
        episodes.truncate(MOST_BARS);
    }
    episodes.sort_by_key(|episode| (episode.severity, episode.first));
    episodes
}

/// Episodes counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::report) struct Crowd {
    /// All that there are.
    pub(in crate::report) all: u64,
    /// Of those, how many share blocks.
    pub(super) shared: u64,
    /// How many begin before or after what the axis shows.
    pub(super) outside: u64,
    /// By lane and stretch.
    pub(super) blocks: BTreeMap<(usize, usize), Block>,
}

impl Crowd {
    /// All episodes, and by lane and time those that have no bar of their own.
    pub(in crate::report) fn of(episodes: &[Episode], frame: Option<&Frame>) -> Self {
        let mut crowd = Self { all: episodes.len() as u64, ..Self::default() };
        let Some(frame) = frame else { return crowd };
        for episode in episodes.iter().filter(|episode| !frame.is_alone(episode)) {
            let Some(first) = episode.first else { continue };
            let Some(at) = frame.block(first) else {
                crowd.outside += 1;
                continue;
            };
            for lane in frame.lanes.of_episode(episode) {
                crowd.blocks.entry((lane, at)).or_default().add(episode);
            }
            crowd.shared += 1;
        }
        crowd
    }

    /// Adds the counts of another part.
    pub(in crate::report) fn add(&mut self, other: Self) {
        self.all += other.all;
        self.shared += other.shared;
        self.outside += other.outside;
        for (at, block) in other.blocks {
            let known = self.blocks.entry(at).or_default();
            known.severity = known.severity.max(block.severity);
            known.episodes += block.episodes;
            known.events += block.events;
        }
    }
}

/// Episodes that begin close together in one lane.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) severity: Option<Severity>,
    pub(super) episodes: u64,
    pub(super) events: u64,
}

impl Block {
    fn add(&mut self, episode: &Episode) {
        self.severity = self.severity.max(Some(episode.severity));
        self.episodes += 1;
        self.events += episode.count;
    }
}
