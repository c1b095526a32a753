//! `tidescope.sqlite`: every table of the report, named as its CSV file, with indexes and views for the common questions.
//! Lists are JSON arrays (`json_each` takes them apart), times are text that SQLite's date functions read.

use super::each_event;
use super::value::Value;
use crate::correlate::Correlation;
use crate::event::EventStream;
use crate::report::table::{Cell, Plain, Rows, Table};
use crate::report::tables;
use crate::safe::Safe;
use crate::units::{Timestamp, Tso};
use rusqlite::types::Value as Sql;
use rusqlite::{CachedStatement, Connection, params_from_iter};
use std::io;
use std::path::Path;

/// Nobody reads the file before it is whole, so it needs no journal. The cache is 16 MiB.
const SETTINGS: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
PRAGMA cache_size = -16384; PRAGMA user_version = 1; BEGIN;";

const VIEWS: &str = include_str!("views.sql");

pub(super) fn write(correlation: &Correlation, events: &dyn EventStream, safe: Safe, path: &Path) -> io::Result<()> {
    let findings = &correlation.findings;
    let db = Database { sql: Connection::open(path).map_err(io::Error::other)?, safe };
    db.run(SETTINGS)?;
    let table = tables::events();
    let mut insert = db.create(&table, &[])?;
    each_event(correlation, events, &mut |row| db.insert(&mut insert, &table, Vec::new(), row))?;
    drop(insert);
    let timeline = tables::timeline();
    let mut insert = db.create(&timeline, &[])?;
    correlation.each_episode(&mut |row| db.insert(&mut insert, &timeline, Vec::new(), row))?;
    drop(insert);
    db.fill(&tables::incidents(), &findings.incidents)?;
    db.fill(&tables::tasks(), &findings.tasks)?;
    db.fill(&tables::regions(), &findings.regions)?;
    db.fill(&tables::stores(), &findings.stores)?;
    db.fill(&tables::errors(), &findings.errors)?;
    db.fill(&tables::unmatched(), &findings.unmatched)?;
    db.fill(&tables::sources(), &findings.sources)?;
    let chain = tables::chain();
    let mut insert = db.create(&chain, &["incident TEXT", "step INTEGER"])?;
    for incident in &findings.incidents {
        for (step, row) in (1..).zip(&incident.chain) {
            let before = vec![text(&incident.id, safe), Sql::Integer(step)];
            db.insert(&mut insert, &chain, before, row)?;
        }
    }
    drop(insert);
    db.run("CREATE TABLE progress (task TEXT, what TEXT, seen TEXT, ts INTEGER, time TEXT);")?;
    for task in &findings.tasks {
        db.curve(&task.name, "checkpoint", &task.checkpoints)?;
        db.curve(&task.name, "gc-safepoint", &task.safepoints)?;
    }
    db.run(VIEWS)?;
    db.run("COMMIT;")
}

struct Database {
    sql: Connection,
    safe: Safe,
}

impl Database {
    fn run(&self, statements: &str) -> io::Result<()> {
        self.sql.execute_batch(statements).map_err(io::Error::other)
    }

    /// Creates a table, with columns of ours before its own, and gives the statement that fills it.
    fn create<R: Rows>(&self, table: &Table<R>, before: &[&str]) -> io::Result<CachedStatement<'_>> {
        let own = table.columns.iter().map(|column| format!("\"{}\" {}", column.name, affinity(&column.cell)));
        let columns: Vec<String> = before.iter().map(ToString::to_string).chain(own).collect();
        let places = vec!["?"; columns.len()].join(", ");
        self.run(&format!("CREATE TABLE {} ({});", table.name, columns.join(", ")))?;
        self.sql.prepare_cached(&format!("INSERT INTO {} VALUES ({places})", table.name)).map_err(io::Error::other)
    }

    fn insert<'r, R: Rows>(
        &self,
        insert: &mut CachedStatement<'_>,
        table: &Table<R>,
        before: Vec<Sql>,
        row: &'r R::Row<'r>,
    ) -> io::Result<()> {
        let own = table.columns.iter().map(|column| sql(Value::of(&column.cell, row, self.safe)));
        insert.execute(params_from_iter(before.into_iter().chain(own))).map(drop).map_err(io::Error::other)
    }

    fn fill<R: Plain>(&self, table: &Table<R>, rows: &[R]) -> io::Result<()> {
        let mut insert = self.create(table, &[])?;
        rows.iter().try_for_each(|row| self.insert(&mut insert, table, Vec::new(), row))
    }

    /// A value over time, for a chart.
    fn curve(&self, task: &str, what: &str, points: &[(Timestamp, Tso)]) -> io::Result<()> {
        let mut insert =
            self.sql.prepare_cached("INSERT INTO progress VALUES (?, ?, ?, ?, ?)").map_err(io::Error::other)?;
        for (seen, ts) in points {
            let row = [
                text(task, self.safe),
                Sql::Text(what.to_owned()),
                Sql::Text(seen.to_string()),
                number(ts.0),
                Sql::Text(ts.time().to_string()),
            ];
            insert.execute(params_from_iter(row)).map_err(io::Error::other)?;
        }
        Ok(())
    }
}

const fn affinity<R: Rows>(cell: &Cell<R>) -> &'static str {
    match cell {
        Cell::Number(_) | Cell::Signed(_) => "INTEGER",
        Cell::Word(_) | Cell::Text(_) | Cell::Time(_) | Cell::Numbers(_) | Cell::Words(_) | Cell::List(..) => "TEXT",
    }
}

fn text(raw: &str, safe: Safe) -> Sql {
    Sql::Text(safe.text(raw).to_string())
}

/// SQLite's numbers end at 2^63. No id or TSO of a cluster is larger; one that a log makes up becomes a floating number.
fn number(number: u64) -> Sql {
    i64::try_from(number).map_or(Sql::Real(number as f64), Sql::Integer)
}

fn sql(value: Value<'_>) -> Sql {
    match value {
        Value::Empty => Sql::Null,
        Value::Text(text) => Sql::Text(text.to_string()),
        Value::Time(time) => Sql::Text(time.to_string()),
        Value::Number(value) => number(value),
        Value::Signed(number) => Sql::Integer(number),
        Value::Numbers(numbers) => {
            let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
            Sql::Text(format!("[{}]", texts.join(",")))
        }
        Value::Texts(texts) => Sql::Text(texts.iter().map(|text| &**text).collect::<serde_json::Value>().to_string()),
    }
}
