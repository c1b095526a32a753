//! The stage as a whole, over files that real tools have made: `gzip`, `zstd`, `xz`, `bzip2`, `lz4`, `tar`, `zip` must be there.

mod bombs;
mod containers;
mod damage;
mod folders;
mod hostile;
mod live;

use super::{Body, Discovery, Options, Problem, Status, discover};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Inputs are read by many threads.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<super::Input>();
};

/// A folder for one test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(name)).unwrap()
    }

    /// Runs a shell command in the folder.
    fn sh(&self, command: &str) {
        let output = Command::new("sh").args(["-ec", command]).current_dir(self.path()).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Reads paths below the folder; names are told without the folder.
    fn read(&self, paths: &[&str]) -> Reading {
        self.read_with(paths, &Options::default())
    }

    fn read_with(&self, paths: &[&str], options: &Options) -> Reading {
        let Discovery { inputs, problems } = self.discover(paths, options);
        let mut reading = Reading { sources: Vec::new(), problems };
        for input in inputs {
            let problems = input.read(&mut |name, body| reading.sources.push(Source::new(name, body)));
            reading.problems.extend(problems);
        }
        let prefix = format!("{}/", self.path().display());
        for source in &mut reading.sources {
            source.name = source.name.replace(&prefix, "");
        }
        for problem in &mut reading.problems {
            problem.file = problem.file.replace(&prefix, "");
        }
        reading
    }

    fn discover(&self, paths: &[&str], options: &Options) -> Discovery {
        let paths: Vec<String> = paths.iter().map(|path| self.path().join(path).display().to_string()).collect();
        discover(&paths, options)
    }
}

/// Everything that a sink got, and the problems.
#[derive(Debug)]
struct Reading {
    sources: Vec<Source>,
    problems: Vec<Problem>,
}

#[derive(PartialEq, Eq)]
struct Source {
    name: String,
    bytes: Vec<u8>,
    error: Option<String>,
    mapped: bool,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes, {:?})", self.name, self.bytes.len(), self.error)
    }
}

impl Source {
    fn new(name: &str, body: Body<'_>) -> Self {
        let mut source = Self { name: name.into(), bytes: Vec::new(), error: None, mapped: false };
        match body {
            Body::Mapped(bytes) => (source.bytes, source.mapped) = (bytes.to_vec(), true),
            Body::Stream(stream) | Body::Tail(_, stream) => {
                source.error = stream.read_to_end(&mut source.bytes).err().map(|error| error.to_string());
            }
        }
        source
    }
}

impl Reading {
    /// The only source there is, whole.
    #[track_caller]
    fn whole(&self, name: &str, bytes: &[u8]) {
        self.are(&[(name, bytes)]);
    }

    /// These sources in this order, whole, and no problem.
    #[track_caller]
    fn are(&self, expected: &[(&str, &[u8])]) {
        assert_eq!(self.problems, [], "{self:?}");
        self.sources_are(expected);
    }

    #[track_caller]
    fn sources_are(&self, expected: &[(&str, &[u8])]) {
        let names: Vec<&str> = self.sources.iter().map(|source| &*source.name).collect();
        let expected_names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, expected_names, "{self:?}");
        for (source, (name, bytes)) in self.sources.iter().zip(expected) {
            assert_eq!(source.error, None, "{name}");
            assert_eq!(source.bytes.len(), bytes.len(), "{name}");
            assert!(source.bytes == *bytes, "{name} differs");
        }
    }

    /// Exactly these problems, each with a part of its reason.
    #[track_caller]
    fn problems_are(&self, expected: &[(&str, Status, &str)]) {
        let all: Vec<_> = self.problems.iter().map(|problem| (&*problem.file, problem.status)).collect();
        let wanted: Vec<_> = expected.iter().map(|(file, status, _)| (*file, *status)).collect();
        assert_eq!(all, wanted, "{self:#?}");
        for (problem, (_, _, part)) in self.problems.iter().zip(expected) {
            assert!(problem.reason.contains(part), "{:?} has no {part:?}", problem.reason);
        }
    }
}

/// Text like a log, of so many lines; the same for the same seed.
fn log(lines: u64, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut text = String::new();
    for line in 0..lines {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (ms, region, rest) = (line % 1_000, state >> 40, state >> 8 & 0xffff_ffff);
        let _ = writeln!(
            text,
            "[2023/03/01 10:{:02}:{:02}.{ms:03} +00:00] [INFO] [peer.rs:{}] [\"some message\"] [region_id={region}] [v={rest:x}]",
            line / 60_000 % 60,
            line / 1_000 % 60,
            state >> 55,
        );
    }
    text.into_bytes()
}
