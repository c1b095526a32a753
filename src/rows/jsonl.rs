//! Rows as JSON, one object a line.

use super::{Error, Names, Writer};
use crate::event::{Row, RowRef};
use serde::Serialize as _;
use serde_json::ser::{CompactFormatter, Formatter};
use std::io::{self, BufRead, BufReader, Read, Write};

/// A longer line is no row: the longest text in one has a kilobyte.
const LONGEST: u64 = 16 << 20;

/// Writes rows as lines.
pub(super) struct Lines<'w> {
    out: &'w mut (dyn Write + Send),
}

impl<'w> Lines<'w> {
    pub(super) fn new(out: &'w mut (dyn Write + Send)) -> Self {
        Self { out }
    }
}

impl Writer for Lines<'_> {
    fn row(&mut self, row: RowRef<'_>) -> io::Result<()> {
        row.serialize(&mut serde_json::Serializer::with_formatter(&mut self.out, Ascii))?;
        self.out.write_all(b"\n")
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

/// JSON need not escape the upper control characters; a terminal obeys them all the same.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let is_control = |letter: char| matches!(letter, '\u{7f}'..='\u{9f}');
        let mut rest = fragment;
        if rest.bytes().all(|byte| byte < 0x7f) {
            return CompactFormatter.write_string_fragment(out, rest);
        }
        while let Some(at) = rest.find(is_control) {
            let letter = rest[at..].chars().next().unwrap_or_default();
            CompactFormatter.write_string_fragment(out, &rest[..at])?;
            write!(out, "\\u{:04x}", u32::from(letter))?;
            rest = &rest[at + letter.len_utf8()..];
        }
        CompactFormatter.write_string_fragment(out, rest)
    }
}

/// Reads lines.
pub(super) fn read(
    input: impl Read,
    names: &mut Names,
    each: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<(), Error> {
    let mut input = BufReader::with_capacity(1 << 18, input);
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        if input.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            let mut row = serde_json::from_slice(text)
                .map_err(|error| Error::NoRow { at: format!("line {number}: "), why: error.to_string() })?;
            names.share(&mut row);
            each(row)?;
        }
    }
    Ok(())
}
