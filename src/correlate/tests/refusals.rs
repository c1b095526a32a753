//! What GC refuses: the second incident of the page.

use super::*;

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

#[test]
fn a_task_that_could_not_be_paused_is_not_paused() {
    for (verb, status) in [("log pause", TaskStatus::Unknown), ("log resume", TaskStatus::Paused)] {
        let mut cluster = Cluster::default();
        let refused = refusal("br-gc-safepoint-exceeded", Severity::Critical, "Error: check service safe point");
        cluster.log("br.log", "2022-05-13T20:00:00Z", refused.fact(FactKind::Command, "", verb).task("pitr"));
        let found = cluster.correlate().findings;
        let task = &found.tasks[0];
        assert_eq!((task.status, task.verdict), (status, Verdict::RecreateTask), "{verb}");
    }
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
