//! Whole stories, from records to verdicts: the three incidents of the troubleshooting page, their healthy twins, and around them.

use super::findings::*;
use super::testing::{Cluster, Record, at, record};
use crate::units::{Component, FactKind, Level, RegionId, Severity, StoreId, Tso};

const CHECKPOINT: u64 = 434_834_088_949_972_992;
const TASK: &str = "task1";
const STORES: [u64; 3] = [1, 4, 5];
const REFUSAL: &str = "Error during requesting raftstore: message: \"read index not ready, reason can not read index due to merge, region 94812\"";

fn tikv(rule: &str, group: &str, severity: Severity) -> Record {
    record(rule, group, severity, Component::Tikv)
}

fn pd(rule: &str) -> Record {
    record(rule, "gc", Severity::Notice, Component::Pd)
}

fn log_of(store: u64) -> String {
    format!("10.0.1.{}/tikv-20160/tikv.log", 10 + store)
}

/// The cluster of the page, started and backing up.
fn cluster() -> Cluster {
    let mut cluster = Cluster::default();
    for store in STORES {
        let put = tikv("tikv-put-store", "lifecycle", Severity::Info);
        let address = format!("10.0.1.{}:20160", 10 + store);
        cluster.log(&log_of(store), "2022-07-25T13:40:01Z", put.store(store).fact(FactKind::Addr, "", &address));
    }
    let start = command("log start", TASK).ts("start", 434_833_180_031_188_992);
    let arguments = record("br-arguments", "lifecycle", Severity::Notice, Component::Br);
    cluster
        .log(
            "br/br.log",
            "2022-07-25T13:49:02Z",
            arguments
                .task(TASK)
                .fact(FactKind::Command, "", "log start")
                .fact(FactKind::Addr, "pd", "10.0.1.1:2379")
                .fact(FactKind::Path, "", "s3://backup/log"),
        )
        .log("br/br.log", "2022-07-25T13:49:02.900Z", start);
    checkpoint(&mut cluster, "2022-07-25T14:36:58Z", Tso(CHECKPOINT).time().plus_ms(-600_000));
    cluster.log("tidb/tidb.log", "2022-07-25T14:47:10Z", uploading(CHECKPOINT));
    service(&mut cluster, "2022-07-25T14:46:53Z", "backup-stream-task1-1", CHECKPOINT - 1, "2022-07-25T16:46:53Z");
    cluster
}

fn command(text: &str, task: &str) -> Record {
    record("br-log-command-line", "log-backup", Severity::Notice, Component::Br).says(text).task(task).fact(
        FactKind::Command,
        "",
        text,
    )
}

fn uploading(ts: u64) -> Record {
    record("adv-uploading-checkpoint", "log-backup", Severity::Info, Component::Tidb).task(TASK).ts("checkpoint", ts)
}

fn checkpoint(cluster: &mut Cluster, seen: &str, value: crate::units::Timestamp) {
    cluster.log("tidb/tidb.log", seen, uploading(Tso::from_time(value).0));
}

fn service(cluster: &mut Cluster, time: &str, id: &str, point: u64, expires: &str) {
    let record = pd("pd-service-safepoint").fact(FactKind::Service, "", id).ts("service-safepoint", point).fact(
        FactKind::UnixSeconds,
        "expire-at",
        &(at(expires).0 / 1_000).to_string(),
    );
    cluster.log("pd/pd.log", time, record);
}

fn prepare(region: u64, into: u64) -> Record {
    tikv("merge-prepare-exec", "region-merge", Severity::Notice).region(region).other_region("target", into)
}

fn commit(region: u64, into: u64) -> Record {
    tikv("merge-commit", "region-merge", Severity::Notice).region(into).other_region("source", region)
}

fn refused(region: u64) -> Record {
    tikv("lb-read-index-not-ready-merge", "log-backup", Severity::Warning).region(region).says(REFUSAL)
}

fn merging(cluster: &mut Cluster) {
    for (nth, store) in STORES.into_iter().enumerate() {
        cluster.log(&log_of(store), &format!("2022-07-25T14:54:22.50{nth}Z"), prepare(94812, 94816));
        cluster.log(&log_of(store), &format!("2022-07-25T14:54:55.10{nth}Z"), commit(94812, 94816));
    }
    for second in 24..44 {
        cluster.log(&log_of(1), &format!("2022-07-25T14:54:{second}.000Z"), refused(94812));
    }
}

fn fatal(region: u64) -> Record {
    tikv("lb-fatal-raftreq-merge", "log-backup", Severity::Critical)
        .region(region)
        .code("KV:LogBackup:RaftReq")
        .says(&format!("backup stream meet fatal error: retry time exceeds: {REFUSAL}"))
}

fn paused(cluster: &mut Cluster, time: &str) {
    for store in STORES {
        let watch = tikv("lb-watch-pause-event", "log-backup", Severity::Notice);
        cluster.log(
            &log_of(store),
            time,
            watch.task(TASK).says("backup stream watch pause from etcd [event=PauseTask]"),
        );
    }
    let event = record("adv-task-event", "log-backup", Severity::Notice, Component::Tidb);
    cluster.log("tidb/tidb.log", time, event.task(TASK).says("meet task event [event=Pause(task1)]"));
}

fn resumed(cluster: &mut Cluster, time: &str) {
    for store in STORES {
        let watch = tikv("lb-watch-pause-event", "log-backup", Severity::Notice);
        cluster.log(
            &log_of(store),
            time,
            watch.task(TASK).says("backup stream watch pause from etcd [event=ResumeTask]"),
        );
    }
    cluster.log("br/br.log", time, command("log resume", TASK));
}

/// The first incident of the page.
fn failed() -> Cluster {
    let mut cluster = cluster();
    merging(&mut cluster);
    let selected = tikv("lb-fatal-error-reporting", "log-backup", Severity::Critical).task(TASK).region(94812);
    cluster.log(&log_of(1), "2022-07-25T14:54:44.467Z", fatal(94812)).log(
        &log_of(1),
        "2022-07-25T14:54:44.468Z",
        selected.says(REFUSAL),
    );
    service(&mut cluster, "2022-07-25T14:54:44.520Z", "task1-1-pause-guard", CHECKPOINT - 1, "2022-07-26T14:54:44Z");
    paused(&mut cluster, "2022-07-25T14:54:44.600Z");
    cluster
}

fn screen(status: &str, gap_ms: i64) -> Record {
    let record = record("br-status-state-error", "log-backup", Severity::Critical, Component::Br)
        .task(TASK)
        .fact(FactKind::Status, "", status)
        .fact(FactKind::Text, "checkpoint-time", "2022-07-25T14:46:50.118Z")
        .fact(FactKind::Text, "gap", &gap_ms.to_string())
        .says(&format!("task task1 is {status}"));
    if status == "ERROR" {
        record
            .store(1)
            .region(94812)
            .code("KV:LogBackup:RaftReq")
            .fact(FactKind::Text, "error-time", "2022-07-25T14:54:44.467Z")
            .says(&format!(
                "task task1 is ERROR; error[store=1]: KV:LogBackup:RaftReq; error-message[store=1]: {REFUSAL}"
            ))
    } else {
        record
    }
}

fn gc(cluster: &mut Cluster, time: &str, point: u64) {
    cluster.log("pd/pd.log", time, pd("pd-gc-safepoint-updated").ts("gc-safepoint", point));
}

fn only(found: &Findings) -> &Incident {
    let [one] = found.incidents.as_slice() else {
        panic!("one incident wanted, not {:#?}", found.incidents.iter().map(|i| &i.summary).collect::<Vec<_>>())
    };
    one
}

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

const WANTED: u64 = 433_177_834_291_200_000;
const REACHED: u64 = 433_193_092_308_795_392;

fn refusal(rule: &str, severity: Severity, head: &str) -> Record {
    record(rule, "log-backup", severity, Component::Br)
        .says(&format!("{head}: GC safepoint {REACHED} exceed TS {WANTED}: [BR:Backup:ErrBackupGCSafepointExceeded]backup GC safepoint exceeded"))
        .code("BR:Backup:ErrBackupGCSafepointExceeded")
        .ts("refused", WANTED)
        .ts("gc-safepoint", REACHED)
}

#[test]
fn the_console_line_of_a_refused_resume_alone() {
    let mut cluster = Cluster::default();
    cluster.log(
        "console.txt",
        "",
        refusal("br-gc-safepoint-exceeded", Severity::Critical, "Error: failed to check gc safePoint, checkpoint ts"),
    );
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!(
        (incident.kind, incident.cause, incident.verdict),
        (IncidentKind::ResumeRefused, Cause::GcSafepoint, Verdict::RecreateTask)
    );
    assert_eq!((incident.severity, incident.status, incident.start), (Severity::Critical, IncidentStatus::Open, None));
    assert_eq!(
        incident.commands,
        [
            "br log stop --task-name='<TASK>' --pd '<PD_ADDR>'",
            "br log start --task-name='<TASK>' --pd '<PD_ADDR>' --storage '<STORAGE>'",
            "br backup full --pd '<PD_ADDR>' --storage '<FULL_BACKUP_STORAGE>'",
        ]
    );
    assert!(incident.summary.contains("16h10m past the checkpoint"), "{}", incident.summary);
    assert_eq!(found.tasks, []);
}

#[test]
fn a_task_that_could_not_start_is_not_stopped_first() {
    let mut cluster = Cluster::default();
    let refused = refusal("br-gc-safepoint-exceeded", Severity::Critical, "Error: check service safe point");
    cluster.log("console.txt", "", refused.fact(FactKind::Command, "", "log start"));
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!((incident.kind, incident.verdict), (IncidentKind::ResumeRefused, Verdict::RecreateTask));
    assert!(incident.commands[0].starts_with("br log start "), "{:?}", incident.commands);
    assert!(incident.summary.contains("without --start-ts"), "{}", incident.summary);
}

#[test]
fn a_refusal_by_one_step_says_that_nothing_need_be_lost() {
    let mut cluster = Cluster::default();
    let failed = record("br-summary-failed", "log-backup", Severity::Error, Component::Br)
        .code("BR:Backup:ErrBackupGCSafepointExceeded")
        .ts("refused", WANTED)
        .ts("gc-safepoint", WANTED + 1)
        .fact(FactKind::Command, "", "log pause");
    cluster.log("br.log", "2022-05-13T11:46:00Z", failed);
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!((incident.kind, incident.verdict), (IncidentKind::ResumeRefused, Verdict::RecreateTask));
    assert!(incident.summary.starts_with("br log pause was refused"), "{}", incident.summary);
    assert!(incident.summary.contains("tikv#13532"), "{}", incident.summary);
}

/// The second incident of the page, with the failure that led to it.
fn lost() -> Cluster {
    let mut cluster = Cluster::default();
    let start = command("log start", "pitr").ts("start", WANTED - 1_000_000_000_000);
    let upload = record("adv-uploading-checkpoint", "log-backup", Severity::Info, Component::Tidb);
    cluster
        .log("br.log", "2022-05-13T10:41:26Z", start)
        .log("tidb.log", "2022-05-13T11:45:20Z", upload.task("pitr").ts("checkpoint", WANTED))
        .log("tikv.log", "2022-05-13T11:54:41.873Z", fatal(51204));
    service(&mut cluster, "2022-05-13T11:54:42Z", "pitr-5-pause-guard", WANTED - 1, "2022-05-14T11:54:41Z");
    gc(&mut cluster, "2022-05-14T11:55:04Z", REACHED);
    for (time, rule, head) in [
        ("2022-05-14T12:01:32.290Z", "br-summary-failed", "log resume failed summary"),
        ("2022-05-14T12:01:32.300Z", "br-stream-command-failed", "failed to stream"),
        ("2022-05-14T12:01:32.301Z", "br-failed", "br failed"),
    ] {
        cluster.log("br.log", time, refusal(rule, Severity::Error, head).fact(FactKind::Command, "", "log resume"));
    }
    cluster.log(
        "console.txt",
        "",
        refusal("br-resume-gc-exceeded", Severity::Critical, "Error: the global checkpoint ts has been gc. "),
    );
    cluster
}

#[test]
fn a_refused_resume_and_the_failure_before_are_two_incidents() {
    let correlation = lost().correlate();
    let found = &correlation.findings;
    let kinds: Vec<_> =
        found.incidents.iter().map(|incident| (incident.kind, incident.cause, incident.verdict)).collect();
    assert_eq!(
        kinds,
        [
            (IncidentKind::TaskFailed, Cause::RegionMerge, Verdict::RecreateTask),
            (IncidentKind::ResumeRefused, Cause::GcSafepoint, Verdict::RecreateTask),
        ]
    );
    let refused = &found.incidents[1];
    assert_eq!((refused.task.as_deref(), refused.start), (Some("pitr"), Some(at("2022-05-14T12:01:32.290Z"))));
    assert_eq!(
        refused.chain.iter().filter(|step| step.what.contains("refused")).map(|step| step.count).sum::<u64>(),
        4
    );
    let task = &found.tasks[0];
    assert_eq!(
        (task.status, task.verdict, task.exceeded_by_s),
        (TaskStatus::Error, Verdict::RecreateTask, Some(58_204))
    );
    assert_eq!((task.gc_safepoint, task.checkpoint), (Some(Tso(REACHED)), Some(Tso(WANTED))));
    assert!(task.commands[0].starts_with("br log stop --task-name=pitr"));
}

#[test]
fn a_task_started_anew_ends_both() {
    let mut cluster = lost();
    cluster.log("br.log", "2022-05-14T13:00:00Z", command("log stop", "pitr")).log(
        "br.log",
        "2022-05-14T13:10:00Z",
        command("log start", "pitr").ts("start", REACHED + 9_000_000_000_000),
    );
    let found = cluster.correlate().findings;
    assert_eq!(found.incidents.len(), 2);
    for incident in &found.incidents {
        assert_eq!(
            (incident.status, incident.severity, incident.verdict),
            (IncidentStatus::Recovered, Severity::Notice, Verdict::None)
        );
        assert_eq!(incident.commands, Vec::<String>::new());
    }
    assert_eq!((found.tasks[0].status, found.tasks[0].verdict), (TaskStatus::Normal, Verdict::None));
}

#[test]
fn a_refusal_of_zero_is_no_refusal() {
    let mut cluster = cluster();
    let noise = record("br-stop-safepoint-noise", "gc", Severity::Info, Component::Br)
        .says("failed to remove safe point: GC safepoint 433193092308795392 exceed TS 0: backup GC safepoint exceeded")
        .code("BR:Backup:ErrBackupGCSafepointExceeded");
    cluster.log("br/br.log", "2022-07-25T15:12:00Z", noise).log(
        "br/br.log",
        "2022-07-25T15:12:01Z",
        command("log stop", TASK),
    );
    let found = cluster.correlate().findings;
    assert_eq!(found.incidents, []);
    assert_eq!(found.tasks[0].status, TaskStatus::Stopped);
}

#[test]
fn a_refusal_of_another_cluster_says_nothing_of_this_task() {
    let mut cluster = failed();
    cluster.log(
        "console.txt",
        "",
        refusal("br-gc-safepoint-exceeded", Severity::Critical, "Error: failed to check gc safePoint, checkpoint ts"),
    );
    let found = cluster.correlate().findings;
    assert_eq!(found.tasks[0].verdict, Verdict::Resume);
    let refused = found.incidents.iter().find(|incident| incident.kind == IncidentKind::ResumeRefused).unwrap();
    assert_eq!(refused.task, None);
}

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

/// `br` wraps every error in records that only say that it failed: the error inside tells.
#[test]
fn a_failed_run_has_the_cause_of_the_error_inside() {
    let told = |error: &str, code: &str| {
        let mut cluster = Cluster::default();
        let record = |rule: &str, group: &str, head: &str| {
            record(rule, group, Severity::Error, Component::Br).says(&format!("{head}: {error}")).code(code)
        };
        let failed = record("br-restore-failed", "restore", "failed to restore");
        let last = record("br-failed", "lifecycle", "br failed");
        cluster.log("br.log", "2022-07-26T15:12:00Z", failed).log("br.log", "2022-07-26T15:12:00.100Z", last);
        let found = cluster.correlate().findings;
        let incident = only(&found);
        assert_eq!(incident.kind, IncidentKind::RestoreFailed);
        (incident.cause, incident.verdict, incident.summary.clone())
    };
    let (cause, verdict, summary) = told(
        "table exists: [BR:Restore:ErrTablesAlreadyExisted]tables already existed",
        "BR:Restore:ErrTablesAlreadyExisted",
    );
    assert_eq!((cause, verdict), (Cause::Configuration, Verdict::FixAndRetry));
    assert!(summary.contains("exists in the cluster already"), "{summary}");
    // Which region changed, and why, is not told; what to do is.
    let (cause, verdict, summary) = told("[BR:KV:ErrKVEpochNotMatch]epoch not match", "BR:KV:ErrKVEpochNotMatch");
    assert_eq!((cause, verdict), (Cause::Unknown, Verdict::Retry));
    assert!(summary.contains("split, merged or moved"), "{summary}");
    let (cause, verdict, _) = told("something that no rule knows", "BR:Common:ErrNever");
    assert_eq!((cause, verdict), (Cause::Unknown, Verdict::Investigate));
}

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

fn restore(version: &str) -> Cluster {
    let mut cluster = Cluster::default();
    let br = |rule: &str, severity| record(rule, "restore", severity, Component::Br);
    let welcome = record("br-welcome", "lifecycle", Severity::Info, Component::Br).fact(FactKind::Version, "", version);
    let ddl = |sql: &str| record("tidb-ddl", "sql", Severity::Info, Component::Tidb).fact(FactKind::Sql, "", sql);
    cluster
        .log("up/tidb.log", "2022-08-01T10:00:00Z", ddl("ALTER TABLE `app`.`orders` SET TIFLASH REPLICA 2"))
        .log("up/tidb.log", "2022-08-01T10:05:00Z", ddl("ALTER TABLE app.audit_log SET TIFLASH REPLICA 1"))
        .log("up/tidb.log", "2022-08-01T10:10:00Z", ddl("ALTER TABLE app.audit_log SET TIFLASH REPLICA 0"))
        .log("br.log", "2022-08-10T10:00:00Z", welcome)
        .log("br.log", "2022-08-10T10:00:01Z", br("br-restore-start", Severity::Notice).says("start restore on point"))
        .log(
            "br.log",
            "2022-08-10T10:20:00Z",
            br("br-restore-log-success", Severity::Notice).says("restore log success summary"),
        );
    cluster
}

#[test]
fn an_old_restore_leaves_out_tiflash() {
    let found = restore("v6.2.0").correlate().findings;
    let incident = only(&found);
    assert_eq!(
        (incident.kind, incident.cause, incident.verdict),
        (IncidentKind::RestoreIncomplete, Cause::TiflashReplica, Verdict::SetTiflashReplica)
    );
    assert_eq!(incident.commands, ["ALTER TABLE `app`.`orders` SET TIFLASH REPLICA 2"]);
}

#[test]
fn a_newer_restore_does_not() {
    for version in ["v6.3.0", "v6.5.0", "v8.1.0-alpha"] {
        assert_eq!(restore(version).correlate().findings.incidents, [], "{version}");
    }
}

#[test]
fn the_same_text_twice_counts_once() {
    let mut cluster = failed();
    let mut twice = failed();
    for store in STORES {
        let name = log_of(store);
        let copy = format!("copy/{name}");
        for event in cluster.events().into_iter().filter(|event| *event.file == *name) {
            let time = event.time.map(|time| time.to_string()).unwrap_or_default();
            twice.log(&copy, &time, Record::of(event));
        }
        let hash = twice.source(&name).head_hash;
        twice.source(&copy).head_hash = hash;
        let hash = twice.source(&name).tail_hash;
        twice.source(&copy).tail_hash = hash;
    }
    let (one, two) = (cluster.correlate(), twice.correlate());
    assert_eq!(one.findings.incidents, two.findings.incidents);
    assert_eq!(one.findings.totals, two.findings.totals);
    let copies = two.findings.sources.iter().filter(|source| source.status == crate::event::ReadStatus::Skipped);
    assert_eq!(copies.count(), 3);
    let left_out = twice.events().iter().filter(|event| !two.is_counted(event)).count();
    assert!(left_out > 0 && twice.events().len() - left_out == cluster.events().len());
    cluster.options();
}

#[test]
fn a_clock_that_is_off_does_not_turn_cause_and_effect() {
    // Store 1 is 5 s behind: as written it gives up before the merge begins on the others.
    let mut cluster = Cluster::default();
    for event in failed().events() {
        let behind = *event.file == *log_of(1);
        let time = event.time.map(|time| if behind { time.plus_ms(-5_000) } else { time });
        let file = event.file.to_string();
        cluster.log(&file, &time.map(|time| time.to_string()).unwrap_or_default(), Record::of(event));
    }
    // Three more moments that store 1 and PD share.
    for (nth, minute) in [11, 21, 31].into_iter().enumerate() {
        let leader = tikv("raft-became-leader", "leader", Severity::Notice).region(7 + nth as u64);
        let changed = record("pd-leader-changed", "leader", Severity::Info, Component::Pd).region(7 + nth as u64);
        cluster.log(&log_of(1), &format!("2022-07-25T14:{}:55.020Z", minute - 1), leader).log(
            "pd/pd.log",
            &format!("2022-07-25T14:{minute}:00.000Z"),
            changed,
        );
    }
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!(incident.cause, Cause::RegionMerge);
    assert_eq!(incident.start, Some(at("2022-07-25T14:54:39.467Z")), "as written");
    let at_step = |rule: &str| incident.chain.iter().position(|step| &*step.rule == rule);
    assert!(at_step("merge-prepare-exec") < at_step("lb-fatal-raftreq-merge"));
    let store = found.stores.iter().find(|store| store.id == Some(StoreId(1))).unwrap();
    assert!(store.clock_skew_ms.is_some_and(|ms| (ms + 5_000).abs() < 300), "{:?}", store.clock_skew_ms);
    assert!(found.caveats.iter().any(|caveat| caveat.contains("The clock of store 1")), "{:?}", found.caveats);
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
}

#[test]
fn a_console_that_names_an_error_of_any_group_tells_a_failure() {
    let says = "TiKV node 10.0.1.12:20160 version 8.1.1 and BR v8.5.0 major version mismatch, please use the same version of BR";
    let mut cluster = Cluster::default();
    cluster.log(
        "console.txt",
        "",
        record("br-version-mismatch", "lifecycle", Severity::Error, Component::Br).says(says),
    );
    let found = cluster.correlate().findings;
    assert_eq!((only(&found).cause, only(&found).verdict), (Cause::Version, Verdict::FixAndRetry));
    let mut cluster = Cluster::default();
    cluster.log("console.txt", "", record("br-arguments", "lifecycle", Severity::Notice, Component::Br).says(says));
    assert!(cluster.correlate().findings.incidents.is_empty());
}

#[test]
fn a_restore_whose_log_part_failed_is_not_named_after_its_snapshot() {
    let mut cluster = Cluster::default();
    let done = record("br-summary-success", "restore", Severity::Info, Component::Br)
        .says("Full Restore success summary")
        .fact(FactKind::Command, "", "Full Restore");
    let failed = record("br-restore-failed-epoch", "restore", Severity::Error, Component::Br)
        .says("failed to restore kv files: EpochNotMatch current epoch of region 94812");
    cluster.log("console.txt", "2022-07-25T14:00:00Z", done).log("console.txt", "", failed);
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!(incident.kind, IncidentKind::RestoreFailed);
    assert!(incident.summary.starts_with("A restore failed"), "{}", incident.summary);
}

#[test]
fn an_error_that_a_console_says_twice_is_one_failure() {
    let why = "[Lightning:Restore:ErrRestoreTable]restore table `shop`.`orders` failed: context deadline exceeded";
    let says = |rule: &str, text: String| record(rule, "restore", Severity::Error, Component::Br).says(&text);
    let mut cluster = Cluster::default();
    cluster.log("console.txt", "", says("lightning-code-text", why.to_owned())).log(
        "console.txt",
        "",
        says("lightning-failed", format!("tidb lightning encountered error: {why}")),
    );
    assert_eq!(only(&cluster.correlate().findings).kind, IncidentKind::RestoreFailed);
}

#[test]
fn what_lightning_logs_and_says_on_the_console_is_one_failure() {
    let why = "[Lightning:Restore:ErrRestoreTable]restore table `shop`.`orders` failed: EOF";
    let mut cluster = Cluster::default();
    let said = record("lightning-failed", "restore", Severity::Error, Component::Br)
        .says(&format!("tidb lightning encountered error: {why}"));
    let logged = record("lightning-failed", "restore", Severity::Error, Component::Br)
        .says(&format!("tidb lightning encountered error stack info: {why}"))
        .level(Level::Error);
    cluster.log("console.txt", "", said).log("console.txt", "2022-07-25T14:54:44Z", logged);
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!(incident.kind, IncidentKind::RestoreFailed);
    assert!(incident.summary.contains(&format!("it says \"{why}\"")), "{}", incident.summary);
}

#[test]
fn the_error_of_a_console_is_quoted_in_full() {
    let mut cluster = Cluster::default();
    let error = record("br-console-error", "lifecycle", Severity::Error, Component::Br)
        .says("table shop.orders: the moon is wrong: [BR:Common:ErrUnknown]internal error");
    cluster.log("console.txt", "", error);
    let found = cluster.correlate().findings;
    assert!(only(&found).summary.contains("it says \"table shop.orders: the moon"), "{}", only(&found).summary);
}

#[test]
fn what_a_statement_is_answered_says_what_it_was_to_do() {
    let mut cluster = Cluster::default();
    let hole = record("br-region-hole", "pd", Severity::Warning, Component::Br)
        .says("ERROR 8125 (HY000): Restore failed: last region's endKey < endKey: [BR:PD:ErrPDBatchScanRegion]");
    cluster.log("mysql.txt", "", hole);
    let found = cluster.correlate().findings;
    assert_eq!((only(&found).kind, only(&found).verdict), (IncidentKind::RestoreFailed, Verdict::Retry));
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
fn the_order_of_sources_changes_nothing() {
    let cluster = failed();
    let mut sources = cluster.sources();
    sources.reverse();
    let catalog = crate::rules::Catalog::embedded().unwrap();
    let options = super::Options { episode_gap_ms: 60_000, gc_ttl_ms: 86_400_000, ..super::Options::default() };
    let turned = super::correlate(&cluster.events(), &sources, &[], &catalog, &options).unwrap();
    assert_eq!(turned.findings, cluster.correlate().findings);
}

/// Logs of several clusters, in a folder each.
fn together(clusters: &[(&str, &Cluster)]) -> Cluster {
    let mut all = Cluster::default();
    for (id, cluster) in clusters {
        let named = tikv("tikv-pd-cluster", "lifecycle", Severity::Info).fact(FactKind::Cluster, "", id);
        all.log(&format!("{id}/{}", log_of(1)), "2022-07-25T13:40:00Z", named);
        for event in cluster.events() {
            let time = event.time.map(|time| time.to_string()).unwrap_or_default();
            all.log(&format!("{id}/{}", event.file), &time, Record::of(event));
        }
    }
    all
}

#[test]
fn clusters_are_told_apart() {
    // The same stores, the same task, the same time: one failed, the other goes on, and its GC with it.
    let mut other = cluster();
    for hour in 15..20 {
        let value = at(&format!("2022-07-25T{hour}:00:00Z"));
        checkpoint(&mut other, &format!("2022-07-25T{hour}:03:00Z"), value);
        gc(&mut other, &format!("2022-07-25T{hour}:20:00Z"), Tso::from_time(value.plus_ms(-60_000)).0);
    }
    let mut both = together(&[("71", &failed()), ("72", &other)]);
    both.options().now = Some(at("2022-07-25T20:00:00Z"));
    let mut alone = failed();
    alone.options().now = Some(at("2022-07-25T20:00:00Z"));
    let (both, alone) = (both.correlate(), alone.correlate());
    let (incident, wanted) = (only(&both.findings), only(&alone.findings));
    assert_eq!(incident.cluster.as_deref(), Some("71"));
    assert_eq!(incident.summary, format!("Cluster 71: {}", wanted.summary));
    assert_eq!((&incident.id, incident.events, incident.verdict), (&wanted.id, wanted.events, wanted.verdict));
    let tasks: Vec<_> =
        both.findings.tasks.iter().map(|task| (task.cluster.as_deref(), task.status, task.verdict)).collect();
    assert_eq!(
        tasks,
        [(Some("71"), TaskStatus::Error, Verdict::Resume), (Some("72"), TaskStatus::Normal, Verdict::None)]
    );
    assert_eq!(both.findings.task_of(incident).map(|task| task.verdict), Some(Verdict::Resume));
    assert!(both.findings.caveats[0].contains("of 2 clusters (71, 72)"), "{:?}", both.findings.caveats);
    let mut count = 0;
    both.each_episode(&mut |episode| {
        count += episode.count;
        Ok(())
    })
    .unwrap();
    assert_eq!(count, both.findings.totals.events);
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
fn a_storm_hides_nothing_and_fits_into_memory() {
    // More episodes than pages in memory, before and after the failure, each with a region of its own.
    let storm = |cluster: &mut Cluster, hour: u64| {
        for nth in 0..9_000u64 {
            let time = at("2022-07-25T14:00:00Z").plus_ms((hour * 3_600 + nth / 3) as i64 * 1_000);
            let leader = tikv("raft-became-leader", "leader", Severity::Notice).region(200_000 + hour * 10_000 + nth);
            cluster.log(&log_of(4), &time.to_string(), leader);
        }
    };
    let (calm, mut stormy) = (failed(), failed());
    storm(&mut stormy, 1);
    storm(&mut stormy, 4);
    let twice = together(&[("71", &stormy), ("72", &stormy)]).correlate();
    let (calm, stormy) = (calm.correlate(), stormy.correlate());
    let told =
        |found: &Findings| found.incidents.iter().map(|one| (one.id.clone(), one.chain.clone())).collect::<Vec<_>>();
    assert_eq!(told(&calm.findings), told(&stormy.findings));
    for correlation in [&stormy, &twice] {
        let (mut firsts, mut count) = (Vec::new(), 0);
        correlation
            .each_episode(&mut |episode| {
                firsts.push(episode.first);
                count += episode.count;
                Ok(())
            })
            .unwrap();
        assert_eq!(count, correlation.findings.totals.events);
        assert!(firsts.is_sorted() && firsts.len() > 18_000);
        assert!(correlation.findings.episodes.len() < firsts.len(), "the rest is on disk");
    }
    assert!(twice.each_episode(&mut |_| Err(std::io::Error::other("full"))).is_err(), "who is in trouble may leave");
}

/// The advancer's own records of a task: what PD refused, and which region is furthest behind.
fn advancer(rule: &str, severity: Severity) -> Record {
    record(rule, "gc", severity, Component::Tidb)
}

#[test]
fn a_safe_point_that_pd_refuses_the_advancer_is_evidence_of_gc() {
    for rule in ["adv-gc-safepoint-refused", "adv-gc-safepoint-stale"] {
        let mut cluster = Cluster::default();
        cluster.log(
            "tidb.log",
            "2022-05-14T11:00:00Z",
            record("adv-task-added", "log-backup", Severity::Info, Component::Tidb).task("pitr"),
        );
        for minute in 1..4 {
            let refused = advancer(rule, Severity::Error).ts("refused", WANTED - 1).ts("gc-safepoint", REACHED);
            cluster.log("tidb.log", &format!("2022-05-14T12:0{minute}:00Z"), refused);
        }
        let found = cluster.correlate().findings;
        let incident = only(&found);
        assert_eq!(
            (incident.kind, incident.severity, incident.verdict),
            (IncidentKind::CheckpointStalled, Severity::Critical, Verdict::RecreateTask)
        );
        let task = &found.tasks[0];
        assert_eq!(
            (task.name.as_str(), task.checkpoint, task.gc_safepoint, task.verdict),
            ("pitr", Some(Tso(WANTED)), Some(Tso(REACHED)), Verdict::RecreateTask)
        );
    }
}

#[test]
fn a_guard_that_came_too_late_is_evidence_of_gc() {
    let mut cluster = Cluster::default();
    let late = record("lb-gc-exceeds-checkpoint", "log-backup", Severity::Critical, Component::Tikv);
    cluster.log(
        "tikv.log",
        "2022-05-14T12:00:00Z",
        late.ts("service-safepoint", WANTED - 1).ts("gc-safepoint", REACHED),
    );
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!((incident.kind, incident.verdict), (IncidentKind::TaskFailed, Verdict::RecreateTask));
    assert!(incident.commands[0].starts_with("br log stop "), "{:?}", incident.commands);
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

#[test]
fn an_error_on_the_console_before_its_record_is_the_same_failure() {
    let mut cluster = Cluster::default();
    let failed = |rule: &str| record(rule, "restore", Severity::Error, Component::Br);
    let why = "no base id map found from saved id or last restored PiTR";
    cluster.log("br.txt", "", failed("br-id-map-missing").says(&format!("Error: {why}"))).log(
        "br.txt",
        "2022-07-26T15:12:00Z",
        failed("br-failed").says(&format!("br failed: {why}")),
    );
    let found = cluster.correlate().findings;
    let incident = only(&found);
    assert_eq!((incident.kind, incident.start), (IncidentKind::RestoreFailed, Some(at("2022-07-26T15:12:00Z"))));
    assert!(incident.summary.contains("needs the id map"), "{}", incident.summary);
}

#[test]
fn a_failure_is_told_by_what_its_record_quotes() {
    let told = |says: &str| {
        let mut cluster = Cluster::default();
        let failed = record("br-failed", "lifecycle", Severity::Error, Component::Br).says(says);
        cluster.log("br.log", "2022-07-26T15:12:00Z", failed);
        let found = cluster.correlate().findings;
        let incident = only(&found);
        (incident.kind, incident.summary.clone(), incident.remedy.clone().unwrap_or_default())
    };
    let (kind, summary, remedy) = told("br failed: Clustered index option mismatch. It should be OFF.");
    assert_eq!(kind, IncidentKind::RestoreFailed);
    assert!(summary.contains("another primary-key layout"), "{summary}");
    assert!(remedy.contains("tidb_enable_clustered_index"), "{remedy}");
    let (kind, summary, remedy) = told("br failed: something that nobody has seen");
    assert_eq!((kind, remedy.as_str()), (IncidentKind::Other, ""));
    assert!(summary.ends_with("it says \"something that nobody has seen\"."), "{summary}");
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

#[test]
fn a_failure_that_names_nobody_is_not_br_s() {
    let mut event = record("text-region-unavailable", "store-health", Severity::Error, Component::Br).event();
    event.component = None;
    let mut cluster = Cluster::default();
    cluster.log("mail.txt", "", Record::of(event));
    let found = cluster.correlate().findings;
    assert!(only(&found).summary.starts_with("Something failed: "), "{}", only(&found).summary);
}

#[test]
fn a_backup_that_gave_up_met_its_reason_while_it_tried() {
    let told = |minute: &str| {
        let mut cluster = Cluster::default();
        let refused = tikv("tikv-backup-save-failed", "backup", Severity::Error);
        let refused = refused.says("backup save file failed: failed to put object: AccessDenied");
        let gave_up = record("br-failed", "lifecycle", Severity::Error, Component::Br);
        let gave_up = gave_up.says("br failed: backoff exceeds the max backoff time 1h0m0s");
        cluster.log(&log_of(1), &format!("2022-07-25T{minute}:00Z"), refused).log(
            "br.log",
            "2022-07-25T15:00:00Z",
            gave_up,
        );
        let found = cluster.correlate().findings;
        let failed = found.incidents.iter().find(|incident| incident.kind == IncidentKind::BackupFailed);
        failed.map(|incident| incident.cause)
    };
    assert_eq!(told("14:10"), Some(Cause::StorageAccess));
    assert_eq!(told("13:50"), Some(Cause::Unknown));
}

#[test]
fn a_command_that_only_looks_is_no_failed_backup() {
    let mut cluster = Cluster::default();
    let failed = record("br-summary-failed", "log-backup", Severity::Error, Component::Br);
    let failed = failed.fact(FactKind::Command, "", "log metadata");
    let why = "empty store is not allowed: [BR:ExternalStorage:ErrStorageInvalidConfig]invalid external storage config";
    let console =
        record("br-storage-url-empty", "backup", Severity::Error, Component::Br).says(&format!("Error: {why}"));
    cluster.log("br.log", "2022-07-25T15:00:00Z", failed.says(&format!("log metadata failed summary: {why}"))).log(
        "console.txt",
        "",
        console,
    );
    let found = cluster.correlate().findings;
    assert_eq!((only(&found).kind, only(&found).cause), (IncidentKind::Other, Cause::Configuration));
}
