//! Whether a line goes on with a record: judged by the record's text so far and the line.

use super::phrases::PHRASES;
use super::plain::plain;
use super::{Kind, header, prefix};

/// Whether a line goes on with a record of one line by its grammar, whose text so far is `text`.
pub(super) fn goes_on(text: &[u8], line: &[u8], unfinished: bool) -> bool {
    /// Of longer records nothing is counted.
    const MOST: usize = 64 << 10;
    let line = plain(line);
    let before = prefix::strip(&line);
    if before.local.is_some() {
        // A row of its own in a viewer's table.
        return false;
    }
    let line = &line[before.at..];
    let line = line.trim_ascii_start();
    let inner = line.strip_prefix(b"\\").unwrap_or(line).strip_prefix(b"[");
    let key = inner.map_or(0, |inner| {
        let inner = inner.strip_prefix(b"\"").unwrap_or(inner);
        let key =
            inner.iter().take(48).take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.? ".contains(byte)).count();
        if inner.get(key) == Some(&b'=') || inner[key..].starts_with(b"\"=") { key } else { 0 }
    });
    if key > 0 {
        // A field: records do not begin with one.
        return true;
    }
    if text.len() > MOST {
        return unfinished;
    }
    let quotes = memchr::memchr_iter(b'"', text).filter(|at| !is_escaped(text, *at)).count();
    let brackets = memchr::memchr_iter(b'[', text).count();
    if inner.is_some_and(|inner| inner.starts_with(b"\"")) {
        // A message: only where the record has none yet.
        return brackets <= 3 && memchr::memmem::find(text, b"[\"").is_none();
    }
    unfinished || quotes % 2 == 1 || (brackets <= 3 && inner.is_some())
}

/// Whether a backslash stands before a byte; a terminal may have broken the line between the two.
fn is_escaped(text: &[u8], at: usize) -> bool {
    let before = &text[..at];
    let before = before.strip_suffix(b"\n").map_or(before, |before| before.strip_suffix(b"\r").unwrap_or(before));
    before.ends_with(b"\\")
}

/// Whether the first quote of a line, not counting escaped ones, ends a value.
pub(super) fn closes_quote(line: &[u8]) -> bool {
    let quote = memchr::memchr_iter(b'"', line).find(|at| *at == 0 || line[at - 1] != b'\\');
    quote.is_some_and(|at| line.get(at + 1) == Some(&b']'))
}

/// Whether a line that looks like a record's start may be a piece of a line that a container cut, or of a narrow screen.
pub(super) fn may_be_piece(kind: Kind, line: &[u8]) -> bool {
    match kind {
        Kind::Clean | Kind::Json | Kind::StatusJson | Kind::StatusTask | Kind::Row => false,
        Kind::Header => header::whole(&plain(line), true).is_none(),
        _ => true,
    }
}

/// Whether a container cut the line, so that the next one goes on with it.
pub(super) fn is_partial(line: &[u8]) -> bool {
    memchr::memmem::find(line, b" P ").is_some() && prefix::strip(&plain(line)).is_partial
}

/// Whether a record's text can end here.
#[inline]
pub(super) fn ends(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let line = prefix::without_end_bar(line, None).unwrap_or(line);
    line.ends_with(b"]") || !line.contains(&b'[') || line.ends_with(b"}")
}

/// Lines of stacks and backtraces as they are nowhere else: `goroutine 1 [running]:`, `main.main()`, `  12: 0x7f91`.
pub(super) fn is_trace(line: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._/*-@[]{}<>:~".contains(byte);
    let call = line.iter().take_while(|byte| is_name(byte)).count();
    let is_call = call > 3 && line.get(call) == Some(&b'(') && line[..call].contains(&b'.');
    let is_place = || memchr::memmem::find(line, b".go:").is_some() && memchr::memmem::find(line, b" +0x").is_some();
    line.first().is_some_and(u8::is_ascii_whitespace) || is_call || PHRASES.stack.tells(line) || is_place()
}

/// Lines of stacks and backtraces, and other indented text.
pub(super) fn is_stack(line: &[u8]) -> bool {
    line.first().is_some_and(|byte| *byte == b' ' || *byte == b'\t')
        || line.starts_with(b"goroutine ")
        || line.starts_with(b"Caused by")
}
