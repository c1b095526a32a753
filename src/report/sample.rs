//! Findings made by hand, for tests to print: a task that failed over a merge, the refusal to resume it, a healthy run.

use super::Run;
use crate::correlate::{
    Cause, Certainty, Correlation, DeadlineBasis, Episode, ErrorCode, Findings, Incident, IncidentKind, IncidentStatus,
    MergeResult, Place, Region, Source, Step, Store, Task, TaskStatus, Totals, Unmatched, Verdict,
};
use crate::event::{Event, ReadStatus};
use crate::units::{Component, Level, PeerId, RegionId, Severity, StoreId, Timestamp, Tso};

pub(super) fn run() -> Run {
    Run {
        news: Vec::new(),
        command_line: "tidescope analyze incident-0726/ s3://logs/x?secret-access-key=hunter2".to_owned(),
        version: "0.1.0",
        duration_ms: 4_100,
        bytes_per_second: 3_000_000_000,
        threads: 8,
    }
}

/// The task that failed since a region was merging.
pub(super) fn failed() -> Correlation {
    correlation(failed_findings())
}

/// Nothing wrong.
pub(super) fn healthy() -> Correlation {
    let mut findings = failed_findings();
    findings.now = at("2022-07-25T14:53:18.000Z");
    findings.incidents.clear();
    findings.caveats.clear();
    findings.errors.clear();
    findings.regions.clear();
    findings.totals.events = 12;
    let task = &mut findings.tasks[0];
    *task = Task {
        status: TaskStatus::Normal,
        observed_at: at("2022-07-25T14:53:18.118Z"),
        resume_deadline: None,
        deadline_basis: None,
        held_by: None,
        verdict: Verdict::None,
        error_store: None,
        error_code: None,
        error_region: None,
        since: None,
        commands: vec![],
        exceeded_by_s: Some(-600),
        gc_safepoint: Some(Tso(434_833_931_663_572_992)),
        ..task.clone()
    };
    let now = findings.now.unwrap();
    task.checkpoints.retain(|(seen, _)| *seen <= now);
    task.safepoints.retain(|(seen, _)| *seen <= now);
    findings.episodes.clear();
    for store in &mut findings.stores {
        (store.last, store.events, store.errors) = (findings.now, 2, 0);
    }
    findings.sources.retain(|source| source.status == ReadStatus::Read);
    correlation(findings)
}

/// The same task a day later: GC has passed its checkpoint.
pub(super) fn refused() -> Correlation {
    let mut findings = failed_findings();
    let now = at("2022-07-26T18:05:12.330Z");
    findings.now = now;
    let commands = vec![
        "br log stop --task-name=task1 --pd 10.0.1.1:2379".to_owned(),
        "br log start --task-name=task1 --pd 10.0.1.1:2379 --storage 's3://backup/task1'".to_owned(),
        "br backup full --pd 10.0.1.1:2379 --storage 's3://backup/task1-full'".to_owned(),
    ];
    let task = &mut findings.tasks[0];
    task.gc_safepoint = Some(Tso(434_858_000_000_000_000));
    task.safepoints.push((ts("2022-07-26T16:20:00.000Z"), Tso(434_858_000_000_000_000)));
    task.exceeded_by_s = Some(91_214);
    task.observed_at = now;
    task.held_by = None;
    task.verdict = Verdict::RecreateTask;
    task.commands.clone_from(&commands);
    for incident in findings.incidents.iter_mut().filter(|incident| incident.task.is_some()) {
        incident.verdict = Verdict::RecreateTask;
        incident.commands.clone_from(&commands);
    }
    findings.incidents.insert(
        0,
        Incident {
            id: "resume-refused-5b0c77aa".to_owned(),
            kind: IncidentKind::ResumeRefused,
            cluster: None,
            severity: Severity::Critical,
            status: IncidentStatus::Open,
            start: now,
            end: None,
            task: Some("task1".to_owned()),
            stores: vec![],
            regions: vec![],
            cause: Cause::GcSafepoint,
            certainty: Certainty::Observed,
            verdict: Verdict::RecreateTask,
            summary: "`br log resume` was refused: GC had passed the checkpoint.".to_owned(),
            remedy: None,
            commands,
            events: 2,
            chain: vec![Step {
                message:
                    "failed to check gc safePoint: GC safepoint exceed TS: [BR:Backup:ErrBackupGCSafepointExceeded]"
                        .to_owned(),
                ..step(
                    ("2022-07-26T18:05:12.330Z", "2022-07-26T18:05:12.330Z", 2),
                    ("br-resume-gc-exceeded", Severity::Critical, Component::Br),
                    (&[], &[]),
                    "resume refused: the GC safe point is past the checkpoint",
                    ("10.0.1.1/br.log", 17),
                )
            }],
        },
    );
    correlation(findings)
}

/// Events of the failed task, some of them hostile.
pub(super) fn events() -> Vec<Event> {
    let event = Event {
        file: "10.0.1.11/tikv.log".into(),
        line: 88_141,
        offset: 19_204_113,
        time: at("2022-07-25T14:54:43.962Z"),
        time_is_local: false,
        rule: "lb-read-index-not-ready-merge".into(),
        group: "log-backup".into(),
        severity: Severity::Warning,
        implicates: true,
        component: Some(Component::Tikv),
        shows_writer: true,
        level: Some(Level::Warn),
        region: Some(RegionId(94_812)),
        store: Some(StoreId(1)),
        peer: None,
        task: None,
        codes: vec!["KV:LogBackup:RaftReq".into(), "KV:Raftstore:ReadIndexNotReady".into()],
        tsos: vec![],
        regions: vec![RegionId(94_812)],
        stores: vec![],
        message: "backup stream meet error: read index not ready, reason can not read index due to merge".into(),
        facts: vec![],
        descriptions: vec![],
        ranges: vec![],
    };
    vec![
        event.clone(),
        Event {
            line: 88_207,
            offset: 19_301_020,
            time: at("2022-07-25T14:54:44.467Z"),
            rule: "lb-fatal-raftreq-merge".into(),
            severity: Severity::Critical,
            task: Some("task1".into()),
            tsos: vec![Tso(434_834_088_949_972_992)],
            message: "=cmd|'/c calc'!A1 \u{1b}[2J secret_access_key=hunter2, \"quoted\"".into(),
            ..event.clone()
        },
        Event { time: None, file: "a;b/=x.log".into(), rule: "br-status-error".into(), message: "".into(), ..event },
    ]
}

#[allow(clippy::field_reassign_with_default, reason = "what else correlation holds is its own")]
fn correlation(findings: Findings) -> Correlation {
    let mut correlation = Correlation::default();
    correlation.findings = findings;
    correlation
}

fn at(text: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(text)
}

fn ts(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn step(
    (first, last, count): (&str, &str, u64),
    (rule, severity, component): (&str, Severity, Component),
    (stores, regions): (&[u64], &[u64]),
    what: &str,
    (file, line): (&str, u64),
) -> Step {
    Step {
        first: at(first),
        last: at(last),
        count,
        rule: rule.into(),
        severity,
        component: Some(component),
        stores: stores.iter().copied().map(StoreId).collect(),
        regions: regions.iter().copied().map(RegionId).collect(),
        what: what.to_owned(),
        message: format!("{what} (as the record says it)"),
        certainty: Certainty::Observed,
        place: Place { file: file.into(), line, offset: 0 },
    }
}

fn chain() -> Vec<Step> {
    let tikv = "10.0.1.11/tikv.log";
    vec![
        step(
            ("2022-07-25T14:54:42.500Z", "2022-07-25T14:54:42.610Z", 3),
            ("merge-prepare-exec", Severity::Info, Component::Tikv),
            (&[1, 4, 5], &[94_812, 94_816]),
            "94812 prepares to merge into 94816",
            (tikv, 88_120),
        ),
        step(
            ("2022-07-25T14:54:43.962Z", "2022-07-25T14:54:44.460Z", 33),
            ("lb-read-index-not-ready-merge", Severity::Warning, Component::Tikv),
            (&[1], &[94_812]),
            "initial snapshot of 94812 refused: merging",
            (tikv, 88_141),
        ),
        Step {
            message: "backup stream meet fatal error: retry time exceeds: failed to get initial snapshot: read index \
                      not ready, reason can not read index due to merge, region 94812 [|<b>*x*</b>|]"
                .to_owned(),
            ..step(
                ("2022-07-25T14:54:44.467Z", "2022-07-25T14:54:44.467Z", 1),
                ("lb-fatal-raftreq-merge", Severity::Critical, Component::Tikv),
                (&[1], &[94_812]),
                "gave up: KV:LogBackup:RaftReq, task will pause",
                (tikv, 88_207),
            )
        },
        step(
            ("2022-07-25T14:54:44.520Z", "2022-07-25T14:54:44.520Z", 1),
            ("pd-service-safepoint", Severity::Notice, Component::Pd),
            (&[], &[]),
            "GC held at the checkpoint for 24h by task1-1-pause-guard",
            ("10.0.1.1/pd.log", 4_410),
        ),
        step(
            ("2022-07-25T14:54:50.000Z", "2022-07-25T14:54:50.000Z", 1),
            ("adv-task-event", Severity::Warning, Component::Tidb),
            (&[], &[]),
            "task paused, checkpoint stands still",
            ("10.0.2.1/tidb.log", 1_033),
        ),
        Step {
            certainty: Certainty::Inferred,
            ..step(
                ("2022-07-25T14:54:55.101Z", "2022-07-25T14:54:55.300Z", 3),
                ("merge-commit", Severity::Info, Component::Tikv),
                (&[1, 4, 5], &[94_812, 94_816]),
                "94812 merged into 94816",
                (tikv, 88_260),
            )
        },
    ]
}

fn episodes(chain: &[Step], incident: &str) -> Vec<Episode> {
    let mut episodes = Vec::new();
    for step in chain {
        let stores: Vec<_> =
            if step.stores.is_empty() { vec![None] } else { step.stores.iter().copied().map(Some).collect() };
        for store in &stores {
            episodes.push(Episode {
                first: step.first,
                last: step.last,
                count: step.count / stores.len() as u64,
                rule: step.rule.clone(),
                severity: step.severity,
                component: step.component,
                store: *store,
                region: step.regions.first().copied(),
                task: Some("task1".to_owned()),
                codes: if step.severity == Severity::Critical {
                    vec!["KV:LogBackup:RaftReq".to_owned()]
                } else {
                    vec![]
                },
                summary: step.message.clone(),
                incidents: vec![incident.to_owned()],
                place: step.place.clone(),
            });
        }
    }
    episodes
}

fn task() -> Task {
    let checkpoint = Tso(434_834_088_949_972_992);
    let start = ts("2022-07-25T13:49:02.868Z");
    let points = 18;
    let moving = |step: i64| start.plus_ms(step * (checkpoint.time().since(start)) / points);
    let mut checkpoints: Vec<_> =
        (0..points).map(|step| (moving(step).plus_ms(60_000), Tso::from_time(moving(step)))).collect();
    checkpoints.push((ts("2022-07-25T14:47:51.000Z"), checkpoint));
    checkpoints.push((ts("2022-07-26T02:18:19.118Z"), checkpoint));
    let mut safepoints: Vec<_> =
        (0..10).map(|step| (moving(step * 2), Tso::from_time(moving(step * 2).plus_ms(-600_000)))).collect();
    safepoints.push((ts("2022-07-25T15:00:04.000Z"), Tso(checkpoint.0 - 1)));
    safepoints.push((ts("2022-07-26T02:10:04.000Z"), Tso(checkpoint.0 - 1)));
    Task {
        name: "task1".to_owned(),
        cluster: None,
        status: TaskStatus::Error,
        start: Some(start),
        storage: Some("s3://backup/task1?access-key=AK1&secret-access-key=hunter2".to_owned()),
        checkpoint: Some(checkpoint),
        checkpoint_time: Some(checkpoint.time()),
        observed_at: at("2022-07-26T02:18:19.118Z"),
        gc_safepoint: Some(Tso(checkpoint.0 - 1)),
        exceeded_by_s: Some(-1),
        resume_deadline: at("2022-07-26T14:54:44.000Z"),
        deadline_basis: Some(DeadlineBasis::Pd),
        held_by: Some("task1-1-pause-guard".to_owned()),
        verdict: Verdict::Resume,
        error_store: Some(StoreId(1)),
        error_code: Some("KV:LogBackup:RaftReq".to_owned()),
        error_region: Some(RegionId(94_812)),
        since: at("2022-07-25T14:54:44.467Z"),
        commands: vec!["br log resume --task-name=task1 --pd 10.0.1.1:2379".to_owned()],
        checkpoints,
        safepoints,
    }
}

fn region(id: u64, events: u64, errors: u64) -> Region {
    Region {
        id: RegionId(id),
        events,
        errors,
        first: at("2022-07-25T14:54:42.500Z"),
        last: at("2022-07-25T14:54:55.300Z"),
        stores: vec![StoreId(1), StoreId(4), StoreId(5)],
        leader: Some(StoreId(1)),
        leader_peer: Some(PeerId(94_813)),
        rules: vec!["lb-fatal-raftreq-merge".to_owned(), "merge-prepare-exec".to_owned()],
        merge_source_of: vec![],
        merge_target_of: vec![],
        merge_started: None,
        merge_ended: None,
        merge_result: None,
        start_key: Some("7480000000000000FF5F".to_owned()),
        end_key: Some("7480000000000000FF61".to_owned()),
        incidents: vec!["task-failed-1f0a3c55".to_owned()],
    }
}

fn instance(id: Option<u64>, address: &str, component: Component, version: &str) -> Store {
    Store {
        id: id.map(StoreId),
        address: Some(address.to_owned()),
        component: Some(component),
        version: Some(version.to_owned()),
        sources: 1,
        records: 1_204_118,
        first: at("2022-07-25T12:00:00.100Z"),
        last: at("2022-07-26T02:18:19.118Z"),
        events: 40,
        errors: 1,
        regions: 2,
        restarts: 0,
        clock_skew_ms: Some(if id == Some(5) { -320 } else { 0 }),
        identified_by: "put store record".to_owned(),
    }
}

fn source(file: &str, component: Component, store: Option<u64>) -> Source {
    Source {
        file: file.into(),
        component: Some(component),
        instance: file.split('/').next().map(str::to_owned),
        store: store.map(StoreId),
        bytes: 1_757_142_857,
        records: 1_204_118,
        continuation_lines: 12,
        unparsed_lines: 0,
        first: at("2022-07-25T12:00:00.100Z"),
        last: at("2022-07-26T02:18:19.118Z"),
        status: ReadStatus::Read,
        problem: None,
    }
}

fn failed_findings() -> Findings {
    let id = "task-failed-1f0a3c55";
    let chain = chain();
    Findings {
        now: at("2022-07-26T02:18:19.118Z"),
        totals: Totals {
            bytes: 12_300_000_000,
            records: 8_420_331,
            events: 42,
            first: at("2022-07-25T12:00:00.100Z"),
            last: at("2022-07-26T02:18:19.118Z"),
        },
        episodes: episodes(&chain, id),
        incidents: vec![failed_task(id, chain), restarted_store()],
        tasks: vec![task()],
        regions: vec![
            Region {
                merge_source_of: vec![RegionId(94_816)],
                merge_started: at("2022-07-25T14:54:42.500Z"),
                merge_ended: at("2022-07-25T14:54:55.101Z"),
                merge_result: Some(MergeResult::Committed),
                ..region(94_812, 40, 1)
            },
            Region { merge_target_of: vec![RegionId(94_812)], ..region(94_816, 6, 0) },
        ],
        stores: vec![
            instance(Some(1), "10.0.1.11:20160", Component::Tikv, "6.2.0"),
            instance(Some(4), "10.0.1.12:20160", Component::Tikv, "6.2.0"),
            instance(Some(5), "10.0.1.13:20160", Component::Tikv, "6.2.0"),
            instance(None, "10.0.1.1:2379", Component::Pd, "6.2.0"),
            instance(None, "10.0.2.1", Component::Tidb, "6.2.0"),
        ],
        errors: vec![ErrorCode {
            code: "KV:LogBackup:RaftReq".to_owned(),
            rules: vec!["lb-fatal-raftreq-merge".to_owned()],
            count: 1,
            first: at("2022-07-25T14:54:44.467Z"),
            last: at("2022-07-25T14:54:44.467Z"),
            stores: vec![StoreId(1)],
            regions: vec![RegionId(94_812)],
            meaning: "A request to Raft failed for good.".to_owned(),
            remedy: "Find out why the region could not be read, then resume the task.".to_owned(),
        }],
        troubles: vec![],
        unmatched: vec![Unmatched {
            template: "endpoint.rs: slow query N ms | table `t_*` <@ops>".to_owned(),
            component: Some(Component::Tikv),
            level: Some(Level::Warn),
            count: 7,
            first: at("2022-07-25T14:00:00.000Z"),
            last: at("2022-07-25T15:00:00.000Z"),
            example: "slow query 1200 ms".to_owned(),
            place: Place { file: "10.0.1.12/tikv.log".into(), line: 9, offset: 0 },
        }],
        sources: vec![
            source("10.0.1.1/pd.log", Component::Pd, None),
            source("10.0.1.11/tikv.log", Component::Tikv, Some(1)),
            source("10.0.1.12/tikv.log", Component::Tikv, Some(4)),
            Source {
                status: ReadStatus::Partial,
                problem: Some("the gzip stream ends after 41 MB".to_owned()),
                ..source("10.0.1.13/tikv-2022-07-25T14-00-00.000.log.gz", Component::Tikv, Some(5))
            },
            source("10.0.2.1/tidb.log", Component::Tidb, None),
        ],
        caveats: vec![
            "10.0.1.13/tikv-2022-07-25T14-00-00.000.log.gz is cut off after 41 MB. Store 5 may know more.".to_owned(),
        ],
    }
}

fn restarted_store() -> Incident {
    Incident {
        id: "store-restarted-77aa01c2".to_owned(),
        kind: IncidentKind::StoreRestarted,
        cluster: None,
        severity: Severity::Notice,
        status: IncidentStatus::Recovered,
        start: at("2022-07-25T13:02:11.000Z"),
        end: at("2022-07-25T13:02:40.000Z"),
        task: None,
        stores: vec![StoreId(4)],
        regions: vec![],
        cause: Cause::Operator,
        certainty: Certainty::Observed,
        verdict: Verdict::None,
        summary: "Store 4 was stopped by a signal and came back after 29s.".to_owned(),
        remedy: None,
        commands: vec![],
        events: 2,
        chain: vec![step(
            ("2022-07-25T13:02:11.000Z", "2022-07-25T13:02:11.000Z", 1),
            ("tikv-signal-stop", Severity::Notice, Component::Tikv),
            (&[4], &[]),
            "stopped by a signal",
            ("10.0.1.12/tikv.log", 512),
        )],
    }
}

fn failed_task(id: &str, chain: Vec<Step>) -> Incident {
    Incident {
        id: id.to_owned(),
        kind: IncidentKind::TaskFailed,
        cluster: None,
        severity: Severity::Critical,
        status: IncidentStatus::Open,
        start: at("2022-07-25T14:54:42.500Z"),
        end: None,
        task: Some("task1".to_owned()),
        stores: vec![StoreId(1), StoreId(4), StoreId(5)],
        regions: vec![RegionId(94_812), RegionId(94_816)],
        cause: Cause::RegionMerge,
        certainty: Certainty::Observed,
        verdict: Verdict::Resume,
        summary: "Region 94812 was merging into 94816 when store 1 (10.0.1.11:20160) took its initial snapshot; \
                  33 tries in 20 s, then it gave up. The merge ended at 14:54:55: nothing stands in the way of \
                  a resume."
            .to_owned(),
        remedy: None,
        commands: vec!["br log resume --task-name=task1 --pd 10.0.1.1:2379".to_owned()],
        events: 42,
        chain,
    }
}
