//! The whole folder, file by file.

use super::{Options, sample, write_folder};
use crate::correlate::Correlation;
use crate::rules::Catalog;
use crate::safe::Safe;
use std::fs;
use std::path::Path;

fn write(folder: &Path, correlation: &Correlation, redact: bool) {
    let catalog = Catalog::embedded().unwrap();
    let options = Options { safe: Safe::new(redact), formats: Vec::new() };
    write_folder(folder, correlation, &sample::events(), &catalog, &sample::run(), &options).unwrap();
}

fn files(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn every_table_of_the_failed_task() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("out");
    write(&folder, &sample::failed(), true);
    let tables = files(&folder).into_iter().filter(|(name, _)| !name.starts_with("report."));
    let parts: Vec<_> = tables.map(|(name, text)| format!("=== {name}\n{text}")).collect();
    insta::assert_snapshot!(parts.concat());
}

#[test]
fn nothing_written_holds_a_secret_or_a_control_character() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("out");
    write(&folder, &sample::refused(), true);
    for (name, text) in files(&folder) {
        assert!(!text.contains("hunter2"), "{name}");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{name}");
    }
    write(&folder, &sample::refused(), false);
    let shown = files(&folder).into_iter().filter(|(_, text)| text.contains("hunter2")).count();
    assert!(shown >= 4, "{shown}");
}
