//! The report folder is whole or absent: it is written beside its place and renamed into it.
//! An older report there stays until then; a folder that holds anything else is never touched.

use super::Error;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Every file that a report folder may hold.
const NAMES: &[&str] = &[
    "report.html",
    "report.md",
    "summary.json",
    "events.csv",
    "timeline.csv",
    "incidents.csv",
    "tasks.csv",
    "regions.csv",
    "stores.csv",
    "errors.csv",
    "unmatched.csv",
    "sources.csv",
    "events.jsonl",
    "events.parquet",
    "tidescope.sqlite",
    "timesketch.csv",
];

/// Ends the name of an older report on its way out.
const OLD: &str = "-old";

/// How `summary.json` of every report begins.
const MARK: &[u8] = b"{\"schema\": ";

/// A report folder in the making. Dropped unpublished, it leaves nothing.
#[derive(Debug)]
pub(super) struct Staged {
    place: PathBuf,
    temp: PathBuf,
    /// Locked while we live, so that nobody takes the folder for a leftover; the kernel lets go when we are killed.
    lock: Option<File>,
}

impl Staged {
    /// Begins a report for `folder`: refuses one that holds anything else, and clears what killed runs left beside it.
    pub(super) fn begin(folder: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: folder.to_owned(), source };
        // A link to a folder stays a link; `.` gets its name.
        let place = if folder.exists() { folder.canonicalize().map_err(io)? } else { folder.to_owned() };
        let Some(name) = place.file_name() else { return Err(Error::NoName { path: folder.to_owned() }) };
        let parent = match place.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(io)?;
        let prefix = format!(".{}.tmp-", name.to_string_lossy());
        sweep(parent, &prefix, &place);
        check(&place, folder)?;
        for attempt in 0..u32::MAX {
            let temp = parent.join(format!("{prefix}{}-{attempt}", std::process::id()));
            match fs::create_dir(&temp) {
                Ok(()) => return Ok(Self { lock: lock(&temp), place, temp }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(Error::Io { path: temp, source }),
            }
        }
        Err(io(io::ErrorKind::AlreadyExists.into()))
    }

    /// A file of the report, and its path for errors.
    pub(super) fn create(&self, name: &str) -> Result<(File, PathBuf), Error> {
        let path = self.temp.join(name);
        debug_assert!(NAMES.contains(&name), "{name} is no file of a report");
        match File::create(&path) {
            Ok(file) => Ok((file, path)),
            Err(source) => Err(Error::Io { path, source }),
        }
    }

    /// Puts the whole folder in its place.
    pub(super) fn publish(self) -> Result<(), Error> {
        check(&self.place, &self.place)?;
        let io = |source| Error::Io { path: self.place.clone(), source };
        if !self.place.exists() {
            return fs::rename(&self.temp, &self.place).map_err(io);
        }
        // Should we be killed between the two renames, the next run finds the old report and puts it back.
        let mut old = self.temp.clone().into_os_string();
        old.push(OLD);
        let old = PathBuf::from(old);
        let _old_lock = lock(&self.place);
        fs::rename(&self.place, &old).map_err(io)?;
        if let Err(source) = fs::rename(&self.temp, &self.place) {
            let _ = fs::rename(&old, &self.place);
            return Err(io(source));
        }
        // The new report is in place; what cannot be removed now, the next run sweeps.
        let _ = fs::remove_dir_all(&old);
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Gone already where it was published.
        let _ = fs::remove_dir_all(&self.temp);
        drop(self.lock.take());
    }
}

/// Removes what killed runs left, and puts back an older report that was on its way out.
fn sweep(parent: &Path, prefix: &str, place: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(prefix)) else { continue };
        let path = entry.path();
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) || !foreign(&path).is_ok_and(|entry| entry.is_none()) {
            continue;
        }
        let Some(_lock) = lock(&path) else { continue };
        if is_just_begun(&path) {
            continue;
        }
        if name.ends_with(OLD) && !place.exists() {
            let _ = fs::rename(&path, place);
        } else {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Whether somebody may be about to lock the folder that he has just created.
fn is_just_begun(folder: &Path) -> bool {
    let is_empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    let age = fs::metadata(folder).and_then(|data| data.modified()).map(|time| time.elapsed().unwrap_or_default());
    is_empty && age.is_ok_and(|age| age < Duration::from_secs(60))
}

/// Locks a folder, unless somebody else has.
fn lock(folder: &Path) -> Option<File> {
    let file = File::open(folder).ok()?;
    file.try_lock().ok()?;
    Some(file)
}

/// Refuses a place where something else than a report stands.
fn check(place: &Path, shown: &Path) -> Result<(), Error> {
    if !place.exists() {
        return Ok(());
    }
    let path = shown.to_owned();
    if !place.is_dir() {
        return Err(Error::NotAFolder { path });
    }
    match foreign(place) {
        Ok(None) => {}
        Ok(Some(entry)) => return Err(Error::Foreign { path, entry }),
        Err(source) => return Err(Error::Io { path, source }),
    }
    let is_empty = fs::read_dir(place).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty || has_mark(&place.join("summary.json")) { Ok(()) } else { Err(Error::NoReport { path }) }
}

/// The first entry, by name, that is no file of a report.
fn foreign(folder: &Path) -> io::Result<Option<String>> {
    let mut foreign: Option<String> = None;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = NAMES.contains(&name.as_str()) && entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_ours && foreign.as_ref().is_none_or(|known| name < *known) {
            foreign = Some(name);
        }
    }
    Ok(foreign)
}

fn has_mark(summary: &Path) -> bool {
    let mut head = [0; MARK.len()];
    File::open(summary).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == MARK
}

#[cfg(test)]
mod tests {
    use super::{Staged, lock};
    use crate::report::Error;
    use std::fs;
    use std::io::Write as _;
    use std::path::Path;

    fn report(folder: &Path, text: &str) -> Result<(), Error> {
        let staged = Staged::begin(folder)?;
        write(&staged, text);
        staged.publish()
    }

    fn write(staged: &Staged, text: &str) {
        let (mut file, _) = staged.create("summary.json").unwrap();
        file.write_all(format!("{{\"schema\": 1, {text}").as_bytes()).unwrap();
    }

    fn summary(folder: &Path) -> String {
        fs::read_to_string(folder.join("summary.json")).unwrap()
    }

    fn entries(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_report_replaces_the_one_before() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("deep/out");
        report(&folder, "one").unwrap();
        report(&folder, "two").unwrap();
        assert!(summary(&folder).ends_with("two"));
        assert_eq!(entries(&parent.path().join("deep")), ["out"]);
    }

    #[test]
    fn the_old_report_stays_until_the_new_one_is_whole() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("out");
        report(&folder, "one").unwrap();
        let staged = Staged::begin(&folder).unwrap();
        write(&staged, "two");
        assert!(summary(&folder).ends_with("one"));
        drop(staged);
        assert!(summary(&folder).ends_with("one"));
        assert_eq!(entries(parent.path()), ["out"]);
    }

    #[test]
    fn a_folder_that_holds_anything_else_is_refused_and_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("out");
        report(&folder, "one").unwrap();
        fs::write(folder.join("notes.txt"), "mine").unwrap();
        let error = report(&folder, "two").unwrap_err().to_string();
        assert!(error.contains("out") && error.contains("notes.txt"), "{error}");
        assert_eq!(entries(&folder), ["notes.txt", "summary.json"]);

        fs::remove_file(folder.join("notes.txt")).unwrap();
        fs::write(folder.join("summary.json"), "{}").unwrap();
        assert!(matches!(report(&folder, "two"), Err(Error::NoReport { .. })));
        let file = parent.path().join("file");
        fs::write(&file, "mine").unwrap();
        assert!(matches!(report(&file, "two"), Err(Error::NotAFolder { .. })));
        assert!(matches!(report(Path::new("/"), "two"), Err(Error::NoName { .. })));
    }

    #[test]
    fn an_empty_folder_is_taken() {
        let parent = tempfile::tempdir().unwrap();
        report(parent.path(), "one").unwrap();
        assert!(summary(parent.path()).ends_with("one"));
    }

    #[test]
    fn leftovers_of_killed_runs_go_those_of_living_ones_stay() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("out");
        let killed = parent.path().join(".out.tmp-1-0");
        fs::create_dir(&killed).unwrap();
        fs::write(killed.join("events.csv"), "half").unwrap();
        let living = parent.path().join(".out.tmp-2-0");
        fs::create_dir(&living).unwrap();
        let lock = lock(&living).unwrap();
        let foreign = parent.path().join(".out.tmp-3-0");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("notes.txt"), "mine").unwrap();
        report(&folder, "one").unwrap();
        assert_eq!(entries(parent.path()), [".out.tmp-2-0", ".out.tmp-3-0", "out"]);
        drop(lock);
    }

    #[test]
    fn a_report_that_was_on_its_way_out_comes_back() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("out");
        report(&folder, "one").unwrap();
        fs::rename(&folder, parent.path().join(".out.tmp-1-0-old")).unwrap();
        let staged = Staged::begin(&folder).unwrap();
        assert!(summary(&folder).ends_with("one"));
        drop(staged);
        assert_eq!(entries(parent.path()), ["out"]);
    }
}
