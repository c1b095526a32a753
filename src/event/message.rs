//! The one line that an event shows of its record.

use super::chain;
use crate::record::{Kind, Record};
use std::borrow::Cow;

/// Longest `message`, in bytes.
pub(crate) const MOST: usize = 1024;

/// Fields that carry an error, in the order in which they are looked for. `errorVerbose` and `stack` repeat it at length.
const ERRORS: [&str; 9] = [
    "err",
    "error",
    "error message",
    "cause",
    "reason",
    "receiver_err",
    "pause-payload",
    "pause-payload[errmesg]",
    "RegionError",
];

/// The message, then its error chain, folded; unescaped, one line, at most 1,024 bytes.
pub(crate) fn of(record: &Record<'_>) -> Box<str> {
    let mut out = String::new();
    match record.kind {
        Kind::StatusTask | Kind::StatusJson => status(record, &mut out),
        _ => {
            let error = ERRORS.iter().find_map(|key| record.field(key)).filter(|field| !field.value.is_empty());
            // Brackets in plain text look like fields, but say little without it.
            let is_bare =
                record.message.is_empty() && error.is_none() && (record.fields.is_empty() || !record.has_message);
            let message = text(if is_bare { &record.text } else { &record.message });
            // With room for a short record's other fields: the text is short-lived.
            out.reserve(message.len() + error.map_or(0, |error| error.value.len()) + 256);
            out.push_str(&chain::fold(message.trim()));
            if let Some(error) = error {
                if !out.is_empty() {
                    out.push_str(": ");
                }
                out.push_str(&chain::fold(text(&error.value).trim()));
            }
            if record.field("context").is_some() || (record.fields.len() <= 2 && !is_bare) {
                rest(record, &mut out);
            }
        }
    }
    line(&out)
}

/// The other fields of a short record, which often are the message.
fn rest(record: &Record<'_>, out: &mut String) {
    for field in record.fields.iter().filter(|field| field.value.len() <= 96) {
        let key = text(&field.key);
        if !ERRORS.contains(&&*key) && !["thread_id", "stack", "errorVerbose", "verbose_err"].contains(&&*key) {
            for part in [" [", &key, "=", &text(&field.value), "]"] {
                out.push_str(part);
            }
        }
    }
}

/// Text as UTF-8; nearly always it is.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Status, then each store's error.
fn status(record: &Record<'_>, out: &mut String) {
    let text = |key: &str| record.field(key).map(|field| String::from_utf8_lossy(&field.value).into_owned());
    out.push_str(&text("name").map_or_else(|| "a task".to_owned(), |name| format!("task {name}")));
    if let Some(status) = text("status") {
        out.push_str(&format!(" is {status}"));
    }
    for field in &record.fields {
        let key = String::from_utf8_lossy(&field.key);
        let shows = key.starts_with("error[")
            || key.starts_with("error-message[")
            || key.starts_with("pause-payload")
            || key == "checkpoint[global]";
        if shows {
            out.push_str(&format!("; {key}: {}", chain::fold(&String::from_utf8_lossy(&field.value))));
        }
    }
}

/// One line of at most `MOST` bytes: white space folded, `…` where it is cut.
pub(crate) fn line(text: &str) -> Box<str> {
    let bytes = text.as_bytes();
    // Without short cuts and in bytes, so that vectors do it.
    let next = bytes.get(1..).unwrap_or_default();
    let is_plain = bytes.iter().fold(0, |any, byte| any | u8::from(!(b' '..0x7f).contains(byte))) == 0;
    let has_gap = bytes.iter().zip(next).fold(0, |any, (a, b)| any | u8::from(*a == b' ') & u8::from(*b == b' ')) != 0;
    if bytes.len() < MOST && is_plain && !has_gap && bytes.last() != Some(&b' ') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len().min(MOST));
    let mut blank = false;
    for letter in text.chars() {
        if matches!(letter, '\n' | '\r' | '\t' | ' ') {
            blank = !out.is_empty();
            continue;
        }
        if out.len() + letter.len_utf8() + usize::from(blank) > MOST - '\u{2026}'.len_utf8() {
            out.push('\u{2026}');
            break;
        }
        if blank {
            out.push(' ');
            blank = false;
        }
        out.push(letter);
    }
    out.into()
}
