//! Regions that merge while initial snapshots are taken: the first incident of the page.

use super::*;

#[test]
fn a_merge_that_outlasts_the_retries_fails_the_task() {
    let mut cluster = failed();
    cluster.log("br/status.txt", "2022-07-25T14:54:44.467Z", screen("ERROR", 41_489_000));
    let correlation = cluster.correlate();
    let found = &correlation.findings;
    let incident = only(found);
    assert_eq!(
        (incident.kind, incident.cause, incident.certainty),
        (IncidentKind::TaskFailed, Cause::RegionMerge, Certainty::Observed)
    );
    assert_eq!((incident.status, incident.severity), (IncidentStatus::Open, Severity::Critical));
    assert_eq!((incident.task.as_deref(), incident.stores.as_slice()), (Some(TASK), &[StoreId(1)][..]));
    assert_eq!(incident.regions, [RegionId(94812), RegionId(94816)]);
    assert_eq!(incident.start, Some(at("2022-07-25T14:54:44.467Z")));
    assert_eq!(incident.commands, ["br log resume --task-name=task1 --pd 10.0.1.1:2379"]);
    assert!(incident.summary.contains("The merge ended at 2022-07-25 14:54:55Z"), "{}", incident.summary);
    assert!(incident.summary.contains("after 20 refusals"), "{}", incident.summary);
    let task = &found.tasks[0];
    assert_eq!((task.status, task.verdict), (TaskStatus::Error, Verdict::Resume));
    assert_eq!((task.checkpoint, task.observed_at), (Some(Tso(CHECKPOINT)), Some(at("2022-07-26T02:18:19.118Z"))));
    assert_eq!(task.resume_deadline, Some(at("2022-07-26T14:54:44Z")));
    assert_eq!((task.deadline_basis, task.held_by.as_deref()), (Some(DeadlineBasis::Pd), Some("task1-1-pause-guard")));
    assert_eq!((task.error_store, task.error_region), (Some(StoreId(1)), Some(RegionId(94812))));
    assert_eq!(task.error_code.as_deref(), Some("KV:LogBackup:RaftReq"));
    assert_eq!(found.now, Some(at("2022-07-26T02:18:19.118Z")));
}

#[test]
fn the_chain_runs_from_the_merge_to_the_screen() {
    let mut cluster = failed();
    cluster.log("br/status.txt", "2022-07-25T14:54:44.467Z", screen("ERROR", 41_489_000));
    let correlation = cluster.correlate();
    let incident = only(&correlation.findings);
    let rules: Vec<&str> = incident.chain.iter().map(|step| &*step.rule).collect();
    assert_eq!(
        rules,
        [
            "adv-uploading-checkpoint",
            "merge-prepare-exec",
            "lb-read-index-not-ready-merge",
            "lb-fatal-raftreq-merge",
            "pd-service-safepoint",
            "lb-watch-pause-event",
            "merge-commit",
            "br-status-state-error",
        ]
        .into_iter()
        .filter(|rule| rules.contains(rule))
        .collect::<Vec<_>>()
    );
    let fold = |rule: &str| incident.chain.iter().find(|step| &*step.rule == rule).unwrap();
    assert_eq!((fold("lb-read-index-not-ready-merge").count, fold("merge-prepare-exec").count), (20, 3));
    assert_eq!(fold("merge-prepare-exec").stores, STORES.map(StoreId));
    assert_eq!(fold("lb-read-index-not-ready-merge").place.to_string(), format!("{}:4", log_of(1)));
    // The events say the same as the incident.
    let named = cluster.events().iter().filter(|event| !correlation.derived(event).incidents.is_empty()).count();
    assert_eq!(named as u64, incident.events);
}

#[test]
fn a_merge_that_the_retries_survive_is_nothing() {
    let mut cluster = cluster();
    merging(&mut cluster);
    cluster.log("tidb/tidb.log", "2022-07-25T14:57:10Z", uploading(Tso::from_time(at("2022-07-25T14:56:50Z")).0));
    let found = cluster.correlate().findings;
    assert_eq!(found.incidents, []);
    assert_eq!((found.tasks[0].status, found.tasks[0].verdict), (TaskStatus::Normal, Verdict::None));
    assert_eq!((found.tasks[0].resume_deadline, found.tasks[0].commands.len()), (None, 0));
}

#[test]
fn a_status_screen_alone_is_enough() {
    let mut cluster = Cluster::default();
    cluster.log("status.txt", "2022-07-25T14:54:44.467Z", screen("ERROR", 41_489_000));
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!(
        (incident.kind, incident.cause, incident.verdict),
        (IncidentKind::TaskFailed, Cause::RegionMerge, Verdict::Resume)
    );
    assert_eq!(incident.commands, ["br log resume --task-name=task1 --pd '<PD_ADDR>'"]);
    let task = &found.tasks[0];
    assert_eq!((task.checkpoint, task.checkpoint_time), (None, Some(at("2022-07-25T14:46:50.118Z"))));
    assert_eq!(task.resume_deadline, Some(at("2022-07-26T14:54:44.467Z")));
    assert_eq!(task.deadline_basis, Some(DeadlineBasis::Estimate));
}

#[test]
fn the_verdict_follows_now_and_gc() {
    let verdict = |now: &str, gc_at: Option<u64>| {
        let mut cluster = failed();
        if let Some(point) = gc_at {
            gc(&mut cluster, "2022-07-26T15:10:00Z", point);
        }
        cluster.options().now = Some(at(now));
        let found = cluster.correlate().findings;
        assert_eq!(only(&found).verdict, found.tasks[0].verdict);
        (found.tasks[0].verdict, found.tasks[0].exceeded_by_s)
    };
    assert_eq!(verdict("2022-07-26T14:54:44Z", None), (Verdict::Resume, None));
    assert_eq!(verdict("2022-07-26T14:54:45Z", None), (Verdict::ResumeOrRecreate, None));
    assert_eq!(verdict("2022-07-26T15:20:00Z", Some(CHECKPOINT - 1)), (Verdict::ResumeOrRecreate, Some(0)));
    assert_eq!(verdict("2022-07-26T15:20:00Z", Some(CHECKPOINT)), (Verdict::RecreateTask, Some(0)));
    assert_eq!(verdict("2022-07-26T15:20:00Z", Some(434_856_945_254_400_000)).0, Verdict::RecreateTask);
}

#[test]
fn a_log_of_pd_that_ends_before_the_failure_tells_no_deadline() {
    let mut cluster = cluster();
    merging(&mut cluster);
    cluster.log(&log_of(1), "2022-07-25T14:54:44.467Z", fatal(94812));
    paused(&mut cluster, "2022-07-25T14:54:44.600Z");
    let found = cluster.correlate().findings;
    assert_eq!(found.tasks[0].resume_deadline, Some(at("2022-07-26T14:54:44.467Z")));
    assert_eq!(found.tasks[0].deadline_basis, Some(DeadlineBasis::Estimate));
    assert!(found.caveats.iter().any(|caveat| caveat.contains("an estimate")), "{:?}", found.caveats);
}

#[test]
fn one_region_can_fail_a_task_twice() {
    let mut cluster = failed();
    resumed(&mut cluster, "2022-07-25T16:00:00Z");
    cluster.log(&log_of(4), "2022-07-25T17:00:00Z", prepare(94812, 94816)).log(
        &log_of(4),
        "2022-07-25T17:00:30Z",
        fatal(94812),
    );
    paused(&mut cluster, "2022-07-25T17:00:30.100Z");
    let found = cluster.correlate().findings;
    let seen: Vec<_> = found.incidents.iter().map(|one| (one.status, one.stores.clone(), one.start)).collect();
    assert_eq!(
        seen,
        [
            (IncidentStatus::Open, vec![StoreId(4)], Some(at("2022-07-25T17:00:30Z"))),
            (IncidentStatus::Recovered, vec![StoreId(1)], Some(at("2022-07-25T14:54:44.467Z"))),
        ]
    );
    assert_ne!(found.incidents[0].id, found.incidents[1].id);
    assert!(found.incidents[0].summary.contains("No record says that the merge has ended"));
}
