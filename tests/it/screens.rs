//! `br log status` on terminals of every width: what the program printed is what is read, to the byte.

use crate::failures::assert_told;
use crate::harness::{Row, Sandbox};
use crate::pastes::found;
use std::fmt::Write as _;
use tidescope::record::{RawRecord, Record, Sink, split};

type Rows = Vec<(String, String)>;

fn rows(pairs: &[(&str, &str)]) -> Rows {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Texts that are hard to put together again: words that look like keys, like records or like prompts, and long characters.
const MESSAGE: &str = "[store = 1] retry time exceeds: and error failed to get initial snapshot: failed to get the snapshot \
    (region_id = 94812): Error: name: start: \u{4e2d}\u{6587}\u{8def}\u{5f84} # $ status: \u{25cb} region 94812 [BR:Common] \
    ... panic: message: \"read index not ready, reason can not read index due to merge, region 94812\" read_index_not_ready { \
    reason: \"can not read index due to merge\" region_id: 94812 }";

/// A failed task as versions from 6.2 on show it.
fn failed() -> Rows {
    rows(&[
        ("name", "task1"),
        ("status", "\u{25cb} ERROR"),
        ("start", "2022-07-25 13:49:02.868 +0000"),
        ("end", "2090-11-18 14:07:45.624 +0000"),
        (
            "storage",
            "s3://tmp/\u{5907}\u{4efd}/br-log-backup0ef49055-5198-4be3-beab-d382a2189efb/\u{65e5}\u{5fd7}/\u{3000}Log",
        ),
        ("speed(est.)", "0.00 ops/s"),
        ("checkpoint[global]", "2022-07-25 14:46:50.118 +0000; gap=11h31m29s"),
        ("error[store=1]", "KV:LogBackup:RaftReq"),
        ("error-happen-at[store=1]", "2022-07-25 14:54:44.467 +0000; gap=11h23m35s"),
        ("error-message[store=1]", MESSAGE),
        ("error[store=10245]", ""),
        ("error-happen-at[store=10245]", "2022-07-25 14:54:45 +0000; gap=11h23m34s"),
        ("error-message[store=10245]", "I/O: \u{6587}\u{4ef6}\u{4e0d}\u{5b58}\u{5728} on store 10245"),
    ])
}

/// A task as version 6.1 shows it.
fn old() -> Rows {
    rows(&[
        ("name", "old_task_with_a_name_that_is_longer_than_a_narrow_terminal_is_wide_4711"),
        ("status", "\u{25cf} NORMAL"),
        ("start", "2022-05-13 19:45:00 +0800 CST"),
        ("end", "2090-11-18 22:07:45.624 +0800 CST"),
        ("storage", "local:///mnt/\u{65e5}\u{5fd7}\u{5907}\u{4efd}/pitr/2022-05-13/cluster-with-a-long-name/log"),
        ("speed(est.)", "8214.33 ops/s"),
        ("checkpoint[global]", "2022-05-13 19:46:00.118 +0800 CST; gap=28s"),
        ("checkpoint[store=1]", "2022-05-13 19:46:00.118 +0800 CST; gap=28s"),
        ("checkpoint[store=10245]", "2022-05-13 19:46:01.5 +0800 CST; gap=27s"),
        ("checkpoint[store=5]", "2022-05-13 19:46:02 +0800 CST; gap=26s"),
    ])
}

/// A paused task as the newest versions show it.
fn paused() -> Rows {
    rows(&[
        ("name", "task_2"),
        ("status", "\u{25cf} PAUSE"),
        ("start", "2025-03-14 14:00:00 +0800"),
        ("storage", "s3://b/p"),
        ("speed(est.)", "0.00 ops/s"),
        ("checkpoint[global]", "2025-03-14 14:30:01.25 +0800; gap=5m6s"),
        ("pause-time", "2025-03-14T14:35:06+08:00"),
        ("pause-operator", "tidb-\u{4e00}.example"),
        ("pause-operator-pid", "4242"),
        ("pause-payload[errcode]", "KV:LogBackup:Io"),
        (
            "pause-payload[errmesg]",
            "failed to write: No space left on device (os error 28), while flushing region 94816 of store 5",
        ),
    ])
}

/// How a screen is printed and copied.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Copied {
    /// By the program, without colours.
    Plain,
    /// The same with its colours.
    Coloured,
    /// By a tool that takes the blanks at line ends away.
    Trimmed,
    /// Version 6.1 does not break values: the terminal does, at its last column.
    Broken,
    /// In a frame or table, with these bars at the left and right edge.
    Framed(&'static str, &'static str),
    /// All lines in one, with blanks or nothing between.
    Joined(&'static str),
}

/// A value in pieces of so many bytes, wherever that cuts characters.
fn pieces(value: &str, room: usize) -> Vec<&[u8]> {
    value.as_bytes().chunks(room).collect()
}

fn printed(tasks: &[Rows], width: usize, copied: Copied) -> Vec<u8> {
    let mut out = format!("\u{25cf} Total {} Tasks.\n", tasks.len()).into_bytes();
    for (number, rows) in tasks.iter().enumerate() {
        out.extend_from_slice(format!("> #{} <\n", number + 1).as_bytes());
        let longest = rows.iter().map(|(key, _)| key.len()).max().unwrap();
        let wide = width >= longest + 2 + 40;
        for (key, value) in rows {
            if copied == Copied::Broken {
                broken(&format!("{key:>longest$}: {value}"), width, &mut out);
                continue;
            }
            let (head, room, indent) = if wide {
                (format!("{key:>longest$}: "), width - longest - 2, longest + 2)
            } else {
                (format!("{key}: \n"), width, 0)
            };
            out.extend_from_slice(head.as_bytes());
            if copied == Copied::Coloured {
                out.extend_from_slice(b"\x1b[1m");
            }
            let separator = format!("\n{}", " ".repeat(indent));
            out.extend_from_slice(&pieces(value, room).join(separator.as_bytes()));
            out.extend_from_slice(if copied == Copied::Coloured { b"\x1b[0m\n" } else { b"\n" });
        }
    }
    match copied {
        Copied::Trimmed => {
            let lines: Vec<&[u8]> = out.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end).collect();
            lines.join(&b'\n')
        }
        Copied::Framed(left, right) => {
            let mut framed = Vec::new();
            for line in out.strip_suffix(b"\n").unwrap_or(&out).split(|byte| *byte == b'\n') {
                let padding = " ".repeat(if right.is_empty() { 0 } else { (width + 2).saturating_sub(line.len()) });
                framed
                    .extend_from_slice(&[left.as_bytes(), line, padding.as_bytes(), right.as_bytes(), b"\n"].concat());
            }
            framed
        }
        Copied::Joined(between) => {
            let lines: Vec<&[u8]> = out.trim_ascii_end().split(|byte| *byte == b'\n').collect();
            [b"[root@br-1 ~]# br log status ".as_slice(), &lines.join(between.as_bytes()), b"\n"].concat()
        }
        _ => out,
    }
}

/// A line as a terminal breaks it: some characters take two columns.
fn broken(line: &str, width: usize, out: &mut Vec<u8>) {
    let mut column = 0;
    for letter in line.chars() {
        let wide = if ('\u{2e80}'..'\u{ffff}').contains(&letter) { 2 } else { 1 };
        if column + wide > width {
            out.push(b'\n');
            column = 0;
        }
        column += wide;
        out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out.push(b'\n');
}

/// The fields of every record of a text.
fn read(text: &[u8]) -> Vec<Rows> {
    struct Fields(Vec<Rows>);
    impl Sink for Fields {
        fn record(&mut self, record: RawRecord<'_>) {
            let record = Record::read(record.bytes, record.kind);
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let fields = record.fields.iter().filter(|field| !field.key.starts_with(b"x-"));
            self.0.push(fields.map(|field| (text(&field.key), text(&field.value))).collect());
        }
    }
    let mut found = Fields(Vec::new());
    split(text, 0..text.len(), &mut found);
    found.0
}

/// What is to be read: a status without its circle, blanks of other kinds as blanks.
fn wanted(tasks: &[Rows]) -> Vec<Rows> {
    let value = |key: &str, value: &str| match key {
        "status" => value.chars().skip(2).collect(),
        _ => value.replace('\u{3000}', " "),
    };
    tasks.iter().map(|rows| rows.iter().map(|(key, text)| (key.clone(), value(key, text))).collect()).collect()
}

#[track_caller]
fn assert_read(tasks: &[Rows], widths: std::ops::RangeInclusive<usize>, copied: Copied) {
    let want = wanted(tasks);
    for width in widths {
        let text = printed(tasks, width, copied);
        let found = read(&text);
        let shown = String::from_utf8_lossy(&text);
        assert_eq!(found.len(), want.len(), "{width} columns, {copied:?}\n{shown}");
        for (found, want) in found.iter().zip(&want) {
            assert_eq!(found, want, "{width} columns, {copied:?}\n{shown}");
        }
    }
}

#[test]
fn wrapping_is_undone_at_every_width() {
    for copied in [Copied::Plain, Copied::Coloured] {
        assert_read(&[failed()], 40..=250, copied);
        assert_read(&[old()], 40..=250, copied);
        assert_read(&[failed(), old(), paused()], 40..=250, copied);
    }
}

#[test]
fn screens_that_a_copy_trimmed_or_a_terminal_broke() {
    // Where one line alone is full, nothing shows that it was longer.
    assert_read(&[failed()], 70..=150, Copied::Trimmed);
    assert_read(&[old()], 40..=250, Copied::Broken);
}

#[test]
fn screens_in_frames_and_tables() {
    for (left, right) in [
        ("\u{2502}", "\u{2502}"),
        ("\u{2503} ", " \u{2503}"),
        ("\u{2551}", ""),
        ("| ", " |"),
        ("|", "|"),
        ("> ", ""),
        ("", " |"),
    ] {
        assert_read(&[failed(), old()], 90..=150, Copied::Framed(left, right));
    }
}

#[test]
fn nothing_of_a_frame_comes_into_a_command() {
    let sandbox = Sandbox::new();
    for (left, right) in [("\u{2502}", "\u{2502}"), ("| ", " |"), ("", " |")] {
        let edge = format!("\u{250c}{}\u{2510}\n", "\u{2500}".repeat(90));
        let text = printed(&[failed()], 90, Copied::Framed(left, right));
        let text = [edge.as_bytes(), &text, edge.as_bytes(), "\u{2502} / # \u{2502}\n".as_bytes()].concat();
        sandbox.write("status.txt", text);
        let run = sandbox.run(["analyze", "status.txt", "-q"]).with_status(0);
        assert!(run.stdout.contains("br log resume --task-name=task1 --pd"), "{}", run.stdout);
        assert!(run.stdout.contains("2022-07-25 14:46:50Z  "), "{}", run.stdout);
    }
}

#[test]
fn screens_on_one_line_behind_a_prompt() {
    for between in ["", " ", "   "] {
        assert_read(&[failed(), old(), paused()], 80..=250, Copied::Joined(between));
    }
}

/// Markdown escapes brackets, and takes the sign before a task's number for a quotation.
#[test]
fn screens_that_went_through_markdown() {
    // A terminal breaks lines within characters: bytes are replaced.
    let replaced = |text: &[u8], pairs: &[(&str, &str)]| -> Vec<u8> {
        let letters: String = text.iter().copied().map(char::from).collect();
        let letters = pairs.iter().fold(letters, |text, (from, to)| text.replace(from, to));
        letters.chars().map(|letter| letter as u8).collect()
    };
    let keys = [("[global]", r"\[global\]"), ("[store=1]", r"\[store=1\]"), ("[store=10245]", r"\[store=10245\]")];
    for width in [80, 120, 250] {
        let joined = replaced(&printed(&[failed()], width, Copied::Joined("  ")), &keys);
        assert_eq!(read(&joined), wanted(&[failed()]), "{width}");
        let apart = replaced(&printed(&[failed()], width, Copied::Plain), &[("> #1 <", "#1 <")]);
        assert_eq!(read(&apart), wanted(&[failed()]), "{width}");
    }
    let apart = replaced(&printed(&[failed()], 600, Copied::Plain), &keys);
    assert_eq!(read(&replaced(&apart, &[("\n", "\n\n")])), wanted(&[failed()]));
    let brackets = [("[{\"name", "\\[{\"name"), (":[", ":\\["), ("],", "\\],")];
    assert_eq!(read(&replaced(JSON.as_bytes(), &brackets)), read(JSON.as_bytes()));
}

/// Of several stores the event is about the one that failed first, whichever is named first.
#[test]
fn the_store_that_failed_first_counts() {
    let error = |store: u64, code: &str, milli: u64| {
        format!(
            "error[store={store}]: {code}\nerror-happen-at[store={store}]: 2022-07-25 14:54:44.{milli} +0000; gap=1s\nerror-message[store={store}]: x\n"
        )
    };
    let (one, other) = (error(7, "KV:LogBackup:Io", 827), error(8, "KV:LogBackup:RaftReq", 825));
    for errors in [format!("{one}{other}"), format!("{other}{one}")] {
        let report = found(&format!("> #1 <\n name: task1\n status: \u{25CB} ERROR\n{errors}"));
        let (event, task) = (report.row("events"), report.row("tasks"));
        assert_eq!((&*event["store_id"], &*event["stores"]), ("8", "7;8"), "{errors}");
        assert_eq!((&*task["error_store"], &*task["error_code"]), ("8", "KV:LogBackup:RaftReq"), "{errors}");
    }
}

/// The store that holds a task's data is PD's.
#[test]
fn a_task_that_lost_etcd_lost_pd() {
    let text = "> #1 <\n name: task1\n status: \u{25CB} ERROR\n start: 2022-07-25 13:49:02.868 +0000\ncheckpoint[global]: 2022-07-25 14:46:50.118 \
                +0000; gap=31m29s\nerror[store=1]: KV:LogBackup:Etcd\nerror-happen-at[store=1]: 2022-07-25 14:54:44.467 +0000; gap=23m35s\n\
                error-message[store=1]: Etcd meet error grpc request error: status: Unavailable, message: \"dns error: failed to lookup address\"\n";
    assert_told(text, ["task-failed", "pd-unavailable", "resume"], "Store 1");
}

#[test]
fn the_program_says_the_same_at_every_width() {
    let sandbox = Sandbox::new();
    let tasks = [failed(), paused()];
    let mut text = Vec::new();
    for width in 40..=250 {
        text.extend_from_slice(b"\n$ br log status\n");
        text.extend_from_slice(&printed(&tasks, width, Copied::Plain));
    }
    sandbox.write("status.txt", text);
    let run = sandbox.run(["scan", "--format", "jsonl", "--context", "none", "-q", "status.txt"]).with_status(0);
    let mut said: Vec<String> = Vec::new();
    for row in run.stdout.lines() {
        let mut row: serde_json::Value = serde_json::from_str(row).unwrap();
        if row["row"] == "event" {
            for place in ["line", "offset"] {
                row[place].take();
            }
            let mut line = String::new();
            write!(line, "{row}").unwrap();
            said.push(line);
        }
    }
    assert_eq!(said.len(), 2 * 211);
    said.sort();
    said.dedup();
    assert_eq!(said.len(), 2, "{said:#?}");
    for id in ["94812", "10245", "KV:LogBackup:RaftReq", "task_2", "KV:LogBackup:Io", "94816"] {
        assert!(said.iter().any(|row| row.contains(id)), "{id}");
    }
}

/// `br log status --json` for a failed and a running task.
const JSON: &str = r#"[{"name":"task1","start_ts":434833180031188992,"end_ts":999999999999999999,"table_filter":["*.*"],"progress":[{"store_id":1,"checkpoint":434834088949972992}],"storage":"s3://tmp/br-log\u0026x/Log","checkpoint":434834088949972992,"estimate_qps":0,"last_errors":[{"store_id":1,"last_error":{"happen_at":1658760884467,"error_code":"KV:LogBackup:RaftReq","error_message":"failed to get the snapshot (region_id = 94812): Error: [x] {\"y\": 1}","store_id":1}},{"store_id":4,"last_error":{"happen_at":1658760884468,"error_code":"KV:LogBackup:Io","error_message":"I/O: disk full","store_id":4}}]},{"name":"task_2","start_ts":434833180031188992,"status":"NORMAL","table_filter":null,"progress":[],"storage":"local:///x","checkpoint":434834088949972993,"estimate_qps":12.5,"last_errors":[]}]"#;

/// The JSON as an indenting tool prints it.
fn indented(indent: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(JSON).unwrap();
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    serde::Serialize::serialize(&value, &mut serializer).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn tasks_as_json_on_one_line_or_many() {
    let want = read(JSON.as_bytes());
    assert_eq!(want.len(), 2);
    assert!(want[0].contains(&("error-message[store=4]".to_owned(), "I/O: disk full".to_owned())), "{want:?}");
    // Members in another order give fields in another order.
    let sorted = |mut tasks: Vec<Rows>| {
        tasks.iter_mut().for_each(|rows| rows.sort());
        tasks
    };
    let want = sorted(want);
    for indent in ["  ", "    ", "\t"] {
        let text = format!("$ br log status --json | jq .\n{}\n$\n", indented(indent));
        assert_eq!(sorted(read(text.as_bytes())), want, "{text}");
        let quoted = format!("> {}\n", indented(indent).replace('\n', "\n> "));
        assert_eq!(sorted(read(quoted.as_bytes())), want, "{quoted}");
    }
    for width in 40..=250 {
        let text = pieces(JSON, width).join(&b"\n"[..]);
        assert_eq!(sorted(read(&text)), want, "{width} columns");
    }
}

/// What tasks.csv says of the task of a text.
fn judged(text: &str, options: &[&str]) -> Row {
    let sandbox = Sandbox::new();
    sandbox.write("status.json", text);
    let (_, report) = sandbox.analyze([&["status.json"], options].concat(), "out");
    report.row("tasks")
}

#[test]
fn json_without_errors_says_how_far_the_task_is() {
    let paused = r#"[{"name":"t_7","start_ts":434833180031188992,"end_ts":999999999999999999,"status":"PAUSE","table_filter":["*.*"],"progress":[],"storage":"local:///x","checkpoint":434834088949972993,"estimate_qps":0,"last_errors":[]}]"#;
    let pretty = paused.replace(",\"", ",\n    \"").replace("[{\"", "[\n  {\n    \"").replace("}]", "\n  }\n]");
    for text in [
        paused,
        &pretty,
        &format!("$ br log status --json\n{paused}\n"),
        &format!("{}\n", &paused[1..paused.len() - 1]),
    ] {
        let task = judged(text, &[]);
        assert_eq!((&*task["checkpoint_ts"], &*task["gap_s"]), ("434834088949972993", "0"), "{text}");
        assert_eq!(task["resume_deadline"], "2022-07-26T14:46:50.118Z", "{text}");
        let task = judged(text, &["--now", "2022-07-26T14:46:50.118Z"]);
        assert_eq!(task["gap_s"], "86400");
    }
    let running = paused.replace("PAUSE", "NORMAL");
    let task = judged(&running, &[]);
    assert_eq!((&*task["status"], &*task["checkpoint_time"]), ("NORMAL", "2022-07-25T14:46:50.118Z"));
    assert_eq!(task["resume_deadline"], "");
}

#[test]
fn the_advancers_lag_tells_the_checkpoint() {
    let log = r#"{"level":"WARN","time":"2022/07/27 15:46:50.118 +00:00","caller":"advancer.go:579","message":"checkpoint lag is too large","category":"log backup advancer","lag":"49h0m0s"}
{"level":"INFO","time":"2022/07/27 15:46:50.120 +00:00","caller":"advancer.go:397","message":"Meet task event","category":"log backup advancer","event":"Pause(t_7)"}
"#;
    let task = judged(log, &[]);
    assert_eq!((&*task["checkpoint_time"], &*task["gap_s"]), ("2022-07-25T14:46:50.118Z", "176400"));
}

#[test]
fn cuts_do_not_show() {
    let tasks = [failed(), old(), paused()];
    for width in (40..=120).step_by(8) {
        let mut text = printed(&tasks, width, Copied::Plain);
        text.extend_from_slice(
            b"Error: cannot read\n[2022/07/25 14:54:44.467 +00:00] [WARN] [a.rs:1] [x]\nError: [BR:x]\n\n",
        );
        text.extend_from_slice(&pieces(JSON, width).join(&b"\n"[..]));
        text.extend_from_slice(format!("\n{}\nsuccess\n", indented("  ")).as_bytes());
        let whole = crate::damage::parts(&text, 0..text.len());
        for cut in (0..text.len()).step_by(41) {
            let (mut records, mut tally) = crate::damage::parts(&text, 0..cut);
            let (others, other) = crate::damage::parts(&text, cut..text.len());
            records.extend(others);
            tally.records += other.records;
            tally.newlines += other.newlines;
            tally.continuation_lines += other.continuation_lines;
            tally.unparsed_lines += other.unparsed_lines;
            assert_eq!((records, tally), whole, "{width} columns, cut at {cut}");
        }
    }
}

/// `br log status` of a paused task, and what was asked of PD or TiDB behind it.
fn asked(answer: &str) -> Row {
    let screen = printed(&[paused()], 100, Copied::Plain);
    judged(&format!("{}\n{answer}\n", String::from_utf8_lossy(&screen)), &[])
}

#[test]
fn what_pd_ctl_answers_is_evidence_of_gc() {
    // The checkpoint is 2025-03-14 14:30:01.25 +0800.
    let answer = |service: u64, gc: u64| {
        format!(
            "$ tiup ctl pd -u http://10.0.1.1:2379 service-gc-safepoint\n{{\n  \"service_gc_safe_points\": [\n    {{\n      \
             \"service_id\": \"gc_worker\",\n      \"expired_at\": 9223372036854775807,\n      \"safe_point\": {service}\n    }},\n    {{\n      \
             \"service_id\": \"task_2_pause_safepoint\",\n      \"expired_at\": 1742020506,\n      \"safe_point\": {service}\n    }}\n  ],\n  \
             \"gc_safe_point\": {gc}\n}}"
        )
    };
    let checkpoint = (1_741_933_801_250u64) << 18;
    for text in
        [answer(checkpoint - 1, checkpoint - 9), answer(checkpoint - 1, checkpoint - 9).replace(['\n', ' '], "")]
    {
        let text = text.replace("service-gc-safepoint{", "service-gc-safepoint\n{");
        let task = asked(&text);
        assert_eq!((&*task["resume_deadline"], &*task["deadline_basis"]), ("2025-03-15T06:35:06.000Z", "pd"), "{text}");
        assert_eq!((&*task["verdict"], &*task["gc_safepoint_ts"]), ("resume", &*(checkpoint - 9).to_string()));
    }
    let later = checkpoint + (1_000 << 18);
    let task = asked(&answer(later, later));
    assert_eq!((&*task["verdict"], &*task["gc_safepoint_ts"]), ("recreate-task", &*later.to_string()));
}

#[test]
fn one_service_of_what_pd_ctl_answers_is_enough() {
    let text = "{\n      \"service_id\": \"task1-1-pause-guard\",\n      \"expired_at\": 1658847284,\n      \"safe_point\": 434834088949972991\n    }\n";
    let event = found(text).row("events");
    assert_eq!((&*event["rule"], &*event["tso"]), ("pd-ctl-service-safepoint", "434834088949972991"));
}

#[test]
fn the_variable_of_tidb_is_evidence_of_gc() {
    let row = |time: &str| {
        format!(
            "+---+---+\n| VARIABLE_NAME      | VARIABLE_VALUE          |\n+---+---+\n| tikv_gc_safe_point | {time} |\n+---+---+"
        )
    };
    assert_eq!(asked(&row("20250314-14:30:01.000 +0800"))["verdict"], "resume");
    assert_eq!(asked(&row("20250314-14:40:01 +0800"))["verdict"], "recreate-task");
}
