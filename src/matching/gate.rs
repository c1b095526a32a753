//! The gate: whether a clean record can match at all, from a few bytes at known places. It costs the same for ten rules
//! as for a thousand, and a log's chatter stops here.

use crate::record::CLEAN_HEADER;
use crate::rules::Rule;
use aho_corasick::AhoCorasick;

/// Bytes of a message's head that the gate looks at; of a shorter `starts` text, half as many.
const HEAD: usize = 16;
const SHORT: usize = HEAD / 2;
/// Bits of the two tables.
const BITS: u32 = 16;

/// Which records of INFO and finer may match a set of rules; WARN and worse always pass.
#[derive(Debug)]
pub struct Gate {
    /// Heads of messages.
    heads: Bits,
    /// Shorter heads, of rules that know only the start of a message.
    starts: Bits,
    /// Source files of rules that know no head.
    callers: Bits,
    /// Texts of rules that know neither: such rules cost time on every record.
    texts: Option<AhoCorasick>,
}

impl Gate {
    pub(super) fn new<'r>(rules: impl Iterator<Item = &'r Rule>) -> Self {
        let (mut heads, mut starts, mut callers, mut texts) = (Bits::new(), Bits::new(), Bits::new(), Vec::new());
        for rule in rules.filter(|rule| rule.when.low && !rule.is_about_code()) {
            let when = &rule.when;
            let known =
                when.message.iter().map(|text| (text, true)).chain(when.starts.iter().map(|text| (text, false)));
            let mut any = false;
            for (text, whole) in known {
                any = true;
                for form in [text.as_bytes(), super::without_tag(text.as_bytes())] {
                    let head = Head::of(form);
                    match form.len() {
                        _ if whole => heads.set(head.long),
                        HEAD.. => heads.set(head.long),
                        SHORT.. => starts.set(head.short),
                        _ => texts.push(text.to_string()),
                    }
                }
            }
            if any {
                continue;
            }
            if when.caller.is_empty() {
                texts.extend(super::key_words(rule).into_iter().map(str::to_owned));
            } else {
                when.caller.iter().for_each(|caller| callers.set(hash(caller.as_bytes())));
            }
        }
        texts.sort();
        texts.dedup();
        let texts = if texts.is_empty() { None } else { AhoCorasick::new(&texts).ok() };
        Self { heads, starts, callers, texts }
    }

    /// Whether a clean record, given from its first byte, can match.
    #[inline]
    pub fn passes(&self, record: &[u8]) -> bool {
        match record.get(CLEAN_HEADER..CLEAN_HEADER + 2) {
            Some(b"IN" | b"DE" | b"TR") => self.low_passes(record),
            _ => true,
        }
    }

    #[inline]
    fn low_passes(&self, record: &[u8]) -> bool {
        // `INFO] [` or `DEBUG] [` or `TRACE] [`: the caller begins behind it.
        let skip = if record[CLEAN_HEADER] == b'I' { 7 } else { 8 };
        let Some(rest) = record.get(CLEAN_HEADER + skip..) else { return true };
        let Some(end) = memchr::memchr(b']', &rest[..rest.len().min(64)]) else { return true };
        let caller = &rest[..end];
        let Some(colon) = caller.iter().rposition(|byte| *byte == b':') else {
            return !is_unknown(caller) || self.head_passes(&rest[end..]) || self.text_passes(record);
        };
        // A bracket of the header is lost: what was read is not what it should be.
        let is_broken = || record[CLEAN_HEADER + skip - 3] != b']' || !caller[caller.len() - 1].is_ascii_digit();
        self.head_passes(&rest[end..])
            || self.callers.has(hash(&caller[..colon]))
            || is_broken()
            || self.text_passes(record)
    }

    /// Whether the message that follows a caller's closing bracket may match. What does not look like one passes: it may be damaged.
    #[inline]
    fn head_passes(&self, rest: &[u8]) -> bool {
        let Some(message) = rest.strip_prefix(b"] [") else { return rest.len() > 1 };
        let message = message.strip_prefix(b"\"").unwrap_or(message);
        self.knows(message)
            || (message.first() == Some(&b'[') && self.knows(super::without_tag(message)))
            || is_damaged(message)
    }

    #[inline]
    fn knows(&self, message: &[u8]) -> bool {
        let head = Head::of(message);
        self.heads.has(head.long) || self.starts.has(head.short)
    }

    #[inline]
    fn text_passes(&self, record: &[u8]) -> bool {
        self.texts.as_ref().is_some_and(|texts| texts.is_match(record))
    }

    /// Whether every rule has a head or a caller, so that the gate reads no record whole.
    pub fn is_cheap(&self) -> bool {
        self.texts.is_none()
    }
}

/// Whether a message begins as only a copy writes it: with a second or another quote, with a colour, an invisible character.
#[inline]
fn is_damaged(message: &[u8]) -> bool {
    const ONES: u128 = u128::from_ne_bytes([1; 16]);
    let is_marked = message.first().is_some_and(|byte| matches!(byte, b'"' | b'&' | b'\\') || !byte.is_ascii());
    let Some(head) = message.first_chunk::<16>() else { return is_marked };
    let word = u128::from_le_bytes(*head);
    // Bytes below a blank and above ASCII; a byte behind such a one may err, which does not matter here.
    is_marked || (word.wrapping_sub(ONES * 0x20) | word) & (ONES << 7) != 0
}

fn is_unknown(caller: &[u8]) -> bool {
    caller == b"<unknown>"
}

/// Hashes of the first bytes of a message, which ends at a quote, backslash or bracket in the record.
struct Head {
    long: u32,
    short: u32,
}

impl Head {
    #[inline]
    fn of(message: &[u8]) -> Self {
        let word = |at: usize| -> u64 {
            match message.get(at..at + 8) {
                Some(bytes) => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
                None => message
                    .get(at..)
                    .unwrap_or_default()
                    .iter()
                    .take(8)
                    .rev()
                    .fold(0, |word, byte| word << 8 | u64::from(*byte)),
            }
        };
        let first = word(0);
        let (first, ends) = until_end(first);
        let second = if ends { 0 } else { until_end(word(8)).0 };
        Self { long: mix(first.rotate_left(29) ^ second.wrapping_mul(0xff51_afd7_ed55_8ccd)), short: mix(first) }
    }
}

/// A word of eight bytes, little end first, without what follows a quote, backslash or bracket; and whether one was there.
#[inline]
fn until_end(word: u64) -> (u64, bool) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The classic test for a zero byte; above the lowest one it finds it may err, which does not matter here.
    let holds = |byte: u8| {
        let zeroed = word ^ (ONES * u64::from(byte));
        zeroed.wrapping_sub(ONES) & !zeroed & (ONES << 7)
    };
    let found = holds(b'"') | holds(b']') | holds(b'\\');
    if found == 0 {
        return (word, false);
    }
    (word & ((1 << (found.trailing_zeros() & !7)) - 1), true)
}

#[inline]
fn hash(text: &[u8]) -> u32 {
    let mut state = 0u64;
    for chunk in text.chunks(8) {
        let mut word = [0u8; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = (state.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    mix(state)
}

#[inline]
fn mix(word: u64) -> u32 {
    (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - BITS)) as u32
}

#[derive(Debug)]
struct Bits(Vec<u64>);

impl Bits {
    fn new() -> Self {
        Self(vec![0; 1 << (BITS - 6)])
    }

    fn set(&mut self, bit: u32) {
        self.0[(bit >> 6) as usize] |= 1 << (bit & 63);
    }

    #[inline]
    fn has(&self, bit: u32) -> bool {
        self.0[(bit >> 6) as usize] >> (bit & 63) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_has_quoted_anew_passes() {
        let gate = Gate::new(std::iter::empty());
        for (message, passes) in [
            ("[\"region 94812 split\"]", false),
            ("[region]", false),
            ("[“region 94812 split”]", true),
            ("[&quot;region 94812 split&quot;]", true),
            ("[\"\"region 94812 split\"\"]", true),
            ("[\\\"region 94812 split\\\"]", true),
            ("[\"region \u{1b}[1m94812\u{1b}[m split\"]", true),
        ] {
            let record = format!("[2022/07/25 14:54:44.467 +00:00] [INFO] [node.go:331] {message}");
            assert_eq!(gate.passes(record.as_bytes()), passes, "{message}");
        }
        for head in ["[INFO] [node.go:331", "[INFO [node.go:331]", "[DEBUG [node.go:331]"] {
            let record = format!("[2022/07/25 14:54:44.467 +00:00] {head} [\"region 94812 split\"]");
            assert!(gate.passes(record.as_bytes()), "{head}");
        }
    }
}
