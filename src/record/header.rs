//! Where a record's header stands in a line, however the copy spelled it and whatever it lost.

use super::body::is_caller;
use super::prefix;
use crate::units::{Level, Timestamp, parse_naive, parse_offset};

/// A header that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Where it starts.
    pub(super) start: usize,
    /// Where level or caller begin.
    pub(super) body: usize,
    /// When, and the offset in minutes, if the header has one.
    pub(super) time: Option<(Timestamp, Option<i32>)>,
}

/// A record's head in plain text: a whole header anywhere, or at the start (behind prefixes) one that lost a part.
pub(super) fn find(text: &[u8]) -> Option<Header> {
    whole(text, true).or_else(|| at_start(text)).or_else(|| levelled(text))
}

/// `[yyyy/MM/dd HH:mm:ss.SSS +hh:mm]` and what belongs behind it. Only the first of a line may stand in quotes (a
/// container's, a table's); a later one in quotes is text inside a value.
pub(super) fn whole(text: &[u8], first: bool) -> Option<Header> {
    static OPEN: std::sync::LazyLock<memchr::memmem::Finder<'static>> =
        std::sync::LazyLock::new(|| memchr::memmem::Finder::new(b"[20"));
    let mut first = first;
    for at in OPEN.find_iter(text) {
        let Some(header) = stamped(text, at, at + 1) else { continue };
        if first || !is_quoted(&text[..at]) || opens_bare(&text[header.body..]) {
            return Some(header);
        }
        first = false;
    }
    None
}

/// Whether a quote opens at the end of a text: one behind a word or bracket closes what stands there.
fn is_quoted(before: &[u8]) -> bool {
    let Some(mut before) = before.strip_suffix(b"\\").unwrap_or(before).strip_suffix(b"\"") else { return false };
    while let Some(shorter) = before.strip_suffix(b"\\") {
        before = shorter;
    }
    !before.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || b")}]".contains(byte))
}

/// Whether the first quote behind a header opens a message or value and is not escaped, as it is where the whole record is quoted.
fn opens_bare(body: &[u8]) -> bool {
    let quote = memchr::memchr(b'"', &body[..body.len().min(256)]);
    quote.is_some_and(|at| at > 0 && b"[=".contains(&body[at - 1]))
}

/// Whether a whole header may be in a text: a test without short cuts, so that vectors do it. Called for every line.
#[inline]
pub(super) fn may_be_in(text: &[u8]) -> bool {
    let (second, third) = (text.get(1..).unwrap_or_default(), text.get(2..).unwrap_or_default());
    let begins = |((a, b), c): ((&u8, &u8), &u8)| u8::from(*a == b'[') & u8::from(*b == b'2') & u8::from(*c == b'0');
    text.iter().zip(second).zip(third).fold(0, |any, three| any | begins(three)) != 0
}

/// A time at `digits` with its closing bracket and what belongs behind it.
fn stamped(text: &[u8], start: usize, digits: usize) -> Option<Header> {
    let stamp = text.get(digits..text.len().min(digits + 64))?;
    let (naive, rest) = parse_naive(stamp)?;
    let zone = parse_offset(rest);
    let between = rest.iter().take_while(|byte| byte.is_ascii_digit() || b" +-:Zz\\".contains(byte)).count();
    // The closing bracket may be lost.
    let close = match rest.get(between)? {
        b']' => between + 1,
        b'[' if zone.is_some() => between,
        _ => return None,
    };
    let body = digits + stamp.len() - rest.len() + close;
    begins_body(&text[body..]).then(|| Header {
        start,
        body,
        time: Some((Timestamp(naive - zone.unwrap_or(0) * 60_000), zone.map(|zone| zone as i32))),
    })
}

/// Whether level, caller or a quoted message come next. Copies may have lost blanks or put a thread id between.
fn begins_body(text: &[u8]) -> bool {
    let Some(mut inner) = open(text) else {
        // `INFO] [a.rs:1]`: the level's bracket is lost.
        let text = text.trim_ascii_start();
        return level_end(text).is_some_and(|end| text[end..].starts_with(b"] ["));
    };
    // RocksDB prints a thread number before the level.
    let digits = inner.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && inner[digits..].starts_with(b"][") {
        inner = &inner[digits + 2..];
    }
    is_level(inner) || caller_end(inner).is_some() || is_quote(inner)
}

/// What stands behind the bracket that comes next.
fn open(text: &[u8]) -> Option<&[u8]> {
    let text = text.trim_ascii_start();
    text.strip_prefix(b"\\").unwrap_or(text).strip_prefix(b"[")
}

/// `WARN]` behind a bracket.
fn is_level(inner: &[u8]) -> bool {
    level_end(inner).is_some()
}

fn level_end(inner: &[u8]) -> Option<usize> {
    let end = inner.iter().take(10).position(|byte| b"] ".contains(byte))?;
    if inner[end] == b' ' && inner.get(end + 1) != Some(&b'[') {
        return None;
    }
    let word = &inner[..end];
    Level::parse(word.strip_suffix(b"\\").unwrap_or(word)).map(|_| end)
}

/// `endpoint.rs:209]` behind a bracket, also as a link.
fn caller_end(inner: &[u8]) -> Option<usize> {
    let skipped = usize::from(inner.first() == Some(&b'['));
    let end = inner.iter().take(96).position(|byte| *byte == b']')?;
    let word = inner.get(skipped..end)?;
    let word = word.strip_suffix(b"\\").unwrap_or(word);
    let is_one = is_caller(word) || (word.contains(&b'\\') && is_caller(&without_backslashes(word)));
    is_one.then_some(end)
}

fn without_backslashes(word: &[u8]) -> Vec<u8> {
    word.iter().copied().filter(|byte| *byte != b'\\').collect()
}

fn is_quote(inner: &[u8]) -> bool {
    [&b"\""[..], b"\\\"", b"\\\\\"", "\u{201c}".as_bytes(), b"&quot;", b"&#34;"]
        .iter()
        .any(|quote| inner.starts_with(quote))
}

/// At the start of the text or behind its prefixes: a header that lost its first bracket, the date, the time, or time and level.
fn at_start(text: &[u8]) -> Option<Header> {
    let at = prefix::strip(text).at;
    let rest = &text[at..];
    if rest.first().is_some_and(u8::is_ascii_digit) {
        if let Some(header) = stamped(text, at, at) {
            return Some(header);
        }
        // The end of a time: `54:44.467 +00:00] [WARN]`.
        let close = rest.iter().take(32).position(|byte| *byte == b']')?;
        let is_time = close > 5
            && rest[..close].iter().all(|byte| byte.is_ascii_digit() || b"/-: .,+TZ\\".contains(byte))
            && rest[..close].iter().any(|byte| b":.+".contains(byte));
        let inner = open(&rest[close + 1..])?;
        let body = at + close + 1;
        return (is_time && (is_level(inner) || caller_end(inner).is_some())).then_some(Header {
            start: at,
            body,
            time: None,
        });
    }
    if rest.starts_with(b"+") || rest.starts_with(b":") || rest.starts_with(b".") {
        let close = rest.iter().take(16).position(|byte| *byte == b']')?;
        let is_time = rest[..close].iter().all(|byte| byte.is_ascii_digit() || b": .,+-".contains(byte));
        let inner = open(&rest[close + 1..])?;
        return (is_time && is_level(inner)).then_some(Header { start: at, body: at + close + 1, time: None });
    }
    let inner = open(rest)?;
    (is_level(inner) || begins_levelled(inner)).then_some(Header { start: at, body: at, time: None })
}

fn is_link(text: &[u8]) -> bool {
    text.starts_with(b"](http")
}

/// `[WARN] [endpoint.rs:209]`, `[endpoint.rs:209] [` near the start of the text, behind something that no prefix is.
fn levelled(text: &[u8]) -> Option<Header> {
    let head = &text[..text.len().min(256)];
    memchr::memchr_iter(b'[', head).find_map(|at| {
        let inner = &text[at + 1..];
        begins_levelled(inner).then(|| {
            let start = if at > 0 && text[at - 1] == b'\\' { at - 1 } else { at };
            Header { start, body: start, time: None }
        })
    })
}

/// `WARN] [endpoint.rs:209]` or `endpoint.rs:209] [` behind a bracket.
fn begins_levelled(inner: &[u8]) -> bool {
    let caller =
        |inner: &[u8]| caller_end(inner).is_some_and(|end| open(&inner[end + 1..]).is_some() || is_link(&inner[end..]));
    match level_end(inner) {
        Some(end) => open(&inner[end + 1..]).is_some_and(|next| caller_end(next).is_some()),
        None => caller(inner),
    }
}

/// A header that the end of the line cut, anywhere before its message: `[2022/07/2`, `[time] [WARN]`, `[time] [WARN] [a.rs:1]`. Where
/// it starts.
pub(super) fn cut(text: &[u8]) -> Option<usize> {
    let at = memchr::memmem::rfind(text, b"[20")?;
    let inner = &text[at + 1..];
    let is_date = inner.len() >= 8
        && inner.iter().zip(b"dddd/dd/dd").all(|(byte, want)| match want {
            b'd' => byte.is_ascii_digit(),
            _ => b"/-".contains(byte),
        });
    if !is_date {
        return None;
    }
    let Some(close) = memchr::memchr(b']', inner) else {
        let clock = inner.get(10..).unwrap_or_default();
        return (inner.len() < 36 && clock.iter().all(|byte| byte.is_ascii_digit() || b" T:.,+-Z".contains(byte)))
            .then_some(at);
    };
    let (naive, zone) = parse_naive(inner)?;
    let is_time = naive > 0 && zone.len() + close >= inner.len() && close < 40;
    let mut rest = inner[close + 1..].trim_ascii();
    // A level and a caller may follow, and the start of one.
    for _ in 0..2 {
        let Some(next) = open(rest) else { break };
        match level_end(next).or_else(|| caller_end(next)) {
            Some(end) => rest = next[end + 1..].trim_ascii_start(),
            None => break,
        }
    }
    let is_start = rest.strip_prefix(b"[").is_some_and(|word| {
        word.len() < 48 && word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-:/".contains(byte))
    });
    (is_time && (rest.is_empty() || is_start)).then_some(at)
}

/// Whether a header begins a line only where the line before it does not end with a cut one: it is then that one's end.
pub(super) fn is_weak(text: &[u8]) -> bool {
    whole(text, true).is_none() && (at_start(text).is_some() || ends_offset(text))
}

/// `00] [WARN]`: so little of a time tells of none but behind a cut header.
fn ends_offset(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b':').count();
    let inner = text[digits..].strip_prefix(b"]").and_then(open);
    digits <= 5 && inner.is_some_and(|inner| is_level(inner) || caller_end(inner).is_some())
}

/// What begins behind a record on the same line, with nothing between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glued {
    /// A record with level or caller.
    Head(usize),
    /// A record that begins with its message.
    Message(usize),
}

/// The next record behind the one whose level and caller begin at `body`, where both have lost their times.
pub(super) fn glued(text: &[u8], body: usize) -> Option<Glued> {
    let rest = text.get(body..)?;
    let own = memchr::memchr_iter(b']', rest).take(2).last()?;
    memchr::memchr_iter(b']', rest).filter(|at| *at >= own).find_map(|at| {
        let after = &rest[at + 1..];
        // An editor's line number may stand between.
        let digits = after.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
        let gap = if digits > 0 && after.get(digits) == Some(&b' ') { digits + 1 } else { 0 };
        let inner = after[gap..].strip_prefix(b"[")?;
        let position = body + at + 1 + gap;
        if begins_levelled(inner) {
            return Some(Glued::Head(position));
        }
        let is_message = match inner.strip_prefix(b"\"") {
            Some(quoted) => quoted[memchr::memchr(b'"', quoted)?..].starts_with(b"\"] ["),
            None => is_bare_message(inner),
        };
        (at > own && is_message).then_some(Glued::Message(position))
    })
}

/// `error-response] [err=` behind a bracket.
fn is_bare_message(inner: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let word = inner.iter().take(64).take_while(|byte| is_word(byte)).count();
    let Some(next) = inner[word..].strip_prefix(b"] [") else { return false };
    let key = next.iter().take(48).take_while(|byte| is_word(byte)).count();
    word > 3 && inner[0].is_ascii_alphabetic() && !inner.starts_with(b"REDACTED") && next.get(key) == Some(&b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(&str, &str, Option<String>)> {
        let header = find(text.as_bytes())?;
        let time = header.time.map(|(time, _)| time.to_string());
        Some((&text[..header.start], &text[header.body..], time))
    }

    #[test]
    fn whole_headers_in_every_spelling() {
        for stamp in [
            "[2022/07/25 14:54:44.467 +00:00]",
            "[2022/07/25 14:54:44,467 +00:00]",
            "[2022-07-25T14:54:44.467Z]",
            "[2022/07/25T16:54:44.467 +02:00]",
            "2022/07/25 14:54:44.467 +00:00]",
        ] {
            for body in [
                " [WARN] [a.rs:1] [x]",
                "[warn][a.rs:1]",
                " \\[WARN] x",
                " [a.rs:1] [\"x\"]",
                " [\"x\"]",
                " [[a.rs:1](http://a.rs:1/)]",
            ] {
                let text = format!("{stamp}{body}");
                assert_eq!(found(&text), Some(("", body, Some("2022-07-25T14:54:44.467Z".to_owned()))), "{text}");
            }
        }
    }

    #[test]
    fn headers_that_lost_a_part() {
        for (text, before, body) in [
            ("54:44.467 +00:00] [WARN] [a.rs:1] [x]", "", " [WARN] [a.rs:1] [x]"),
            ("7 +00:00] [a.rs:1] [x]", "", " [a.rs:1] [x]"),
            ("[WARN] [a.rs:1] [x]", "", "[WARN] [a.rs:1] [x]"),
            ("[a.rs:1] [\"x\"]", "", "[a.rs:1] [\"x\"]"),
            ("  12 | [WARN] [a.rs:1] [x]", "  12 | ", "[WARN] [a.rs:1] [x]"),
            ("it said [WARN] [a.rs:1] [x]", "it said ", "[WARN] [a.rs:1] [x]"),
        ] {
            assert_eq!(found(text), Some((before, body, None)), "{text}");
        }
    }

    #[test]
    fn headers_that_the_line_end_cut() {
        for (text, start) in [
            ("[2022/07/25", Some(0)),
            ("x: [2022/07/25 14:54:4", Some(3)),
            ("[2022/07/25 14:54:44.467 +00:00]", Some(0)),
            ("[2022/07/25 14:54:44.467 +00:00] [WARN]", Some(0)),
            ("[2022/07/25 14:54:44.467 +00:00] [WARN] [endpoint.rs:209]", Some(0)),
            ("[2022/07/25 14:54:44.467 +00:00] [WARN] [endp", Some(0)),
            ("[2022/07/25 14:54:44.467 +00:00] [WARN] [endpoint.rs:209] [\"x", None),
            ("on [2022-07-25]", None),
            ("[20, 21", None),
        ] {
            assert_eq!(cut(text.as_bytes()), start, "{text}");
        }
    }

    #[test]
    fn the_end_of_a_cut_header_is_weak() {
        for text in ["44.467 +00:00] [WARN] [a.rs:1] [x]", "00] [WARN] [a.rs:1] [x]", ":00] [a.rs:1] [x]"] {
            assert!(is_weak(text.as_bytes()), "{text}");
        }
        for text in
            ["[2022/07/25 14:54:44.467 +00:00] [WARN] [a.rs:1] [x]", "00] [region_id=94812]", "00] x [WARN] [a.rs:1]"]
        {
            assert!(!is_weak(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_is_no_header() {
        for text in
            ["[2022/07/25 14:54:44.467 +00:00] and so on", "[a.rs:1]", "see [1] [2]", "12] [x]", "[x] [WARN] y", ""]
        {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_glued_header_is_found_and_a_quoted_one_is_not() {
        let glued = b"[size=1][2021/12/13 01:12:13.021 +08:00] [INFO] [ddl.go:384] [x]";
        assert_eq!(whole(glued, false).map(|header| header.start), Some(8));
        let quoted = br#"[err="[2021/12/13 01:12:13.021 +08:00] [INFO] [ddl.go:384]"]"#;
        assert_eq!(whole(quoted, false), None);
        let cut = br#"[err="[2021/12/13 01:12:13.021 +08:00] [INFO] [ddl.go:384] ["x"]"#;
        assert_eq!(whole(cut, false).map(|header| header.start), Some(6));
        let escaped = br#"[err="[2021/12/13 01:12:13.021 +08:00] [INFO] [ddl.go:384] [\"x\"]"]"#;
        assert_eq!(whole(escaped, false), None);
        let closed = b"it ended \"there\"[2022/07/25 14:54:44.467 +00:00] [WARN] [a.rs:1] [x]";
        assert_eq!(whole(closed, false).map(|header| header.start), Some(16));
    }
}
