//! The unified log format as components write it: `[yyyy/MM/dd HH:mm:ss.SSS +hh:mm] [LEVEL] [file:line] ["message"] [key=value]`.
//!
//! The header has a fixed width, so that the level stands at a fixed offset: what makes the scan fast.

use super::{Kind, Record, body, escape};
use crate::units::{Level, Timestamp};
use std::borrow::Cow;

/// Bytes of `[time] [`: where the level word of a clean record begins.
pub const CLEAN_HEADER: usize = 34;

/// The fixed header; a zero stands for any byte.
const HEADER: &[u8; CLEAN_HEADER] = b"[2\0\0\0/\0\0/\0\0 \0\0:\0\0:\0\0.\0\0\0 \0\0\0:\0\0] [";

/// Whether a line starts with the fixed header, up to the level word. Called for every line: a test without short cuts, so
/// that vectors do it.
#[inline]
pub fn is_clean(line: &[u8]) -> bool {
    let Some(head) = line.first_chunk::<{ CLEAN_HEADER + 2 }>() else { return false };
    let differs = |(byte, want): (&u8, &u8)| u8::from(*want != 0) & u8::from(byte != want);
    let any = head.iter().zip(HEADER).fold(0, |any, pair| any | differs(pair));
    any == 0 && head[CLEAN_HEADER].is_ascii_uppercase() && head[CLEAN_HEADER + 1].is_ascii_uppercase()
}

/// The level of a clean record.
#[inline]
pub fn clean_level(line: &[u8]) -> Option<Level> {
    let word = line.get(CLEAN_HEADER..)?;
    let end = word.iter().take(9).position(|byte| *byte == b']')?;
    Level::parse(&word[..end])
}

/// The time of a clean record, in UTC, and its offset in minutes.
#[inline]
pub fn clean_time(line: &[u8]) -> Option<(Timestamp, i32)> {
    let head = line.first_chunk::<32>()?;
    let two = |at: usize| -> Option<i64> {
        let (tens, ones) = (head[at].wrapping_sub(b'0'), head[at + 1].wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
    };
    let year = two(1)? * 100 + two(3)?;
    let milli = two(21)? * 10 + i64::from(head[23].checked_sub(b'0').filter(|digit| *digit < 10)?);
    let minutes = two(26)? * 60 + two(29)?;
    let offset = match head[25] {
        b'+' => minutes,
        b'-' => -minutes,
        _ => return None,
    };
    let clock = (two(12)?, two(15)?, two(18)?, milli);
    let time = Timestamp::from_civil((year, two(6)?, two(9)?), clock, offset)?;
    Some((time, offset as i32))
}

/// Where the message of a clean record starts (behind its quote, if it has one), found without reading further than the caller.
#[inline]
pub fn clean_message(line: &[u8]) -> Option<&[u8]> {
    let mut rest = line.get(CLEAN_HEADER..)?;
    let level_end = rest.iter().take(9).position(|byte| *byte == b']')?;
    rest = rest.get(level_end + 1..)?.strip_prefix(b" [")?;
    // The caller; a named logger of Go may stand before it.
    for _ in 0..2 {
        let end = memchr::memchr(b']', rest.get(..rest.len().min(96))?)?;
        let part = &rest[..end];
        rest = rest[end + 1..].strip_prefix(b" [")?;
        if body::is_caller(part) {
            break;
        }
    }
    Some(rest.strip_prefix(b"\"").unwrap_or(rest))
}

/// Reads a clean record. What does not follow the grammar behind the header is left to `recover`.
pub(super) fn read(raw: &[u8]) -> Record<'_> {
    let Some((time, offset)) = clean_time(raw) else { return super::recover::read(raw, Kind::Header) };
    let rest = &raw[CLEAN_HEADER - 1..];
    let text = escape::unescape(raw);
    let body = body::parse(rest);
    if !body.is_sound || super::recover::is_damaged(raw) {
        return super::recover::read(raw, Kind::Header);
    }
    Record {
        time: Some(time),
        time_is_local: false,
        zone_minutes: Some(offset),
        level: body.level,
        caller: Cow::Borrowed(body.caller),
        message: body.message,
        has_message: true,
        fields: body.fields,
        text,
        kind: Kind::Clean,
        writer: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = br#"[2022/07/25 14:54:44.467 +00:00] [WARN] [endpoint.rs:209] ["fatal error reporting"] [err="a \"b\" [c]"] [region_id=94812]"#;

    #[test]
    fn reads_header_message_and_fields() {
        assert!(is_clean(LINE));
        let record = Record::clean(LINE);
        assert_eq!(record.time.map(|t| t.to_string()).as_deref(), Some("2022-07-25T14:54:44.467Z"));
        assert_eq!(record.level, Some(Level::Warn));
        assert_eq!(&*record.caller, b"endpoint.rs");
        assert_eq!(&*record.message, b"fatal error reporting");
        assert_eq!(record.field("err").map(|f| f.value.to_vec()), Some(br#"a "b" [c]"#.to_vec()));
        assert_eq!(record.field("region_id").map(|f| f.value.to_vec()), Some(b"94812".to_vec()));
    }

    #[test]
    fn message_is_found_without_parsing() {
        assert_eq!(clean_message(LINE).map(|m| &m[..11]), Some(&b"fatal error"[..]));
        let bare = b"[2022/07/25 14:54:44.467 +00:00] [INFO] [version.go:34] [BR] [release-version=v4.0.4]";
        assert_eq!(clean_message(bare).map(|m| &m[..2]), Some(&b"BR"[..]));
        let logger = b"[2022/07/25 14:54:44.467 +00:00] [INFO] [log] [version.go:34] [\"hello\"]";
        assert_eq!(clean_message(logger).map(|m| &m[..5]), Some(&b"hello"[..]));
    }

    #[test]
    fn offsets_are_taken_off() {
        let line = b"[2024/01/10 11:27:07.280 -08:00] [INFO] [compact.rs:236] [x]";
        let (time, offset) = clean_time(line).unwrap();
        assert_eq!((time.to_string().as_str(), offset), ("2024-01-10T19:27:07.280Z", -480));
    }
}
