//! Runs that are cut short, and readers that go away.

use crate::harness::{HANGS_AFTER, PROGRAM, Sandbox};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// The end of a run, in time.
fn end(mut child: Child) -> (std::process::ExitStatus, String) {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            assert!(!said.contains("panicked"), "{said}");
            return (status, said);
        }
        assert!(began.elapsed() < HANGS_AFTER, "hangs");
        std::thread::yield_now();
    }
}

/// A run that has read its first bytes from standard input and waits for more, ended by a signal.
fn stopped_by(signal: &str, sandbox: &Sandbox) {
    // Whoever runs the tests in the background may have had signals ignored.
    let mut child = sandbox
        .command_of("env")
        .args(["--default-signal=INT,TERM,HUP", PROGRAM, "analyze", "-", "-o", "out"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // More than a pipe holds: when it is written, the program is reading.
    let line = b"[2022/07/25 14:54:43.962 +00:00] [WARN] [errors.rs:155] [\"backup stream meet error\"] [err=\"x\"]\n";
    input.write_all(&line.repeat(10_000)).unwrap();
    let kill = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let (status, _) = end(child);
    assert!(status.signal().is_some() || status.code() == Some(130), "{status:?}");
    drop(input);
}

#[test]
fn a_run_that_is_stopped_leaves_no_report() {
    for signal in ["KILL", "INT", "TERM"] {
        let sandbox = Sandbox::new();
        stopped_by(signal, &sandbox);
        assert!(sandbox.names().is_empty(), "{signal}: {:?}", sandbox.names());
    }
}

#[test]
fn a_run_that_is_stopped_leaves_the_older_report() {
    let sandbox = Sandbox::with_testdata(&["merge-failed-task"]);
    let (_, before) = sandbox.analyze(["merge-failed-task"], "out");
    stopped_by("KILL", &sandbox);
    assert_eq!(sandbox.names(), ["merge-failed-task", "out"]);
    assert_eq!(sandbox.read("out/summary.json"), before.text("summary.json"));
    // And nothing of the stopped run is in the way of the next.
    stopped_by("INT", &sandbox);
    let (run, _) = sandbox.analyze(["merge-failed-task"], "out");
    run.with_status(0);
    assert_eq!(sandbox.names(), ["merge-failed-task", "out"]);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let sandbox = Sandbox::with_testdata(&["merge-failed-task"]);
    for args in [
        &["scan", "merge-failed-task"][..],
        &["scan", "merge-failed-task", "--format", "jsonl"],
        &["timeline", "merge-failed-task", "--level", "INFO"],
        &["rules", "list"],
        &["analyze", "merge-failed-task", "-o", "out"],
        &["explain", "KV:LogBackup:RaftReq"],
        &["completions", "bash"],
    ] {
        let mut command = sandbox.command();
        let mut child =
            command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let (status, said) = end(child);
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{args:?}");
    }
}
