//! What a copied text says has failed: which job, why, and what to do.

use crate::pastes::found;

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
            "Error: it does not fit: [BR:Common:ErrInvalidArgument]invalid argument\n2025-03-14 14:35:06\t\n\
             [2025/03/14 06:35:06.127 +00:00] [ERROR] [main.go:43] [\"br failed\"] [error=\"it does not fit: [BR:Common:ErrInvalidArgument]invalid argument\"]\n",
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
pub(crate) fn assert_told(text: &str, [kind, cause, verdict]: [&str; 3], says: &str) {
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
