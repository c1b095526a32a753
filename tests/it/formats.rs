//! Formats for programs: what one command writes another reads, and nothing is lost on the way.

use crate::harness::{Report, Sandbox, assert_same, words};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use std::collections::BTreeMap;
use std::fs;

const CASE: &str = "merge-failed-task";

#[cfg(feature = "arrow")]
const ROWS: &[&str] = &["jsonl", "arrow", "parquet"];
#[cfg(not(feature = "arrow"))]
const ROWS: &[&str] = &["jsonl"];

/// One split of a plan.
#[derive(Debug, Clone, serde::Deserialize)]
struct Split {
    path: String,
    start: u64,
    end: u64,
    bytes: u64,
    whole: bool,
}

fn plan(sandbox: &Sandbox, target: u64) -> Vec<Split> {
    let run = sandbox.run(["plan", CASE, "--target-size", &target.to_string()]).with_status(0).silently();
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A run on many machines, as the contract has it; part number `n` is written in the format `format(n)`.
fn distributed(sandbox: &Sandbox, splits: &[Split], format: &dyn Fn(usize) -> &'static str) -> Report {
    let parts = sandbox.path("parts");
    let _ = fs::remove_dir_all(&parts);
    fs::create_dir(&parts).unwrap();
    sandbox.write("parts/_SUCCESS", "");
    let mut number = 0;
    let mut scan = |context: &str| {
        for Split { path, start, end, .. } in splits {
            let (split, format) = (format!("{path}:{start}-{end}"), format(number));
            let out = format!("parts/{number:05}.{format}");
            number += 1;
            sandbox
                .run(["scan", "-q", "--split", &split, "--context", context, "--format", format, "-o", &out])
                .with_status(0);
        }
    };
    scan("none");
    let mut known = String::new();
    for _ in 0..3 {
        sandbox.run(["implicated", "parts", "-o", "ids.json"]).with_status(0);
        let ids = sandbox.read("ids.json");
        if ids == known {
            break;
        }
        scan("ids.json");
        known = ids;
    }
    let run = sandbox.run(["report", "parts", "-o", "joined"]).with_status(0);
    Report::read(&sandbox.path("joined"), &run)
}

#[test]
fn parts_in_every_format_make_the_same_report() {
    let sandbox = Sandbox::with_testdata(&[CASE]);
    let (_, expected) = sandbox.analyze([CASE], "expected");
    let splits = plan(&sandbox, 40_000);
    assert!(splits.iter().any(|split| !split.whole) && splits.iter().any(|split| split.whole), "{splits:?}");
    for format in ROWS {
        assert_same(format, &expected, &distributed(&sandbox, &splits, &|_| format));
    }
    assert_same("mixed", &expected, &distributed(&sandbox, &splits, &|number| ROWS[number % ROWS.len()]));
}

#[test]
fn any_plan_is_the_whole() {
    let sandbox = Sandbox::with_testdata(&[CASE]);
    let log = format!("{CASE}/10.0.1.12/tikv-20160/tikv.log");
    let packed = std::process::Command::new("gzip").arg(sandbox.path(&log)).status().unwrap();
    assert!(packed.success());
    sandbox.write(format!("{CASE}/empty.log"), "");
    sandbox.write(format!("{CASE}/program"), b"\x7fELF\x02\x01\x01\0");
    let (_, expected) = sandbox.analyze([CASE], "expected");
    let config = ProptestConfig {
        rng_seed: RngSeed::Fixed(20_220_725),
        failure_persistence: None,
        ..ProptestConfig::with_cases(6)
    };
    let test = |target: u64| {
        let splits = plan(&sandbox, target);
        let mut files: BTreeMap<&str, Vec<&Split>> = BTreeMap::new();
        splits.iter().for_each(|split| files.entry(&split.path).or_default().push(split));
        for (path, splits) in files {
            let size = fs::metadata(sandbox.path(path)).unwrap().len();
            prop_assert_eq!((splits[0].start, splits[splits.len() - 1].end), (0, size));
            prop_assert!(splits.windows(2).all(|pair| pair[0].end == pair[1].start));
            prop_assert!(splits.iter().all(|split| split.bytes == split.end - split.start));
            prop_assert!(splits.len() == 1 || splits.iter().all(|split| split.bytes <= target && !split.whole));
        }
        assert_same(&format!("splits of {target}"), &expected, &distributed(&sandbox, &splits, &|_| "jsonl"));
        Ok(())
    };
    TestRunner::new(config).run(&(9_000u64..120_000), test).unwrap();
}

/// Files that were written a moment ago are not mapped by themselves, and those that no system maps are read.
#[test]
fn a_split_is_exact_whichever_way_the_file_is_read() {
    let sandbox = Sandbox::with_testdata(&[CASE]);
    let log = format!("{CASE}/10.0.1.11/tikv-20160/tikv.log");
    let scan = |io: &str, split: String| {
        sandbox.run(["scan", "-q", "--format", "jsonl", "--io", io, "--split", &split]).with_status(0).stdout
    };
    for split in ["0-20011", "20011-30000", "30000-99999999"] {
        let split = format!("{log}:{split}");
        let expected = scan("mmap", split.clone());
        assert!(expected.contains("\"row\":\"event\""), "{expected}");
        for io in ["auto", "read"] {
            assert_eq!(scan(io, split.clone()), expected, "{io}");
        }
    }
    assert_eq!(scan("auto", format!("{log}:30-30")).lines().count(), 1);
}

#[test]
fn rows_come_through_a_pipe() {
    let sandbox = Sandbox::with_testdata(&[CASE]);
    let (_, expected) = sandbox.analyze([CASE], "expected");
    for format in ROWS {
        sandbox.run(["scan", CASE, "--format", format, "-o", "rows"]).with_status(0);
        let rows = fs::read(sandbox.path("rows")).unwrap();
        let run = sandbox.run_with_input(["report", "-", "-o", "piped"], rows).with_status(0);
        assert_same(format, &expected, &Report::read(&sandbox.path("piped"), &run));
    }
}

#[test]
fn what_is_no_file_of_rows_is_refused() {
    let sandbox = Sandbox::with_testdata(&[CASE]);
    sandbox.run(["scan", CASE, "-o", "events.csv"]).with_status(0);
    sandbox.run(["report", "events.csv"]).with_status(2).complaining_of(&["events.csv: is csv", "--format jsonl"]);
    sandbox.write("rows", "{\"row\": \"event\"}\n");
    sandbox.run(["report", "rows"]).with_status(2).complaining_of(&["rows: line 1: no row", "missing field"]);
    fs::create_dir(sandbox.path("empty")).unwrap();
    sandbox.run(["report", "empty"]).with_status(2).complaining_of(&["empty: no file of rows"]);
    sandbox.run(["report", "absent"]).with_status(2).complaining_of(&["absent", "No such file"]);
}

#[test]
fn reports_in_every_format_are_the_same_from_logs_and_from_rows() {
    let sandbox = Sandbox::with_testdata(&[CASE]);
    let mut formats = vec![("jsonl", "events.jsonl"), ("timesketch", "timesketch.csv")];
    if cfg!(feature = "arrow") {
        formats.push(("parquet", "events.parquet"));
    }
    if cfg!(feature = "sqlite") {
        formats.push(("sqlite", "tidescope.sqlite"));
    }
    let list = formats.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",");
    sandbox.run(["analyze", CASE, "--format", &list, "-o", "one"]).with_status(0);
    sandbox.run(["scan", CASE, "--format", "jsonl", "-o", "rows"]).with_status(0);
    sandbox.run(["report", "rows", "--format", &list, "-o", "two"]).with_status(0);
    for (_, file) in &formats {
        let bytes = |folder: &str| fs::read(sandbox.path(folder).join(file)).unwrap();
        assert!(!bytes("one").is_empty() && bytes("one") == bytes("two"), "{file}");
    }
    // The next report is without them.
    let (_, report) = sandbox.analyze([CASE], "one");
    assert!(!report.names().contains(&"events.jsonl"));
    sandbox.run(["analyze", CASE, "--format", "xml"]).with_status(2).complaining_of(&["xml", "timesketch"]);
}

#[test]
fn diff_says_what_changed() {
    let sandbox = Sandbox::with_testdata(&[CASE, "merge-survived"]);
    sandbox.run(["analyze", "merge-survived", "-o", "monday"]).with_status(0);
    sandbox.run(["analyze", CASE, "-o", "tuesday"]).with_status(0);
    let diff = |more: &[&str]| sandbox.run(words(["diff", "monday", "tuesday"]).into_iter().chain(words(more)));
    let text = diff(&[]).with_status(0).silently().stdout;
    assert!(text.contains("\nIncidents\n  new      task-failed-"), "{text}");
    assert!(text.contains("KV:LogBackup:RaftReq"), "{text}");
    let csv = diff(&["--format", "csv"]).with_status(0).stdout;
    let rows = crate::harness::rows(&csv);
    assert!(
        rows.iter().any(|row| row["subject"] == "incident" && row["change"] == "new" && row["severity"] == "critical")
    );
    diff(&["--format", "html", "-o", "changes.html"]).with_status(0).silently();
    assert!(sandbox.read("changes.html").starts_with("<!DOCTYPE html>"));
    diff(&["--fail-on", "critical"]).with_status(1);
    sandbox.run(["diff", "tuesday", "tuesday", "--fail-on", "info"]).with_status(0);
    assert!(sandbox.run(["diff", "tuesday", "tuesday"]).stdout.ends_with("\nNothing changed.\n"));
    sandbox.run(["diff", "monday", CASE]).with_status(2).complaining_of(&[CASE, "no summary.json"]);
    sandbox.run(["diff", "monday", "absent"]).with_status(2).complaining_of(&["absent: no report folder"]);
}
