//! What follows the time: `[LEVEL] [caller] [message] [key=value] ...`, read tolerantly.

use super::escape::unescape;
use crate::units::Level;
use std::borrow::Cow;

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// Name, unescaped.
    pub key: Cow<'a, [u8]>,
    /// Value, unescaped one level.
    pub value: Cow<'a, [u8]>,
}

impl Field<'_> {
    pub(super) fn into_owned(self) -> Field<'static> {
        Field { key: Cow::Owned(self.key.into_owned()), value: Cow::Owned(self.value.into_owned()) }
    }
}

/// The parts behind the time.
#[derive(Debug, Default)]
pub(super) struct Body<'a> {
    pub(super) level: Option<Level>,
    pub(super) caller: &'a [u8],
    pub(super) message: Cow<'a, [u8]>,
    pub(super) has_message: bool,
    /// Whether the message stood in quotes.
    pub(super) is_quoted: bool,
    /// Whether the message is the first bracket of the text.
    pub(super) is_first: bool,
    pub(super) fields: Vec<Field<'a>>,
    /// Whether all of it followed the grammar.
    pub(super) is_sound: bool,
    /// Whether the text ends inside a bracket.
    pub(super) is_cut: bool,
    /// Where another record's level, caller or message stands, which lost its own header.
    pub(super) end: Option<usize>,
}

/// Whether a bracket's content names a source file: `endpoint.rs:209`, `<unknown>`.
pub(super) fn is_caller(part: &[u8]) -> bool {
    if part == b"<unknown>" {
        return true;
    }
    let Some(colon) = memchr::memrchr(b':', part) else { return false };
    let (file, line) = (&part[..colon], &part[colon + 1..]);
    !line.is_empty()
        && line.iter().all(u8::is_ascii_digit)
        && memchr::memchr(b'.', file).is_some()
        && file.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(byte))
}

/// Whether a bracket's content is an error's code: `KV:LogBackup:RaftReq`, `types:1292`.
fn is_code(word: &[u8]) -> bool {
    word.contains(&b':') && word.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b':')
}

/// Whether a bracket's text goes on right behind it.
fn goes_on(rest: &[u8]) -> bool {
    rest.first().is_some_and(|byte| *byte != b'[' && !byte.is_ascii_whitespace())
}

/// Reads everything behind the time, from the first `[` on.
pub(super) fn parse(text: &[u8]) -> Body<'_> {
    let mut body = Body { is_sound: true, fields: Vec::with_capacity(8), ..Body::default() };
    let mut rest = text;
    let mut stage = 0;
    while let Some(start) = memchr::memchr(b'[', rest) {
        let junk = &rest[..start];
        if junk.iter().any(|byte| !byte.is_ascii_whitespace()) {
            let from = text.len() - rest.len();
            let ends = memchr::memmem::find(junk, b"\"]").map(|at| at + 2);
            let is_glued = || junk[0].is_ascii_alphabetic() && text[..from].ends_with(b"\"]");
            match ends {
                // The end of another record, whose start is lost.
                _ if (junk.contains(&b']') || is_glued()) && (!body.fields.is_empty() || body.is_quoted) => {
                    body.end = Some(from);
                    body.is_sound = false;
                    break;
                }
                Some(end) if from == 0 && memchr::memmem::find(&junk[end..], b"\"]").is_some() => {
                    body.end = Some(end);
                    body.is_sound = false;
                    break;
                }
                // A remark of whoever copied the record.
                _ => body.is_sound &= from == 0,
            }
        }
        let at_message = stage > 0 && !body.has_message && body.fields.is_empty();
        let Some((part, after)) = bracket(&rest[start..], at_message) else {
            body.is_sound = false;
            break;
        };
        let at = text.len() - rest.len() + start;
        rest = after;
        match part {
            Part::Bare(word) if stage == 3 && begins_another(word, !body.fields.is_empty(), rest) => {
                body.end = Some(at);
                body.is_sound = false;
                break;
            }
            Part::Quoted(_) if body.has_message && !body.fields.is_empty() => {
                body.end = Some(at);
                body.is_sound = false;
                break;
            }
            // RocksDB's thread.
            Part::Bare(word) if stage == 0 && word.iter().all(u8::is_ascii_digit) && rest.starts_with(b"[") => {}
            Part::Bare(word) if stage == 0 && Level::parse(word).is_some() => {
                body.level = Level::parse(word);
                stage = 1;
            }
            Part::Bare(word) if stage <= 1 && is_caller(word) => {
                body.caller = &word[..memchr::memrchr(b':', word).unwrap_or(word.len())];
                stage = 2;
            }
            // An error alone: `it failed: [Lightning:Restore:ErrRestoreTable]restore table failed`.
            Part::Bare(word) if stage == 0 && is_code(word) && goes_on(rest) => {
                // What is joined to it by a colon says more; a cell of a table does not.
                let is_chain = text[..at].ends_with(b": ") && memchr::memchr(b'|', &text[..at]).is_none();
                body.message = Cow::Borrowed(if is_chain { text } else { &text[at..] });
                body.has_message = true;
                break;
            }
            // A list of bytes or a range says nothing.
            Part::Bare(word)
                if stage == 0 && at > 0 && !word.iter().any(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80) => {}
            Part::Bare(word) if stage <= 2 && !body.has_message => {
                if stage <= 1 && next_is_caller(rest) {
                    continue; // A named logger.
                }
                // A level or caller whose bracket is lost.
                body.is_sound &= !(stage <= 1 && word.contains(&b'['));
                body.message = Cow::Borrowed(word);
                body.has_message = true;
                body.is_first = at == 0 && matches!(rest.trim_ascii_start().first(), None | Some(b'['));
                stage = 3;
            }
            Part::Quoted(word) if !body.has_message => {
                body.message = unescape(word);
                body.has_message = true;
                body.is_quoted = true;
                body.is_first = at == 0;
                stage = 3;
            }
            Part::Field(key, value) => {
                body.fields.push(Field { key, value });
                stage = 3;
            }
            Part::Bare(_) | Part::Quoted(_) => {}
            Part::Unclosed(key, value) => {
                match key {
                    Some(key) => body.fields.push(Field { key, value }),
                    None if !body.has_message => {
                        body.message = value;
                        body.has_message = true;
                        body.is_quoted = text[at..].starts_with(b"[\"");
                    }
                    None => {}
                }
                body.is_sound = false;
                body.is_cut = true;
                break;
            }
        }
    }
    body
}

/// Whether a bracket behind message or fields is another record's level or caller, or behind fields its message.
fn begins_another(word: &[u8], has_fields: bool, rest: &[u8]) -> bool {
    let is_head = Level::parse(word).is_some() || is_caller(word);
    let is_message = || has_fields && word.len() > 3 && word[0].is_ascii_alphabetic() && !word.starts_with(b"REDACTED");
    (is_head && rest.trim_ascii_start().starts_with(b"[")) || (is_message() && begins_field(rest))
}

fn next_is_caller(rest: &[u8]) -> bool {
    rest.strip_prefix(b" [").and_then(|rest| Some(&rest[..memchr::memchr(b']', rest)?])).is_some_and(is_caller)
}

enum Part<'a> {
    Bare(&'a [u8]),
    Quoted(&'a [u8]),
    Field(Cow<'a, [u8]>, Cow<'a, [u8]>),
    /// The text ends inside: the key, if one was read, and what there is of the value.
    Unclosed(Option<Cow<'a, [u8]>>, Cow<'a, [u8]>),
}

/// Reads one `[...]`; gives the part and what follows it. Where a message is expected, words before a `=` are no key: a copy
/// took the message's quotes.
fn bracket(text: &[u8], at_message: bool) -> Option<(Part<'_>, &[u8])> {
    let inner = text.strip_prefix(b"[")?;
    if let Some(quoted) = inner.strip_prefix(b"\"") {
        // A quoted message, or a quoted key: `["safe point"=43]`.
        if let Some(end) = quote_end(quoted, b"=]") {
            let word = &quoted[..end];
            let after = &quoted[end + 1..];
            return match after.first() {
                Some(b'=') => Some(value(unescape(word), &after[1..])),
                _ => Some((Part::Quoted(word), after.get(1..).unwrap_or_default())),
            };
        }
        return Some((Part::Unclosed(None, unescape(quoted)), &[]));
    }
    let end = memchr::memchr2(b'=', b']', inner);
    match end.map(|end| (end, inner[end])) {
        Some((end, b'=')) if is_key(&inner[..end]) && !(at_message && inner[..end].contains(&b' ')) => {
            Some(value(Cow::Borrowed(&inner[..end]), &inner[end + 1..]))
        }
        Some(_) => {
            let Some(end) = bare_end(inner) else { return Some((Part::Unclosed(None, Cow::Borrowed(inner)), &[])) };
            Some((Part::Bare(&inner[..end]), &inner[end + 1..]))
        }
        None => Some((Part::Unclosed(None, Cow::Borrowed(inner)), &[])),
    }
}

/// A key holds no bracket and is not a sentence.
fn is_key(word: &[u8]) -> bool {
    word.len() <= 128 && !word.contains(&b'[') && !word.contains(&b'"')
}

fn value<'a>(key: Cow<'a, [u8]>, text: &'a [u8]) -> (Part<'a>, &'a [u8]) {
    if let Some(quoted) = text.strip_prefix(b"\"") {
        if let Some(end) = quote_end(quoted, b"]") {
            let after = quoted.get(end + 2..).unwrap_or_default();
            return (Part::Field(key, unescape(&quoted[..end])), after);
        }
        return (Part::Unclosed(Some(key), unescape(quoted)), &[]);
    }
    match bare_end(text) {
        Some(at) => (Part::Field(key, Cow::Borrowed(&text[..at])), &text[at + 1..]),
        None => (Part::Unclosed(Some(key), Cow::Borrowed(text)), &[]),
    }
}

/// Where bare text ends. It holds no bracket, but copies take quotes away, `[peers=[1, 2]]`, or put a bracket in whose
/// closing one then is the only one: `[ts=[REDACTED] [next=...`.
fn bare_end(text: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    let mut first = None;
    for at in memchr::memchr2_iter(b'[', b']', text) {
        if text[at] == b'[' {
            depth += 1;
            continue;
        }
        let rest = &text[at + 1..];
        let ends = matches!(rest.first(), None | Some(b' ' | b'\n' | b'\r' | b'[' | b'\t'));
        if depth == 0 || (depth == 1 && (rest.is_empty() || begins_field(rest))) {
            return Some(at);
        }
        depth -= 1;
        first = first.or(ends.then_some(at));
    }
    first
}

/// Whether a field begins: `[key=`.
fn begins_field(text: &[u8]) -> bool {
    let Some(inner) = text.trim_ascii_start().strip_prefix(b"[") else { return false };
    let inner = inner.strip_prefix(b"\"").unwrap_or(inner);
    let key = inner.iter().take(48).take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.? ".contains(byte)).count();
    key > 0 && matches!(inner.get(key), Some(b'=' | b'"'))
}

/// Where a quoted text ends: at a quote without a backslash before it that one of `after` follows. Other quotes are
/// unescaped ones inside, as copies have them.
fn quote_end(text: &[u8], after: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr(b'"', &text[from..])?;
        let backslashes = text[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        // A copy may end right behind a quote.
        if backslashes % 2 == 0 && text.get(at + 1).is_none_or(|next| after.contains(next)) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<(String, String)> {
        parse(text.as_bytes())
            .fields
            .iter()
            .map(|f| (String::from_utf8_lossy(&f.key).into(), String::from_utf8_lossy(&f.value).into()))
            .collect()
    }

    #[test]
    fn keys_and_values_of_every_form() {
        let got = fields(r#"[INFO] [a.go:1] ["m"] ["safe point"=43] [empty=] [list="[\"task1\"]"] [old-leader=]"#);
        let want = [("safe point", "43"), ("empty", ""), ("list", r#"["task1"]"#), ("old-leader", "")];
        assert_eq!(got, want.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn unescaped_quotes_inside_a_value_do_not_end_it() {
        assert_eq!(
            fields(r#"[WARN] [a.go:1] [m] [error="msg:"Io(Os { code: 2 })" : x"] [b=1]"#)[0].1,
            r#"msg:"Io(Os { code: 2 })" : x"#
        );
    }

    #[test]
    fn an_elision_that_ate_a_bracket() {
        let got = fields("[INFO] [a.go:1] [m] [RestoreTS=[REDACTED_ID] [total-kv=12]");
        assert_eq!(
            got,
            [("RestoreTS".to_owned(), "[REDACTED_ID".to_owned()), ("total-kv".to_owned(), "12".to_owned())]
        );
    }

    #[test]
    fn a_message_that_lost_its_head_behind_a_field_is_another_record() {
        let text = br#"[ERROR] [a.rs:1] [m] [err="E(x)"]tart node: Engine(Other(\"[peer_storage.rs:769]: [region 7] lost\"))"]"#;
        let end = parse(text).end.map(|end| &text[end..end + 4]);
        assert_eq!(end, Some(&b"tart"[..]));
    }

    #[test]
    fn a_list_of_bytes_in_a_text_is_no_message() {
        let text = b"it says: not equal, expect: [12, 7, 255], calculate: [9, 30, 4]";
        assert!(!parse(text).has_message);
    }

    #[test]
    fn an_error_that_stands_alone_is_read_with_its_text() {
        for text in [
            "[Lightning:Restore:ErrRestoreTable]restore table `a`.`b` failed: EOF",
            "[types:1292]Truncated value: '[1]'",
            "it failed: [BR:Common:ErrUnknown]internal error",
        ] {
            assert_eq!(parse(text.as_bytes()).message, text.as_bytes());
        }
        assert_eq!(&*parse(b"[kv:9007] [conflict=1]").message, b"kv:9007");
    }

    #[test]
    fn a_value_that_is_cut_off_is_kept() {
        let body = parse(br#"[FATAL] [lib.rs:1] ["it broke, name:\"x"#);
        assert!(!body.is_sound);
        assert_eq!(&*body.message, b"it broke, name:\"x");
        let body = parse(br#"[ERROR] [util.rs:1] ["request failed"] [err="Grpc(RpcFailure"#);
        assert_eq!(&*body.fields[0].value, b"Grpc(RpcFailure");
    }
}
