//! Input that nobody meant to be read: empty, endless, broken, misnamed, or written to do harm.

use crate::harness::{PROGRAM, Report, Run, Sandbox, words};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;

const MIB: usize = 1 << 20;

/// A record that a rule knows; it names region 94812.
const RECORD: &str = "[2022/07/25 14:54:43.962 +00:00] [WARN] [errors.rs:155] [\"backup stream meet error\"] [err=\"failed to get the snapshot (region_id = 94812)\"] [err_code=KV:LogBackup:RaftReq]";

/// Analyses one file with this content.
fn analyze(bytes: impl AsRef<[u8]>) -> (Run, Report) {
    let sandbox = Sandbox::new();
    sandbox.write("tikv.log", bytes);
    sandbox.analyze(["tikv.log"], "out")
}

#[track_caller]
fn assert_source(report: &Report, expected: &[(&str, &str)]) {
    let row = report.row("sources");
    for (column, value) in expected {
        assert_eq!(row[*column], *value, "{column} of {row:#?}");
    }
}

#[test]
fn an_empty_file_is_read_and_holds_nothing() {
    let (run, report) = analyze("");
    run.with_status(0).silently();
    assert_source(&report, &[("bytes", "0"), ("records", "0"), ("status", "read")]);
    assert!(report.text("report.md").starts_with("# No log record found"));
}

#[test]
fn zeros_are_read_and_hold_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("zeros.log", vec![0; 64 * MIB]);
    // A file that was made larger than what is in it.
    File::create(sandbox.path("hole.log")).unwrap().set_len(65 * MIB as u64).unwrap();
    let (run, report) = sandbox.analyze(["zeros.log", "hole.log"], "out");
    run.with_status(0).silently();
    for row in report.rows("sources") {
        assert_eq!((&*row["records"], &*row["status"]), ("0", "read"), "{row:#?}");
    }
}

#[test]
fn zeros_after_a_crash_hide_nothing() {
    let line = format!("{RECORD}\n");
    let (run, report) = analyze([line.as_bytes(), &vec![0; 100_000], line.as_bytes()].concat());
    run.with_status(0);
    assert_eq!(report.rows("events").len(), 2);
}

#[test]
fn a_line_of_100_mib_hides_nothing_around_it() {
    let line = format!("{RECORD}\n");
    let (run, report) = analyze([line.as_bytes(), &vec![b'x'; 100 * MIB], b"\n", line.as_bytes()].concat());
    run.with_status(0);
    let lines: Vec<String> = report.rows("events").iter().map(|row| row["line"].clone()).collect();
    assert_eq!(lines, ["1", "3"]);
    assert_source(&report, &[("records", "2"), ("unparsed_lines", "1"), ("status", "read")]);
}

#[test]
fn a_record_of_many_mib_is_an_event() {
    let long = RECORD.replace("failed to", &format!("failed to {}", "y".repeat(3 * MIB)));
    let (run, report) = analyze(format!("{long}\n{RECORD}\n"));
    run.with_status(0);
    let rows = report.rows("events");
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["message"].len() <= 1024));
}

#[test]
fn random_bytes_are_no_log() {
    // As good as random: the squares of a Weyl sequence.
    let bytes: Vec<u8> =
        (1u64..200_000).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_pow(2) >> 56) as u8).collect();
    let sandbox = Sandbox::new();
    sandbox.write("random.log", bytes);
    sandbox.run(["analyze", "random.log"]).with_status(2).complaining_of(&["random.log"]);
}

#[test]
fn invalid_utf8_and_crlf_are_read() {
    let broken = RECORD.replace("snapshot", "snap\u{1}shot").into_bytes();
    let broken: Vec<u8> = broken.iter().map(|byte| if *byte == 1 { 0xff } else { *byte }).collect();
    let (run, report) = analyze([&broken[..], b"\r\n\xc3\x28\r\n", RECORD.as_bytes(), b"\r\n"].concat());
    run.with_status(0);
    let rows = report.rows("events");
    assert_eq!(rows.iter().map(|row| row["line"].as_str()).collect::<Vec<_>>(), ["1", "3"]);
    assert!(rows.iter().all(|row| row["region_id"] == "94812"), "{rows:#?}");
}

#[test]
fn utf16_of_both_kinds_is_read() {
    let text = format!("\u{feff}{RECORD}\r\n● ○ ‹x›\r\n{RECORD}\r\n");
    for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let (run, report) = analyze(text.encode_utf16().flat_map(to_bytes).collect::<Vec<u8>>());
        run.with_status(0);
        assert_eq!(report.rows("events").iter().map(|row| row["line"].clone()).collect::<Vec<_>>(), ["1", "3"]);
    }
}

#[test]
fn a_file_cut_anywhere_in_a_record_keeps_the_others() {
    for cut in [1, 20, 33, 50, 90, RECORD.len() - 1] {
        let (run, report) = analyze(format!("{RECORD}\n{}", &RECORD[..cut]));
        run.with_status(0);
        assert_eq!(report.rows("events")[0]["line"], "1", "cut at {cut}");
        let (run, report) = analyze(format!("{}\n{RECORD}\n", &RECORD[cut..]));
        run.with_status(0);
        assert!(report.rows("events").iter().any(|row| row["line"] == "2"), "cut at {cut}");
    }
}

#[test]
fn paths_that_lead_nowhere_are_named() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("empty")).unwrap();
    symlink("loop", sandbox.path("loop")).unwrap();
    let long = "x".repeat(300);
    sandbox.run(["analyze", "empty"]).with_status(2).complaining_of(&["nothing to read"]);
    for path in ["missing.log", "loop", &long, "/dev/null", "empty/*.log"] {
        sandbox.run(["analyze", path]).with_status(2).complaining_of(&["nothing to read", path]);
    }
    sandbox.write("tikv.log", RECORD);
    for path in ["missing.log", "loop", &long] {
        let (run, report) = sandbox.analyze([path, "tikv.log"], "out");
        run.with_status(3).complaining_of(&[path]);
        let row = report.row_where("sources", "file", path);
        assert_eq!(row["status"], "failed");
        assert_ne!(row["problem"], "");
        assert_eq!(report.rows("events").len(), 1);
    }
}

#[test]
fn a_file_without_permission_is_named_and_the_others_are_read() {
    let sandbox = Sandbox::new();
    sandbox.write("logs/open.log", format!("{RECORD}\n"));
    let closed = sandbox.write("logs/closed.log", format!("{RECORD}\nmore\n"));
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = if File::open(&closed).is_err() {
        sandbox.command()
    } else {
        // We may read everything: somebody else may not.
        let nobody = 65_534;
        fs::copy(PROGRAM, sandbox.path("tidescope")).unwrap();
        for path in ["", ".temporary"] {
            std::os::unix::fs::chown(sandbox.path(path), Some(nobody), Some(nobody)).unwrap();
        }
        let mut command = Command::new(sandbox.path("tidescope"));
        command.current_dir(sandbox.path("")).env("TMPDIR", sandbox.path(".temporary")).uid(nobody).gid(nobody);
        command
    };
    command.args(["analyze", "logs", "-o", "out"]);
    let run = Run::of(&mut assert_cmd::Command::from_std(command));
    let report = Report::read(&sandbox.path("out"), &run);
    run.with_status(3).complaining_of(&["logs/closed.log: Permission denied"]);
    assert_eq!(report.row_where("sources", "file", "logs/closed.log")["status"], "failed");
    assert_eq!(report.rows("events").len(), 1);
    assert!(report.text("report.md").contains("logs/closed.log"));
}

#[test]
fn files_of_one_name_are_kept_apart_and_copies_count_once() {
    let sandbox = Sandbox::new();
    sandbox.write("a/tikv.log", format!("{RECORD}\n"));
    sandbox.write("b/tikv.log", format!("{RECORD}\n{RECORD}\n"));
    let unknown = "[2022/07/25 14:54:43.962 +00:00] [WARN] [a.rs:1] [\"nobody knows this\"]\n";
    sandbox.write("c/tikv.log", unknown);
    sandbox.write("d/tikv.log", unknown);
    let (run, report) = sandbox.analyze(["."], "out");
    run.with_status(0);
    let files: Vec<String> = report.rows("events").iter().map(|row| row["file"].clone()).collect();
    assert_eq!(files, ["./a/tikv.log", "./b/tikv.log", "./b/tikv.log"]);
    let copy = report.row_where("sources", "file", "./d/tikv.log");
    assert_eq!(copy["status"], "skipped", "{copy:#?}");
    assert_eq!(report.row("unmatched")["count"], "1");
}

#[test]
fn names_that_do_harm_elsewhere_are_read_and_written_out() {
    let names: [&[u8]; 8] = [
        b"-rf",
        b"=1+1.log",
        b"a\nb\x1b[31m.log",
        b"\xff\xfe.log",
        b"<script>alert(1)</script>.log",
        "\u{202e}gol.exe".as_bytes(),
        b"it's `a` $(touch x) | b.log",
        b"caf\xc3\xa9 [1].log",
    ];
    let sandbox = Sandbox::new();
    for (count, name) in names.iter().enumerate() {
        sandbox
            .write(std::path::Path::new("logs").join(OsStr::from_bytes(name)), format!("{RECORD}\n").repeat(count + 1));
    }
    let (run, report) = sandbox.analyze(["logs"], "out");
    run.with_status(0);
    assert_eq!(report.rows("sources").len(), names.len());
    assert_eq!(report.rows("events").len(), names.len() * (names.len() + 1) / 2);
    let files: Vec<String> = report.rows("sources").iter().map(|row| row["file"].clone()).collect();
    for shown in
        ["logs/-rf", "logs/=1+1.log", "logs/a\\x0ab\\x1b[31m.log", "logs/\\xff\\xfe.log", "logs/\\u{202e}gol.exe"]
    {
        assert!(files.iter().any(|file| file == shown), "{shown}: {files:?}");
    }
    // Each by itself, named on the command line.
    for name in names {
        let path = [b"logs/", name].concat();
        let args = [words(["analyze", "-q", "-o", "out"]), vec![OsStr::from_bytes(&path).to_owned()]].concat();
        sandbox.run(args).with_status(0);
    }
}

#[test]
fn a_fifo_in_a_folder_is_not_waited_for() {
    let sandbox = Sandbox::new();
    sandbox.write("logs/tikv.log", RECORD);
    assert!(Command::new("mkfifo").arg(sandbox.path("logs/pipe")).status().unwrap().success());
    let (run, report) = sandbox.analyze(["logs"], "out");
    run.with_status(0);
    assert_eq!(report.row_where("sources", "file", "logs/pipe")["status"], "skipped");
}

/// Texts that other programs would obey, in every place that a report shows.
#[test]
fn nothing_that_a_log_says_is_obeyed() {
    let evil = "=cmd|'/c calc'!A1 <script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) | `id` \\u001b[2J\\u0007 \\u202e";
    let log = format!(
        "[2022/07/25 14:54:43.962 +00:00] [WARN] [errors.rs:155] [\"backup stream meet error\"] [err=\"{evil}\"] [task=\"{evil}\"]\n\
         [2022/07/25 14:54:43.963 +00:00] [WARN] [a.rs:1] [\"{evil}\"]\n\
         [2022/07/25 14:54:43.964 +00:00] [WARN] [a.rs:2] [\"@SUM(1)\"]\n\
         [2022/07/25 14:54:43.965 +00:00] [WARN] [a.rs:3] [\"-1+1\"]\n\
         [2022/07/25 14:54:43.966 +00:00] [WARN] [a.rs:4] [\"+1+1\"]\n"
    );
    let sandbox = Sandbox::new();
    sandbox.write("=x/tikv.log", log);
    let status = format!(
        "● Total 1 Tasks.\n> #1 <\n                    name: t$(touch pwned)'; rm -rf ~\n                  status: ○ ERROR\n                   start: 2022-07-25 13:49:02.868 +0000\n                 storage: s3://b/$(id)\n      checkpoint[global]: 2022-07-25 14:46:50.118 +0000; gap=1h0m0s\n          error[store=1]: KV:LogBackup:RaftReq\nerror-happen-at[store=1]: 2022-07-25 14:54:44.467 +0000; gap=52m\n  error-message[store=1]: {}\n",
        evil.replace('\\', "")
    );
    sandbox.write("=x/status.txt", status);
    let (run, report) = sandbox.analyze(["=x"], "out");
    run.with_status(0);
    // What Markdown escapes does not count.
    let markdown = report.text("report.md").replace("\\<", "").replace("\\]", "");
    assert!(!markdown.contains("](javascript:"), "{markdown}");
    for text in [&markdown, report.text("report.html")] {
        assert!(!text.contains("<script>alert") && !text.contains("<img src=x"), "{text}");
    }
    for name in report.names().into_iter().filter(|name| name.contains(".csv")) {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(report.text(name).as_bytes());
        for record in reader.records() {
            for cell in &record.unwrap() {
                let is_number = cell.parse::<i64>().is_ok();
                assert!(is_number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{name}: {cell}");
            }
        }
    }
    let commands = report.row("tasks")["commands"].clone();
    assert!(commands.contains("--task-name='t$(touch pwned)'\\''; rm -rf ~'"), "{commands}");
    assert!(run_in_shell_prints_one_word(&commands), "{commands}");
}

/// Whether a shell takes the task's name as one word: `printf` shows each of its arguments in brackets.
fn run_in_shell_prints_one_word(commands: &str) -> bool {
    let first = commands.split(" && ").next().unwrap().strip_prefix("br ").unwrap();
    let shown = Command::new("sh").args(["-c", &format!("printf '[%s]' {first}")]).output().unwrap();
    String::from_utf8_lossy(&shown.stdout).contains("[--task-name=t$(touch pwned)'; rm -rf ~]")
}

#[test]
fn secrets_are_in_no_output() {
    const SECRETS: [&str; 6] = [
        "AKIAZZQ3EXAMPLE7QWER",
        "wJalrXUtnFEMIzK7MDENGbPxRfiCYzz1",
        "FwoGZXIvYXdzEZZsessiontoken1",
        "hunter2hunter2zz",
        "sigZZ0a1b2c3d4e5f6",
        "rootpasszz",
    ];
    let [key, secret, token, password, signature, root] = SECRETS;
    let log = format!(
        "[2022/07/25 14:54:43.962 +00:00] [WARN] [errors.rs:155] [\"backup stream meet error\"] [err=\"access-key={key} secret-access-key={secret}\"] [storage=\"s3://b/p?access-key={key}&secret-access-key={secret}&session-token={token}\"]\n\
         [2022/07/25 14:54:43.963 +00:00] [WARN] [a.rs:1] [\"unknown of secret_access_key: \\\"{secret}\\\"\"] [password={password}]\n\
         [2022/07/25 14:54:43.964 +00:00] [ERROR] [a.go:1] [\"connect failed\"] [dsn=\"mysql://root:{root}@10.0.0.1:4000/test\"] [url=\"https://a.blob.core.windows.net/c?sv=1&sig={signature}\"]\n"
    );
    let status = format!(
        "● Total 1 Tasks.\n> #1 <\n                    name: task1\n                  status: ○ ERROR\n                 storage: s3://b/p?access-key={key}&secret-access-key={secret}\n      checkpoint[global]: 2022-07-25 14:46:50.118 +0000; gap=1h0m0s\n          error[store=1]: KV:LogBackup:IO\n  error-message[store=1]: failed with session_token={token}\n"
    );
    let sandbox = Sandbox::new();
    sandbox.write("in/tikv.log", &log);
    sandbox.write("in/status.txt", status);
    let (run, report) = sandbox.analyze(["in", "--task", "task1"], "out");
    let mut all = report.all() + &run.stdout + &run.stderr;
    for args in [
        &["scan", "in"][..],
        &["scan", "in", "--format", "jsonl"],
        &["timeline", "in"],
        &["explain", log.lines().next().unwrap()],
        &["analyze", "gone?secret-access-key=wJalrXUtnFEMIzK7MDENGbPxRfiCYzz1"],
    ] {
        let run = sandbox.run(args);
        all += &(run.stdout + &run.stderr);
    }
    for secret in SECRETS {
        let near = all.find(secret).map(|at| &all[at.saturating_sub(100)..at + 30]);
        assert_eq!(near, None, "{secret}");
    }
    assert!(all.contains("[REDACTED]"));
    let (_, report) = sandbox.analyze(["in", "--no-redact"], "out");
    assert!(report.all().contains(secret));
}

#[test]
fn user_data_is_in_no_report_where_that_is_asked_for() {
    const KEY: &str = "7480000000000000FF";
    let log = "[2022/07/25 14:54:44.964 +00:00] [ERROR] [a.go:1] [\"run failed\"] [sql=\"insert into t values ('bob')\"] [err=\"Duplicate entry 'bob' for key 'PRIMARY'\"]\n";
    let sandbox = Sandbox::with_testdata(&["merge-failed-task"]);
    sandbox.write("merge-failed-task/extra.log", log);
    let (_, plain) = sandbox.analyze(["merge-failed-task"], "plain");
    assert!(plain.all().contains(KEY) && plain.all().contains("bob"));
    let (run, report) = sandbox.analyze(["merge-failed-task", "--redact-keys", "--format", "jsonl,timesketch"], "out");
    let mut all = report.all() + &run.stdout;
    for args in [
        &["timeline", "merge-failed-task", "--region", "94812", "--redact-keys"][..],
        &["scan", "merge-failed-task", "--redact-keys"],
    ] {
        all += &sandbox.run(args).with_status(0).stdout;
    }
    for data in [KEY, "bob", "insert into"] {
        let near = all.find(data).map(|at| &all[at.saturating_sub(100)..at + 30]);
        assert_eq!(near, None, "{data}");
    }
    // What a reader needs is all there.
    for table in ["tasks", "stores"] {
        assert_eq!(report.text(&format!("{table}.csv")), plain.text(&format!("{table}.csv")));
    }
    let (shown, whole) = (report.rows("incidents"), plain.rows("incidents"));
    assert_eq!(shown[0], whole[0]);
    assert!(
        shown[1]["summary"].contains("Duplicate entry '?'") && whole[1]["summary"].contains("Duplicate entry 'bob'")
    );
    sandbox
        .run(["analyze", "-q", "merge-failed-task", "--redact-keys", "--format", "sqlite", "-o", "out"])
        .with_status(0);
    let database = fs::read(sandbox.path("out/tidescope.sqlite")).unwrap_or_default();
    assert!(memchr::memmem::find(&database, KEY.as_bytes()).is_none());
}
