//! The table of a status screen: keys aligned to the right, values cut at a width in bytes, their further lines indented to the
//! column where values begin. On a narrow terminal, and in copies, it looks otherwise.

use super::{frame, keys};
use crate::record::plain::{columns, is_wide, plain, uncoloured};
use crate::record::prefix::{self, trim_marks};
use crate::record::recover::joint;
use std::borrow::Cow;

/// Pieces of lines that a trimming copy may have shortened by so many blanks at most.
const TRIMMED: usize = 3;

/// The least room for a value.
const NARROW: usize = 40;

/// Values begin behind a key as long as `checkpoint[global]` at least.
pub(super) const COLUMN: usize = 20;

/// How the table is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Values begin in this column.
    Aligned(usize),
    /// A key and a colon on one line, its value on the next.
    Narrow,
    /// The copy lost the indents.
    Loose,
}

/// Keys and values with the wrapping undone.
pub(super) fn unwrap(raw: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let lines = frame::inside(raw);
    let first = lines.first().copied().unwrap_or_default();
    let before = keys::prefixed_task(first).map_or(&b""[..], |at| &first[..at]);
    let behind = |line: &'_ [u8]| prefix::repeated(before, line).unwrap_or(0);
    let lines: Vec<Cow<'_, [u8]>> = lines.iter().map(|raw| line(&raw[behind(raw)..])).collect();
    let layout = layout(&lines);
    let widest = Width::of(&lines);
    let mut before = Width::default();
    // Where the last key's value would begin beside it.
    let mut own = 0;
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let in_message = pairs.last().is_some_and(|(key, _)| key.starts_with(b"error-message["));
        if let Some((key, value)) = keys::key(line)
            && (is_key_line(line, key, value, layout, in_message) || (number == 0 && pairs.is_empty()))
        {
            pairs.push((key.to_vec(), value.to_vec()));
            own = column(line, key);
        } else if let Some((_, value)) = pairs.last_mut() {
            if is_elision(line) && !is_piece(line, before, widest, layout) {
                if value.last().is_some_and(u8::is_ascii_digit) {
                    value.extend_from_slice(b"...");
                }
                continue;
            }
            match layout {
                // A chat has put the value below its key; its further lines are still indented.
                Layout::Narrow if own > COLUMN && indent(line) >= own => value.extend_from_slice(&line[own..]),
                layout => add(value, line, before, widest, layout),
            }
        }
        before = Width::of(std::slice::from_ref(line));
    }
    pairs
}

/// The widest of some lines: the program counts bytes, a terminal columns.
#[derive(Debug, Clone, Copy, Default)]
struct Width {
    bytes: usize,
    columns: usize,
}

impl Width {
    fn of(lines: &[Cow<'_, [u8]>]) -> Self {
        lines.iter().fold(Self::default(), |widest, line| Self {
            bytes: widest.bytes.max(line.len()),
            columns: widest.columns.max(columns(line)),
        })
    }
}

/// A line as the terminal had it, without colours and a mail's or table's mark. Characters count as they were: a blank of
/// another kind becomes one only where a page has put it.
fn line(raw: &[u8]) -> Cow<'_, [u8]> {
    let line = raw.strip_suffix(b"\r").unwrap_or(raw);
    let line = if line.starts_with(b"> ") || line.starts_with(b"| ") { &line[2..] } else { line };
    if memchr::memmem::find(line, b"\xC2\xA0").is_some() { plain(line) } else { uncoloured(line) }
}

/// The layout that most of the lines have that begin with a key.
fn layout(lines: &[Cow<'_, [u8]>]) -> Layout {
    let mut places: Vec<(usize, usize)> = Vec::new();
    let mut empty = 0;
    for line in lines {
        let Some((key, value)) = keys::key(line) else { continue };
        empty += usize::from(value.trim_ascii().is_empty());
        places.push((indent(line), column(line, key)));
    }
    if 2 * empty > places.len() {
        return Layout::Narrow;
    }
    let count = |column: usize| places.iter().filter(|place| place.1 == column).count();
    let Some(most) = places.iter().map(|place| place.1).max_by_key(|one| (count(*one), *one)) else {
        return Layout::Loose;
    };
    // What is no piece of a value ends no further to the right.
    let fits = places.iter().all(|place| place.0 >= most || place.1 <= most);
    let are_most = 2 * count(most) > places.len() || places.len() == 2;
    if fits && are_most { Layout::Aligned(most) } else { Layout::Loose }
}

fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|byte| **byte == b' ').count()
}

/// Where the value of a key begins on its line.
fn column(line: &[u8], key: &[u8]) -> usize {
    indent(line) + key.len() + 2
}

/// Whether a line that begins with a key is that key's: wrapped text may look like one.
fn is_key_line(line: &[u8], key: &[u8], value: &[u8], layout: Layout, in_message: bool) -> bool {
    match layout {
        Layout::Aligned(wanted) => column(line, key) == wanted || (key.ends_with(b"]") && indent(line) < wanted),
        Layout::Narrow => value.trim_ascii().is_empty(),
        Layout::Loose => !in_message || key.ends_with(b"]"),
    }
}

/// Adds a further line to a value. What a line lacks to the width of the others, a copy trimmed off.
fn add(value: &mut Vec<u8>, line: &[u8], before: Width, widest: Width, layout: Layout) {
    let indent = indent(line);
    let (cut, short) = match layout {
        Layout::Loose => {
            let line = &line[indent..];
            // A terminal fills its lines, a chat breaks them between words.
            let between: &[u8] = match () {
                () if value.is_empty() => b"",
                () if before.columns == widest.columns => joint::between(value, line),
                () if joint::is_doubtful(value, line) => b"...",
                () => b" ",
            };
            value.extend_from_slice(between);
            value.extend_from_slice(line);
            return;
        }
        Layout::Aligned(column) if indent >= column => (column, widest.bytes - before.bytes),
        // Narrow, or broken again by a narrower terminal.
        Layout::Narrow if value.is_empty() => (0, 0),
        Layout::Narrow => (0, widest.bytes - before.bytes),
        // A character of two columns does not fit in the last one.
        Layout::Aligned(_) => match widest.columns - before.columns {
            1 if first_is_wide(line) => (0, 0),
            short => (0, short),
        },
    };
    if short <= TRIMMED {
        value.extend(std::iter::repeat_n(b' ', short));
    } else if cut == 0 {
        // A line end in the value.
        value.push(b'\n');
    }
    value.extend_from_slice(&line[cut..]);
}

fn first_is_wide(line: &[u8]) -> bool {
    let head = &line[..line.len().min(4)];
    head.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()).is_some_and(is_wide)
}

/// Whether a line is sure to be a piece of a value: it is indented so far, or fills up behind one that is full.
fn is_piece(line: &[u8], before: Width, widest: Width, layout: Layout) -> bool {
    match layout {
        Layout::Aligned(column) => indent(line) >= column,
        Layout::Narrow => before.bytes == widest.bytes,
        Layout::Loose => false,
    }
}

/// Whether the line behind `task` goes on with its last value, whatever it looks like: on a narrow terminal a value's pieces are
/// not indented, and fill their lines.
pub(in crate::record) fn is_narrow_piece(task: &[u8]) -> bool {
    let inside = frame::inside(task.strip_suffix(b"\n").unwrap_or(task));
    let lines = || inside.iter().map(|raw| line(raw));
    let is_key = |line: &[u8]| keys::key(line).is_some_and(|(_, value)| value.trim_ascii().is_empty());
    let is_narrow = task.split(|byte| *byte == b'\n').next().is_some_and(keys::is_task)
        && lines().nth(1).is_some_and(|line| is_key(&line));
    let Some(last) = lines().next_back().filter(|_| is_narrow) else { return false };
    is_key(&last) || (last.len() >= NARROW && lines().all(|line| line.len() <= last.len()))
}

fn is_elision(line: &[u8]) -> bool {
    let text = trim_marks(line).trim_ascii();
    text.starts_with(b"<..") || text.starts_with(b"...")
}
