//! What was counted over the nights: a table for people, CSV for programs.

use super::notice::sparkline;
use super::state::{Kind, Run, State};
use crate::safe::Safe;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Counts of this kind; without one the nights themselves.
    pub by: Option<Kind>,
    /// Only names that hold this text.
    pub name: Option<String>,
    /// Only the last nights.
    pub nights: usize,
    /// Whether the answer is CSV.
    pub csv: bool,
}

/// Answers.
///
/// # Errors
/// Where the state cannot be read.
pub fn history(state: &State, question: &Question) -> anyhow::Result<String> {
    let mut runs = state.runs()?;
    if question.by.is_some() {
        // A night that read nothing says nothing about how much there was.
        runs.retain(|run| run.summary.records > 0);
    }
    runs.drain(..runs.len().saturating_sub(question.nights));
    match (question.by, question.csv) {
        (None, true) => nights_csv(&runs),
        (None, false) => Ok(nights(&runs)),
        (Some(kind), csv) => counts(state, &runs, kind, question.name.as_deref(), csv),
    }
}

fn nights(runs: &[Run]) -> String {
    let mut out = String::new();
    let events: Vec<u64> = runs.iter().map(|run| run.summary.events).collect();
    let _ = writeln!(
        out,
        "{:<19}  {:>6} {:>4} {:>9} {:>10} {:>7}  report",
        "started (UTC)", "open", "new", "events", "MB read", "s"
    );
    for run in runs {
        let summary = &run.summary;
        let _ = writeln!(
            out,
            "{:<19}  {:>6} {:>4} {:>9} {:>10.1} {:>7.1}  {}",
            run.started.human(),
            summary.open.len(),
            summary.new,
            summary.events,
            summary.bytes as f64 / 1e6,
            summary.duration_ms as f64 / 1e3,
            run.folder.as_deref().unwrap_or("-"),
        );
    }
    let _ = writeln!(out, "events  {}", sparkline(&events));
    out
}

fn nights_csv(runs: &[Run]) -> anyhow::Result<String> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(["started", "report", "open", "new", "events", "records", "bytes", "duration_ms", "status"])?;
    for run in runs {
        let summary = &run.summary;
        let numbers = [
            summary.open.len() as u64,
            summary.new,
            summary.events,
            summary.records,
            summary.bytes,
            summary.duration_ms,
            u64::from(summary.status),
        ];
        let head = [run.started.to_string(), run.folder.clone().unwrap_or_default()];
        out.write_record(head.into_iter().chain(numbers.map(|number| number.to_string())))?;
    }
    Ok(String::from_utf8(out.into_inner()?)?)
}

fn counts(state: &State, runs: &[Run], kind: Kind, name: Option<&str>, csv: bool) -> anyhow::Result<String> {
    let first = runs.first().map_or(i64::MAX, |run| run.id);
    let mut names: BTreeMap<String, BTreeMap<i64, u64>> = BTreeMap::new();
    for tally in state.tallies(kind, first)? {
        if name.is_none_or(|part| tally.name.contains(part)) {
            names.entry(tally.name).or_default().insert(tally.run, tally.count);
        }
    }
    let course = |counts: &BTreeMap<i64, u64>| -> Vec<u64> {
        runs.iter().map(|run| counts.get(&run.id).copied().unwrap_or_default()).collect()
    };
    // Counts were stored as they were found: what people see passes here.
    let safe = Safe::new(true);
    if csv {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(["started", kind.as_str(), "count"])?;
        for (name, counts) in &names {
            for (run, count) in runs.iter().zip(course(counts)) {
                let name = safe.line(name);
                // A spreadsheet takes such a text for a formula.
                let quote = if name.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
                out.write_record([run.started.to_string(), format!("{quote}{}", &*name), count.to_string()])?;
            }
        }
        return Ok(String::from_utf8(out.into_inner()?)?);
    }
    let mut rows: Vec<(&String, Vec<u64>)> = names.iter().map(|(name, counts)| (name, course(counts))).collect();
    rows.sort_by_key(|(name, course)| (std::cmp::Reverse(course.iter().sum::<u64>()), (*name).clone()));
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:>9} {:>9}  {:<width$}  {}",
        "total",
        "last",
        "nights",
        kind.as_str(),
        width = runs.len().max(6)
    );
    for (name, course) in rows {
        let (total, last) = (course.iter().sum::<u64>(), course.last().copied().unwrap_or_default());
        let line = sparkline(&course);
        let _ = writeln!(out, "{total:>9} {last:>9}  {line:<width$}  {}", &*safe.line(name), width = runs.len().max(6));
    }
    Ok(out)
}
