//! The gate: whether a clean record can match at all, from a few bytes at known places. It costs the same for ten rules
//! as for a thousand, and a log's chatter stops here.

use super::Chatter;
use crate::record::CLEAN_HEADER;
use crate::rules::Rule;
use crate::search::{self, Bits};
use aho_corasick::AhoCorasick;
use memchr::memmem::Finder;
use rustc_hash::FxHashMap;

/// Bytes of a message's head that the gate looks at; of a shorter `starts` text, half as many.
const HEAD: usize = 16;
const SHORT: usize = HEAD / 2;

/// Which records of INFO and finer may match a set of rules; WARN and worse always pass.
#[derive(Debug)]
pub struct Gate {
    /// Heads of messages.
    heads: Bits,
    /// Of a head whose rules all need a text besides: those texts. So chatter that shares its message with a rare signal stops here.
    needs: FxHashMap<u32, Vec<Finder<'static>>>,
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
        let mut needs: FxHashMap<u32, Vec<Vec<&str>>> = FxHashMap::default();
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
                        length if whole || length >= HEAD => {
                            heads.set(head.long);
                            needs.entry(head.long).or_default().push(needed(rule));
                        }
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
        let finders = |words: Vec<Vec<&str>>| {
            words.into_iter().flatten().map(|word| Finder::new(word.as_bytes()).into_owned()).collect()
        };
        let needs = needs
            .into_iter()
            .filter(|(_, rules)| rules.iter().all(|words| !words.is_empty()))
            .map(|(head, words)| (head, finders(words)))
            .collect();
        Self { heads, needs, starts, callers, texts }
    }

    /// Whether a clean record, given from its first byte, can match. `chatter` is what this gate has stopped before.
    #[inline]
    pub fn passes(&self, record: &[u8], chatter: &mut Chatter) -> bool {
        let Some((b"IN" | b"DE" | b"TR", _)) = record[CLEAN_HEADER..].split_first_chunk() else { return true };
        !chatter.knows(&record[CLEAN_HEADER..]) && self.passes_anew(record, chatter)
    }

    fn passes_anew(&self, record: &[u8], chatter: &mut Chatter) -> bool {
        let passes = self.low_passes(record);
        if !passes && let Some(length) = self.decided_by(&record[CLEAN_HEADER..]) {
            chatter.keep(&record[CLEAN_HEADER..][..length]);
        }
        passes
    }

    /// How many bytes from the level on made this gate stop a record, where no byte behind them had a say.
    fn decided_by(&self, text: &[u8]) -> Option<usize> {
        let caller = caller_at(text);
        let message = caller + memchr::memchr(b']', text.get(caller..)?)? + b"] [".len();
        let message = message + usize::from(text.get(message) == Some(&b'"'));
        let head = text.get(message..message + HEAD).filter(|head| head[0] != b'[')?;
        (self.texts.is_none() && !self.heads.has(Head::of(head).long)).then_some(message + HEAD)
    }

    fn low_passes(&self, record: &[u8]) -> bool {
        let skip = caller_at(&record[CLEAN_HEADER..]);
        let Some(rest) = record.get(CLEAN_HEADER + skip..) else { return true };
        let Some(end) = memchr::memchr(b']', &rest[..rest.len().min(64)]) else { return true };
        let caller = &rest[..end];
        let Some(colon) = caller.iter().rposition(|byte| *byte == b':') else {
            return !is_unknown(caller) || self.head_passes(record, &rest[end..]) || self.text_passes(record);
        };
        // A bracket of the header is lost: what was read is not what it should be.
        let is_broken = || record[CLEAN_HEADER + skip - 3] != b']' || !caller[caller.len() - 1].is_ascii_digit();
        self.head_passes(record, &rest[end..])
            || self.callers.has(hash(&caller[..colon]))
            || is_broken()
            || self.text_passes(record)
    }

    /// Whether the message that follows a caller's closing bracket may match. What does not look like one passes: it may be damaged.
    #[inline]
    fn head_passes(&self, record: &[u8], rest: &[u8]) -> bool {
        let Some(message) = rest.strip_prefix(b"] [") else { return rest.len() > 1 };
        let message = message.strip_prefix(b"\"").unwrap_or(message);
        self.knows(record, message)
            || (message.first() == Some(&b'[') && self.knows(record, super::without_tag(message)))
            || is_damaged(message)
    }

    #[inline]
    fn knows(&self, record: &[u8], message: &[u8]) -> bool {
        let head = Head::of(message);
        (self.heads.has(head.long) && self.has_needed(head.long, record)) || self.starts.has(head.short)
    }

    /// Whether a record has what the rules of its message's head need. A damaged one may have it in another spelling.
    fn has_needed(&self, head: u32, record: &[u8]) -> bool {
        // Without short cuts, so that vectors do it.
        let is_odd = |byte: &u8| u8::from(!(b' '..0x7f).contains(byte)) | u8::from(*byte == b'&');
        let is_plain = || record.iter().fold(0, |any, byte| any | is_odd(byte)) == 0;
        self.needs.get(&head).is_none_or(|words| words.iter().any(|word| word.find(record).is_some()) || !is_plain())
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

/// The longest text that a rule needs, or all its alternatives, where they stand in a record as they are in the rule: no
/// escape changes them.
fn needed(rule: &Rule) -> Vec<&str> {
    let is_kept =
        |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" _-.,:;=(){}[]".contains(&byte));
    let has = rule.when.has.iter().filter(|word| is_kept(word)).max_by_key(|word| word.len());
    match has {
        Some(word) => vec![word],
        None if rule.when.any.iter().all(|word| is_kept(word)) => rule.when.any.iter().map(|word| &**word).collect(),
        None => Vec::new(),
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

/// Where the caller begins behind `INFO] [`, `DEBUG] [` or `TRACE] [`.
fn caller_at(text: &[u8]) -> usize {
    if text[0] == b'I' { 7 } else { 8 }
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
        let (first, ends) = until_end(word(message));
        let second = if ends { 0 } else { until_end(word(message.get(SHORT..).unwrap_or_default())).0 };
        Self {
            long: search::hash(first.rotate_left(29) ^ second.wrapping_mul(0xff51_afd7_ed55_8ccd)),
            short: search::hash(first),
        }
    }
}

/// The first eight bytes of a text, little end first; zeros behind its end.
#[inline]
fn word(text: &[u8]) -> u64 {
    match text.first_chunk::<8>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => text.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
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

/// A hash of a file's name: of its first and last bytes and its length.
#[inline]
fn hash(text: &[u8]) -> u32 {
    let last = text.last_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    search::hash(word(text) ^ last.rotate_left(23) ^ text.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Kind;

    #[test]
    fn every_clean_example_passes() {
        let catalog = crate::rules::Catalog::embedded().unwrap();
        for kind in [Kind::Signal, Kind::Context] {
            let rules = || catalog.rules().iter().filter(|rule| rule.kind == kind);
            let gate = Gate::new(rules());
            let examples = rules().flat_map(|rule| &rule.examples);
            for example in examples.filter(|example| crate::record::is_clean(example.as_bytes())) {
                assert!(gate.passes(example.as_bytes(), &mut Chatter::default()), "{example}");
            }
        }
    }

    #[test]
    fn chatter_that_lacks_what_all_rules_of_its_head_need_stops() {
        let catalog = crate::rules::Catalog::embedded().unwrap();
        let gate = Gate::new(catalog.rules().iter().filter(|rule| rule.kind == Kind::Signal));
        let passes = |op: &str| {
            let head = "[2022/07/25 14:54:44.467 +00:00] [INFO] [subscription_manager.rs:400]";
            let record = format!("{head} [\"backup stream: on_modify_observe\"] [op=\"{op}\"]");
            gate.passes(record.as_bytes(), &mut Chatter::default())
        };
        assert!(passes("HighMemUsageWarning { inconsistent_region: 94812 }"));
        assert!(!passes("Stop { region: Region { id: 94812 } }"));
        assert!(passes("HighMemUsage\nWarning { inconsistent_region: 94812 }"));
    }

    #[test]
    fn a_needed_text_may_stand_before_the_message() {
        let own = r#"
            [[rule]]
            id = "own-done"
            component = "tikv"
            group = "log-backup"
            kind = "signal"
            severity = "info"
            levels = ["INFO"]
            message = "it is done for a region"
            has = ["[mine.rs:7]"]
            meaning = "Done."
            remedy = "Nothing."
            examples = ['[2022/07/25 14:54:44.467 +00:00] [INFO] [mine.rs:7] ["it is done for a region"]']
        "#;
        let catalog = crate::rules::Catalog::load(&[("own.toml", own)]).unwrap();
        let rule = catalog.get("own-done").unwrap();
        assert!(Gate::new(std::iter::once(rule)).passes(rule.examples[0].as_bytes(), &mut Chatter::default()));
    }

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
            assert_eq!(gate.passes(record.as_bytes(), &mut Chatter::default()), passes, "{message}");
        }
        for head in ["[INFO] [node.go:331", "[INFO [node.go:331]", "[DEBUG [node.go:331]"] {
            let record = format!("[2022/07/25 14:54:44.467 +00:00] {head} [\"region 94812 split\"]");
            assert!(gate.passes(record.as_bytes(), &mut Chatter::default()), "{head}");
        }
    }
}
