//! Large logs: millions of events in bounded memory, and a time window out of hours.

use crate::harness::{PROGRAM, Run, Sandbox};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::Command;

/// A record of a storm, at a millisecond of the day, with an offset or without.
fn record(out: &mut impl Write, millis: u64, offset: &str, region: u64) {
    let (second, milli) = (millis / 1_000, millis % 1_000);
    let clock = format!("{:02}:{:02}:{:02}.{milli:03}", second / 3_600, second / 60 % 60, second % 60);
    writeln!(
        out,
        "[2022/07/25 {clock}{offset}] [WARN] [errors.rs:155] [\"backup stream meet error\"] [err=\"failed to get the snapshot (region_id = {region})\"] [err_code=KV:LogBackup:RaftReq]"
    )
    .unwrap();
}

/// `TIDESCOPE_STORM_EVENTS=20000000 TIDESCOPE_STORM_MEMORY=1024 cargo test --release --test it large -- --nocapture`: the size
/// of the storm, and the limit in MiB.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn a_storm_is_sorted_whole_within_the_memory_that_it_may_take() {
    // The program itself, its stacks, and what is on the way from text to events.
    const BASE_MIB: u64 = 128;
    let (events, memory) = (setting("TIDESCOPE_STORM_EVENTS", 600_000), setting("TIDESCOPE_STORM_MEMORY", 16));
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("logs")).unwrap();
    for file in 0..2 {
        let mut out = BufWriter::new(File::create(sandbox.path(format!("logs/{file}.log"))).unwrap());
        for at in 0..events / 2 {
            // All over the day, so that every part of the text has events of every hour.
            record(&mut out, (at * 7_919_993 + file) % 86_400_000, [" +00:00", ""][file as usize], 1_000 + at % 5_000);
        }
        out.flush().unwrap();
    }
    // Of what a process writes to and no file holds, the kernel gives no more than this.
    let limit = (memory + BASE_MIB) << 10;
    let script = format!(
        "ulimit -d {limit}; exec \"$0\" scan --context none --threads 2 --io mmap --memory {memory}MiB -o events.csv logs"
    );
    let mut command = sandbox.command_of("bash");
    command.args(["-c", &script, PROGRAM]);
    Run::of(&mut assert_cmd::Command::from_std(command)).with_status(0);

    let mut reader = csv::Reader::from_path(sandbox.path("events.csv")).unwrap();
    let headers = reader.headers().unwrap().clone();
    let [time, file, line] =
        ["time", "file", "line"].map(|name| headers.iter().position(|column| column == name).unwrap());
    let mut last = (String::new(), String::new(), 0);
    let mut rows = 0;
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row).unwrap() {
        let key = (row[time].to_owned(), row[file].to_owned(), row[line].parse::<u64>().unwrap());
        assert!(last < key, "{last:?} then {key:?}");
        last = key;
        rows += 1;
    }
    assert_eq!(rows, events / 2 * 2);
}

#[test]
fn a_window_of_a_large_log_gives_the_same_events_without_reading_the_rest() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("logs")).unwrap();
    let mut out = BufWriter::new(File::create(sandbox.path("logs/tikv.log")).unwrap());
    // A day of 32 MiB.
    for at in 0..200_000 {
        record(&mut out, at * 432, " +00:00", 1_000 + at % 50);
    }
    out.flush().unwrap();
    let window = ["--since", "2022-07-25 12:00", "--until", "2022-07-25 12:10"];
    let (_, sought) = sandbox.analyze([&window[..], &["--io", "mmap", "logs"]].concat(), "sought");
    // The same lines packed: nothing can be sought in them.
    let script = "mkdir packed && gzip -c logs/tikv.log > packed/tikv.log.gz";
    assert!(Command::new("bash").args(["-ec", script]).current_dir(sandbox.path("")).status().unwrap().success());
    let (_, read) = sandbox.analyze([&window[..], &["packed"]].concat(), "read");

    let events = |report: &crate::harness::Report| -> Vec<(String, String, String)> {
        let rows = report.rows("events");
        rows.into_iter().map(|row| (row["time"].clone(), row["line"].clone(), row["offset"].clone())).collect()
    };
    assert_eq!(events(&sought).len(), 10 * 60 * 1_000 / 432 + 1);
    assert_eq!(events(&sought), events(&read));
    let bytes = |report: &crate::harness::Report| report.rows("sources")[0]["bytes"].parse::<u64>().unwrap();
    assert!(bytes(&sought) * 50 < bytes(&read), "{} of {}", bytes(&sought), bytes(&read));
    assert!(sought.text("report.md").contains("Only records from 2022-07-25 12:00:00Z on were read"));
}
