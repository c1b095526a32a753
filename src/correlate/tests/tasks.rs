//! Failures, pauses and checkpoints that stand.

use super::*;

#[test]
fn a_failure_that_was_resumed_has_recovered() {
    let mut cluster = failed();
    resumed(&mut cluster, "2022-07-25T16:00:00Z");
    cluster.log("tidb/tidb.log", "2022-07-25T16:10:10Z", uploading(Tso::from_time(at("2022-07-25T16:09:50Z")).0));
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!(
        (incident.kind, incident.status, incident.severity),
        (IncidentKind::TaskFailed, IncidentStatus::Recovered, Severity::Notice)
    );
    assert_eq!((incident.end, incident.verdict), (Some(at("2022-07-25T16:00:00Z")), Verdict::None));
    assert_eq!((found.tasks[0].status, found.tasks[0].resume_deadline), (TaskStatus::Normal, None));
}

#[test]
fn a_pause_by_hand_is_open_until_it_is_resumed() {
    let pause = || {
        let mut cluster = cluster();
        service(&mut cluster, "2022-07-25T15:00:00Z", "task1_pause_safepoint", CHECKPOINT - 1, "2022-07-26T15:00:00Z");
        paused(&mut cluster, "2022-07-25T15:00:00.100Z");
        cluster.log("br/br.log", "2022-07-25T15:00:00.200Z", command("log pause", TASK));
        cluster
    };
    let found = pause().correlate().findings;
    let incident = only(&found);
    assert_eq!(
        (incident.kind, incident.cause, incident.verdict),
        (IncidentKind::TaskPaused, Cause::Operator, Verdict::Resume)
    );
    assert_eq!(
        (found.tasks[0].status, found.tasks[0].resume_deadline),
        (TaskStatus::Paused, Some(at("2022-07-26T15:00:00Z")))
    );
    let mut cluster = pause();
    resumed(&mut cluster, "2022-07-25T16:00:00Z");
    assert_eq!(cluster.correlate().findings.incidents, []);
}

#[test]
fn the_lag_limit_pauses_too() {
    let mut cluster = cluster();
    let lag = record("adv-lag-too-large", "log-backup", Severity::Critical, Component::Tidb);
    cluster.log("tidb/tidb.log", "2022-07-27T15:00:00Z", lag.says("checkpoint lag is too large"));
    paused(&mut cluster, "2022-07-27T15:00:00.100Z");
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!((incident.kind, incident.cause), (IncidentKind::TaskPaused, Cause::LagCheck));
    assert_eq!(found.tasks[0].status, TaskStatus::Paused);
}

#[test]
fn a_pause_guard_tells_of_a_failure_whose_log_is_missing() {
    let mut cluster = cluster();
    service(&mut cluster, "2022-07-25T14:54:44.520Z", "task1-1-pause-guard", CHECKPOINT - 1, "2022-07-26T14:54:44Z");
    paused(&mut cluster, "2022-07-25T14:54:44.600Z");
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!(
        (incident.kind, incident.cause, incident.certainty),
        (IncidentKind::TaskFailed, Cause::Unknown, Certainty::Inferred)
    );
    assert_eq!(incident.stores, [StoreId(1)]);
}

#[test]
fn storage_that_refuses_fails_the_task() {
    let mut cluster = cluster();
    let said = "I/O Error: failed to put object rusoto error <Code>AccessDenied</Code>";
    for minute in 20..52 {
        let flush = tikv("lb-flush-task-failed", "log-backup", Severity::Error).says(said);
        cluster.log(&log_of(4), &format!("2022-07-25T15:{minute}:00Z"), flush);
    }
    let fatal = tikv("lb-fatal-io", "log-backup", Severity::Critical).code("KV:LogBackup:Io").says(said);
    cluster.log(&log_of(4), "2022-07-25T15:51:01Z", fatal);
    paused(&mut cluster, "2022-07-25T15:51:01.100Z");
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!(
        (incident.kind, incident.cause, incident.stores.as_slice()),
        (IncidentKind::TaskFailed, Cause::StorageAccess, &[StoreId(4)][..])
    );
    assert!(incident.chain.iter().any(|step| &*step.rule == "lb-flush-task-failed" && step.count == 32));
}

#[test]
fn a_checkpoint_that_stands_though_the_task_runs() {
    let mut cluster = cluster();
    cluster.log("status.txt", "", screen("NORMAL", 63_538_000));
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!(
        (incident.kind, incident.cause, incident.verdict),
        (IncidentKind::CheckpointStalled, Cause::Unknown, Verdict::Investigate)
    );
    assert_eq!(incident.severity, Severity::Warning);
}

#[test]
fn a_store_that_did_not_take_the_task_up_stands_for_a_checkpoint_that_will_stand() {
    let refused = |err: &str| {
        tikv("lb-task-register-failed", "log-backup", Severity::Error)
            .task("task1")
            .says(&format!("backup stream meet error: {err} [context=failed to register backup stream task task1]"))
    };
    let mut cluster = Cluster::default();
    cluster.log(&log_of(5), "2022-07-25T14:00:00Z", refused("I/O Error: Permission denied (os error 13)"));
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!(
        (incident.kind, incident.cause, incident.verdict),
        (IncidentKind::CheckpointStalled, Cause::Configuration, Verdict::FixAndRetry)
    );
    assert_eq!(incident.task.as_deref(), Some("task1"));
    // It was loaded later, after a resume.
    let loaded = tikv("lb-task-register-done", "log-backup", Severity::Info).task("task1");
    cluster.log(&log_of(5), "2022-07-25T14:10:00Z", loaded);
    assert!(cluster.correlate().findings.incidents.is_empty());
    // What the task as a whole needs counts more: it was paused by hand.
    cluster.log("br/br.log", "2022-07-25T14:20:00Z", command("log pause", TASK)).log(
        &log_of(5),
        "2022-07-25T14:30:00Z",
        refused("I/O Error: Permission denied (os error 13)"),
    );
    let found = cluster.correlate().findings;
    let verdicts: Vec<_> = found.incidents.iter().map(|incident| incident.verdict).collect();
    assert_eq!((found.tasks[0].verdict, verdicts), (Verdict::Resume, vec![Verdict::Resume; 2]));
}

#[test]
fn a_lock_holds_the_checkpoint() {
    let mut cluster = cluster();
    for minute in 50..59 {
        let lock =
            tikv("lb-nontrivial-checkpoint-txn", "log-backup", Severity::Warning).region(3121).ts("lock", CHECKPOINT);
        cluster.log(&log_of(5), &format!("2022-07-25T14:{minute}:00Z"), lock).log(
            "tidb/tidb.log",
            &format!("2022-07-25T14:{minute}:10Z"),
            uploading(CHECKPOINT),
        );
    }
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!((incident.kind, incident.cause), (IncidentKind::CheckpointStalled, Cause::LockUnresolved));
    assert_eq!((incident.regions.as_slice(), incident.stores.as_slice()), (&[RegionId(3121)][..], &[StoreId(5)][..]));
}

#[test]
fn a_task_makes_way_for_the_next() {
    let mut cluster = failed();
    cluster.log("br/br.log", "2022-07-26T08:00:00Z", command("log start", "task2"));
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!((incident.status, incident.end), (IncidentStatus::Recovered, Some(at("2022-07-26T08:00:00Z"))));
    assert!(incident.summary.contains("Another task was started at 2022-07-26 08:00:00Z"), "{}", incident.summary);
    let status: Vec<_> = found.tasks.iter().map(|task| (task.name.as_str(), task.status)).collect();
    assert_eq!(status, [("task1", TaskStatus::Stopped), ("task2", TaskStatus::Normal)]);
}

#[test]
fn the_slowest_region_shows_a_checkpoint_that_stands() {
    let hint = |rule: &str, seen: &str| {
        let mut cluster = Cluster::default();
        let record = record(rule, "log-backup", Severity::Warning, Component::Tidb);
        let record = record.region(1008).fact(FactKind::Text, "checkpoint-time", "2022-05-14T11:00:00Z");
        cluster.log("tidb.log", seen, record);
        cluster.correlate().findings
    };
    let found = hint("adv-last-region-no-leader", "2022-05-14T11:30:00Z");
    let incident = only(&found);
    assert_eq!((incident.kind, incident.verdict), (IncidentKind::CheckpointStalled, Verdict::Investigate));
    assert!(incident.summary.contains("a region without a leader (region 1008)"), "{}", incident.summary);
    assert_eq!(hint("adv-last-region-hint", "2022-05-14T11:29:59Z").incidents, []);
}

/// `br log status` of a task that failed, without the text of its error.
fn failed_screen() -> Record {
    record("br-status-error", "log-backup", Severity::Critical, Component::Br)
        .task("task1")
        .store(1)
        .fact(FactKind::Status, "", "ERROR")
        .fact(FactKind::Text, "checkpoint-time", "2022-07-25T14:46:50.118Z")
        .fact(FactKind::Text, "error-time", "2022-07-25T14:54:44.467Z")
        .code("KV:LogBackup:RaftReq")
}

#[test]
fn an_error_without_the_rest_of_its_screen_is_the_task_s() {
    let mut cluster = Cluster::default();
    let rest = "a task; error-message[store=4]: read index not ready, reason can not read index due to merge";
    let fragment =
        record("lb-text-snapshot-refused", "log-backup", Severity::Warning, Component::Br).says(rest).store(4);
    cluster.log("status.txt", "2022-07-25T14:54:44.467Z", failed_screen()).log("status.txt", "", fragment);
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!((incident.kind, incident.cause), (IncidentKind::TaskFailed, Cause::RegionMerge));
    assert_eq!(found.tasks[0].error_store.map(|store| store.0), Some(1), "the whole screen counts first");
}

#[test]
fn text_beside_a_screen_may_say_why() {
    let mut cluster = Cluster::default();
    let why =
        record("lb-text-snapshot-refused", "log-backup", Severity::Warning, Component::Tikv).store(1).region(94812);
    let why = why.says("snapshot: read index not ready, reason can not read index due to merge");
    cluster.log("page.txt", "2022-07-25T14:54:44.467Z", failed_screen()).log("page.txt", "", why);
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!((incident.cause, incident.regions.len()), (Cause::RegionMerge, 1));
}
