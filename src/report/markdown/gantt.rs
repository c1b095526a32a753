//! The chain of an incident as a Mermaid chart, which GitHub draws.

use crate::correlate::Step;
use crate::report::words;
use crate::rules::Catalog;
use crate::safe::Safe;
use crate::units::{Severity, Timestamp};
use std::fmt::Write as _;

/// Steps that are drawn at most.
const MOST: usize = 20;

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
    let mut section = None;
    for (number, from, to, step) in timed {
        let place = words::place(step.component, &step.stores);
        if section.as_ref() != Some(&place) {
            let _ = writeln!(text, "    section {}", name(&place));
            section = Some(place);
        }
        let tag = match step.severity {
            Severity::Critical | Severity::Error => "crit, ",
            Severity::Warning => "active, ",
            Severity::Notice | Severity::Info => "",
        };
        let end = Timestamp(to.0.max(from.0 + shortest));
        let name = name(&safe.line(words::what(step, catalog)));
        // The number keeps a name apart from Mermaid's own words, which a line of a chart may begin with.
        let _ = writeln!(text, "    {number}. {name} :{tag}{}, {}", clock(from), clock(end));
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
    let mut name: String = words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect();
    if name.is_empty() {
        name.push('-');
    }
    name
}
