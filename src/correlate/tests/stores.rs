//! Stores and processes that die.

use super::*;

/// It ended a process; that it was a bug would be a guess.
#[test]
fn a_fatal_record_that_nobody_knows_has_no_cause() {
    let mut cluster = Cluster::default();
    let fatal = tikv("fatal-record", "panic", Severity::Critical).says("cannot go on");
    cluster.log(&log_of(1), "2022-07-25T15:00:00Z", fatal);
    let found = cluster.correlate().findings;
    assert_eq!((only(&found).cause, only(&found).verdict), (Cause::Unknown, Verdict::Investigate));
}

/// Before it kills a process the kernel says only that it looks for one.
#[test]
fn a_kill_is_told_by_the_record_that_names_the_killed() {
    let mut cluster = Cluster::default();
    let os = |rule: &str| record(rule, "memory", Severity::Critical, Component::Os);
    let asks = os("os-oom-invoked").says("tidb-server invoked oom-killer: gfp_mask=0x201da");
    let kills = os("os-oom-killed").says("Killed process 4321 (java), UID 1000, total-vm:33027492kB");
    cluster.log("messages", "2022-07-25T15:00:00Z", asks).log("messages", "2022-07-25T15:00:01Z", kills);
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!(incident.cause, Cause::OutOfMemory);
    assert!(incident.summary.ends_with("killed a process for lack of memory. It was java."), "{}", incident.summary);
}

/// systemd says of a process no more than that it ended; what tells why, and a stop that was asked for, explain that.
#[test]
fn what_systemd_says_of_a_killed_process_is_a_crash() {
    let os = |rule: &str, severity| record(rule, "lifecycle", severity, Component::Os);
    let dies = |unit: &str| {
        os("os-systemd-killed", Severity::Critical).says(&format!("{unit}.service: Main process exited, code=killed"))
    };
    let starts = || {
        os("os-systemd-restart-counter", Severity::Warning)
            .says("tikv-20160.service: Scheduled restart job, restart counter is at 1.")
    };
    let seen = |cluster: &Cluster| {
        let found = cluster.correlate().findings;
        let one = only(&found);
        (one.kind, one.status, one.cause)
    };
    let mut cluster = Cluster::default();
    cluster.log("messages", "", dies("tikv-20160"));
    assert_eq!(seen(&cluster), (IncidentKind::StoreDown, IncidentStatus::Open, Cause::Unknown));
    cluster.log("messages", "", starts());
    assert_eq!(seen(&cluster), (IncidentKind::StoreRestarted, IncidentStatus::Recovered, Cause::Unknown));
    let mut cluster = Cluster::default();
    cluster.log("messages", "", dies("tidb-4000")).log("messages", "", starts());
    assert_eq!(seen(&cluster), (IncidentKind::Other, IncidentStatus::Open, Cause::Unknown));

    let mut cluster = Cluster::default();
    let kernel = record("oom-kill", "memory", Severity::Critical, Component::Os);
    cluster
        .log("messages", "2022-07-25T15:00:00Z", kernel.says("Out of memory: Killed process 4242 (tikv-server)"))
        .log("messages", "2022-07-25T15:00:00Z", dies("tikv-20160"));
    assert_eq!(seen(&cluster), (IncidentKind::StoreDown, IncidentStatus::Open, Cause::OutOfMemory));

    let mut cluster = Cluster::default();
    cluster.log("messages", "2022-07-25T15:00:00Z", os("os-systemd-stopping", Severity::Notice)).log(
        "messages",
        "2022-07-25T15:01:30Z",
        dies("tikv-20160"),
    );
    assert!(cluster.correlate().findings.incidents.is_empty());
}

/// Without its keys it cannot start, and says so twice.
#[test]
fn a_store_without_its_keys_is_down_once() {
    let mut cluster = Cluster::default();
    let keys = tikv("encryption-dictionary-unreadable", "encryption", Severity::Critical);
    let panic = tikv("panic-unwrap", "panic", Severity::Critical);
    cluster.log("tikv.log", "2022-07-25T15:00:00Z", keys).log("tikv.log", "2022-07-25T15:00:05Z", panic);
    let found = cluster.correlate().findings;
    let one = only(&found);
    assert_eq!((one.kind, one.cause, one.verdict), (IncidentKind::StoreDown, Cause::Unknown, Verdict::Investigate));
    assert_eq!(one.events, 2);
}

/// Damaged files, and the panic that they end in.
#[test]
fn a_store_that_dies_of_its_damage_has_failed_once() {
    for damage in ["rdb-block-checksum", "raft-engine-checksum"] {
        let mut cluster = Cluster::default();
        let panic = || record("panic-unwrap", "panic", Severity::Critical, Component::Tikv);
        cluster.log("tikv.log", "2022-07-25T15:00:00Z", tikv(damage, "disk", Severity::Critical)).log(
            "tikv.log",
            "2022-07-25T15:00:03Z",
            panic(),
        );
        let found = cluster.correlate().findings;
        assert_eq!((only(&found).kind, only(&found).events), (IncidentKind::DataCorrupted, 2));
        // Another store's panic is its own.
        let found = cluster.log(&log_of(4), "2022-07-25T15:00:04Z", panic().store(4)).correlate().findings;
        assert_eq!(found.incidents.len(), 2);
    }
}

/// A disk without room, and the panic that it ends in.
#[test]
fn a_store_that_dies_of_its_full_disk_has_failed_once() {
    let mut cluster = Cluster::default();
    let full = tikv("engine-no-space", "disk", Severity::Critical).says("IO error: No space left on device");
    let panic = tikv("panic-snapshot-retries", "panic", Severity::Critical);
    cluster.log("tikv.log", "2022-07-25T15:00:00Z", full).log("tikv.log", "2022-07-25T15:00:20Z", panic.clone());
    let found = cluster.correlate().findings;
    assert_eq!((only(&found).cause, only(&found).events), (Cause::DiskFull, 2));
    // One that comes an hour later is another's fault.
    let found = cluster.log("tikv.log", "2022-07-25T16:00:00Z", panic).correlate().findings;
    assert_eq!(found.incidents.len(), 2);
}

/// What a store logs of its panic and what it puts on the terminal is one death; a minute later it is another.
#[test]
fn a_panic_that_is_told_twice_is_one_death() {
    let panic = |rule: &str| tikv(rule, "panic", Severity::Critical);
    let mut cluster = Cluster::default();
    cluster.log("tikv.log", "2022-07-25T15:00:00Z", panic("tikv-panic")).log(
        "tikv.log",
        "2022-07-25T15:00:00.100Z",
        panic("panic-raft-commit-range"),
    );
    assert_eq!(only(&cluster.correlate().findings).kind, IncidentKind::StoreDown);
    cluster.log("tikv.log", "2022-07-25T15:01:00Z", panic("tikv-panic"));
    assert_eq!(only(&cluster.correlate().findings).kind, IncidentKind::StoreRestarted);
}

#[test]
fn a_store_that_pd_does_not_hear_is_down_unless_its_own_log_says_more() {
    let unheard =
        |store: u64| record("pd-store-state-down", "store-health", Severity::Error, Component::Pd).store(store);
    let mut cluster = Cluster::default();
    cluster.log("screen.txt", "2022-07-25T15:00:00Z", unheard(4));
    let found = cluster.correlate().findings;
    let one = only(&found);
    assert_eq!((one.kind, one.cause, one.verdict), (IncidentKind::StoreDown, Cause::Unknown, Verdict::Investigate));
    assert_eq!(one.stores, [StoreId(4)]);
    let panic = tikv("panic-assertion", "panic", Severity::Critical).store(4);
    let found = cluster.log(&log_of(4), "2022-07-25T15:00:03Z", panic).correlate().findings;
    assert_eq!((only(&found).kind, only(&found).cause), (IncidentKind::StoreDown, Cause::Bug));
}

#[test]
fn a_store_that_no_record_names_restarts_too() {
    let welcome = record("tikv-welcome", "lifecycle", Severity::Notice, Component::Tikv);
    let mut cluster = Cluster::default();
    cluster.log("tikv.log", "2022-07-25T12:00:00Z", tikv("raft-stream-failed", "raft", Severity::Warning)).log(
        "tikv.log",
        "2022-07-25T13:00:00Z",
        welcome,
    );
    let found = cluster.correlate().findings;
    let one = only(&found);
    assert_eq!(
        (one.kind, one.status, one.cause),
        (IncidentKind::StoreRestarted, IncidentStatus::Recovered, Cause::Unknown)
    );
    // What it died of, in the same file, belongs to it.
    let panic = record("panic-assertion", "panic", Severity::Critical, Component::Tikv);
    let found = cluster.log("tikv.log", "2022-07-25T12:59:40Z", panic).correlate().findings;
    let one = only(&found);
    assert_eq!((one.kind, one.cause, one.events), (IncidentKind::StoreRestarted, Cause::Bug, 2));
    assert!(
        one.summary.ends_with("A check inside TiKV failed: a bug, or data that contradict each other."),
        "{}",
        one.summary
    );
}
