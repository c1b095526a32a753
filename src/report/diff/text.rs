//! The differences for people: incidents and tasks first, then what is counted, the largest changes of each.

use super::{Change, Diff, SAFE, Subject, Summary};
use crate::report::layout::{cut, fit, wrap};
use crate::report::words;
use std::io::{self, Write};

/// Lines of a subject at most.
const MOST: usize = 12;
/// Columns of a line at most.
const WIDTH: usize = 120;

pub(super) fn write(diff: &Diff<'_>, mut out: impl Write) -> io::Result<()> {
    for (which, (name, summary)) in [("old", diff.old), ("new", diff.new)] {
        writeln!(out, "{which}  {}", cut(&SAFE.line(&side(name, summary)), WIDTH - 5))?;
    }
    if diff.changes.is_empty() {
        return writeln!(out, "\nNothing changed.");
    }
    for subject in Subject::ALL {
        let changes: Vec<&Change> = diff.changes.iter().filter(|change| change.subject == subject).collect();
        if changes.is_empty() {
            continue;
        }
        writeln!(out, "\n{}", heading(subject))?;
        for change in changes.iter().take(MOST) {
            let lines =
                if matches!(subject, Subject::Incident | Subject::Task) { told(change) } else { vec![counted(change)] };
            for line in lines {
                writeln!(out, "  {}", line.trim_end())?;
            }
        }
        if changes.len() > MOST {
            writeln!(out, "  … {} more: --format csv has all", changes.len() - MOST)?;
        }
    }
    Ok(())
}

/// A report in one line.
pub(super) fn side(name: &str, summary: &Summary) -> String {
    let totals = &summary.totals;
    let unread = summary.sources.iter().filter(|source| matches!(source.status.as_str(), "partial" | "failed")).count();
    let mut parts = vec![
        words::counted(totals.events, "event"),
        words::counted(summary.sources.len() as u64, "source"),
        words::bytes(totals.bytes),
    ];
    if unread > 0 {
        parts.push(format!("{unread} not or not wholly read"));
    }
    let when = match (&totals.first, &totals.last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    format!("{name}: {}{when}", parts.join(", "))
}

pub(super) fn heading(subject: Subject) -> &'static str {
    match subject {
        Subject::Incident => "Incidents",
        Subject::Task => "Tasks",
        Subject::Rule => "Events by rule",
        Subject::Code => "Events by error code",
        Subject::Store => "Events by store",
        Subject::Region => "Events by region",
        Subject::Template => "Records that no rule knows",
    }
}

/// What happened, in as many lines as it takes.
fn told(change: &Change) -> Vec<String> {
    let name = SAFE.line(&change.name);
    let severity = change.severity.map(|severity| format!("  {severity}")).unwrap_or_default();
    let head = format!("{}  {name}{severity}", fit(change.turn.as_str(), 7));
    let note = wrap(&SAFE.line(&change.note), WIDTH - INDENT - 2, 4);
    std::iter::once(cut(&head, WIDTH - 2)).chain(note.iter().map(|line| format!("{:INDENT$}{line}", ""))).collect()
}

/// Where what is told begins.
const INDENT: usize = 9;

fn counted(change: &Change) -> String {
    let (name, numbers) = (SAFE.line(&change.name), numbers(change));
    let line = format!("{}  {}  {}  {}", fit(change.turn.as_str(), 7), fit(&name, 44), fit(&numbers, 20), change.note);
    cut(&SAFE.line(&line), WIDTH - 2)
}

/// `12 → 120, ×10`.
pub(super) fn numbers(change: &Change) -> String {
    match (change.old, change.new) {
        (None, None) => String::new(),
        (Some(old), Some(new)) if old == new => words::grouped(new),
        (Some(old), Some(new)) => {
            let (old_text, new_text) = (words::grouped(old), words::grouped(new));
            let times = if old > 0 && new >= 2 * old { format!(", ×{}", new / old) } else { String::new() };
            format!("{old_text} → {new_text}{times}")
        }
        (Some(one), None) | (None, Some(one)) => words::grouped(one),
    }
}
