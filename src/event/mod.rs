//! Events: what a rule found in one record, small and owned. The source is never needed again.

mod build;
mod chain;
mod check;
mod codes;
mod describe;
mod fact;
mod ids;
mod implicated;
mod merge;
mod message;
mod row;
mod source;
mod spill;
mod status;
mod store;
mod stream;
mod writer;

pub use crate::units::FactKind;
pub use build::{Facts, Place};
pub use check::{Failure, check, read};
pub use fact::{Fact, KeyRange, RegionDescription};
pub use implicated::Implicated;
pub(crate) use implicated::{Gathered as ImplicatedGathered, Named as ImplicatedNamed};
pub use merge::SortedEvents;
pub use row::{Row, RowRef};
pub use source::{ReadStatus, SourceRow, UnmatchedRow, Writer};
pub use store::{Batch, Corrections, EventStore, Written};

pub use stream::EventStream;

pub(crate) use build::WRITER;
pub(crate) use codes::CLASSES as CODE_CLASSES;
pub(crate) use describe::{may_describe, next_description};
pub(crate) use message::of as message_line;

use crate::units::{Component, Level, PeerId, RegionId, Severity, StoreId, Timestamp, Tso};
use serde::{Deserialize, Serialize};

/// One record that a rule matched, with the ids taken out of it. Holds only what its record says:
/// instance, store and task that other records name are added when all events are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Source, as the contract spells its name.
    pub file: std::sync::Arc<str>,
    /// First line of the record, from 1 (in a split: from the split's start).
    pub line: u64,
    /// First byte of the record in the decompressed source.
    pub offset: u64,
    /// When, where the record says so.
    pub time: Option<Timestamp>,
    /// Whether `time` was written without an offset, and is still to be shifted by the zone of its instance.
    #[serde(default, skip_serializing_if = "is_false")]
    pub time_is_local: bool,
    /// The rule that matched.
    pub rule: std::sync::Arc<str>,
    /// The rule's group: `log-backup`, `gc`, `region-merge` ...
    pub group: std::sync::Arc<str>,
    /// The rule's severity.
    pub severity: Severity,
    /// Whether the event implicates the regions that it names.
    #[serde(default, skip_serializing_if = "is_false")]
    pub implicates: bool,
    /// The program that writes such a record, where the rule or the record's source file knows it.
    pub component: Option<Component>,
    /// Whether the record itself shows what kind of program wrote it, by its source file or its form: that counts more than what
    /// its source holds otherwise. Without a component it is a program in Go.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shows_writer: bool,
    /// Level as written, normalised.
    pub level: Option<Level>,
    /// The region that the record is about.
    pub region: Option<RegionId>,
    /// The store that the record is about, where it names one.
    pub store: Option<StoreId>,
    /// The peer that the record is about.
    pub peer: Option<PeerId>,
    /// The log backup task that the record names.
    pub task: Option<Box<str>>,
    /// Error codes, sorted, without repeats.
    pub codes: Vec<Box<str>>,
    /// Every TSO named, sorted, without repeats.
    pub tsos: Vec<Tso>,
    /// Every region named, sorted, without repeats.
    pub regions: Vec<RegionId>,
    /// Every store named, sorted, without repeats.
    pub stores: Vec<StoreId>,
    /// Message and root of its error chain: unescaped, one line, at most 1,024 bytes.
    pub message: Box<str>,
    /// What the rule's extractors took out: kind, role, value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// Region descriptions in the record (id, keys, epoch, peers); at most eight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub descriptions: Vec<RegionDescription>,
    /// Key ranges that the record names without naming their region; at most eight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<KeyRange>,
}

impl Event {
    /// The first fact of a kind and role; an empty role is the record's main one.
    pub fn fact(&self, kind: FactKind, role: &str) -> Option<&str> {
        self.facts.iter().find(|fact| fact.kind == kind && &*fact.role == role).map(|fact| &*fact.value)
    }

    /// The first TSO fact of a role.
    pub fn tso(&self, role: &str) -> Option<Tso> {
        self.fact(FactKind::Ts, role)?.parse().ok()
    }

    /// The first region fact of a role.
    pub fn region_as(&self, role: &str) -> Option<RegionId> {
        self.fact(FactKind::Region, role)?.parse().ok()
    }

    /// The first store fact of a role.
    pub fn store_as(&self, role: &str) -> Option<StoreId> {
        self.fact(FactKind::Store, role)?.parse().ok()
    }

    /// The order of every output: time (none last), source, offset.
    pub fn order(&self) -> (i64, &str, u64) {
        (self.time.map_or(i64::MAX, |time| time.0), &self.file, self.offset)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Event {
    /// Replaces secrets in everything that is text of the record.
    pub fn redact(&mut self) {
        let clean = |text: &mut Box<str>| {
            if let std::borrow::Cow::Owned(redacted) = crate::safe::redact(text) {
                *text = redacted.into();
            }
        };
        clean(&mut self.message);
        for fact in &mut self.facts {
            if matches!(fact.kind, FactKind::Path | FactKind::Sql | FactKind::Text | FactKind::Command) {
                clean(&mut fact.value);
            }
        }
    }

    /// About how many bytes the event takes in memory.
    pub fn footprint(&self) -> usize {
        let facts: usize = self.facts.iter().map(|fact| size_of::<Fact>() + fact.value.len()).sum();
        let described: usize = self
            .descriptions
            .iter()
            .map(|one| {
                size_of::<RegionDescription>()
                    + one.peers.len() * 16
                    + one.range.as_ref().map_or(0, |range| range.start.len() + range.end.len())
            })
            .sum();
        let codes: usize = self.codes.iter().map(|code| size_of::<Box<str>>() + code.len()).sum();
        size_of::<Self>()
            + self.message.len()
            + facts
            + described
            + codes
            + 8 * (self.tsos.len() + self.regions.len() + self.stores.len())
    }
}

/// An event for tests: of a rule and group, with nothing else in it.
#[cfg(test)]
pub(crate) fn test_event(rule: &str, group: &str) -> Event {
    Event {
        file: "a.log".into(),
        line: 1,
        offset: 0,
        time: None,
        time_is_local: false,
        rule: rule.into(),
        group: group.into(),
        severity: Severity::Warning,
        implicates: false,
        component: None,
        shows_writer: false,
        level: None,
        region: None,
        store: None,
        peer: None,
        task: None,
        codes: Vec::new(),
        tsos: Vec::new(),
        regions: Vec::new(),
        stores: Vec::new(),
        message: "".into(),
        facts: Vec::new(),
        descriptions: Vec::new(),
        ranges: Vec::new(),
    }
}
