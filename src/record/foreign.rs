//! Formats of older versions and other programs: TiKV 2.x and PD 2.x/3.0, RocksDB, klog, plain ISO times, the kernel.

use super::{Kind, Record};
use crate::units::{Level, Timestamp, parse_naive, parse_offset};
use std::borrow::Cow;

/// Whether a line starts with the time of such a format, or with klog's letter and date.
pub(super) fn is_foreign(text: &[u8]) -> bool {
    head(text).is_some() || klog(text).is_some()
}

/// `[12345.678901] text`, `[Mon Mar 14 16:55:03 2022] text`: the kernel's ring buffer.
pub(super) fn is_kernel(text: &[u8]) -> bool {
    kernel(text).is_some()
}

fn kernel(text: &[u8]) -> Option<&[u8]> {
    let text = match text {
        [b'<', digit, b'>', rest @ ..] if digit.is_ascii_digit() => rest,
        _ => text,
    };
    let inner = text.strip_prefix(b"[")?;
    let end = inner.iter().take(32).position(|byte| *byte == b']')?;
    let stamp = inner[..end].trim_ascii();
    let seconds = stamp.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') && stamp.contains(&b'.');
    let date =
        stamp.len() == 24 && stamp.iter().filter(|byte| **byte == b':').count() == 2 && stamp[0].is_ascii_uppercase();
    (seconds || date).then(|| inner[end + 1..].trim_ascii_start())
}

struct Head {
    time: Timestamp,
    zone: Option<i64>,
    level: Option<Level>,
    rest: usize,
}

/// A time, perhaps an offset, then words among which may be a thread, a level and a source file.
fn head(text: &[u8]) -> Option<Head> {
    let open = usize::from(text.first() == Some(&b'['));
    let dashed;
    let stamp = text.get(open..)?;
    // RocksDB puts a dash between date and clock.
    let stamp = if stamp.get(10) == Some(&b'-') {
        let mut copy = stamp.get(..stamp.len().min(40))?.to_vec();
        copy[10] = b' ';
        dashed = copy;
        &dashed[..]
    } else {
        stamp
    };
    let (naive, rest) = parse_naive(stamp)?;
    let used = stamp.len() - rest.len();
    let zone = parse_offset(rest);
    let mut at = open + used;
    if zone.is_some() {
        let tail = &text[at..];
        let blank = usize::from(tail.first() == Some(&b' '));
        let length = match tail.get(blank) {
            Some(b'Z' | b'z') => 1,
            _ => tail[blank..].iter().take_while(|byte| byte.is_ascii_digit() || b"+-:".contains(byte)).count(),
        };
        at += blank + length;
    }
    let tail = &text[at..];
    if !matches!(tail.first(), Some(b' ' | b'\t' | b']' | b':')) {
        return None;
    }
    if is_inner_time(tail) {
        return None;
    }
    let level = tail
        .get(..tail.len().min(80))?
        .split(|byte| b" \t[]:".contains(byte))
        .filter(|word| !word.is_empty())
        .take(5)
        .find_map(Level::parse);
    Some(Head { time: Timestamp(naive - zone.unwrap_or(0) * 60_000), zone, level, rest: at })
}

/// Whether a time goes on as Go prints it within values, ` UTC m=+3600.1`, ` +0000 UTC)`: then a terminal broke the line before it.
fn is_inner_time(tail: &[u8]) -> bool {
    let Some(zone) = tail.strip_prefix(b" ") else { return false };
    let letters = zone.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    let rest = &zone[letters..];
    let clock = rest.strip_prefix(b" m=").map_or(rest, |clock| {
        let digits = clock.iter().take(40).take_while(|byte| byte.is_ascii_digit() || b"+-.".contains(byte)).count();
        &clock[digits..]
    });
    letters >= 3 && matches!(clock.first(), None | Some(b',' | b')' | b'"' | b'\\'))
}

/// `E0725 14:54:44.467123   1 file.go:12] text`.
fn klog(text: &[u8]) -> Option<(Level, &[u8])> {
    let level = match text.first()? {
        b'I' => Level::Info,
        b'W' => Level::Warn,
        b'E' => Level::Error,
        b'F' => Level::Fatal,
        _ => return None,
    };
    let head = text.get(1..21)?;
    let fits = head
        .iter()
        .zip(b"dddd dd:dd:dd.dddddd")
        .all(|(byte, want)| if *want == b'd' { byte.is_ascii_digit() } else { byte == want });
    let end = memchr::memmem::find(text.get(..text.len().min(160))?, b"] ")?;
    fits.then(|| (level, &text[end + 2..]))
}

/// Reads such a record; the text is what is left behind time, level and file.
pub(super) fn read(text: &[u8], kind: Kind) -> Record<'static> {
    let mut record = Record { text: Cow::Owned(text.to_vec()), kind, has_message: true, ..Record::default() };
    let mut rest = text;
    if let Some((level, message)) = klog(text) {
        record.level = Some(level);
        rest = message;
    } else if let Some(head) = head(text) {
        record.time = Some(head.time);
        record.time_is_local = head.zone.is_none();
        record.zone_minutes = head.zone.map(|zone| zone as i32);
        record.level = head.level;
        rest = skip_words(&text[head.rest..], &mut record);
    } else if let Some(message) = kernel(text) {
        rest = message;
    }
    record.message = Cow::Owned(rest.trim_ascii().to_vec());
    record
}

/// Takes thread, level and source file off the front.
pub(super) fn skip_words<'t>(text: &'t [u8], record: &mut Record<'static>) -> &'t [u8] {
    let mut rest = text;
    for _ in 0..5 {
        let trimmed = rest.trim_ascii_start();
        let trimmed = trimmed.strip_prefix(b"]").map_or(trimmed, |rest| rest.trim_ascii_start());
        let open = trimmed.first() == Some(&b'[');
        let body = &trimmed[usize::from(open)..];
        let stop: &[u8] = if open { b"]" } else { b" \t" };
        let Some(end) = body.iter().take(64).position(|byte| stop.contains(byte)) else { return trimmed };
        let word = &body[..end];
        let bare = word.strip_suffix(b":").unwrap_or(word);
        let is_thread = !bare.is_empty() && bare.iter().all(u8::is_ascii_hexdigit) && (open || bare.len() > 3);
        let is_level = Level::parse(bare).is_some();
        let is_file = super::body::is_caller(bare);
        if is_file {
            let end = memchr::memrchr(b':', bare).unwrap_or(bare.len());
            let name = bare[..end].rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            record.caller = Cow::Owned(name.to_vec());
        }
        if !(is_thread || is_level || is_file) {
            return trimmed;
        }
        rest = &body[end + usize::from(open)..];
    }
    rest.trim_ascii_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_other_programs() {
        for (line, level, message) in [
            ("2019/08/13 03:27:49.382 INFO mod.rs:26: it started", Some(Level::Info), "it started"),
            (
                "2019/04/26 08:33:43.385 log.go:80: [warning] clock offset: 4.6s",
                Some(Level::Warn),
                "clock offset: 4.6s",
            ),
            (
                "2022/04/30-07:16:11.145823 7f8a1b2c [WARN] [db/column_family.cc:805] [default] Stalling writes",
                Some(Level::Warn),
                "[default] Stalling writes",
            ),
            ("E0725 14:54:44.467123       1 leader.go:12] lost lease", Some(Level::Error), "lost lease"),
            ("[1203456.789012] Out of memory: Killed process 4242", None, "Out of memory: Killed process 4242"),
        ] {
            assert!(is_foreign(line.as_bytes()) || is_kernel(line.as_bytes()), "{line}");
            let record = read(line.as_bytes(), Kind::Foreign);
            assert_eq!(record.level, level, "{line}");
            assert_eq!(String::from_utf8_lossy(&record.message), message, "{line}");
        }
        assert!(!is_foreign(b"2022-07-25 is a date"));
        assert!(!is_foreign(b"2022-07-25 14:54:41.800 +0000 UTC m=+3600.1, startAt:0001"));
    }
}
