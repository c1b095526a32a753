//! The same logs in every container, compression and layout: the same events, from files named as the contract says.
//!
//! The containers are made by the tools that people use; the layouts as the programs that print them do. `scripts/test` installs the tools.

use crate::harness::{Row, Sandbox};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

/// The incident that is packed: its folder in the sandbox, and in `testdata`.
const LOGS: &str = "merge-failed-task";

/// What a case may change in an event besides the name of its file.
#[derive(Clone, Copy, PartialEq)]
enum Same {
    /// Nothing: the bytes are the same once they are unpacked.
    All,
    /// A line stays a line, but stands elsewhere.
    Lines,
    /// Records stand on other lines.
    Records,
}

/// One way to hand the logs over.
struct Case {
    name: &'static str,
    /// Makes it, in the sandbox.
    make: fn(&Sandbox),
    /// What the program is given.
    path: &'static str,
    /// What the file is called that was `LOGS/NAME`; empty where it does not matter.
    file: fn(&str) -> String,
    same: Same,
}

/// Runs commands of a shell in the sandbox.
#[track_caller]
fn sh(sandbox: &Sandbox, script: &str) {
    let output = Command::new("bash").args(["-ec", script]).current_dir(sandbox.path("")).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Every file of the incident, by its name below `LOGS`.
fn files() -> Vec<(String, String)> {
    let sandbox = Sandbox::with_testdata(&[LOGS]);
    let mut found = Vec::new();
    let mut folders = vec![sandbox.path(LOGS)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(sandbox.path(LOGS)).unwrap().to_str().unwrap().to_owned();
                found.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Writes every log to `out/` under the name that `name` gives it, each line (number from 0) as `line` has it. A status screen is none that
/// a container's log would hold: it is copied.
fn rewrite(sandbox: &Sandbox, name: impl Fn(&str) -> String, line: impl Fn(&str, usize, &str) -> String) {
    for (file, text) in files() {
        let out = if file.ends_with(".txt") {
            text
        } else {
            text.lines().enumerate().map(|(number, text)| line(&file, number, text)).collect()
        };
        sandbox.write(format!("out/{}", name(&file)), out);
    }
}

/// `10.0.1.11/tikv-20160/tikv.log` as a pod: `tc-tikv-11`.
fn pod(file: &str) -> String {
    let parts: Vec<&str> = file.split('/').collect();
    match parts[..] {
        [host, place, _] => {
            let component = place.split('-').next().unwrap();
            format!("tc-{component}-{}", host.rsplit('.').next().unwrap())
        }
        _ => "tc-br-0".to_owned(),
    }
}

/// The same as a file; a status screen stays what it is.
fn pod_file(file: &str) -> String {
    if file.ends_with(".txt") { file.to_owned() } else { format!("{}.log", pod(file)) }
}

/// The same where tiup puts it: `10.0.1.11/tidb-deploy/tikv-20160/log/tikv.log`.
fn tiup(file: &str) -> String {
    let deployed = file.replacen('/', "/tidb-deploy/", 1);
    match deployed.rsplit_once('/') {
        Some((folder, name)) if folder.contains('/') => format!("{folder}/log/{name}"),
        _ => deployed,
    }
}

fn container(file: &str) -> &str {
    file.rsplit('/').next().unwrap().split('.').next().unwrap()
}

fn same_name(file: &str) -> String {
    format!("out/{file}")
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// The time of a record as a container's runtime would have it.
fn stamp(line: &str) -> String {
    let time: String = line.chars().skip(1).take(23).collect();
    format!("{}456789Z", time.replace('/', "-").replace(' ', "T"))
}

/// The same in nanoseconds since 1970.
fn nanoseconds(line: &str) -> String {
    let time: jiff::Timestamp = stamp(line).parse().unwrap();
    time.as_nanosecond().to_string()
}

/// `text` as a page shows it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[rustfmt::skip]
const CONTAINERS: &[Case] = &[
    Case { name: "gzip of each file", make: |s| sh(s, "find merge-failed-task -type f -exec gzip {} +"),
        path: LOGS, file: |f| format!("{LOGS}/{f}.gz"), same: Same::All },
    Case { name: "gzip of several members", make: |s| sh(s, "for f in $(find merge-failed-task -type f); do (head -c 700 $f | gzip -c; tail -c +701 $f | gzip -9c) > x; mv x $f; done"),
        path: LOGS, file: |f| format!("{LOGS}/{f}"), same: Same::All },
    Case { name: "zstd", make: |s| sh(s, "find merge-failed-task -type f -exec zstd -q --rm {} +"),
        path: LOGS, file: |f| format!("{LOGS}/{f}.zst"), same: Same::All },
    Case { name: "zstd with a long window, of several frames", make: |s| sh(s, "for f in $(find merge-failed-task -type f); do (head -c 900 $f | zstd -qc --long=27; tail -c +901 $f | zstd -qc --ultra -22 --long=27) > x; mv x $f; done"),
        path: LOGS, file: |f| format!("{LOGS}/{f}"), same: Same::All },
    Case { name: "xz", make: |s| sh(s, "find merge-failed-task -type f -exec xz {} +"),
        path: LOGS, file: |f| format!("{LOGS}/{f}.xz"), same: Same::All },
    Case { name: "bzip2", make: |s| sh(s, "find merge-failed-task -type f -exec bzip2 {} +"),
        path: LOGS, file: |f| format!("{LOGS}/{f}.bz2"), same: Same::All },
    Case { name: "lz4", make: |s| sh(s, "find merge-failed-task -type f -exec lz4 -qm --rm {} +"),
        path: LOGS, file: |f| format!("{LOGS}/{f}.lz4"), same: Same::All },
    Case { name: "three layers under a wrong name", make: |s| sh(s, "for f in $(find merge-failed-task -type f); do gzip -c $f | xz -c | zstd -qc > x; mv x $f; done"),
        path: LOGS, file: |f| format!("{LOGS}/{f}"), same: Same::All },
    Case { name: "tar", make: |s| sh(s, "tar -cf x.tar merge-failed-task"),
        path: "x.tar", file: |f| format!("x.tar!/{LOGS}/{f}"), same: Same::All },
    Case { name: "tar of pax", make: |s| sh(s, "tar --format=pax -cf x.tar merge-failed-task"),
        path: "x.tar", file: |f| format!("x.tar!/{LOGS}/{f}"), same: Same::All },
    Case { name: "tar of sparse files", make: |s| sh(s, "for f in $(find merge-failed-task -name '*.log'); do truncate -s 1M $f; done; tar -Scf x.tar merge-failed-task; test $(stat -c %s x.tar) -lt 400000"),
        path: "x.tar", file: |f| format!("x.tar!/{LOGS}/{f}"), same: Same::All },
    Case { name: "tar.gz", make: |s| sh(s, "tar -czf x.tar.gz merge-failed-task"),
        path: "x.tar.gz", file: |f| format!("x.tar.gz!/{LOGS}/{f}"), same: Same::All },
    Case { name: "tar.zst", make: |s| sh(s, "tar --zstd -cf x.tzst merge-failed-task"),
        path: "x.tzst", file: |f| format!("x.tzst!/{LOGS}/{f}"), same: Same::All },
    Case { name: "tar.xz", make: |s| sh(s, "tar -cJf backup merge-failed-task"),
        path: "backup", file: |f| format!("backup!/{LOGS}/{f}"), same: Same::All },
    Case { name: "tar.bz2", make: |s| sh(s, "tar -cjf x.log merge-failed-task"),
        path: "x.log", file: |f| format!("x.log!/{LOGS}/{f}"), same: Same::All },
    Case { name: "zip", make: |s| sh(s, "zip -qr x.zip merge-failed-task"),
        path: "x.zip", file: |f| format!("x.zip!/{LOGS}/{f}"), same: Same::All },
    Case { name: "zip64, stored, through a pipe", make: |s| sh(s, "zip -qr0 -fz - merge-failed-task | cat > x.zip"),
        path: "x.zip", file: |f| format!("x.zip!/{LOGS}/{f}"), same: Same::All },
    Case { name: "compressed files in a zip in a tar.gz in a tar", make: |s| sh(s, "gzip -r merge-failed-task; zip -qr x.zip merge-failed-task; tar -czf y.tgz x.zip; tar -cf z.tar y.tgz"),
        path: "z.tar", file: |f| format!("z.tar!/y.tgz!/x.zip!/{LOGS}/{f}.gz"), same: Same::All },
];

#[rustfmt::skip]
const LAYOUTS: &[Case] = &[
    Case { name: "folders of tiup", make: |s| rewrite(s, tiup, |_, _, l| format!("{l}\n")),
        path: "out", file: |f| same_name(&tiup(f)), same: Same::All },
    Case { name: "a bundle of diag", make: |s| {
            rewrite(s, |f| format!("diag-prod-fX1/{}", f.replacen('/', "/tidb-deploy/", 1)), |_, _, l| format!("{l}\n"));
            s.write("out/diag-prod-fX1/meta.yaml", DIAG_META);
            s.write("out/diag-prod-fX1/cluster.json", DIAG_CLUSTER);
            s.write("out/diag-prod-fX1/10.0.1.11/insight.json", "{\"sysinfo\":{\"os\":{\"name\":\"Linux\"}}}\n");
            sh(s, "tar -C out -czf diag-prod-fX1.tar.gz diag-prod-fX1");
        },
        path: "diag-prod-fX1.tar.gz", file: |f| format!("diag-prod-fX1.tar.gz!/diag-prod-fX1/{}", f.replacen('/', "/tidb-deploy/", 1)), same: Same::All },
    Case { name: "kubectl logs > POD.log", make: |s| rewrite(s, pod_file, |_, _, l| format!("{l}\n")),
        path: "out", file: |f| same_name(&pod_file(f)), same: Same::Lines },
    Case { name: "kubectl logs --timestamps", make: |s| rewrite(s, str::to_owned, |_, _, l| format!("{} {l}\n", stamp(l))),
        path: "out", file: same_name, same: Same::Lines },
    Case { name: "kubectl logs --prefix", make: |s| rewrite(s, str::to_owned, |f, _, l| format!("[pod/{}/{}] {l}\n", pod(f), container(f))),
        path: "out", file: same_name, same: Same::Lines },
    Case { name: "stern", make: |s| rewrite(s, str::to_owned, |f, _, l| format!("{} {} {l}\n", pod(f), container(f))),
        path: "out", file: same_name, same: Same::Lines },
    Case { name: "journalctl -o short-iso", make: |s| rewrite(s, str::to_owned, |f, _, l| format!("{}+0000 host-{} {}-server[4711]: {l}\n", &stamp(l)[..19], f.len(), container(f))),
        path: "out", file: same_name, same: Same::Lines },
    Case { name: "journalctl -o json", make: |s| rewrite(s, str::to_owned, |_, n, l| format!("{{\"__CURSOR\":\"s=1;i={n}\",\"__REALTIME_TIMESTAMP\":\"{}\",\"_PID\":\"4711\",\"_HOSTNAME\":\"node\",\"PRIORITY\":\"6\",\"MESSAGE\":{}}}\n", &nanoseconds(l)[..16], json(l))),
        path: "out", file: same_name, same: Same::Lines },
    Case { name: "files of CRI", make: |s| rewrite(s, str::to_owned, |_, _, l| format!("{} stderr F {l}\n", stamp(l))),
        path: "out", file: same_name, same: Same::Lines },
    Case { name: "files of CRI, long lines cut", make: |s| rewrite(s, str::to_owned, |_, _, l| {
            let mut out = String::new();
            let mut rest = l;
            while rest.len() > 160 {
                let (head, tail) = rest.split_at(160);
                let _ = writeln!(out, "{} stderr P {head}", stamp(l));
                rest = tail;
            }
            out + &format!("{} stderr F {rest}\n", stamp(l))
        }),
        path: "out", file: same_name, same: Same::Records },
    Case { name: "files of Docker", make: |s| rewrite(s, str::to_owned, |_, _, l| format!("{{\"log\":{},\"stream\":\"stderr\",\"time\":\"{}\"}}\n", json(&format!("{l}\n")), stamp(l))),
        path: "out", file: same_name, same: Same::Lines },
    Case { name: "logcli -o jsonl", make: |s| rewrite(s, str::to_owned, |f, _, l| format!("{{\"labels\":{{\"pod\":\"{}\"}},\"line\":{},\"timestamp\":\"{}\"}}\n", pod(f), json(l), stamp(l))),
        path: "out", file: same_name, same: Same::Lines },
    Case { name: "Grafana's download of Loki", make: |s| rewrite_whole(s, |f, lines| {
            let items: Vec<String> = lines.iter().map(|l| format!("  {{\n    \"line\": {},\n    \"timestamp\": \"{}\",\n    \"date\": \"{}\",\n    \"fields\": {{\n      \"pod\": \"{}\"\n    }}\n  }}", json(l), nanoseconds(l), stamp(l), pod(f))).collect();
            format!("[\n{}\n]\n", items.join(",\n"))
        }),
        path: "out", file: same_name, same: Same::Records },
    Case { name: "Loki's own answer", make: |s| rewrite_whole(s, |f, lines| {
            let values: Vec<String> = lines.iter().map(|l| format!("[\"{}\",{}]", nanoseconds(l), json(l))).collect();
            format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"streams\",\"result\":[{{\"stream\":{{\"pod\":\"{}\"}},\"values\":[{}]}}]}}}}\n", pod(f), values.join(","))
        }),
        path: "out", file: same_name, same: Same::Lines },
    Case { name: "aws logs filter-log-events", make: |s| rewrite_whole(s, |f, lines| {
            let items: Vec<String> = lines.iter().map(|l| format!("        {{\n            \"logStreamName\": \"{}\",\n            \"timestamp\": {},\n            \"message\": {},\n            \"ingestionTime\": {},\n            \"eventId\": \"3697\"\n        }}", pod(f), &nanoseconds(l)[..13], json(l), &nanoseconds(l)[..13])).collect();
            format!("{{\n    \"events\": [\n{}\n    ],\n    \"searchedLogStreams\": []\n}}\n", items.join(",\n"))
        }),
        path: "out", file: same_name, same: Same::Records },
    Case { name: "CloudWatch, delivered", make: |s| rewrite_whole(s, |f, lines| {
            let items: Vec<String> = lines.iter().map(|l| format!("{{\"id\":\"1\",\"timestamp\":{},\"message\":{}}}", &nanoseconds(l)[..13], json(l))).collect();
            format!("{{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"1\",\"logGroup\":\"tidb\",\"logStream\":\"{}\",\"logEvents\":[{}]}}\n", pod(f), items.join(","))
        }),
        path: "out", file: same_name, same: Same::Lines },
    Case { name: "fenced", make: |s| rewrite_whole(s, |_, lines| format!("Here is the log:\n```log\n{}\n```\nWhat now?\n", lines.join("\n"))),
        path: "out", file: same_name, same: Same::Records },
    Case { name: "quoted", make: |s| rewrite(s, str::to_owned, |_, _, l| format!("> {l}\n")),
        path: "out", file: same_name, same: Same::Lines },
    Case { name: "escaped for HTML", make: |s| rewrite_whole(s, |_, lines| format!("<pre><code>{}</code></pre>\n", escaped(&lines.join("\n")))),
        path: "out", file: same_name, same: Same::Lines },
    Case { name: "wrapped by a terminal", make: |s| { rewrite(s, str::to_owned, |_, _, l| format!("{l}\n")); sh(s, "for f in $(find out -name '*.log'); do fold -w 160 $f > x; mv x $f; done"); },
        path: "out", file: same_name, same: Same::Records },
];

const DIAG_META: &str = "clsid: fX1\nbegin_time: \"2022-07-25T13:00:00Z\"\nend_time: \"2022-07-26T03:00:00Z\"\n";
const DIAG_CLUSTER: &str = "{\"cluster_name\":\"prod\",\"cluster_id\":\"7124381900214731553\",\"cluster_type\":\"tidb-cluster\",\"tidb_version\":\"v6.5.0\",\"session\":\"fX1\"}\n";

/// The same where a file is one text.
fn rewrite_whole(sandbox: &Sandbox, whole: impl Fn(&str, &[&str]) -> String) {
    for (file, text) in files() {
        let lines: Vec<&str> = text.lines().collect();
        let out = if file.ends_with(".txt") { text.clone() } else { whole(&file, &lines) };
        sandbox.write(format!("out/{file}"), out);
    }
}

/// The events without what a case may change; each with its file and the place in it.
fn events(rows: Vec<Row>, same: Same, file: impl Fn(&str) -> String) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for mut row in rows {
        let name = file(&row["file"]);
        row.insert("file".to_owned(), name);
        // How an instance is called depends on what names the layout has left.
        for column in ["instance", "component", "incident"].iter().filter(|_| same != Same::All) {
            row.remove(*column);
        }
        if same != Same::All {
            row.remove("offset");
        }
        if same == Same::Records {
            row.remove("line");
        }
        *all.entry(format!("{row:?}")).or_default() += 1;
    }
    all
}

/// The events of one that the other has not.
fn missing(of: &BTreeMap<String, u64>, from: &BTreeMap<String, u64>) -> Vec<String> {
    of.iter()
        .filter(|(event, count)| from.get(*event).is_none_or(|other| other < count))
        .map(|(event, _)| event.clone())
        .collect()
}

fn compare(cases: &[Case]) {
    let sandbox = Sandbox::with_testdata(&[LOGS]);
    let (run, expected) = sandbox.analyze([LOGS], "report");
    run.with_status(0);
    let mut wrong = Vec::new();
    for case in cases {
        let sandbox = Sandbox::with_testdata(&[LOGS]);
        (case.make)(&sandbox);
        let (run, report) = sandbox.analyze([case.path], "report");
        run.with_status(0);
        let plain = |name: &str| name.strip_prefix(LOGS).and_then(|name| name.strip_prefix('/')).unwrap().to_owned();
        let wanted = events(expected.rows("events"), case.same, |name| (case.file)(&plain(name)));
        let found = events(report.rows("events"), case.same, str::to_owned);
        let (lost, new) = (missing(&wanted, &found), missing(&found, &wanted));
        if !lost.is_empty() || !new.is_empty() {
            wrong.push(format!(
                "{}: {} of {} events are lost, {} are new: {:#?} {:#?}",
                case.name,
                lost.len(),
                wanted.len(),
                new.len(),
                &lost[..lost.len().min(2)],
                &new[..new.len().min(2)]
            ));
        }
        let names: BTreeSet<String> = report
            .rows("sources")
            .iter()
            .filter(|row| row["status"] == "read")
            .map(|row| row["file"].clone())
            .collect();
        for (name, _) in files() {
            let name = (case.file)(&name);
            if !names.contains(&name) {
                wrong.push(format!("{}: {name} is not among {names:?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn logs_packed_in_every_way_give_the_same_events() {
    compare(CONTAINERS);
}

#[test]
fn logs_in_every_layout_give_the_same_events() {
    compare(LAYOUTS);
}

/// A search over all instances puts their records in one text: each row names who wrote it, and the story is the same.
#[test]
fn a_log_search_tells_the_story_that_the_logs_tell() {
    let sandbox = Sandbox::with_testdata(&[LOGS]);
    let mut rows = Vec::new();
    for (file, text) in files() {
        let Some((host, place)) = file.rsplit_once('/').and_then(|(folder, _)| folder.split_once('/')) else {
            continue;
        };
        let Some((component, port)) = place.split_once('-') else { continue };
        for line in text.lines().filter(|line| line.starts_with("[20")) {
            let (time, (level, message)) = (&line[1..24], line[34..].split_once("] ").unwrap());
            rows.push(format!("| {time} | {component} | {host}:{port} | {level} | {message} |\n"));
        }
    }
    rows.sort();
    sandbox.write("search.txt", rows.concat());
    let whole = sandbox.analyze([LOGS], "whole").1.row("incidents");
    let search = sandbox.analyze(["search.txt"], "search").1.row("incidents");
    for column in ["kind", "status", "task", "start", "cause", "regions", "stores", "verdict", "commands"] {
        assert_eq!(search[column], whole[column], "{column}");
    }
    // The same records are the store's own.
    let told = |path: &str| -> BTreeSet<String> {
        let run = sandbox.run(["timeline", path, "--store", "1", "-v"]).with_status(0);
        let lines = run.stdout.lines().filter(|line| !line.contains("/br/"));
        lines.map(|line| line.rsplit_once("  (").unwrap().0.to_owned()).collect()
    };
    assert_eq!(told("search.txt"), told(LOGS));
}
