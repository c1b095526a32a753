//! Commands, options, exit statuses, and what is said where they are wrong.

use crate::harness::{Run, Sandbox, rows};

const LINE: &str = "[2022/07/25 14:54:44.467 +00:00] [WARN] [endpoint.rs:209] [\"fatal error reporting\"] \
    [err=\"Txn(\\\"x\\\")\"] [selected=\"[\\\"task1\\\"]\"] [selector=\"ByName(\\\"task1\\\")\"]";

/// A rule of a user's own.
const RULE: &str = r#"
[[rule]]
id = "mine-frobnicated"
component = "tikv"
group = "raft"
kind = "signal"
severity = "critical"
levels = ["WARN"]
message = "the frobnicator is stuck"
meaning = "It is stuck."
remedy = "Free it."
examples = ['''[2022/07/25 14:54:43.962 +00:00] [WARN] [a.rs:1] ["the frobnicator is stuck"] [region_id=7]''']
"#;

fn run(args: &[&str]) -> Run {
    Sandbox::new().run(args)
}

#[test]
fn fail_on_sets_the_exit_status_where_an_open_incident_is_that_bad() {
    let sandbox = Sandbox::with_testdata(&["merge-failed-task", "resume-in-time"]);
    let status = |folder: &str, options: &[&str]| sandbox.run([&["analyze", "-q", folder], options].concat()).status;
    assert_eq!(status("merge-failed-task", &[]), 0);
    assert_eq!(status("merge-failed-task", &["--fail-on", "critical"]), 1);
    assert_eq!(status("merge-failed-task", &["--fail-on", "warning"]), 1);
    assert_eq!(status("resume-in-time", &["--fail-on", "info"]), 0, "what has recovered does not count");
    assert_eq!(status("merge-failed-task", &["--fail-on", "bad"]), 2);
}

#[test]
fn some_input_that_cannot_be_read_makes_the_exit_status_3() {
    let sandbox = Sandbox::with_testdata(&["merge-failed-task"]);
    let (run, report) = sandbox.analyze(["merge-failed-task", "gone.log", "--fail-on", "critical"], "out");
    run.with_status(3).complaining_of(&["gone.log: No such file"]);
    assert_eq!(report.row_where("sources", "file", "gone.log")["status"], "failed");
    assert!(report.text("report.md").contains("gone.log"));
    let run = sandbox.run(["scan", "merge-failed-task", "gone.log"]).with_status(3).complaining_of(&["gone.log"]);
    assert!(rows(&run.stdout).len() > 100);
}

#[test]
fn wrong_usage_is_said_on_standard_error_with_exit_status_2() {
    for (args, said) in [
        (&["analyze"][..], "PATH"),
        (&["frobnicate"], "frobnicate"),
        (&["analyze", "gone.log"], "gone.log: No such file"),
        (&["analyze", "*.nothing"], "*.nothing: nothing matches"),
        (&["analyze", ".", "--since", "yesterday"], "--since yesterday"),
        (&["analyze", ".", "--until", "2022-13-01"], "--until 2022-13-01"),
        (&["analyze", ".", "--now", "-2h"], "--now takes a moment"),
        (&["analyze", ".", "--tz", "Mars"], "--tz Mars"),
        (&["analyze", ".", "--threads", "0"], "--threads"),
        (&["analyze", ".", "--gc-ttl", "long"], "--gc-ttl long"),
        (&["analyze", ".", "--store", "10.0.1.11:20160=one"], "--store"),
        (&["analyze", ".", "--rules", "gone.toml"], "gone.toml"),
        (&["scan", "--split", "tikv.log"], "--split tikv.log"),
        (&["scan", "--split", "tikv.log:9-1"], "--split tikv.log:9-1"),
        (&["scan", ".", "--context", "gone.json"], "--context gone.json"),
        (&["report", "gone.jsonl"], "gone.jsonl"),
        (&["implicated", "gone.jsonl"], "gone.jsonl"),
        (&["timeline", ".", "--key", "xyz"], "--key xyz"),
        (&["timeline", ".", "--level", "LOUD"], "--level LOUD"),
        (&["completions", "nosuch"], "nosuch"),
        (&["explain", "frobnicator"], "frobnicator"),
        (&["rules", "show", "lb-fatal-eror"], "`lb-fatal-error`"),
    ] {
        let run = run(args).with_status(2).complaining_of(&[said]);
        assert_eq!(run.stdout, "", "{args:?}");
    }
}

#[test]
fn rows_that_are_none_are_refused_with_their_line() {
    let sandbox = Sandbox::new();
    sandbox.write("rows.jsonl", "\n{\"row\":\"event\"}\n");
    sandbox.run(["report", "rows.jsonl"]).with_status(2).complaining_of(&["rows.jsonl", "line 2"]);
    sandbox.write("ids.json", "{\"regions\":[\"x\"]}");
    sandbox.write("a.log", "");
    sandbox.run(["scan", "a.log", "--context", "ids.json"]).with_status(2).complaining_of(&["ids.json"]);
}

#[test]
fn rules_are_listed_shown_and_explained() {
    let list = run(&["rules", "list"]).with_status(0).silently().stdout;
    assert!(list.lines().count() > 282 && list.lines().any(|line| line.starts_with("lb-fatal-error ")), "{list}");
    let page = run(&["rules", "show", "lb-fatal-error"]).with_status(0).stdout;
    for part in ["What it means", "What to do", "br log resume", "Example"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for (what, said) in [
        ("KV:LogBackup:RaftReq", "raftstore refused a snapshot"),
        ("kv:logbackup:raftreq", "raftstore refused a snapshot"),
        ("BR:Backup:ErrBackupGCSafepointExceeded", "GC safe point"),
        ("lb-fatal-error", "gave up on the log backup task"),
        ("schema:1146", "no such table"),
        ("[kv:8004]", "br-transaction-too-large"),
        ("domain:8027", "tidb-schema-out-of-date"),
        ("CDC:ErrGCTTLExceeded", "cdc-gc-ttl-exceeded"),
        ("434834088949972992", "2022-07-25T14:46:50.118Z"),
        ("434834088949972991", "434834088949972992"),
        ("999999999999999999", "no end"),
        ("7", "id"),
        (LINE, "task1"),
    ] {
        let page = run(&["explain", what]).with_status(0).silently().stdout;
        assert!(page.contains(said), "{what}: {page}");
    }
}

#[test]
fn a_rule_of_ones_own_adds_to_the_catalogue_or_replaces_an_entry() {
    let sandbox = Sandbox::new();
    sandbox.write("mine.toml", RULE);
    sandbox.write(
        "a.log",
        "[2022/07/25 14:54:43.962 +00:00] [WARN] [a.rs:1] [\"the frobnicator is stuck\"] [region_id=7]\n",
    );
    sandbox.run(["rules", "check", "mine.toml"]).with_status(0);
    let (_, without) = sandbox.analyze(["a.log"], "out");
    assert_eq!((without.rows("events").len(), without.rows("unmatched").len()), (0, 1));
    let (_, with) = sandbox.analyze(["a.log", "--rules", "mine.toml"], "out");
    let event = with.row("events");
    assert_eq!((&*event["rule"], &*event["severity"], &*event["region_id"]), ("mine-frobnicated", "critical", "7"));
    assert_eq!(with.rows("unmatched").len(), 0);

    sandbox.write("loud.toml", RULE.replace("mine-frobnicated", "lb-fatal-error"));
    let page = sandbox.run(["rules", "show", "lb-fatal-error", "--rules", "loud.toml"]).with_status(0).stdout;
    assert!(page.contains("It is stuck."), "{page}");
}

#[test]
fn a_bad_rule_is_named_with_file_line_column_and_reason() {
    let sandbox = Sandbox::new();
    for (from, to, said) in [
        ("severity = \"critical\"", "severity = \"awful\"", &["bad.toml:7:12", "mine-frobnicated", "awful"][..]),
        ("group = \"raft\"", "grup = \"raft\"", &["bad.toml:5:1", "mine-frobnicated", "grup"]),
        ("id = \"mine-frobnicated\"\n", "", &["bad.toml:2", "id"]),
        ("message = \"the frobnicator is stuck\"\n", "", &["bad.toml", "mine-frobnicated", "message"]),
        ("[[rule]]", "[[rule", &["bad.toml:2:"]),
        ("remedy", "refines = \"nosuch\"\nremedy", &["bad.toml", "mine-frobnicated", "nosuch"]),
        (
            "remedy",
            "extract = [{ kind = \"text\", key = \"$line\", regex = \"(\" }]\nremedy",
            &["bad.toml", "mine-frobnicated"],
        ),
    ] {
        assert!(RULE.contains(from), "{from}");
        sandbox.write("bad.toml", RULE.replacen(from, to, 1));
        sandbox.run(["rules", "check", "bad.toml"]).with_status(2).complaining_of(said);
        sandbox.run(["analyze", ".", "--rules", "bad.toml"]).with_status(2).complaining_of(said);
    }
    // What its examples show is no reason to refuse it for a run, but `check` says so.
    sandbox.write("bad.toml", RULE.replace("is stuck\"] [region_id=7]", "is free\"]"));
    let run = sandbox.run(["rules", "check", "bad.toml"]).with_status(2);
    for said in ["bad.toml", "mine-frobnicated", "example 1"] {
        assert!(run.stdout.contains(said), "{}", run.stdout);
    }
}

#[test]
fn shells_and_readers_get_what_they_need() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).with_status(0).stdout;
        assert!(script.contains("tidescope") && script.contains("timeline"), "{shell}");
    }
    assert!(run(&["man"]).with_status(0).stdout.contains(".TH tidescope 1"));
    assert!(run(&["--version"]).with_status(0).stdout.starts_with("tidescope "));
    let help = run(&["--help"]).with_status(0).stdout;
    assert!(help.contains("analyze") && help.contains("Examples:"), "{help}");
}

#[test]
fn since_and_until_take_every_form_of_a_moment() {
    let sandbox = Sandbox::new();
    let line = |second: u32| {
        format!(
            "[2022/07/25 14:54:{second:02}.000 +00:00] [WARN] [errors.rs:155] [\"backup stream meet error\"] [err=\"x\"]\n"
        )
    };
    sandbox.write("a.log", (10..20).map(line).collect::<String>());
    let seconds = |options: &[&str]| -> Vec<String> {
        let run = sandbox.run([&["scan", "a.log"], options].concat()).with_status(0);
        rows(&run.stdout).iter().map(|row| row["time"][17..19].to_owned()).collect()
    };
    assert_eq!(seconds(&[]).len(), 10);
    for moment in
        ["2022-07-25T14:54:18Z", "2022-07-25 14:54:18", "2022-07-25T22:54:18+08:00", "434834206359552000", "-1s"]
    {
        assert_eq!(seconds(&["--since", moment]), ["18", "19"], "{moment}");
    }
    assert_eq!(seconds(&["--since", "2022-07-25 22:54:18", "--tz", "+08:00"]), ["18", "19"]);
    assert_eq!(seconds(&["--since", "2022-07-25 14:54", "--until", "2022-07-25 14:54:10"]), ["10"]);
    assert_eq!(seconds(&["--until", "-9s"]), ["10"]);
    assert_eq!(seconds(&["--since", "-10s", "--now", "2022-07-25T14:54:21Z", "--until", "-9s"]), ["11", "12"]);
    assert!(seconds(&["--since", "2022-07-26"]).is_empty());
}

#[test]
fn scan_writes_to_a_file_or_to_standard_output() {
    let sandbox = Sandbox::with_testdata(&["merge-survived"]);
    let printed = sandbox.run(["scan", "merge-survived"]).with_status(0).silently().stdout;
    sandbox.run(["scan", "merge-survived", "-o", "events.csv"]).with_status(0).silently();
    assert_eq!(sandbox.read("events.csv"), printed);
    sandbox
        .run(["scan", "merge-survived", "-o", "gone/events.csv"])
        .with_status(2)
        .complaining_of(&["gone/events.csv"]);
    assert_eq!(sandbox.names(), ["events.csv", "merge-survived"]);
    let rows = sandbox.run(["scan", "merge-survived", "--format", "jsonl"]).with_status(0).stdout;
    for line in rows.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(["event", "source", "unmatched"].contains(&row["row"].as_str().unwrap()), "{line}");
    }
}

#[test]
fn context_is_given_for_implicated_regions_only() {
    let sandbox = Sandbox::with_testdata(&["merge-failed-task"]);
    let regions = |context: &str| -> Vec<String> {
        let run = sandbox.run(["scan", "merge-failed-task", "--context", context]).with_status(0);
        let merges = rows(&run.stdout).into_iter().filter(|row| row["group"] == "region-merge");
        let mut regions: Vec<_> = merges.map(|row| row["regions"].clone()).collect();
        regions.sort();
        regions.dedup();
        regions
    };
    assert!(regions("none").is_empty(), "merges are context");
    assert!(regions("auto").iter().all(|ids| ids.contains("94812") || ids.contains("94816")), "{:?}", regions("auto"));
    sandbox.write("ids.json", "{\"regions\":[94816]}");
    assert!(regions("ids.json").iter().all(|ids| ids.contains("94816")));
    assert!(!regions("ids.json").is_empty());
}

#[test]
fn a_report_that_is_in_the_way_is_replaced_and_anything_else_is_left_alone() {
    let sandbox = Sandbox::with_testdata(&["merge-survived", "merge-failed-task"]);
    sandbox.analyze(["merge-failed-task"], "out");
    let (_, report) = sandbox.analyze(["merge-survived"], "out");
    assert_eq!(report.rows("incidents").len(), 0);
    sandbox.write("mine/notes.txt", "keep me");
    sandbox.run(["analyze", "merge-survived", "-o", "mine"]).with_status(2).complaining_of(&["mine", "notes.txt"]);
    assert_eq!(sandbox.read("mine/notes.txt"), "keep me");
    assert_eq!(sandbox.names(), ["merge-failed-task", "merge-survived", "mine", "out"]);
}

#[test]
fn records_of_several_programs_in_one_paste_keep_their_own() {
    let sandbox = Sandbox::new();
    let paste = r#"[2022/07/25 14:54:41.123 +00:00] [WARN] [peer.rs:3403] ["leader missing longer than abnormal_leader_missing_duration"] [expect=600s] [peer_id=71] [region_id=70]
[2022/07/25 14:54:42.123 +00:00] [WARN] [peer.rs:3403] ["leader missing longer than abnormal_leader_missing_duration"] [expect=600s] [peer_id=73] [region_id=72]
tidb:
[2022/07/25 14:54:43.123 +00:00] [WARN] [backoff.go:152] ["regionMiss backoffer.maxSleep 40000ms is exceeded, errors:\nmessage:\"region 74 not found\" region_not_found:<region_id:74 >"]
pd:
[2022/07/25 14:54:44.123 +00:00] [INFO] [grpc_service.go:787] ["update service GC safe point"] [service-id=br] [expire-at=1658847284] [safepoint=434834088949972992]
br:
Error: the global checkpoint ts: 434834088949972992(2022-07-25 14:46:50 +0000 UTC) has been gc. : GC safepoint 434834288949972992 exceed TS 434834088949972992: [BR:Backup:ErrBackupGCSafepointExceeded]backup GC safepoint exceeded
"#;
    let components = |report: &crate::harness::Report| -> Vec<String> {
        let mut rows = report.rows("events");
        rows.sort_by_key(|row| row["line"].parse::<u64>().unwrap());
        rows.iter().map(|row| row["component"].clone()).collect()
    };
    sandbox.write("paste.txt", paste);
    let (_, report) = sandbox.analyze(["paste.txt"], "out");
    assert_eq!(components(&report), ["tikv", "tikv", "", "pd", "br"]);
    // What the kernel says stands before it.
    let killed = "[948.100] Out of memory: Kill process 94 (tidb-server) score 985 or sacrifice child\n[948.101] Killed process 94 (tidb-server) total-vm:948kB, anon-rss:948kB, file-rss:0kB\n";
    let old = "2022/07/25 14:54:42.500 kv.rs:784: [ERROR] send raft msg to raft store fail: Transport(Discard(\"Failed to send Raft Message due to full\"))\n";
    sandbox.write("kernel.txt", format!("{killed}{old}"));
    let (_, report) = sandbox.analyze(["kernel.txt"], "third");
    assert_eq!(components(&report), ["os", "os", "tikv"]);
    // The same around a paste of TiDB.
    let advancer = "[2022/07/25 14:54:45.123 +00:00] [WARN] [advancer.go:400] [\"[log backup advancer] option tick failed.\"] [error=x]\n";
    sandbox.write("tidb.txt", format!("{}{paste}", advancer.repeat(9)));
    let (_, report) = sandbox.analyze(["tidb.txt"], "other");
    assert_eq!(components(&report)[9..], ["tikv", "tikv", "tidb", "pd", "br"]);
}

#[test]
fn rows_of_the_cluster_s_log_printed_upright_are_records() {
    let sandbox = Sandbox::new();
    let row = |level: &str, text: &str| {
        format!(
            "    TIME: 2022/07/25 14:54:44.467\n    TYPE: tikv\nINSTANCE: 10.0.1.11:20160\n   LEVEL: {level}\n MESSAGE: {text}\n"
        )
    };
    let star = "***************************";
    let first = r#"[peer.rs:3403] ["leader missing longer than abnormal_leader_missing_duration"] [expect=600s] [peer_id=71] [region_id=70]"#;
    // A message of two lines, and one that quotes a record.
    let second = "[lib.rs:480] [\"[region 94812] 94815 applying snapshot failed\"] [backtrace=\"   0: a\n   1: b\"] [location=a.rs:7] [thread_name=raftstore-5-1]";
    let third = r#"[advancer.go:400] ["[log backup advancer] option tick failed."] [error="[2022/07/25 14:54:40.000 +00:00] [ERROR] [a.rs:1] [x]"]"#;
    let paste = format!(
        "mysql> SELECT * FROM cluster_log\\G\n{star} 1. row {star}\n{}{star} 2. row {star}\n{}{star} 3. row {star}\n{}3 rows in set (0.21 sec)\n",
        row("WARN", first),
        row("CRITICAL", second),
        row("WARN", third)
    );
    sandbox.write("paste.txt", &paste);
    sandbox.write("quoted.txt", paste.replace('\n', "\n> "));
    for file in ["paste.txt", "quoted.txt"] {
        let (_, report) = sandbox.analyze([file], "out");
        let said: Vec<_> = report
            .rows("events")
            .iter()
            .map(|row| ["line", "time", "level", "region_id"].map(|name| row[name].clone()))
            .collect();
        let at = "2022-07-25T14:54:44.467Z";
        assert_eq!(said, [["3", at, "WARN", "70"], ["9", at, "FATAL", "94812"], ["16", at, "WARN", ""]], "{file}");
    }
}

#[test]
fn a_statement_that_failed_in_an_old_tidb_is_one_record() {
    let sandbox = Sandbox::new();
    let paste = "2018/07/25 14:54:44.467 conn.go:490: [warning] con:948 dispatch error:\nid:948, addr:10.0.1.7:948 status:1, \
                 collation:utf8_general_ci, user:shop\n\"SELECT a FROM b WHERE c = 948\"\n[tikv:9006]GC life time is shorter than \
                 transaction duration, transaction starts at 2018-07-25 14:33:28.052 +0000 UTC, GC safe point is 2018-07-25 14:40:43.852 \
                 +0000 UTC\ngithub.com/pingcap/errors.AddStack\n\t/go/errors.go:174\n";
    sandbox.write("tidb.log", paste);
    let (_, report) = sandbox.analyze(["tidb.log"], "out");
    let said: Vec<_> =
        report.rows("events").iter().map(|row| ["line", "level", "rule"].map(|name| row[name].clone())).collect();
    assert_eq!(said, [["1", "WARN", "text-gc-too-early"]]);
}

#[test]
fn an_error_stands_alone_between_prose_and_what_kubectl_adds() {
    let sandbox = Sandbox::new();
    let paste = "We ran it twice. It ended with `Error: no such bucket: shop`\nand inside the pod:\n\n\
                 Error: no such folder: shop\ncommand terminated with exit code 1\n";
    sandbox.write("paste.txt", paste);
    let (_, report) = sandbox.analyze(["paste.txt"], "out");
    let rows = report.rows("events");
    let said: Vec<(&str, &str)> = rows.iter().map(|row| (&*row["line"], &*row["message"])).collect();
    assert_eq!(said, [("1", "no such bucket: shop"), ("4", "no such folder: shop")]);

    // Prose right below, and what a terminal broke.
    let long = "a ".repeat(48);
    let paste =
        format!("Error: no such folder: shop\nThen we ran it a second time\nError: {long}\nShop is not there\n");
    sandbox.write("paste.txt", paste);
    let (_, report) = sandbox.analyze(["paste.txt"], "out");
    let rows = report.rows("events");
    assert_eq!(rows[0]["message"], "no such folder: shop");
    assert!(rows[1]["message"].contains("Shop is not there"), "{}", rows[1]["message"]);
}
