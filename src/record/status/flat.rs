//! A status screen whose lines a copy has joined to one.

use super::keys;
use super::table::COLUMN;

/// A key in the text: where the blanks before it begin, where it begins, where its value does.
struct Place {
    gap: usize,
    start: usize,
    value: usize,
}

/// Whether a line is the rest of a joined screen, from the middle of a value or a later key on.
pub(super) fn is_part(line: &[u8]) -> bool {
    let found = places(line);
    let is_sure = |place: &Place| {
        let key = &line[place.start..place.value - 2];
        key.ends_with(b"]") || (key == b"status" && keys::is_state(&line[place.value..])) || key == b"speed(est.)"
    };
    found.len() > 1 && found.iter().filter(|place| is_sure(place)).count() > 1
}

/// Keys and values of a joined screen; `None` where the screen has its lines.
pub(super) fn pairs(raw: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let first = raw.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if keys::flat_task(first) != Some(0) && !is_part(first) {
        return None;
    }
    let found = places(raw);
    // Before the longest key stands what the copy put for a line end, and nothing else.
    let longest = found.iter().map(|place| place.value - place.start).max()?;
    let gap =
        found.iter().filter(|place| place.value - place.start == longest).map(|place| place.start - place.gap).min();
    let indent = longest + gap.unwrap_or(1);
    let ends = found.iter().skip(1).map(|next| next.gap).chain([raw.len()]);
    let pair = |(place, end): (&Place, usize)| {
        (raw[place.start..place.value - 2].to_vec(), unindented(&raw[place.value..end.max(place.value)], indent))
    };
    Some(found.iter().zip(ends).map(pair).collect())
}

/// A value without the indents of its lines, and without line ends.
fn unindented(value: &[u8], indent: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr(b' ', rest) {
        let run = rest[at..].iter().take_while(|byte| **byte == b' ').count();
        let kept = if run >= indent.max(COLUMN) { run - indent } else { run };
        out.extend_from_slice(&rest[..at]);
        out.extend(std::iter::repeat_n(b' ', kept));
        rest = &rest[at + run..];
    }
    out.extend_from_slice(rest);
    out.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    out
}

/// The keys of a joined screen, in order.
fn places(text: &[u8]) -> Vec<Place> {
    let mut found: Vec<Place> = Vec::new();
    let mut in_message = false;
    for colon in memchr::memmem::find_iter(text, b": ") {
        let head = &text[..colon];
        let word = head.iter().rev().take(64).take_while(|byte| is_key_byte(**byte)).count();
        let mut start = colon - word;
        if !keys::is_key(&text[start..colon]) {
            // Without anything between, only keys with a bracket are sure.
            let Some(glued) = glued(&text[start..colon]) else { continue };
            start += glued;
        }
        let of_store = text[start..colon].ends_with(b"]");
        // Messages may hold words that look like keys.
        if in_message && !of_store {
            continue;
        }
        in_message |= text[start..colon].starts_with(b"error-message[");
        let gap = start - text[..start].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
        let gap = gap.max(found.last().map_or(0, |before| before.value));
        found.push(Place { gap, start, value: colon + 2 });
    }
    found
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-[]=().".contains(&byte)
}

/// Where a key with a bracket begins in a word that ends with it.
fn glued(word: &[u8]) -> Option<usize> {
    const STARTS: [&[u8]; 5] = [b"error-message[", b"error-happen-at[", b"error[", b"checkpoint[", b"pause-payload["];
    STARTS
        .iter()
        .find_map(|start| memchr::memmem::rfind(word, start))
        .filter(|at| word[..*at].last().is_some_and(|byte| *byte != b'-') && keys::is_key(&word[*at..]))
}
