//! What the picture tells: the numbered steps of the main incident and of what became of the same task.

use super::lanes::Lanes;
use super::picture::px;
use crate::correlate::{Certainty, Findings, Incident, IncidentStatus};
use crate::report::words;
use crate::safe::{Safe, SafeText};
use crate::units::Timestamp;

/// Steps that are numbered.
pub(super) const MOST_STEPS: usize = 24;
/// Least room between marks of one lane.
const APART: f64 = 17.0;

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
    /// Positions of the two among the marks.
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) path: String,
    pub(super) is_inferred: bool,
}

/// From side to side where there is room for it, else from the lower edge of one mark to the upper of the next.
fn path((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> String {
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
    let mut before: Option<(usize, bool)> = None;
    let steps = told.iter().flat_map(|incident| &incident.chain);
    for (number, step) in steps.enumerate().take(MOST_STEPS) {
        let (Some(first), Some(lane)) = (step.first, lanes.of_step(step)) else { continue };
        let y = lanes.middle(lane);
        // Marks of one lane stand beside each other, not on each other.
        let taken =
            marks.iter().filter(|mark| (mark.y - y).abs() < 1.0 && mark.at <= first.0).map(|mark| mark.x + APART);
        let mark_x = taken.fold(x(first), f64::max);
        let title = format!("{}. {} {}", number + 1, words::moment(first), step.what);
        marks.push(Mark {
            number: number + 1,
            at: first.0,
            x: px(mark_x),
            y,
            class: step.severity.as_str(),
            title: safe.own(title),
        });
        let to = marks.len() - 1;
        // An arrow does not lead back in time: what is told later but was earlier, such as a status screen, stands alone.
        if let Some((from, is_inferred)) = before {
            if marks[from].at > first.0 {
                continue;
            }
            let path = path((marks[from].x, marks[from].y), (marks[to].x, marks[to].y));
            arrows.push(Arrow { from, to, path, is_inferred });
        }
        before = Some((to, step.certainty == Certainty::Inferred));
    }
    (marks, arrows)
}
