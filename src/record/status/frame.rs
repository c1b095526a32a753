//! A screen inside a frame: a window of a terminal, a table. All its lines have the same bar at one edge or at both.

use crate::record::prefix::{bar, without_end_bar};

/// The lines of a screen without the bars at their edges.
pub(super) fn inside(raw: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = raw.split(|byte| *byte == b'\n').collect();
    if let Some(edge) = most(&lines, |line| bar(line.trim_ascii_start())) {
        // A table puts a blank behind its bar.
        let is_padded = lines
            .iter()
            .filter_map(|line| behind(line, edge))
            .all(|text| text.trim_ascii().is_empty() || text.starts_with(b" "));
        for line in &mut lines {
            if let Some(inner) = behind(line, edge) {
                *line = inner.strip_prefix(b" ").filter(|_| is_padded).unwrap_or(inner);
            }
        }
    }
    if let Some(edge) = most(&lines, end_bar) {
        lines.iter_mut().for_each(|line| *line = without_end_bar(line, Some(edge)).unwrap_or(line));
    }
    lines
}

/// What stands behind the bar that a line begins with.
fn behind<'l>(line: &'l [u8], bar: &[u8]) -> Option<&'l [u8]> {
    line.trim_ascii_start().strip_prefix(bar)
}

/// The bar that a line ends with.
fn end_bar(line: &[u8]) -> Option<&'static [u8]> {
    let inner = without_end_bar(line, None)?;
    bar(line[inner.len()..].trim_ascii())
}

/// The bar that most of the lines have that are not empty: single ones lose theirs where they are copied.
fn most(lines: &[&[u8]], of: impl Fn(&[u8]) -> Option<&'static [u8]>) -> Option<&'static [u8]> {
    let mut filled = lines.iter().filter(|line| !line.trim_ascii().is_empty());
    let edge = filled.clone().find_map(|line| of(line))?;
    let (have, all) =
        filled.by_ref().fold((0, 0), |(have, all), line| (have + usize::from(of(line) == Some(edge)), all + 1));
    (have > 1 && 2 * have > all).then_some(edge)
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn bars_at_the_edges_go() {
        for (raw, want) in [
            ("\u{2502}> #1 <   \u{2502}\n\u{2502}  name: t  \u{2502}", "> #1 <\n  name: t"),
            ("| > #1 < |\n|   name: t |", "> #1 <\n  name: t"),
            ("| > #1 < |\n|status: t |", " > #1 <\nstatus: t"),
            ("\u{2502} > #1 <\n\u{2502}   name: t", "> #1 <\n  name: t"),
            ("> #1 < |\n  name: t |", "> #1 <\n  name: t"),
            ("> #1 <\n  name: a |\n  status: b", "> #1 <\n  name: a |\n  status: b"),
        ] {
            let found: Vec<_> = inside(raw.as_bytes()).into_iter().map(String::from_utf8_lossy).collect();
            assert_eq!(found.join("\n"), want, "{raw}");
        }
    }
}
