//! What the picture tells: the numbered steps of the main incident and of what became of the same task.

use super::lanes::Lanes;
use super::picture::px;
use crate::correlate::{Certainty, Findings, Incident, IncidentStatus};
use crate::report::words;
use crate::safe::{Safe, SafeText};
use crate::units::Timestamp;

/// Steps that are numbered.
pub(super) const MOST_STEPS: usize = 24;

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

/// The incidents that the picture tells: the worst with a chain, and what became of the same task, in order of time.
pub(super) fn told(findings: &Findings) -> Vec<&Incident> {
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

/// The numbered steps of all that is told, and the arrows between them.
pub(super) fn chain(
    told: &[&Incident],
    lanes: &Lanes,
    x: &dyn Fn(Timestamp) -> f64,
    safe: Safe,
) -> (Vec<Mark>, Vec<Arrow>) {
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
