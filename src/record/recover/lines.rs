//! The lines of a record that a terminal, a container or a chat broke, joined again.

use super::markup;
use crate::record::plain::plain;
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
    let lines = without_repeats(&lines);
    Cow::Owned(match breaks {
        Breaks::Own => lines.join(&b'\n'),
        Breaks::Foreign => together(&lines),
    })
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
    let Some((first, further)) = lines.split_first() else { return out };
    let blanks = first.len() - first.trim_ascii_start().len();
    let start = header::find(first).map_or_else(|| prefix::strip(first).at.max(blanks), |header| header.start);
    let before = &first[..start];
    if before.trim_ascii_start().starts_with(b"|") {
        for line in &mut out {
            let text = line.trim_ascii_end();
            *line = text.strip_suffix(b" |").or_else(|| text.strip_suffix(b"|")).unwrap_or(line);
        }
    }
    if !before.is_empty()
        && let Some(lengths) = further.iter().map(|line| prefix::repeated(before, line)).collect::<Option<Vec<_>>>()
    {
        for (line, length) in out[1..].iter_mut().zip(lengths) {
            *line = &line[length.min(line.len())..];
        }
        // Breaks were made before the prefix came: the first line's width is that behind it.
        out[0] = &out[0][start..];
    }
    out
}

/// Joins the lines. A terminal breaks at one width and puts nothing between; a chat breaks at blanks and takes them away.
fn together(lines: &[&[u8]]) -> Vec<u8> {
    let (last, full) = lines.split_last().map_or((&[][..], &[][..]), |(last, full)| (*last, full));
    let widths: Vec<usize> = full.iter().map(|line| width(line)).collect();
    let widest = widths.iter().copied().max().unwrap_or(0);
    let is_even = full.len() > 1
        && widest >= 40
        && widths.iter().all(|width| widest - width <= 2)
        && width(last) <= widest;
    // A blank at a break was not taken away.
    let keeps_blanks = !is_even && lines[1..].iter().any(|line| is_one_blank(line)) || full.iter().any(|line| line.ends_with(b" "));
    let mut out: Vec<u8> = lines.first().map(|line| line.to_vec()).unwrap_or_default();
    for (at, line) in lines.iter().enumerate().skip(1) {
        let between: &[u8] = match () {
            () if is_even => if widths[at - 1] < widest { b" " } else { b"" },
            () if is_stack(line) => b"\n",
            () if keeps_blanks => b"",
            () if full.len() == 1 => joint(&out, line),
            // Whether one number was broken here or two stand side by side nobody can say: neither is one then.
            () if out.last().is_some_and(u8::is_ascii_digit) && line.first().is_some_and(u8::is_ascii_digit) => b"...",
            () => b" ",
        };
        out.extend_from_slice(between);
        out.extend_from_slice(line);
    }
    out
}

fn is_one_blank(line: &[u8]) -> bool {
    line.first() == Some(&b' ') && line.get(1).is_some_and(|byte| !byte.is_ascii_whitespace())
}

/// Lines of a stack or a backtrace, and empty ones.
fn is_stack(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    let indent = line.len() - text.len();
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.is_empty() || indent > 1 || line.starts_with(b"\t") || (digits > 0 && text[digits..].starts_with(b": "))
}

/// Of two lines the width says nothing: the words at the break decide. Between digits nothing is put, so that no number is cut.
fn joint(left: &[u8], right: &[u8]) -> &'static [u8] {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric();
    let tail = &left[left.len() - left.iter().rev().take(16).take_while(|byte| is_word(byte)).count()..];
    let head = &right[..right.iter().take(16).take_while(|byte| is_word(byte)).count()];
    let ends_field = left.ends_with(b"]") && (right.starts_with(b"[") || right.starts_with(b"\\["));
    let between_words = is_whole(tail) && (is_whole(head) || head.first().is_some_and(u8::is_ascii_digit));
    let after_mark = left.last().is_some_and(|byte| b",;:".contains(byte)) && head.first().is_some_and(u8::is_ascii_alphabetic);
    if ends_field || between_words || after_mark { b" " } else { b"" }
}

/// Words that stand before and behind blanks in nearly every record.
fn is_whole(word: &[u8]) -> bool {
    const WORDS: [&str; 64] = [
        "a", "an", "and", "at", "be", "by", "can", "code", "connection", "context", "data", "due", "error", "exceed", "failed",
        "fail", "file", "for", "from", "get", "has", "in", "index", "into", "is", "it", "key", "leader", "log", "meet", "merge",
        "message", "not", "of", "on", "or", "peer", "point", "range", "read", "ready", "reason", "region", "request", "retry",
        "rpc", "safe", "safepoint", "send", "snapshot", "store", "task", "than", "that", "the", "time", "to", "too", "was", "while",
        "will", "with", "ts", "TS",
    ];
    std::str::from_utf8(word).is_ok_and(|word| WORDS.contains(&word))
}

/// Columns on a terminal: characters of Chinese, Japanese and Korean take two.
fn width(line: &[u8]) -> usize {
    if line.is_ascii() {
        return line.len();
    }
    String::from_utf8_lossy(line).chars().map(|letter| if is_wide(letter) { 2 } else { 1 }).sum()
}

fn is_wide(letter: char) -> bool {
    matches!(letter, '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}' | '\u{20000}'..='\u{3FFFD}')
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
        let row = format!("| {} |", wrapped(50, " |\n| "));
        assert_eq!(text(&row), TEXT);
    }

    #[test]
    fn chats_break_at_blanks() {
        let broken = TEXT.replace("] [endpoint", "]\n[endpoint").replace("merge, region", "merge,\nregion");
        assert_eq!(text(&broken), TEXT);
        assert_eq!(text(&TEXT.replace("region 94812", "region\n94812")), TEXT);
    }

    #[test]
    fn stacks_keep_their_lines() {
        let raw = "[a] [b] [\"it broke, \n             at lib.rs:1\n   1: main";
        assert_eq!(text(raw), raw);
    }
}
