//! One run of the command, and what it leaves.

use super::cluster::moment;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder with logs, config and reports.
pub(super) struct Place {
    folder: tempfile::TempDir,
}

/// Whether there is time for everything: `TIDESCOPE_LONG_TESTS=1`.
pub(super) fn long() -> bool {
    std::env::var_os("TIDESCOPE_LONG_TESTS").is_some()
}

/// Rows of a table, as maps from column to cell.
pub(super) type Rows = Vec<BTreeMap<String, String>>;

impl Place {
    pub(super) fn new(more: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(place.logs()).unwrap();
        let text = format!("inputs = ['logs']\noutput = 'out'\n{more}");
        fs::write(place.path("nightly.toml"), text).unwrap();
        place
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn logs(&self) -> PathBuf {
        self.path("logs")
    }

    pub(super) fn command(&self, now: i64) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidescope"));
        command.args(["nightly", "--config"]).arg(self.path("nightly.toml")).args(["--now", &moment(now)]);
        command
    }

    /// A run that ends well.
    pub(super) fn night(&self, now: i64) -> Output {
        let output = self.command(now).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some_and(|code| code <= 1), "{error}");
        output
    }

    /// The report folders, in order.
    pub(super) fn reports(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path("out")) else { return Vec::new() };
        let is_report = |path: &PathBuf| path.is_dir() && path.file_name().is_some_and(|name| name != ".staging");
        let mut reports: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(is_report).collect();
        reports.sort();
        reports
    }

    /// The report of a run, if it wrote one.
    pub(super) fn report(&self, now: i64) -> Option<PathBuf> {
        let path = self.path("out").join(moment(now)[..19].replace(':', "-") + "Z");
        path.is_dir().then_some(path)
    }

    /// How often each record is told, in all reports together. None of them is half a report.
    pub(super) fn told(&self) -> BTreeMap<String, u64> {
        let mut told = BTreeMap::new();
        for report in self.reports() {
            for file in ["report.html", "summary.json", "news.md", "news.json"] {
                assert!(report.join(file).is_file(), "no {file} in {}", report.display());
            }
            for row in rows(&report, "events.csv") {
                *told.entry(record(&row)).or_default() += 1;
            }
        }
        told
    }

    /// The last word on each incident.
    pub(super) fn incidents(&self) -> BTreeMap<String, String> {
        self.reports().iter().flat_map(|report| incidents(rows(report, "incidents.csv"))).collect()
    }

    /// What the report of a run says is new.
    pub(super) fn news(&self, now: i64) -> String {
        self.report(now).map_or(String::new(), |report| fs::read_to_string(report.join("news.md")).unwrap())
    }
}

/// Runs a night in which something happens to the nth of these calls, and says whether it did. `None`: there is no `strace`.
pub(super) fn with_fault(place: &Place, now: i64, call: &str, fault: &str) -> Option<(Output, bool)> {
    let (night, trace) = (place.command(now), place.path("trace"));
    let mut command = Command::new("strace");
    command.args(["-f", "-qqq", "-o"]).arg(&trace);
    command.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:{fault}")]);
    let output = command.arg(night.get_program()).args(night.get_args()).output().ok()?;
    let happened = output.status.code().is_none() || fs::read_to_string(&trace).unwrap().contains("(INJECTED)");
    Some((output, happened))
}

/// Puts a copy of a folder in the place of another.
pub(super) fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
}

/// The last word on each incident.
pub(super) fn incidents(rows: Rows) -> BTreeMap<String, String> {
    let word = |row: &BTreeMap<String, String>| ["status", "verdict", "cause"].map(|column| &*row[column]).join(" ");
    rows.into_iter().map(|row| (row["incident"].clone(), word(&row))).collect()
}

pub(super) fn rows(report: &Path, table: &str) -> Rows {
    let mut reader = csv::Reader::from_path(report.join(table)).unwrap();
    let head = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|row| head.iter().map(str::to_owned).zip(row.unwrap().iter().map(str::to_owned)).collect())
        .collect()
}

/// What tells a record apart, wherever its file is by now.
pub(super) fn record(row: &BTreeMap<String, String>) -> String {
    ["time", "instance", "rule", "region_id", "tso", "message"].map(|column| row[column].as_str()).join(" | ")
}

/// Analyses everything at once.
pub(super) fn whole(place: &Place, now: i64) -> PathBuf {
    let report = place.path("whole");
    let output = Command::new(env!("CARGO_BIN_EXE_tidescope"))
        .args(["analyze", "-q", "--now", &moment(now), "-o"])
        .args([&report, &place.logs()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    report
}
