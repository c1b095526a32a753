//! A row out of the columns.

use super::columns::Columns;
use crate::event::{Event, Row, SourceRow, UnmatchedRow, Writer};
use crate::rows::Names;
use crate::units::{PeerId, RegionId, StoreId, Timestamp, Tso};
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

/// Gives the row, or what is wrong with it.
pub(super) fn row(columns: &Columns, at: usize, names: &mut Names) -> Result<Row, String> {
    match columns.row.get(at) {
        Some("event") => event(columns, at, names).map(Row::Event),
        Some("source") => source(columns, at, names).map(Row::Source),
        Some("unmatched") => unmatched(columns, at, names).map(Row::Unmatched),
        Some(other) => Err(format!("column `row` says `{other}`")),
        None => Err("column `row` is missing or empty".to_owned()),
    }
}

fn event(columns: &Columns, at: usize, names: &mut Names) -> Result<Event, String> {
    let mut event = Event {
        file: names.get(needed(columns.file.get(at), "file")?),
        line: needed(columns.line.get(at), "line")?,
        offset: needed(columns.offset.get(at), "offset")?,
        time: columns.time.get(at).map(Timestamp),
        time_is_local: columns.time_is_local.get(at),
        rule: names.get(needed(columns.rule.get(at), "rule")?),
        group: names.get(needed(columns.group.get(at), "group")?),
        severity: needed(columns.severity.get(at), "severity")?.parse()?,
        implicates: columns.implicates.get(at),
        shows_writer: columns.shows_writer.get(at),
        component: columns.component.get(at).map(word).transpose()?,
        level: columns.level.get(at).map(word).transpose()?,
        region: columns.region.get(at).map(RegionId),
        store: columns.store.get(at).map(StoreId),
        peer: columns.peer.get(at).map(PeerId),
        task: columns.task.get(at).map(Into::into),
        codes: columns.codes.get(at),
        tsos: columns.tsos.get(at, Tso),
        regions: columns.regions.get(at, RegionId),
        stores: columns.stores.get(at, StoreId),
        message: needed(columns.message.get(at), "message")?.into(),
        facts: json(columns.facts.get(at), "facts")?,
        descriptions: json(columns.descriptions.get(at), "descriptions")?,
        ranges: json(columns.ranges.get(at), "ranges")?,
    };
    for fact in &mut event.facts {
        fact.role = names.get(&fact.role);
    }
    Ok(event)
}

fn source(columns: &Columns, at: usize, names: &mut Names) -> Result<SourceRow, String> {
    let hash = |text: &str| u64::from_str_radix(text, 16).map_err(|_| format!("`{text}` is no hash"));
    let local = columns.local_first.get(at).zip(columns.local_last.get(at));
    Ok(SourceRow {
        file: names.get(needed(columns.file.get(at), "file")?),
        start: needed(columns.start.get(at), "start")?,
        end: needed(columns.end.get(at), "end")?,
        bytes: needed(columns.bytes.get(at), "bytes")?,
        records: needed(columns.records.get(at), "records")?,
        newlines: needed(columns.newlines.get(at), "newlines")?,
        continuation_lines: needed(columns.continuation_lines.get(at), "continuation_lines")?,
        unparsed_lines: needed(columns.unparsed_lines.get(at), "unparsed_lines")?,
        first: columns.first.get(at).map(Timestamp),
        last: columns.last.get(at).map(Timestamp),
        local: local.map(|(first, last)| (Timestamp(first), Timestamp(last))),
        zone_minutes: columns.zone_minutes.get(at),
        head_hash: hash(needed(columns.head_hash.get(at), "head_hash")?)?,
        tail_hash: columns.tail_hash.get(at).map(hash).transpose()?,
        status: word(needed(columns.status.get(at), "status")?)?,
        problem: columns.problem.get(at).map(str::to_owned),
        writer: Writer {
            component: columns.component.get(at).map(word).transpose()?,
            peers: json(columns.peers.get(at), "peers")?,
        },
    })
}

fn unmatched(columns: &Columns, at: usize, names: &mut Names) -> Result<UnmatchedRow, String> {
    Ok(UnmatchedRow {
        template: needed(columns.template.get(at), "template")?.into(),
        component: columns.component.get(at).map(word).transpose()?,
        level: columns.level.get(at).map(word).transpose()?,
        count: needed(columns.count.get(at), "count")?,
        first: columns.first.get(at).map(Timestamp),
        last: columns.last.get(at).map(Timestamp),
        example: needed(columns.example.get(at), "example")?.into(),
        file: names.get(needed(columns.file.get(at), "file")?),
        line: needed(columns.line.get(at), "line")?,
        offset: needed(columns.offset.get(at), "offset")?,
    })
}

fn needed<T>(cell: Option<T>, name: &str) -> Result<T, String> {
    cell.ok_or_else(|| format!("column `{name}` is missing or empty"))
}

/// A word that JSON rows use as well.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let word: StrDeserializer<'_, WordError> = text.into_deserializer();
    T::deserialize(word).map_err(|error| error.to_string())
}

fn json<T: DeserializeOwned>(text: Option<&str>, name: &str) -> Result<Vec<T>, String> {
    let Some(text) = text else { return Ok(Vec::new()) };
    serde_json::from_str(text).map_err(|error| format!("column `{name}`: {error}"))
}
