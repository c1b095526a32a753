//! Input that is too much, or that changes while it is read: the program keeps to its limits, and the report is whole.

use crate::harness::{PROGRAM, Report, Run, Sandbox};
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

const RECORD: &str = "[2022/07/25 14:54:43.962 +00:00] [WARN] [errors.rs:155] [\"backup stream meet error\"] [err=\"failed to get the snapshot (region_id = 94812)\"] [err_code=KV:LogBackup:RaftReq]\n";

/// Runs `analyze IN` with limits of a shell; the report goes to `out`.
fn limited(sandbox: &Sandbox, limits: &str, input: &str) -> (Run, Report) {
    let mut command = sandbox.command_of("bash");
    command.args(["-c", &format!("{limits}; exec \"$0\" analyze -o out \"$1\""), PROGRAM, input]);
    let run = Run::of(&mut assert_cmd::Command::from_std(command));
    let report = Report::read(&sandbox.path("out"), &run);
    (run, report)
}

/// Address space in KiB: what a run needs, and far from what bombs would take.
const MEMORY: &str = "ulimit -v 3000000";

#[test]
fn ten_thousand_files_need_few_descriptors_and_little_memory() {
    let sandbox = Sandbox::new();
    for number in 0..10_000 {
        let text = RECORD.replace("94812", &format!("{}", 100_000 + number));
        sandbox.write(format!("logs/{}/{number:05}.log", number % 100), text);
    }
    let (run, report) = limited(&sandbox, &format!("ulimit -n 64; {MEMORY}"), "logs");
    run.with_status(0);
    let rows = report.rows("sources");
    assert_eq!(rows.len(), 10_000);
    assert!(rows.iter().all(|row| row["status"] == "read" && row["records"] == "1"));
    assert_eq!(report.rows("events").len(), 10_000);
}

#[test]
fn packed_bombs_stop_at_the_limit_and_the_rest_is_read() {
    let sandbox = Sandbox::new();
    sandbox.write("logs/tikv.log", RECORD);
    // 100 GiB of zeros, packed twice.
    let script = "head -c 256M /dev/zero | gzip -9c > one; for i in $(seq 400); do cat one; done | gzip -9c > logs/bomb.gz; rm one";
    assert!(Command::new("bash").args(["-ec", script]).current_dir(sandbox.path("")).status().unwrap().success());
    let (run, report) = limited(&sandbox, MEMORY, "logs");
    run.with_status(3).complaining_of(&["logs/bomb.gz", "limit reached"]);
    let bomb = report.row_where("sources", "file", "logs/bomb.gz");
    assert_eq!(bomb["status"], "partial");
    assert!(bomb["problem"].starts_with("decompresses to more than 2000 times its size"), "{bomb:?}");
    assert_eq!(report.row_where("sources", "file", "logs/tikv.log")["status"], "read");
    assert_eq!(report.rows("events").len(), 1);
}

#[test]
fn a_packed_log_that_repeats_itself_is_read_to_its_end() {
    let sandbox = Sandbox::new();
    let mut text = String::new();
    for at in 0..60_000 {
        let _ = writeln!(
            text,
            "[2022/07/25 14:{:02}:{:02}.962 +00:00] [INFO] [pd.rs:1] [\"try to transfer leader\"] [to_peer=\"id: 94813 store_id: 4\"] [from_peer=\"id: 94814 store_id: 5\"] [region_id=94812]",
            at / 60 % 60,
            at / 3_600
        );
    }
    sandbox.write("tikv.log", &text);
    let script = "zstd -q -19 --rm tikv.log";
    assert!(Command::new("bash").args(["-ec", script]).current_dir(sandbox.path("")).status().unwrap().success());
    let size = std::fs::metadata(sandbox.path("tikv.log.zst")).unwrap().len();
    assert!(text.len() as u64 / size > 300, "{} to one", text.len() as u64 / size);
    let (run, report) = sandbox.analyze(["tikv.log.zst"], "out");
    run.with_status(0);
    assert_eq!(report.row("sources")["records"], "60000");
}

/// Rounds; 200 with `TIDESCOPE_ROUNDS=200`.
const ROUNDS: usize = 30;

#[test]
fn a_log_that_is_truncated_and_written_anew_gives_a_valid_report_each_time() {
    let sandbox = Sandbox::new();
    let text = RECORD.repeat(20_000);
    sandbox.write("logs/tikv.log", &text);
    sandbox.write("logs/pd.log", RECORD);
    let file = File::options().write(true).open(sandbox.path("logs/tikv.log")).unwrap();
    let rounds = std::env::var("TIDESCOPE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let over = AtomicBool::new(false);
    let mut seen = std::collections::BTreeMap::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                file.set_len(0).unwrap();
                // Grows in steps of many sizes, some of them within a record.
                for part in text.as_bytes().chunks(50_000 + round % 7 * 111_111).enumerate() {
                    let (number, bytes) = part;
                    file.write_all_at(bytes, (number * (50_000 + round % 7 * 111_111)) as u64).unwrap();
                }
            }
        });
        let outcome = std::panic::catch_unwind(|| {
            let mut seen = std::collections::BTreeMap::new();
            for round in 0..rounds {
                // `mmap` is for files that nobody writes to.
                let (run, report) = sandbox.analyze(["logs", "--io", ["auto", "read"][round % 2]], "out");
                assert!([0, 3].contains(&run.status), "{run:?}");
                let row = report.row_where("sources", "file", "logs/tikv.log");
                assert_eq!(run.status == 3, row["status"] != "read", "{row:?}");
                assert_eq!(report.row_where("sources", "file", "logs/pd.log")["status"], "read");
                let events = report.rows("events").len() as u64;
                assert_eq!(report.summary()["events"]["total"].as_u64(), Some(events));
                *seen.entry(row["status"].clone()).or_insert(0) += 1;
            }
            seen
        });
        over.store(true, Ordering::Relaxed);
        seen = outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    println!("{rounds} rounds: {seen:?}");
}
