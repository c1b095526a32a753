//! Trouble over time for each store, as one line of blocks.

use super::super::layout::{fit, width};
use super::super::words;
use crate::correlate::Findings;
use crate::units::{Severity, StoreId, Timestamp};
use std::collections::BTreeMap;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const BINS: usize = 48;
/// Below these the chain says it better.
const SHORTEST_MS: i64 = 60_000;
const FEWEST_EPISODES: usize = 5;

/// A head and lines for the stores with the most warnings and worse, at most `most` lines in all;
/// none where a few moments say it all.
pub(super) fn lines(findings: &Findings, most: usize) -> Vec<String> {
    let bad = |severity| severity >= Severity::Warning;
    let episodes = || findings.episodes.iter().filter(|episode| bad(episode.severity) && episode.store.is_some());
    let first = episodes().filter_map(|episode| episode.first).min();
    let last = episodes().filter_map(|episode| episode.last).max();
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    let span = last.since(first) + 1;
    if span < SHORTEST_MS || episodes().nth(FEWEST_EPISODES - 1).is_none() {
        return Vec::new();
    }
    let bin = |time: Timestamp| (time.since(first).clamp(0, span - 1) as i128 * BINS as i128 / span as i128) as usize;
    let mut stores: BTreeMap<StoreId, [u64; BINS]> = BTreeMap::new();
    for episode in episodes() {
        let (Some(store), Some(from), Some(to)) = (episode.store, episode.first, episode.last) else { continue };
        // An episode's events spread evenly: when each came, only events.csv knows.
        let (from, to) = (bin(from), bin(to).max(bin(from)));
        let bins = (to - from + 1) as u64;
        for (at, count) in stores.entry(store).or_insert([0; BINS])[from..=to].iter_mut().enumerate() {
            *count += episode.count / bins + u64::from((at as u64) < episode.count % bins);
        }
    }
    let highest = stores.values().flatten().copied().max().unwrap_or(1).max(1);
    let mut rows: Vec<_> = stores.iter().map(|(store, bins)| (bins.iter().sum::<u64>(), store, bins)).collect();
    rows.sort_by_key(|(total, store, _)| (std::cmp::Reverse(*total), **store));
    rows.truncate(most.saturating_sub(1));
    if rows.is_empty() {
        return Vec::new();
    }
    let names: Vec<_> = rows.iter().map(|(_, store, _)| format!("store {store}")).collect();
    let label = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let row = |((total, _, bins), name): (&(u64, &StoreId, &[u64; BINS]), &String)| {
        let spark: String = bins.iter().map(|count| block(*count, highest)).collect();
        format!("  {}  {spark}  {}", fit(name, label), words::grouped(*total))
    };
    let head = format!("  warnings and errors, {} to {}", words::moment(first), words::moment(last));
    std::iter::once(head).chain(rows.iter().zip(&names).map(row)).collect()
}

fn block(count: u64, highest: u64) -> char {
    if count == 0 {
        return ' ';
    }
    let level = (u128::from(count) * (BLOCKS.len() as u128 - 1)).div_ceil(u128::from(highest));
    BLOCKS[(level as usize).min(BLOCKS.len() - 1)]
}
