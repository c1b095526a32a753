//! Log lines as templates: quoting and order are settled once, a line is then a row of copies.

use crate::clock::Clock;
use crate::random::Random;
use crate::regions::Region;

/// One kind of line. Texts may hold holes in angle brackets, such as `<r>`; see [`Hole`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    /// How often, against the others of its list.
    pub(crate) weight: u32,
    /// As printed.
    pub(crate) level: &'static str,
    /// Source file and line.
    pub(crate) caller: &'static str,
    /// The message.
    pub(crate) text: &'static str,
    /// Keys and values in the order in which they are printed.
    pub(crate) fields: &'static [(&'static str, &'static str)],
}

/// What stands in a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hole {
    /// `<r>`: region id; `<p>`, `<q>`, `<o>`: its peers on stores 1, 4 and 5; `<x>`: the id of the next region.
    Id(u64),
    /// `<t>`, `<u>`: term, and the next.
    Term(u64),
    /// `<v>`, `<w>`: epoch version, and the next.
    Version(u64),
    /// `<k>`
    Start,
    /// `<e>`
    End,
    /// `<now>`: a TSO; `<c>`: one that is a minute old.
    Tso(u64),
    /// `<i>`: a log index, `<d>`: 1 to 999, `<f>`: six digits, `<z>`: size of a region in bytes.
    Number(u64, u64),
}

impl Hole {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "r" => Self::Id(0),
            "p" => Self::Id(1),
            "q" => Self::Id(2),
            "o" => Self::Id(3),
            "x" => Self::Id(4),
            "t" => Self::Term(0),
            "u" => Self::Term(1),
            "v" => Self::Version(0),
            "w" => Self::Version(1),
            "k" => Self::Start,
            "e" => Self::End,
            "now" => Self::Tso(0),
            "c" => Self::Tso(60_000 << 18),
            "i" => Self::Number(1_000, 90_000),
            "d" => Self::Number(1, 999),
            "f" => Self::Number(100_000, 999_999),
            "z" => Self::Number(90_000_000, 160_000_000),
            _ => return None,
        })
    }
}

/// The notation of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// Unified text log format.
    Text,
    /// One JSON object a line.
    Json,
}

/// A message ready to be written: what follows the time.
#[derive(Debug)]
pub(crate) struct Template {
    parts: Vec<(Vec<u8>, Hole)>,
    tail: Vec<u8>,
    notation: Notation,
}

impl Template {
    /// Settles quoting and order.
    pub(crate) fn new(message: &Message, notation: Notation) -> Self {
        let line = match notation {
            Notation::Text => {
                let mut line = format!("] [{}] [{}] [{}]", message.level, message.caller, quoted(message.text));
                for (key, value) in message.fields {
                    push_field(&mut line, key, value);
                }
                line + "\n"
            }
            Notation::Json => {
                let mut line = format!(
                    "\",\"level\":\"{}\",\"caller\":\"{}\",\"message\":{}",
                    message.level,
                    message.caller,
                    escaped(message.text)
                );
                for (key, value) in message.fields {
                    line.push(',');
                    line.push_str(&escaped(key));
                    line.push(':');
                    line.push_str(&if is_number(value) { (*value).to_owned() } else { escaped(value) });
                }
                line + "}\n"
            }
        };
        let (parts, tail) = cut(&line);
        Self { parts, tail, notation }
    }

    /// Text that is no whole line: the repeated middle of a long one.
    pub(crate) fn piece(text: &str) -> Self {
        let escaped = escaped(text);
        let (parts, tail) = cut(&escaped[1..escaped.len() - 1]);
        Self { parts, tail, notation: Notation::Text }
    }

    /// What closes a long line: the end of the open value, and the fields after it.
    pub(crate) fn closing(text: &str, fields: &[(&str, &str)]) -> Self {
        let mut line = escaped(text)[1..].to_owned() + "]";
        for (key, value) in fields {
            push_field(&mut line, key, value);
        }
        let (parts, tail) = cut(&(line + "\n"));
        Self { parts, tail, notation: Notation::Text }
    }

    /// Writes one line about `region`.
    pub(crate) fn write(&self, out: &mut Vec<u8>, clock: &Clock, region: &Region, random: &mut Random) {
        out.extend_from_slice(if self.notation == Notation::Text { b"[" } else { b"{\"time\":\"" });
        out.extend_from_slice(clock.text());
        self.fill(out, clock, region, random);
    }

    /// Writes the text without a header.
    pub(crate) fn fill(&self, out: &mut Vec<u8>, clock: &Clock, region: &Region, random: &mut Random) {
        for (text, hole) in &self.parts {
            out.extend_from_slice(text);
            match *hole {
                Hole::Id(offset) => number(out, region.id + offset),
                Hole::Term(offset) => number(out, region.term + offset),
                Hole::Version(offset) => number(out, region.version + offset),
                Hole::Start => out.extend_from_slice(&region.start),
                Hole::End => out.extend_from_slice(&region.end),
                Hole::Tso(age) => number(out, clock.tso() - age),
                Hole::Number(low, high) => number(out, random.between(low, high)),
            }
        }
        out.extend_from_slice(&self.tail);
    }
}

/// Cuts a line at its holes.
fn cut(line: &str) -> (Vec<(Vec<u8>, Hole)>, Vec<u8>) {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = line;
    while let Some(open) = rest.find('<') {
        let hole = rest[open + 1..].split_once('>').and_then(|(name, after)| Some((Hole::named(name)?, after)));
        if let Some((hole, after)) = hole {
            text += &rest[..open];
            parts.push((std::mem::take(&mut text).into_bytes(), hole));
            rest = after;
        } else {
            text += &rest[..=open];
            rest = &rest[open + 1..];
        }
    }
    (parts, (text + rest).into_bytes())
}

fn push_field(line: &mut String, key: &str, value: &str) {
    for text in [" [", &quoted(key), "=", &quoted(value), "]"] {
        line.push_str(text);
    }
}

/// Quoted only where TiKV quotes.
fn quoted(text: &str) -> String {
    if text.bytes().any(|b| b <= b' ' || matches!(b, b'"' | b'=' | b'[' | b']')) {
        escaped(text)
    } else {
        text.to_owned()
    }
}

fn escaped(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// Whether the value is one hole that is filled with digits, or digits.
fn is_number(value: &str) -> bool {
    let hole = value.strip_prefix('<').and_then(|v| v.strip_suffix('>')).and_then(Hole::named);
    hole.is_some_and(|hole| !matches!(hole, Hole::Start | Hole::End)) || value.parse::<u64>().is_ok()
}

/// Decimal digits, two at a time.
fn number(out: &mut Vec<u8>, mut value: u64) {
    const PAIRS: &[u8; 200] =
        b"0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    let mut digits = [0; 20];
    let mut at = digits.len();
    while value >= 10 {
        let pair = (value % 100) as usize * 2;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
        value /= 100;
    }
    if value > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for value in [0, 7, 10, 99, 100, 12_345, u64::MAX] {
            let mut out = Vec::new();
            number(&mut out, value);
            assert_eq!(out, value.to_string().into_bytes());
        }
    }

    #[test]
    fn quoting_and_notation() {
        let message = Message {
            weight: 1,
            level: "INFO",
            caller: "a.rs:1",
            text: "became follower at term <t>",
            fields: &[("term", "<t>"), ("peers", "[<p>]"), ("addr", "10.0.1.11:20160")],
        };
        let region = Region { id: 8, start: [b'0'; 54], end: [b'1'; 54], term: 6, version: 1 };
        let mut out = Vec::new();
        let clock = Clock::new(1_658_707_200);
        Template::new(&message, Notation::Text).write(&mut out, &clock, &region, &mut Random::new(1));
        Template::new(&message, Notation::Json).write(&mut out, &clock, &region, &mut Random::new(1));
        assert_eq!(
            String::from_utf8_lossy(&out),
            "[2022/07/25 00:00:00.000 +00:00] [INFO] [a.rs:1] [\"became follower at term 6\"] [term=6] [peers=\"[9]\"] [addr=10.0.1.11:20160]\n\
             {\"time\":\"2022/07/25 00:00:00.000 +00:00\",\"level\":\"INFO\",\"caller\":\"a.rs:1\",\"message\":\"became follower at term 6\",\
             \"term\":6,\"peers\":\"[9]\",\"addr\":\"10.0.1.11:20160\"}\n"
        );
    }
}
