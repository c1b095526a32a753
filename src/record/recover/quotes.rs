//! Quotes that spreadsheets doubled, that a second encoder escaped, or that enclose the whole record.

use super::replace;
use crate::record::escape::unescape;
use std::borrow::Cow;

/// Undoes doubling and a second level of escapes, and ends the text where the cell of a table or the string of JSON ends that
/// it stands in. `inside` says that a quote opens before the text.
pub(super) fn undo(text: &[u8], inside: bool) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'"', text) else { return without_any(text) };
    if is_escaped(text, first) {
        // Clean text escapes no quote outside of quotes. A string of JSON ends at the first quote without a backslash.
        let end = memchr::memchr_iter(b'"', text).find(|at| !is_escaped(text, *at)).unwrap_or(text.len());
        let inner = &text[..end];
        let inner = unescape(inner.strip_suffix(b"\\n").unwrap_or(inner)).into_owned();
        return Cow::Owned(undo(&inner, false).into_owned());
    }
    if text.get(first + 1) == Some(&b'"') && is_doubled(text) {
        return Cow::Owned(single(text));
    }
    if inside {
        let closes = matches!(text.get(first + 1), None | Some(b',' | b'}' | b']' | b'\n' | b';' | b'\t'))
            && !text[..first].ends_with(b"=");
        if closes {
            return Cow::Borrowed(&text[..first]);
        }
        // The quotes inside were left as they are: the last one closes.
        return Cow::Borrowed(text.trim_ascii_end().strip_suffix(b"\"").unwrap_or(text));
    }
    Cow::Borrowed(text)
}

/// A text that lost all its quotes, but not the backslashes before those inside: `message: \region 5 not found\ x`.
fn without_any(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = text.to_vec();
    for at in memchr::memchr_iter(b'\\', text) {
        let before = at.checked_sub(1).map_or(b' ', |before| text[before]);
        let after = text.get(at + 1).copied().unwrap_or(b' ');
        if b" :{,([=\\".contains(&before) || b" ,:;})].\\".contains(&after) {
            out[at] = b'"';
        }
    }
    Cow::Owned(out)
}

/// Whether a text, up to where another begins, leaves a quote open.
pub(super) fn opens(text: &[u8]) -> bool {
    memchr::memchr_iter(b'"', text).filter(|at| !is_escaped(text, *at)).count() % 2 == 1
}

fn is_escaped(text: &[u8], at: usize) -> bool {
    text[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// `[""text""]`: a quote that opens is doubled, whatever else is.
fn is_doubled(text: &[u8]) -> bool {
    // An escaped quote at the end of a value, `\""]`, and an empty value, `=""]`, are no doubled quotes.
    memchr::memmem::find_iter(text, b"\"\"").any(|at| {
        let before = at.checked_sub(1).map_or(b'[', |before| text[before]);
        match (before, text.get(at + 2)) {
            (b'\\', _) | (b'=', Some(b']')) => false,
            (b'[' | b'=', _) | (_, Some(b']')) => true,
            _ => false,
        }
    })
}

/// One quote for two, up to a quote that stands alone, which closes the cell. Where escaped quotes were not doubled, or one
/// that opens a value was not, nothing does.
pub(super) fn single(text: &[u8]) -> Vec<u8> {
    let mut at = 0;
    let mut end = text.len();
    while let Some(next) = memchr::memchr(b'"', &text[at..]) {
        let start = at + next;
        let run = text[start..].iter().take_while(|byte| **byte == b'"').count();
        if run % 2 == 1 {
            let opens = text[..start].ends_with(b"=") || text.get(start + run).is_some_and(u8::is_ascii_alphanumeric);
            if is_escaped(text, start) || opens {
                return replace(text, &[(b"\\\"", b"\\\""), (b"\"\"", b"\"")]);
            }
            end = start + run - 1;
            break;
        }
        at = start + run;
    }
    replace(&text[..end], &[(b"\"\"", b"\"")])
}

/// Whether a line and all its quotes were doubled, whatever the line is.
pub(super) fn is_all_doubled(text: &[u8]) -> bool {
    let mut at = 0;
    while let Some(next) = memchr::memchr(b'"', &text[at..]) {
        let run = text[at + next..].iter().take_while(|byte| **byte == b'"').count();
        if run % 2 == 1 {
            return false;
        }
        at += next + run;
    }
    at > 0
}

/// The same with one quote for two.
pub(in crate::record) fn halved(text: &[u8]) -> Vec<u8> {
    replace(text, &[(b"\"\"", b"\"")])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(text: &str, inside: bool) -> String {
        String::from_utf8_lossy(&undo(text.as_bytes(), inside)).into_owned()
    }

    #[test]
    fn doubled_and_escaped_quotes() {
        assert_eq!(undone(r#"[""a""] [b=""say \""x\""""]"#, false), r#"["a"] [b="say \"x\""]"#);
        assert_eq!(undone(r#"[""a""] [b=""say \"x\" ""]"#, false), r#"["a"] [b="say \"x\" "]"#);
        assert_eq!(undone(r#"[""a""] [b="x"] [c=""y""]"#, false), r#"["a"] [b="x"] [c="y"]"#);
        assert_eq!(undone(r#"[\"a\"] [b=\"say \\\"x\\\"\"]"#, false), r#"["a"] [b="say \"x\""]"#);
        assert_eq!(undone(r"[a] [b=say: \region x\ {\a\:1}]", false), r#"[a] [b=say: "region x" {"a":1}]"#);
        for clean in [r#"["a"] [b="say \"x\""]"#, r#"[a] [b=""]"#, "[a] [b=c]"] {
            assert_eq!(undone(clean, false), clean);
        }
    }

    #[test]
    fn cells_end_where_their_quotes_close() {
        for (text, want) in [
            (r#"[""a""] [b=""x""]","next ""cell"""#, r#"["a"] [b="x"]"#),
            (r#"[\"a\"] [b=1]\n","stream":"stderr"}"#, r#"["a"] [b=1]"#),
            (r#"[a] [b=1]","x""#, "[a] [b=1]"),
            (r#"["a"] [b="x"]""#, r#"["a"] [b="x"]"#),
        ] {
            assert_eq!(undone(text, true), want);
        }
        let open = r#"message:"region is stale" id:2 end_key:"" >"#;
        assert!(
            String::from_utf8_lossy(&single(open.as_bytes())).contains("id:2"),
            "a quote before a word closes no cell"
        );
        assert!(opens(br#""2022","tikv",""#) && !opens(br#"{app=\"x\"} "#));
    }
}
