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
        let is_report = |path: &PathBuf| path.is_dir() && !path.ends_with(".staging");
        let mut reports: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(is_report).collect();
        reports.sort();
        reports
    }

    /// The report of a run, if it wrote one.
    pub(super) fn report(&self, now: i64) -> Option<PathBuf> {
        let path = self.path("out").join(moment(now)[..19].replace(':', "-") + "Z");
        path.is_dir().then_some(path)
    }

    /// What the report of a run says is new.
    pub(super) fn news(&self, now: i64) -> String {
        self.report(now).map_or(String::new(), |report| fs::read_to_string(report.join("news.md")).unwrap())
    }
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
