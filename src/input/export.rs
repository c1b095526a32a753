//! Log lines out of one JSON document, as log stores hand them out: answers of Loki's API, events of CloudWatch.
//! Documents with an object a line, or a member a line, are text: `record` reads those.
//! Offsets in such a source are those of the log text, which has one line for each entry. A document of many lines keeps them: a
//! record stands on the line of the text that it has in the document.

use super::{damage, feed::Feed};
use std::io::{self, Read};

/// Looked at to know such a document.
const HEAD: usize = 2 << 10;

/// Whether a text is such a document.
pub(super) fn begins(head: &[u8]) -> bool {
    const STARTS: [&[u8]; 5] = [
        b"{\"events\":[{\"",
        b"{\"messageType\":\"DATA_MESSAGE\"",
        b"{\"status\":\"success\",\"data\":{\"resultType\":\"streams\"",
        b"{\"data\":{\"resultType\":\"streams\"",
        b"{\"streams\":[{\"stream\":{",
    ];
    let head = &head[..head.len().min(HEAD)];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if !head.trim_ascii_start().starts_with(b"{") {
        return false;
    }
    let dense: Vec<u8> = head.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STARTS.iter().any(|start| dense.starts_with(start))
}

/// A reader of the log lines.
pub(super) struct Export<'f, 'a> {
    feed: &'f mut Feed<'a>,
    document: Document,
    at: usize,
}

impl<'f, 'a> Export<'f, 'a> {
    pub(super) fn new(feed: &'f mut Feed<'a>) -> Self {
        Self { feed, document: Document::default(), at: 0 }
    }

    /// Makes the next text ready; false at the end.
    fn refill(&mut self) -> io::Result<bool> {
        self.document.out.clear();
        self.at = 0;
        let bytes = match self.feed.peek(1) {
            Ok(bytes) => bytes,
            Err(error) => {
                if damage::goes_on(&error) {
                    self.document.end_text();
                }
                return Err(error);
            }
        };
        if bytes.is_empty() {
            self.document.end_text();
            return Ok(!self.document.out.is_empty());
        }
        // What comes out is never longer than what went in, but for some line ends.
        let count = bytes.len();
        bytes.iter().for_each(|byte| self.document.step(*byte));
        self.feed.consume(count);
        Ok(true)
    }
}

impl Read for Export<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.document.out.len() {
            if !self.refill()? {
                return Ok(0);
            }
        }
        let bytes = &self.document.out[self.at..];
        let count = bytes.len().min(out.len());
        out[..count].copy_from_slice(&bytes[..count]);
        self.at += count;
        Ok(count)
    }
}

/// An object or list that is open.
#[derive(Debug, Clone, Copy)]
enum Open {
    /// What its member at hand is, and whether a key comes next.
    Object(Member, bool),
    /// Whose list it is, and how many items are past.
    List(Member, u32),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Member {
    /// A log line.
    Line,
    /// Loki's list of entries.
    Values,
    /// One of them: a time, and a line.
    Entry,
    Other,
}

/// What the text at hand is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Text {
    None,
    Key,
    Line,
    Skipped,
    /// Not JSON at all, up to the line's end: it is kept.
    Plain,
}

/// Where in an escape a string is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Escape {
    None,
    Begun,
    /// Digits that are past, and their value.
    Unicode(u32, u32),
}

/// Documents are no deeper.
const DEEP: usize = 64;

/// Keys are no longer.
const KEY: usize = 16;

/// Between two records of a document stand no more lines.
const MOST_OWED: usize = 4 << 10;

/// Walks through a document byte by byte, whatever is wrong with it.
struct Document {
    open: Vec<Open>,
    /// Levels that are deeper than is worth knowing.
    deeper: usize,
    text: Text,
    escape: Escape,
    /// The first half of a pair.
    high: Option<u16>,
    key: Vec<u8>,
    out: Vec<u8>,
    /// Whether the last line has its end.
    ended: bool,
    /// Line ends of the document that have not come out yet, less those that came out before the document's own.
    owed: i64,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            deeper: 0,
            text: Text::None,
            escape: Escape::None,
            high: None,
            key: Vec::new(),
            out: Vec::new(),
            ended: true,
            owed: 0,
        }
    }
}

impl Document {
    fn step(&mut self, byte: u8) {
        match (self.text, byte) {
            (Text::None, _) => self.structure(byte),
            // No string of JSON holds one: a quote is lost.
            (_, b'\n') => {
                self.end_text();
                self.owed += 1;
            }
            (Text::Plain, _) => self.put(&[byte]),
            _ => self.string(byte),
        }
    }

    fn structure(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.text = match self.open.last() {
                    _ if self.deeper > 0 => Text::Skipped,
                    Some(Open::Object(_, true)) => Text::Key,
                    Some(Open::Object(Member::Line, false) | Open::List(Member::Entry, 1)) => Text::Line,
                    _ => Text::Skipped,
                };
                self.key.clear();
            }
            b'{' | b'[' if self.open.len() == DEEP => self.deeper += 1,
            b'}' | b']' if self.deeper > 0 => self.deeper -= 1,
            b'{' => self.open.push(Open::Object(Member::Other, true)),
            b'[' => {
                let member = match self.open.last() {
                    Some(Open::Object(Member::Values, _)) => Member::Values,
                    Some(Open::List(Member::Values, _)) => Member::Entry,
                    _ => Member::Other,
                };
                self.open.push(Open::List(member, 0));
            }
            b'}' | b']' => drop(self.open.pop()),
            b'\n' => self.owed += 1,
            b',' if self.deeper == 0 => match self.open.last_mut() {
                Some(Open::Object(member, wants_key)) => (*member, *wants_key) = (Member::Other, true),
                Some(Open::List(_, past)) => *past += 1,
                None => {}
            },
            b':' if self.deeper == 0 => {
                let is = match &*self.key {
                    b"message" | b"line" | b"log" | b"@message" => Member::Line,
                    b"values" => Member::Values,
                    _ => Member::Other,
                };
                if let Some(Open::Object(member, wants_key)) = self.open.last_mut() {
                    (*member, *wants_key) = (is, false);
                }
            }
            _ if self.open.is_empty() && !byte.is_ascii_whitespace() && byte != b',' => {
                self.text = Text::Plain;
                self.put(&[byte]);
            }
            _ => {}
        }
    }

    fn string(&mut self, byte: u8) {
        match (self.escape, byte) {
            (Escape::None, b'"') => self.end_text(),
            (Escape::None, b'\\') => self.escape = Escape::Begun,
            (Escape::None, _) => {
                self.lonely();
                self.put(&[byte]);
            }
            (Escape::Begun, b'u') => self.escape = Escape::Unicode(0, 0),
            (Escape::Begun, _) => {
                self.lonely();
                self.escape = Escape::None;
                let char = match byte {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'b' => 8,
                    b'f' => 12,
                    other => other,
                };
                self.put(&[char]);
            }
            (Escape::Unicode(past, value), _) => match char::from(byte).to_digit(16) {
                Some(digit) if past == 3 => {
                    self.escape = Escape::None;
                    self.unit((value << 4 | digit) as u16);
                }
                Some(digit) => self.escape = Escape::Unicode(past + 1, value << 4 | digit),
                None => {
                    self.escape = Escape::None;
                    self.put("\u{fffd}".as_bytes());
                    self.string(byte);
                }
            },
        }
    }

    /// A unit of UTF-16.
    fn unit(&mut self, unit: u16) {
        if self.high.is_none() && (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
            return;
        }
        let high = self.high.take();
        for char in char::decode_utf16(high.into_iter().chain([unit])) {
            let char = char.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.put(char.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    /// Half a pair whose other half did not come.
    fn lonely(&mut self) {
        if self.high.take().is_some() {
            self.put("\u{fffd}".as_bytes());
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        match self.text {
            Text::Key if self.key.len() < KEY => self.key.extend_from_slice(bytes),
            Text::Line | Text::Plain => {
                // A document that has lines keeps them: what begins a record stands on the line that it has there. What goes on
                // with one stays right behind it.
                if self.ended && b"[{>".contains(&bytes[0]) {
                    let count = usize::try_from(self.owed).unwrap_or(0).min(MOST_OWED);
                    self.out.extend(std::iter::repeat_n(b'\n', count));
                    self.owed = self.owed.min(0);
                }
                self.ended = bytes == b"\n";
                self.owed -= i64::from(self.ended);
                self.out.extend_from_slice(bytes);
            }
            _ => {}
        }
    }

    fn end_text(&mut self) {
        self.lonely();
        if !std::mem::replace(&mut self.ended, true) {
            self.out.push(b'\n');
            self.owed -= 1;
        }
        (self.text, self.escape) = (Text::None, Escape::None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> String {
        assert!(begins(text.as_bytes()), "{text}");
        let whole = {
            let mut source = text.as_bytes();
            let mut feed = Feed::new(&mut source);
            let mut out = String::new();
            Export::new(&mut feed).read_to_string(&mut out).unwrap();
            out
        };
        // A byte at a time.
        let mut document = Document::default();
        text.bytes().for_each(|byte| document.step(byte));
        document.end_text();
        assert_eq!(document.out, whole.as_bytes());
        whole
    }

    #[test]
    fn entries_become_lines() {
        for (text, want) in [
            (
                r#"{"status":"success","data":{"resultType":"streams","result":[{"stream":{"line":"x","pod":"p"},"values":[["1658760884467000000","[a] \"b\""],["2","c\n",{"d":"e"}]]},{"stream":{},"values":[["3","f"]]}]}}"#,
                "x\n[a] \"b\"\nc\nf\n",
            ),
            (
                "{\n    \"events\": [\n        {\n            \"timestamp\": 1,\n            \"message\": \"a\\u00e9\\ud83d\\ude00\\tb\",\n            \"eventId\": \"z\"\n        },\n        { \"message\": \"two\\nlines\" }\n    ]\n}\n",
                "aé😀\tb\ntwo\nlines\n",
            ),
            (
                r#"{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","message":"a"}]}{"messageType":"DATA_MESSAGE","logEvents":[{"message":"b"}]}"#,
                "a\nb\n",
            ),
            (r#"{"streams":[{"stream":{},"values":[["1","a"]]}]}"#, "a\n"),
        ] {
            assert_eq!(lines(text), want);
        }
    }

    #[test]
    fn records_stand_on_their_lines_of_the_document() {
        let text = "{\n  \"events\": [\n    {\n      \"message\": \"[2022 a\",\n      \"x\": \"y\"\n    },\n    {\n      \"message\": \"b\"\n    },\n    {\n      \"message\": \"[2022 c\\n\"\n    }\n  ]\n}\n";
        assert_eq!(lines(text), "\n\n\n[2022 a\nb\n\n\n\n\n\n[2022 c\n");
        let flood = format!("{{\"events\":[{{\"message\":\"[a\"}},{}{{\"message\":\"[b\"}}]}}", "\n".repeat(99_999));
        assert_eq!(lines(&flood).len(), 6 + MOST_OWED);
    }

    #[test]
    fn what_is_broken_costs_no_more_than_itself() {
        for (text, want) in [
            ("{\"events\":[{\"message\":\"a\"},{\"message\":\"cut o", "a\ncut o\n"),
            ("{\"events\":[{\"message\":\"no quote\n},{\"message\":\"b\"}]}", "no quote\nb\n"),
            (
                "{\"events\":[{\"message\":\"a\\ud83dx\\u12\"}]}]]}\nplain {x\n{\"message\":\"b\"}",
                "a\u{fffd}x\u{fffd}\nplain {x\nb\n",
            ),
        ] {
            assert_eq!(lines(text), want);
        }
        let deep = format!("{{\"events\":[{{\"a\":{}{},\"message\":\"b\"}}]}}", "[".repeat(500), "]".repeat(500));
        assert_eq!(lines(&deep), "b\n");
    }

    #[test]
    fn other_documents_are_text() {
        for text in [
            "{\"log\":\"x\"}",
            "[{\"name\":\"task1\"}]",
            "{\"events\":[]}",
            "x {\"events\":[{\"",
            "{\n  \"line\": \"x\"\n}",
        ] {
            assert!(!begins(text.as_bytes()), "{text}");
        }
    }
}
