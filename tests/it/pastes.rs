//! What people paste beside their logs: what was typed, what tools and clients print, rows of searches, statuses.

use crate::failures::assert_told;
use crate::harness::{Report, Row, Sandbox};
use std::fmt::Write as _;

/// What is found in a text that somebody copied.
pub(crate) fn found(text: &str) -> Report {
    let sandbox = Sandbox::new();
    sandbox.write("console.txt", text);
    sandbox.analyze(["console.txt"], "out").1
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
