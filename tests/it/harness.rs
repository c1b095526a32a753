//! A fresh folder for each test, the program run in it, and what it wrote read back.

use crate::promises::assert_kept;
use assert_cmd::Command;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tidescope");

/// Longer than any test takes on a busy machine: what is not done by then hangs.
pub(crate) const HANGS_AFTER: Duration = Duration::from_secs(300);

/// The project's own folder.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder for one test. The program runs in it, with its temporary files below it.
pub(crate) struct Sandbox(TempDir);

impl Sandbox {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(TEMP)).unwrap();
        Self(folder)
    }

    /// A sandbox that holds these folders of `testdata`.
    pub(crate) fn with_testdata(names: &[&str]) -> Self {
        let sandbox = Self::new();
        for name in names {
            copy(&project().join("testdata").join(name), &sandbox.path(name));
        }
        sandbox
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of what stands in the sandbox, temporary files of the program apart.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| name != TEMP);
        names.sort();
        names
    }

    /// The program, about to run in the sandbox.
    pub(crate) fn command(&self) -> std::process::Command {
        self.command_of(PROGRAM)
    }

    /// Another program, about to run in the sandbox.
    pub(crate) fn command_of(&self, program: &str) -> std::process::Command {
        let mut command = std::process::Command::new(program);
        command.current_dir(self.0.path()).env("TMPDIR", self.path(TEMP)).env_remove("COLUMNS").env_remove("NO_COLOR");
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        self.run_with_input(args, Vec::new())
    }

    pub(crate) fn run_with_input<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>, input: Vec<u8>) -> Run {
        let mut command = self.command();
        command.args(args);
        let run = Run::of(Command::from_std(command).write_stdin(input));
        let left: Vec<_> = fs::read_dir(self.path(TEMP)).unwrap().collect();
        assert!(left.is_empty(), "temporary files are left: {left:?}");
        run
    }

    /// Runs `analyze` with these arguments; the report goes to `out`.
    pub(crate) fn analyze<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>, out: &str) -> (Run, Report) {
        let run = self.run(words(["analyze", "-o", out]).into_iter().chain(words(args)));
        let report = Report::read(&self.path(out), &run);
        (run, report)
    }
}

const TEMP: &str = ".temporary";

/// Arguments of several kinds in one list.
pub(crate) fn words<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Vec<std::ffi::OsString> {
    args.into_iter().map(|word| word.as_ref().to_owned()).collect()
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

/// How a run of the program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Runs a command. Whatever it is, it must end in time, not panic, and print no control characters.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.timeout(HANGS_AFTER).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let status = output.status.code().unwrap_or_else(|| panic!("killed: {output:?}"));
        let run = Self { status, stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        assert_visible("standard output", &run.stdout);
        assert_visible("standard error", &run.stderr);
        run
    }

    /// The run, if it ended with this exit status.
    #[track_caller]
    pub(crate) fn with_status(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The run, if standard error has all these texts.
    #[track_caller]
    pub(crate) fn complaining_of(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "`{text}` is missing: {}", self.stderr);
        }
        self
    }

    /// The run, if it said nothing on standard error.
    #[track_caller]
    pub(crate) fn silently(self) -> Self {
        assert_eq!(self.stderr, "");
        self
    }
}

#[track_caller]
pub(crate) fn assert_visible(what: &str, text: &str) {
    let hidden = text.char_indices().find(|(_, char)| char.is_control() && *char != '\n');
    if let Some((at, char)) = hidden {
        let near: String = text[at..].chars().take(40).collect();
        panic!("{what} has the control character {char:?} at byte {at}: {near:?}");
    }
}

/// A row of a CSV file by column.
pub(crate) type Row = BTreeMap<String, String>;

/// A report folder, read back. Reading it checks what holds for every report.
#[derive(Debug)]
pub(crate) struct Report {
    texts: BTreeMap<String, String>,
}

impl Report {
    #[track_caller]
    pub(crate) fn read(folder: &Path, run: &Run) -> Self {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}: {run:?}", folder.display()));
        let mut texts = BTreeMap::new();
        for entry in entries {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let text = fs::read_to_string(entry.path()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_visible(&name, &text);
            texts.insert(name, text);
        }
        let report = Self { texts };
        assert_kept(&report);
        report
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.texts.keys().map(String::as_str).collect()
    }

    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> &str {
        self.texts.get(name).unwrap_or_else(|| panic!("no {name} in the report"))
    }

    /// Everything in one text, to look for what must not be there.
    pub(crate) fn all(&self) -> String {
        self.texts.values().map(String::as_str).collect()
    }

    /// The columns of a CSV file.
    #[track_caller]
    pub(crate) fn head(&self, table: &str) -> String {
        self.text(&format!("{table}.csv")).lines().next().unwrap_or_default().to_owned()
    }

    /// The rows of a CSV file.
    #[track_caller]
    pub(crate) fn rows(&self, table: &str) -> Vec<Row> {
        rows(self.text(&format!("{table}.csv")))
    }

    /// The only row of a CSV file.
    #[track_caller]
    pub(crate) fn row(&self, table: &str) -> Row {
        let mut rows = self.rows(table);
        assert_eq!(rows.len(), 1, "rows of {table}.csv: {rows:#?}");
        rows.remove(0)
    }

    /// The only row of a CSV file with this value in a column.
    #[track_caller]
    pub(crate) fn row_where(&self, table: &str, column: &str, value: &str) -> Row {
        let rows = self.rows(table);
        let mut found = rows.iter().filter(|row| row[column] == value);
        match (found.next(), found.next()) {
            (Some(row), None) => row.clone(),
            _ => panic!("not one row of {table}.csv has {column} {value}: {rows:#?}"),
        }
    }

    pub(crate) fn summary(&self) -> serde_json::Value {
        serde_json::from_str(self.text("summary.json")).unwrap()
    }

    /// What may not differ between two runs over the same logs: all but the run's own data.
    pub(crate) fn lasting(&self) -> BTreeMap<String, String> {
        let mut texts = self.texts.clone();
        for (name, own) in [
            ("summary.json", "\n\"run\": "),
            ("report.md", "\n## This run\n"),
            ("report.html", "\n<footer id=\"run\">\n"),
        ] {
            let text = texts.get_mut(name).unwrap();
            let at = text.rfind(own).unwrap_or_else(|| panic!("{name} does not say how the run was"));
            text.truncate(at);
        }
        texts
    }
}

/// The rows of a CSV text.
#[track_caller]
pub(crate) fn rows(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let row = |record: csv::Result<csv::StringRecord>| -> Row {
        head.iter().cloned().zip(record.unwrap().iter().map(str::to_owned)).collect()
    };
    reader.records().map(row).collect()
}

/// Asserts that two reports are the same but for their run's own data; names the first line that differs.
#[track_caller]
pub(crate) fn assert_same(what: &str, one: &Report, other: &Report) {
    let (one, other) = (one.lasting(), other.lasting());
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{what}");
    for (name, text) in &one {
        assert_same_text(&format!("{what}: {name}"), text, &other[name]);
    }
}

/// Asserts that two texts are the same; names the first line that differs.
#[track_caller]
pub(crate) fn assert_same_text(what: &str, one: &str, other: &str) {
    let all = |text: &'_ str| text.lines().map(str::to_owned).chain([String::new()]).collect::<Vec<_>>();
    for (number, (left, right)) in all(one).iter().zip(&all(other)).enumerate() {
        assert_eq!(left, right, "{what}:{}", number + 1);
    }
    assert_eq!(one.len(), other.len(), "{what}");
}
