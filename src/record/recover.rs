//! Damaged text back to records. Each transformation is small and named; clean text never comes here.

use super::look::find_header;
use super::{Kind, Record, body, escape, foreign, json, prefix};
use crate::units::{Timestamp, parse_naive, parse_offset};
use aho_corasick::{AhoCorasick, MatchKind};
use std::borrow::Cow;
use std::sync::LazyLock;

/// Reads any record that is not clean.
pub(super) fn read(raw: &[u8], kind: Kind) -> Record<'static> {
    if kind == Kind::StatusJson {
        return json::read_status(raw);
    }
    let text = undo(raw, kind);
    if kind == Kind::Json
        && let Some(record) = json::read(text.trim_ascii_start())
    {
        return record;
    }
    let stripped = if matches!(kind, Kind::Header | Kind::Json | Kind::Clean) {
        prefix::Inner::default()
    } else {
        prefix::strip(&text)
    };
    let outer = prefix::strip(&text).time;
    let mut record = match kind {
        Kind::Foreign | Kind::Os => foreign::read(prefix::trim_marks(&text[stripped.at..]), kind),
        Kind::Console | Kind::Banner | Kind::Panic | Kind::Report => plain(&text[stripped.at..], kind),
        _ => Record { kind, ..inner(&text) },
    };
    if record.time.is_none() && kind != Kind::Fragment {
        record.time = outer;
    }
    record
}

/// Reads a record out of text: from its header where there is one, else from what there is.
pub(super) fn inner(text: &[u8]) -> Record<'static> {
    let Some(at) = find_header(text, true) else { return headless(text) };
    let record = &text[at..];
    let close = memchr::memchr(b']', record).unwrap_or(record.len() - 1);
    let stamp = &record[1..close];
    let mut found = from_body(&record[close + 1..], record);
    if let Some((naive, rest)) = parse_naive(stamp) {
        let zone = parse_offset(rest);
        found.time = Some(Timestamp(naive - zone.unwrap_or(0) * 60_000));
        found.time_is_local = zone.is_none();
        found.zone_minutes = zone.map(|zone| zone as i32);
    }
    found
}

/// A header without time, or no header at all.
fn headless(text: &[u8]) -> Record<'static> {
    let inner = prefix::strip(text);
    let text = prefix::trim_marks(&text[inner.at..]);
    let mut record = from_body(text, text);
    if !record.has_message
        && let Some(end) = memchr::memmem::find(text, b"\"] [").filter(|end| !text[..*end].contains(&b'['))
    {
        // `message"] [key=value]`: the head is lost in the middle of the message.
        record.message = Cow::Owned(
            escape::unescape(text[..end].trim_ascii_start().strip_prefix(b"\"").unwrap_or(&text[..end])).into_owned(),
        );
    }
    record
}

fn from_body(text: &[u8], whole: &[u8]) -> Record<'static> {
    // RocksDB: `[2][WARN] [db/column_family.cc:805] [default] text`, text without brackets.
    let mut body = body::parse(text);
    let mut record = Record::default();
    let bare_tail = tail(text);
    if body.fields.is_empty() && !bare_tail.is_empty() {
        let rest = foreign::skip_words(text, &mut record);
        record.level = body.level.or_else(|| level_in(text));
        if record.caller.is_empty() {
            record.caller = Cow::Owned(body.caller.to_vec());
        }
        record.message = Cow::Owned(escape::unescape(rest.trim_ascii()).into_owned());
        record.has_message = true;
    } else {
        record.level = body.level.or_else(|| level_in(text));
        record.caller = Cow::Owned(body.caller.to_vec());
        record.has_message = body.has_message && (body.level.is_some() || !body.caller.is_empty());
        record.message = Cow::Owned(std::mem::take(&mut body.message).into_owned());
        record.fields = body
            .fields
            .into_iter()
            .map(|field| body::Field {
                key: Cow::Owned(field.key.into_owned()),
                value: Cow::Owned(field.value.into_owned()),
            })
            .collect();
    }
    record.text = Cow::Owned(escape::unescape(whole).into_owned());
    record
}

/// A level among the first brackets.
fn level_in(text: &[u8]) -> Option<crate::units::Level> {
    let head = &text[..text.len().min(64)];
    head.split(|byte| b"[] \\".contains(byte))
        .filter(|word| !word.is_empty())
        .take(3)
        .find_map(crate::units::Level::parse)
}

/// The text behind the last bracket that belongs to the head.
fn tail(text: &[u8]) -> &[u8] {
    let mut rest = text.trim_ascii();
    while let Some(inner) = rest.strip_prefix(b"[") {
        let Some(end) = memchr::memchr(b']', inner) else { return &[] };
        rest = inner[end + 1..].trim_ascii_start();
    }
    if rest.starts_with(b"[") { &[] } else { rest }
}

/// A message without header: the first line is the message.
fn plain(text: &[u8], kind: Kind) -> Record<'static> {
    let text = prefix::trim_marks(text);
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let message = if kind == Kind::Console { text.strip_prefix(b"Error: ").unwrap_or(text) } else { first };
    Record {
        message: Cow::Owned(message.trim_ascii().to_vec()),
        has_message: false,
        text: Cow::Owned(escape::unescape(text).into_owned()),
        kind,
        ..Record::default()
    }
}

/// Signs that a copy did something to a record that still has its clean header.
pub(super) fn is_damaged(raw: &[u8]) -> bool {
    static SIGNS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let signs: [&[u8]; 7] = [b"](http", b"&quot;", b"&#34;", b"[\"\"", b"\xE2\x80\x9C", b"\xE2\x80\x9D", b"\\["];
        AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(signs).ok()
    });
    memchr::memchr2(b'\n', b'\x1b', raw).is_some()
        || is_escaped(raw)
        || SIGNS.as_ref().is_some_and(|signs| signs.is_match(raw))
}

/// Whether the whole record is escaped one level too far, as in a copy out of a JSON text: then its first quote is.
fn is_escaped(text: &[u8]) -> bool {
    memchr::memchr(b'"', text).is_some_and(|at| text[..at].ends_with(b"[\\") || text[..at].ends_with(b"=\\"))
}

/// Undoes what terminals, chats, tables and editors do to text, in the order in which they can have done it.
fn undo(raw: &[u8], kind: Kind) -> Vec<u8> {
    let mut text = without_colour(raw).into_owned();
    if memchr::memchr(b'\n', &text).is_some() {
        text =
            if matches!(kind, Kind::Clean | Kind::Header | Kind::Json) { joined(&text) } else { without_marks(&text) };
    }
    let steps: [(&[u8], fn(&[u8]) -> Vec<u8>); 6] = [
        (b"\xC2\xA0", |text| replace(text, &[(b"\xC2\xA0", b" ")])),
        (b"&", entities),
        (b"](http", links),
        (b"\\[", backslashes),
        (b"\xE2\x80", typographic),
        (b"\"\"", doubled),
    ];
    for (sign, step) in steps {
        if memchr::memmem::find(&text, sign).is_some() {
            text = step(&text);
        }
    }
    if is_escaped(&text) {
        text = super::escape::unescape(&text).into_owned();
    }
    text
}

/// Takes colours and other terminal sequences out.
pub(super) fn without_colour(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\x1b', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\x1b', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(sequence) = rest.strip_prefix(b"[") {
            let length = sequence.iter().take(32).take_while(|byte| !(0x40..=0x7E).contains(*byte)).count();
            rest = sequence.get(length + 1..).unwrap_or_default();
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// Joins the lines of a record that a terminal broke: all but the last then have one width, and nothing was put between.
/// A container's prefix on the further lines goes; other lines keep their line ends.
fn joined(text: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> =
        text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    let (last, full) = lines.split_last().map_or((&[][..], &[][..]), |(last, full)| (*last, full));
    let width = |line: &[u8]| String::from_utf8_lossy(line).chars().count();
    let widest = full.iter().map(|line| width(line)).max().unwrap_or(0);
    // A copy may have trimmed a blank at a line's end.
    let wrapped = widest >= 40 && full.iter().all(|line| widest - width(line) <= 2) && width(last) <= widest;
    let mut out = Vec::with_capacity(text.len());
    for (at, line) in lines.iter().enumerate() {
        let inner = if at > 0 { prefix::strip(line) } else { prefix::Inner::default() };
        if at > 0 && !wrapped && inner.time.is_none() {
            out.push(b'\n');
        }
        out.extend_from_slice(&line[inner.at..]);
    }
    out
}

fn without_marks(text: &[u8]) -> Vec<u8> {
    let quoted = text.split(|byte| *byte == b'\n').skip(1).all(|line| line.starts_with(b">"));
    if !quoted {
        return text.to_vec();
    }
    let lines: Vec<&[u8]> = text
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_prefix(b"> ").or(line.strip_prefix(b">")).unwrap_or(line))
        .collect();
    lines.join(&b'\n')
}

fn entities(text: &[u8]) -> Vec<u8> {
    replace(
        text,
        &[(b"&quot;", b"\""), (b"&#34;", b"\""), (b"&#39;", b"'"), (b"&lt;", b"<"), (b"&gt;", b">"), (b"&amp;", b"&")],
    )
}

fn typographic(text: &[u8]) -> Vec<u8> {
    replace(text, &[("\u{201C}".as_bytes(), b"\""), ("\u{201D}".as_bytes(), b"\"")])
}

/// `\[INFO] \[a.go:1] \["x\\"y"]`: a Markdown editor put a backslash before each bracket, and doubled those there were.
fn backslashes(text: &[u8]) -> Vec<u8> {
    let trimmed = prefix::trim_marks(text);
    if !trimmed.starts_with(b"\\[") && memchr::memmem::find(text, b" \\[").is_none() {
        return text.to_vec();
    }
    replace(text, &[(b"\\[", b"["), (b"\\]", b"]"), (b"\\_", b"_"), (b"\\*", b"*"), (b"\\\\", b"\\")])
}

/// `[text](http://text/)`, as web editors make of addresses and file names.
fn links(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, b"](http") {
        let Some(close) = memchr::memchr(b')', &rest[at..]) else { break };
        // The label begins at the bracket that the closing one belongs to: labels may hold brackets of their own.
        let (mut depth, mut open) = (0i32, None);
        for (index, byte) in rest[..at].iter().enumerate().rev().take(512) {
            match byte {
                b']' => depth += 1,
                b'[' if depth == 0 => {
                    open = Some(index);
                    break;
                }
                b'[' => depth -= 1,
                _ => {}
            }
        }
        match open {
            Some(open) => {
                out.extend_from_slice(&rest[..open]);
                out.extend_from_slice(&rest[open + 1..at]);
            }
            None => out.extend_from_slice(&rest[..at]),
        }
        rest = &rest[at + close + 1..];
    }
    out.extend_from_slice(rest);
    out
}

/// `[""text""]`, as spreadsheets export quotes.
fn doubled(text: &[u8]) -> Vec<u8> {
    // An escaped quote at the end of a value, `\""]`, and an empty value, `=""]`, are no doubled quotes.
    let is_doubled = memchr::memmem::find_iter(text, b"\"\"").any(|at| {
        let before = at.checked_sub(1).map_or(b'[', |before| text[before]);
        match (before, text.get(at + 2)) {
            (b'\\', _) | (b'=', Some(b']')) => false,
            (b'[' | b'=', _) | (_, Some(b']')) => true,
            _ => false,
        }
    });
    if !is_doubled {
        return text.to_vec();
    }
    replace(text, &[(b"\\\"", b"\\\""), (b"\"\"", b"\"")])
}

fn replace(text: &[u8], pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    'text: while !rest.is_empty() {
        for (from, to) in pairs {
            if let Some(after) = rest.strip_prefix(*from) {
                out.extend_from_slice(to);
                rest = after;
                continue 'text;
            }
        }
        out.push(rest[0]);
        rest = &rest[1..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: &str = r#"[2022/07/25 14:54:44.467 +00:00] [WARN] [endpoint.rs:209] ["fatal error"] [err="say \"x\""] [region_id=94812]"#;

    fn same(damaged: &str) {
        let want = Record::clean(CLEAN.as_bytes());
        let got = read(damaged.as_bytes(), Kind::Header);
        assert_eq!(
            (got.time, got.level, &got.caller, &got.message),
            (want.time, want.level, &want.caller, &want.message),
            "{damaged}"
        );
        assert_eq!(got.fields, want.fields, "{damaged}");
    }

    #[test]
    fn each_damage_is_undone() {
        same(&format!("> {CLEAN}"));
        same(&format!("tikv.log:12:{CLEAN}"));
        same(&format!("| {CLEAN}"));
        same(&format!("\u{1b}[33m{CLEAN}\u{1b}[0m"));
        same(&CLEAN.replace('"', "&quot;"));
        same(&CLEAN.replace('\\', "\\\\").replace('"', "\\\""));
        same(&CLEAN.replace(' ', "\u{a0}"));
        same(&CLEAN.replace("endpoint.rs:209", "[endpoint.rs:209](http://endpoint.rs:209/)"));
        same(&CLEAN.replace("\"fatal error\"", "\u{201C}fatal error\u{201D}"));
        same(&CLEAN.replace('\\', "\\\\").replace('[', "\\["));
        same(&CLEAN.replace("\\\"", "\u{1}").replace('"', "\"\"").replace('\u{1}', "\\\""));
        let (head, tail) = CLEAN.split_at(72);
        same(&format!("{head}\n{tail}"));
    }

    #[test]
    fn fragments_give_what_they_have() {
        let got = read(br#""download file failed"] [region="{ID=7,x}"] [error="rpc"]"#, Kind::Fragment);
        assert_eq!(&*got.message, b"download file failed");
        assert_eq!(got.field("region").map(|f| f.value.to_vec()), Some(b"{ID=7,x}".to_vec()));
        let got = read(br#"    [WARN] [session.go:446] ["commit failed"] [conn=1]"#, Kind::Header);
        assert_eq!((&*got.message, got.level), (&b"commit failed"[..], Some(crate::units::Level::Warn)));
    }

    #[test]
    fn rocksdb_text_follows_the_brackets() {
        let got = read(b"[2022/04/30 07:16:11.145 +08:00][2][WARN] [db/column_family.cc:805] [default] Stalling writes because we have 23", Kind::Header);
        assert_eq!(got.level, Some(crate::units::Level::Warn));
        assert_eq!(String::from_utf8_lossy(&got.message), "[default] Stalling writes because we have 23");
    }
}
