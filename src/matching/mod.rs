//! Which rule a record matches: gate, dispatch, confirm.
//!
//! A clean record passes the gate by its level, or by the head of its message; nothing else of it is read before, and of chatter
//! that was stopped once only that it is the same. A candidate is dispatched by its whole message (one look-up); only where that
//! finds nothing does an automaton run over its text.

mod chatter;
mod conditions;
mod gate;

pub use chatter::Chatter;
pub use gate::Gate;

use crate::record::Record;
use crate::rules::{Catalog, Kind, Rule, RuleIndex};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use conditions::Confirm;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Arc, OnceLock};

/// All rules, ready to be matched.
#[derive(Debug)]
pub struct Matcher {
    catalog: Arc<Catalog>,
    confirm: Vec<Confirm>,
    /// Rules that beat a rule, other than by rank.
    beaten_by: Vec<Vec<RuleIndex>>,
    by_message: FxHashMap<Box<[u8]>, Vec<RuleIndex>>,
    by_start: FxHashMap<[u8; START], Vec<RuleIndex>>,
    /// For records whose message is known: the rules that neither name a message nor a start.
    inner: Words,
    /// For records that have lost their header: all rules, by any text.
    anywhere: Words,
    signals: Gate,
    context: Gate,
}

/// Bytes of a `starts` text that serve as its key.
const START: usize = 4;

/// An automaton over one text of each rule.
#[derive(Debug)]
struct Words {
    words: Vec<Box<str>>,
    /// Made when it is first asked: it takes longer than reading a short log.
    automaton: OnceLock<Option<AhoCorasick>>,
    rules: Vec<Vec<RuleIndex>>,
}

/// How sure a match is: what decides between rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    Code,
    Text,
    MessagePart,
    Start,
    Message,
}

impl Matcher {
    /// Prepares a catalogue.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        let rules = catalog.rules();
        let indexed = || (0u16..).map(RuleIndex).zip(rules);
        let mut beaten_by = vec![Vec::new(); rules.len()];
        for (index, rule) in indexed() {
            for general in &rule.beats {
                beaten_by[usize::from(general.0)].push(index);
            }
        }
        let mut by_message: FxHashMap<Box<[u8]>, Vec<RuleIndex>> = FxHashMap::default();
        let mut by_start: FxHashMap<[u8; START], Vec<RuleIndex>> = FxHashMap::default();
        let mut inner: FxHashMap<&str, Vec<RuleIndex>> = FxHashMap::default();
        let mut anywhere: FxHashMap<&str, Vec<RuleIndex>> = FxHashMap::default();
        for (index, rule) in indexed() {
            let when = &rule.when;
            for message in &when.message {
                by_message.entry(message.as_bytes().into()).or_default().push(index);
            }
            for start in &when.starts {
                if let Some(key) = start.as_bytes().first_chunk::<START>() {
                    by_start.entry(*key).or_default().push(index);
                }
            }
            let short_start = when.starts.iter().any(|start| start.len() < START);
            if (when.message.is_empty() && when.starts.is_empty()) || short_start {
                for word in key_words(rule) {
                    inner.entry(word).or_default().push(index);
                }
            }
            for word in
                when.message.iter().chain(&when.starts).map(|word| &**word).filter(|word| word.len() >= HEADLESS_MIN)
            {
                anywhere.entry(word).or_default().push(index);
            }
            if when.message.is_empty() && when.starts.is_empty() {
                for word in key_words(rule) {
                    anywhere.entry(word).or_default().push(index);
                }
            }
        }
        let confirm: Vec<Confirm> = rules.iter().map(Confirm::new).collect();
        // The heaviest first: once it holds, the others need not be looked at.
        let buckets = by_message.values_mut().chain(by_start.values_mut());
        buckets.for_each(|bucket| bucket.sort_by_key(|rule| std::cmp::Reverse(confirm[usize::from(rule.0)].weight)));
        Self {
            confirm,
            beaten_by,
            by_message,
            by_start,
            inner: Words::new(inner),
            anywhere: Words::new(anywhere),
            signals: Gate::new(rules.iter().filter(|rule| rule.kind == Kind::Signal)),
            context: Gate::new(rules.iter().filter(|rule| rule.kind == Kind::Context)),
            catalog,
        }
    }

    /// The rules.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// Which clean records may match a signal rule.
    pub fn signals(&self) -> &Gate {
        &self.signals
    }

    /// Which clean records may match a context rule.
    pub fn context(&self) -> &Gate {
        &self.context
    }

    /// The rule that a record matches; of several the most specific. `codes` are the error codes in the record.
    pub fn find(&self, record: &Record<'_>, codes: &[Box<str>]) -> Option<RuleIndex> {
        let mut found = Best::default();
        if record.has_message {
            let (message, bare) = (&*record.message, without_tag(&record.message));
            let forms = if bare.len() == message.len() { &[message][..] } else { &[message, bare] };
            for message in forms {
                let bucket = self.by_message.get(*message).map_or(&[][..], Vec::as_slice);
                self.consider(bucket, Tier::Message, record, &mut found);
            }
            if found.rule.is_none() {
                for message in forms {
                    let key = message.first_chunk::<START>();
                    let bucket = key.and_then(|key| self.by_start.get(key)).map_or(&[][..], Vec::as_slice);
                    self.consider(bucket, Tier::Start, record, &mut found);
                }
            }
        }
        if found.rule.is_none() {
            let words = if record.has_message { &self.inner } else { &self.anywhere };
            words.each(&record.text, &mut |rule| {
                let when = &self.catalog.at(rule).when;
                let tier =
                    if when.message_has.is_empty() && when.message.is_empty() { Tier::Text } else { Tier::MessagePart };
                self.consider(&[rule], tier, record, &mut found);
            });
        }
        if found.rule.is_none() && record.level.is_none_or(crate::units::Level::is_high) {
            let rules: Vec<_> = codes
                .iter()
                .filter_map(|code| self.catalog.index_for_code(code))
                .filter(|rule| self.catalog.at(*rule).is_about_code())
                .collect();
            self.consider(&rules, Tier::Code, record, &mut found);
        }
        let mut best = found.rule?;
        // A rule that refines the best one may be of a lower tier.
        while let Some(better) = self.beaten_by[usize::from(best.0)].iter().find(|rule| self.holds(**rule, record)) {
            best = *better;
        }
        Some(best)
    }

    fn holds(&self, rule: RuleIndex, record: &Record<'_>) -> bool {
        self.confirm[usize::from(rule.0)].holds(self.catalog.at(rule), record)
    }

    fn consider(&self, rules: &[RuleIndex], tier: Tier, record: &Record<'_>, best: &mut Best) {
        for rule in rules {
            let rank = (tier, self.confirm[usize::from(rule.0)].weight);
            let wins = match best.rule {
                None => true,
                Some(known) if known == *rule => false,
                Some(known) => {
                    let refines = self.catalog.at(*rule).beats.contains(&known);
                    let refined = self.catalog.at(known).beats.contains(rule);
                    refines || (!refined && (rank > best.rank || (rank == best.rank && *rule < known)))
                }
            };
            if wins && self.holds(*rule, record) {
                *best = Best { rule: Some(*rule), rank };
            }
        }
    }
}

#[derive(Debug)]
struct Best {
    rule: Option<RuleIndex>,
    rank: (Tier, usize),
}

impl Default for Best {
    fn default() -> Self {
        Self { rule: None, rank: (Tier::Code, 0) }
    }
}

/// Shorter texts are too common to speak for a record without header.
const HEADLESS_MIN: usize = 12;

/// The texts of which one must stand in a record that the rule matches: its longest, or all alternatives.
fn key_words(rule: &Rule) -> Vec<&str> {
    let when = &rule.when;
    let longest = when.has.iter().chain(&when.message_has).max_by_key(|word| word.len());
    match longest {
        Some(word) => vec![word],
        None if !when.any.is_empty() => when.any.iter().map(|word| &**word).collect(),
        None => when
            .fields
            .iter()
            .map(|(key, value)| value.as_deref().unwrap_or(key))
            .max_by_key(|word| word.len())
            .into_iter()
            .collect(),
    }
}

/// A message without the tag that some versions put in front: `[gc worker] starts the whole job`, `[region 94812] 94815 text`.
pub(crate) fn without_tag(message: &[u8]) -> &[u8] {
    let Some(inner) = message.strip_prefix(b"[") else { return message };
    let Some(end) = inner.iter().take(64).position(|byte| *byte == b']') else { return message };
    let Some(rest) = inner[end + 1..].strip_prefix(b" ") else { return message };
    if !inner.starts_with(b"region ") {
        return rest;
    }
    let peer = rest.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    rest[peer..].strip_prefix(b" ").filter(|_| peer > 0).unwrap_or(rest)
}

impl Words {
    fn new(words: FxHashMap<&str, Vec<RuleIndex>>) -> Self {
        let mut words: Vec<_> = words.into_iter().collect();
        words.sort();
        let (words, rules) = words.into_iter().map(|(word, rules)| (Box::from(word), rules)).unzip();
        Self { words, automaton: OnceLock::new(), rules }
    }

    fn automaton(&self) -> Option<&AhoCorasick> {
        let build = || {
            AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .kind(Some(AhoCorasickKind::DFA))
                .build(self.words.iter().map(|word| &**word))
                .ok()
        };
        self.automaton.get_or_init(build).as_ref()
    }

    /// Hands every rule of which a text stands in `text` to `each`, once.
    fn each(&self, text: &[u8], each: &mut dyn FnMut(RuleIndex)) {
        let Some(automaton) = self.automaton() else { return };
        let mut seen = FxHashSet::default();
        for found in automaton.find_overlapping_iter(text) {
            if seen.insert(found.pattern()) {
                for rule in &self.rules[found.pattern().as_usize()] {
                    each(*rule);
                }
            }
        }
    }
}
