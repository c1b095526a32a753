//! Runs that are killed, and runs at the same time.

use super::cluster::{DAY, Disk, HOUR, Script, start};
use super::night::{Place, record, rows};
use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

/// How many runs are killed; `TIDESCOPE_KILLS=300` for the long test.
fn kills() -> u64 {
    std::env::var("TIDESCOPE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(28)
}

/// All records told, with how often, and all incidents with how they were told last.
fn union(place: &Place) -> (BTreeMap<String, u64>, BTreeMap<String, String>) {
    let (mut told, mut incidents) = (BTreeMap::new(), BTreeMap::new());
    for report in place.reports() {
        assert!(
            report.join("summary.json").is_file() && report.join("news.md").is_file(),
            "half a report: {}",
            report.display()
        );
        for row in rows(&report, "events.csv") {
            *told.entry(record(&row)).or_default() += 1;
        }
        for row in rows(&report, "incidents.csv") {
            incidents.insert(row["incident"].clone(), format!("{} {}", row["status"], row["verdict"]));
        }
    }
    (told, incidents)
}

#[test]
fn killed_at_any_instant_nothing_is_lost_or_told_twice() {
    let (calm, killed) = (Place::new(""), Place::new(""));
    let mut disks = [&calm, &killed].map(|place| Disk::new(&place.logs(), Script::fortnight()));
    // A fixed sequence of instants: the same on every machine, at other points of the run on each.
    let mut seed = 7u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    for day in 1..=14 {
        let now = start() + day * DAY;
        for disk in &mut disks {
            disk.advance(now);
        }
        let began = std::time::Instant::now();
        calm.night(now);
        let usual = began.elapsed().as_micros() as u64;
        for _ in 0..kills().div_ceil(14) {
            let mut child = killed.command(now).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_micros(next() % usual));
            let _ = child.kill();
            child.wait().unwrap();
        }
        killed.night(now);
    }
    assert_eq!(union(&killed), union(&calm));
    let left: Vec<_> = fs::read_dir(killed.path("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name == ".staging"), "{left:?}");
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
fn what_cannot_be_written_leaves_everything_as_it_was() {
    let place = Place::new("");
    let mut disk = Disk::new(&place.logs(), Script::fortnight());
    disk.advance(start() + DAY);
    place.night(start() + DAY);
    disk.advance(start() + 2 * DAY);
    // A file where the folder for new reports would be.
    fs::write(place.path("out/.staging"), "").unwrap();
    let output = place.command(start() + 2 * DAY).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains(".staging"));
    fs::remove_file(place.path("out/.staging")).unwrap();
    place.night(start() + 2 * DAY);
    assert_eq!(place.reports().len(), 2);
    assert!(!union(&place).0.values().any(|count| *count > 1));
}

/// The program, with files that may not grow beyond some blocks of 512 bytes: a write past that fails as on a full disk.
fn short_of_room(place: &Place, now: i64, blocks: u32) -> bool {
    let command = place.command(now);
    let words = command.get_args().map(|word| word.to_str().unwrap().to_owned());
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script]).arg(command.get_program()).args(words);
    shell.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

#[test]
fn a_full_disk_loses_nothing() {
    let (calm, full) = (Place::new(""), Place::new(""));
    let mut disks = [&calm, &full].map(|place| Disk::new(&place.logs(), Script::fortnight()));
    for day in 1..=4 {
        let now = start() + day * DAY;
        for disk in &mut disks {
            disk.advance(now);
        }
        calm.night(now);
        // The same night again and again, failing later and later.
        let done = [0, 4, 16, 48, 64, 80, 96, 128, 192, 256, 400, 600].map(|blocks| short_of_room(&full, now, blocks));
        assert!(!done[0], "nothing can be written, and nothing is said");
        full.night(now);
    }
    assert_eq!(union(&full), union(&calm));
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
