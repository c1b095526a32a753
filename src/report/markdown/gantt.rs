//! The chain of an incident as a Mermaid chart, which GitHub draws.

use crate::correlate::Step;
use crate::report::words;
use crate::rules::Catalog;
use crate::safe::Safe;
use crate::units::{Severity, Timestamp};
use std::fmt::Write as _;

/// Steps that are drawn at most.
const MOST: usize = 20;
/// Letters of a name.
const LONGEST: usize = 72;

/// The chart, or none where there are no two steps with a time.
pub(super) fn chart(steps: &[Step], catalog: &Catalog, safe: Safe) -> Option<String> {
    let timed: Vec<_> = steps
        .iter()
        .enumerate()
        .filter_map(|(at, step)| Some((at + 1, step.first?, step.last?, step)))
        .take(MOST)
        .collect();
    if timed.len() < 2 {
        return None;
    }
    let first = timed.iter().map(|(_, first, _, _)| *first).min()?;
    let last = timed.iter().map(|(_, _, last, _)| *last).max()?;
    let span = last.since(first);
    let axis = if span < 86_400_000 { "%H:%M:%S" } else { "%m-%d %H:%M" };
    // Of a moment there would be nothing to see.
    let shortest = (span / 50).max(1);
    let mut text = String::from("```mermaid\ngantt\n");
    let _ = writeln!(text, "    title From {} UTC", clock(first));
    text += "    dateFormat YYYY-MM-DD HH:mm:ss.SSS\n";
    let _ = writeln!(text, "    axisFormat {axis}");
    // Mermaid knows a section by its name: each has all its steps, in the order in which it first appears.
    let mut sections: Vec<(String, String)> = Vec::new();
    for (number, from, to, step) in timed {
        let place = words::place(step.component, &step.stores);
        let at = sections.iter().position(|(known, _)| *known == place).unwrap_or_else(|| {
            sections.push((place, String::new()));
            sections.len() - 1
        });
        let tag = match step.severity {
            Severity::Critical | Severity::Error => "crit, ",
            Severity::Warning => "active, ",
            Severity::Notice | Severity::Info => "",
        };
        let end = Timestamp(to.0.max(from.0 + shortest));
        let name = name(&safe.line(words::what(step, catalog)));
        // The number keeps a name apart from Mermaid's own words, which a line of a chart may begin with.
        let _ = writeln!(sections[at].1, "    {number}. {name} :{tag}{}, {}", clock(from), clock(end));
    }
    for (place, steps) in sections {
        let _ = write!(text, "    section {}\n{steps}", name(&place));
    }
    text += "```";
    Some(text)
}

fn clock(time: Timestamp) -> String {
    let text = time.to_string();
    format!("{} {}", text.get(..10).unwrap_or_default(), text.get(11..23).unwrap_or_default())
}

/// A name without what means something to Mermaid; signs that look the same stand in for a colon and a quote.
fn name(text: &str) -> String {
    let plain = |char: char| match char {
        ':' => '∶',
        '\'' => '’',
        _ if char.is_alphanumeric() || " .,()+-_/".contains(char) => char,
        _ => ' ',
    };
    let words: String = text.chars().map(plain).collect();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut name: String = words.chars().take(LONGEST).collect();
    if name.len() < words.len() {
        name.truncate(name.trim_end().len());
        name.push('…');
    }
    if name.is_empty() {
        name.push('-');
    }
    name
}
