//! Runs that are killed, and runs at the same time.

use super::cluster::{DAY, Disk, HOUR, Script, start};
use super::night::{Place, copy, long};
use super::prometheus;
use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Events by rule and store, as the metrics count them over all runs.
fn counted(place: &Place) -> BTreeMap<String, u64> {
    let samples = prometheus::parse(&fs::read_to_string(place.path("metrics.prom")).unwrap()).unwrap();
    let events = samples.into_iter().filter(|sample| sample.name == "tidescope_events_total");
    events.map(|sample| (format!("{:?}", sample.labels), sample.value as u64)).collect()
}

#[test]
fn killed_at_any_instant_nothing_is_lost_or_told_twice() {
    let [calm, killed] = [(); 2].map(|()| Place::new("[metrics]\nfile = 'metrics.prom'\n"));
    let mut disks = [&calm, &killed].map(|place| Disk::new(&place.logs(), Script::fortnight()));
    // A fixed sequence of instants: the same on every machine, at other points of the run on each.
    let mut seed = 7_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    let (before, mut kills) = (killed.path("before"), 0);
    for day in 1..=14 {
        let now = start() + day * DAY;
        for disk in &mut disks {
            disk.advance(now);
        }
        let began = Instant::now();
        calm.night(now);
        let usual = began.elapsed().as_micros() as u64;
        fs::create_dir_all(killed.path("out")).unwrap();
        copy(&killed.path("out"), &before);
        let enough = kills + if long() { 22 } else { 2 };
        while kills < enough {
            let mut child = killed.command(now).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_micros(next() % usual));
            let _ = child.kill();
            if child.wait().unwrap().code().is_none() {
                kills += 1;
            } else {
                // It came to its end: the night once more, so that there is something to do.
                copy(&before, &killed.path("out"));
            }
        }
        killed.night(now);
    }
    println!("{kills} runs were killed");
    assert_eq!(killed.told(), calm.told());
    assert_eq!(killed.incidents(), calm.incidents());
    assert_eq!(counted(&killed), counted(&calm));
    assert!(!killed.path("out/.staging").exists());
}

#[test]
fn a_run_that_died_is_told() {
    let place = Place::new("");
    Disk::new(&place.logs(), Script::fortnight()).advance(start() + HOUR);
    fs::create_dir_all(place.path("out/.staging/2024-03-01T00-00-00Z")).unwrap();
    fs::write(place.path("out/state.lock"), " (process 1, since then)\n").unwrap();
    let said = String::from_utf8(place.night(start() + HOUR).stderr).unwrap();
    assert!(said.contains("a run did not come to its end (process 1") && said.contains("read again"), "{said}");
}

#[test]
fn of_two_at_once_one_leaves() {
    let place = Place::new("");
    Disk::new(&place.logs(), Script::fortnight()).advance(start() + HOUR);
    place.night(start() + HOUR);
    let reports = place.reports();
    let lock = fs::File::open(place.path("out/state.lock")).unwrap();
    lock.lock().unwrap();
    let output = place.command(start() + 2 * HOUR).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("another run is at work"));
    assert_eq!(place.reports(), reports);
}

#[test]
fn a_run_that_takes_too_long_leaves_the_logs_to_the_next() {
    let place = Place::new("[limits]\ntime = '1ms'\n");
    Disk::new(&place.logs(), Script::fortnight()).advance(start() + DAY);
    let output = place.command(start() + DAY).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("time limit") && place.reports().is_empty());
    let output = place.command(start() + DAY).args(["--time-limit", "1h"]).output().unwrap();
    assert_eq!((output.status.code(), place.reports().len()), (Some(0), 1));
}

#[test]
fn what_the_nights_write_is_no_log() {
    let place = Place::new("[mail]\nfile = 'mail.txt'\n");
    fs::write(place.path("nightly.toml"), "inputs = ['.']\noutput = 'out'\n[mail]\nfile = 'mail.txt'\n").unwrap();
    Disk::new(&place.logs(), Script::fortnight()).advance(start() + DAY);
    place.night(start() + DAY);
    let first = place.reports();
    let said = String::from_utf8(place.night(start() + DAY + HOUR / 2).stderr).unwrap();
    assert!(said.contains("nothing new") && place.reports() == first, "{said}");
}
