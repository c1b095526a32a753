//! Stories to bytes: the report folder and the terminal's answer. Everything shown was found by correlation;
//! nothing is decided here but how to say it.

mod csv;
pub mod diff;
mod folder;
mod formats;
mod html;
mod json;
mod layout;
mod markdown;
mod quiet;
#[cfg(test)]
mod sample;
mod show;
mod table;
mod tables;
mod tally;
mod terminal;
mod words;

pub use formats::Format;
pub(crate) use layout::{cut, cut_start, width};
#[cfg(feature = "sqlite")]
pub(crate) use markdown::escaped as markdown_text;
pub use terminal::{Style, answer};

use crate::correlate::Correlation;
use crate::event::EventStream;
use crate::rules::Catalog;
use crate::safe::Safe;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use tally::Tally;

/// The run's own data: all that may differ between two runs over the same input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What was typed.
    pub command_line: String,
    /// Version of the program.
    pub version: &'static str,
    /// How long it took.
    pub duration_ms: u64,
    /// Decompressed bytes read each second.
    pub bytes_per_second: u64,
    /// Threads that read.
    pub threads: usize,
    /// What is new since the run before, a sentence each, where there was one: it stands on top.
    pub news: Vec<String>,
}

/// How to write a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How text is made safe.
    pub safe: Safe,
    /// What is written beside the CSV files.
    pub formats: Vec<Format>,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A path such as `/` that a folder cannot be renamed to.
    #[error("{}: no report can be written here, give the path of a folder of its own", path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// A file stands where the folder should be.
    #[error("{}: this is a file, and the report is a folder: choose another place with -o", path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// The folder holds something else.
    #[error("{}: the folder holds `{entry}`, which is no part of a report, so it is left as it is: choose another place with -o", path.display())]
    Foreign {
        /// Folder.
        path: PathBuf,
        /// Its first entry that is no file of a report.
        entry: String,
    },
    /// The folder has files named like a report's, but is none.
    #[error("{}: the folder is not empty and no report of tidescope, so it is left as it is: choose another place with -o", path.display())]
    NoReport {
        /// Folder.
        path: PathBuf,
    },
}

/// Writes the rows of `events.csv` for events of a scan: what other records say of them stays empty.
///
/// # Errors
/// Where the events cannot be read back or `out` cannot be written.
pub fn write_events(out: impl io::Write + Send, events: &dyn EventStream, safe: Safe) -> io::Result<()> {
    csv::write_events(&Correlation::default(), events, &mut Tally::default(), out, safe.of_read(events.is_redacted()))
}

/// Writes the report folder beside its place and renames it in: it is whole or absent, and an older report that was
/// there is kept until then.
///
/// # Errors
/// Where something else stands in that place, or a file cannot be written; the place is then as it was.
pub fn write_folder(
    folder: &Path,
    correlation: &Correlation,
    events: &dyn EventStream,
    catalog: &Catalog,
    run: &Run,
    options: &Options,
) -> Result<(), Error> {
    let safe = options.safe;
    let findings = &correlation.findings;
    let staged = folder::Staged::begin(folder)?;
    let write = |name: &str, write: &mut dyn FnMut(BufWriter<File>) -> io::Result<()>| {
        let (file, path) = staged.create(name)?;
        write(BufWriter::new(file)).map_err(|source| Error::Io { path, source })
    };

    // What was redacted when it was read need not be redacted again.
    let shown = safe.of_read(events.is_redacted());
    let mut tally = Tally::of(findings);
    let frame = tally.frame.take();
    tally.crowd = std::thread::scope(|scope| {
        let timeline = scope.spawn(|| {
            let mut crowd = html::Crowd::default();
            write("timeline.csv", &mut |out| {
                crowd = csv::write_episodes(correlation, frame.as_ref(), out, shown)?;
                Ok(())
            })?;
            Ok(crowd)
        });
        write("events.csv", &mut |out| csv::write_events(correlation, events, &mut tally, out, shown))?;
        timeline.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    tally.frame = frame;
    write("incidents.csv", &mut |out| csv::write(&tables::incidents(), &findings.incidents, out, safe))?;
    write("tasks.csv", &mut |out| csv::write(&tables::tasks(), &findings.tasks, out, safe))?;
    write("regions.csv", &mut |out| csv::write(&tables::regions(), &findings.regions, out, safe))?;
    write("stores.csv", &mut |out| csv::write(&tables::stores(), &findings.stores, out, safe))?;
    write("errors.csv", &mut |out| csv::write(&tables::errors(), &findings.errors, out, safe))?;
    write("unmatched.csv", &mut |out| csv::write(&tables::unmatched(), &findings.unmatched, out, safe))?;
    write("sources.csv", &mut |out| csv::write(&tables::sources(), &findings.sources, out, safe))?;
    write("summary.json", &mut |out| json::write(correlation, &tally, run, out, (safe, shown)))?;
    write("report.md", &mut |out| markdown::write(findings, catalog, run, out, safe))?;
    write("report.html", &mut |out| html::write(findings, &tally, catalog, run, out, safe))?;
    for format in &options.formats {
        let (file, path) = staged.create(format.file())?;
        format.write(correlation, events, safe, file, &path).map_err(|source| Error::Io { path, source })?;
    }
    staged.publish()
}

#[cfg(test)]
mod tests;
