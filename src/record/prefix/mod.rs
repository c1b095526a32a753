//! What stands before a record on its line: marks, line numbers, paths, container and log-viewer prefixes.

mod containers;
mod marks;
mod viewers;
mod writer;

pub(super) use marks::{bar, number, trim_marks, without_end_bar};
pub(super) use viewers::epoch;
pub(super) use writer::of_name as named;

use crate::units::{Component, Level, Timestamp};

/// Where the text behind the prefixes begins, and what they say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Inner<'t> {
    pub(super) at: usize,
    /// Who wrote the record: component and instance.
    pub(super) writer: Option<(Component, &'t str)>,
    /// The container's own time, where it has an offset.
    pub(super) time: Option<Timestamp>,
    /// The record's own time without an offset, where a viewer took it out of the record.
    pub(super) local: Option<Timestamp>,
    /// A viewer's time without an offset: it counts only where the record has none.
    pub(super) shown: Option<Timestamp>,
    /// The record's level, where a viewer took it out.
    pub(super) level: Option<Level>,
    /// A system log: lines of the kernel and of systemd are records there.
    pub(super) is_os: bool,
    /// The container cut the line; the next one goes on.
    pub(super) is_partial: bool,
}

/// Prefixes of prefixes: a copy of an export of a container's log.
const MOST: usize = 6;

/// Finds the text behind all prefixes.
pub(super) fn strip(line: &[u8]) -> Inner<'_> {
    let mut found = Inner::default();
    for _ in 0..MOST {
        let text = &line[found.at..];
        let trimmed = trim_marks(text);
        let at = found.at + text.len() - trimmed.len();
        let Some(next) = one(trimmed) else {
            // White space alone is no prefix.
            if found.at > 0 || trimmed.len() < text.trim_ascii_start().len() {
                found.at = at;
            }
            break;
        };
        found = Inner {
            at: at + next.at,
            writer: next.writer.or(found.writer),
            time: next.time.or(found.time),
            local: next.local.or(found.local),
            shown: next.shown.or(found.shown),
            level: next.level.or(found.level),
            is_os: next.is_os || found.is_os,
            is_partial: next.is_partial,
        };
    }
    found
}

/// Where the text behind a container's time begins, with the blanks that are its own.
pub(super) fn behind_stamp(line: &[u8]) -> Option<usize> {
    let mut at = 0;
    for _ in 0..MOST {
        let text = trim_marks(&line[at..]);
        let next = one(text)?;
        at = line.len() - text.len() + next.at;
        if next.time.is_some() {
            return Some(at);
        }
    }
    None
}

fn one(text: &[u8]) -> Option<Inner<'_>> {
    use {containers as c, viewers as v};
    let plain = |at| Inner { at, ..Inner::default() };
    match text.first()? {
        b'0'..=b'9' => c::cri(text)
            .or_else(|| c::syslog(text))
            .or_else(|| v::search_row(text))
            .or_else(|| v::viewer(text).filter(|_| v::columns(text).is_none()))
            .or_else(|| v::columns(text))
            .or_else(|| c::kubectl(text))
            .or_else(|| v::object_cell(text))
            .or_else(|| marks::number(text).map(plain)),
        b'[' => c::pod(text).or_else(|| c::stamp(text)).or_else(|| v::cell(text)).or_else(|| v::stamped_object(text)),
        b'"' | b'`' | b'\'' => v::cell(text).or_else(|| marks::quote(text).map(plain)),
        _ => v::kibana(text)
            .or_else(|| c::syslog(text))
            .or_else(|| c::klog(text))
            .or_else(|| c::names(text))
            .or_else(|| v::stamped_object(text))
            .or_else(|| v::object_cell(text))
            .or_else(|| marks::grep(text).map(plain))
            .or_else(|| marks::prose(text).map(plain)),
    }
}

/// Whether what stands before a header is a prefix rather than text of its own.
pub(super) fn is_short(before: &[u8]) -> bool {
    before.len() <= 160 && !before.ends_with(b"]")
}

/// The length of what stands before a line where the record's first line has `prefix`: the same, but for its numbers.
pub(super) fn repeated(prefix: &[u8], line: &[u8]) -> Option<usize> {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (mut want, mut at) = (0, 0);
    while want < prefix.len() {
        let (rest, have) = (&prefix[want..], &line[at..]);
        // A line number may be shorter or longer, and is aligned to the right.
        let blanks = |text: &[u8]| text.iter().take_while(|byte| **byte == b' ').count();
        let (one, other) = (blanks(rest), blanks(have));
        let (one_digits, other_digits) = (digits(&rest[one..]), digits(&have[other..]));
        if one_digits > 0 && other_digits > 0 {
            want += one + one_digits;
            at += other + other_digits;
        } else if rest.first() == have.first() || is_flag(prefix, want, have) {
            want += 1;
            at += 1;
        } else if have.is_empty() && rest.iter().all(|byte| *byte == b' ') {
            break;
        } else {
            return None;
        }
    }
    Some(at.min(line.len()))
}

/// The `F` or `P` of a container's line.
fn is_flag(prefix: &[u8], at: usize, line: &[u8]) -> bool {
    prefix[..at].ends_with(b" ") && b"FP".contains(&prefix[at]) && matches!(line.first(), Some(b'F' | b'P'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_come_off_and_keep_their_time() {
        for (line, inner, time) in [
            ("2022-07-25T14:54:44.467123456Z stderr F panic: x", "panic: x", Some("2022-07-25T14:54:44.467Z")),
            ("2022-07-25T14:54:44.467123456Z panic: x", "panic: x", Some("2022-07-25T14:54:44.467Z")),
            ("2022-07-25T14:54:44Z {app=\"tikv\"} panic: x", "panic: x", Some("2022-07-25T14:54:44.000Z")),
            ("[pod/tc-tikv-0/tikv] panic: x", "panic: x", None),
            ("tc-tikv-0 tikv panic: x", "panic: x", None),
            ("tikv-0  | panic: x", "panic: x", None),
            ("Mar 14 16:55:03 localhost kernel: CPU: 14", "CPU: 14", None),
            ("Mar  4 16:55:03 localhost kernel: CPU: 14", "CPU: 14", None),
            ("Mar 4 16:55:03 localhost kernel: CPU: 14", "CPU: 14", None),
            ("2022-07-25T14:54:44+0800 host tikv-server[12]: hello", "hello", Some("2022-07-25T06:54:44.000Z")),
            ("2026-06-03 15:39:43 | panic: x", "panic: x", None),
            ("2026-06-03 15:39:43\tpanic: x", "panic: x", None),
            ("2026-06-03 15:39:43\tlog=\"panic: x", "panic: x", None),
            (
                "2022-07-25 22:54:44 (UTC+08:00)TiKV a:20160[a.rs:1]  [x]",
                "[a.rs:1]  [x]",
                Some("2022-07-25T14:54:44.000Z"),
            ),
            ("29051 2016-08-25 14:07:36,250 x", "2016-08-25 14:07:36,250 x", None),
            ("It failed with `Error: x y`", "Error: x y`", None),
            ("812 thread 'x' panicked at 'y'", "thread 'x' panicked at 'y'", None),
            ("2022-07-25T14:54:44.467+0800\tpanic: x", "panic: x", Some("2022-07-25T06:54:44.467Z")),
            ("W0725 14:54:44.467123       1 log.go:12] [x", "[x", None),
            (
                "tc-tikv-0: [2022/07/25 22:54:44.467 +08:00] {\"log\":\"x\"}",
                "{\"log\":\"x\"}",
                Some("2022-07-25T14:54:44.467Z"),
            ),
            ("[2022/07/25 14:54:44.467 +00:00] {\"a\":1}", "{\"a\":1}", Some("2022-07-25T14:54:44.467Z")),
            (
                "2022-07-25T14:54:44.467Z,a-1,tikv,\"{\"\"log\"\":\"\"x\"\"}\"",
                "{\"\"log\"\":\"\"x\"\"}\"",
                Some("2022-07-25T14:54:44.467Z"),
            ),
            ("> 12 | log/tikv.log:1033:panic: x", "panic: x", None),
            ("tikv.log-1033-panic: x", "panic: x", None),
            ("pd.log: 2019/08/13 03:27:49.382 x", "2019/08/13 03:27:49.382 x", None),
            ("`2019/08/13 03:27:49.382 x", "2019/08/13 03:27:49.382 x", None),
            ("`thread 'main' panicked at 'x'", "thread 'main' panicked at 'x'", None),
            ("Jul 25, 2022 @ 14:54:44.467\tpanic: x", "panic: x", None),
            ("July 25th 2022, 14:54:44.467 panic: x", "panic: x", None),
            ("[\"1658760884467000000\",\"[a.rs:1]", "[a.rs:1]", Some("2022-07-25T14:54:44.467Z")),
            ("no prefix at all", "no prefix at all", None),
            ("error: 12: x", "error: 12: x", None),
            ("   at a.rs:12:5", "   at a.rs:12:5", None),
        ] {
            let found = strip(line.as_bytes());
            assert_eq!(&line[found.at..], inner);
            assert_eq!(found.time.map(|t| t.to_string()).as_deref(), time, "{line}");
        }
    }

    #[test]
    fn columns_give_time_and_level() {
        for line in [
            "| 2022/07/25 14:54:44.467 | tikv | 10.0.1.11:20160 | WARN | [a.rs:1] [x] |",
            "2022-07-25 14:54:44.467\tWARN\tTiKV 10.0.1.11:20160\t[a.rs:1] [x]",
        ] {
            let found = strip(line.as_bytes());
            assert!(line[found.at..].starts_with("[a.rs:1]"), "{line}");
            assert_eq!(found.level, Some(Level::Warn));
            assert_eq!(found.local.map(|t| t.to_string()).as_deref(), Some("2022-07-25T14:54:44.467Z"));
        }
    }

    #[test]
    fn marks_of_mails_and_tables() {
        assert_eq!(trim_marks(b"> > [2022"), b"[2022");
        assert_eq!(trim_marks(b"| [2022"), b"[2022");
        assert_eq!(trim_marks(b">"), b"");
    }

    #[test]
    fn the_same_prefix_again() {
        for (prefix, line, rest) in [
            ("  12 | ", "  13 | x", Some("x")),
            ("   9 | ", "  10 | x", Some("x")),
            ("> ", "> x", Some("x")),
            ("> ", ">", Some("")),
            ("a.log:12:", "a.log:13:x", Some("x")),
            ("2022-07-25T14:54:44.4Z stdout P ", "2022-07-25T14:54:45.467Z stdout F x", Some("x")),
            ("> ", "x", None),
        ] {
            assert_eq!(repeated(prefix.as_bytes(), line.as_bytes()).map(|at| &line[at..]), rest, "{line}");
        }
    }
}
