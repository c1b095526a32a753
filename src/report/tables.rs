//! The tables of the report folder, column by column, as the contract has them.

use super::table::{Column, Rows, Table};
use crate::correlate::{
    DeadlineBasis, Derived, Episode, ErrorCode, Incident, MergeResult, Region, Source, Step, Store, Task, Unmatched,
    Verdict,
};
use crate::event::Event;
use crate::units::{Component, Level, RegionId, StoreId, Tso};

/// An event with what other records say of it.
pub(super) struct EventRow<'a> {
    pub(super) event: &'a Event,
    pub(super) derived: Derived<'a>,
}

/// The rows of `events.csv`.
pub(super) struct Events;

impl Rows for Events {
    type Row<'r> = EventRow<'r>;
}

macro_rules! rows {
    ($($row:ty),+) => { $(impl Rows for $row { type Row<'r> = Self; })+ };
}

rows!(Episode, ErrorCode, Incident, Region, Source, Step, Store, Task, Unmatched);

pub(super) fn events() -> Table<Events> {
    Table {
        name: "events",
        columns: vec![
            Column::time("time", |row| row.event.time),
            Column::word("component", |row| row.derived.component.map(Component::as_str)),
            Column::text("instance", |row| row.derived.instance),
            Column::number("store_id", |row| row.derived.store.map(|store| store.0)),
            Column::number("region_id", |row| row.event.region.map(|region| region.0)),
            Column::number("peer_id", |row| row.event.peer.map(|peer| peer.0)),
            Column::text("task", |row| row.derived.task),
            Column::word("rule", |row| Some(&row.event.rule)),
            Column::word("group", |row| Some(&row.event.group)),
            Column::word("severity", |row| Some(row.event.severity.as_str())),
            Column::word("level", |row| row.event.level.map(Level::as_str)),
            Column::words("error_code", |row, out| out.extend(row.event.codes.iter().map(|code| &**code))),
            Column::numbers("tso", |row, out| out.extend(row.event.tsos.iter().map(|tso| tso.0))),
            Column::numbers("regions", |row, out| {
                out.extend(row.event.regions.iter().chain(&row.event.region).map(|region| region.0));
            }),
            Column::numbers("stores", |row, out| {
                out.extend(row.event.stores.iter().chain(&row.derived.store).map(|store| store.0));
            }),
            Column::text("message", |row| Some(&row.event.message)),
            Column::text("file", |row| Some(&row.event.file)),
            Column::number("line", |row| Some(row.event.line)),
            Column::number("offset", |row| Some(row.event.offset)),
            Column::words("incident", |row, out| out.extend_from_slice(&row.derived.incidents)),
        ],
    }
}

pub(super) fn timeline() -> Table<Episode> {
    Table {
        name: "timeline",
        columns: vec![
            Column::time("first", |row| row.first),
            Column::time("last", |row| row.last),
            Column::number("count", |row| Some(row.count)),
            Column::word("rule", |row| Some(&row.rule)),
            Column::word("severity", |row| Some(row.severity.as_str())),
            Column::word("component", |row| row.component.map(Component::as_str)),
            Column::number("store_id", |row| row.store.map(|store| store.0)),
            Column::number("region_id", |row| row.region.map(|region| region.0)),
            Column::text("task", |row| row.task.as_deref()),
            Column::words("error_code", |row, out| words(&row.codes, out)),
            Column::text("summary", |row| Some(&row.summary)),
            Column::words("incident", |row, out| words(&row.incidents, out)),
            Column::text("file", |row| Some(&row.place.file)),
            Column::number("line", |row| Some(row.place.line)),
        ],
    }
}

pub(super) fn incidents() -> Table<Incident> {
    Table {
        name: "incidents",
        columns: vec![
            Column::text("incident", |row| Some(&row.id)),
            Column::word("kind", |row| Some(row.kind.as_str())),
            Column::word("severity", |row| Some(row.severity.as_str())),
            Column::word("status", |row| Some(row.status.as_str())),
            Column::time("start", |row| row.start),
            Column::time("end", |row| row.end),
            Column::text("task", |row| row.task.as_deref()),
            Column::numbers("stores", |row, out| store_ids(&row.stores, out)),
            Column::numbers("regions", |row, out| region_ids(&row.regions, out)),
            Column::word("cause", |row| Some(row.cause.as_str())),
            Column::word("verdict", |row| Some(row.verdict.as_str())),
            Column::text("summary", |row| Some(&row.summary)),
            Column::list("commands", |row| row.commands.clone(), |row| between_commands(row.verdict)),
            Column::number("events", |row| Some(row.events)),
            Column::list("evidence", |row| row.chain.iter().map(|step| step.place.to_string()).collect(), |_| ";"),
        ],
    }
}

/// The steps of an incident's chain: in `summary.json` only.
pub(super) fn chain() -> Table<Step> {
    Table {
        name: "chain",
        columns: vec![
            Column::time("first", |row| row.first),
            Column::time("last", |row| row.last),
            Column::number("count", |row| Some(row.count)),
            Column::word("rule", |row| Some(&row.rule)),
            Column::word("severity", |row| Some(row.severity.as_str())),
            Column::word("component", |row| row.component.map(Component::as_str)),
            Column::numbers("stores", |row, out| store_ids(&row.stores, out)),
            Column::numbers("regions", |row, out| region_ids(&row.regions, out)),
            Column::text("what", |row| Some(&row.what)),
            Column::text("message", |row| Some(&row.message)),
            Column::word("certainty", |row| Some(row.certainty.as_str())),
            Column::text("file", |row| Some(&row.place.file)),
            Column::number("line", |row| Some(row.place.line)),
        ],
    }
}

pub(super) fn tasks() -> Table<Task> {
    Table {
        name: "tasks",
        columns: vec![
            Column::text("task", |row| Some(&row.name)),
            Column::word("status", |row| Some(row.status.as_str())),
            Column::time("start_time", |row| row.start),
            Column::text("storage", |row| row.storage.as_deref()),
            Column::number("checkpoint_ts", |row| row.checkpoint.map(|tso| tso.0)),
            Column::time("checkpoint_time", |row| row.checkpoint_time),
            Column::time("observed_at", |row| row.observed_at),
            Column::signed("gap_s", |row| Some(row.observed_at?.since(row.checkpoint_time?).div_euclid(1_000))),
            Column::number("gc_safepoint_ts", |row| row.gc_safepoint.map(|tso| tso.0)),
            Column::time("gc_safepoint_time", |row| row.gc_safepoint.map(Tso::time)),
            Column::signed("exceeded_by_s", |row| row.exceeded_by_s),
            Column::time("resume_deadline", |row| row.resume_deadline),
            Column::word("deadline_basis", |row| row.deadline_basis.map(DeadlineBasis::as_str)),
            Column::word("verdict", |row| Some(row.verdict.as_str())),
            Column::number("error_store", |row| row.error_store.map(|store| store.0)),
            Column::text("error_code", |row| row.error_code.as_deref()),
            Column::number("error_region", |row| row.error_region.map(|region| region.0)),
            Column::list("commands", |row| row.commands.clone(), |row| between_commands(row.verdict)),
        ],
    }
}

pub(super) fn regions() -> Table<Region> {
    Table {
        name: "regions",
        columns: vec![
            Column::number("region_id", |row| Some(row.id.0)),
            Column::number("events", |row| Some(row.events)),
            Column::number("errors", |row| Some(row.errors)),
            Column::time("first", |row| row.first),
            Column::time("last", |row| row.last),
            Column::numbers("stores", |row, out| store_ids(&row.stores, out)),
            Column::number("leader_store", |row| row.leader.map(|store| store.0)),
            Column::words("rules", |row, out| words(&row.rules, out)),
            Column::numbers("merge_source_of", |row, out| region_ids(&row.merge_source_of, out)),
            Column::numbers("merge_target_of", |row, out| region_ids(&row.merge_target_of, out)),
            Column::time("merge_started", |row| row.merge_started),
            Column::time("merge_ended", |row| row.merge_ended),
            Column::word("merge_result", |row| row.merge_result.map(MergeResult::as_str)),
            Column::text("start_key", |row| row.start_key.as_deref()),
            Column::text("end_key", |row| row.end_key.as_deref()),
            Column::words("incident", |row, out| words(&row.incidents, out)),
        ],
    }
}

pub(super) fn stores() -> Table<Store> {
    Table {
        name: "stores",
        columns: vec![
            Column::number("store_id", |row| row.id.map(|store| store.0)),
            Column::text("address", |row| row.address.as_deref()),
            Column::word("component", |row| row.component.map(Component::as_str)),
            Column::text("version", |row| row.version.as_deref()),
            Column::number("sources", |row| Some(row.sources)),
            Column::number("records", |row| Some(row.records)),
            Column::time("first", |row| row.first),
            Column::time("last", |row| row.last),
            Column::number("events", |row| Some(row.events)),
            Column::number("errors", |row| Some(row.errors)),
            Column::number("regions", |row| Some(row.regions)),
            Column::number("restarts", |row| Some(row.restarts)),
            Column::signed("clock_skew_ms", |row| row.clock_skew_ms),
            Column::text("identified_by", |row| Some(&row.identified_by)),
        ],
    }
}

pub(super) fn errors() -> Table<ErrorCode> {
    Table {
        name: "errors",
        columns: vec![
            Column::text("error_code", |row| Some(&row.code)),
            Column::words("rule", |row, out| words(&row.rules, out)),
            Column::number("count", |row| Some(row.count)),
            Column::time("first", |row| row.first),
            Column::time("last", |row| row.last),
            Column::numbers("stores", |row, out| store_ids(&row.stores, out)),
            Column::numbers("regions", |row, out| region_ids(&row.regions, out)),
            Column::text("meaning", |row| Some(&row.meaning)),
            Column::text("remedy", |row| Some(&row.remedy)),
        ],
    }
}

pub(super) fn unmatched() -> Table<Unmatched> {
    Table {
        name: "unmatched",
        columns: vec![
            Column::text("template", |row| Some(&row.template)),
            Column::word("component", |row| row.component.map(Component::as_str)),
            Column::word("level", |row| row.level.map(Level::as_str)),
            Column::number("count", |row| Some(row.count)),
            Column::time("first", |row| row.first),
            Column::time("last", |row| row.last),
            Column::text("example", |row| Some(&row.example)),
            Column::text("file", |row| Some(&row.place.file)),
            Column::number("line", |row| Some(row.place.line)),
        ],
    }
}

pub(super) fn sources() -> Table<Source> {
    Table {
        name: "sources",
        columns: vec![
            Column::text("file", |row| Some(&row.file)),
            Column::word("component", |row| row.component.map(Component::as_str)),
            Column::text("instance", |row| row.instance.as_deref()),
            Column::number("store_id", |row| row.store.map(|store| store.0)),
            Column::number("bytes", |row| Some(row.bytes)),
            Column::number("records", |row| Some(row.records)),
            Column::number("continuation_lines", |row| Some(row.continuation_lines)),
            Column::number("unparsed_lines", |row| Some(row.unparsed_lines)),
            Column::time("first", |row| row.first),
            Column::time("last", |row| row.last),
            Column::word("status", |row| Some(row.status.as_str())),
            Column::text("problem", |row| row.problem.as_deref()),
        ],
    }
}

/// Statements of SQL end with a semicolon, commands of a shell go on only while they succeed.
fn between_commands(verdict: Verdict) -> &'static str {
    if verdict == Verdict::SetTiflashReplica { "; " } else { " && " }
}

fn store_ids(ids: &[StoreId], out: &mut Vec<u64>) {
    out.extend(ids.iter().map(|store| store.0));
}

fn region_ids(ids: &[RegionId], out: &mut Vec<u64>) {
    out.extend(ids.iter().map(|region| region.0));
}

fn words<'a>(texts: &'a [String], out: &mut Vec<&'a str>) {
    out.extend(texts.iter().map(String::as_str));
}
