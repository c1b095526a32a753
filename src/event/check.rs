//! Runs the examples that rules carry: each must match its own rule and give the values that its extractors name; a
//! counter-example must not match it.

use super::{Event, Facts, Place};
use crate::matching::{Chatter, Matcher};
use crate::record::{Kind, RawRecord, Record, Sink, split};
use crate::rules::Rule;
use std::sync::Arc;

/// What an example shows to be wrong with its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Rule.
    pub rule: Arc<str>,
    /// What is wrong.
    pub reason: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rule `{}`: {}", self.rule, self.reason)
    }
}

/// Runs the examples of one rule among all others.
pub fn check(matcher: &Matcher, rule: &Rule) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut fail = |reason: String| failures.push(Failure { rule: Arc::clone(&rule.id), reason });
    for (at, example) in rule.examples.iter().enumerate() {
        let found = read(matcher, example);
        // A rule that only explains a code gives way to every rule that knows the record.
        let matched = found.iter().find(|(id, _)| id.as_ref() == Some(&rule.id));
        let Some((_, event)) = matched else {
            if !rule.is_about_code() || found.iter().all(|(id, _)| id.is_none()) {
                let others: Vec<_> = found.iter().map(|(id, _)| id.as_deref().unwrap_or("no rule")).collect();
                fail(format!(
                    "example {} matches {}",
                    at + 1,
                    if others.is_empty() { "nothing: it is no record".to_owned() } else { others.join(", ") }
                ));
            }
            continue;
        };
        let wanted = rule.extract.iter().filter(|_| at == 0).filter_map(|one| Some((one, one.example.as_deref()?)));
        for (one, value) in wanted {
            if !event.facts.iter().any(|fact| fact.kind == one.kind && fact.role == one.role && &*fact.value == value) {
                fail(format!(
                    "the extractor of {:?} {:?} finds no `{value}` in the first example",
                    one.kind, one.place
                ));
            }
        }
    }
    for (at, example) in rule.counter_examples.iter().enumerate() {
        if read(matcher, example).iter().any(|(id, _)| id.as_ref() == Some(&rule.id)) {
            fail(format!("counter-example {} matches", at + 1));
        }
    }
    failures
}

/// The records of a text with the rule that each matches, and its event.
pub fn read(matcher: &Matcher, text: &str) -> Vec<(Option<Arc<str>>, Event)> {
    struct Collect<'m>(&'m Matcher, Vec<(Option<Arc<str>>, Event)>);
    impl Sink for Collect<'_> {
        fn record(&mut self, raw: RawRecord<'_>) {
            let record = Record::read(raw.bytes, raw.kind);
            let facts = Facts::of(&record);
            let found = self.0.find(&record, facts.codes()).map(|index| self.0.catalog().at(index));
            if raw.kind == Kind::Clean
                && found.is_some_and(|rule| rule.kind == crate::rules::Kind::Signal)
                && !self.0.signals().passes(raw.bytes, &mut Chatter::default())
            {
                return;
            }
            let place = Place { file: Arc::from("-"), line: 1, offset: raw.start as u64 };
            self.1.push((found.map(|rule| Arc::clone(&rule.id)), facts.event_of(&record, found, place)));
        }
    }
    let mut found = Collect(matcher, Vec::new());
    split(text.as_bytes(), 0..text.len(), &mut found);
    found.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Catalog;

    #[test]
    fn every_rule_of_the_catalogue_keeps_its_examples() {
        let catalog = Catalog::embedded().unwrap_or_else(|problems| {
            panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        });
        let matcher = Matcher::new(Arc::new(catalog));
        let failures: Vec<_> = matcher
            .catalog()
            .rules()
            .iter()
            .flat_map(|rule| check(&matcher, rule))
            .map(|failure| failure.to_string())
            .collect();
        assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
    }

    #[test]
    fn no_built_in_rule_makes_the_gate_read_whole_records() {
        let matcher = Matcher::new(Arc::new(Catalog::embedded().unwrap()));
        assert!(matcher.signals().is_cheap(), "a signal rule at INFO needs message, starts (8 bytes) or caller");
        assert!(matcher.context().is_cheap(), "a context rule at INFO needs message, starts (8 bytes) or caller");
    }

    #[test]
    fn every_shape_compiles() {
        let catalog = Catalog::embedded().unwrap();
        for rule in catalog.rules() {
            for extract in &rule.extract {
                assert_eq!(extract.shape.check(), Ok(()), "rule {}", rule.id);
            }
        }
    }

    /// The reference beside a checkout says what each message is called and which ids stand in it.
    #[test]
    fn every_example_of_the_reference_gives_its_rule_and_values() {
        #[derive(serde::Deserialize)]
        struct Reference {
            event: Vec<Entry>,
        }
        #[derive(serde::Deserialize)]
        struct Entry {
            id: String,
            kind: String,
            example: String,
            error_code: Option<String>,
            fields: Vec<Value>,
        }
        #[derive(serde::Deserialize)]
        struct Value {
            kind: String,
            example: String,
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference/events.toml");
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("skipped: no reference at {path}");
            return;
        };
        let reference: Reference = toml::from_str(&text).unwrap();
        let matcher = Matcher::new(Arc::new(Catalog::embedded().unwrap()));
        let mut wrong = Vec::new();
        for entry in &reference.event {
            let Some((rule, event)) = read(&matcher, &entry.example).into_iter().next() else {
                wrong.push(format!("{}: its example is no record", entry.id));
                continue;
            };
            // An entry that is only a code classifies the records of other entries.
            if entry.kind == "code" {
                let code = entry.error_code.as_deref().unwrap_or_default();
                let explained = matcher.catalog().for_code(code).is_some_and(|rule| *rule.id == *entry.id);
                if !explained || !event.codes.iter().any(|found| &**found == code) {
                    wrong.push(format!(
                        "{}: code {code} is not explained by it, or not found in {:?}",
                        entry.id, event.codes
                    ));
                }
            } else if rule.as_deref() != Some(&entry.id) {
                wrong.push(format!("{}: its example matches {rule:?}", entry.id));
            }
            for value in &entry.fields {
                let ids = |list: Vec<String>| list.contains(&value.example);
                let found = match value.kind.as_str() {
                    "region" => ids(event.regions.iter().map(ToString::to_string).collect()),
                    "store" => ids(event.stores.iter().map(ToString::to_string).collect()),
                    "code" => ids(event.codes.iter().map(ToString::to_string).collect()),
                    "task" => event.task.as_deref() == Some(&value.example),
                    _ => {
                        event.facts.iter().any(|fact| *fact.value == *value.example)
                            || (value.kind == "peer"
                                && event.peer.is_some_and(|peer| peer.to_string() == value.example))
                    }
                };
                if !found {
                    wrong.push(format!("{}: no {} {}", entry.id, value.kind, value.example));
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), reference.event.len(), wrong.join("\n"));
    }
}
