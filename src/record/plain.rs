//! Characters that carry no text: terminal colours, invisible characters, blanks of other kinds.

use std::borrow::Cow;

/// The text without colours and invisible characters, and with every kind of blank as a blank.
pub(super) fn plain(text: &[u8]) -> Cow<'_, [u8]> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    collect(text, true)
}

/// The text without colours only.
pub(super) fn uncoloured(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(0x1b, text).is_none() && memchr::memmem::find(text, b"[0m").is_none() {
        return Cow::Borrowed(text);
    }
    collect(text, false)
}

fn collect(text: &[u8], characters: bool) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(text.len());
    each(text, characters, |_, bytes| {
        out.extend_from_slice(bytes);
        true
    });
    Cow::Owned(out)
}

/// Columns on a terminal: characters of Chinese, Japanese and Korean take two.
pub(super) fn columns(line: &[u8]) -> usize {
    if line.is_ascii() {
        return line.len();
    }
    String::from_utf8_lossy(line).chars().map(|letter| if is_wide(letter) { 2 } else { 1 }).sum()
}

/// Whether a character takes two columns.
pub(super) fn is_wide(letter: char) -> bool {
    matches!(letter, '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}' | '\u{20000}'..='\u{3FFFD}')
}

/// Where a position of the plain text stands in the text itself.
pub(super) fn raw_offset(text: &[u8], at: usize) -> usize {
    if at == 0 || is_plain(text) {
        return at;
    }
    let (mut length, mut offset) = (0, text.len());
    each(text, true, |position, bytes| {
        if length + bytes.len() > at {
            offset = position + (at - length);
            return false;
        }
        length += bytes.len();
        true
    });
    offset
}

/// Whether nothing is to be taken out; may say no where nothing is.
fn is_plain(text: &[u8]) -> bool {
    memchr::memchr3(0x1b, 0xC2, 0xE2, text).is_none()
        && memchr::memchr2(0xE3, 0xEF, text).is_none()
        && memchr::memmem::find(text, b"[0m").is_none()
}

/// Hands stretches of plain text, with their position in `text`, to `take`, until it says no.
fn each<'t>(text: &'t [u8], characters: bool, mut take: impl FnMut(usize, &'t [u8]) -> bool) {
    let lost_escapes = memchr::memmem::find(text, b"[0m").is_some();
    let (mut from, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let found = match rest[0] {
            0x1b => Some((escape(rest), &b""[..])),
            b'[' if lost_escapes => colour(&rest[1..]).map(|length| (1 + length, &b""[..])),
            b'\\' if lost_escapes && rest.starts_with(b"\\[") => {
                colour(&rest[2..]).map(|length| (2 + length, &b""[..]))
            }
            0xC2 | 0xE2 | 0xE3 | 0xEF if characters => character(rest),
            _ => None,
        };
        match found {
            Some((length, instead)) => {
                if !(take(from, &text[from..at]) && take(at, instead)) {
                    return;
                }
                at += length;
                from = at;
            }
            None => at += 1,
        }
    }
    take(from, &text[from..]);
}

/// Length of a terminal sequence; an editor may have put a backslash before its bracket.
fn escape(text: &[u8]) -> usize {
    if text.get(1) == Some(&b'\\') && text.get(2) == Some(&b'[') {
        return 1 + escape(&text[1..]);
    }
    // A chat may have put an invisible character behind the escape itself.
    if let Some((hidden, b"")) = character(&text[1..])
        && text.get(1 + hidden) == Some(&b'[')
    {
        return hidden + escape(&text[hidden..]);
    }
    match text.get(1) {
        Some(b'[') => {
            2 + text[2..].iter().take(32).position(|byte| (0x40..=0x7E).contains(byte)).map_or(0, |end| end + 1)
        }
        Some(b'(' | b')') => 3.min(text.len()),
        Some(b']') => text.iter().take(256).position(|byte| *byte == 0x07).map_or(1, |end| end + 1),
        _ => 1,
    }
}

/// `33m`, `01;31m` behind a bracket: a colour whose escape the copy has lost.
fn colour(text: &[u8]) -> Option<usize> {
    let length = text.iter().take(12).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    (length > 0 && text.get(length) == Some(&b'm')).then_some(length + 1)
}

/// Length of an invisible character or another blank, and what stands for it.
fn character(text: &[u8]) -> Option<(usize, &'static [u8])> {
    match text {
        [0xC2, 0xA0, ..] => Some((2, b" ")),
        [0xC2, 0xAD, ..] => Some((2, b"")),
        [0xE2, 0x80, 0x80..=0x8A | 0xAF, ..] | [0xE3, 0x80, 0x80, ..] => Some((3, b" ")),
        [0xE2, 0x80, 0x8B..=0x8F | 0xAA..=0xAE, ..] | [0xE2, 0x81, 0xA0, ..] | [0xEF, 0xBB, 0xBF, ..] => Some((3, b"")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_invisible_characters_go() {
        for (text, want) in [
            ("[\u{1b}[33mWARN\u{1b}[0m] a", "[WARN] a"),
            ("\u{1b}[01;31m\u{1b}[Kregion\u{1b}[m\u{1b}[K 7\u{1b}(B", "region 7"),
            ("[[33mWARN[0m] [interval=5m]", "[WARN] [interval=5m]"),
            ("[[33mWARN[0m] [meta=x]", "[WARN] [meta=x]"),
            ("\\[\\[33mWARN\\[0m] a", "\\[WARN] a"),
            ("\\[\u{1b}\\[33mWARN\u{1b}\\[0m] a", "\\[WARN] a"),
            ("100\u{1b}\u{200b}[K94\u{1b}\u{200b}[01;31m812", "10094812"),
            ("\u{feff}[a]\u{a0}[b\u{200b}c]\u{3000}d", "[a] [bc] d"),
            ("\u{25cf} Total \u{2039}x\u{203a} \u{e4}", "\u{25cf} Total \u{2039}x\u{203a} \u{e4}"),
            ("[thresholds=[5m 10m]]", "[thresholds=[5m 10m]]"),
        ] {
            assert_eq!(String::from_utf8_lossy(&plain(text.as_bytes())), want);
        }
    }

    #[test]
    fn positions_are_found_again() {
        let text = "\u{feff}a\u{a0}\u{1b}[1m[2022".as_bytes();
        let plain = plain(text);
        let at = memchr::memchr(b'[', &plain).unwrap();
        assert_eq!(text[raw_offset(text, at)..], *b"[2022");
        assert_eq!(raw_offset(b"abc", 2), 2);
    }
}
