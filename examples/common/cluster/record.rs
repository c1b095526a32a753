//! One record of the unified text log format, quoted as the program's language does it.

/// Which encoder wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoder {
    /// TiKV.
    Rust,
    /// TiDB, PD, BR.
    Go,
}

/// Keys and values in the order in which they are printed.
pub(crate) type Fields = Vec<(&'static str, String)>;

/// `fields!["key" => value, ...]`
macro_rules! fields {
    [$($key:expr => $value:expr),* $(,)?] => { vec![$(($key, $value.to_string())),*] };
}
pub(crate) use fields;

/// Level, place and message of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    /// As printed.
    pub(crate) level: &'a str,
    /// Source file and line.
    pub(crate) caller: &'a str,
    /// The message.
    pub(crate) message: &'a str,
}

/// `info("peer.rs:1", "message")`
pub(crate) fn info<'a>(caller: &'a str, message: &'a str) -> Head<'a> {
    Head { level: "INFO", caller, message }
}

/// The same for WARN.
pub(crate) fn warn<'a>(caller: &'a str, message: &'a str) -> Head<'a> {
    Head { level: "WARN", caller, message }
}

/// The same for ERROR.
pub(crate) fn error<'a>(caller: &'a str, message: &'a str) -> Head<'a> {
    Head { level: "ERROR", caller, message }
}

/// A record without its time, as its program will print it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    head: String,
    fields: Fields,
}

impl Record {
    /// Takes what it is made of.
    pub(crate) fn new(encoder: Encoder, head: Head<'_>, fields: Fields) -> Self {
        Self { head: format!("[{}] [{}] [{}]", head.level, head.caller, quoted(encoder, head.message)), fields }
    }

    /// The text, without a line end.
    pub(crate) fn text(&self, encoder: Encoder) -> String {
        let mut line = self.head.clone();
        for (key, value) in &self.fields {
            for text in [" [", &quoted(encoder, key), "=", &quoted(encoder, value), "]"] {
                line.push_str(text);
            }
        }
        line
    }
}

fn quoted(encoder: Encoder, text: &str) -> String {
    let needs = |b: u8| b <= b' ' || matches!(b, b'"' | b'=' | b'[' | b']') || (b == b'\\' && encoder == Encoder::Go);
    if text.bytes().any(needs) { escaped(text) } else { text.to_owned() }
}

/// As a JSON string.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_only_where_needed() {
        let fields = fields!["a" => 1, "safe point" => "x", "b" => "a\\b", "c" => "", "d" => "say \"hi\""];
        assert_eq!(
            Record::new(Encoder::Rust, info("a.rs:1", "word"), fields).text(Encoder::Rust),
            r#"[INFO] [a.rs:1] [word] [a=1] ["safe point"=x] [b=a\b] [c=] [d="say \"hi\""]"#
        );
        assert_eq!(
            Record::new(Encoder::Go, warn("a.go:1", "two words"), fields![r"b" => r"a\b"]).text(Encoder::Go),
            r#"[WARN] [a.go:1] ["two words"] [b="a\\b"]"#
        );
    }
}
