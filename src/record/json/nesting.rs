//! Where the objects of JSON text begin and end, without reading what is in them.

use crate::record::plain::columns;
use std::ops::Range;

/// How deep a text has got into objects and lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::record) struct Nesting {
    depth: u32,
    quoted: bool,
    escaped: bool,
}

impl Nesting {
    /// Goes on with more text.
    pub(in crate::record) fn read(&mut self, text: &[u8]) {
        text.iter().for_each(|byte| self.step(*byte));
    }

    /// Whether an object or list is open.
    pub(in crate::record) fn is_open(self) -> bool {
        self.depth > 0
    }

    fn step(&mut self, byte: u8) {
        match byte {
            // A terminal's: none stands in a string.
            b'\n' | b'\r' => {}
            _ if self.escaped => self.escaped = false,
            b'\\' if self.quoted => self.escaped = true,
            b'"' => self.quoted = !self.quoted,
            _ if self.quoted => {}
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// The objects of a list, or objects side by side.
pub(in crate::record) fn top_level_objects(text: &[u8]) -> Vec<Range<usize>> {
    let lists = u32::from(text.trim_ascii_start().starts_with(b"["));
    let mut nesting = Nesting::default();
    let (mut start, mut found) = (None, Vec::new());
    for (at, byte) in text.iter().enumerate() {
        let was = nesting.depth;
        nesting.step(*byte);
        match byte {
            b'{' if was <= lists && nesting.depth > was => start = start.or(Some(at)),
            b'}' if was > nesting.depth && nesting.depth <= lists => {
                found.extend(start.take().map(|start| start..at + 1));
            }
            _ => {}
        }
    }
    found.extend(start.map(|start| start..text.len()));
    found
}

/// The start of a record in a string.
const HEAD: &[u8] = b"\"[20";

/// Whether more than one record begins in the strings of an object.
pub(in crate::record) fn holds_several(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, HEAD).nth(1).is_some()
}

/// The objects that have a record in a string of their own, where several have: the hits of a search. Else the whole text.
pub(in crate::record) fn wrapped_objects(text: &[u8]) -> Vec<Range<usize>> {
    /// Deeper ones are not told apart.
    const DEEP: usize = 64;
    let mut nesting = Nesting::default();
    // Where each open object begins, and whether it has a record.
    let (mut open, mut found): (Vec<(usize, bool)>, Vec<Range<usize>>) = (Vec::new(), Vec::new());
    for (at, byte) in text.iter().enumerate() {
        let was = nesting;
        nesting.step(*byte);
        match byte {
            b'{' if nesting.depth > was.depth && open.len() < DEEP => open.push((at, false)),
            b'}' if nesting.depth < was.depth => {
                if let Some((start, true)) = open.pop() {
                    found.push(start..at + 1);
                }
            }
            b'"' if nesting.quoted && !was.quoted && text[at..].starts_with(HEAD) => {
                if let Some((_, has)) = open.last_mut() {
                    *has = true;
                }
            }
            _ => {}
        }
    }
    // One inside another is read with it.
    found.sort_unstable_by_key(|object| (object.start, std::cmp::Reverse(object.end)));
    found.dedup_by(|inner, outer| inner.end <= outer.end);
    if found.len() < 2 { std::iter::once(0..text.len()).collect() } else { found }
}

/// What a record of a log begins with as an object.
const HEADS: [&[u8]; 7] =
    [b"\"level\"", b"\"time\"", b"\"ts\"", b"\"timestamp\"", b"\"caller\"", b"\"message\"", b"\"msg\""];

/// Whether an object of many lines begins: its bracket stands alone, and a member follows, no deeper than in a list of objects; where a
/// copy took the blanks away, one that a record begins with.
pub(in crate::record) fn begins_object(line: &[u8], next: &[u8]) -> bool {
    let (line, next) = (unmarked(line), unmarked(next));
    let blanks = |text: &[u8]| text.len() - text.trim_ascii_start().len();
    if line.trim_ascii() != b"{" || !is_member(next.trim_ascii_start()) {
        return false;
    }
    let step = blanks(next).saturating_sub(blanks(line));
    let is_flat = || blanks(next) == 0 && HEADS.iter().any(|head| next.starts_with(head));
    (step > 0 && blanks(line) <= step) || is_flat()
}

/// Whether a terminal broke the text: all its lines, each with its end, are equally wide.
pub(in crate::record) fn is_broken(text: &[u8]) -> bool {
    /// No terminal is narrower.
    const NARROW: usize = 40;
    let mut widths = text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n').map(columns);
    let first = widths.next().unwrap_or(0);
    first >= NARROW && widths.all(|width| width == first)
}

/// `"key": value`.
pub(in crate::record) fn is_member(text: &[u8]) -> bool {
    let Some(inner) = text.strip_prefix(b"\"") else { return false };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.@ ".contains(byte);
    let key = inner.iter().take(64).take_while(|byte| is_name(byte)).count();
    key > 0 && inner[key..].strip_prefix(b"\"").is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"))
}

/// Whether members of an object follow each other without blanks, as programs print them: `","error":"`, however often quoted.
pub(in crate::record) fn has_members(text: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    memchr::memmem::find_iter(text, b"\":\"").any(|at| {
        let before = text[..at].strip_suffix(b"\"").unwrap_or(&text[..at]);
        let before = before.strip_suffix(b"\\").unwrap_or(before);
        let name = before.iter().rev().take(48).take_while(|byte| is_name(byte)).count();
        let before = &before[..before.len() - name];
        name > 1 && (before.ends_with(b",\"") || before.ends_with(b",\\\"")) && !is_within(before)
    }) || doubled(text)
}

/// Whether an object that begins in the text is still open at its end: what follows is no head that got lost.
fn is_within(text: &[u8]) -> bool {
    let count = |brace| memchr::memchr_iter(brace, text).count();
    count(b'{') > count(b'}')
}

/// The same with every quote doubled by a table: `"",""error"":""`.
fn doubled(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"\"\":\"\"").is_some() && memchr::memmem::find(text, b"\"\",\"").is_some()
}

/// A line without a mail's or table's mark.
fn unmarked(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"> ").or_else(|| line.strip_prefix(b"| ")).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_a_list_and_side_by_side() {
        for (text, want) in [
            (
                r#"[{"name":"a}","x":[{"y":1}]},{"name":"b"}]"#,
                vec![r#"{"name":"a}","x":[{"y":1}]}"#, r#"{"name":"b"}"#],
            ),
            (r#"{"a":1}{"b":{"c":[{}]}}"#, vec![r#"{"a":1}"#, r#"{"b":{"c":[{}]}}"#]),
            (r#"[{"a":1},{"b":"#, vec![r#"{"a":1}"#, r#"{"b":"#]),
            ("[]", vec![]),
        ] {
            let found: Vec<_> = top_level_objects(text.as_bytes()).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, want, "{text}");
        }
    }

    #[test]
    fn hits_of_a_search_are_told_apart() {
        for (text, want) in [
            (
                r#"{"hits":[{"_id":1,"_source":{"log":"[2022"}},{"_source":{"log":"[2023"}}]}"#,
                vec![r#"{"log":"[2022"}"#, r#"{"log":"[2023"}"#],
            ),
            (r#"{"log":"[2022","x":{"y":"[2022"}}"#, vec![r#"{"log":"[2022","x":{"y":"[2022"}}"#]),
            (r#"{"log":"[2022"}"#, vec![r#"{"log":"[2022"}"#]),
        ] {
            let found: Vec<_> = wrapped_objects(text.as_bytes()).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, want, "{text}");
        }
    }

    #[test]
    fn objects_of_many_lines() {
        for (line, next, begins) in [
            ("{", "  \"a\": 1,", true),
            ("  {", "    \"a\": 1,", true),
            ("\t{", "\t\t\"a\": 1,", true),
            ("> {", ">   \"a\": 1,", true),
            ("      {", "        \"a\": 1,", false),
            ("{", "    a: 1,", false),
            ("{", "\"a\": 1,", false),
            ("x {", "    \"a\": 1,", false),
        ] {
            assert_eq!(begins_object(line.as_bytes(), next.as_bytes()), begins, "{line} {next}");
        }
    }
}
