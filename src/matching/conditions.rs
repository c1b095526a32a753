//! Whether all conditions of a rule hold for a record.

use super::without_tag;
use crate::record::Record;
use crate::rules::Rule;
use crate::search::AnyOf;
use crate::units::Component;
use memchr::memmem::Finder;

/// The texts of a rule, ready to be looked for.
#[derive(Debug)]
pub(super) struct Confirm {
    message_has: Vec<Finder<'static>>,
    has: Vec<Finder<'static>>,
    any: Option<AnyOf>,
    none: Vec<Finder<'static>>,
    /// Sum of the texts' lengths: the longer wins.
    pub(super) weight: usize,
}

impl Confirm {
    pub(super) fn new(rule: &Rule) -> Self {
        // The longest first: it is the one that is rarely there.
        let finders = |words: &[Box<str>]| -> Vec<_> {
            let mut words: Vec<_> = words.iter().map(|word| word.as_bytes()).collect();
            words.sort_by_key(|word| std::cmp::Reverse(word.len()));
            words.into_iter().map(|word| Finder::new(word).into_owned()).collect()
        };
        let when = &rule.when;
        let sum = |words: &[Box<str>]| words.iter().map(|word| word.len()).sum::<usize>();
        let most = |words: &[Box<str>]| words.iter().map(|word| word.len()).max().unwrap_or(0);
        let fields: usize =
            when.fields.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, |value| value.len())).sum();
        Self {
            message_has: finders(&when.message_has),
            has: finders(&when.has),
            any: (!when.any.is_empty())
                .then(|| AnyOf::new(&when.any.iter().map(|word| word.as_bytes()).collect::<Vec<_>>())),
            none: finders(&when.none),
            weight: most(&when.message)
                + most(&when.starts)
                + most(&when.any)
                + sum(&when.has)
                + sum(&when.message_has)
                + fields,
        }
    }

    pub(super) fn holds(&self, rule: &Rule, record: &Record<'_>) -> bool {
        let when = &rule.when;
        let text = &*record.text;
        record.level.is_none_or(|level| if level.is_high() { when.high } else { when.low })
            && can_print(rule.component, &record.caller)
            && (when.caller.is_empty()
                || record.caller.is_empty()
                || when.caller.iter().any(|caller| caller.as_bytes() == &*record.caller))
            && message_holds(rule, record)
            && self
                .message_has
                .iter()
                .all(|word| word.find(if record.has_message { &record.message } else { text }).is_some())
            && self.has.iter().all(|word| word.find(text).is_some())
            && self.any.as_ref().is_none_or(|words| words.is_in(text))
            && self.none.iter().all(|word| word.find(text).is_none())
            && when.fields.iter().all(|(key, value)| {
                record.fields.iter().any(|field| {
                    *field.key == *key.as_bytes()
                        && value.as_ref().is_none_or(|value| *field.value == *value.as_bytes())
                })
            })
    }
}

fn message_holds(rule: &Rule, record: &Record<'_>) -> bool {
    let when = &rule.when;
    if when.message.is_empty() && when.starts.is_empty() {
        return true;
    }
    if !record.has_message {
        let within = |word: &str| memchr::memmem::find(&record.text, word.as_bytes()).is_some();
        return when.message.iter().chain(&when.starts).any(|word| within(word));
    }
    let (full, bare) = (&*record.message, without_tag(&record.message));
    when.message.iter().any(|word| word.as_bytes() == full || word.as_bytes() == bare)
        || when.starts.iter().any(|word| full.starts_with(word.as_bytes()) || bare.starts_with(word.as_bytes()))
}

/// Rust files are TiKV's (and TiFlash's proxy), Go files are everybody else's: a text that both print is told apart by that.
fn can_print(component: Option<Component>, caller: &[u8]) -> bool {
    match component {
        Some(Component::Tikv) => !caller.ends_with(b".go"),
        Some(Component::Br | Component::Tidb | Component::Pd | Component::Cdc) => !caller.ends_with(b".rs"),
        _ => true,
    }
}
