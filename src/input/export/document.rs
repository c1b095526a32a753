//! A walk through a document that puts its log lines out.

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
    /// Loki's labels of a stream.
    Stream,
    /// The pod among them.
    Pod,
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
    Pod,
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

/// Names of pods are no longer.
const POD: usize = 253;

/// Between two records of a document stand no more lines.
pub(super) const MOST_OWED: usize = 4 << 10;

/// Walks through a document byte by byte, whatever is wrong with it.
pub(super) struct Document {
    open: Vec<Open>,
    /// Levels that are deeper than is worth knowing.
    deeper: usize,
    text: Text,
    escape: Escape,
    /// The first half of a pair.
    high: Option<u16>,
    key: Vec<u8>,
    /// Whose lines come next, where labels say so.
    pod: Vec<u8>,
    /// Whether a line begins that has labels.
    labelled: bool,
    /// The log lines so far.
    pub(super) out: Vec<u8>,
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
            pod: Vec::new(),
            labelled: false,
            out: Vec::new(),
            ended: true,
            owed: 0,
        }
    }
}

impl Document {
    /// Takes the next byte.
    pub(super) fn step(&mut self, byte: u8) {
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
                    Some(Open::Object(Member::Pod, false)) => Text::Pod,
                    _ => Text::Skipped,
                };
                let of_stream = matches!(self.open.last(), Some(Open::List(..))) && !self.pod.is_empty();
                self.labelled = self.text == Text::Line && of_stream;
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
                let outer = self.open.len().checked_sub(2).map(|at| self.open[at]);
                let is = match (&*self.key, outer) {
                    (b"pod", Some(Open::Object(Member::Stream, _))) => Member::Pod,
                    (b"message" | b"line" | b"log" | b"@message", _) => Member::Line,
                    (b"values", _) => Member::Values,
                    (b"stream", _) => Member::Stream,
                    _ => Member::Other,
                };
                if is == Member::Stream {
                    self.pod.clear();
                }
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
            Text::Pod
                if self.pod.len() < POD
                    && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(byte)) =>
            {
                self.pod.extend_from_slice(bytes);
            }
            Text::Line | Text::Plain => {
                // A document that has lines keeps them: what begins a record stands on the line that it has there. What goes on
                // with one stays right behind it.
                if self.ended && b"[{>".contains(&bytes[0]) {
                    let count = usize::try_from(self.owed).unwrap_or(0).min(MOST_OWED);
                    self.out.extend(std::iter::repeat_n(b'\n', count));
                    self.owed = self.owed.min(0);
                }
                // As `kubectl logs --prefix` says whose a line is.
                if std::mem::take(&mut self.labelled) {
                    self.out.extend([b"[pod/", &*self.pod, b"/] "].concat());
                }
                self.ended = bytes == b"\n";
                self.owed -= i64::from(self.ended);
                self.out.extend_from_slice(bytes);
            }
            _ => {}
        }
    }

    /// Ends the text at hand, where the document does not.
    pub(super) fn end_text(&mut self) {
        self.lonely();
        if !std::mem::replace(&mut self.ended, true) {
            self.out.push(b'\n');
            self.owed -= 1;
        }
        (self.text, self.escape) = (Text::None, Escape::None);
    }
}
