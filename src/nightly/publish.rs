//! Reports get into their place after the state knows of them: a run that is killed in between is finished by the next one.
//!
//! A report is written to `DIR/.staging/NAME`, flushed to the disk, noted in the state together with everything that the run has
//! read, and renamed to `DIR/NAME`. What lies in `.staging` and is not in the state never happened.

use super::state::State;
use crate::units::Timestamp;
use anyhow::Context;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What was counted is kept for this long after the report is gone.
const HISTORY_MS: i64 = 400 * 86_400_000;

/// Where reports are made.
const STAGING: &str = ".staging";

/// The report that a run is about to make.
#[derive(Debug)]
pub(super) struct Report {
    /// Its name.
    pub(super) name: String,
    /// Where it is made.
    pub(super) staged: PathBuf,
}

impl Report {
    /// A report of a run that began at a moment.
    pub(super) fn new(output: &Path, started: Timestamp) -> anyhow::Result<Self> {
        let staging = output.join(STAGING);
        fs::create_dir_all(&staging).with_context(|| format!("{} cannot be made", staging.display()))?;
        let name = free_name(output, &base_name(started));
        Ok(Self { staged: staging.join(&name), name })
    }

    /// Sees to it that the report is on the disk, whatever happens to the machine.
    ///
    /// # Errors
    /// Where the disk says no.
    pub(super) fn flush(&self, output: &Path) -> io::Result<()> {
        for entry in fs::read_dir(&self.staged)? {
            flush(entry?.path())?;
        }
        [&self.staged, &output.join(STAGING), output].into_iter().try_for_each(flush)
    }
}

/// `2022-07-25T14-54-44Z`.
fn base_name(started: Timestamp) -> String {
    format!("{}Z", started.to_string()[..19].replace(':', "-"))
}

/// The name, or the next one that is not taken: `-2`, `-3`.
fn free_name(output: &Path, base: &str) -> String {
    let names = std::iter::once(base.to_owned()).chain((2..).map(|number| format!("{base}-{number}")));
    let mut free = names.skip_while(|name| output.join(name).symlink_metadata().is_ok());
    free.next().unwrap_or_default()
}

/// Puts a staged report in its place; gives the name that it has there.
///
/// # Errors
/// Where it cannot be renamed; the next run tries again.
pub(super) fn publish(state: &mut State, output: &Path, run: i64, name: &str) -> anyhow::Result<String> {
    let staged = output.join(STAGING).join(name);
    // Somebody may have taken the name since.
    let mut free = name.to_owned();
    if output.join(name).symlink_metadata().is_ok() {
        free = free_name(output, name);
    }
    let place = output.join(&free);
    fs::rename(&staged, &place)
        .and_then(|()| flush(output))
        .with_context(|| format!("{} cannot be put in its place; the next run tries again", place.display()))?;
    state.published(run, &free)?;
    Ok(free)
}

/// Finishes or clears away what a run that was killed has left; says what was done.
///
/// # Errors
/// Where the folder or the state cannot be written.
pub(super) fn repair(state: &mut State, output: &Path) -> anyhow::Result<Vec<String>> {
    let mut said = Vec::new();
    if let Some(run) = state.last_run()?.filter(|run| run.staged) {
        let name = run.folder.clone().unwrap_or_default();
        if output.join(STAGING).join(&name).is_dir() {
            let name = publish(state, output, run.id, &name)?;
            said.push(format!("the last run was stopped before its report was in its place: {name} is there now"));
        } else if output.join(&name).is_dir() {
            state.published(run.id, &name)?;
            said.push(format!("the last run was stopped right after its report {name} was in its place"));
        } else {
            state.without_report(run.id)?;
            said.push(format!("the report {name} of the last run is gone"));
        }
    }
    if let Some(left) = clear(output)? {
        said.push(format!(
            "a run was stopped before it had read everything: {left} is removed, the logs are read again"
        ));
    }
    Ok(said)
}

/// Removes what is staged; gives the name of it.
pub(super) fn clear(output: &Path) -> anyhow::Result<Option<String>> {
    let staging = output.join(STAGING);
    let left = match fs::read_dir(&staging) {
        Ok(entries) => entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).min(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be listed", staging.display())),
    };
    fs::remove_dir_all(&staging).with_context(|| format!("{} cannot be removed", staging.display()))?;
    Ok(left)
}

/// Removes the reports of runs before a moment. They leave their place whole.
///
/// # Errors
/// Where one cannot be removed.
pub(super) fn forget(state: &mut State, output: &Path, before: Timestamp) -> anyhow::Result<u64> {
    let mut removed = 0;
    for run in state.runs()?.into_iter().filter(|run| run.started < before) {
        let Some(name) = run.folder.filter(|_| !run.staged) else { continue };
        let (place, staging) = (output.join(&name), output.join(STAGING));
        if place.is_dir() {
            let gone = staging.join(&name);
            fs::create_dir_all(&staging)
                .and_then(|()| fs::rename(&place, &gone))
                .and_then(|()| fs::remove_dir_all(&gone))
                .with_context(|| format!("the old report {} cannot be removed", place.display()))?;
            removed += 1;
        }
        state.without_report(run.id)?;
    }
    state.forget_runs(before.plus_ms(-HISTORY_MS))?;
    Ok(removed)
}

fn flush(path: impl AsRef<Path>) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Writes a file beside its place and renames it in.
///
/// # Errors
/// Where it cannot be written.
pub(super) fn replace(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut temp = tempfile::Builder::new().prefix(".tidescope-").tempfile_in(folder)?;
        io::Write::write_all(&mut temp, text)?;
        // Others read it: the collector, the web server.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        temp.as_file().set_permissions(mode)?;
        temp.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nightly::state::{Commit, Run, Summary, Totals};
    use std::collections::BTreeSet;

    fn staged(output: &Path, state: &mut State) -> String {
        let report = Report::new(output, Timestamp(0)).unwrap();
        fs::create_dir(&report.staged).unwrap();
        fs::write(report.staged.join("summary.json"), "{}").unwrap();
        let summary = Summary::default();
        let run =
            Run { id: 0, started: Timestamp(0), folder: Some(report.name.clone()), staged: true, summary, owed: None };
        let voices = BTreeSet::new();
        let commit = Commit {
            run: &run,
            sources: None,
            memory: None,
            incidents: None,
            voices: &voices,
            tallies: &[],
            totals: &Totals::new(),
        };
        state.commit(&commit).unwrap();
        report.name
    }

    fn last(state: &State) -> (Option<String>, bool) {
        state.last_run().unwrap().map(|run| (run.folder, run.staged)).unwrap()
    }

    #[test]
    fn a_report_that_the_state_knows_gets_into_its_place() {
        let output = tempfile::tempdir().unwrap();
        let mut state = State::open(output.path()).unwrap();
        let name = staged(output.path(), &mut state);
        let said = repair(&mut state, output.path()).unwrap();
        assert!(said.len() == 1 && said[0].contains(&name), "{said:?}");
        assert!(output.path().join(&name).join("summary.json").is_file() && !output.path().join(STAGING).exists());
        assert_eq!(last(&state), (Some(name), false));
        assert!(repair(&mut state, output.path()).unwrap().is_empty());
    }

    #[test]
    fn a_report_that_is_in_its_place_stays_there() {
        let output = tempfile::tempdir().unwrap();
        let mut state = State::open(output.path()).unwrap();
        let name = staged(output.path(), &mut state);
        fs::rename(output.path().join(STAGING).join(&name), output.path().join(&name)).unwrap();
        assert_eq!(repair(&mut state, output.path()).unwrap().len(), 1);
        assert_eq!(last(&state), (Some(name), false));
    }

    #[test]
    fn a_report_whose_place_was_taken_meanwhile_gets_the_next() {
        let output = tempfile::tempdir().unwrap();
        let mut state = State::open(output.path()).unwrap();
        let name = staged(output.path(), &mut state);
        fs::create_dir(output.path().join(&name)).unwrap();
        repair(&mut state, output.path()).unwrap();
        assert_eq!(last(&state), (Some(format!("{name}-2")), false));
    }

    #[test]
    fn what_the_state_does_not_know_never_happened() {
        let output = tempfile::tempdir().unwrap();
        let mut state = State::open(output.path()).unwrap();
        let report = Report::new(output.path(), Timestamp(0)).unwrap();
        fs::create_dir(&report.staged).unwrap();
        let said = repair(&mut state, output.path()).unwrap();
        assert!(said[0].contains("read again"), "{said:?}");
        assert!(!report.staged.exists() && state.last_run().unwrap().is_none());
    }

    #[test]
    fn names_are_moments_and_never_taken_twice() {
        let output = tempfile::tempdir().unwrap();
        let base = base_name(Timestamp::parse_rfc3339("2022-07-25T14:54:44.467Z").unwrap());
        assert_eq!(free_name(output.path(), &base), "2022-07-25T14-54-44Z");
        fs::create_dir(output.path().join(&base)).unwrap();
        fs::write(output.path().join(format!("{base}-2")), "").unwrap();
        assert_eq!(free_name(output.path(), &base), "2022-07-25T14-54-44Z-3");
    }
}
