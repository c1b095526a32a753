//! Remembered events: few, and read all at once, so they are lines of JSON in compressed parts.

use super::State;
use crate::event::Event;
use crate::units::Timestamp;
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Write};

/// A remembered event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memo {
    /// The source's number; the event's own `file` is empty in the state.
    pub source: i64,
    /// The start of the run that read it.
    pub read: Timestamp,
    /// The event.
    pub event: Event,
}

/// Events of a part.
const PART: usize = 4_096;

impl State {
    /// All remembered events.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn memory(&self) -> anyhow::Result<Vec<Memo>> {
        let mut query = self.db.prepare("SELECT body FROM memory ORDER BY part")?;
        let mut rows = query.query([])?;
        let mut memos = Vec::new();
        while let Some(row) = rows.next()? {
            let body = row.get_ref(0)?.as_blob()?;
            for line in BufReader::new(zstd::Decoder::new(body)?).split(b'\n') {
                memos.push(serde_json::from_slice(&line?)?);
            }
        }
        Ok(memos)
    }
}

pub(super) fn replace(change: &Transaction<'_>, memos: &[Memo]) -> anyhow::Result<()> {
    change.execute("DELETE FROM memory", [])?;
    let mut insert = change.prepare("INSERT INTO memory (body) VALUES (?1)")?;
    for part in memos.chunks(PART) {
        let mut body = zstd::Encoder::new(Vec::new(), 3)?;
        for memo in part {
            serde_json::to_writer(&mut body, memo)?;
            body.write_all(b"\n")?;
        }
        insert.execute(params![body.finish()?])?;
    }
    Ok(())
}
