//! Brackets of a header that a copy lost: `2022/07/25 14:54:44.467 +00:00 [ERROR] [a.rs:1 ["x"]`.

use crate::record::{body, prefix};
use crate::units::{Level, parse_naive, parse_offset};

/// The text with all brackets of its header, where some of them are lost and enough is left to tell; else nothing.
pub(super) fn mended(text: &[u8]) -> Option<Vec<u8>> {
    let at = prefix::strip(text).at;
    let mut head = Head { rest: &text[at..], parts: Vec::new(), lost: 0, kept: 0 };
    let has_time = head.part(time);
    let has_level = head.part(|text| level(text, has_time));
    let has_caller = head.part(caller);
    let is_header = has_level && (has_time || has_caller) || (has_time && has_caller);
    if !is_header || head.lost == 0 {
        return None;
    }
    let rest = match head.rest.first() {
        Some(b'[') => head.rest.to_vec(),
        // Without any brackets: the message and its fields have none either.
        Some(b'"') if head.kept == 0 => bracketed(head.rest)?,
        _ => return None,
    };
    let mut out = text[..at].to_vec();
    for part in head.parts {
        out.push(b'[');
        out.extend_from_slice(part);
        out.extend_from_slice(b"] ");
    }
    out.extend_from_slice(&rest);
    Some(out)
}

struct Head<'t> {
    rest: &'t [u8],
    parts: Vec<&'t [u8]>,
    /// Brackets that are not there, and that are.
    lost: usize,
    kept: usize,
}

impl<'t> Head<'t> {
    /// Takes the next part, with the brackets that it has, if `length` knows it.
    fn part(&mut self, length: impl Fn(&'t [u8]) -> Option<usize>) -> bool {
        let text = self.rest.trim_ascii_start();
        let inner = text.strip_prefix(b"[").unwrap_or(text);
        let Some(length) = length(inner) else { return false };
        let after = &inner[length..];
        let rest = after.strip_prefix(b"]").unwrap_or(after);
        let kept = usize::from(inner.len() < text.len()) + usize::from(rest.len() < after.len());
        self.kept += kept;
        self.lost += 2 - kept;
        self.parts.push(&inner[..length]);
        self.rest = rest.trim_ascii_start();
        true
    }
}

/// The length of a time with its offset.
fn time(text: &[u8]) -> Option<usize> {
    let (_, rest) = parse_naive(text)?;
    let zone = parse_offset(rest).map_or(0, |_| {
        let blank = usize::from(rest.first() == Some(&b' '));
        let digits = rest[blank..].iter().take_while(|byte| byte.is_ascii_digit() || b"+-:Zz".contains(byte)).count();
        blank + digits
    });
    ends(&rest[zone..]).then_some(text.len() - rest.len() + zone)
}

/// The length of a level; without a time before it a bracket must follow, since sentences begin with such words.
fn level(text: &[u8], has_time: bool) -> Option<usize> {
    let length = text.iter().take(9).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let is_sure = has_time || text[length..].starts_with(b"]") || text[length..].starts_with(b" [");
    (is_sure && ends(&text[length..]) && Level::parse(&text[..length]).is_some()).then_some(length)
}

fn caller(text: &[u8]) -> Option<usize> {
    let length = text.iter().take(96).take_while(|byte| !b" []\"".contains(byte)).count();
    (body::is_caller(&text[..length]) && ends(&text[length..])).then_some(length)
}

fn ends(rest: &[u8]) -> bool {
    matches!(rest.first(), Some(b']' | b' ' | b'['))
}

/// `"message" key=value key="a value"` in brackets.
fn bracketed(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() + 32);
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let (mut length, mut quoted, mut escaped) = (rest.len(), false, false);
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = !quoted,
                b' ' if !quoted => {
                    length = at;
                    break;
                }
                _ => {}
            }
        }
        let (word, after) = rest.split_at(length);
        if !out.is_empty() && !word.contains(&b'=') {
            return None;
        }
        out.extend_from_slice(if out.is_empty() { b"[" } else { b" [" });
        out.extend_from_slice(word);
        out.push(b']');
        rest = after.trim_ascii_start();
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::mended;

    #[test]
    fn each_bracket_of_a_header() {
        const CLEAN: &str =
            r#"[2022/07/25 14:54:44.467 +00:00] [WARN] [endpoint.rs:209] ["fatal [error]"] [err="x y"]"#;
        let ends = CLEAN.find("[\"").unwrap();
        assert_eq!(mended(CLEAN.as_bytes()), None);
        for (at, _) in CLEAN[..ends].match_indices(['[', ']']) {
            let text = format!("{}{}", &CLEAN[..at], &CLEAN[at + 1..]);
            assert_eq!(String::from_utf8(mended(text.as_bytes()).unwrap()).unwrap(), CLEAN, "{text}");
        }
        let bare = r#"2022/07/25 14:54:44.467 +00:00 WARN endpoint.rs:209 "fatal [error]" err="x y""#;
        assert_eq!(String::from_utf8(mended(bare.as_bytes()).unwrap()).unwrap(), CLEAN);
    }

    #[test]
    fn what_is_no_header() {
        for text in [
            "Error [x]",
            "2022/07/25 14:54:44.467 [x]",
            "[WARN] [a.rs:1] [x]",
            "2019/08/13 03:27:49.382 INFO mod.rs:26: [x]",
        ] {
            assert_eq!(mended(text.as_bytes()), None, "{text}");
        }
    }
}
