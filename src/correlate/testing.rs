//! Events for tests, without a scanner: a log is written record by record, then correlated.

use super::{Correlation, Options, correlate};
use crate::event::{Event, Fact, KeyRange, RegionDescription, SourceRow};
use crate::rules::Catalog;
use crate::units::{Component, FactKind, Level, PeerId, RegionId, Severity, StoreId, Timestamp, Tso};
use std::collections::BTreeMap;

/// A moment, `2022-07-25T14:54:44.467Z`.
pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap_or_else(|| panic!("`{text}` is no time"))
}

/// Logs of a cluster.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    events: Vec<Event>,
    sources: BTreeMap<String, SourceRow>,
    options: Options,
}

/// One record; written when it is dropped into the cluster.
#[derive(Debug, Clone)]
pub(super) struct Record(Event);

/// A record of a rule: group, severity and component as the catalogue has them.
pub(super) fn record(rule: &str, group: &str, severity: Severity, component: Component) -> Record {
    Record(Event {
        file: "".into(),
        line: 0,
        offset: 0,
        time: None,
        time_is_local: false,
        rule: rule.into(),
        group: group.into(),
        severity,
        implicates: severity >= Severity::Error
            || (severity == Severity::Warning && ["log-backup", "gc", "restore"].contains(&group)),
        component: Some(component),
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
        message: rule.into(),
        facts: Vec::new(),
        descriptions: Vec::new(),
        ranges: Vec::new(),
    })
}

impl Record {
    /// A record that was written before.
    pub(super) fn of(event: Event) -> Self {
        Self(event)
    }

    pub(super) fn says(mut self, message: &str) -> Self {
        self.0.message = message.into();
        self
    }

    pub(super) fn level(mut self, level: Level) -> Self {
        self.0.level = Some(level);
        self
    }

    pub(super) fn region(mut self, id: u64) -> Self {
        self.0.region = Some(RegionId(id));
        self.names_region(id)
    }

    fn names_region(mut self, id: u64) -> Self {
        if !self.0.regions.contains(&RegionId(id)) {
            self.0.regions.push(RegionId(id));
            self.0.regions.sort();
        }
        self
    }

    pub(super) fn store(mut self, id: u64) -> Self {
        self.0.store = Some(StoreId(id));
        self.0.stores.push(StoreId(id));
        self.0.stores.sort();
        self.0.stores.dedup();
        self.fact(FactKind::Store, "", &id.to_string())
    }

    pub(super) fn task(mut self, name: &str) -> Self {
        self.0.task = Some(name.into());
        self.fact(FactKind::Task, "", name)
    }

    pub(super) fn code(mut self, code: &str) -> Self {
        self.0.codes.push(code.into());
        self
    }

    pub(super) fn ts(mut self, role: &str, ts: u64) -> Self {
        self.0.tsos.push(Tso(ts));
        self.0.tsos.sort();
        self.0.tsos.dedup();
        self.fact(FactKind::Ts, role, &ts.to_string())
    }

    pub(super) fn other_region(self, role: &str, id: u64) -> Self {
        self.names_region(id).fact(FactKind::Region, role, &id.to_string())
    }

    pub(super) fn fact(mut self, kind: FactKind, role: &str, value: &str) -> Self {
        self.0.facts.push(Fact { kind, role: role.into(), value: value.into() });
        self
    }

    pub(super) fn describes(mut self, id: u64, keys: (&str, &str), version: u64, peers: &[(u64, u64)]) -> Self {
        self.0.descriptions.push(RegionDescription {
            id: RegionId(id),
            range: Some(KeyRange { start: keys.0.into(), end: keys.1.into() }),
            epoch: Some((5, version)),
            peers: peers.iter().map(|(peer, store)| (PeerId(*peer), StoreId(*store))).collect(),
        });
        self
    }

    pub(super) fn event(self) -> Event {
        self.0
    }
}

impl Cluster {
    /// Writes a record into a source at a time (empty: the record has none).
    pub(super) fn log(&mut self, file: &str, time: &str, record: Record) -> &mut Self {
        let time = (!time.is_empty()).then(|| at(time));
        let number = self.sources.len() as u64;
        let row = self.sources.entry(file.to_owned()).or_insert_with(|| SourceRow {
            file: file.into(),
            head_hash: number,
            tail_hash: Some(number),
            ..SourceRow::default()
        });
        row.records += 1;
        row.newlines += 1;
        row.bytes += 100;
        row.end = row.bytes;
        if let Some(time) = time {
            row.first = Some(row.first.map_or(time, |first| first.min(time)));
            row.last = Some(row.last.map_or(time, |last| last.max(time)));
        }
        let mut event = record.0;
        event.file = row.file.clone();
        event.line = row.records;
        event.offset = row.bytes - 100;
        event.time = time;
        self.events.push(event);
        self
    }

    pub(super) fn source(&mut self, file: &str) -> &mut SourceRow {
        self.sources.get_mut(file).unwrap()
    }

    pub(super) fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    pub(super) fn events(&self) -> Vec<Event> {
        let mut events = self.events.clone();
        events.sort_by(|a, b| a.order().cmp(&b.order()));
        events
    }

    pub(super) fn sources(&self) -> Vec<SourceRow> {
        self.sources.values().cloned().collect()
    }

    pub(super) fn correlate(&self) -> Correlation {
        let options = Options {
            episode_gap_ms: if self.options.episode_gap_ms == 0 { 60_000 } else { self.options.episode_gap_ms },
            gc_ttl_ms: if self.options.gc_ttl_ms == 0 { 86_400_000 } else { self.options.gc_ttl_ms },
            ..self.options.clone()
        };
        let catalog = Catalog::embedded().unwrap();
        correlate(&self.events(), &self.sources(), &[], &catalog, &options).unwrap()
    }
}
