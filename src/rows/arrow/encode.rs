//! A row into the columns. What is nested goes as JSON text, hashes as hexadecimal: nobody calculates with them.

use super::columns::Builders;
use crate::event::{Event, RowRef, SourceRow, UnmatchedRow, Writer};
use crate::units::{Component, Level};
use serde::Serialize;
use std::io;

pub(super) fn row(row: RowRef<'_>, out: &mut Builders) -> io::Result<()> {
    match row {
        RowRef::Event(one) => event(one, out)?,
        RowRef::Source(one) => source(one, out)?,
        RowRef::Unmatched(one) => unmatched(one, out),
    }
    out.end_row();
    Ok(())
}

fn event(event: &Event, out: &mut Builders) -> io::Result<()> {
    // Every part by name: one that is new cannot be forgotten here.
    let Event {
        file,
        line,
        offset,
        time,
        time_is_local,
        rule,
        group,
        severity,
        implicates,
        component,
        shows_writer,
        level,
        region,
        store,
        peer,
        task,
        codes,
        tsos,
        regions,
        stores,
        message,
        facts,
        descriptions,
        ranges,
    } = event;
    out.row.put("event");
    out.file.put(file);
    out.line.put(*line);
    out.offset.put(*offset);
    out.time.put_opt(time.map(|time| time.0));
    out.time_is_local.put(*time_is_local);
    out.rule.put(rule);
    out.group.put(group);
    out.severity.put(severity.as_str());
    out.implicates.put(*implicates);
    out.shows_writer.put(*shows_writer);
    out.component.put_opt(component.map(Component::as_str));
    out.level.put_opt(level.map(Level::as_str));
    out.region.put_opt(region.map(|region| region.0));
    out.store.put_opt(store.map(|store| store.0));
    out.peer.put_opt(peer.map(|peer| peer.0));
    out.task.put_opt(task.as_deref());
    out.codes.put(codes.iter().map(|code| &**code));
    out.tsos.put(tsos.iter().map(|tso| tso.0));
    out.regions.put(regions.iter().map(|region| region.0));
    out.stores.put(stores.iter().map(|store| store.0));
    out.message.put(message);
    out.facts.put_opt(json(facts)?.as_deref());
    out.descriptions.put_opt(json(descriptions)?.as_deref());
    out.ranges.put_opt(json(ranges)?.as_deref());
    Ok(())
}

fn source(source: &SourceRow, out: &mut Builders) -> io::Result<()> {
    let SourceRow {
        file,
        start,
        end,
        bytes,
        records,
        newlines,
        continuation_lines,
        unparsed_lines,
        first,
        last,
        local,
        zone_minutes,
        head_hash,
        tail_hash,
        status,
        problem,
        writer: Writer { component, peers },
    } = source;
    out.row.put("source");
    out.file.put(file);
    out.start.put(*start);
    out.end.put(*end);
    out.bytes.put(*bytes);
    out.records.put(*records);
    out.newlines.put(*newlines);
    out.continuation_lines.put(*continuation_lines);
    out.unparsed_lines.put(*unparsed_lines);
    out.first.put_opt(first.map(|time| time.0));
    out.last.put_opt(last.map(|time| time.0));
    out.local_first.put_opt(local.map(|(first, _)| first.0));
    out.local_last.put_opt(local.map(|(_, last)| last.0));
    out.zone_minutes.put_opt(*zone_minutes);
    out.head_hash.put(&format!("{head_hash:016x}"));
    out.tail_hash.put_opt(tail_hash.map(|hash| format!("{hash:016x}")).as_deref());
    out.status.put(status.as_str());
    out.problem.put_opt(problem.as_deref());
    out.component.put_opt(component.map(Component::as_str));
    out.peers.put_opt(json(peers)?.as_deref());
    Ok(())
}

fn unmatched(row: &UnmatchedRow, out: &mut Builders) {
    let UnmatchedRow { template, component, level, count, first, last, example, file, line, offset } = row;
    out.row.put("unmatched");
    out.template.put(template);
    out.component.put_opt(component.map(Component::as_str));
    out.level.put_opt(level.map(Level::as_str));
    out.count.put(*count);
    out.first.put_opt(first.map(|time| time.0));
    out.last.put_opt(last.map(|time| time.0));
    out.example.put(example);
    out.file.put(file);
    out.line.put(*line);
    out.offset.put(*offset);
}

fn json<T: Serialize>(values: &[T]) -> io::Result<Option<String>> {
    if values.is_empty() { Ok(None) } else { Ok(Some(serde_json::to_string(values)?)) }
}
