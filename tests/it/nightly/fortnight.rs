//! Fourteen nights against one analysis of everything.

use super::cluster::{DAY, Disk, HOUR, Script, start};
use super::night::{Place, Rows, incidents, record, rows, whole};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Rules whose records come only where they are implicated.
fn is_context(rule: &str) -> bool {
    ["merge-", "raft-", "destroy-"].iter().any(|group| rule.starts_with(group))
}

fn fortnight(place: &Place) -> i64 {
    let mut disk = Disk::new(&place.logs(), Script::fortnight());
    for day in 1..=14 {
        disk.advance(start() + day * DAY);
        place.night(start() + day * DAY);
    }
    start() + 14 * DAY
}

fn incident<'r>(incidents: &'r Rows, kind: &str) -> Vec<&'r BTreeMap<String, String>> {
    incidents.iter().filter(|row| row["kind"] == kind).collect()
}

#[test]
fn the_nights_together_are_one_analysis() {
    let place = Place::new("");
    let end = fortnight(&place);
    let whole = whole(&place, end);
    let told = place.told();
    let twice: Vec<_> = told.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "told twice: {twice:#?}");
    let all: BTreeSet<String> = rows(&whole, "events.csv").iter().map(record).collect();
    let missing: Vec<_> = all.iter().filter(|record| !told.contains_key(*record)).collect();
    assert!(missing.is_empty(), "never told: {missing:#?}");
    let only_context = |record: &&String| !is_context(record.split(" | ").nth(2).unwrap());
    let invented: Vec<_> = told.keys().filter(|record| !all.contains(*record)).filter(only_context).collect();
    assert!(invented.is_empty(), "not there: {invented:#?}");

    // The last word on each incident is that of the whole.
    assert_eq!(place.incidents(), incidents(rows(&whole, "incidents.csv")));
}

/// Open incidents, as a report has them.
fn open(report: &Path) -> Rows {
    rows(report, "incidents.csv").into_iter().filter(|row| row["status"] == "open").collect()
}

#[test]
fn each_night_knows_what_one_analysis_of_all_until_then_knows() {
    let place = Place::new("");
    let mut disk = Disk::new(&place.logs(), Script::fortnight());
    for day in 1..=14 {
        let now = start() + day * DAY;
        disk.advance(now);
        place.night(now);
        let (night, whole) = (place.report(now).unwrap(), whole(&place, now));
        assert_eq!(open(&night), open(&whole), "night {day}");
        let tasks = |report| fs::read_to_string(Path::join(report, "tasks.csv")).unwrap();
        assert_eq!(tasks(&night), tasks(&whole), "night {day}");
    }
}

#[test]
fn each_night_tells_its_part_of_the_story() {
    let place = Place::new("");
    fortnight(&place);
    let night = |day: i64| start() + day * DAY;
    let listed = |day: i64| rows(&place.report(night(day)).unwrap(), "incidents.csv");

    // Day 3 ends at midnight with the beginning of a merge; the task fails four minutes later.
    assert!(incident(&listed(3), "task-failed").is_empty());
    let first = listed(4);
    let first = incident(&first, "task-failed");
    assert_eq!((first.len(), first[0]["status"].as_str(), first[0]["verdict"].as_str()), (1, "open", "resume"));
    assert_eq!(first[0]["cause"], "region-merge");
    // The beginning was read the night before, when nobody knew what it was for.
    let merges = rows(&place.report(night(4)).unwrap(), "events.csv");
    let before = merges.iter().filter(|row| row["rule"] == "merge-prepare-exec" && row["time"].as_str() < "2024-03-04");
    assert_eq!(before.count(), 3);
    assert!(place.news(night(4)).contains("New (critical): task-failed"), "{}", place.news(night(4)));
    assert!(place.news(night(4)).contains("runs out at 2024-03-05 12:04:00Z"), "{}", place.news(night(4)));

    // It is resumed in time: over, under the same name.
    let over = listed(5);
    let over = incident(&over, "task-failed");
    assert_eq!(
        (over[0]["incident"].as_str(), over[0]["status"].as_str()),
        (first[0]["incident"].as_str(), "recovered")
    );
    assert!(place.news(night(5)).contains("Over: task-failed"));
    assert!(incident(&listed(6), "task-failed").is_empty(), "told once is enough");

    // The second one is not.
    let failed = listed(7);
    let failed = incident(&failed, "task-failed");
    assert_eq!((failed[0]["status"].as_str(), failed[0]["verdict"].as_str()), ("open", "resume"));
    let late = listed(8);
    let late = incident(&late, "task-failed");
    assert_eq!(late[0]["incident"], failed[0]["incident"]);
    assert_eq!((late[0]["status"].as_str(), late[0]["verdict"].as_str()), ("open", "recreate-task"));
    assert!(place.news(night(8)).contains("what to do has changed from resume to recreate-task"));

    // Store 5 falls silent on day 10, and that is said once.
    let silent = |day: i64| {
        place.news(night(day)).contains("store 5 (10.0.1.13:20160) gave records last time and gives none now")
    };
    assert_eq!([9, 10, 11, 12].map(silent), [false, false, true, false]);
}

#[test]
fn a_deadline_falls_due_without_a_new_line() {
    let place = Place::new("");
    let mut disk = Disk::new(&place.logs(), Script::fortnight());
    let failed = start() + 6 * DAY + 9 * HOUR;
    disk.advance(failed + HOUR);
    place.night(failed + HOUR);
    let first = place.reports();
    // Half an hour later nothing has changed.
    place.night(failed + HOUR + HOUR / 2);
    assert_eq!(place.reports(), first);
    let output = place.night(failed + DAY + HOUR / 2);
    let news = place.news(failed + DAY + HOUR / 2);
    assert!(news.contains("what to do has changed from resume to resume-or-recreate"), "{news}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("resume-or-recreate"));
}

#[test]
fn a_clock_that_is_set_back_between_two_nights_changes_nothing() {
    let (calm, moved) = (Place::new(""), Place::new(""));
    let mut disks = [&calm, &moved].map(|place| Disk::new(&place.logs(), Script::fortnight()));
    for (day, seems) in [(3, 3), (4, 2), (5, 5)] {
        for disk in &mut disks {
            disk.advance(start() + day * DAY);
        }
        calm.night(start() + day * DAY);
        moved.night(start() + seems * DAY);
    }
    assert_eq!(moved.told(), calm.told());
    assert_eq!(moved.incidents(), calm.incidents());
}

#[test]
fn an_open_incident_counts_until_it_is_over() {
    let place = Place::new("fail_on = 'critical'\n");
    let mut disk = Disk::new(&place.logs(), Script::fortnight());
    let statuses = [2, 4, 5, 6].map(|day| {
        disk.advance(start() + day * DAY);
        let first = place.night(start() + day * DAY).status.code();
        // A second run finds nothing new; the task is still broken.
        assert_eq!(place.night(start() + day * DAY + HOUR / 4).status.code(), first);
        first
    });
    assert_eq!(statuses, [0, 1, 0, 0].map(Some));
}
