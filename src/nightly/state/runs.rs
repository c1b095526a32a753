//! The runs that ended: what history, metrics and the page over all nights show of each.

use super::State;
use crate::units::{Severity, Timestamp};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number; 0 until it is stored.
    pub id: i64,
    /// When it began: the moment its verdicts are for.
    pub started: Timestamp,
    /// Its report; none where nothing was new.
    pub folder: Option<String>,
    /// Whether the report is still to be put in its place.
    pub staged: bool,
    /// What became of it.
    pub summary: Summary,
}

/// What became of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// Bytes of logs read (decompressed), those that only had to be looked at included.
    pub bytes: u64,
    /// Records that were new.
    pub records: u64,
    /// Events that were new.
    pub events: u64,
    /// How long it took.
    pub duration_ms: u64,
    /// Newest record known so far.
    pub newest: Option<Timestamp>,
    /// Open incidents by severity.
    pub open: BTreeMap<Severity, u64>,
    /// Incidents that are new.
    pub new: u64,
    /// The exit status.
    pub status: u8,
    /// News, a sentence each, as the page over all nights shows them.
    pub news: Vec<String>,
    /// What could not be read, a sentence each.
    pub unread: Vec<String>,
}

impl State {
    /// The last run.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn last_run(&self) -> anyhow::Result<Option<Run>> {
        let query = "SELECT id, started, folder, staged, summary FROM run ORDER BY id DESC LIMIT 1";
        Ok(self.db.query_row(query, [], read).optional()?)
    }

    /// All runs, in order.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn runs(&self) -> anyhow::Result<Vec<Run>> {
        let mut query = self.db.prepare("SELECT id, started, folder, staged, summary FROM run ORDER BY id")?;
        let rows = query.query_map([], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes under which name the report of a run stands in its place.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn published(&mut self, run: i64, folder: &str) -> anyhow::Result<()> {
        self.change(|change| {
            change.execute("UPDATE run SET folder = ?2, staged = 0 WHERE id = ?1", params![run, folder])?;
            Ok(())
        })
    }

    /// Notes that a run has no report any more.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn without_report(&mut self, run: i64) -> anyhow::Result<()> {
        self.change(|change| {
            change.execute("UPDATE run SET folder = NULL, staged = 0 WHERE id = ?1", params![run])?;
            Ok(())
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Run> {
    let summary: String = row.get(4)?;
    Ok(Run {
        id: row.get(0)?,
        started: Timestamp(row.get(1)?),
        folder: row.get(2)?,
        staged: row.get(3)?,
        // What an older version did not count is zero.
        summary: serde_json::from_str(&summary).unwrap_or_default(),
    })
}

pub(super) fn insert(change: &Transaction<'_>, run: &Run) -> anyhow::Result<i64> {
    change.execute(
        "INSERT INTO run (started, folder, staged, summary) VALUES (?1, ?2, ?3, ?4)",
        params![run.started.0, run.folder, run.staged, serde_json::to_string(&run.summary)?],
    )?;
    Ok(change.last_insert_rowid())
}
