//! The lines of a record that a terminal, a container or a chat broke, joined again.

use super::{joint, markup, quotes};
use crate::record::plain::{columns, plain};
use crate::record::{header, prefix};
use std::borrow::Cow;

/// Whether the lines of a record stand for themselves, like those of a stack, or are one text that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breaks {
    /// The record is one line by its grammar.
    Foreign,
    /// The record has lines.
    Own,
}

/// A record's text without marks on its lines and without breaks that are not its own.
pub(super) fn joined(raw: &[u8], breaks: Breaks) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\n', raw).is_none() {
        return one(raw);
    }
    let lines: Vec<Cow<'_, [u8]>> = raw.split(|byte| *byte == b'\n').map(one).collect();
    // Where a container cut a line in parts, nothing stands between them.
    let partial: Vec<bool> = lines.iter().map(|line| prefix::strip(line).is_partial).collect();
    let lines = without_repeats(&lines);
    if breaks == Breaks::Own {
        return Cow::Owned(apart(&lines));
    }
    if let Some(text) = unfolded(&lines) {
        return Cow::Owned(text);
    }
    match halved(&lines) {
        Some(single) => Cow::Owned(together(&single.iter().map(|line| &**line).collect::<Vec<_>>(), &partial)),
        None => Cow::Owned(together(&lines, &partial)),
    }
}

/// The text of a string that YAML folded at blanks, as `kubectl get -o yaml` prints the status of a backup: below its first line all
/// are indented alike; what is less deep is another value.
fn unfolded(lines: &[&[u8]]) -> Option<Vec<u8>> {
    let (first, rest) = lines.split_first()?;
    let depth = |line: &[u8]| line.iter().take_while(|byte| **byte == b' ').count();
    let own = rest.first().map(|line| depth(line)).filter(|depth| *depth > 1)?;
    let is_string = memchr::memmem::find(first, b"[\\\"").is_some() || header::cut(first).is_some();
    if !is_string || rest.iter().any(|line| depth(line) > own) {
        return None;
    }
    let mut out = first.to_vec();
    for line in rest.iter().map_while(|line| line.get(own..).filter(|_| depth(line) == own)) {
        out.push(b' ');
        // A blank at the start of a line is escaped.
        out.extend_from_slice(line.strip_prefix(b"\\").filter(|line| line.starts_with(b" ")).unwrap_or(line));
    }
    Some(out)
}

/// The lines of an object without a mail's or table's marks, where all but the first have them.
pub(super) fn unmarked(raw: &[u8]) -> Cow<'_, [u8]> {
    let lines = || raw.split(|byte| *byte == b'\n').skip(1);
    let Some(mark) = [b"> ", b"| "].into_iter().find(|mark| lines().all(|line| line.starts_with(*mark))) else {
        return Cow::Borrowed(raw);
    };
    let first = raw.split(|byte| *byte == b'\n').take(1);
    Cow::Owned(first.chain(lines().map(|line| &line[mark.len()..])).collect::<Vec<_>>().join(&b'\n'))
}

/// The lines as they are; but where a number may have been broken, dots say that neither half is one.
fn apart(lines: &[&[u8]]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(if joint::is_between_digits(&out, line) { b"...\n" } else { b"\n" });
        }
        out.extend_from_slice(line);
    }
    out
}

/// One quote for two in every line, where all were doubled (but for one that closes a cell).
fn halved(lines: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
    let (last, full) = lines.split_last()?;
    let is_doubled = lines.iter().any(|line| memchr::memmem::find(line, b"\"\"").is_some())
        && full.iter().all(|line| !line.contains(&b'"') || quotes::is_all_doubled(line));
    if !is_doubled {
        return None;
    }
    let mut out: Vec<Vec<u8>> = full.iter().map(|line| quotes::halved(line)).collect();
    out.push(quotes::single(last));
    Some(out)
}

fn one(line: &[u8]) -> Cow<'_, [u8]> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match plain(line) {
        Cow::Borrowed(line) => markup::undo(line),
        Cow::Owned(line) => Cow::Owned(markup::undo(&line).into_owned()),
    }
}

/// The lines without the prefix of the first, where all have it, and without the bar that ends a table's row.
fn without_repeats<'l>(lines: &'l [Cow<'_, [u8]>]) -> Vec<&'l [u8]> {
    let mut out: Vec<&[u8]> = lines.iter().map(|line| &**line).collect();
    let [first, second, ..] = lines else { return out };
    if let Some(inner) = without_frame(&out) {
        return inner;
    }
    let blanks = first.len() - first.trim_ascii_start().len();
    let start = header::find(first).map_or_else(|| prefix::strip(first).at.max(blanks), |header| header.start);
    // Blanks behind a container's prefix are the text's own.
    let start =
        prefix::behind_stamp(first).filter(|at| first[*at..].starts_with(b" ")).map_or(start, |at| at.min(start));
    let before = &first[..start];
    if let Some(bar) = prefix::bar(before.trim_ascii_start()) {
        for line in &mut out {
            let text = line.trim_ascii_end();
            *line = text.strip_suffix(bar).map_or(line, |text| text.strip_suffix(b" ").unwrap_or(text));
        }
    }
    // Prose may stand before the prefix of the first line.
    let again = &second[..prefix::strip(second).at];
    let own = (0..before.len()).find(|at| {
        prefix::repeated(&before[*at..], second).is_some_and(|length| length > 0 && (*at == 0 || length == again.len()))
    });
    let Some(own) = own else {
        out[1..].iter_mut().for_each(|line| *line = without_stamp(line));
        return out;
    };
    let before = &before[own..];
    // A time in front is a prefix wherever it stands; other prefixes were there before the breaks if some line lacks them.
    let is_sure = before.iter().filter(|byte| byte.is_ascii_digit()).count() > 13;
    let lengths: Vec<Option<usize>> = lines[1..].iter().map(|line| prefix::repeated(before, line)).collect();
    if is_sure || lengths.iter().all(Option::is_some) {
        for (line, length) in out[1..].iter_mut().zip(lengths) {
            *line = length.map_or_else(|| without_stamp(line), |length| &line[length..]);
        }
        // Breaks were made before the prefix came: the first line's width is that behind it.
        out[0] = &out[0][start..];
    }
    out
}

/// The lines without the edges of a frame, where the record begins behind prose in it and so behind its left edge.
fn without_frame<'l>(lines: &[&'l [u8]]) -> Option<Vec<&'l [u8]>> {
    let (first, rest) = lines.split_first()?;
    let bar = rest.first().and_then(|line| prefix::bar(line))?;
    let right =
        |line: &'l [u8]| line.trim_ascii_end().strip_suffix(bar).map(|text| text.strip_suffix(b" ").unwrap_or(text));
    let left = |line: &'l [u8]| line.strip_prefix(bar).map(|text| text.strip_prefix(b" ").unwrap_or(text));
    let inner = rest.iter().map(|line| left(line).map(|text| right(text).unwrap_or(text)));
    std::iter::once(right(first).filter(|_| prefix::bar(first).is_none())).chain(inner).collect()
}

/// A line of a container without its prefix, which no text begins with by chance.
fn without_stamp(line: &[u8]) -> &[u8] {
    prefix::behind_stamp(line).map_or(line, |at| &line[at..])
}

/// Joins the lines. A terminal breaks at one width and puts nothing between; a chat breaks at blanks and takes them away.
fn together(lines: &[&[u8]], partial: &[bool]) -> Vec<u8> {
    let (last, full) = lines.split_last().map_or((&[][..], &[][..]), |(last, full)| (*last, full));
    let widths: Vec<usize> = full.iter().map(|line| columns(line)).collect();
    let widest = widths.iter().copied().max().unwrap_or(0);
    let spread = widest - widths.iter().copied().min().unwrap_or(0);
    let is_even = full.len() > 1 && widest >= 40 && spread <= 2 && columns(last) <= widest;
    // A chat may break lines equally wide but for a few columns.
    let is_sure = spread == 0 || joint::breaks_words(lines);
    let is_terminal = full.len() == 1 || joint::is_terminal(lines, spread);
    let mut out: Vec<u8> = lines.first().map(|line| line.to_vec()).unwrap_or_default();
    for (at, line) in lines.iter().enumerate().skip(1) {
        let between: &[u8] = match () {
            () if partial[at - 1] => b"",
            () if at == 1 && header::cut(&out).is_some() => in_header(&out, line),
            () if is_even && !is_sure && joint::is_doubtful(&out, line) => b"...",
            () if is_even && widths[at - 1] == widest => b"",
            () if is_even && !joint::is_doubtful(&out, line) => b" ",
            () if is_stack(line) => b"\n",
            () if is_terminal => joint::between(&out, line),
            // Whether one number or code was broken here or two stand side by side nobody can say: neither is one then.
            () if joint::is_doubtful(&out, line) => b"...",
            () => b" ",
        };
        out.extend_from_slice(between);
        out.extend_from_slice(line);
    }
    out
}

/// What stood at a break inside a header: a blank, unless the break is in the middle of the clock or a word.
fn in_header(left: &[u8], right: &[u8]) -> &'static [u8] {
    let after_date = left.len() >= 11 && left[left.len() - 11] == b'[' && right.first().is_some_and(u8::is_ascii_digit);
    let between_brackets = left.ends_with(b"]") && right.starts_with(b"[");
    let before_zone = matches!(right.first(), Some(b'+' | b'-')) && left.last().is_some_and(u8::is_ascii_digit);
    if after_date || between_brackets || before_zone { b" " } else { b"" }
}

/// Lines of a stack or a backtrace, and empty ones.
fn is_stack(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    let indent = line.len() - text.len();
    text.is_empty() || indent > 1 || line.starts_with(b"\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"[2022/07/25 14:54:44.467 +00:00] [WARN] [endpoint.rs:209] ["fatal error reporting"] [err="due to merge, region 94812 is not ready"] [region_id=94812]"#;

    fn text(raw: &str) -> String {
        String::from_utf8_lossy(&joined(raw.as_bytes(), Breaks::Foreign)).into_owned()
    }

    fn wrapped(width: usize, between: &str) -> String {
        TEXT.as_bytes().chunks(width).map(String::from_utf8_lossy).collect::<Vec<_>>().join(between)
    }

    #[test]
    fn terminals_break_at_one_width() {
        for width in 40..TEXT.len() {
            assert_eq!(text(&wrapped(width, "\n")), TEXT, "{width}");
        }
    }

    #[test]
    fn marks_on_every_line_go() {
        for (first, between) in [("> ", "\n> "), ("   9 | ", "\n  10 | "), ("x.log:8:", "\nx.log:9:")] {
            let found = text(&format!("{first}{}", wrapped(50, between)));
            assert!(found.ends_with(TEXT), "{found}");
        }
        for bar in ["|", "\u{2502}"] {
            let row = format!("{} {bar}", wrapped(50, &format!(" {bar}\n{bar} ")));
            assert_eq!(text(&format!("{bar} {row}")), TEXT);
            // Its left edge stands before prose.
            assert_eq!(text(&row), TEXT);
        }
    }

    #[test]
    fn chats_break_at_blanks() {
        let broken = TEXT.replace("] [endpoint", "]\n[endpoint").replace("merge, region", "merge,\nregion");
        assert_eq!(text(&broken), TEXT);
        assert_eq!(text(&TEXT.replace("region 94812", "region\n94812")), TEXT);
    }

    #[test]
    fn strings_of_yaml_are_folded_at_blanks() {
        let line = |text: &str| text.replace('"', "\\\"");
        for at in TEXT.match_indices(' ').map(|(at, _)| at).filter(|at| *at > 10) {
            let (one, other) = (line(&TEXT[..at]), line(&TEXT[at + 1..]));
            let found = text(&format!("{one}\n        {other}\n      reason: x\n"));
            // What is less deep is another value.
            assert_eq!(found, line(TEXT), "{at}");
        }
        assert_eq!(
            text("[2022/07/25\n  14:54:44.467 +00:00]\n  \\ [WARN]"),
            "[2022/07/25 14:54:44.467 +00:00]  [WARN]"
        );
    }

    #[test]
    fn stacks_keep_their_lines() {
        let raw = "[a] [b] [\"it broke, \n             at lib.rs:1\n   1: main";
        assert_eq!(text(raw), raw);
    }
}
