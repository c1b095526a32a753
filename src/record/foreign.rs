//! Formats of older versions and other programs: TiKV 2.x and PD 2.x/3.0, RocksDB, klog, plain ISO times, the kernel.

use super::java::{self, Java};
use super::{Kind, Record, console};
use crate::units::{Level, MONTHS, Timestamp, parse_naive, parse_offset};
use std::borrow::Cow;

/// Whether a line starts with the time of such a format, or with klog's letter and date, or has lost its time.
pub(super) fn is_foreign(text: &[u8]) -> bool {
    head(text).is_some() || timeless(text).is_some() || without_time(text).is_some()
}

/// Level and message of the formats whose time has no year, or that have none.
fn without_time(text: &[u8]) -> Option<(Level, &[u8])> {
    klog(text).or_else(|| logrus(text)).or_else(|| glib(text)).or_else(|| terminal(text)).or_else(|| pod_event(text))
}

/// `Warning  BackOff  3m12s (x9 over 8m)  kubelet  text`: a row of the events that `kubectl describe pod` shows.
fn pod_event(text: &[u8]) -> Option<(Level, &[u8])> {
    let rest = text.strip_prefix(b"Warning")?;
    let event = rest.trim_ascii_start();
    let reason = event.iter().take(40).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let is_row = (rest.starts_with(b"  ") || rest.starts_with(b"\t")) && event.first()?.is_ascii_uppercase();
    let is_cell = matches!(event[reason..], [b' ', b' ', ..] | [b'\t', ..]);
    (is_row && is_cell).then_some((Level::Warn, event))
}

/// `Reason:       OOMKilled`: how a container ended, as `kubectl describe pod` says it.
pub(super) fn is_container_end(text: &[u8]) -> bool {
    text.strip_prefix(b"Reason:").is_some_and(|reason| reason.trim_ascii() == b"OOMKilled")
}

/// `May 28 15:55:46.101 ERRO text`: what TiKV 2.0 wrote on a terminal.
fn terminal(text: &[u8]) -> Option<(Level, &[u8])> {
    let fits = has_shape(text.get(..20)?, b"Xxx __ dd:dd:dd.ddd ");
    let rest = text.get(20..).filter(|_| fits)?;
    let end = rest.iter().take(9).position(|byte| *byte == b' ')?;
    Some((Level::parse(&rest[..end])?, &rest[end + 1..]))
}

/// Whether a text, as far as it goes, has a shape: `X` and `x` for letters, `d` for a digit, `_` for a digit or blank, else the byte itself.
fn has_shape(text: &[u8], shape: &[u8]) -> bool {
    text.iter().zip(shape).all(|(byte, want)| match want {
        b'X' => byte.is_ascii_uppercase(),
        b'x' => byte.is_ascii_lowercase(),
        b'd' => byte.is_ascii_digit(),
        b'_' => byte.is_ascii_digit() || *byte == b' ',
        _ => byte == want,
    })
}

/// Where a record of an old format stands in a line, behind prose or another record: its time, then level and source file.
pub(super) fn within(text: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'/', text).filter_map(|slash| slash.checked_sub(4)).find(|at| {
        let Some((_, rest)) = text[*at..].starts_with(b"20").then(|| parse_naive(&text[*at..])).flatten() else {
            return false;
        };
        rest.strip_prefix(b" ").is_some_and(|rest| timeless(rest).is_some())
    })
}

/// `ERRO[0013] text`: what logrus puts on a terminal, with the seconds since the program began.
fn logrus(text: &[u8]) -> Option<(Level, &[u8])> {
    let level = match text.get(..4)? {
        b"TRAC" => Level::Trace,
        b"DEBU" => Level::Debug,
        b"INFO" => Level::Info,
        b"WARN" => Level::Warn,
        b"ERRO" => Level::Error,
        b"FATA" | b"PANI" => Level::Fatal,
        _ => return None,
    };
    let inner = text[4..].strip_prefix(b"[")?;
    let digits = inner.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    let message = inner[digits..].strip_prefix(b"] ").filter(|_| digits >= 4)?;
    Some((level, message))
}

/// `** (mydumper:1): CRITICAL **: text`, `** Message: text`.
fn glib(text: &[u8]) -> Option<(Level, &[u8])> {
    let rest = text.strip_prefix(b"** ")?;
    if let Some(message) = rest.strip_prefix(b"Message: ") {
        return Some((Level::Info, message));
    }
    let end = memchr::memmem::find(rest.get(..rest.len().min(96))?, b" **: ")?;
    let word = rest[..end].rsplit(|byte| *byte == b' ').next()?;
    Some((Level::parse(word)?, &rest[end + 5..]))
}

/// `ERRO panic_hook.rs:104: text`, `restore.go:700: [warning] text`: the same without its time.
fn timeless(text: &[u8]) -> Option<Level> {
    let mut words = text.get(..text.len().min(120))?.split(|byte| *byte == b' ');
    let (first, second) = (words.next()?, words.next()?);
    let is_file = |word: &[u8]| word.strip_suffix(b":").is_some_and(super::body::is_caller);
    let level = if is_file(second) {
        Some(first).filter(|word| word.iter().all(u8::is_ascii_uppercase))
    } else {
        second.strip_prefix(b"[").and_then(|word| word.strip_suffix(b"]")).filter(|_| is_file(first))
    };
    Level::parse(level?)
}

/// `[12345.678901] text`, `[Mon Mar 14 16:55:03 2022] text`: the kernel's ring buffer.
pub(super) fn is_kernel(text: &[u8]) -> bool {
    kernel(text).is_some()
}

/// Its time, which has no offset, where it says the date; and the text.
fn kernel(text: &[u8]) -> Option<(Option<Timestamp>, &[u8])> {
    let text = match text {
        [b'<', digit, b'>', rest @ ..] if digit.is_ascii_digit() => rest,
        _ => text,
    };
    let inner = text.strip_prefix(b"[")?;
    let end = inner.iter().take(48).position(|byte| *byte == b']')?;
    let stamp = inner[..end].trim_ascii();
    let seconds = stamp.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') && stamp.contains(&b'.');
    // The names of day and month are those of the machine's language.
    let clock = stamp.len().checked_sub(13).map_or(&b""[..], |at| &stamp[at..]);
    let date = has_shape(clock, b"dd:dd:dd dddd") && stamp.len() > 16 && !stamp[0].is_ascii_digit();
    (seconds || date).then(|| (ctime(stamp), inner[end + 1..].trim_ascii_start()))
}

/// `Mon Mar 14 16:55:03 2022`, and `一 3月 14 16:55:03 2022` of a Chinese or Japanese machine.
fn ctime(stamp: &[u8]) -> Option<Timestamp> {
    let mut words = std::str::from_utf8(stamp).ok()?.split_ascii_whitespace().rev();
    let year = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<i64>().ok());
    let clock = (clock.next()??, clock.next()??, clock.next()??, 0);
    let day = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = match month.strip_suffix('\u{6708}') {
        Some(number) => number.parse().ok()?,
        None => MONTHS.iter().position(|name| *name == month)? as i64 + 1,
    };
    Timestamp::from_civil((year, month, day), clock, 0)
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
    if let Some(head) = short_year(text) {
        return Some(head);
    }
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
    if is_inner_time(tail) || is_listed_file(tail) {
        return None;
    }
    let level = tail
        .get(..tail.len().min(80))?
        .split(|byte| b" \t[]<>:".contains(byte))
        .filter(|word| !word.is_empty())
        .take(5)
        .find_map(Level::parse);
    Some(Head { time: Timestamp(naive - zone.unwrap_or(0) * 60_000), zone, level, rest: at })
}

/// `19/12/10 06:31:59`: Spark's time, in front of its form only.
fn short_year(text: &[u8]) -> Option<Head> {
    const LENGTH: usize = "19/12/10 06:31:59".len();
    let stamp = text.get(..LENGTH).filter(|stamp| has_shape(stamp, b"dd/dd/dd dd:dd:dd"))?;
    let java = java::spark(&text[LENGTH..])?;
    let (naive, _) = parse_naive(&[b"20", stamp].concat())?;
    Some(Head { time: Timestamp(naive), zone: None, level: Some(java.level), rest: LENGTH })
}

/// Whether behind a time stand a size and a name alone: a row of what `aws s3 ls` lists.
fn is_listed_file(tail: &[u8]) -> bool {
    let mut words = tail.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let (size, name) = (words.next().unwrap_or_default(), words.next());
    tail.starts_with(b"  ") && name.is_some() && words.next().is_none() && size.iter().all(u8::is_ascii_digit)
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

/// Whether a text begins as klog's records do.
pub(crate) fn is_klog(text: &[u8]) -> bool {
    klog(text).is_some()
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
    if let Some((level, message)) = without_time(text) {
        record.level = Some(level);
        rest = message;
    } else if let Some(head) = head(text) {
        record.time = Some(head.time);
        record.time_is_local = head.zone.is_none();
        record.zone_minutes = head.zone.map(|zone| zone as i32);
        record.level = head.level;
        let behind = &text[head.rest..];
        rest = match java::logback(behind).or_else(|| java::spark(behind).filter(|_| short_year(text).is_some())) {
            Some(Java { level, class, message }) => {
                record.level = Some(level);
                record.caller = Cow::Owned(class.to_vec());
                message
            }
            None => skip_words(behind, &mut record),
        };
    } else if let Some(level) = timeless(text) {
        record.level = Some(level);
        rest = skip_words(text, &mut record);
    } else if let Some((time, message)) = kernel(text) {
        record.time = time;
        record.time_is_local = time.is_some();
        rest = message;
    }
    let rest = rest.trim_ascii();
    // The end of a quotation that began before the time.
    let closes = |quote: &&u8| rest.iter().filter(|byte| byte == quote).count() % 2 == 1 && b"`\"".contains(quote);
    let rest = rest.last().filter(closes).map_or(rest, |_| &rest[..rest.len() - 1]);
    record.message = Cow::Owned(rest.to_vec());
    record
}

/// Takes thread, level and source file off the front.
pub(super) fn skip_words<'t>(text: &'t [u8], record: &mut Record<'static>) -> &'t [u8] {
    let mut rest = text;
    let mut has_level = false;
    for _ in 0..5 {
        let trimmed = rest.trim_ascii_start();
        let trimmed = trimmed.strip_prefix(b"]").map_or(trimmed, |rest| rest.trim_ascii_start());
        // What a client says of a statement begins with a level, but its number is no thread's.
        if console::is_refusal(trimmed) {
            return trimmed;
        }
        let (open, stop): (bool, &[u8]) = match trimmed.first() {
            Some(b'[') => (true, b"]"),
            Some(b'<') if !trimmed.starts_with(b"<unknown>:") => (true, b">"),
            _ => (false, b" \t"),
        };
        let body = &trimmed[usize::from(open)..];
        let Some(end) = body.iter().take(64).position(|byte| stop.contains(byte)) else { return trimmed };
        let word = body[..end].trim_ascii();
        let bare = word.strip_suffix(b":").unwrap_or(word);
        let is_thread = !bare.is_empty() && bare.iter().all(u8::is_ascii_hexdigit) && (open || bare.len() > 3);
        let is_level = !has_level && Level::parse(bare).is_some();
        has_level |= is_level;
        // TiKV v2.1 does not know the file of a message of raft.
        let is_file = super::body::is_caller(bare) || bare.starts_with(b"<unknown>:");
        if is_file {
            let end = memchr::memrchr(b':', bare).unwrap_or(bare.len());
            let name = bare[..end].rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            record.caller = Cow::Owned(name.to_vec());
        }
        // `raft.rs:582 - INFO  - text`.
        let is_dash = word == b"-" && (has_level || !record.caller.is_empty());
        if !(is_thread || is_level || is_file || is_dash) {
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
            (
                "[2025-03-14T06:35:06.127Z] ERROR 1146 (42S02) at line 1: Table 'app.t' doesn't exist",
                Some(Level::Error),
                "ERROR 1146 (42S02) at line 1: Table 'app.t' doesn't exist",
            ),
            ("2016-08-25 14:07:36,250 snap.rs:199 - ERROR - it failed: x", Some(Level::Error), "it failed: x"),
            ("E0725 14:54:44.467123       1 leader.go:12] lost lease", Some(Level::Error), "lost lease"),
            (
                "2021.07.23 14:48:26.763526 [ 831 ] <Error> DB::KVStore: region 2331 lost",
                Some(Level::Error),
                "DB::KVStore: region 2331 lost",
            ),
            (
                "2021.07.23 14:48:26.763526 [ 1 ] <Information> Application: Ready",
                Some(Level::Info),
                "Application: Ready",
            ),
            (
                "2021-10-18T19:06:27.337Z\tINFO\tpkg/tikv.go:226\tFATAL: it returned error 9005",
                Some(Level::Info),
                "FATAL: it returned error 9005",
            ),
            (
                "2022-07-25T14:54:44.467+0800\tERROR\tpd 10.0.1.1:2379 failed",
                Some(Level::Error),
                "pd 10.0.1.1:2379 failed",
            ),
            ("2022-07-25T14:54:44.467+0800    WARN    it is slow", Some(Level::Warn), "it is slow"),
            (
                "Warning  BackOff  3m (x9 over 8m)  kubelet  Back-off restarting failed container",
                Some(Level::Warn),
                "BackOff  3m (x9 over 8m)  kubelet  Back-off restarting failed container",
            ),
            ("** (mydumper:1): CRITICAL **: it could not read", Some(Level::Fatal), "it could not read"),
            ("May 28 15:55:46.101 ERRO fail to request: x", Some(Level::Error), "fail to request: x"),
            ("ERRO[0013] [pd] it is away", Some(Level::Error), "[pd] it is away"),
            (
                "2019/08/13 03:27:49.382 INFO <unknown>:719: [region 94812] 94815 became follower",
                Some(Level::Info),
                "[region 94812] 94815 became follower",
            ),
            ("** Message: it is empty", Some(Level::Info), "it is empty"),
            ("ERRO panic_hook.rs:104: thread 'x' panicked", Some(Level::Error), "thread 'x' panicked"),
            ("restore.go:700: [warning] it is slow", Some(Level::Warn), "it is slow"),
            ("[\u{4e00} 7\u{6708} 25 14:54:44 2022] Out of memory", None, "Out of memory"),
            ("[lun. juil. 25 14:54:44 2022] Out of memory", None, "Out of memory"),
            ("[1203456.789012] Out of memory: Killed process 4242", None, "Out of memory: Killed process 4242"),
        ] {
            assert!(is_foreign(line.as_bytes()) || is_kernel(line.as_bytes()), "{line}");
            let record = read(line.as_bytes(), Kind::Foreign);
            assert_eq!(record.level, level, "{line}");
            assert_eq!(String::from_utf8_lossy(&record.message), message, "{line}");
        }
        let time = |line: &str| read(line.as_bytes(), Kind::Os).time.map(|time| time.to_string());
        for line in
            ["[\u{4e00} 7\u{6708} 25 14:54:44 2022] x", "[Mon Jul 25 14:54:44 2022] x", "[Mon Jul  25 14:54:44 2022] x"]
        {
            assert_eq!(time(line).as_deref(), Some("2022-07-25T14:54:44.000Z"), "{line}");
        }
        assert_eq!(time("[1203456.789012] x"), None);
        let within = |text: &str| super::within(text.as_bytes());
        assert_eq!(within("it says: 2019/08/13 03:27:49.382 INFO mod.rs:26: it started"), Some(9));
        assert_eq!(within("x2019/04/26 08:33:43.385 log.go:80: [warning] it is slow"), Some(1));
        assert_eq!(within("it was on 2019/08/13 03:27:49.382 in a/b/mod.rs"), None);
        assert!(is_container_end(b"Reason:       OOMKilled") && !is_container_end(b"Reason:       Completed"));
        assert!(!is_foreign(b"Warning: it is slow") && !is_foreign(b"Warning  it is slow"));
        assert!(!is_foreign(b"2022-07-25 is a date"));
        assert!(!is_foreign(b"2022-07-25 14:54:41.800 +0000 UTC m=+3600.1, startAt:0001"));
    }
}
