//! From what the user named to the files behind it, each once.

use super::disk::Identity;
use super::{Input, Options, Problem, Status, name, objects};
use crate::error::Error;
use ignore::overrides::OverrideBuilder;
use ignore::{DirEntry, WalkBuilder};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What was found, sorted by name.
#[derive(Debug)]
pub struct Discovery {
    /// What can be read.
    pub inputs: Vec<Input>,
    /// What was named or found and cannot.
    pub problems: Vec<Problem>,
}

/// Finds the files behind paths: a file, a folder (with everything below it), a glob, the URL of objects, or `-`.
///
/// Links are followed, each folder behind one once and never back up or into the system's own trees; a file that is reached twice,
/// by whatever names, counts once under the bytewise smallest. A FIFO is read only where it was named itself.
pub fn discover<P: AsRef<Path>>(paths: &[P], options: &Options) -> Discovery {
    let mut search = Search { options: *options, ..Search::default() };
    let mut sorted: Vec<&OsStr> = paths.iter().map(|path| path.as_ref().as_os_str()).collect();
    sorted.sort();
    sorted.dedup();
    for path in sorted {
        search.path(path);
    }
    search.finish()
}

#[derive(Default)]
struct Search {
    options: Options,
    stdin: Option<Input>,
    /// Each with the smallest name it was reached by.
    files: HashMap<Identity, Input>,
    objects: BTreeMap<String, Input>,
    problems: Vec<Problem>,
    /// Folders behind links that were walked.
    linked: Arc<Mutex<HashSet<PathBuf>>>,
}

impl Search {
    fn path(&mut self, given: &OsStr) {
        if given == "-" {
            self.stdin = Some(Input::stdin(self.options));
            return;
        }
        let path = Path::new(given);
        if let Some(url) = given.to_str().filter(|url| is_url(url)) {
            return self.objects(url);
        }
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => self.folder(path),
            Ok(meta) => self.file(path, &meta, true),
            Err(source) => match given.to_str() {
                Some(pattern) if pattern.contains(['*', '?', '[', '{']) => self.glob(pattern),
                _ => self.failed(name::of_path(path), &Error::Read { path: name::of_path(path), source }),
            },
        }
    }

    fn file(&mut self, path: &Path, meta: &Metadata, named: bool) {
        let name = name::of_path(path);
        let kind = meta.file_type();
        let skipped = match () {
            () if kind.is_file() => {
                let input = Input::file(name, path.to_owned(), meta, self.options);
                return self.add(Identity::of(meta), input);
            }
            () if kind.is_fifo() && named => {
                let input = Input::pipe(name, path.to_owned(), self.options);
                return self.add(Identity::of(meta), input);
            }
            () if kind.is_fifo() => "is a FIFO: name it to have it read",
            () if kind.is_socket() => "is a socket",
            () => "is a device",
        };
        self.problems.push(Problem { file: name, status: Status::Skipped, reason: skipped.into() });
    }

    fn objects(&mut self, url: &str) {
        match objects::find(url) {
            Ok(objects) => {
                for object in objects {
                    let input = Input::object(object, self.options);
                    self.objects.entry(input.name().to_owned()).or_insert(input);
                }
            }
            Err(source) => {
                let path = name::of_path(Path::new(url));
                self.failed(path.clone(), &Error::Read { path, source });
            }
        }
    }

    fn add(&mut self, identity: Identity, input: Input) {
        match self.files.entry(identity) {
            Entry::Vacant(place) => {
                place.insert(input);
            }
            Entry::Occupied(mut known) if input.name() < known.get().name() => {
                known.insert(input);
            }
            Entry::Occupied(_) => {}
        }
    }

    fn folder(&mut self, root: &Path) {
        for entry in self.walker(root).build() {
            match entry {
                Ok(entry) => self.entry(&entry, entry.path()),
                Err(error) => self.walk_error(root, error),
            }
        }
    }

    fn entry(&mut self, entry: &DirEntry, path: &Path) {
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => {}
            Ok(meta) => self.file(path, &meta, false),
            Err(_) if entry.path_is_symlink() => self.dangling(path),
            Err(source) => self.failed(name::of_path(path), &Error::Read { path: name::of_path(path), source }),
        }
    }

    fn glob(&mut self, pattern: &str) {
        let (base, rest) = split_glob(pattern);
        let matcher = OverrideBuilder::new(base).add(&format!("/{rest}")).and_then(|builder| builder.build());
        let no_match = || Error::NoMatch { pattern: pattern.into() };
        let Ok(matcher) = matcher else { return self.failed(name::of_path(Path::new(pattern)), &no_match()) };
        let deepest = if rest.contains("**") { None } else { Some(rest.split('/').count()) };
        let mut matched = false;
        for entry in self.walker(base).max_depth(deepest).build().flatten() {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            if entry.depth() == 0 || !matcher.matched(entry.path(), is_folder).is_whitelist() {
                continue;
            }
            matched = true;
            // The name has the folder only where the pattern has it.
            let path = entry.path();
            let path = if pattern.starts_with("./") { path } else { path.strip_prefix("./").unwrap_or(path) };
            if is_folder { self.folder(path) } else { self.entry(&entry, path) }
        }
        if !matched {
            self.failed(name::of_path(Path::new(pattern)), &no_match());
        }
    }

    fn walker(&self, root: &Path) -> WalkBuilder {
        let linked = Arc::clone(&self.linked);
        let real_root = fs::canonicalize(root).unwrap_or_default();
        let mut walker = WalkBuilder::new(root);
        walker.standard_filters(false).follow_links(true).sort_by_file_name(Ord::cmp).filter_entry(move |entry| {
            if entry.depth() == 0 || !entry.path_is_symlink() || !entry.path().is_dir() {
                return true;
            }
            let Ok(target) = fs::canonicalize(entry.path()) else { return true };
            let is_above = real_root.starts_with(&target);
            let is_system = ["/proc", "/sys", "/dev"].iter().any(|tree| target.starts_with(tree));
            !is_above && !is_system && linked.lock().is_ok_and(|mut linked| linked.insert(target))
        });
        walker
    }

    fn walk_error(&mut self, root: &Path, error: ignore::Error) {
        let mut path = root.to_owned();
        let mut inner = &error;
        loop {
            inner = match inner {
                ignore::Error::WithPath { path: at, err } => {
                    path.clone_from(at);
                    err
                }
                ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => err,
                // Everything in the loop is read where it stands.
                ignore::Error::Loop { .. } => return,
                _ => break,
            };
        }
        let name = name::of_path(&path);
        if fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_symlink()) {
            return self.dangling(&path);
        }
        let source = error.into_io_error().unwrap_or_else(|| std::io::Error::other("cannot be listed"));
        self.failed(name.clone(), &Error::Read { path: name, source });
    }

    fn dangling(&mut self, path: &Path) {
        let reason = "is a link to nothing".into();
        self.problems.push(Problem { file: name::of_path(path), status: Status::Skipped, reason });
    }

    fn failed(&mut self, file: String, error: &Error) {
        let reason = match error.hint() {
            Some(hint) => format!("{} ({hint})", error.reason()),
            None => error.reason(),
        };
        self.problems.push(Problem { file, status: Status::Failed, reason });
    }

    fn finish(mut self) -> Discovery {
        let mut inputs: Vec<Input> =
            self.files.into_values().chain(self.objects.into_values()).chain(self.stdin).collect();
        inputs.sort_by(|a, b| a.name().cmp(b.name()));
        self.problems.sort();
        self.problems.dedup();
        Discovery { inputs, problems: self.problems }
    }
}

/// Whether a path names objects of a bucket.
pub fn is_url(path: &str) -> bool {
    ["s3://", "gs://", "az://"].iter().any(|scheme| path.starts_with(scheme))
}

/// The folder before the first part with a special character, and the rest.
fn split_glob(pattern: &str) -> (&Path, &str) {
    let special = pattern.find(['*', '?', '[', '{']).unwrap_or(pattern.len());
    match pattern[..special].rfind('/') {
        Some(0) => (Path::new("/"), &pattern[1..]),
        Some(slash) => (Path::new(&pattern[..slash]), &pattern[slash + 1..]),
        None => (Path::new("."), pattern),
    }
}
