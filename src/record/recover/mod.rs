//! Damaged text back to records. Each transformation is small and named; clean text never comes here.

mod brackets;
pub(super) mod joint;
mod lines;
mod markup;
mod quotes;

pub(super) use markup::undo as unmarked_up;
pub(super) use quotes::halved;

use super::plain::plain;
use super::tools::command;
use super::{Kind, Record, RowWriter, body, escape, foreign, header, json, look, prefix};
use crate::search::AnyOf;
use aho_corasick::{AhoCorasick, MatchKind};
use header::Header;
use lines::Breaks;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Reads any record that is not clean.
pub(super) fn read(raw: &[u8], kind: Kind) -> Record<'static> {
    if kind == Kind::StatusJson {
        return json::read_status(&lines::unmarked(raw));
    }
    if kind == Kind::Json
        && raw.contains(&b'\n')
        && let Some(record) = json::read(&lines::unmarked(raw), MOST_LAYERS)
    {
        return record;
    }
    let first = plain(raw.split(|byte| *byte == b'\n').next().unwrap_or_default());
    let outer = prefix::strip(&first);
    let breaks = match kind {
        Kind::Clean | Kind::Header | Kind::Json | Kind::Console | Kind::Row => Breaks::Foreign,
        _ => Breaks::Own,
    };
    let text = lines::joined(raw, breaks);
    let record = match kind {
        Kind::Foreign if brackets::mended(&text).is_some() => Record { kind, ..inner(&text, MOST_LAYERS) },
        Kind::Foreign | Kind::Os => foreign::read(&text[prefix::strip(&text).at..], kind),
        Kind::Command => command::read(&text[prefix::strip(&text).at..]),
        Kind::Console | Kind::Banner | Kind::Panic | Kind::Report => {
            message_only(&text[prefix::strip(&text).at..], kind)
        }
        _ => Record { kind, ..inner(&text, MOST_LAYERS) },
    };
    with_outer(record, outer)
}

/// A record in a string of JSON in a table in a chat: so many layers are taken off.
const MOST_LAYERS: usize = 3;

/// Reads a record that stands in a string of its own, with damage of its own.
pub(super) fn nested(text: &[u8], layers: usize) -> Record<'static> {
    inner(&lines::joined(text, Breaks::Foreign), layers)
}

/// What a prefix says counts where the record itself says nothing.
fn with_outer(mut record: Record<'static>, outer: prefix::Inner<'_>) -> Record<'static> {
    if record.time.is_none() {
        record.time = outer.time.or(outer.local).or(outer.shown);
        record.time_is_local = outer.time.is_none() && record.time.is_some();
    }
    record.level = record.level.or(outer.level);
    record.writer = record.writer.or_else(|| outer.writer.map(RowWriter::from));
    record
}

/// Reads a record out of text of one line: from its header where there is one, else from what there is.
fn inner(text: &[u8], layers: usize) -> Record<'static> {
    if quotes::is_all_doubled(text) && layers > 0 {
        return inner(&quotes::halved(text), layers - 1);
    }
    let prefix = prefix::strip(text);
    let body = &text[prefix.at..];
    if layers > 0 && body.first() == Some(&b'{') {
        let object = if body.starts_with(b"{\"\"") {
            Cow::Owned(quotes::single(body))
        } else {
            quotes::undo(body, quotes::opens(&text[..prefix.at]))
        };
        if let Some(record) = json::read(&object, layers - 1) {
            return with_outer(record, prefix);
        }
    }
    let mended = brackets::mended(text);
    let text = mended.as_deref().unwrap_or(text);
    // What a viewer took the time out of has no header; one further behind is quoted.
    let found = header::find(text).filter(|header| prefix.local.is_none() || header.start <= prefix.at);
    let start = found.map_or(prefix.at, |header| header.start);
    let before = &text[..start];
    let mut content = quotes::undo(&text[start..], quotes::opens(before));
    let has_marks = |text: &[u8]| memchr::memchr2(b'\n', 0x1b, text).is_some();
    if has_marks(&content) && !has_marks(text) {
        // The string of JSON had lines or colours.
        content = Cow::Owned(lines::joined(&content, Breaks::Foreign).into_owned());
    }
    let is_row = before.contains(&b'|') || prefix::bar(before.trim_ascii_start()).is_some();
    if is_row && let Some(row) = prefix::without_end_bar(&content, None) {
        // A table's row ends with a bar.
        content = Cow::Owned(row.to_vec());
    }
    let mut found = found.map(|header| Header { body: header.body - start, ..header });
    if found.is_some()
        && let Some(mended) = brackets::mended(&content)
    {
        found = header::find(&mended);
        content = Cow::Owned(mended);
    }
    let Some(header) = found else {
        let tail = if layers > 0 { json::read_tail(&content, layers - 1) } else { None };
        return with_outer(tail.unwrap_or_else(|| headless(&content)), prefix);
    };
    // The quotes of what stands before level and caller do not change.
    let mut record = from_body(&content, header.body);
    if let Some((time, zone)) = header.time {
        record.time = Some(time);
        record.time_is_local = zone.is_none();
        record.zone_minutes = zone;
    }
    with_outer(record, prefix)
}

/// Terminals that break lines are as wide at least.
const WRAPPED: usize = 60;

/// No header at all.
fn headless(text: &[u8]) -> Record<'static> {
    let marked;
    let last = |wanted: u8| text.iter().rposition(|byte| *byte == wanted);
    let is_cut = (text.len() >= WRAPPED && !text.contains(&b']')) || last(b'(') > last(b')');
    let text = if is_cut && text.last().is_some_and(u8::is_ascii_digit) {
        // A terminal may have broken it there, within a number.
        marked = [text, b"..."].concat();
        &marked
    } else {
        text
    };
    let mut record = from_body(text, 0);
    if look::begins_with_region(text) {
        // What stands in brackets is the tag of its message.
        record.message = Cow::Owned(escape::unescape(text.trim_ascii()).into_owned());
        record.has_message = true;
        return record;
    }
    if !record.has_message
        && let Some(end) = memchr::memmem::find(text, b"\"] [").filter(|end| !text[..*end].contains(&b'['))
    {
        // `message"] [key=value]`: the head is lost in the middle of the message.
        let message = text[..end].trim_ascii_start();
        record.message = Cow::Owned(escape::unescape(message.strip_prefix(b"\"").unwrap_or(message)).into_owned());
    }
    if !record.has_message
        && let Some(cell) = cell_of(text, &record.message)
    {
        record.message = Cow::Owned(escape::unescape(cell).into_owned());
    }
    record
}

/// The cell of a table's row in which a code in brackets stands: it is followed by what it means.
fn cell_of<'t>(text: &'t [u8], code: &[u8]) -> Option<&'t [u8]> {
    if code.is_empty() || memchr::memchr_iter(b'|', text).count() < 3 {
        return None;
    }
    let at = memchr::memmem::find(text, code)?;
    let start = memchr::memrchr(b'|', &text[..at]).map_or(0, |bar| bar + 1);
    let end = memchr::memchr(b'|', &text[at..]).map_or(text.len(), |bar| at + bar);
    Some(text[start..end].trim_ascii())
}

/// Reads level, caller, message and fields, which begin at `at`.
fn from_body(whole: &[u8], at: usize) -> Record<'static> {
    let mut whole = whole;
    let mut body = body::parse(&whole[at..]);
    if let Some(end) = body.end {
        // Another record that has lost its header is glued on.
        whole = &whole[..at + end];
    }
    let marked;
    if body.is_cut {
        // What was cut in the middle of a number or code is none: dots say so to whoever looks for one.
        let dots = |byte: &u8| b".\xE2\x80\xA6".contains(byte);
        let kept = &whole[..whole.len() - whole.iter().rev().take_while(|byte| dots(byte)).count()];
        let in_word = kept.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || b":_".contains(byte));
        marked = [kept, if in_word { b"..." } else { &b""[..] }].concat();
        whole = &marked;
        body = body::parse(&whole[at..]);
    }
    let text = &whole[at..];
    let mut record = Record { level: body.level.or_else(|| level_in(text)), ..Record::default() };
    let bare_tail = tail(text);
    let has_head = body.level.is_some() || !body.caller.is_empty();
    if has_head
        && body.fields.is_empty()
        && !body.is_quoted
        && bare_tail.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
    {
        // RocksDB: `[2][WARN] [db/column_family.cc:805] [default] text`, text without brackets.
        let rest = foreign::skip_words(text, &mut record);
        if record.caller.is_empty() {
            record.caller = Cow::Owned(body.caller.to_vec());
        }
        record.message = Cow::Owned(escape::unescape(rest.trim_ascii()).into_owned());
        record.has_message = true;
    } else {
        record.caller = Cow::Owned(body.caller.to_vec());
        record.has_message = body.has_message && (has_head || body.is_first);
        record.message = Cow::Owned(std::mem::take(&mut body.message).into_owned());
        record.fields = body.fields.into_iter().map(body::Field::into_owned).collect();
    }
    record.text = Cow::Owned(escape::unescape(whole).into_owned());
    record
}

/// A level among the first words: in brackets however it is spelled, else in capitals, since `error` begins sentences too.
fn level_in(text: &[u8]) -> Option<crate::units::Level> {
    let head = &text[..text.len().min(64)];
    let is_sure = |word: &&[u8]| {
        let start = word.as_ptr().addr() - text.as_ptr().addr();
        word.iter().all(u8::is_ascii_uppercase) || (start > 0 && text[start - 1] == b'[')
    };
    head.split(|byte| b"[] \\".contains(byte))
        .filter(|word| !word.is_empty())
        .take(3)
        .filter(is_sure)
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
fn message_only(text: &[u8], kind: Kind) -> Record<'static> {
    let text = prefix::trim_marks(text);
    let text = text.strip_suffix(b"`").filter(|code| !code.contains(&b'`')).unwrap_or(text);
    // What ends a string of a log viewer.
    let text = text.strip_suffix(b"\\n\"").unwrap_or(text);
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
        let signs: [&[u8]; 14] = [
            b"](http",
            b"&quot;",
            b"&#34;",
            b"[\"\"",
            b"=\"\"",
            b"] [\\\"",
            b"\\[",
            b"[0m",
            b"\xC2\xA0",
            b"\xE2\x80\x8B",
            b"\xE2\x80\x9C",
            b"\xE2\x80\x9D",
            b"\xE3\x80\x80",
            b"\xEF\xBB\xBF",
        ];
        AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(signs).ok()
    });
    let lost_quotes = || memchr::memchr(b'\\', raw).is_some() && memchr::memchr(b'"', raw).is_none();
    lost_quotes()
        || (may_be_damaged(raw)
            && (memchr::memchr2(b'\n', b'\x1b', raw).is_some()
                || SIGNS.as_ref().is_some_and(|signs| signs.is_match(raw))))
}

/// Whether one of those signs may be there: odd bytes, counted without short cuts so that vectors do it, or a pair.
fn may_be_damaged(raw: &[u8]) -> bool {
    static PAIRS: LazyLock<AnyOf> = LazyLock::new(|| AnyOf::new(&["](", "\"\"", "[\\", "\\[", "[0"]));
    let is_odd = raw.iter().fold(0, |any, byte| any | u8::from(!(b' '..0x80).contains(byte)) | u8::from(*byte == b'&'));
    is_odd != 0 || PAIRS.is_in(raw)
}

/// The text with every occurrence of the first parts replaced; at one position the first pair that fits wins.
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
    fn a_number_at_the_end_of_open_brackets_may_be_cut() {
        let text = |line: &str| String::from_utf8_lossy(&read(line.as_bytes(), Kind::Fragment).text).into_owned();
        assert_eq!(text("napshot (region_id = 94"), "napshot (region_id = 94...");
        assert_eq!(text("(a) snapshot of region 94"), "(a) snapshot of region 94");
    }

    #[test]
    fn what_stood_on_a_terminal_is_read_without_the_backticks_around_it() {
        let message = |line: &str| String::from_utf8_lossy(&read(line.as_bytes(), Kind::Console).message).into_owned();
        assert_eq!(message("`Error: no such task`"), "no such task");
        assert_eq!(message("Error: no such task`"), "no such task");
        assert_eq!(message("it ended with `Error: no such task`"), "no such task");
        assert_eq!(message("Error: no table `a`"), "no table `a`");
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
    fn what_stands_around_an_object_counts_where_it_says_nothing() {
        let own = r#"[apply.rs:17] [\"it is gone\"] [region_id=7]"#;
        for (line, time, is_local) in [
            (format!(r#"2022-07-25 14:54:44.467 | {{,"log":"{own}","level":"WARN"}} |  "#), "2022-07-25T14:54:44.467Z", true),
            (format!(r#"2022-07-25 14:54:44.467 | {{"log":"{own}","level":"WARN"}}"#), "2022-07-25T14:54:44.467Z", true),
            (format!(r#"tc-tikv-0: [2022/07/25 22:54:44.467 +08:00] {{"level":"WARN","log":"{own}"}}"#), "2022-07-25T14:54:44.467Z", false),
            (
                r#"2022-07-25T14:54:44.467Z,a-1,tikv,"{""level"":""WARN"",""message"":""it is gone"",""region_id"":7}""#.to_owned(),
                "2022-07-25T14:54:44.467Z",
                false,
            ),
        ] {
            let kind = match super::super::look(line.as_bytes()) {
                super::super::Look::Start(kind, 0) => kind,
                other => panic!("{other:?}: {line}"),
            };
            let got = read(line.as_bytes(), kind);
            assert_eq!((&*got.message, got.level), (&b"it is gone"[..], Some(crate::units::Level::Warn)), "{line}");
            assert_eq!((got.time.map(|time| time.to_string()).as_deref(), got.time_is_local), (Some(time), is_local), "{line}");
            assert_eq!(got.field("region_id").map(|f| f.value.to_vec()), Some(b"7".to_vec()), "{line}");
        }
        let own = format!("2022-07-25 22:54:44 | {CLEAN}");
        same(&own);
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
