//! Log lines out of one JSON document, as log stores hand them out: answers of Loki's API, events of CloudWatch.
//! Documents with an object a line, or a member a line, are text: `record` reads those.
//! Offsets in such a source are those of the log text, which has one line for each entry. A document of many lines keeps them: a
//! record stands on the line of the text that it has in the document.

mod document;

use super::{damage, feed::Feed};
use document::Document;
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
        // What comes out is no longer than what went in, but for some line ends and a pod's name before each line.
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
        let count = (&self.document.out[self.at..]).read(out)?;
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::document::{Document, MOST_OWED};
    use super::{Export, Feed, begins};
    use std::io::Read as _;

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
                r#"{"status":"success","data":{"resultType":"streams","result":[{"stream":{"line":"x","app":"p"},"values":[["1658760884467000000","[a] \"b\""],["2","c\n",{"d":"e"}]]},{"stream":{},"values":[["3","f"]]}]}}"#,
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
            (
                r#"{"streams":[{"stream":{"pod":"tc-tikv-0","x":"y"},"values":[["1","[a"],["2","b\nc"]]},{"stream":{"x":"p"},"values":[["1","[d"]]}]}"#,
                "[pod/tc-tikv-0/] [a\n[pod/tc-tikv-0/] b\nc\n[d\n",
            ),
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
