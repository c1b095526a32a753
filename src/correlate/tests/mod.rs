//! Whole stories, from records to verdicts: the three incidents of the troubleshooting page, their healthy twins, and around them.

mod merges;
mod names;
mod refusals;
mod runs;
mod sources;
mod stores;
mod tasks;

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

/// Every store sees in etcd what was done to the task.
fn watched(cluster: &mut Cluster, time: &str, event: &str) {
    for store in STORES {
        let watch = tikv("lb-watch-pause-event", "log-backup", Severity::Notice).task(TASK);
        cluster.log(&log_of(store), time, watch.says(&format!("backup stream watch pause from etcd [event={event}]")));
    }
}

fn paused(cluster: &mut Cluster, time: &str) {
    watched(cluster, time, "PauseTask");
    let event = record("adv-task-event", "log-backup", Severity::Notice, Component::Tidb);
    cluster.log("tidb/tidb.log", time, event.task(TASK).says("meet task event [event=Pause(task1)]"));
}

fn resumed(cluster: &mut Cluster, time: &str) {
    watched(cluster, time, "ResumeTask");
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
