//! Files and the texts in them: how each text begins, how far it has been read, and what is known of it.

use super::State;
use crate::event::SourceRow;
use crate::input::Stamp;
use crate::scan::Mark;
use crate::units::Timestamp;
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// All files and texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Files as the last run found them.
    pub files: Vec<KnownFile>,
    /// Texts, also those whose file is gone.
    pub sources: Vec<KnownSource>,
}

/// A file as the last run found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// Name.
    pub name: String,
    /// How it was found.
    pub stamp: Stamp,
    /// Whether all of it is taken: while it stays as it is it need not be opened.
    pub settled: bool,
}

/// A text, and how far it has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSource {
    /// Its number in this state.
    pub id: i64,
    /// The name under which it was last seen.
    pub name: String,
    /// How it begins.
    pub head: Head,
    /// The file that held it last: a hint.
    pub inode: u64,
    /// Bytes read.
    pub offset: u64,
    /// Line ends in them.
    pub newlines: u64,
    /// The start of the run that saw it last.
    pub seen: Timestamp,
    /// Places to go back to for context.
    pub marks: Vec<Mark>,
    /// What all of it that was read came down to.
    pub row: SourceRow,
}

/// How a text begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Head {
    /// Bytes.
    pub len: u64,
    /// Their hash.
    pub hash: u64,
}

#[derive(Serialize, Deserialize)]
struct Rest {
    marks: Vec<Mark>,
    row: SourceRow,
}

impl State {
    /// All files and texts that earlier runs know.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn sources(&self) -> anyhow::Result<Sources> {
        let mut query = self.db.prepare("SELECT name, device, inode, size, modified, settled FROM file")?;
        let files = query.query_map([], |row| {
            let stamp = Stamp {
                device: bits(row.get(1)?),
                inode: bits(row.get(2)?),
                size: bits(row.get(3)?),
                modified_ns: row.get(4)?,
            };
            Ok(KnownFile { name: row.get(0)?, stamp, settled: row.get(5)? })
        })?;
        let files = files.collect::<Result<_, _>>()?;
        let query = "SELECT id, name, head_len, head_hash, inode, offset, newlines, seen, rest FROM source ORDER BY id";
        let mut query = self.db.prepare(query)?;
        let mut rows = query.query([])?;
        let mut sources = Vec::new();
        while let Some(row) = rows.next()? {
            let rest: String = row.get(8)?;
            let Rest { marks, row: known } = serde_json::from_str(&rest)?;
            sources.push(KnownSource {
                id: row.get(0)?,
                name: row.get(1)?,
                head: Head { len: bits(row.get(2)?), hash: bits(row.get(3)?) },
                inode: bits(row.get(4)?),
                offset: bits(row.get(5)?),
                newlines: bits(row.get(6)?),
                seen: Timestamp(row.get(7)?),
                marks,
                row: known,
            });
        }
        Ok(Sources { files, sources })
    }

    /// Who gave records in a run.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub fn voices(&self, run: i64) -> anyhow::Result<BTreeSet<String>> {
        let mut query = self.db.prepare("SELECT name FROM voice WHERE run = ?1")?;
        let names = query.query_map([run], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }
}

/// SQLite knows signed numbers only.
pub(super) const fn bits(number: i64) -> u64 {
    number.cast_unsigned()
}

pub(super) fn replace(change: &Transaction<'_>, all: &Sources) -> anyhow::Result<()> {
    change.execute("DELETE FROM file", [])?;
    let mut insert = change.prepare("INSERT OR REPLACE INTO file VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for KnownFile { name, stamp, settled } in &all.files {
        let (device, inode) = (stamp.device.cast_signed(), stamp.inode.cast_signed());
        insert.execute(params![name, device, inode, stamp.size.cast_signed(), stamp.modified_ns, settled])?;
    }
    change.execute("DELETE FROM source", [])?;
    let mut insert = change.prepare("INSERT INTO source VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    for source in &all.sources {
        let rest = serde_json::to_string(&Rest { marks: source.marks.clone(), row: source.row.clone() })?;
        insert.execute(params![
            source.id,
            source.name,
            source.head.len.cast_signed(),
            source.head.hash.cast_signed(),
            source.inode.cast_signed(),
            source.offset.cast_signed(),
            source.newlines.cast_signed(),
            source.seen.0,
            rest
        ])?;
    }
    Ok(())
}

pub(super) fn voices(change: &Transaction<'_>, names: &BTreeSet<String>, run: i64) -> anyhow::Result<()> {
    change.execute("DELETE FROM voice WHERE run < ?1", [run - 1])?;
    let mut insert = change.prepare("INSERT OR REPLACE INTO voice VALUES (?1, ?2)")?;
    for name in names {
        insert.execute(params![name, run])?;
    }
    Ok(())
}
