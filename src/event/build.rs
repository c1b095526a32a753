//! A record and the rule that it matched become an event.

use super::{Event, Fact, FactKind, codes, describe, ids, message, status, writer};
use crate::record::{Kind, Record};
use crate::rules::{ExtractPlace, Rule};
use crate::search::AnyOf;
use crate::units::{Level, PeerId, RegionId, Severity, StoreId, Tso};
use std::sync::{Arc, LazyLock};

/// Role of the address of the process that a row names as the writer of its record.
pub(crate) const WRITER: &str = "writer";

/// Where the record stands.
#[derive(Debug, Clone)]
pub struct Place {
    /// Source.
    pub file: Arc<str>,
    /// First line, from 1.
    pub line: u64,
    /// First byte.
    pub offset: u64,
}

/// A record with the ids that stand in it, before a rule gives it a meaning.
#[derive(Debug)]
pub struct Facts {
    codes: Vec<Box<str>>,
}

impl Facts {
    /// Reads the error codes: rules may match by them.
    pub fn of(record: &Record<'_>) -> Self {
        Self { codes: codes::find(&record.text) }
    }

    /// The error codes.
    pub fn codes(&self) -> &[Box<str>] {
        &self.codes
    }

    /// The event of a record that matched `rule`.
    pub fn event(self, record: &Record<'_>, rule: &Rule, place: Place) -> Event {
        self.event_of(record, Some(rule), place)
    }

    /// The same for a record that no rule may know: what it says, without a meaning.
    pub fn event_of(self, record: &Record<'_>, rule: Option<&Rule>, place: Place) -> Event {
        let mut ids = ids::find(&record.text);
        let mut facts = rule.map_or_else(Vec::new, |rule| extract(record, rule));
        if matches!(record.kind, Kind::StatusTask | Kind::StatusJson) {
            let (screen, stores) = status::facts(record);
            ids.stores.extend(stores);
            // What the whole screen says counts more than what a rule found first.
            let found = std::mem::replace(&mut facts, screen);
            facts.extend(found);
        }
        if let Some(writer) = &record.writer {
            facts.push(Fact { kind: FactKind::Addr, role: Arc::from(WRITER), value: writer.instance.clone() });
        }
        for fact in &facts {
            match fact.kind {
                FactKind::Region => ids.regions.extend(fact.value.parse::<RegionId>()),
                FactKind::Store => ids.stores.extend(fact.value.parse::<StoreId>()),
                FactKind::Ts => ids.tsos.extend(fact.value.parse::<Tso>().ok().filter(|tso| tso.is_plausible())),
                _ => {}
            }
        }
        if record.kind == Kind::Report || record.field("id").is_some() {
            listed_regions(record, &mut ids.regions);
        }
        ids.tidy();
        let descriptions = describe::find(&record.text);
        let ranges = if ids.regions.is_empty() { describe::ranges(&record.text, &descriptions) } else { Vec::new() };
        let named = |kind: FactKind| {
            facts.iter().find(|fact| fact.kind == kind && fact.role.is_empty()).map(|fact| &*fact.value)
        };
        let field = |keys: &[&str]| {
            keys.iter().find_map(|key| std::str::from_utf8(&record.field(key)?.value).ok()?.parse::<u64>().ok())
        };
        let tag = ids::tag(&record.message);
        let region = named(FactKind::Region)
            .and_then(|id| id.parse().ok())
            .or_else(|| field(&["region_id", "region-id", "regionID", "region", "r.id"]).map(RegionId))
            .or(tag.map(|(region, _)| region))
            .filter(|id| ids.regions.contains(id))
            .or_else(|| (ids.regions.len() == 1).then(|| ids.regions[0]));
        let store = named(FactKind::Store)
            .and_then(|id| id.parse().ok())
            .or_else(|| field(&["store_id", "store-id", "storeID", "store", "target-store-id"]).map(StoreId))
            .or_else(|| one_store(record, &ids.stores))
            .filter(|id| ids.stores.contains(id));
        let (component, shows_writer) = writer::of(record, rule.and_then(|rule| rule.component));
        Event {
            file: place.file,
            line: place.line,
            offset: place.offset,
            time: record.time,
            time_is_local: record.time_is_local,
            rule: rule.map_or_else(|| Arc::from(""), |rule| Arc::clone(&rule.id)),
            group: rule.map_or_else(|| Arc::from(""), |rule| Arc::clone(&rule.group)),
            severity: severity(record, rule),
            implicates: rule.is_some_and(|rule| rule.implicates),
            component,
            shows_writer,
            level: record.level,
            region,
            store,
            peer: named(FactKind::Peer)
                .and_then(|id| id.parse().ok())
                .or_else(|| field(&["peer_id", "raft_id"]).map(PeerId))
                .or(tag.map(|(_, peer)| peer)),
            task: named(FactKind::Task).map(Box::from).or_else(|| task_in(record, &facts)),
            codes: self.codes,
            tsos: ids.tsos,
            regions: ids.regions,
            stores: ids.stores,
            message: message::of(record),
            facts,
            descriptions,
            ranges,
        }
    }
}

/// How bad it is, as the rule says; but with its FATAL record, or Go's last words, a process ends, however harmless their text is, and
/// what only quotes a code at WARN is survived.
fn severity(record: &Record<'_>, rule: Option<&Rule>) -> Severity {
    let Some(rule) = rule else { return Severity::Info };
    let of_go = record.kind == Kind::Panic && record.message.starts_with(b"panic: ");
    let is_survived = rule.is_about_code() && record.level == Some(Level::Warn) && rule.severity == Severity::Error;
    match () {
        () if of_go || record.level == Some(Level::Fatal) => Severity::Critical,
        () if is_survived => Severity::Warning,
        () => rule.severity,
    }
}

/// What the rule's extractors find. Where a copy lost the field, the whole text is looked at.
fn extract(record: &Record<'_>, rule: &Rule) -> Vec<Fact> {
    let mut facts = Vec::new();
    for one in &rule.extract {
        let find = |text| one.shape.find(text).filter(|value| !is_cut(text, value));
        let value = match &one.place {
            ExtractPlace::Message => find(if record.has_message { &record.message } else { &record.text }),
            ExtractPlace::Line => find(&record.text),
            ExtractPlace::Field(key) => {
                let mut fields = record.fields.iter().filter(|field| *field.key == *key.as_bytes()).peekable();
                if fields.peek().is_none() {
                    // A field that a copy lost may still stand in the text.
                    if has_words(one.shape.pattern()) { find(&record.text) } else { None }
                } else {
                    fields.find_map(|field| find(&field.value))
                }
            }
        };
        if let Some(value) = value {
            let value = String::from_utf8_lossy(value);
            let value: Box<str> = if one.kind == FactKind::Sql { value.into() } else { message::line(&value) };
            let fact = Fact { kind: one.kind, role: Arc::clone(&one.role), value };
            if !facts.contains(&fact) {
                facts.push(fact);
            }
        }
    }
    facts
}

/// Whether a pattern names what it looks for, so that it finds nothing else outside of its field either.
fn has_words(pattern: &str) -> bool {
    let (mut depth, mut letters, mut escaped) = (0, 0, false);
    for letter in pattern.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            'A'..='Z' | 'a'..='z' if depth == 0 => letters += 1,
            _ => {}
        }
    }
    letters > 2 && !pattern.starts_with('^')
}

/// Whether a value is a number that a copy cut: dots follow it in the text that it was found in.
fn is_cut(text: &[u8], value: &[u8]) -> bool {
    let end = value.as_ptr().addr() + value.len() - text.as_ptr().addr();
    let rest = text.get(end..).unwrap_or_default();
    value.last().is_some_and(u8::is_ascii_digit) && (rest.starts_with(b"..") || rest.starts_with("\u{2026}".as_bytes()))
}

/// `[id="{592132084, 442186929}"]` of a record that speaks of regions, `tombstone -r 348` of a report.
fn listed_regions(record: &Record<'_>, regions: &mut Vec<RegionId>) {
    if let Some(field) = record.field("id")
        && field.value.starts_with(b"{")
        && memchr::memmem::find(&record.message, b"regions").is_some()
    {
        let numbers = field
            .value
            .split(|byte| b"{},[] ".contains(byte))
            .filter_map(|word| std::str::from_utf8(word).ok()?.parse().ok());
        regions.extend(numbers.map(RegionId));
    }
}

/// The one store that the record names outside of lists of peers.
fn one_store(record: &Record<'_>, stores: &[StoreId]) -> Option<StoreId> {
    let [store] = stores else { return None };
    static PEERS: LazyLock<AnyOf> = LazyLock::new(|| AnyOf::new(&["peers", "leader {", "leader:", "not leader"]));
    (!PEERS.is_in(&record.text)).then_some(*store)
}

/// A task's name out of the service id that protects it, or out of a command line (one that was typed has it as a field).
fn task_in(record: &Record<'_>, facts: &[Fact]) -> Option<Box<str>> {
    if record.kind == Kind::Command {
        return None;
    }
    if let Some(service) = facts.iter().find(|fact| fact.kind == FactKind::Service) {
        let id = &*service.value;
        let without_store = |name: &str| {
            let (task, store) = name.rsplit_once('-')?;
            store.bytes().all(|byte| byte.is_ascii_digit()).then(|| Box::from(task))
        };
        return id
            .strip_prefix("backup-stream-")
            .and_then(without_store)
            .or_else(|| id.strip_suffix("-pause-guard").and_then(without_store))
            .or_else(|| id.strip_suffix("_pause_safepoint").map(Box::from));
    }
    const MARKS: [(&str, u8); 4] =
        [("taskName=", b','), ("--task-name=", b' '), ("ByName(\"", b'"'), ("No such task \"", b'"')];
    static WORDS: LazyLock<AnyOf> = LazyLock::new(|| AnyOf::new(&MARKS.map(|(mark, _)| mark)));
    WORDS.each(&record.text).find_map(|found| {
        let (_, end) = MARKS[found.pattern().as_usize()];
        let rest = &record.text[found.end()..];
        let length = rest.iter().take(128).take_while(|byte| **byte != end && !b" }]\"\n".contains(byte)).count();
        let name = std::str::from_utf8(&rest[..length]).ok()?;
        (!name.is_empty()).then(|| name.into())
    })
}
