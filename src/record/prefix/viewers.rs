//! Prefixes of log viewers.

use super::{Inner, writer};
use crate::units::{Level, Timestamp, parse_naive, parse_offset};

/// `2026-06-03 15:39:43 | text`, as Grafana and Loki export it, and with a tab, perhaps before `log="text"`. Its time has no
/// offset: it is one only for a record without.
pub(super) fn viewer(text: &[u8]) -> Option<Inner<'_>> {
    let (naive, rest) = parse_naive(text)?;
    let inner = match rest.strip_prefix(b"\t") {
        Some(inner) => {
            let word = inner.split(|byte| b"\t |".contains(byte)).next()?;
            // A level in the next column is of a format of its own.
            Level::parse(word).is_none().then(|| inner.strip_prefix(b"log=\"").unwrap_or(inner))?
        }
        None => rest.trim_ascii_start().strip_prefix(b"|")?.trim_ascii_start(),
    };
    Some(Inner { at: text.len() - inner.len(), shown: Some(Timestamp(naive)), ..Inner::default() })
}

/// `tc-tikv-0: [2022/07/25 14:54:44.467 +00:00] {"log":"text"}`: the time of a record that stands in an object, perhaps behind a name.
pub(super) fn stamped_object(text: &[u8]) -> Option<Inner<'_>> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._/-".contains(byte);
    let name = text.iter().take(80).take_while(|byte| is_name(byte)).count();
    let rest = if name > 0 { text[name..].strip_prefix(b": ")? } else { text };
    let (naive, rest) = parse_naive(rest.strip_prefix(b"[")?)?;
    let offset = parse_offset(rest)?;
    let end = rest.iter().take(12).position(|byte| *byte == b']')?;
    let inner = rest[end + 1..].trim_ascii_start();
    let time = Some(Timestamp(naive - offset * 60_000));
    inner.starts_with(b"{").then(|| Inner { at: text.len() - inner.len(), time, ..Inner::default() })
}

/// `2022-07-25T14:54:44.467Z,host,tikv,"{""log"":""text""}"`: cells of a table before an object in one.
pub(super) fn object_cell(text: &[u8]) -> Option<Inner<'_>> {
    let at = memchr::memmem::find(&text[..text.len().min(256)], b",\"{\"\"")?;
    if memchr::memchr2(b'{', b'[', &text[..at]).is_some() {
        return None;
    }
    let first = text[..at].split(|byte| *byte == b',').next().unwrap_or_default();
    let first = first.strip_prefix(b"\"").unwrap_or(first);
    let found = parse_naive(first).map(|(naive, rest)| (naive, parse_offset(rest)));
    let (time, shown) = match found {
        Some((naive, Some(offset))) => (Some(Timestamp(naive - offset * 60_000)), None),
        Some((naive, None)) => (None, Some(Timestamp(naive))),
        None => (None, None),
    };
    Some(Inner { at: at + 2, time, shown, ..Inner::default() })
}

/// `Jul 25, 2022 @ 14:54:44.467`, `July 25th 2022, 14:54:44.467`, as Kibana shows times: the browser's, so none.
pub(super) fn kibana(text: &[u8]) -> Option<Inner<'_>> {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let letters = text.iter().take(10).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let rest = text[letters..].strip_prefix(b" ").filter(|_| letters > 2)?;
    let day = digits(rest);
    let rest = &rest[day..];
    let rest = [&b"st"[..], b"nd", b"rd", b"th"].iter().find_map(|end| rest.strip_prefix(*end)).unwrap_or(rest);
    let rest =
        rest.strip_prefix(b",").unwrap_or(rest).strip_prefix(b" ").filter(|rest| day > 0 && digits(rest) == 4)?;
    let rest = rest[4..].strip_prefix(b" @ ").or_else(|| rest[4..].strip_prefix(b", "))?;
    let clock = rest.iter().take(16).take_while(|byte| byte.is_ascii_digit() || b":.".contains(byte)).count();
    let inner = rest[clock..].trim_ascii_start();
    (clock >= 8 && inner.len() < rest.len() - clock).then(|| Inner { at: text.len() - inner.len(), ..Inner::default() })
}

/// `2022/07/25 14:54:44.467 | tikv | 10.0.1.11:20160 | WARN | text`, and the same with tabs: time, level and instance of a record
/// in columns of their own, as TiDB Dashboard and `information_schema.cluster_log` have them. The time is the record's own.
pub(super) fn columns(text: &[u8]) -> Option<Inner<'_>> {
    let (naive, rest) = parse_naive(text)?;
    let cells = rest;
    let mut rest = column(rest)?;
    let mut level = None;
    for turn in 0..4 {
        if rest.starts_with(b"[") || rest.starts_with(b"\\[") {
            // Without a level there must be an instance at least.
            level.is_some().then_some(()).or((turn > 1).then_some(()))?;
            break;
        }
        let end = rest.iter().take(120).position(|byte| b"\t|".contains(byte))?;
        level = level.or(Level::parse(rest[..end].trim_ascii()));
        rest = column(&rest[end..])?;
    }
    let writer = writer::of_cells(&cells[..cells.len() - rest.len()]);
    Some(Inner { at: text.len() - rest.len(), level, writer, local: Some(Timestamp(naive)), ..Inner::default() })
}

/// `2023-09-26 16:55:54 (UTC+08:00) TiKV tikv-8:20160 [errors.rs:176] ["text"]`, with tabs, blanks or nothing between: a row of
/// TiDB Dashboard's log search, perhaps with its level. The browser's offset stands there, so the time is one.
pub(super) fn search_row(text: &[u8]) -> Option<Inner<'_>> {
    let (naive, rest) = parse_naive(text)?;
    let rest = rest.strip_prefix(b" (UTC")?;
    let (zone, rest) = rest.split_at(memchr::memchr(b')', rest.get(..8)?)?);
    let offset = if zone.is_empty() { 0 } else { parse_offset(zone)? };
    let rest = &rest[1..];
    let end = rest.iter().take(160).position(|byte| *byte == b'[')?;
    let level = rest[..end].split(|byte| b" \t|".contains(byte)).find_map(Level::parse);
    let time = Some(Timestamp(naive - offset * 60_000));
    let writer = writer::of_cells(&rest[..end]);
    Some(Inner { at: text.len() - rest.len() + end, time, level, writer, ..Inner::default() })
}

/// What stands behind a column's end.
fn column(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let text = text.strip_prefix(b"\t").or_else(|| text.strip_prefix(b"|"))?;
    Some(text.trim_ascii_start())
}

/// `["1658760884467000000","text"]`, `"2022-07-25 14:54:44","tikv","text"`: a cell before the record's own.
pub(super) fn cell(text: &[u8]) -> Option<Inner<'_>> {
    let start = text.strip_prefix(b"[").unwrap_or(text);
    let mut rest = start.strip_prefix(b"\"")?;
    let mut time = None;
    for turn in 0..4 {
        let end = rest.iter().take(64).position(|byte| *byte == b'"')?;
        if turn == 0 {
            time = epoch(&rest[..end]);
            if time.is_none() && parse_naive(&rest[..end]).is_none() {
                return None;
            }
        }
        rest = rest[end + 1..].strip_prefix(b",\"").or_else(|| rest[end + 1..].strip_prefix(b", \""))?;
        if matches!(rest.first(), Some(b'[' | b'\\' | b'{')) {
            return Some(Inner { at: text.len() - rest.len(), time, ..Inner::default() });
        }
    }
    None
}

/// Nanoseconds, microseconds or milliseconds since the epoch, by the number of digits.
pub(in crate::record) fn epoch(digits: &[u8]) -> Option<Timestamp> {
    let scale = match digits.len() {
        13 => 1,
        16 => 1_000,
        19 => 1_000_000,
        _ => return None,
    };
    let value: i64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (digits[0].is_ascii_digit()).then_some(Timestamp(value / scale))
}
