//! The chain of an incident as a table: one line a step, the least severe folded where room is short.

use super::super::layout::{cut_start, fit, width};
use super::super::words;
use super::{Page, more, severity};
use crate::correlate::Step;
use crate::units::Severity;
use anstyle::Style as Colour;
use std::cmp::Reverse;

const HEAD: [&str; 5] = ["time (UTC)", "where", "what", "n", "evidence"];

/// The table, at most `room` lines below its head; nothing where there is no chain.
pub(super) fn table(page: &Page<'_>, steps: &[Step], room: usize) -> Vec<String> {
    if steps.is_empty() {
        return Vec::new();
    }
    let kept = keep(steps, room);
    let rows = cells(page, &kept);
    let widest = |column: usize, most: usize| {
        let texts = rows.iter().map(|row| row[column].as_str()).chain([HEAD[column]]);
        texts.map(width).max().unwrap_or(0).min(most)
    };
    let (time, place, count) = (widest(0, 18), widest(1, 18), widest(3, 9));
    let fixed = 2 + time + 2 + place + 2 + 2 + count + 2;
    let free = page.width.saturating_sub(fixed);
    // What happened comes first; evidence keeps enough to tell the file.
    let what = widest(2, free.saturating_sub(widest(4, 22)));
    let evidence = widest(4, free - what);
    let line = |row: [&str; 5]| {
        let [when, at, text, number, proof] = row;
        format!(
            "  {}  {}  {}  {number:>count$}  {}",
            fit(when, time),
            fit(at, place),
            fit(text, what),
            cut_start(proof, evidence)
        )
    };
    let mut lines = vec![page.paint(Colour::new().dimmed(), &line(HEAD))];
    for (row, step) in rows.iter().zip(&kept) {
        let text = line(row.each_ref().map(String::as_str));
        let is_bad = step.severity >= Severity::Error;
        lines.push(if is_bad { page.paint(severity(step.severity), &text) } else { text });
    }
    lines.extend(more(steps.len(), kept.len(), "more step"));
    lines
}

fn cells(page: &Page<'_>, steps: &[&Step]) -> Vec<[String; 5]> {
    let mut days = steps.iter().filter_map(|step| step.first).map(|time| time.0.div_euclid(86_400_000));
    let first_day = days.next();
    let one_day = days.all(|day| Some(day) == first_day);
    let row = |step: &&Step| {
        let time = step.first.map_or_else(String::new, |time| {
            let text = time.to_string();
            let clock = text.get(11..23).unwrap_or_default();
            if one_day { clock.to_owned() } else { format!("{} {clock}", text.get(5..10).unwrap_or_default()) }
        });
        [
            time,
            words::place(step.component, &step.stores),
            page.safe.line(words::what(step, page.catalog)).to_string(),
            words::grouped(step.count),
            page.safe.own(step.place.to_string()).to_string(),
        ]
    };
    steps.iter().map(row).collect()
}

/// The steps to show in `room` lines. Failures stay, then the first and the last, then the more severe;
/// one line is left to say how many went.
fn keep(steps: &[Step], room: usize) -> Vec<&Step> {
    if steps.len() <= room {
        return steps.iter().collect();
    }
    let last = steps.len() - 1;
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by_key(|&at| {
        let severity = steps[at].severity;
        (severity < Severity::Error, at != 0 && at != last, Reverse(severity), at)
    });
    order.truncate(room.saturating_sub(1).max(1));
    order.sort_unstable();
    order.iter().map(|&at| &steps[at]).collect()
}
