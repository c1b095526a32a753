//! What is new, gone, grown or shrunk between two report folders. Only their `summary.json` is read: no source, no events.

mod compare;
mod page;
mod read;
mod text;

pub use compare::{Change, Subject, Turn, compare};
pub use read::{Refusal, Summary};

use super::csv;
use super::table::{Column, Rows, Table};
use crate::safe::Safe;
use crate::units::Severity;
use std::io::{self, Write};

/// Two reports and what differs.
#[derive(Debug)]
pub struct Diff<'a> {
    /// The earlier report, with the name that it is called by.
    pub old: (&'a str, &'a Summary),
    /// The later one.
    pub new: (&'a str, &'a Summary),
    /// By subject, then turn, then by how much.
    pub changes: Vec<Change>,
}

impl Diff<'_> {
    /// Writes it for people.
    ///
    /// # Errors
    /// Where `out` cannot be written.
    pub fn write_text(&self, out: impl Write) -> io::Result<()> {
        text::write(self, out)
    }

    /// Writes every change, one a row.
    ///
    /// # Errors
    /// Where `out` cannot be written.
    pub fn write_csv(&self, out: impl Write) -> io::Result<()> {
        csv::write(&table(), &self.changes, out, SAFE)
    }

    /// Writes a page that needs nothing else.
    ///
    /// # Errors
    /// Where `out` cannot be written.
    pub fn write_html(&self, out: impl Write) -> io::Result<()> {
        page::write(self, out)
    }
}

/// The folders hold what was redacted already, or was not to be.
const SAFE: Safe = Safe::new(false);

impl Rows for Change {
    type Row<'r> = Self;
}

fn table() -> Table<Change> {
    Table {
        name: "diff",
        columns: vec![
            Column::word("subject", |row| Some(row.subject.as_str())),
            Column::text("name", |row| Some(&row.name)),
            Column::word("change", |row| Some(row.turn.as_str())),
            Column::number("old", |row| row.old),
            Column::number("new", |row| row.new),
            Column::signed("difference", |row| row.old.or(row.new).and_then(|_| i64::try_from(row.difference()).ok())),
            Column::word("severity", |row| row.severity.map(Severity::as_str)),
            Column::text("note", |row| Some(&row.note)),
        ],
    }
}

#[cfg(test)]
mod tests;
