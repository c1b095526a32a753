//! What a report promises whatever the logs say. Checked for every report that a test reads.

use crate::harness::{Report, Row};
use std::collections::{BTreeMap, BTreeSet};

/// Asserts all of it.
#[track_caller]
pub(crate) fn assert_kept(report: &Report) {
    let tables = ["events", "timeline", "incidents", "tasks", "regions", "stores", "errors", "unmatched", "sources"];
    let rows: BTreeMap<&str, Vec<Row>> = tables.iter().map(|table| (*table, report.rows(table))).collect();
    for (table, row) in rows.iter().flat_map(|(table, rows)| rows.iter().map(move |row| (table, row))) {
        for (column, cell) in row.iter().filter(|(_, cell)| !cell.is_empty()) {
            assert!(is_well_formed(column, cell), "{table}.csv, {column}: {cell:?} of {row:#?}");
        }
    }
    let incidents: BTreeMap<&str, &Row> = rows["incidents"].iter().map(|row| (&*row["incident"], row)).collect();
    events(&rows["events"], &incidents);
    let counted: u64 = rows["timeline"].iter().map(|row| row["count"].parse::<u64>().unwrap()).sum();
    assert_eq!(counted, rows["events"].len() as u64, "events of timeline.csv");
    incidents_and_tasks(&rows["incidents"], &rows["tasks"]);
    assert_order("events", &rows["events"], |row| {
        (late("time", row), row["file"].clone(), row["offset"].parse::<u64>().unwrap())
    });
    assert_order("timeline", &rows["timeline"], |row| late("first", row));
    assert_order("incidents", &rows["incidents"], |row| (rank(row), late("start", row)));
    assert_order("regions", &rows["regions"], |row| row["region_id"].parse::<u64>().unwrap());
}

/// Times and lists of numbers have one form in all tables.
fn is_well_formed(column: &str, cell: &str) -> bool {
    match column {
        "time" | "first" | "last" | "start" | "end" | "observed_at" | "resume_deadline" => is_time(cell),
        _ if column.ends_with("_time") || column.starts_with("merge_") && column.ends_with("ed") => is_time(cell),
        "tso" | "regions" | "stores" => {
            let numbers: Vec<u64> = cell.split(';').map(|number| number.parse().unwrap_or(0)).collect();
            numbers.is_sorted_by(|one, next| one < next)
        }
        "error_code" => cell.split(';').is_sorted_by(|one, next| one < next),
        _ => true,
    }
}

fn is_time(cell: &str) -> bool {
    let form = cell.replace(|letter: char| letter.is_ascii_digit(), "0");
    form == "0000-00-00T00:00:00.000Z"
}

fn events(events: &[Row], incidents: &BTreeMap<&str, &Row>) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for row in events {
        for (one, all) in [("region_id", "regions"), ("store_id", "stores")] {
            let named = row[one].is_empty() || row[all].split(';').any(|id| id == row[one]);
            assert!(named, "{one} is not among {all}: {row:#?}");
        }
        assert!(row["message"].len() <= 1024 + 1, "longer than 1,024 bytes and a quote: {row:#?}");
        row["incident"].split(';').filter(|id| !id.is_empty()).for_each(|id| *counts.entry(id).or_default() += 1);
    }
    for id in counts.keys() {
        assert!(incidents.contains_key(id), "{id} is no incident");
    }
    for (id, row) in incidents {
        assert_eq!(row["events"], counts.get(id).unwrap_or(&0).to_string(), "events of {row:#?}");
    }
}

fn incidents_and_tasks(incidents: &[Row], tasks: &[Row]) {
    for row in tasks {
        assert_eq!(row["resume_deadline"].is_empty(), row["deadline_basis"].is_empty(), "{row:#?}");
        let stands = matches!(&*row["status"], "ERROR" | "PAUSED");
        assert!(stands || !row["verdict"].starts_with("resume"), "what runs is not resumed: {row:#?}");
    }
    let mut ids = BTreeSet::new();
    for row in incidents {
        let hash = row["incident"].strip_prefix(&*row["kind"]).and_then(|rest| rest.strip_prefix('-'));
        assert!(hash.is_some_and(|hash| hash.len() == 8), "{row:#?}");
        assert!(ids.insert(&row["incident"]), "twice: {row:#?}");
        let places: Vec<_> = row["evidence"].split(';').map(|place| place.rsplit_once(':')).collect();
        let stand = places.iter().all(|place| place.is_some_and(|(_, line)| line.parse::<u64>().is_ok()));
        assert!(stand, "evidence of {row:#?}");
        if row["status"] == "recovered" {
            assert!(rank(row) >= 3, "worse than a notice, though over: {row:#?}");
            continue;
        }
        assert_eq!(row["end"], "", "open, and has an end: {row:#?}");
        let grave = matches!(&*row["kind"], "task-failed" | "resume-refused" | "data-corrupted");
        assert!(!grave || row["severity"] == "critical", "{row:#?}");
        let own = tasks.iter().find(|task| task["task"] == row["task"] && task["verdict"] != "none");
        assert!(own.is_none_or(|task| task["verdict"] == row["verdict"]), "not as its task: {row:#?} {own:#?}");
    }
}

/// How bad, worst first.
fn rank(row: &Row) -> usize {
    let severities = ["critical", "error", "warning", "notice", "info"];
    severities.iter().position(|severity| *severity == row["severity"]).unwrap()
}

/// A time, after all others where there is none.
fn late(column: &str, row: &Row) -> String {
    Some(&row[column]).filter(|time| !time.is_empty()).cloned().unwrap_or_else(|| "~".to_owned())
}

#[track_caller]
fn assert_order<K: Ord + std::fmt::Debug>(table: &str, rows: &[Row], key: impl Fn(&Row) -> K) {
    for pair in rows.windows(2) {
        assert!(key(&pair[0]) <= key(&pair[1]), "{table}.csv: {:?} before {:?}", key(&pair[0]), key(&pair[1]));
    }
}
