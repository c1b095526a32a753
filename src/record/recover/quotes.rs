//! Quotes that spreadsheets doubled, that a second encoder escaped, or that enclose the whole record.

use super::replace;
use crate::record::escape::unescape;
use std::borrow::Cow;

/// Undoes doubling and a second level of escapes.
pub(super) fn undo(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if memchr::memmem::find(&text, b"\"\"").is_some() && is_doubled(&text) {
        return Cow::Owned(single(&text));
    }
    if is_escaped_twice(&text) {
        return Cow::Owned(unescape(&text).into_owned());
    }
    text
}

/// What stands in the quotes that open right before `text`: a cell of a table, a string of JSON.
pub(super) fn cell(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'"', text) else { return Cow::Borrowed(text) };
    let backslashes = |at: usize| text[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
    if backslashes(first) % 2 == 1 {
        // A string of JSON: it ends at the first quote without a backslash.
        let end = memchr::memchr_iter(b'"', text).find(|at| backslashes(*at) % 2 == 0).unwrap_or(text.len());
        let inner = &text[..end];
        return Cow::Owned(unescape(inner.strip_suffix(b"\\n").unwrap_or(inner)).into_owned());
    }
    if text.get(first + 1) == Some(&b'"') {
        // A cell of a table: inner quotes are doubled, it ends at one alone.
        let mut at = first;
        loop {
            let run = text[at..].iter().take_while(|byte| **byte == b'"').count();
            if run % 2 == 1 {
                return Cow::Owned(replace(&text[..at + run - 1], &[(b"\"\"", b"\"")]));
            }
            match memchr::memchr(b'"', &text[at + run..]) {
                Some(next) => at += run + next,
                None => return Cow::Owned(replace(text, &[(b"\"\"", b"\"")])),
            }
        }
    }
    if matches!(text.get(first + 1), None | Some(b',' | b'}' | b']' | b'\n' | b';' | b'\t')) && !text[..first].ends_with(b"=") {
        // No quote inside: this one closes.
        return Cow::Borrowed(&text[..first]);
    }
    Cow::Borrowed(text)
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

/// One quote for two. Where every run of quotes is even the escaped ones were doubled too.
fn single(text: &[u8]) -> Vec<u8> {
    let mut at = 0;
    let all = std::iter::from_fn(|| {
        at += memchr::memchr(b'"', &text[at..])?;
        let run = text[at..].iter().take_while(|byte| **byte == b'"').count();
        at += run;
        Some(run)
    })
    .all(|run| run % 2 == 0);
    if all { replace(text, &[(b"\"\"", b"\"")]) } else { replace(text, &[(b"\\\"", b"\\\""), (b"\"\"", b"\"")]) }
}

/// `[\"text\"]`: no quote without a backslash is left, so the record was encoded once more.
fn is_escaped_twice(text: &[u8]) -> bool {
    let opens = memchr::memmem::find(text, b"[\\\"").or_else(|| memchr::memmem::find(text, b"=\\\"")).is_some();
    opens
        && memchr::memchr_iter(b'"', text)
            .all(|at| text[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(text: &str) -> String {
        String::from_utf8_lossy(&undo(Cow::Borrowed(text.as_bytes()))).into_owned()
    }

    #[test]
    fn doubled_and_escaped_quotes() {
        assert_eq!(undone(r#"[""a""] [b=""say \""x\""""]"#), r#"["a"] [b="say \"x\""]"#);
        assert_eq!(undone(r#"[""a""] [b=""say \"x\" ""]"#), r#"["a"] [b="say \"x\" "]"#);
        assert_eq!(undone(r#"[\"a\"] [b=\"say \\\"x\\\"\"]"#), r#"["a"] [b="say \"x\""]"#);
        for clean in [r#"["a"] [b="say \"x\""]"#, r#"[a] [b=""]"#, "[a] [b=c]"] {
            assert_eq!(undone(clean), clean);
        }
    }

    #[test]
    fn cells_end_where_their_quotes_close() {
        for (text, want) in [
            (r#"[""a""] [b=""x""]","next ""cell"""#, r#"["a"] [b="x"]"#),
            (r#"[\"a\"] [b=1]\n","stream":"stderr"}"#, r#"["a"] [b=1]"#),
            (r#"[a] [b=1]","x""#, "[a] [b=1]"),
            (r#"["a"] [b="x"]""#, r#"["a"] [b="x"]""#),
        ] {
            assert_eq!(String::from_utf8_lossy(&cell(text.as_bytes())), want);
        }
    }
}
