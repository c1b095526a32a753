//! The runs that ended: what history, metrics and the page over all nights show of each.

use super::State;
use crate::correlate::{IncidentKind, TaskStatus, Verdict};
use crate::units::{Severity, Timestamp};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
    /// What is still to be sent to the webhook.
    pub owed: Option<String>,
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
    /// Open incidents, worst first.
    pub open: Vec<OpenIncident>,
    /// Log backup tasks.
    pub tasks: Vec<TaskNow>,
    /// Who gave records last time and gives none now.
    pub silent: BTreeSet<String>,
    /// Incidents that are new.
    pub new: u64,
    /// The exit status.
    pub status: u8,
    /// News, a sentence each, as the page over all nights shows them.
    pub news: Vec<String>,
    /// What could not be read, a sentence each.
    pub unread: Vec<String>,
}

/// An open incident, as metrics and notices show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIncident {
    /// Id.
    pub id: String,
    /// Kind.
    pub kind: IncidentKind,
    /// Severity.
    pub severity: Severity,
    /// Task.
    pub task: Option<String>,
    /// What to do.
    pub verdict: Verdict,
    /// Start.
    pub start: Option<Timestamp>,
    /// What happened.
    pub summary: String,
}

/// A task, as metrics show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskNow {
    /// Name.
    pub name: String,
    /// Status.
    pub status: TaskStatus,
    /// Checkpoint.
    pub checkpoint: Option<Timestamp>,
    /// Until when its data are safe from GC.
    pub deadline: Option<Timestamp>,
}

impl State {
    /// The last run.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn last_run(&self) -> anyhow::Result<Option<Run>> {
        let query = format!("{COLUMNS} ORDER BY id DESC LIMIT 1");
        Ok(self.db.query_row(&query, [], read).optional()?)
    }

    /// All runs, in order.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn runs(&self) -> anyhow::Result<Vec<Run>> {
        let mut query = self.db.prepare(&format!("{COLUMNS} ORDER BY id"))?;
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

    /// Forgets runs before a moment, with all that was counted in them.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn forget_runs(&mut self, before: Timestamp) -> anyhow::Result<()> {
        self.change(|change| {
            change.execute("DELETE FROM run WHERE started < ?1 AND folder IS NULL", params![before.0])?;
            Ok(())
        })
    }

    /// Notes that nothing is to be sent any more.
    ///
    /// # Errors
    /// Where the state cannot be written.
    pub fn sent(&mut self, run: i64) -> anyhow::Result<()> {
        self.change(|change| {
            change.execute("UPDATE run SET owed = NULL WHERE id = ?1", params![run])?;
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

const COLUMNS: &str = "SELECT id, started, folder, staged, summary, owed FROM run";

fn read(row: &Row<'_>) -> rusqlite::Result<Run> {
    let summary: String = row.get(4)?;
    Ok(Run {
        id: row.get(0)?,
        started: Timestamp(row.get(1)?),
        folder: row.get(2)?,
        staged: row.get(3)?,
        // What an older version did not count is zero.
        summary: serde_json::from_str(&summary).unwrap_or_default(),
        owed: row.get(5)?,
    })
}

pub(super) fn insert(change: &Transaction<'_>, run: &Run) -> anyhow::Result<i64> {
    change.execute(
        "INSERT INTO run (started, folder, staged, summary, owed) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![run.started.0, run.folder, run.staged, serde_json::to_string(&run.summary)?, run.owed],
    )?;
    Ok(change.last_insert_rowid())
}
