//! The keys of a status screen, and the lines that only such a screen has.

use crate::record::prefix::{self, trim_marks};
use crate::units::parse_naive;

/// Keys without a store.
const KEYS: [&[u8]; 9] = [
    b"name",
    b"status",
    b"start",
    b"end",
    b"storage",
    b"speed(est.)",
    b"pause-time",
    b"pause-operator",
    b"pause-operator-pid",
];

/// Starts of the others: `checkpoint[global]`, `error[store=1]`, `pause-payload[errcode]`. A compiler's `error[E0277]` is none.
const STEMS: [&[u8]; 6] = [
    b"checkpoint[global",
    b"checkpoint[store",
    b"error[store",
    b"error-happen-at[store",
    b"error-message[store",
    b"pause-payload",
];

/// Most bytes of a key behind such a start.
const MOST: usize = 24;

/// Whether a word is a key.
pub(super) fn is_key(word: &[u8]) -> bool {
    KEYS.contains(&word)
        || STEMS.iter().any(|stem| {
            word.strip_prefix(*stem).is_some_and(|rest| {
                rest.len() < MOST && (rest.is_empty() && !stem.contains(&b'[') || rest.ends_with(b"]"))
            })
        })
}

/// The key and value of a line that begins with a key.
pub(in crate::record) fn key(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = trim_marks(line).trim_ascii_start();
    let colon = memchr::memchr(b':', &text[..text.len().min(64)])?;
    let (key, value) = (&text[..colon], &text[colon + 1..]);
    // Markdown escapes brackets.
    let is_known = is_key(key) || (key.ends_with(b"\\]") && is_key(&super::without_escapes(key)));
    is_known.then(|| (key, value.strip_prefix(b" ").unwrap_or(value)))
}

/// The line `> #N <` that starts a task.
pub(in crate::record) fn is_task(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    // In a frame or table.
    let text = prefix::bar(text).map_or(text, |bar| text[bar.len()..].trim_ascii_start());
    let text = prefix::without_end_bar(text, None).unwrap_or(text);
    let text =
        text.strip_prefix(b"> ").filter(|rest| rest.starts_with(b"> #") || rest.starts_with(b"&gt;")).unwrap_or(text);
    // Markdown takes the first sign for a quotation, and shows none.
    let inner = [&b"> #"[..], b"&gt; #", b"#"]
        .iter()
        .find_map(|start| text.strip_prefix(*start))
        .and_then(|rest| rest.strip_suffix(b" <").or_else(|| rest.strip_suffix(b" &lt;")));
    inner.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

/// The same behind what a viewer or container puts before each line: where the prefix ends.
pub(in crate::record) fn prefixed_task(line: &[u8]) -> Option<usize> {
    let at = memchr::memmem::find(line, b"> #")?;
    (is_task(&line[at..]) && prefix::strip(&line[..at]).at == at).then_some(at)
}

/// A task on a line that a copy has joined: where its `> #N <` stands.
pub(in crate::record) fn flat_task(line: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(line, b"> #").find(|at| {
        let rest = &line[at + 3..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let rest = rest[digits..].strip_prefix(b" <").filter(|_| digits > 0);
        rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"name: "))
    })
}

/// A line that stands on a status screen and nowhere else, where a copy begins in the middle of a screen.
pub(in crate::record) fn is_part(line: &[u8], next: &[u8]) -> bool {
    if super::flat::is_part(line) {
        return true;
    }
    let Some((word, value)) = key(line) else { return false };
    let follows = |wanted: &[u8]| key(next).is_some_and(|(word, _)| word == wanted);
    match word {
        b"name" => follows(b"status"),
        b"status" => is_state(value),
        b"start" => parse_naive(value).is_some() && (follows(b"end") || follows(b"storage")),
        b"end" => parse_naive(value).is_some() && follows(b"storage"),
        b"storage" => follows(b"speed(est.)"),
        b"speed(est.)" | b"pause-time" | b"pause-operator-pid" => true,
        _ => word.ends_with(b"]"),
    }
}

/// `\u{25CF} NORMAL`.
pub(super) fn is_state(value: &[u8]) -> bool {
    value.starts_with("\u{25CF}".as_bytes()) || value.starts_with("\u{25CB}".as_bytes())
}
