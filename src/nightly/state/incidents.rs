//! Incidents as they were last told, so that the next run knows what is new about them.

use super::State;
use crate::correlate::{IncidentKind, IncidentStatus, Verdict};
use crate::units::{Severity, Timestamp};
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};

/// An incident as it was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Id.
    pub id: String,
    /// Kind.
    pub kind: IncidentKind,
    /// Severity.
    pub severity: Severity,
    /// Status.
    pub status: IncidentStatus,
    /// Start.
    pub start: Option<Timestamp>,
    /// Task.
    pub task: Option<String>,
    /// Verdict.
    pub verdict: Verdict,
    /// Until when its task can be resumed.
    pub deadline: Option<Timestamp>,
    /// The deadline of which was told that it falls due.
    pub due: Option<Timestamp>,
    /// When it was first told.
    pub since: Timestamp,
    /// When it was last among the incidents.
    pub seen: Timestamp,
}

impl State {
    /// All incidents that were told.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn incidents(&self) -> anyhow::Result<Vec<Told>> {
        let mut query = self.db.prepare("SELECT told FROM incident ORDER BY id")?;
        let mut rows = query.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let told: String = row.get(0)?;
            all.push(serde_json::from_str(&told)?);
        }
        Ok(all)
    }
}

pub(super) fn replace(change: &Transaction<'_>, all: &[Told]) -> anyhow::Result<()> {
    change.execute("DELETE FROM incident", [])?;
    let mut insert = change.prepare("INSERT INTO incident VALUES (?1, ?2)")?;
    for told in all {
        insert.execute(params![told.id, serde_json::to_string(told)?])?;
    }
    Ok(())
}
