//! Differences of reports made by hand.

use super::read::{Incident, Task, Template};
use super::{Change, Diff, Refusal, Subject, Summary, Turn, compare};
use crate::correlate::Correlation;
use crate::report::{Options, sample, write_folder};
use crate::rules::Catalog;
use crate::units::Severity;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn incident(id: &str, status: &str, severity: Severity) -> Incident {
    Incident {
        incident: id.to_owned(),
        severity,
        status: status.to_owned(),
        cause: "region-merge".to_owned(),
        verdict: "resume".to_owned(),
        summary: Some("Region 7 was merging".to_owned()),
        events: 3,
    }
}

fn task(status: &str, checkpoint_ts: u64) -> Task {
    Task { task: "task1".into(), status: status.into(), checkpoint_ts: Some(checkpoint_ts), ..Task::default() }
}

fn counts<K: Ord + Clone>(pairs: &[(K, u64)]) -> BTreeMap<K, u64> {
    pairs.iter().cloned().collect()
}

fn told(changes: &[Change], subject: Subject) -> Vec<String> {
    let of = changes.iter().filter(|change| change.subject == subject);
    of.map(|change| {
        format!("{} {} {:?} {:?} {}", change.turn.as_str(), change.name, change.old, change.new, change.note)
    })
    .collect()
}

#[test]
fn counts_go_every_way() {
    let (mut old, mut new) = (Summary::default(), Summary::default());
    old.events.by_region = counts(&[(7, 5), (9, 5), (12, 5), (100, 3)]);
    new.events.by_region = counts(&[(7, 5), (9, 1), (12, 8), (30, 1), (4, 1)]);
    assert_eq!(
        told(&compare(&old, &new), Subject::Region),
        [
            "new 4 None Some(1) ",
            "new 30 None Some(1) ",
            "grown 12 Some(5) Some(8) ",
            "shrunk 9 Some(5) Some(1) ",
            "gone 100 Some(3) None "
        ]
    );
}

#[test]
fn templates_of_one_text_are_one() {
    let template = |level, count| Template { template: "a <N>".into(), component: Some("tikv".into()), level, count };
    let old = Summary { unmatched: vec![template(Some(crate::units::Level::Warn), 2)], ..Summary::default() };
    let mut new = old.clone();
    assert!(compare(&old, &new).is_empty());
    new.unmatched.push(template(Some(crate::units::Level::Error), 1));
    assert_eq!(told(&compare(&old, &new), Subject::Template), ["grown a <N> Some(2) Some(3) tikv ERROR"]);
}

#[test]
fn incidents_come_go_and_recover() {
    let old = Summary {
        incidents: vec![incident("a-1", "open", Severity::Critical), incident("b-2", "recovered", Severity::Notice)],
        ..Summary::default()
    };
    let new = Summary {
        incidents: vec![
            Incident { verdict: "none".into(), ..incident("a-1", "recovered", Severity::Notice) },
            incident("c-3", "open", Severity::Error),
        ],
        ..Summary::default()
    };
    let changes = compare(&old, &new);
    assert_eq!(
        told(&changes, Subject::Incident),
        [
            "new c-3 None Some(3) open: Region 7 was merging",
            "changed a-1 Some(3) Some(3) open → recovered; verdict resume → none; critical → notice",
            "gone b-2 Some(3) None was recovered: Region 7 was merging",
        ]
    );
    assert!(changes[0].is_open && changes[0].turn == Turn::New && !changes[2].is_open);
}

#[test]
fn a_task_is_told_where_it_stands_still_or_changes() {
    let of = |task| Summary { tasks: vec![task], ..Summary::default() };
    let change = |old, new| told(&compare(&of(old), &of(new)), Subject::Task);
    assert!(change(task("NORMAL", 10), task("NORMAL", 20)).is_empty());
    assert!(change(task("NORMAL", 10), task("NORMAL", 10)).is_empty());
    let later = Task { observed_at: Some("2022-07-26T02:18:19.071Z".into()), ..task("ERROR", 10) };
    assert_eq!(change(task("NORMAL", 10), later), ["changed task1 None None NORMAL → ERROR; checkpoint stands still"]);
    assert_eq!(change(task("NORMAL", 10), task("NORMAL", 9)), ["changed task1 None None checkpoint went back"]);
    assert_eq!(
        told(&compare(&of(task("ERROR", 1)), &Summary::default()), Subject::Task),
        ["gone task1 None None was ERROR"]
    );
}

fn report(folder: &Path, correlation: &Correlation) {
    let options = Options { safe: crate::safe::Safe::new(true), formats: Vec::new() };
    let catalog = Catalog::embedded().unwrap();
    write_folder(folder, correlation, &sample::events(), &catalog, &sample::run(), &options).unwrap();
}

#[test]
fn two_folders_in_every_form() {
    let parent = tempfile::tempdir().unwrap();
    let (monday, tuesday) = (parent.path().join("monday"), parent.path().join("tuesday"));
    report(&monday, &sample::healthy());
    report(&tuesday, &sample::failed());
    let (old, new) = (Summary::of(&monday).unwrap(), Summary::of(&tuesday).unwrap());
    let diff = Diff { old: ("monday", &old), new: ("tuesday", &new), changes: compare(&old, &new) };
    let mut text = Vec::new();
    diff.write_text(&mut text).unwrap();
    insta::assert_snapshot!(String::from_utf8(text).unwrap());
    let mut csv = Vec::new();
    diff.write_csv(&mut csv).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.starts_with("subject,name,change,old,new,difference,severity,note\nincident,"), "{csv}");
    assert_eq!(csv.lines().count(), diff.changes.len() + 1);
    let mut html = Vec::new();
    diff.write_html(&mut html).unwrap();
    let html = String::from_utf8(html).unwrap();
    assert!(html.contains("<h2>Incidents</h2>") && !html.contains("http"), "{html}");

    let same = Diff { changes: compare(&new, &new), ..diff };
    let mut text = Vec::new();
    same.write_text(&mut text).unwrap();
    assert!(String::from_utf8(text).unwrap().ends_with("\nNothing changed.\n"));
}

#[test]
fn hostile_names_stay_harmless() {
    let (old, mut new) = (Summary::default(), Summary::default());
    new.events.by_rule = counts(&[("=1+1\u{1b}[31m<script>".to_owned(), 1)]);
    let diff = Diff { old: ("a", &old), new: ("b\u{9b}", &new), changes: compare(&old, &new) };
    let mut out = Vec::new();
    diff.write_text(&mut out).unwrap();
    diff.write_csv(&mut out).unwrap();
    diff.write_html(&mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(!out.contains(|letter: char| letter.is_control() && letter != '\n'));
    assert!(out.contains("'=1+1") && !out.contains("<td class=\"name\">=1+1\\x1b[31m<script>"));
}

#[test]
fn what_is_no_report_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let of = |text: &str| {
        fs::write(folder.path().join("summary.json"), text).unwrap();
        Summary::of(folder.path()).unwrap_err()
    };
    assert!(matches!(Summary::of(folder.path()), Err(Refusal::NoSummary)));
    assert!(matches!(Summary::of(&folder.path().join("absent")), Err(Refusal::NoFolder(_))));
    assert!(matches!(of("{"), Refusal::NoReport(_)));
    assert!(matches!(of("{\"schema\": 1}"), Refusal::NoReport(_)));
    assert!(matches!(of("{\"schema\": 2}"), Refusal::Schema(2)));
    assert!(matches!(Summary::of(&folder.path().join("summary.json")), Err(Refusal::NoFolder(_))));
}
