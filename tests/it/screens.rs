//! `br log status` on terminals of every width: what the program printed is what is read, to the byte.

use crate::harness::{Report, Row, Sandbox};
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

#[test]
fn what_kubectl_and_tiup_print_is_evidence() {
    let of = |text: &str| {
        let sandbox = Sandbox::new();
        sandbox.write("console.txt", text);
        sandbox.analyze(["console.txt"], "out").1
    };
    let pod = of(
        "$ kubectl describe pod tc-tikv-0\n    Last State:     Terminated\n      Reason:       OOMKilled\n      \
         Exit Code:    137\nEvents:\n  Type     Reason     Age                  From      Message\n  Normal   Pulled     11m       \
              kubelet   Successfully pulled image\n  Warning  BackOff    3m12s (x9 over 8m) kubelet   Back-off restarting failed \
         container\n  Warning  FailedScheduling  5m8s  tidb-scheduler  0/3 nodes are available: 3 Insufficient memory.\n",
    );
    let rules: Vec<_> =
        pod.rows("events").into_iter().map(|event| (event["line"].clone(), event["rule"].clone())).collect();
    let wanted = [("3", "os-oom-container"), ("8", "os-crash-loop"), ("9", "os-pod-unschedulable")];
    assert_eq!(rules, wanted.map(|(line, rule)| (line.to_owned(), rule.to_owned())));
    assert_eq!(pod.row("incidents")["cause"], "out-of-memory");

    let late = "pd 10.0.1.1:2379 failed to start: timed out waiting for port 2379 to be started after 2m0s, please check the log";
    for gap in ["\t", "    "] {
        let text = format!(
            "2022-07-25T22:54:44.467+0800{gap}DEBUG{gap}retry\n2022-07-25T22:54:44.468+0800{gap}ERROR{gap}{late}\n"
        );
        let event = of(&text).row("events");
        assert_eq!((&*event["rule"], &*event["line"]), ("tiup-start-timeout", "2"), "{text}");
        assert_eq!((&*event["time"], &*event["level"]), ("2022-07-25T14:54:44.468Z", "ERROR"));
    }

    // What stands below a service is its own, up to the empty line.
    let service = of(
        "$ systemctl status tikv-20160\n\u{25cf} tikv-20160.service - tikv service\n   Active: failed (Result: signal) since Mon 2022-07-25 \
         14:54:44 UTC; 5min ago\n Main PID: 7 (code=killed, signal=ABRT)\n\nJul 25 14:54:44 tikv-1 systemd[1]: tikv-20160.service: Main \
         process exited, code=killed, status=6/ABRT\n",
    );
    let rules: Vec<_> =
        service.rows("events").into_iter().map(|event| (event["line"].clone(), event["rule"].clone())).collect();
    let wanted = [("2", "os-service-failed"), ("6", "os-systemd-killed")];
    assert_eq!(rules, wanted.map(|(line, rule)| (line.to_owned(), rule.to_owned())));
}

/// What is found in a text that somebody copied.
pub(crate) fn found(text: &str) -> Report {
    let sandbox = Sandbox::new();
    sandbox.write("console.txt", text);
    sandbox.analyze(["console.txt"], "out").1
}

#[track_caller]
fn assert_caused(text: &str, cause: &str, says: &str) {
    let incident = found(text).row("incidents");
    assert_eq!(incident["cause"], cause, "{text}: {incident:?}");
    assert!(incident["summary"].contains(says), "{text}: {incident:?}");
}

#[test]
fn one_failure_is_one_incident_with_its_cause() {
    let import = |message: &str| {
        format!(
            "| 7 | s3://b/*.csv | `app`.`t` | 104 | importing | failed   | 1GB | NULL | {message} | 2025-03-14 06:35:06.1 |\n"
        )
    };
    let restore = |why: &str| {
        format!("[2025/03/14 06:35:06.127 +00:00] [ERROR] [restore.go:76] [\"failed to restore\"] [error=\"{why}\"]\n")
    };
    for (text, cause, says) in [
        // An address as a link is no source file.
        (
            "Error: error happen in store 5 at [10.0.1.14:20160](http://10.0.1.14:20160/): NoSuchBucket: [BR:KV:ErrKVStorage]tikv storage occur I/O error\n",
            "storage-access",
            "A backup failed (store 5)",
        ),
        // The last line of TiUP is no failure of its own, nor is a heading part of it.
        (
            "Error: failed to put object: AccessDenied\nError: exit status 1\n\u{3010}\u{9644}\u{4ef6}\u{3011}\n### 4. Version\n",
            "storage-access",
            "A backup failed",
        ),
        (
            "Error: desc = \"transport: authentication handshake failed: x509: unknown authority\"\n",
            "configuration",
            "TLS",
        ),
        ("Error: rpc error: code = Unavailable desc = not leader\n", "pd-unavailable", "PD was changing its leader"),
        (&import("[tikv:9005]Region is unavailable"), "unknown", "An import failed: A region could not be read"),
        (&import("context deadline exceeded"), "network", "An import failed"),
        // Whom the storage refuses and why stands in what the record quotes.
        (
            &restore("failed to read s3 file, file info: input.key='k': StatusCode: 403, api error AccessDenied: x"),
            "storage-access",
            "The store knows who asks and refuses",
        ),
        (&restore("rpc error: code = Unavailable desc = not leader"), "pd-unavailable", "PD could not be reached"),
        (
            "Error: [CDC:ErrGCTTLExceeded]the checkpoint-ts(434834088949972992) lag of the changefeed(feed1) has exceeded the GC TTL\n",
            "gc-safepoint",
            "A changefeed failed",
        ),
        (
            "[2025/03/14 06:35:06.127 +00:00] [WARN] [owner.go:1500] [\"changefeed checkpoint is lagging too much, so it will be stopped.\"] [changefeed=feed1]\n",
            "gc-safepoint",
            "TiCDC at 2025-03-14 06:35:06Z",
        ),
        (
            "Error: failed to create task: etcdserver: request is too large: [BR:Common:ErrUnknown]internal error\n",
            "configuration",
            "max-request-bytes",
        ),
        (
            "BucketRegionError: incorrect region, the bucket is in 'eu-west-1' region\n",
            "configuration",
            "another region",
        ),
        ("Error: lock wait timeout\n", "lock-unresolved", "A command failed"),
        (
            "Error: failed to repair ingest index: [ddl:1071]Specified key was too long (4000 bytes); max key length is 3072 bytes\n",
            "configuration",
            "A restore failed",
        ),
        ("error: some flags [--a] are missing.\n", "unknown", "some flags"),
        // A viewer's time is no part of what stands above it.
        (
            "Error: it does not fit: [BR:Common:ErrInvalidArgument]invalid argument\n2025-12-29 15:21:11\t\n\
             [2025/12/29 07:21:11.582 +00:00] [ERROR] [main.go:43] [\"br failed\"] [error=\"it does not fit: [BR:Common:ErrInvalidArgument]invalid argument\"]\n",
            "configuration",
            "it does not fit",
        ),
        // The class of a code tells, where nothing else does.
        (
            "Error: it did not work: [PD:client:ErrClientGetLeader]no answer\n",
            "pd-unavailable",
            "PD has no leader just now",
        ),
        ("Error: it did not work: [KV:Cloud:ApiNotFound]gone\n", "storage-access", "does not exist"),
        ("2024-04-12 23:27:33\tlog=\"panic: send on closed channel\\n\"\n", "bug", "A Go program"),
        // What it was about stands in the record that ends it, not in the code of an earlier one.
        (
            "[2025/03/14 06:35:06.127 +00:00] [WARN] [conn.go:291] [\"failed to reset grpc connection, retry it\"] [error=\"[BR:Common:ErrFailedToConnect]failed to make connection to store 5\"]\n\
             [2025/03/14 06:36:06.127 +00:00] [ERROR] [backup_raw.go:220] [\"failed to backup raw kv\"] [error=\"[BR:KV:ErrKVUnknown]unknown tikv error\"]\n",
            "network",
            "A backup failed",
        ),
    ] {
        assert_caused(text, cause, says);
    }
    assert_eq!(found(&import("NULL").replace("failed", "finished")).rows("incidents"), []);
}

/// A record of BR or Lightning.
fn line(level: &str, file: &str, rest: &str) -> String {
    format!("[2025/03/14 06:35:06.127 +00:00] [{level}] [{file}] {rest}\n")
}

#[track_caller]
fn assert_told(text: &str, [kind, cause, verdict]: [&str; 3], says: &str) {
    let incident = found(text).row("incidents");
    let is = ["kind", "cause", "verdict"].map(|column| &*incident[column]);
    assert_eq!(is, [kind, cause, verdict], "{text}: {incident:?}");
    assert!(incident["summary"].contains(says), "{text}: {incident:?}");
    assert_ne!(incident["evidence"], "", "{text}: {incident:?}");
}

#[test]
fn what_ends_a_backup_or_restore_has_failed_it() {
    let snapshot = line("INFO", "collector.go:77", "[\"Full Restore success summary\"] [total-ranges=9]");
    let typed = "[tidb@ctl ~]$ tiup br restore full --pd 10.0.1.1:2379 -s local:///backup\n";
    let retry = "{\"level\":\"warn\",\"ts\":\"2025-03-14T06:35:06.127Z\",\"caller\":\"v3/retry_interceptor.go:62\",\
                 \"msg\":\"retrying of unary invoker failed\",\"error\":\"rpc error: code = DeadlineExceeded desc = x\"}\n";
    let stack =
        "github.com/pingcap/tidb/br/pkg/task.RunRestore({0x78, 0xc0})\n\t/src/br/pkg/task/restore.go:839 +0x847\n";
    for (text, told, says) in [
        // The log part of a restore to a point in time comes after its snapshot; elsewhere such an error is harmless.
        (
            format!("{snapshot}Error: rpc error: code = Unavailable desc = error reading from server: EOF\n"),
            ["restore-failed", "network", "retry"],
            "A restore failed",
        ),
        // What was typed has no time, what follows it has.
        (
            format!("{typed}{retry}Error: [domain:8027]Information schema is out of date\n"),
            ["restore-failed", "unknown", "investigate"],
            "br restore full failed",
        ),
        (
            "Error: split region failed: err=message:\"peer is not leader for region 94812\" not_leader:<region_id:94812 > : \
             [BR:Restore:ErrRestoreSplitFailed]fail to split region\n"
                .to_owned(),
            ["restore-failed", "leader-change", "retry"],
            "A restore failed",
        ),
        (
            format!(
                "panic: runtime error: invalid memory address or nil pointer dereference\n\ngoroutine 1 [running]:\n{stack}"
            ),
            ["restore-failed", "bug", "investigate"],
            "br Restore failed",
        ),
        (
            "panic: it broke\n\ngoroutine 1 [running]:\nmain.runRestoreCommand(0xc0)\n\t/src/br/cmd/br/restore.go:80\n".to_owned(),
            ["restore-failed", "unknown", "investigate"],
            "br Restore failed",
        ),
        (
            line("INFO", "collector.go:77", "[\"restore log failed summary\"] [error=\"failed to reset tiflash replicas: [domain:8028]Information schema is changed during the execution of the statement(for example, by DDL)\"]"),
            ["restore-failed", "unknown", "retry"],
            "because of a DDL",
        ),
        (
            line("ERROR", "import.go:537", "[\"ingest file failed\"] [error=\"[BR:KV:ErrKVEpochNotMatch]epoch not match\"]"),
            ["restore-failed", "unknown", "retry"],
            "because of regions that were split",
        ),
        (
            line("ERROR", "client.go:2050", "[\"restore files failed\"] [error=\"rpc error: code = Unavailable desc = keepalive watchdog timeout\"]"),
            ["restore-failed", "network", "retry"],
            "keep-alive was not answered",
        ),
        (
            "Error: Cannot read local:///backup/1_2_write.sst into /data/import/1.sst: No such file or directory (os error 2): \
             [BR:KV:ErrKVDownloadFailed]download sst failed\n"
                .to_owned(),
            ["restore-failed", "storage-access", "fix-and-retry"],
            "with local:// it must be one shared mount",
        ),
        (
            line("ERROR", "backup.go:41", "[\"failed to backup\"] [error=\"googleapi: Error 503: Please try again., backendError\"]"),
            ["backup-failed", "storage-access", "fix-and-retry"],
            "A backup failed",
        ),
        (
            "Error: error happen in store 1 at 10.0.1.11:20160: I/O permission denied error occurs on TiKV Node(store id: 1; Address: 10.0.1.11:20160). \
             work around:please ensure tikv has permission: [BR:KV:ErrKVStorage]tikv storage occur I/O error\n"
                .to_owned(),
            ["backup-failed", "storage-access", "fix-and-retry"],
            "A backup failed (store 1)",
        ),
        (
            "Error: error happen in store 1 at : Io(Custom { kind: Other, error: \"HTTP error status (status: 503, body: \\\"ServerBusy\\\")\" })\n"
                .to_owned(),
            ["backup-failed", "storage-throttled", "retry"],
            "A backup failed (store 1)",
        ),
        (
            "Error: [pd] failed to get cluster id\n".to_owned(),
            ["other", "pd-unavailable", "fix-and-retry"],
            "A br command failed",
        ),
    ] {
        assert_told(&text, told, says);
    }
    // A record of a log that lost its head ends nothing.
    let headless = "\"caller\":\"regioniter.go:138\",\"message\":\"failed with trying to scan regions\",\"error\":\"rpc error: code = DeadlineExceeded desc = x\"\n";
    assert_eq!(found(headless).rows("incidents"), []);
    // The head of a table is no part of what stands in it.
    let table = found("2025-03-14 06:35:06 | Error: table app.t is not in the backup\n-- | --\n  |   | x\n");
    assert_eq!(table.row("events")["message"], "table app.t is not in the backup");
}

#[test]
fn what_a_command_says_alone_tells_what_failed() {
    for (text, told, says) in [
        (
            "Error: load backupmeta failed: open /backup/backupmeta: no such file or directory\n".to_owned(),
            ["restore-failed", "unknown", "investigate"],
            "A restore failed",
        ),
        (
            "Error: split region failed: err=message:\"key 01 is not in region key range [02, 03) for region 94812\" \
             key_not_in_region:<region_id:94812 > \n"
                .to_owned(),
            ["restore-failed", "unknown", "retry"],
            "because of regions that were split",
        ),
        (
            line(
                "ERROR",
                "conn.go:152",
                "[\"fail to create pd controller\"] [error=\"pd address (pd:2379) not available, error is \
                 dial tcp: lookup pd on 10.0.0.1:53: no such host, please check network: [BR:PD:ErrPDUpdateFailed]failed to update PD\"]",
            ),
            ["other", "network", "retry"],
            "A br command failed",
        ),
        (
            line(
                "ERROR",
                "main.go:38",
                "[\"br failed\"] [error=\"It supports single stream log task currently: \
                 [BR:Stream:ErrStreamLogTaskExist]stream task already exists\"]",
            ),
            ["other", "operator", "fix-and-retry"],
            "br log start failed",
        ),
    ] {
        assert_told(&text, told, says);
    }
    // A class of a version to come is no reason to say nothing.
    assert_told(
        "Error: the range has a gap: [BR:PiTR:ErrOfALaterVersion]log backup has a gap\n",
        ["other", "unknown", "investigate"],
        "the range has a gap",
    );
    // The head of a table is no part of what stands in it.
    let table = found("2025-03-14 06:35:06 | Error: table app.t is not in the backup\n-- | --\n  |   | x\n");
    assert_eq!(table.row("events")["message"], "table app.t is not in the backup");
    // Two commands: the second one's words are those of a log's record, too.
    let two = found(
        "Error: databases app existed in restored cluster: [BR:Restore:ErrDatabasesAlreadyExisted]databases already existed in restored cluster\n\n\
         Error: failed to restore kv files: failed during reading file v1/backupmeta/1.meta: NoSuchKey: The specified key does not exist.\n",
    );
    assert_eq!(two.rows("incidents").len(), 2);
}

#[test]
fn the_version_of_which_tiup_speaks_tells_what_a_restore_left_out() {
    let tiup = "Starting component `br`: /home/tidb/.tiup/components/br/VERSION/br restore point --pd 10.0.1.1:2379 -s local:///log\n";
    let done = line("INFO", "collector.go:69", "[\"restore log success summary\"] [total-take=2m49s]");
    let old = format!("{}{done}", tiup.replace("VERSION", "v6.2.0"));
    assert_told(&old, ["restore-incomplete", "tiflash-replica", "set-tiflash-replica"], "by BR v6.2.0");
    assert_eq!(found(&format!("{}{done}", tiup.replace("VERSION", "v6.3.0"))).rows("incidents"), []);
}

#[test]
fn what_an_import_or_export_quotes_tells_why_it_failed() {
    let summary = line("INFO", "collector.go:194", "[\"backup failed summary\"] [total-ranges=0]");
    let chunk = "[\"fail to dumping table(chunk), will revert some metrics and start a retry if possible\"] [error=\"invalid connection\"]";
    let sorted = "[\"ingest failed noretry\"] [error=\"epoch not match: EpochNotMatch current epoch of region 94812 is conf_ver: 5 version: 21\"]";
    let space = "tidb lightning encountered error: tidb-lightning pre-check failed: the cluster has too little space\n";
    for (text, told, says) in [
        (
            format!("{summary}{}", line("WARN", "writer_util.go:319", chunk)),
            ["backup-failed", "unknown", "fix-and-retry"],
            "An export failed at 2025-03-14 06:35:06Z: because of a connection that ended",
        ),
        (
            line(
                "ERROR",
                "main.go:77",
                "[\"dump failed error stack info\"] [error=\"sql: : Error 1065: Query was empty\"]",
            ),
            ["backup-failed", "unknown", "investigate"],
            "An export failed at 2025-03-14 06:35:06Z: it says \"sql: : Error 1065",
        ),
        (
            line(
                "ERROR",
                "chunk_process.go:462",
                "[\"write to data engine failed\"] [table=`app`.`t`] [error=\"Error 1146 (42S02): Table 'app.t' doesn't exist\"]",
            ),
            ["restore-failed", "unknown", "investigate"],
            "it says \"Error 1146 (42S02): Table 'app.t' doesn't exist",
        ),
        (
            line("WARN", "local.go:1228", sorted),
            ["restore-failed", "unknown", "retry"],
            "because of regions that were split",
        ),
        (space.to_owned(), ["restore-failed", "unknown", "fix-and-retry"], "A check before the import failed"),
    ] {
        assert_told(&text, told, says);
    }
}

#[test]
fn a_store_that_calls_its_own_fault_a_bug_is_believed() {
    let text = "[2025/03/14 06:35:06.127 +00:00] [FATAL] [lib.rs:491] [\"BUG: the moon is registered to no sky\"]\n";
    assert_told(text, ["store-down", "bug", "investigate"], "BUG: the moon is registered");
}

#[test]
fn what_tools_and_clients_say_has_its_cause() {
    for (text, cause, says) in [
        // What many programs say the same way is no failure of BR.
        (
            "Error: INSTALLATION FAILED: cannot re-use a name that is still in use\n",
            "unknown",
            "A command failed: it says",
        ),
        (
            "org.x.JobException: no commit; nested exception is java.sql.SQLException: TTL manager has timed out, pessimistic locks may expire\n",
            "unknown",
            "a transaction that was open for longer",
        ),
        (
            "Poco::Exception. Code: 1000, e.code() = 0, e.displayText() = Exception: Cannot set max size of core file to 1073741824\n",
            "configuration",
            "TiFlash",
        ),
        (
            "goroutine 1 [running]:\n\nmain.main()\n\n/src/tidb-server/main.go:7 +0x1d\n",
            "unknown",
            "The stack of a Go program",
        ),
        (
            "tidb lightning encountered error: TiDB version too old, expected '>=4.0.0', found '3.0.18'\n",
            "version",
            "An import failed",
        ),
        // A client's error is no panic of a store, though it says that an assertion failed.
        (
            "ERROR 8141 (HY000): assertion failed: key: 74f8, assertion: NotExist, start_ts: 434834088949972993, existing start ts: 434834088949972990\n",
            "data-corruption",
            "TiDB found an index that does not agree",
        ),
        (
            "[\n  {\n    \"id\": \"feed1\",\n    \"summary\": {\n      \"state\": \"warning\",\n      \"tso\": 434834088949972993,\n      \
             \"error\": {\n        \"code\": \"CDC:ErrReachMaxTry\",\n        \"message\": \"[CDC:ErrReachMaxTry]reach maximum try: 6, \
             error: dial tcp 10.0.1.1:2379: connect: connection refused\"\n      }\n    }\n  }\n]\n",
            "pd-unavailable",
            "A changefeed failed",
        ),
        (
            "2019/08/13 03:27:49.382 log.go:80: [fatal] etcdserver: [create wal error: sync /data/pd/member: invalid argument]\n",
            "configuration",
            "This PD does not start",
        ),
        (
            "goroutine 1 [running]:\nruntime/debug.PrintStack()\n\t/usr/local/go/src/runtime/debug/stack.go:16 +0x19\n\
             github.com/pingcap/tidb/session.mustExecute({0x3d, 0xc0})\n\t/src/tidb/session/bootstrap.go:7 +0x8a\n",
            "unknown",
            "TiDB does not start",
        ),
        (
            "2019/08/13 03:27:49.382 tikv-server.rs:103: [ERROR] Other(StringError(\"PD cluster failed to respond\"))\n",
            "pd-unavailable",
            "TiKV did not start",
        ),
        (
            "{\n    \"result\": false,\n    \"msg\": \"[code=46014:class=scheduler:scope=internal:level=medium], Message: it is there\",\n    \
             \"sources\": [\n    ]\n}\n",
            "unknown",
            "A command of DM failed",
        ),
        (
            "[2022/07/25 14:54:44.467 +00:00] [FATAL] [main.go:209] [\"value of [tmp-storage-quota](7 byte) exceeds the capacity(6 byte)\"]\n",
            "configuration",
            "TiDB does not start",
        ),
        (
            "Error: [CDC:ErrKafkaNewProducer]new kafka producer: kafka: client has run out of available brokers to talk to: EOF\n",
            "network",
            "A changefeed failed",
        ),
        // Started again in vain, it has failed once.
        (
            "[2022/07/25 14:10:00.000 +00:00] [FATAL] [setup.rs:310] [\"invalid configuration: the moon is full\"]\n\
             [2022/07/25 14:40:00.000 +00:00] [FATAL] [setup.rs:310] [\"invalid configuration: the moon is full\"]\n",
            "configuration",
            "TiKV does not start",
        ),
        // What stops a process says so itself.
        (
            "[2025/03/14 06:35:06.127 +00:00] [FATAL] [splitter.go:71] [\"the moon is wrong\"] [tableID=7]\n",
            "unknown",
            "it says \"the moon is wrong",
        ),
    ] {
        assert_caused(text, cause, says);
    }
}

#[test]
fn what_tiup_and_the_host_say_is_no_failure_of_br_nor_of_a_network() {
    for (text, cause, says) in [
        (
            "bin/tikv-server: error while loading shared libraries: libnuma.so.1: cannot open shared object file: No such file or directory\n",
            "configuration",
            "The system",
        ),
        (
            "scripts/run_tikv.sh: line 14: bin/tikv-server: cannot execute binary file: Exec format error\n",
            "configuration",
            "The system",
        ),
        (
            "Error: failed to start: 10.0.1.11 tikv-20160.service: executor.ssh.execute_failed: Failed to execute command over SSH for 'tidb@10.0.1.11:22' {ssh_stderr: Job for tikv-20160.service failed because the control process exited with error code.\n\
             , ssh_stdout: , ssh_command: /usr/bin/sudo true}, cause: Process exited with status 1\n",
            "unknown",
            "A command of TiUP failed: because of a process that did not come up",
        ),
        (
            "Error: failed to start: 10.0.1.11 tikv-20160.service: timed out waiting for port 20160 to be started after 2m0s\n",
            "unknown",
            "A command of TiUP failed: because of a process that did not come up",
        ),
        (
            "Error: executor.ssh.execute_failed: Failed to execute command over SSH for 'tidb@10.0.1.11:22' {ssh_stderr: sudo: a password is required\n\
             , ssh_stdout: , ssh_command: /usr/bin/sudo true}, cause: Process exited with status 1\n",
            "configuration",
            "A command of TiUP failed",
        ),
    ] {
        let incident = found(text).row("incidents");
        assert_eq!(incident["cause"], cause, "{text}: {incident:?}");
        assert!(incident["summary"].contains(says), "{text}: {incident:?}");
    }
    let differs =
        found("Progress [====>] 100% 0/0\nThe data of `app`.`t` is not equal\n\nThe rest of tables are all equal.\n");
    assert!(differs.row("incidents")["summary"].starts_with("A comparison failed"), "{:?}", differs.row("incidents"));
    let down =
        found("10.0.1.11:2379  pd  10.0.1.11  2379/2380  linux/x86_64  Unhealthy  /data/pd-2379  /deploy/pd-2379\n");
    assert_eq!(down.row("events")["rule"], "tiup-instance-down");
    let unhealthy = found("Regions are not fully healthy: 2 miss-peer, 1 pending-peer\n");
    assert_eq!(unhealthy.row("events")["rule"], "tiup-regions-unhealthy");
}

#[test]
fn a_source_file_that_many_have_does_not_tell_who_wrote_it() {
    let text = "[2025/03/14 06:35:06.127 +00:00] [WARN] [manager.go:270] [\"Sink manager backend sink fails\"] [changefeed=feed1] [error=EOF]\n";
    assert_eq!(found(text).row("sources")["component"], "cdc");
    let lightning = "[2025/03/14 06:35:06.127 +00:00] [INFO] [info.go:49] [\"Welcome to TiDB-Lightning\"] [release-version=v5.4.0]\n";
    assert_eq!(found(lightning).row("sources")["component"], "br");
}

#[test]
fn what_a_store_reports_of_a_task_that_stands_is_told() {
    let text = "\u{25CF} Total 1 Tasks.\n> #1 <\n    name: t7\n    status: \u{25CF} NORMAL\n    start: 2022-05-14 11:09:40.7 +0800 CST\n\
                checkpoint[global]: 2022-05-14 11:31:47.2 +0800 CST; gap=34m53s\nerror[store=4]: KV:LogBackup:NoSuchTask\n\
                checkpoint[store=5]: 2022-05-14 11:31:47.25 +0800 CST; gap=34m53s\n";
    let incident = found(text).row("incidents");
    assert_eq!(incident["kind"], "checkpoint-stalled");
    assert!(incident["summary"].contains("store 4 reports KV:LogBackup:NoSuchTask."), "{incident:?}");
}

#[test]
fn a_backup_that_gc_overtook_is_no_log_backup() {
    let report = found(
        "[2025/03/14 06:35:06.127 +00:00] [ERROR] [backup.go:58] [\"failed to backup\"] [error=\"GC safepoint 433193092308795392 exceed TS \
         433177834291200000: [BR:Backup:ErrBackupGCSafepointExceeded]backup GC safepoint exceeded\"]\n",
    );
    assert_eq!(report.row("incidents")["kind"], "backup-failed");
    let told = report.text("report.md").lines().find(|line| line.starts_with("**FIX")).unwrap();
    assert!(told.contains("--gcttl") && !told.contains("br log stop"), "{told}");
}

#[test]
fn whatever_a_statement_is_answered_its_failure_is_told() {
    let report = found(
        "mysql> BACKUP DATABASE app TO 's3://b/x';\nERROR 8124 (HY000): Backup failed: the schema changed\nmysql> RESTORE DATABASE app FROM \
         's3://b/x';\nERROR 8125 (HY000): Restore failed: Error 1050: Table 'app.t' already exists\n",
    );
    let kinds: Vec<_> = report.rows("incidents").into_iter().map(|incident| incident["kind"].clone()).collect();
    assert_eq!(kinds, ["backup-failed", "restore-failed"]);
    for answer in [
        "ERROR 8125 (HY000) at line 1: Restore failed: the moon is full",
        "Error 8125 (HY000): Restore failed: the moon is full",
        "[2025-03-14T06:35:06.127Z] ERROR 8125 (HY000): Restore failed: the moon is full",
    ] {
        assert_told(answer, ["restore-failed", "unknown", "investigate"], "Restore failed: the moon is full");
    }
}

#[test]
fn errors_that_a_statement_met_are_lines_of_its_failure() {
    let text = "\
        ERROR 1105 (HY000): [try again later]: backoffer.maxSleep 15000ms is exceeded, errors:\n\
        message:\"region is stale\" stale_epoch:<new_regions:<id:94812 start_key:\"t\" end_key:\"\" region_epoch:<conf_ver:3 version:7 > peers:<id:94813 store_id:4 > > >\n\
        not leader: region_id:94816 , ctx: region ID: 94816\n\
        mysql> SELECT 1;\n\
        ERROR 1105 (HY000): other error: x\n";
    let report = found(text);
    let event = &report.rows("events")[0];
    assert_eq!(report.row("sources")["records"], "2");
    assert_eq!((&*event["regions"], &*event["stores"]), ("94812;94816", "4"));
}

/// What a client is told of a statement is no error of `br`, and each answer stands for itself.
#[test]
fn answers_to_statements_are_tidb_s() {
    let report = found(
        "mysql> UPDATE t SET a = 1;\nERROR 8022 (HY000): Error: KV error safe to retry [try again later]\nERROR 2013 (HY000): Lost connection\n\
         mysql> INSERT INTO t SELECT * FROM u;\nERROR 8004 (HY000): Transaction is too large, size: 104857653\n\
         mysql> SELECT * FROM t;\nERROR 8055 (HY000): snapshot is older than GC safe point 2022-07-25 14:54:44 +0000 UTC\n",
    );
    let rules: Vec<_> = report.rows("events").into_iter().map(|event| event["rule"].clone()).collect();
    assert_eq!(rules, ["text-client-retry", "text-client-too-large", "text-gc-too-early"]);
    assert_eq!((report.rows("incidents"), &*report.row("sources")["continuation_lines"]), (Vec::new(), "0"));
}

/// Terminals are what reports hold most: the task and PD that somebody typed are those of the next command.
#[test]
fn what_was_typed_names_task_and_pd() {
    let refused = "Error: failed to check gc safePoint, checkpoint ts 433177834291200000: GC safepoint 433193092308795392 exceed TS \
                   433177834291200000: [BR:Backup:ErrBackupGCSafepointExceeded]backup GC safepoint exceeded\n";
    let of = |typed: &str| {
        let sandbox = Sandbox::new();
        sandbox.write("console.txt", format!("{typed}\n{refused}"));
        sandbox.analyze(["console.txt"], "out").1
    };
    for typed in [
        "$ br log resume --task-name=pitr --pd 10.9.8.7:2379",
        "[tidb@ops ~]$ tiup br:v6.1.0 log resume \\\n  --task-name pitr \\\n  -u \"http://10.9.8.7:2379\"",
        "$ tiup br log resume --task-name=pitr --pd=10.9.8.7:2379\nStarting component `br`: \
         /home/tidb/.tiup/components/br/v6.1.0/br log resume --task-name=pitr --pd=10.9.8.7:2379",
    ] {
        let report = of(typed);
        let incident = report.row("incidents");
        assert_eq!((&*incident["kind"], &*incident["task"]), ("resume-refused", "pitr"), "{typed}");
        assert!(incident["commands"].starts_with("br log stop --task-name=pitr --pd 10.9.8.7:2379 && "), "{typed}");
        assert_eq!((&*report.row("sources")["records"], report.rows("tasks").len()), ("1", 1), "{typed}");
    }
    // What stands in the place of an address or a name is none.
    for typed in [
        "$ br log resume --task-name=<TASK> --pd x.x.x.x:2379",
        "# br log resume --task-name=${TASK} --pd \"${PD}\"",
        "    br log resume --task-name=pitr --pd 10.9.8.7:2379",
    ] {
        let report = of(typed);
        let commands = &report.row("incidents")["commands"];
        assert!(commands.starts_with("br log stop --task-name='<TASK>' --pd '<PD_ADDR>' && "), "{typed}: {commands}");
    }
    // A start that was refused started no task that had to be stopped.
    let new = of("$ br log start --task-name=pitr --pd pd:2379 --start-ts=433177834291200000 -s s3://b/l");
    let commands = &new.row("incidents")["commands"];
    assert!(commands.starts_with("br log start --task-name=pitr --pd pd:2379 --storage s3://b/l && "), "{commands}");
    let exists = "Error: It supports single stream log task currently, but there is already one named pitr: \
                  [BR:Stream:ErrStreamLogTaskExist]stream task already exists\n";
    let sandbox = Sandbox::new();
    sandbox.write("console.txt", format!("$ br log start --task-name=other --pd pd:2379 -s s3://b/l\n{exists}"));
    let (_, report) = sandbox.analyze(["console.txt"], "out");
    assert!(
        report.row("incidents")["summary"].starts_with("br log start failed"),
        "{}",
        report.row("incidents")["summary"]
    );
}

/// A search shows records of many processes in one text: its rows, or a container's prefix, say which one wrote each.
#[test]
fn rows_name_their_writer() {
    let stores = [
        ("2022-07-25 22:54:40 (UTC+08:00)\tTiKV 10.0.1.11:20160\t", "tikv", "10.0.1.11:20160"),
        ("| 2022/07/25 22:54:40.000 | tikv | 10.0.1.11:20160 | WARN | ", "tikv", "10.0.1.11:20160"),
        ("[pod/tc-tikv-0/tikv] [2022/07/25 14:54:40.000 +00:00] [WARN] ", "tikv", "tc-tikv-0"),
        ("tc-tikv-0 tikv [2022/07/25 14:54:40.000 +00:00] [WARN] ", "tikv", "tc-tikv-0"),
        ("2022-07-25 22:54:40 (UTC+08:00)\tTiDB 10.0.1.21:4000\t", "tidb", "10.0.1.21:4000"),
    ];
    let mut text = concat!(
        r#"{"@timestamp":"2022-07-25T14:54:41.000Z","log":"[2022/07/25 14:54:40.000 +00:00] [WARN] [retry.rs:17] [\"it failed\"] "#,
        r#"[error=\"[tikv:9005]Region is unavailable\"]","kubernetes":{"pod_name":"tc-tikv-2","container_name":"tikv"}}"#,
        "\n"
    )
    .to_owned();
    for (row, ..) in stores {
        writeln!(text, "{row}[retry.rs:17] [\"it failed\"] [error=\"[tikv:9005]Region is unavailable\"]").unwrap();
    }
    let events = found(&text).rows("events");
    assert_eq!(events.len(), stores.len() + 1);
    for (_, component, instance) in stores.into_iter().chain([("", "tikv", "tc-tikv-2")]) {
        let has = |row: &&Row| (&*row["component"], &*row["instance"]) == (component, instance);
        assert!(events.iter().any(|row| has(&row)), "{component} {instance}");
    }

    let stream = |pod: &str| {
        format!(
            r#"{{"stream":{{"pod":"{pod}"}},"values":[["1","[2022/07/25 14:54:40.000 +00:00] [WARN] [retry.rs:17] [\"it failed\"] [error=\"[tikv:9005]Region is unavailable\"]"]]}}"#
        )
    };
    let answer = format!(
        r#"{{"status":"success","data":{{"resultType":"streams","result":[{},{}]}}}}"#,
        stream("tc-tikv-0"),
        stream("tc-tidb-1")
    );
    let writers: Vec<_> =
        found(&answer).rows("events").iter().map(|row| format!("{} {}", row["component"], row["instance"])).collect();
    assert_eq!(writers, ["tikv tc-tikv-0", "tidb tc-tidb-1"]);

    // Who died is who started again; that another one starts is no restart.
    let row = |second, instance| format!("2022-07-25 22:{second} (UTC+08:00)\tTiKV {instance}\t");
    let welcome = "[main.rs:41] [\"Welcome to TiKV\"]";
    let died = format!(
        "{}[lib.rs:497] [\"index out of bounds\"] [backtrace=\"x\"] [location=src/a.rs:5] [thread_name=raftstore-1-0]\n\
         {}{welcome}\n{}{welcome}\n",
        row("54:40", "10.0.1.11:20160"),
        row("54:46", "10.0.1.12:20160"),
        row("55:46", "10.0.1.11:20160"),
    );
    let incident = found(&died).row("incidents");
    assert_eq!((&*incident["kind"], &*incident["status"]), ("store-restarted", "recovered"));
    assert!(incident["summary"].starts_with("The store at 10.0.1.11:20160 restarted at"), "{}", incident["summary"]);
    assert!(incident["evidence"].ends_with(":3"), "{}", incident["evidence"]);
}

#[test]
fn an_exception_below_a_record_of_java_belongs_to_it() {
    let text = "\
        22/07/25 14:54:44 ERROR DAGIterator: it could not be read\n\
        com.pingcap.tikv.exception.GrpcException: retry is exhausted.\n\
        \tat com.pingcap.tikv.A.b(A.java:7)\n\
        Caused by: com.pingcap.tikv.exception.RegionException: Region Exception occurred EpochNotMatch current epoch of region 94812 is 7\n\
        2022-07-25 14:54:45,120 [put-3] WARN  org.tikv.common.operation.RegionErrorHandler - NotLeader Error with region id 94816 and \
        store id 1, new store id 4\n\
        2022-07-25 14:54:46,120 WARN  org.tikv.common.region.AbstractRegionStoreClient  [] - no followers of region[94820] available, retry\n";
    let report = found(text);
    let events = report.rows("events");
    let told: Vec<[&str; 4]> =
        events.iter().map(|row| ["time", "rule", "region_id", "stores"].map(|column| &*row[column])).collect();
    assert_eq!(
        told,
        [
            ["2022-07-25T14:54:44.000Z", "jcl-gave-up", "94812", ""],
            ["2022-07-25T14:54:45.120Z", "jcl-not-leader", "94816", "1;4"],
            ["2022-07-25T14:54:46.120Z", "jcl-no-followers", "94820", ""],
        ]
    );
    assert!(report.rows("incidents").is_empty(), "what is tried again is no failure of a command");
}

/// `kubectl get -o yaml` folds what a job of TiDB Operator saw of its `br` at a blank, also within its header.
#[test]
fn a_record_in_a_folded_status_is_whole() {
    let status = "cluster db/full-1, wait pipe message failed, errMsg [2025/03/14 06:35:06.127 +00:00] [ERROR] [backup.go:49] \
                  [\\\"failed to backup\\\"] [error=\\\"error happen in store 4 at 10.0.1.12:20160: failed to put object: gave up: \
                  [BR:KV:ErrKVStorage]tikv storage occur I/O error\\\"], err: exit status 1";
    for (at, _) in status.match_indices(' ').filter(|(at, _)| *at > 55) {
        let (one, other) = (&status[..at], &status[at + 1..]);
        let text = format!(
            "  conditions:\n  - lastTransitionTime: \"2025-03-14T06:35:07Z\"\n    message: \"{one}\n      {other}\"\n    reason: \
             BackupDataToRemoteFailed\n    status: \"True\"\n    type: Failed\n"
        );
        let report = found(&text);
        let event = report.row("events");
        let told = ["time", "level", "store_id", "error_code"].map(|column| &*event[column]);
        assert_eq!(told, ["2025-03-14T06:35:06.127Z", "ERROR", "4", "BR:KV:ErrKVStorage"], "{text}");
        assert!(event["message"].contains("failed to put object: gave up"), "{text}: {event:?}");
        assert_told(&text, ["backup-failed", "storage-access", "fix-and-retry"], "(store 4)");
    }
}
