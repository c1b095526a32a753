//! Nights over logs that were read before.

use super::cluster::{DAY, HOUR, start};
use super::night::Place;
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

/// Runs a night; gives the bytes that it has read from anywhere, libraries and state included. `None`: the system does not count.
fn read_bytes(place: &Place, now: i64) -> Option<u64> {
    let (night, account) = (place.command(now), place.path("io"));
    // A shell's account has what its children have read.
    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$@\" && cat /proc/$$/io > \"$0\""]).arg(&account);
    shell.arg(night.get_program()).args(night.get_args()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = shell.status().unwrap();
    let account = fs::read_to_string(account).unwrap_or_default();
    let read = account.lines().find_map(|line| line.strip_prefix("rchar: "))?.parse().ok();
    assert!(status.success());
    read
}

#[test]
fn what_was_read_is_not_read_again() {
    let place = Place::new("");
    let line = "[2024/03/01 10:00:00.000 +00:00] [INFO] [pd.rs:1207] [\"try to transfer nothing\"] [number=";
    let mut bytes = 0;
    for file in 0..6 {
        let text: String = (0..15_000).map(|number| format!("{line}{file}-{number}]\n")).collect();
        bytes += text.len() as u64;
        if file < 4 {
            fs::write(place.logs().join(format!("tikv-{file}.log")), text).unwrap();
        } else {
            let packed = fs::File::create(place.logs().join(format!("tikv-{file}.log.gz"))).unwrap();
            let mut encoder = GzEncoder::new(packed, Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap();
        }
    }
    let Some(first) = read_bytes(&place, start() + DAY) else { return println!("skipped: nobody counts what is read") };
    let quiet = read_bytes(&place, start() + DAY + HOUR / 2).unwrap();
    // On the next day those who gave records are missed, and the day after that nothing is new.
    let silent = read_bytes(&place, start() + 2 * DAY).unwrap();
    let again = read_bytes(&place, start() + 3 * DAY).unwrap();
    println!("{bytes} bytes of logs; read: {first} at first, then {quiet}, {silent}, {again}");
    for read in [quiet, silent, again] {
        assert!(100 * read < bytes, "{read} of {bytes}");
    }
    let said = String::from_utf8(place.night(start() + 4 * DAY).stderr).unwrap();
    assert!(said.contains("files=6 opened=0"), "{said}");
}
