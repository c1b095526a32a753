//! `br log status` on a screen: a table of right-aligned keys, its values wrapped at the terminal's width.

use super::body::Field;
use super::console::{flat_status, status_key};
use super::prefix::trim_marks;
use super::{Kind, Record};
use crate::units::{Timestamp, parse_naive, parse_offset};
use std::borrow::Cow;

/// A checkpoint this far behind is late, though the status says NORMAL: BR itself prints such a gap in red.
const LATE_SECONDS: i64 = 600;

/// Reads a task, from its `> #N <` line on, or from a later line where a copy has cut that off.
pub(super) fn read(raw: &[u8]) -> Record<'static> {
    let pairs = unwrap(raw);
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

/// The moment at the start of a value, as `2022-07-25 14:54:44.467 +0000; gap=11h23m35s` or RFC 3339.
pub(crate) fn moment(value: &str) -> Option<Timestamp> {
    let (naive, rest) = parse_naive(value.as_bytes())?;
    Some(Timestamp(naive - parse_offset(rest)? * 60_000))
}

/// The `gap=` of a value, in seconds.
pub(crate) fn gap_seconds(value: &str) -> Option<i64> {
    let text = value.split("gap=").nth(1)?.trim();
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
    any.then_some(sign * total as i64)
}

/// Keys and values with the wrapping undone: continuation lines begin with exactly as many blanks as the values'
/// column, and are joined without adding one.
fn unwrap(raw: &[u8]) -> Vec<(String, String)> {
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut column = None;
    let flat;
    let raw = if is_flat(raw) {
        flat = unflatten(raw);
        &flat[..]
    } else {
        raw
    };
    let first = raw.split(|byte| *byte == b'\n').next().unwrap_or_default();
    // A copy that begins in the middle may have lost its first line's indent.
    let cut = status_key(first).is_some() && first.first() != Some(&b' ');
    for (number, line) in raw.split(|byte| *byte == b'\n').enumerate().skip(usize::from(status_key(first).is_none())) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = if line.starts_with(b"> ") || line.starts_with(b"| ") { trim_marks_once(line) } else { line };
        let plain = super::plain::plain(line);
        let line = &*plain;
        match status_key(line) {
            Some((key, value)) if is_key_line(line, key, column) => {
                let at = line.len() - value.len();
                if !(value.is_empty() || cut && number == 0) {
                    column = column.or(Some(at));
                }
                pairs.push((key.to_vec(), value.to_vec()));
            }
            _ => {
                let Some((_, value)) = pairs.last_mut() else { continue };
                if is_elision(line) {
                    continue;
                }
                let indent = line.iter().take_while(|byte| **byte == b' ').count();
                let cut = column.map_or(0, |column| column.min(indent));
                value.extend_from_slice(&line[cut..]);
            }
        }
    }
    pairs.into_iter().map(|(key, value)| (text(&key), clean(&text(&value)))).collect()
}

/// Whether keys stand behind the `> #N <`, on its line.
fn is_flat(raw: &[u8]) -> bool {
    let first = raw.split(|byte| *byte == b'\n').next().unwrap_or_default();
    flat_status(first) == Some(0)
}

/// Each key of a joined screen on a line of its own.
fn unflatten(raw: &[u8]) -> Vec<u8> {
    let mut lines = raw.to_vec();
    let mut in_message = false;
    for at in 0..lines.len() {
        if lines[at] != b' ' || !lines.get(at + 1).is_some_and(u8::is_ascii_lowercase) {
            continue;
        }
        let rest = &lines[at + 1..];
        let end = rest.iter().take(64).position(|byte| *byte == b':').unwrap_or(0);
        if rest.get(end + 1) != Some(&b' ') || status_key(&rest[..=end]).is_none() {
            continue;
        }
        // Messages may hold words that look like keys.
        let of_store = rest[..end].ends_with(b"]");
        if of_store || !in_message {
            in_message = rest.starts_with(b"error-message[");
            lines[at] = b'\n';
        }
    }
    lines
}

/// Wrapped text may look like a key; a key's colon stands in the table's own column, unless the copy lost the indent.
fn is_key_line(line: &[u8], key: &[u8], column: Option<usize>) -> bool {
    let Some(column) = column else { return true };
    let indent = line.iter().take_while(|byte| **byte == b' ').count();
    indent + key.len() + 2 == column || indent + key.len() + 1 == line.len() || indent == 0 || key.len() + 2 >= column
}

fn is_elision(line: &[u8]) -> bool {
    let text = trim_marks(line).trim_ascii();
    text.starts_with(b"<..") || text.starts_with(b"...")
}

fn trim_marks_once(line: &[u8]) -> &[u8] {
    &line[2..]
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
    fn gaps_and_late_checkpoints() {
        assert_eq!(gap_seconds("x; gap=11h31m29s"), Some(41_489));
        assert_eq!(gap_seconds("x; gap=-3s"), Some(-3));
        let record = read(b"> #1 <\n  name: t\nstatus: \xE2\x97\x8F NORMAL\ncheckpoint[global]: 2024-12-26 11:10:37.101 +0000; gap=17h38m58s");
        assert!(record.field("x-behind").is_some());
    }
}
