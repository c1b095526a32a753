//! Marks of mails, chats, tables and editors.

use crate::record::console;
use crate::units::parse_naive;

/// Bars that tables, frames and windows of terminals put at both edges of a line.
const BARS: [&[u8]; 4] = [b"|", "\u{2502}".as_bytes(), "\u{2503}".as_bytes(), "\u{2551}".as_bytes()];

/// The bar that a text begins with.
pub(in crate::record) fn bar(text: &[u8]) -> Option<&'static [u8]> {
    BARS.into_iter().find(|bar| text.starts_with(bar))
}

/// A line without the bar at its end and the blanks before that; any bar where none is given.
pub(in crate::record) fn without_end_bar<'l>(line: &'l [u8], bar: Option<&[u8]>) -> Option<&'l [u8]> {
    let text = line.trim_ascii_end();
    let inner = match bar {
        Some(bar) => text.strip_suffix(bar),
        None => BARS.into_iter().find_map(|bar| text.strip_suffix(bar)),
    };
    inner.map(<[u8]>::trim_ascii_end)
}

/// Takes off white space, `> ` and `| ` as mails, chats and tables put them before a line, and the edge of a frame.
pub(in crate::record) fn trim_marks(line: &[u8]) -> &[u8] {
    let mut text = line;
    loop {
        let next = text.trim_ascii_start();
        let next = next.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(next);
        let next = next.strip_prefix(b"\xC2\xA0").unwrap_or(next);
        let next = match next {
            // Without a blank only what a sentence, a date or an object begins with.
            [b'>' | b'|', b' ' | b'\t' | b'>' | b'[', ..] | [b'>', b'A'..=b'Z' | b'0'..=b'9' | b'{', ..] => &next[1..],
            [b'>' | b'|'] => &[],
            [b'&', b'g', b't', b';', b' ', ..] => &next[4..],
            [0xE2, 0x94, 0x82 | 0x83, ..] | [0xE2, 0x95, 0x91, ..] => &next[3..],
            // A fence that is meant as a quote: one alone, or with a language, says where a record ends.
            [b'`', b'`', b'`', b' ', text @ ..] if text.trim_ascii().contains(&b' ') => &next[3..],
            _ => next,
        };
        if next.len() == text.len() {
            return text;
        }
        text = next;
    }
}

/// `12 | `, `12: `, `12` and a tab: an editor's line number.
pub(in crate::record) fn number(text: &[u8]) -> Option<usize> {
    let digits = text.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let rest = &text[digits..];
    let gap = match rest {
        [b':', b' ' | b'[' | b'{', ..] | [b'\t', ..] | [b' ', b'[' | b'{', ..] => 1,
        [b' ', b'|', b' ', ..] => 3,
        [b'|', b' ', ..] => 2,
        // Of an old format, which begins with its date, and of a panic.
        [b':' | b' ', rest @ ..] if parse_naive(rest).is_some() || rest.starts_with(b"thread '") => 1,
        _ => return None,
    };
    Some(digits + gap)
}

/// A quote or backtick before a record that begins with its time or is an object, or before a panic; a backtick also before
/// what stood on a terminal, where nothing follows its end.
pub(super) fn quote(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(b"`").or_else(|| text.strip_prefix(b"\"")).or_else(|| text.strip_prefix(b"'"))?;
    let is_record = parse_naive(rest).is_some() || rest.starts_with(b"{\"") || rest.starts_with(b"thread '");
    let is_code = || {
        let code = rest.trim_ascii_end();
        let is_whole = memchr::memchr(b'`', code).is_none_or(|end| end + 1 == code.len());
        text[0] == b'`' && is_whole && console::start(code).is_some()
    };
    (is_record || is_code()).then_some(1)
}

/// Prose before an error that it quotes in backticks, where nothing follows their end: "the restore failed with `Error: ...`".
pub(super) fn prose(text: &[u8]) -> Option<usize> {
    const MOST: usize = 160;
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let code = line.trim_ascii_end().strip_suffix(b"`")?;
    let at = memchr::memmem::find(&code[..code.len().min(MOST)], b"`Error: ")? + 1;
    (!code[at..].contains(&b'`')).then_some(at)
}

/// `log/tikv.log:1033:`, `tikv.log-1033-`, `tikv.log:`: what `grep` puts in front.
pub(super) fn grep(text: &[u8]) -> Option<usize> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._/~-@".contains(byte);
    let name = &text[..text.iter().take(200).take_while(|byte| is_name(byte)).count()];
    let is_path = |path: &[u8]| {
        path.len() > 2 && path.iter().any(|byte| b"./".contains(byte)) && path.iter().any(u8::is_ascii_alphabetic)
    };
    if text.get(name.len()) == Some(&b':') && is_path(name) {
        let at = name.len() + 1;
        let digits = text[at..].iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 && text.get(at + digits) == Some(&b':') {
            return Some(at + digits + 1);
        }
        // Without line numbers: only where a record follows for sure.
        let blank = usize::from(text.get(at) == Some(&b' '));
        if matches!(text.get(at + blank), Some(b'[' | b'{')) || parse_naive(&text[at + blank..]).is_some() {
            return Some(at + blank);
        }
    }
    // Of a neighbour, with dashes: the first number between two of them.
    name.iter().enumerate().filter(|(_, byte)| **byte == b'-').find_map(|(dash, _)| {
        let digits = name[dash + 1..].iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
        let end = dash + 1 + digits;
        (digits > 0 && name.get(end) == Some(&b'-') && is_path(&name[..dash])).then_some(end + 1)
    })
}
