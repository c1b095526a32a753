//! User data in log text: keys and values of rows, SQL. Replaced by `?`, as the components do it with redaction on.

use super::secrets::{closing_quote, field_value, opening_quote, replaced};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

/// What stands in the data's place.
const HIDDEN: &str = "?";

/// Shorter runs of hexadecimal digits are ids.
const SHORTEST: usize = 16;

/// Names of fields whose values are user data. They count as whole words only.
const NAMES: [&str; 24] = [
    "key",
    "keys",
    "start_key",
    "end_key",
    "start-key",
    "end-key",
    "startkey",
    "endkey",
    "rawkey",
    "raw_key",
    "split_key",
    "split-key",
    "lock_key",
    "primary",
    "primary_lock",
    "value",
    "values",
    "sql",
    "stmt",
    "statement",
    "query",
    "row",
    "min_key",
    "max_key",
];

/// Texts of errors that quote a value.
const QUOTES: [&str; 3] = ["duplicate entry", "incorrect value", "data too long"];

static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(NAMES.iter().chain(&QUOTES))
        .ok()
});

/// The text without user data. Text that has none is not copied.
pub(super) fn hide(text: &str) -> Cow<'_, str> {
    let Some(finder) = FINDER.as_ref() else { return Cow::Borrowed(text) };
    let named = finder.find_iter(text).filter_map(|found| {
        if found.pattern().as_usize() < NAMES.len() { named(text, found.range()) } else { quoted(text, found.end()) }
    });
    let data: Vec<Range<usize>> =
        named.chain(keys(text)).filter(|data| !data.is_empty() && &text[data.clone()] != HIDDEN).collect();
    if data.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(replaced(text, data, HIDDEN)) }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// The value of a field.
fn named(text: &str, name: Range<usize>) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let alone = !name.start.checked_sub(1).is_some_and(|before| is_word(bytes[before]))
        && !bytes.get(name.end).is_some_and(|after| is_word(*after));
    if !alone {
        return None;
    }
    let value = field_value(text, name.clone(), b"=:", false)?;
    let is_bare = text[name.end..].starts_with('=') && value.start == name.end + 1;
    if is_bare && text[..name.start].ends_with('[') {
        // A field in brackets that has lost its quotes, as messages show it: up to its own bracket.
        let rest = &text[value.start..];
        let end = rest.find("] [").or_else(|| rest.rfind(']')).unwrap_or(rest.len());
        return Some(value.start..value.start + end);
    }
    Some(value)
}

/// What an error quotes, a few words further on.
fn quoted(text: &str, end: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let quote = bytes[end..].iter().take(24).position(|byte| b"'\"".contains(byte))?;
    let start = end + quote - bytes[..end + quote].iter().rev().take_while(|byte| **byte == b'\\').count();
    let inside = opening_quote(bytes, start)?;
    Some(inside.start..closing_quote(bytes, inside))
}

/// Keys as all components print them: long runs of hexadecimal digits. Hashes of builds are in small letters, timestamps have no letters.
fn keys(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            at += bytes[at..].iter().position(u8::is_ascii_alphanumeric)?;
            let start = at;
            at += bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let word = &bytes[start..at];
            let is_key = word.len() >= SHORTEST
                && word.iter().all(u8::is_ascii_hexdigit)
                && (word.iter().any(u8::is_ascii_uppercase)
                    || word.starts_with(b"7480000000")
                    || word.starts_with(b"6d"));
            if is_key {
                return Some(start..at);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_values_and_statements_are_hidden() {
        for (raw, shown) in [
            (
                "for region id: 94812 start_key: 7480000000000000FF455F728000000000FF0000010000000000FA end_key: 74 region",
                "for region id: 94812 start_key: ? end_key: ? region",
            ),
            ("ByRange(7480000000000000FF455F72, 7480000000000000FF475F72)", "ByRange(?, ?)"),
            (r#"start_key: "t\200\000\001" end_key: "t\"x" peers"#, r#"start_key: "?" end_key: "?" peers"#),
            (r#"[sql="select * from t where name = \"bob\""] [conn=1]"#, r#"[sql="?"] [conn=1]"#),
            (r#"{\"key\":\"abc\",\"value\":\"def\",\"n\":1}"#, r#"{\"key\":\"?\",\"value\":\"?\",\"n\":1}"#),
            ("[sql=insert into t values ('a]b')] [conn=1]", "[sql=?] [conn=1]"),
            ("run failed [sql=insert into t values (1", "run failed [sql=?"),
            ("Duplicate entry 'bob@example.org' for key 'PRIMARY'", "Duplicate entry '?' for key 'PRIMARY'"),
            ("[StartKey=7480000000000000FF] [EndKey=]", "[StartKey=?] [EndKey=]"),
        ] {
            assert_eq!(hide(raw), shown, "{raw}");
            assert!(matches!(hide(shown), Cow::Borrowed(_)), "{shown}");
        }
    }

    #[test]
    fn what_is_no_user_data_stays() {
        for raw in [
            "region 94812 [region_id=94812] [store=4] [task=task1] [checkpoint=434834088949972992]",
            "Git Commit Hash: 47b81680f75adc4b7200480cea5dbe46ae07c4b5",
            "a key is not in region",
            "[cluster_id=7124381900214731553]",
            "monkey=7 keyspace: default",
        ] {
            assert!(matches!(hide(raw), Cow::Borrowed(_)), "{raw} -> {}", hide(raw));
        }
    }
}
