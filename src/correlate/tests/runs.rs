//! Runs of `br` and others that failed, and restores: the third incident of the page.

use super::*;

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
fn a_restore_of_an_unknown_version_is_known_by_its_cluster_or_by_what_queries_miss() {
    let done = || {
        let mut cluster = Cluster::default();
        let done = record("br-restore-log-success", "restore", Severity::Notice, Component::Br);
        cluster.log("br.log", "2022-08-10T10:20:00Z", done);
        cluster
    };
    let missing = || {
        let missing = record("text-tiflash-replica-missing", "restore", Severity::Warning, Component::Tidb);
        missing.fact(FactKind::Text, "table", "orders")
    };
    let welcome = |version: &str| {
        record("tidb-welcome", "lifecycle", Severity::Info, Component::Tidb).fact(FactKind::Version, "", version)
    };
    assert_eq!(done().correlate().findings.incidents, []);
    for time in ["", "2022-08-10T10:30:00Z"] {
        let mut cluster = done();
        cluster.log("console.txt", time, missing());
        let found = cluster.correlate().findings;
        let incident = only(&found);
        assert_eq!(incident.commands, ["ALTER TABLE `orders` SET TIFLASH REPLICA <COUNT>"]);
        assert!(incident.summary.contains("a query found no TiFlash replica"), "{}", incident.summary);
    }
    let mut cluster = done();
    cluster.log("tidb.log", "2022-08-10T10:00:00Z", welcome("v6.2.0"));
    let found = cluster.correlate().findings;
    assert!(only(&found).summary.contains("in a cluster of v6.2.0"), "{}", only(&found).summary);
    let mut newer = done();
    newer.log("tidb.log", "2022-08-10T10:00:00Z", welcome("v6.5.0")).log("tidb.log", "2022-08-10T10:30:00Z", missing());
    assert_eq!(newer.correlate().findings.incidents, []);
}

#[test]
fn a_newer_restore_does_not() {
    for version in ["v6.3.0", "v6.5.0", "v8.1.0-alpha"] {
        assert_eq!(restore(version).correlate().findings.incidents, [], "{version}");
    }
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
