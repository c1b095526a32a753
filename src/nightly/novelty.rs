//! What a night has that the nights before had not, has no longer, or has far more of than usual.
//!
//! Far more is: more than the median of the last nights plus `FACTOR` times their spread. The spread is the median absolute deviation
//! (MAD), scaled by 1.4826 so that it is the standard deviation where counts are normal; one odd night moves neither.

use super::state::{Kind, State, Tally};
use std::collections::{BTreeMap, BTreeSet};

/// Nights that are looked back at.
pub(super) const NIGHTS: usize = 14;
/// Spreads above the median.
const FACTOR: f64 = 4.0;
/// Nights that are needed before anything can be usual.
const FEWEST: usize = 5;
/// Scales a MAD to a standard deviation.
const SCALE: f64 = 1.4826;

/// How something differs from the nights before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// Never seen before.
    New,
    /// Above its usual range.
    Above,
    /// Seen in most of the last nights, and not in this one.
    Gone,
}

/// Something that differs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Novelty {
    pub(super) turn: Turn,
    pub(super) kind: Kind,
    pub(super) name: String,
    /// Tonight.
    pub(super) count: u64,
    /// Median of the nights before.
    pub(super) usual: f64,
    /// Counts of the nights before, oldest first, and tonight's.
    pub(super) course: Vec<u64>,
}

/// Compares tonight's counts with those of earlier runs. `runs`: those that read something, in order.
///
/// # Errors
/// Where the state cannot be read.
pub(super) fn find(state: &State, tonight: &[Tally], runs: &[i64]) -> anyhow::Result<Vec<Novelty>> {
    let mut found = Vec::new();
    if runs.is_empty() {
        return Ok(found);
    }
    let recent = &runs[runs.len().saturating_sub(NIGHTS)..];
    for kind in Kind::SHOWN {
        let mut before: BTreeMap<String, BTreeMap<i64, u64>> = BTreeMap::new();
        for tally in state.tallies(kind, 0)? {
            before.entry(tally.name).or_default().insert(tally.run, tally.count);
        }
        let now: BTreeMap<&str, u64> =
            tonight.iter().filter(|tally| tally.kind == kind).map(|tally| (tally.name.as_str(), tally.count)).collect();
        let names: BTreeSet<&str> = before.keys().map(String::as_str).chain(now.keys().copied()).collect();
        for name in names {
            let count = now.get(name).copied().unwrap_or_default();
            let known = before.get(name);
            let course: Vec<u64> =
                recent.iter().map(|run| known.and_then(|runs| runs.get(run)).copied().unwrap_or_default()).collect();
            if let Some((turn, usual)) = turn(kind, count, known.is_some(), &course) {
                let course = course.into_iter().chain([count]).collect();
                found.push(Novelty { turn, kind, name: name.to_owned(), count, usual, course });
            }
        }
    }
    found.sort_by(|a, b| (a.turn, a.kind, b.count, &a.name).cmp(&(b.turn, b.kind, a.count, &b.name)));
    Ok(found)
}

fn turn(kind: Kind, count: u64, known: bool, course: &[u64]) -> Option<(Turn, f64)> {
    let usual = median(course.iter().map(|count| *count as f64).collect());
    if !known {
        // Regions are new all the time.
        return (count > 0 && kind != Kind::Region).then_some((Turn::New, 0.0));
    }
    if course.len() < FEWEST {
        return None;
    }
    if count == 0 {
        let seen = course.iter().filter(|count| **count > 0).count();
        return (kind != Kind::Region && 2 * seen > course.len()).then_some((Turn::Gone, usual));
    }
    let spread = SCALE * median(course.iter().map(|count| (*count as f64 - usual).abs()).collect());
    // Counts that never differ have no spread; a tenth more, or one more, is nothing.
    let limit = usual + FACTOR * spread.max(usual / 10.0).max(1.0);
    (count as f64 > limit).then_some((Turn::Above, usual))
}

fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

impl Novelty {
    /// In a sentence.
    pub(super) fn sentence(&self) -> String {
        let Self { kind, name, count, usual, .. } = self;
        let kind = kind.as_str();
        match self.turn {
            Turn::New => format!("New {kind}: {name}, {count} times."),
            Turn::Above => format!("More than usual of {kind} {name}: {count}, usually {usual:.0}."),
            Turn::Gone => format!("No more of {kind} {name}, usually {usual:.0}."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(count: u64, course: &[u64]) -> Option<Turn> {
        turn(Kind::Rule, count, true, course).map(|(turn, _)| turn)
    }

    #[test]
    fn one_odd_night_does_not_move_the_range() {
        let course = [100, 110, 95, 105, 9_000, 98, 102];
        assert_eq!(told(110, &course), None);
        assert_eq!(told(400, &course), Some(Turn::Above));
    }

    #[test]
    fn what_never_differs_may_differ_a_little() {
        assert_eq!(told(104, &[100; 7]), None);
        assert_eq!(told(200, &[100; 7]), Some(Turn::Above));
        assert_eq!(told(3, &[0, 0, 0, 1, 0]), None);
        assert_eq!(told(30, &[0, 0, 0, 1, 0]), Some(Turn::Above));
    }

    #[test]
    fn new_and_gone() {
        assert_eq!(turn(Kind::Code, 1, false, &[]).map(|(turn, _)| turn), Some(Turn::New));
        assert_eq!(turn(Kind::Region, 1, false, &[]), None);
        assert_eq!(told(0, &[3, 0, 2, 4, 1]), Some(Turn::Gone));
        assert_eq!(told(0, &[3, 0, 0, 4, 0]), None);
        assert_eq!(told(0, &[3, 4, 5]), None, "too few nights");
    }
}
