//! `br log status` on a screen: a table of right-aligned keys, its values wrapped at the terminal's width.

mod flat;
mod frame;
mod keys;
mod table;

pub(super) use keys::{flat_task, is_part, is_task, key, prefixed_task};
pub(super) use table::is_narrow_piece;

use super::body::Field;
use super::{Kind, Record};
use crate::units::{Timestamp, parse_naive, parse_offset};
use std::borrow::Cow;

/// A checkpoint this far behind is late, though the status says NORMAL: BR itself prints such a gap in red.
const LATE_SECONDS: i64 = 600;

/// Reads a task, from its `> #N <` line on, or from a later line where a copy has cut that off.
pub(super) fn read(raw: &[u8]) -> Record<'static> {
    let pairs = pairs(&without_escapes(raw));
    let get = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let errors =
        pairs.iter().filter(|(key, _)| key.starts_with("error-happen-at[")).filter_map(|(_, value)| moment(value));
    let time = errors.min().or_else(|| get("pause-time").and_then(moment));
    let status = get("status").unwrap_or_default();
    let late = get("checkpoint[global]").and_then(gap_seconds).is_some_and(|gap| gap >= LATE_SECONDS);
    let behind = (status == "NORMAL" && late).then(|| ("x-behind".to_owned(), "yes".to_owned()));
    let text: String = pairs.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
    Record {
        time,
        fields: pairs
            .into_iter()
            .chain(behind)
            .map(|(key, value)| Field { key: Cow::Owned(key.into_bytes()), value: Cow::Owned(value.into_bytes()) })
            .collect(),
        text: Cow::Owned(text.into_bytes()),
        kind: Kind::StatusTask,
        ..Record::default()
    }
}

/// The screen without the backslashes by which Markdown escapes the brackets of its keys: `error\[store=1\]`.
fn without_escapes(raw: &[u8]) -> Cow<'_, [u8]> {
    if ![&b"\\[store="[..], b"\\[global"].iter().any(|key| memchr::memmem::find(raw, key).is_some()) {
        return Cow::Borrowed(raw);
    }
    let is_escape = |at: usize| raw[at] == b'\\' && matches!(raw.get(at + 1), Some(b'[' | b']' | b'_'));
    Cow::Owned((0..raw.len()).filter(|at| !is_escape(*at)).map(|at| raw[at]).collect())
}

/// The moment at the start of a value, as `2022-07-25 14:54:44.467 +0000; gap=11h23m35s` or RFC 3339.
pub(crate) fn moment(value: &str) -> Option<Timestamp> {
    let (naive, rest) = parse_naive(value.as_bytes())?;
    Some(Timestamp(naive - parse_offset(rest)? * 60_000))
}

/// The `gap=` of a value, in seconds.
pub(crate) fn gap_seconds(value: &str) -> Option<i64> {
    duration_seconds(value.split("gap=").nth(1)?.trim())
}

/// Go counts durations in nanoseconds, in 63 bits: 292 years.
const LONGEST_SECONDS: f64 = (i64::MAX / 1_000_000_000) as f64;

/// A duration as Go prints it, in seconds.
pub(crate) fn duration_seconds(text: &str) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (mut total, mut number, mut any) = (0.0f64, String::new(), false);
    for letter in text.chars() {
        let unit = match letter {
            '0'..='9' | '.' => {
                number.push(letter);
                continue;
            }
            'h' => 3_600.0,
            'm' => 60.0,
            's' => 1.0,
            _ => break,
        };
        total += number.parse::<f64>().ok()? * unit;
        number.clear();
        any = true;
    }
    (any && total <= LONGEST_SECONDS).then_some(sign * total as i64)
}

/// Keys and values as they were before the screen was wrapped.
fn pairs(raw: &[u8]) -> Vec<(String, String)> {
    let mut found = flat::pairs(raw).unwrap_or_else(|| table::unwrap(raw));
    if let Some((_, value)) = found.last_mut() {
        mark_cut(value);
    }
    found.iter().map(|(key, value)| (text(key), clean(&text(&unbarred(key, &super::plain::plain(value)))))).collect()
}

/// A value without a bar that a table or frame has left at its end; of what is no message none ends with one.
fn unbarred<'v>(key: &[u8], value: &'v [u8]) -> Cow<'v, [u8]> {
    let is_message = [&b"error-message["[..], b"pause-payload"].iter().any(|start| key.starts_with(start));
    match super::prefix::without_end_bar(value, None).filter(|_| !is_message) {
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(value),
    }
}

/// Puts dots behind a number or word that the copy may have cut: the value ends in it, and a bracket or quote is open.
fn mark_cut(value: &mut Vec<u8>) {
    let count = |byte: u8| memchr::memchr_iter(byte, value).count();
    let is_open = count(b'(') > count(b')') || count(b'{') > count(b'}') || count(b'"') % 2 == 1;
    if is_open && value.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || b":_".contains(byte)) {
        value.extend_from_slice(b"...");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A value without the circle that the screen paints before a status.
fn clean(value: &str) -> String {
    let value = value.trim_end();
    value.strip_prefix(['\u{25CB}', '\u{25CF}']).map_or(value, str::trim_start).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prints a task as the program does, for a terminal of `width` columns.
    fn screen(pairs: &[(&str, &str)], width: usize) -> Vec<u8> {
        let longest = pairs.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        let room = width.checked_sub(longest + 2).filter(|room| *room >= 40);
        let mut out = b"> #1 <\n".to_vec();
        for (key, value) in pairs {
            match room {
                Some(room) => {
                    let mut pieces = value.as_bytes().chunks(room);
                    out.extend_from_slice(format!("{key:>longest$}: ").as_bytes());
                    out.extend_from_slice(pieces.next().unwrap_or_default());
                    out.push(b'\n');
                    for piece in pieces {
                        out.extend(std::iter::repeat_n(b' ', longest + 2));
                        out.extend_from_slice(piece);
                        out.push(b'\n');
                    }
                }
                None => out.extend_from_slice(format!("{key}: \n{value}\n").as_bytes()),
            }
        }
        out
    }

    #[test]
    fn wrapping_is_undone_at_every_width() {
        let message = "retry time exceeds: and error failed to get initial snapshot: failed to get the snapshot (region_id = 94812): \
                       name: start: \u{00e4}\u{4e2d}\u{6587} message: \"read index not ready, reason can not read index due to merge, region 94812\"";
        let pairs = [
            ("name", "task1"),
            ("status", "\u{25CB} ERROR"),
            ("start", "2022-07-25 13:49:02.868 +0000"),
            ("storage", "s3://tmp/br-log-backup0ef49055-5198-4be3-beab-d382a2189efb/Log"),
            ("checkpoint[global]", "2022-07-25 14:46:50.118 +0000; gap=11h31m29s"),
            ("error[store=1]", "KV:LogBackup:RaftReq"),
            ("error-happen-at[store=1]", "2022-07-25 14:54:44.467 +0000; gap=11h23m35s"),
            ("error-message[store=1]", message),
        ];
        for width in 40..=250 {
            let record = read(&screen(&pairs, width));
            for (key, value) in pairs {
                let found = record.field(key).map(|field| text(&field.value));
                let want = value.trim_start_matches("\u{25CB} ");
                assert_eq!(found.as_deref(), Some(want), "{key} at {width} columns");
            }
            assert_eq!(record.time.map(|time| time.to_string()).as_deref(), Some("2022-07-25T14:54:44.467Z"));
        }
    }

    #[test]
    fn joined_and_cut_screens() {
        let joined = "> #1 <      name: task1    status: \u{25CF} ERROR     start: 2022-07-25 13:49:02.868 +0000  storage: s3://b/p \
                      speed(est.): 0.00 ops/s checkpoint[global]: 2022-07-25 14:46:50.118 +0000; gap=54h  error[store=4]: \
                      KV:LogBackup:RaftReq error-message[store=4]: a name: b status: c checkpoint[store=4]: 2022-07-25 14:46:50.118 +0000";
        let record = read(joined.as_bytes());
        let get = |key: &str| record.field(key).map(|field| text(&field.value)).unwrap_or_default();
        assert_eq!((&*get("name"), &*get("status"), &*get("storage")), ("task1", "ERROR", "s3://b/p"));
        assert_eq!(get("checkpoint[global]"), "2022-07-25 14:46:50.118 +0000; gap=54h");
        assert_eq!(get("error-message[store=4]"), "a name: b status: c");
        assert_eq!(get("checkpoint[store=4]"), "2022-07-25 14:46:50.118 +0000");
        let cut = "status: \u{25CF} NORMAL\n             start: 2022-07-25 13:49:02.868 +0000\n       speed(est.): 0.00 ops/s\n\
                   checkpoint[global]: 2022-07-25 14:46:50.118 +0000; gap=54h\n";
        let record = read(cut.as_bytes());
        let get = |key: &str| record.field(key).map(|field| text(&field.value)).unwrap_or_default();
        assert_eq!((&*get("status"), &*get("start")), ("NORMAL", "2022-07-25 13:49:02.868 +0000"));
        assert!(record.field("x-behind").is_some());
    }

    #[test]
    fn a_value_below_its_key() {
        let text = "error-happen-at[store=31]: \n2022-07-25 14:54:44.467 +0000; gap=1h15m44s\n  error-message[store=31]: \n\
                    [store = 31] I/O Error: it failed with code: None, mes\n                           sage: None, extras: None } }),";
        let record = read(text.as_bytes());
        let get = |key: &str| record.field(key).map(|field| text_of(&field.value)).unwrap_or_default();
        assert_eq!(
            get("error-message[store=31]"),
            "[store = 31] I/O Error: it failed with code: None, message: None, extras: None } }),"
        );
        assert_eq!(record.time.map(|time| time.to_string()).as_deref(), Some("2022-07-25T14:54:44.467Z"));
    }

    fn text_of(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn gaps_and_late_checkpoints() {
        assert_eq!(gap_seconds("x; gap=11h31m29s"), Some(41_489));
        assert_eq!(gap_seconds("x; gap=-3s"), Some(-3));
        assert_eq!(gap_seconds("x; gap=9000000000000000000h"), None);
        assert_eq!(duration_seconds("465h25m36.432s"), Some(1_675_536));
        let record = read(b"> #1 <\n  name: t\nstatus: \xE2\x97\x8F NORMAL\ncheckpoint[global]: 2024-12-26 11:10:37.101 +0000; gap=17h38m58s");
        assert!(record.field("x-behind").is_some());
    }
}
