//! One file for each subcommand: options in, stages in order, result out.

mod analyze;
mod answer;
mod diff;
mod explain;
#[cfg(feature = "sqlite")]
mod history;
mod implicated;
mod logs;
#[cfg(feature = "sqlite")]
mod nightly;
mod plan;
mod report;
mod rows;
mod rules;
mod scan;
mod timeline;

use crate::cli::{Cli, Command};
use crate::outcome::Outcome;
use clap::CommandFactory;
use std::io::Write;

/// Runs a command.
///
/// # Errors
/// What went wrong, with file and what to do; the process then exits with 2.
pub fn run(cli: &Cli) -> anyhow::Result<Outcome> {
    match &cli.command {
        Command::Analyze(args) => analyze::run(args),
        Command::Scan(args) => scan::run(args),
        Command::Implicated(args) => implicated::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Report(args) => report::run(args),
        Command::Timeline(args) => timeline::run(args),
        #[cfg(feature = "sqlite")]
        Command::Nightly(args) => nightly::run(args),
        #[cfg(feature = "sqlite")]
        Command::History(args) => history::run(args),
        Command::Rules { command } => rules::run(command),
        Command::Diff(args) => diff::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Completions { shell } => {
            let mut out = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "tidescope", &mut out);
            print(&out)
        }
        Command::Man => {
            let mut out = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut out)?;
            print(&out)
        }
    }
}

/// Writes a result to standard output.
fn print(bytes: &[u8]) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(Outcome::Done)
}

/// Writes to a file beside its place and renames it in, or to standard output.
fn write_to(
    path: Option<&std::path::Path>,
    write: impl FnOnce(&mut (dyn Write + Send)) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    use anyhow::Context;
    let Some(path) = path else {
        let mut out = std::io::BufWriter::with_capacity(1 << 18, std::io::stdout());
        write(&mut out)?;
        return Ok(out.flush()?);
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let name = || format!("{} cannot be written", path.display());
    // A device or FIFO is written as it is.
    if path.symlink_metadata().is_ok_and(|meta| !meta.is_file()) {
        let mut out = std::io::BufWriter::with_capacity(
            1 << 18,
            std::fs::OpenOptions::new().write(true).open(path).with_context(name)?,
        );
        write(&mut out)?;
        return out.flush().with_context(name);
    }
    let mut out =
        std::io::BufWriter::with_capacity(1 << 18, tempfile::NamedTempFile::new_in(folder).with_context(name)?);
    write(&mut out)?;
    let file = out.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(name)?;
    file.persist(path).with_context(name)?;
    Ok(())
}
