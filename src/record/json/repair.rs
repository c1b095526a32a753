//! JSON that a copy broke: values that became words in brackets, elisions, an end that is cut off, values broken over lines.

use crate::record::plain::columns;
use crate::record::recover::joint::is_between_digits;

/// The text as JSON, as far as that can be told.
pub(super) fn repaired(text: &[u8]) -> Vec<u8> {
    let mut repair = Repair { out: Vec::with_capacity(text.len() + 16), open: Vec::new(), is_even: is_even(text) };
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'"' => repair.string(after),
            b'[' => match redaction(rest) {
                Some(end) => repair.word(rest, end),
                None => repair.begin(b'[', after),
            },
            b'{' => repair.begin(b'{', after),
            b'}' | b']' => repair.end(byte, after),
            // As Markdown escapes a bracket.
            b'\\' if matches!(after.first(), Some(b'[' | b']')) => after,
            b',' => repair.comma(after),
            b':' => repair.push(byte, after),
            _ if byte.is_ascii_whitespace() => after,
            _ => {
                let is_part = |byte: &u8| !byte.is_ascii_whitespace() && !b",:{}[]\"\\".contains(byte);
                repair.word(rest, 1 + after.iter().take_while(|byte| is_part(byte)).count())
            }
        };
        if repair.open.is_empty() && matches!(byte, b'}' | b']') {
            break;
        }
    }
    repair.finish()
}

/// The lines as one. With dots between two digits, which say that they are not of one number for sure; outside of a string that
/// makes no JSON.
pub(super) fn joined(text: &[u8], dotted: bool) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    for line in lines(text) {
        out.extend_from_slice(if dotted && is_between_digits(&out, line) { b"..." } else { b"" });
        out.extend_from_slice(line);
    }
    out
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

struct Repair {
    out: Vec<u8>,
    /// Brackets that are open.
    open: Vec<u8>,
    /// Whether the lines are as a terminal breaks them.
    is_even: bool,
}

/// Whether all lines but the last are about equally wide, as a terminal breaks them: a long character at the edge goes to the next line.
pub(super) fn is_even(text: &[u8]) -> bool {
    let full = lines(text).count() - 1;
    let widths = || lines(text).take(full).map(columns);
    widths().max().zip(widths().min()).is_none_or(|(widest, narrowest)| widest - narrowest <= 2)
}

impl Repair {
    fn push<'t>(&mut self, byte: u8, after: &'t [u8]) -> &'t [u8] {
        self.out.push(byte);
        after
    }

    fn begin<'t>(&mut self, bracket: u8, after: &'t [u8]) -> &'t [u8] {
        self.separate();
        self.open.push(bracket);
        self.push(bracket, after)
    }

    /// Closes what the bracket closes; one that closes nothing is left out.
    fn end<'t>(&mut self, bracket: u8, after: &'t [u8]) -> &'t [u8] {
        let opened = if bracket == b'}' { b'{' } else { b'[' };
        if self.open.contains(&opened) {
            while let Some(open) = self.open.pop() {
                self.close(open);
                if open == opened {
                    break;
                }
            }
        }
        after
    }

    fn close(&mut self, open: u8) {
        self.drop_comma();
        if self.out.ends_with(b":") {
            self.out.extend_from_slice(b"null");
        }
        self.out.push(if open == b'{' { b'}' } else { b']' });
    }

    fn comma<'t>(&mut self, after: &'t [u8]) -> &'t [u8] {
        match self.out.last() {
            Some(b',' | b'{' | b'[') | None => {}
            Some(b':') => self.out.extend_from_slice(b"null,"),
            Some(_) => self.out.push(b','),
        }
        after
    }

    fn drop_comma(&mut self) {
        if self.out.ends_with(b",") {
            self.out.pop();
        }
    }

    /// Puts the comma that an elision took.
    fn separate(&mut self) {
        if !matches!(self.out.last(), Some(b',' | b'{' | b'[' | b':') | None) {
            self.out.push(b',');
        }
    }

    /// A string. A line end in it is a terminal's, or a chat's: whether one number was broken there or two stand side by side nobody can
    /// say, so dots tell that neither is one. A string that is cut off ends with dots.
    fn string<'t>(&mut self, text: &'t [u8]) -> &'t [u8] {
        self.separate();
        self.out.push(b'"');
        let mut escaped = false;
        for (at, byte) in text.iter().enumerate() {
            match byte {
                b'\t' => self.out.extend_from_slice(b"\\t"),
                b'\n' if !self.is_even && is_between_digits(&self.out, &text[at + 1..]) => {
                    self.out.extend_from_slice(b"...");
                }
                0..0x20 => continue,
                b'"' if !escaped => {
                    self.out.push(b'"');
                    return &text[at + 1..];
                }
                _ => self.out.push(*byte),
            }
            escaped = *byte == b'\\' && !escaped;
        }
        if escaped {
            self.out.pop();
        }
        self.out.extend_from_slice(b"...\"");
        &[]
    }

    /// A number or word; what is none of JSON's becomes a string, an elision nothing. A number at the very end may be cut.
    fn word<'t>(&mut self, text: &'t [u8], length: usize) -> &'t [u8] {
        let (word, after) = text.split_at(length);
        if word.iter().all(|byte| *byte == b'.') || word == "\u{2026}".as_bytes() {
            return after;
        }
        self.separate();
        let is_known = matches!(word, b"true" | b"false" | b"null")
            || (!after.is_empty() && serde_json::from_slice::<serde_json::Number>(word).is_ok());
        if is_known {
            self.out.extend_from_slice(word);
        } else {
            let dots = if after.is_empty() { "..." } else { "" };
            let text = format!("{}{dots}", String::from_utf8_lossy(word));
            self.out.extend(serde_json::to_vec(&text).unwrap_or_default());
        }
        after
    }

    fn finish(mut self) -> Vec<u8> {
        while let Some(open) = self.open.pop() {
            // A key without a value is no member.
            self.close(open);
        }
        self.out
    }
}

/// The length of `[REDACTED_LONG_ID]`, a word in brackets that is no list.
fn redaction(text: &[u8]) -> Option<usize> {
    let end = text.iter().take(48).position(|byte| *byte == b']')?;
    let word = &text[1..end];
    let is_word = word.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    (is_word && word.first().is_some_and(u8::is_ascii_uppercase)).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::repaired;

    #[test]
    fn what_a_copy_broke() {
        for (text, want) in [
            (r#"{"a": [REDACTED_LONG_ID], "b": [1, 2]}"#, r#"{"a":"[REDACTED_LONG_ID]","b":[1,2]}"#),
            ("{\"a\": \"x\ny\", ...\n \"b\": {\"c\": 1 ...}}", r#"{"a":"xy","b":{"c":1}}"#),
            (r#"{"a": 1, "b": [{"c": "re"#, r#"{"a":1,"b":[{"c":"re..."}]}"#),
            (r#"{"a": \[1, 2\], "b": "\["}"#, r#"{"a":[1,2],"b":"\["}"#),
            (r#"{"a": 94"#, r#"{"a":"94..."}"#),
            (r#"{"a": 1, "b":"#, r#"{"a":1,"b":null}"#),
            (r#"{"a": 1,}, {"b": 2}"#, r#"{"a":1}"#),
            (r#"{"a": <nil>, "b": 1.5e3}"#, r#"{"a":"<nil>","b":1.5e3}"#),
            (r#"{"a": "x\"#, r#"{"a":"x..."}"#),
            ("{\"a\":\"94\n8121\n7\"}", r#"{"a":"94...8121...7"}"#),
            ("{\"a\":\"94\n8121, 71\n7\"}", r#"{"a":"948121, 717"}"#),
        ] {
            assert_eq!(String::from_utf8_lossy(&repaired(text.as_bytes())), want, "{text}");
        }
    }
}
