//! `summary.json`: all findings as one document for programs, with the columns of the CSV files as keys.
//! Events are counted, not listed. The schema is published as `docs/summary.schema.json`.

use super::Run;
use super::table::{Cell, Plain, Rows, Table, as_set};
use super::tables;
use super::tally::Tally;
use crate::correlate::{Correlation, Episode, Incident, Task, Totals};
use crate::safe::Safe;
use crate::units::{Timestamp, Tso};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Version of the document's form.
const SCHEMA: u32 = 1;

/// Writes the document, one row a line. `shown` is for what events say, which may be without secrets already.
pub(super) fn write(
    correlation: &Correlation,
    tally: &Tally,
    run: &Run,
    mut out: impl Write,
    (safe, shown): (Safe, Safe),
) -> io::Result<()> {
    let findings = &correlation.findings;
    let (chain, incidents, tasks) = (tables::chain(), tables::incidents(), tables::tasks());
    write!(out, "{{\"schema\": {SCHEMA},\n\"now\": ")?;
    serde_json::to_writer(&mut out, &Moment(findings.now))?;
    write!(out, ",\n\"totals\": ")?;
    serde_json::to_writer(&mut out, &TotalsDoc(findings.totals))?;
    write!(out, ",\n\"events\": ")?;
    serde_json::to_writer(&mut out, &EventsDoc(tally))?;
    let docs = findings.incidents.iter().map(|row| IncidentDoc { incidents: &incidents, chain: &chain, row, safe });
    list(&mut out, "incidents", docs)?;
    list(&mut out, "tasks", findings.tasks.iter().map(|row| TaskDoc { tasks: &tasks, row, safe }))?;
    let timeline = tables::timeline();
    write!(out, ",\n\"{}\": [", timeline.name)?;
    let make = |episodes: &[Episode]| {
        let mut text = Vec::with_capacity(episodes.len() * 512);
        for row in episodes {
            text.extend_from_slice(b",\n");
            serde_json::to_writer(&mut text, &RowDoc { table: &timeline, row, safe: shown })?;
        }
        Ok(text)
    };
    let mut is_first = true;
    correlation.each_made(&make, &mut |text| {
        // Nothing stands before the first row.
        let skipped = usize::from(is_first && !text.is_empty());
        is_first &= text.is_empty();
        out.write_all(&text[skipped..])
    })?;
    out.write_all(b"]")?;
    rows(&mut out, &tables::regions(), &findings.regions, safe)?;
    rows(&mut out, &tables::stores(), &findings.stores, safe)?;
    rows(&mut out, &tables::errors(), &findings.errors, safe)?;
    rows(&mut out, &tables::unmatched(), &findings.unmatched, safe)?;
    rows(&mut out, &tables::sources(), &findings.sources, safe)?;
    list(&mut out, "caveats", findings.caveats.iter().map(|caveat| safe.text(caveat)))?;
    write!(out, ",\n\"run\": ")?;
    serde_json::to_writer(&mut out, &RunDoc(run, safe))?;
    out.write_all(b"}\n")?;
    out.flush()
}

fn rows<R: Plain>(out: &mut impl Write, table: &Table<R>, rows: &[R], safe: Safe) -> io::Result<()> {
    list(out, table.name, rows.iter().map(|row| RowDoc { table, row, safe }))
}

fn list(out: &mut impl Write, name: &str, items: impl Iterator<Item = impl Serialize>) -> io::Result<()> {
    write!(out, ",\n\"{name}\": [")?;
    for (at, item) in items.enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &item)?;
    }
    out.write_all(b"]")
}

/// A row with the table's columns as keys.
pub(super) struct RowDoc<'a, R: Rows> {
    pub(super) table: &'a Table<R>,
    pub(super) row: &'a R::Row<'a>,
    pub(super) safe: Safe,
}

impl<R: Rows> RowDoc<'_, R> {
    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let Self { table, row, safe } = *self;
        table.columns.iter().try_for_each(|column| map.serialize_entry(column.name, &CellDoc(&column.cell, row, safe)))
    }
}

impl<R: Rows> Serialize for RowDoc<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.entries(&mut map)?;
        map.end()
    }
}

struct CellDoc<'a, R: Rows>(&'a Cell<R>, &'a R::Row<'a>, Safe);

impl<R: Rows> Serialize for CellDoc<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(cell, row, safe) = *self;
        match cell {
            Cell::Word(get) => get(row).serialize(serializer),
            Cell::Text(get) => get(row).map(|text| safe.text(text)).serialize(serializer),
            Cell::Time(get) => Moment(get(row)).serialize(serializer),
            Cell::Number(get) => get(row).serialize(serializer),
            Cell::Signed(get) => get(row).serialize(serializer),
            Cell::Numbers(get) => {
                let mut numbers = Vec::new();
                get(row, &mut numbers);
                as_set(&mut numbers);
                numbers.serialize(serializer)
            }
            Cell::Words(get) => {
                let mut words = Vec::new();
                get(row, &mut words);
                as_set(&mut words);
                serializer.collect_seq(words.iter().map(|word| safe.text(word)))
            }
            Cell::List(get, _) => serializer.collect_seq(get(row).iter().map(|text| safe.text(text))),
        }
    }
}

/// An incident, with its chain.
struct IncidentDoc<'a> {
    incidents: &'a Table<Incident>,
    chain: &'a Table<crate::correlate::Step>,
    row: &'a Incident,
    safe: Safe,
}

impl Serialize for IncidentDoc<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { incidents, chain, row, safe } = *self;
        let mut map = serializer.serialize_map(None)?;
        RowDoc { table: incidents, row, safe }.entries(&mut map)?;
        map.serialize_entry("certainty", row.certainty.as_str())?;
        let steps: Vec<_> = row.chain.iter().map(|row| RowDoc { table: chain, row, safe }).collect();
        map.serialize_entry("chain", &steps)?;
        map.end()
    }
}

/// A task, with its checkpoint and GC safe point over time.
struct TaskDoc<'a> {
    tasks: &'a Table<Task>,
    row: &'a Task,
    safe: Safe,
}

impl Serialize for TaskDoc<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { tasks, row, safe } = *self;
        let mut map = serializer.serialize_map(None)?;
        RowDoc { table: tasks, row, safe }.entries(&mut map)?;
        map.serialize_entry("since", &Moment(row.since))?;
        map.serialize_entry("held_by", &row.held_by.as_deref().map(|id| safe.text(id)))?;
        map.serialize_entry("checkpoints", &Curve(&row.checkpoints))?;
        map.serialize_entry("safepoints", &Curve(&row.safepoints))?;
        map.end()
    }
}

/// A value over time: when it was seen, and the TSO.
struct Curve<'a>(&'a [(Timestamp, Tso)]);

impl Serialize for Curve<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
        for (seen, tso) in self.0 {
            seq.serialize_element(&BTreeMap::from([("seen", Value::Time(*seen)), ("ts", Value::Number(tso.0))]))?;
        }
        seq.end()
    }
}

enum Value {
    Time(Timestamp),
    Number(u64),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Time(time) => Moment(Some(*time)).serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
        }
    }
}

/// A moment as the contract writes it.
struct Moment(Option<Timestamp>);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(time) => serializer.collect_str(&time),
            None => serializer.serialize_none(),
        }
    }
}

struct TotalsDoc(Totals);

impl Serialize for TotalsDoc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let totals = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("bytes", &totals.bytes)?;
        map.serialize_entry("records", &totals.records)?;
        map.serialize_entry("events", &totals.events)?;
        map.serialize_entry("first", &Moment(totals.first))?;
        map.serialize_entry("last", &Moment(totals.last))?;
        map.end()
    }
}

struct EventsDoc<'a>(&'a Tally);

impl Serialize for EventsDoc<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("total", &self.0.total)?;
        map.serialize_entry("by_severity", &self.0.by_severity)?;
        map.serialize_entry("by_rule", &self.0.by_rule)?;
        map.serialize_entry("by_store", &self.0.by_store)?;
        map.serialize_entry("by_region", &self.0.by_region)?;
        map.end()
    }
}

struct RunDoc<'a>(&'a Run, Safe);

impl Serialize for RunDoc<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(run, safe) = *self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("command_line", &safe.text(&run.command_line))?;
        map.serialize_entry("version", run.version)?;
        map.serialize_entry("duration_ms", &run.duration_ms)?;
        map.serialize_entry("bytes_per_second", &run.bytes_per_second)?;
        map.serialize_entry("threads", &run.threads)?;
        let news: Vec<_> = run.news.iter().map(|sentence| safe.text(sentence)).collect();
        map.serialize_entry("news", &news)?;
        map.end()
    }
}

#[cfg(test)]
mod schema;
