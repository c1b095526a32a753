//! The report for other programs: the same tables as the CSV files, in the formats that those programs read.
//! Everything is streamed: memory does not grow with the number of events.

mod jsonl;
#[cfg(feature = "arrow")]
mod parquet;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(test)]
mod tests;
mod timesketch;
#[cfg(any(feature = "arrow", feature = "sqlite"))]
mod value;

use super::tables::EventRow;
use crate::correlate::Correlation;
use crate::event::EventStream;
use crate::safe::Safe;
use std::fs::File;
use std::io;
use std::path::Path;

/// A format beside the CSV files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// `events.jsonl`: the events, one JSON object a line.
    Jsonl,
    /// `events.parquet`: the events in typed columns.
    Parquet,
    /// `tidescope.sqlite`: all tables, with indexes and views.
    Sqlite,
    /// `timesketch.csv`: the events as Timesketch imports them.
    Timesketch,
}

impl Format {
    /// Its file of the report folder.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Jsonl => "events.jsonl",
            Self::Parquet => "events.parquet",
            Self::Sqlite => "tidescope.sqlite",
            Self::Timesketch => "timesketch.csv",
        }
    }

    /// Whether this program was built with it; else the cargo feature that brings it.
    ///
    /// # Errors
    /// The feature that is missing.
    pub const fn available(self) -> Result<(), &'static str> {
        match self {
            Self::Parquet if !cfg!(feature = "arrow") => Err("arrow"),
            Self::Sqlite if !cfg!(feature = "sqlite") => Err("sqlite"),
            _ => Ok(()),
        }
    }

    /// Writes the file, which is there and empty.
    pub(super) fn write(
        self,
        correlation: &Correlation,
        events: &dyn EventStream,
        safe: Safe,
        file: File,
        path: &Path,
    ) -> io::Result<()> {
        match self {
            Self::Jsonl => jsonl::write(correlation, events, safe, file),
            Self::Timesketch => timesketch::write(correlation, events, safe, file),
            #[cfg(feature = "arrow")]
            Self::Parquet => parquet::write(correlation, events, safe, file),
            #[cfg(feature = "sqlite")]
            Self::Sqlite => sqlite::write(correlation, events, safe, path),
            #[allow(unreachable_patterns, reason = "where every feature is built in")]
            _ => Err(io::Error::new(io::ErrorKind::Unsupported, format!("{}: not built in", path.display()))),
        }
    }
}

/// Hands every event that counts to `each`, with what other records say of it, until one fails.
fn each_event(
    correlation: &Correlation,
    events: &dyn EventStream,
    each: &mut dyn FnMut(&EventRow<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut result = Ok(());
    events.for_each(&mut |event| {
        if result.is_ok() && correlation.is_counted(event) {
            result = each(&EventRow { event, derived: correlation.derived(event) });
        }
    })?;
    result
}
