//! What is kept between nights, in `DIR/state.sqlite`. A run reads it at its beginning and replaces it in one transaction at its
//! end; nothing in between changes it. Owns the file's form and nothing of what the values mean.

mod incidents;
mod memory;
mod runs;
mod sources;
mod tallies;

pub use incidents::Told;
pub use memory::Memo;
pub use runs::{OpenIncident, Run, Summary, TaskNow};
pub use sources::{Head, KnownFile, KnownSource, Sources};
pub use tallies::{Kind, Tally};

use anyhow::{Context, bail};
use rusqlite::{Connection, Transaction};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name of the file.
pub const FILE: &str = "state.sqlite";

/// Marks the file as ours: "tide".
const APPLICATION: i32 = 0x7469_6465;

/// What each version adds to the one before it.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

/// The open state.
#[derive(Debug)]
pub struct State {
    db: Connection,
    path: PathBuf,
}

/// What a run leaves. All of it is stored, or nothing.
#[derive(Debug)]
pub struct Commit<'a> {
    /// The run itself.
    pub run: &'a Run,
    /// Files and sources, where anything about them has changed.
    pub sources: Option<&'a Sources>,
    /// Events to remember, where any was added.
    pub memory: Option<&'a [Memo]>,
    /// Incidents as they were told.
    pub incidents: Option<&'a [Told]>,
    /// Who gave records in this run.
    pub voices: &'a BTreeSet<String>,
    /// What was counted.
    pub tallies: &'a [Tally],
}

impl State {
    /// Opens or makes the state of a folder, and brings an older one to the form of today.
    ///
    /// # Errors
    /// Where it cannot be read or written, or is no state of this program.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        Self::at(folder, &folder.join(FILE))
    }

    /// Opens the state of a folder to look at it; `None` where no run has made one.
    ///
    /// # Errors
    /// Where it cannot be read, or is no state of this program.
    pub fn look(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(FILE);
        if path.exists() { Self::at(folder, &path).map(Some) } else { Ok(None) }
    }

    fn at(folder: &Path, path: &Path) -> anyhow::Result<Self> {
        let open = || -> anyhow::Result<Self> {
            let db = Connection::open(path)?;
            db.busy_timeout(Duration::from_secs(10))?;
            let mut state = Self { db, path: path.to_owned() };
            state.migrate()?;
            Ok(state)
        };
        open().with_context(|| {
            format!(
                "the state {} cannot be used; where it is damaged, put a copy back, or move it out of {} (all logs are then new)",
                path.display(),
                folder.display()
            )
        })
    }

    fn migrate(&mut self) -> anyhow::Result<()> {
        let version: u32 = self.db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let owner: i32 = self.db.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let tables: i64 = self.db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if owner != APPLICATION && tables > 0 {
            bail!("it is a database of another program");
        }
        if version as usize > MIGRATIONS.len() {
            bail!("it was written by a newer tidescope (form {version}, this one knows {})", MIGRATIONS.len());
        }
        self.db.pragma_update(None, "journal_mode", "wal")?;
        // A commit is on the disk before the report is put in its place.
        self.db.pragma_update(None, "synchronous", "full")?;
        self.db.pragma_update(None, "foreign_keys", true)?;
        for (version, step) in (1u32..).zip(MIGRATIONS).skip(version as usize) {
            let change = self.db.transaction()?;
            change.execute_batch(step)?;
            change.pragma_update(None, "application_id", APPLICATION)?;
            change.pragma_update(None, "user_version", version)?;
            change.commit()?;
        }
        Ok(())
    }

    /// Stores what a run leaves, and gives the run its number.
    ///
    /// # Errors
    /// Where the file cannot be written; it is then as it was.
    pub fn commit(&mut self, commit: &Commit<'_>) -> anyhow::Result<i64> {
        self.change(|change| {
            let run = runs::insert(change, commit.run)?;
            if let Some(sources) = commit.sources {
                sources::replace(change, sources)?;
            }
            if let Some(memory) = commit.memory {
                memory::replace(change, memory)?;
            }
            if let Some(incidents) = commit.incidents {
                incidents::replace(change, incidents)?;
            }
            sources::voices(change, commit.voices, run)?;
            tallies::insert(change, run, commit.tallies)?;
            Ok(run)
        })
    }

    fn change<T>(&mut self, write: impl FnOnce(&Transaction<'_>) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let stored = || -> anyhow::Result<T> {
            let change = self.db.transaction()?;
            let value = write(&change)?;
            change.commit()?;
            Ok(value)
        };
        let path = self.path.clone();
        stored().with_context(|| format!("the state {} cannot be written", path.display()))
    }
}

#[cfg(test)]
mod tests;
