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
pub use tallies::{Kind, Tally, Totals};

use anyhow::bail;
use rusqlite::{Connection, OpenFlags, Transaction};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name of the file.
pub const FILE: &str = "state.sqlite";

/// Marks the file as ours: "tide".
const APPLICATION: i32 = 0x7469_6465;

/// What each version adds to the one before it.
const MIGRATIONS: [&str; 2] = [include_str!("schema.sql"), include_str!("totals.sql")];

/// The form that this program writes.
const TODAY: u32 = MIGRATIONS.len() as u32;

/// How long somebody else may be writing.
const BUSY: Duration = Duration::from_secs(10);

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
    /// The same by rule and store.
    pub totals: &'a Totals,
}

impl State {
    /// Opens or makes the state of a folder, and brings an older one to the form of today.
    ///
    /// # Errors
    /// Where it cannot be read or written, or is no state of this program.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let open = || {
            let mut state = Self { db: Connection::open(&path)?, path: path.clone() };
            state.db.busy_timeout(BUSY)?;
            state.migrate()?;
            anyhow::Ok(state)
        };
        open().map_err(|error| unusable(error, "used", &path))
    }

    /// Opens the state of a folder to look at it, and changes nothing; `None` where no run has made one.
    ///
    /// # Errors
    /// Where it cannot be read, or is no state of this program, or has not today's form.
    pub fn look(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let look = |db: Connection| {
            let state = Self { db, path: path.clone() };
            state.db.busy_timeout(BUSY)?;
            state.db.pragma_update(None, "query_only", true)?;
            match state.form()? {
                TODAY => Ok(state),
                _ => bail!("it was written by an older tidescope; the next `nightly` brings it up to date"),
            }
        };
        let state =
            Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(Into::into).and_then(look);
        // Who may not write beside the file can read it as long as no run is at work.
        let state = state.or_else(|error| match read_only(&path) {
            Some(db) => look(db),
            None => Err(error),
        });
        state.map(Some).map_err(|error| unusable(error, "used", &path))
    }

    /// The form of the file; 0 where it is new.
    fn form(&self) -> anyhow::Result<u32> {
        let form: u32 = self.db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let owner: i32 = self.db.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let tables: i64 = self.db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if owner != APPLICATION && tables > 0 {
            bail!("it is a database of another program");
        }
        if form > TODAY {
            bail!("it was written by a newer tidescope (form {form}, this one knows {TODAY})");
        }
        Ok(form)
    }

    fn migrate(&mut self) -> anyhow::Result<()> {
        let form = self.form()?;
        self.db.pragma_update(None, "journal_mode", "wal")?;
        // A commit is on the disk before the report is put in its place.
        self.db.pragma_update(None, "synchronous", "full")?;
        self.db.pragma_update(None, "foreign_keys", true)?;
        for (version, step) in (1u32..).zip(MIGRATIONS).skip(form as usize) {
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
            tallies::add(change, commit.totals)?;
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
        stored().map_err(|error| unusable(error, "written", &self.path))
    }
}

/// Says what cannot be done, and what to do about it.
fn unusable(error: anyhow::Error, what: &str, path: &Path) -> anyhow::Error {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseCorrupt, DiskFull, NotADatabase, ReadOnly, SystemIoFailure};
    let code = error.downcast_ref().and_then(rusqlite::Error::sqlite_error_code);
    let hint = match code {
        Some(DatabaseCorrupt | NotADatabase) => "; put a copy back, or move it away (all logs are then new)",
        // SQLite does not say which.
        Some(DiskFull | SystemIoFailure | CannotOpen | ReadOnly) => ", since its disk is full, read-only or broken",
        _ => "",
    };
    error.context(format!("the state {} cannot be {what}{hint}", path.display()))
}

/// Opens a file that nobody writes to.
fn read_only(path: &Path) -> Option<Connection> {
    let wal = path.with_extension("sqlite-wal");
    if wal.metadata().is_ok_and(|meta| meta.len() > 0) {
        return None;
    }
    let name = path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{name}?immutable=1"), flags).ok()
}

#[cfg(test)]
mod tests;
