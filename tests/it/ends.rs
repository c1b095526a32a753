//! How processes end, and who it was: their last records, what the system and tools say of them.

use crate::pastes::found;

/// Kind, cause, a part of the summary.
#[track_caller]
fn assert_ends(text: &str, kind: &str, cause: &str, says: &str) {
    let incident = found(text).row("incidents");
    assert_eq!((&*incident["kind"], &*incident["cause"], &*incident["severity"]), (kind, cause, "critical"), "{text}");
    assert!(incident["summary"].contains(says), "{text}: {incident:?}");
}

#[test]
fn a_fatal_record_is_the_end_of_a_process_whatever_its_words() {
    for (text, kind, cause, says) in [
        (
            "2018/03/05 08:11:02.512 session.go:1030: [fatal] check of the system tables failed: broken pipe\n",
            "other",
            "network",
            "connection ended",
        ),
        (
            "[2025/03/14 06:35:06.127 +00:00] [FATAL] [domain.go:7] [\"start failed\"] \
             [error=\"tikvRPC backoffer.maxSleep 40000ms is exceeded, errors:\\nx\"]\n",
            "other",
            "unknown",
            "",
        ),
        (
            "[2025/03/14 06:35:06.127 +00:00] [FATAL] [Exception.cpp:7] [\"Code: 0, e.displayText() = \
             DB::TiFlashException: Memory limit exceeded caused by x\"] [thread_id=7]\n",
            "store-down",
            "memory-quota",
            "TiFlash",
        ),
        (
            "panic: The CommitTs must be greater than the resolvedTs\n\ngoroutine 7 [running]:\nmain.main()\n",
            "other",
            "bug",
            "",
        ),
    ] {
        assert_ends(text, kind, cause, says);
    }
    // What ended a program that its stack does not name, or a container, may have ended a server.
    assert_ends(
        "fatal error: concurrent map writes\n\ngoroutine 7 [running]:\nmain.main()\n",
        "other",
        "bug",
        "A Go program",
    );
    assert_ends(
        "    Last State:     Terminated\n      Reason:       OOMKilled\n",
        "other",
        "out-of-memory",
        "A container",
    );
    // The same words at another level end nothing, before it either.
    let at = |level| {
        format!("[2025/03/14 06:35:06.127 +00:00] [{level}] [domain.go:7] [\"it failed\"] [error=\"broken pipe\"]\n")
    };
    assert_eq!(found(&at("ERROR")).rows("incidents"), []);
    assert_ends(&(at("ERROR") + &at("FATAL")), "other", "network", "connection ended");
}

#[test]
fn the_system_names_who_crashed() {
    for (text, says) in [
        (
            "Mar 14 06:35:06 kv-1 kernel: apply-0[4242]: segfault at 8 ip 000055d0c0ffee00 sp 00007ffd00001000 error 5 in \
             tikv-server[55d0c0000000+3000000]\n",
            "It was tikv-server",
        ),
        (
            "[1203456.717450] traps: grpc-server-1[4242] trap invalid opcode ip:55d0c0ffee00 sp:7ffd00001000 error:0 in \
             tikv-server[55d0c0000000+3000000]\n",
            "It was tikv-server",
        ),
        ("tiflash quit: signal: aborted (core dumped)\n", "It was tiflash"),
    ] {
        let incident = found(text).row("incidents");
        assert_eq!(incident["kind"], "store-down", "{text}");
        assert!(incident["summary"].contains(says), "{text}: {incident:?}");
    }
    let reaped = "[1203456.717450] oom_reaper: reaped process 4242 (tikv-server), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB\n";
    assert_ends(reaped, "store-down", "out-of-memory", "It was tikv-server");
    // A library is no process.
    let library = "[1203456.717450] worker[7]: segfault at 8 ip 000055d0c0ffee00 sp 00007ffd00001000 error 4 in \
                   libc-2.28.so[55d0c0000000+20000]\n";
    let incident = found(library).row("incidents");
    assert!(incident["kind"] == "other" && !incident["summary"].contains("It was"), "{incident:?}");
    assert_eq!(found("tidb quit: exit status 1\ntikv quit\n").row("events")["rule"], "tiup-playground-ended");
}

/// What the system says within a paste of TiKV's log is the system's: it tells that the store was started again.
#[test]
fn records_of_the_system_beside_a_log_are_its_own() {
    let report = found(
        "Mar 14 06:35:06 kv-1 systemd: tikv-20160.service: main process exited, code=killed, status=6/ABRT\n\
         Mar 14 06:35:21 kv-1 systemd: Started tikv-20160 service.\n\
         [2025/03/14 06:35:06.127 +00:00] [WARN] [raft_client.rs:7] [\"RPC batch_raft fail\"] [err=x] [to_addr=10.0.1.12:20160]\n",
    );
    let incident = report.row("incidents");
    assert_eq!((&*incident["kind"], &*incident["status"]), ("store-restarted", "recovered"), "{incident:?}");
    let events = report.rows("events");
    let of_os = events.iter().filter(|event| event["component"] == "os").count();
    assert_eq!((of_os, events.len()), (2, 3));
    let ended = found("db_tikv-0_1 exited with code 137\ndb_tikv-0_1 exited with code 0\nweb_1 exited with code 1\n");
    assert_eq!((&*ended.row("events")["rule"], &*ended.row("sources")["records"]), ("docker-container-ended", "1"));
    // A store's number is no region, though its record speaks of regions.
    let refilled = found(
        "[2025/03/14 06:35:06.127 +00:00] [INFO] [region_request.go:7] [\"mark store's regions need be refill\"] [id=7] [addr=x]\n",
    );
    assert_eq!(refilled.row("events")["regions"], "");
}

/// A CI server puts its time before each line; what a process wrote over more lines is one record there as well.
#[test]
fn a_panic_behind_stamps_is_one() {
    let panic = "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 \
                 addr=0x8 pc=0x1a2b3c4]\n\ngoroutine 77 [running]:\ngithub.com/tikv/pd/server.(*Handler).Get(0xc000123400)\n\
                 \t/src/pd/server/handler.go:77 +0x1c\n";
    for gap in ["\n", "\n\n"] {
        let stamped: String = panic.lines().map(|line| format!("[2025-03-14T06:35:06.127Z] {line}{gap}")).collect();
        let report = found(&stamped);
        let event = report.row("events");
        assert_eq!((&*event["component"], &*event["time"]), ("pd", "2025-03-14T06:35:06.127Z"));
        assert_eq!((&*report.row("incidents")["cause"], &*report.row("sources")["records"]), ("bug", "1"));
    }
    let own = "[2025-03-14T06:35:06.127Z] ERROR: it failed\n";
    assert_eq!(found(own).row("sources")["records"], "1");
}

/// What a tool put on the terminal beside a log does not say whose log it is.
#[test]
fn a_log_behind_a_console_is_not_the_consoles() {
    let report = found(
        "Error: failed to start: 10.0.1.21:4000 failed to start: timed out waiting for port 4000 to be started after 2m0s\n\
         Error: run `/home/tidb/.tiup/components/cluster/v1.9.0/tiup-cluster` (wd:/x) failed: exit status 1\n\
         [2025/03/14 06:35:06.127 +00:00] [FATAL] [main.go:77] [\"the quota is too large\"] \
         [stack=\"main.main\\n\\t/src/tidb/tidb-server/main.go:77\"]\n",
    );
    let event = report.rows("events").into_iter().find(|event| event["rule"] == "fatal-record").unwrap();
    assert_eq!((&*event["component"], &*report.row("sources")["component"]), ("tidb", "tidb"));
    let rocksdb =
        "[2025/03/14 06:35:06.127 +00:00][2][ERROR] [blob_iter.h:77] it failed for blob file 77: Corruption:\n";
    assert_ne!(found(rocksdb).row("sources")["component"], "tiflash");
    // Nor does what a tool says of processes make it the system's.
    let played = "tidb quit: exit status 1\n[2025/03/14 06:35:06.127 +00:00] [WARN] [retry.go:7] [\"it failed\"] [error=\"broken pipe\"]\n";
    let components = |text: &str| -> Vec<_> {
        found(text).rows("events").into_iter().map(|event| event["component"].clone()).collect()
    };
    assert_eq!(components(played), ["", "os"]);
    // What `cdc` says beside a log of TiDB is said by `cdc`.
    let refused = "[2025/03/14 06:35:06.127 +00:00] [ERROR] [gc_worker.go:77] [\"[gc worker] the moon is full\"]\n\
                   Error: [CDC:ErrStartTsBeforeGC]start-ts 77 is too early\n";
    assert_eq!(components(refused).last().unwrap(), "cdc");
    // What the cluster's keeper says of a container it killed is the store's, whose log stands beside it.
    let killed = "[2025/03/14 06:35:06.127 +00:00] [ERROR] [server.rs:77] [\"the moon is full\"] [err_code=KV:Unknown]\n\
                  \x20   Last State:     Terminated\n      Reason:       OOMKilled\n";
    assert_eq!(components(killed).last().unwrap(), "tikv");
}

#[test]
fn an_index_that_does_not_agree_is_told_whoever_quotes_it() {
    let found_it = "data inconsistency in table: t, index: i, handle: 7, index-values:\"handle: 7, values: [KindInt64 8]\" != record-values:\"\"";
    for text in [
        format!("Error 8223 (HY000): {found_it}\n"),
        format!(
            "[2025/03/14 06:35:06.127 +00:00] [ERROR] [util.go:12] [\"check failed\"] [error=\"Error 8223: {}\"]\n",
            found_it.replace('"', "\\\"")
        ),
    ] {
        assert_ends(&text, "data-corrupted", "data-corruption", "an index that does not agree");
    }
}
