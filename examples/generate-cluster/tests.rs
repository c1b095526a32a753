//! The generator itself: the same bytes for a seed, the grammar of the log format, and truths that hold together.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::{fs, io};

use flate2::read::GzDecoder;
use regex_automata::meta::Regex;
use serde_json::Value;

use crate::cluster::generate;
use crate::cluster::scenarios::{ALL, Request, VARIANTS};

/// Generates into a fresh folder and reads it back: path and content.
fn files(name: &str, seed: u64) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    generate(&Request::parse(name, seed).unwrap(), folder.path()).unwrap();
    let mut out = BTreeMap::new();
    read(folder.path(), folder.path(), &mut out).unwrap();
    out
}

fn read(root: &Path, folder: &Path, out: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(root, &path, out)?;
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let mut bytes = fs::read(&path)?;
            if name.ends_with(".gz") {
                let mut text = Vec::new();
                GzDecoder::new(bytes.as_slice()).read_to_end(&mut text)?;
                bytes = text;
            }
            out.insert(name, bytes);
        }
    }
    Ok(())
}

fn truth(files: &BTreeMap<String, Vec<u8>>) -> Value {
    serde_json::from_slice(&files["truth.json"]).unwrap()
}

#[test]
fn same_seed_same_bytes() {
    let name = "merge-failed+skew+rotated";
    assert_eq!(files(name, 3), files(name, 3));
    assert_ne!(files(name, 3), files(name, 4));
}

#[test]
fn every_line_is_a_record() {
    let record = Regex::new(concat!(
        r#"^\[\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d\] \[(INFO|WARN|ERROR)\] \[[\w.-]+:\d+\] "#,
        r#"\[("(?:[^"\\]|\\.)*"|[^ "=\[\]]*)\]( \[("(?:[^"\\]|\\.)*"|[^ "=\[\]]+)=("(?:[^"\\]|\\.)*"|[^ "=\[\]]*)\])*$"#
    ))
    .unwrap();
    for (n, scenario) in ALL.iter().enumerate() {
        let variant = VARIANTS[n % VARIANTS.len()];
        for (name, bytes) in files(&format!("{}+{variant}", scenario.name), n as u64) {
            let log = name.ends_with(".log") || name.ends_with(".log.gz");
            if !log || name.ends_with("dmesg.log") {
                continue;
            }
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.ends_with('\n'), "{name}");
            for line in text.lines() {
                assert!(record.is_match(line), "{}: {name}: {line}", scenario.name);
            }
            let times: Vec<&str> = text.lines().map(|line| &line[1..24]).collect();
            assert!(times.is_sorted(), "{}: {name}", scenario.name);
        }
    }
}

#[test]
fn truths_fit_their_scenario() {
    for scenario in ALL {
        let files = files(scenario.name, 11);
        let truth = truth(&files);
        let incidents = truth["incidents"].as_array().unwrap();
        assert_eq!(incidents.is_empty(), scenario.healthy, "{}", scenario.name);
        let open = incidents.iter().filter(|i| i["status"] == "open").count();
        assert_eq!(open > 0, !scenario.healthy, "{}", scenario.name);
        for incident in incidents {
            for store in incident["stores"].as_array().into_iter().flatten() {
                let known = truth["stores"].as_array().unwrap().iter().any(|s| s["store_id"] == *store);
                assert!(known, "{}: store {store}", scenario.name);
            }
        }
        let status = truth["task"]["status"].as_str().unwrap_or("NORMAL");
        assert!(!scenario.healthy || status == "NORMAL" || status == "STOPPED", "{}: {status}", scenario.name);
    }
}

#[test]
fn verdicts_follow_the_safe_points() {
    for seed in 0..6 {
        let failed = truth(&files("merge-failed", seed));
        assert_eq!(failed["task"]["verdict"], "resume", "seed {seed}");
        assert_eq!(failed["incidents"][0]["deadline"], failed["task"]["resume_deadline"]);
        assert!(failed["task"]["gc_safepoint_ts"].as_u64() < failed["task"]["checkpoint_ts"].as_u64());
        let refused = truth(&files("resume-refused", seed));
        assert_eq!(refused["task"]["verdict"], "recreate-task", "seed {seed}");
        assert!(refused["task"]["gc_safepoint_ts"].as_u64() >= refused["task"]["checkpoint_ts"].as_u64());
    }
}

/// PD accepts a service's safe point only if GC has not passed it.
#[test]
fn safe_points_are_never_below_gc() {
    let number = |line: &str, key: &str| -> Option<u64> { line.split(key).nth(1)?.split(']').next()?.parse().ok() };
    for (seed, scenario) in ALL.iter().enumerate() {
        let files = files(scenario.name, seed as u64);
        let (_, pd) = files.iter().find(|(name, _)| name.ends_with("pd.log")).unwrap();
        let mut collected = 0;
        for line in String::from_utf8_lossy(pd).lines() {
            collected = number(line, "[safe-point=").unwrap_or(collected);
            let service = number(line, "[safepoint=").filter(|_| !line.contains("=gc_worker]"));
            assert!(service.is_none_or(|value| value >= collected), "{} {seed}: {line}", scenario.name);
        }
    }
}

#[test]
fn missing_logs_are_missing() {
    let with = files("storage-access", 5);
    let without = files("storage-access+missing", 5);
    let store = truth(&with)["incidents"][0]["stores"][0].clone();
    let address =
        truth(&with)["stores"].as_array().unwrap().iter().find(|s| s["store_id"] == store).unwrap()["address"].clone();
    let host = address.as_str().unwrap().split(':').next().unwrap();
    let log = format!("{host}/tikv-20160/tikv.log");
    assert!(with.contains_key(&log) && !without.contains_key(&log));
    assert_eq!(truth(&without)["incidents"][0]["accept"]["cause"][0], "unknown");
}

#[test]
fn names_are_checked() {
    assert!(Request::parse("merge-failed+skew", 1).is_ok());
    assert!(Request::parse("merge-failed+fog", 1).is_err());
    assert!(Request::parse("merge", 1).is_err());
}
