//! `analyze` on the three incidents of `testdata` and on their healthy twins. What is expected: `testdata/README.md`.

use crate::harness::{Report, Row, Run, Sandbox, project};

const FOLDERS: [&str; 6] = [
    "merge-failed-task",
    "merge-survived",
    "resume-refused",
    "resume-in-time",
    "restore-without-tiflash",
    "restore-v65",
];

/// Analyses a folder of `testdata`; the paths in the report are relative to the sandbox.
fn analyze(folder: &str) -> (Run, Report) {
    let (run, report) = Sandbox::with_testdata(&[folder]).analyze([folder], "out");
    (run.with_status(0).silently(), report)
}

#[track_caller]
fn assert_has(row: &Row, expected: &[(&str, &str)]) {
    for (column, value) in expected {
        assert_eq!(row[*column], *value, "{column} of {row:#?}");
    }
}

#[test]
fn a_report_has_all_files_with_the_columns_that_were_promised() {
    let (_, report) = analyze("merge-failed-task");
    let columns = [
        (
            "events",
            "time,component,instance,store_id,region_id,peer_id,task,rule,group,severity,level,error_code,tso,regions,stores,message,file,line,offset,incident",
        ),
        (
            "timeline",
            "first,last,count,rule,severity,component,store_id,region_id,task,error_code,summary,incident,file,line",
        ),
        (
            "incidents",
            "incident,kind,severity,status,start,end,task,stores,regions,cause,verdict,summary,commands,events,evidence",
        ),
        (
            "tasks",
            "task,status,start_time,storage,checkpoint_ts,checkpoint_time,observed_at,gap_s,gc_safepoint_ts,gc_safepoint_time,exceeded_by_s,resume_deadline,deadline_basis,verdict,error_store,error_code,error_region,commands",
        ),
        (
            "regions",
            "region_id,events,errors,first,last,stores,leader_store,rules,merge_source_of,merge_target_of,merge_started,merge_ended,merge_result,start_key,end_key,incident",
        ),
        (
            "stores",
            "store_id,address,component,version,sources,records,first,last,events,errors,regions,restarts,clock_skew_ms,identified_by",
        ),
        ("errors", "error_code,rule,count,first,last,stores,regions,meaning,remedy"),
        ("unmatched", "template,component,level,count,first,last,example,file,line"),
        (
            "sources",
            "file,component,instance,store_id,bytes,records,continuation_lines,unparsed_lines,first,last,status,problem",
        ),
    ];
    for (table, head) in columns {
        assert_eq!(report.head(table), head, "{table}.csv");
    }
    let mut expected: Vec<String> = columns.iter().map(|(table, _)| format!("{table}.csv")).collect();
    expected.extend(["report.md".to_owned(), "summary.json".to_owned()]);
    expected.sort();
    let found: Vec<&str> = report.names().into_iter().filter(|name| *name != "report.html").collect();
    assert_eq!(found, expected);
    assert_eq!(report.summary()["schema"], 1);
}

#[test]
fn every_answer_fits_a_screen_and_names_a_file_that_is_there() {
    for folder in FOLDERS {
        let sandbox = Sandbox::with_testdata(&[folder]);
        let (run, report) = sandbox.analyze([folder], "out");
        let lines: Vec<&str> = run.stdout.lines().collect();
        assert!(lines.len() <= 25, "{folder}: {} lines\n{}", lines.len(), run.stdout);
        assert!(lines.iter().all(|line| line.chars().count() <= 120), "{folder}: {}", run.stdout);
        let named = run.stdout.split_whitespace().last().unwrap();
        assert!(sandbox.path(named).is_file(), "{folder}: {named} is not in {:?}", report.names());
    }
}

#[test]
fn the_readme_shows_what_is_printed() {
    let readme = std::fs::read_to_string(project().join("README.md")).unwrap();
    let shown = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let (run, _) = analyze("merge-failed-task");
    assert!(shown.lines().count() > 10);
    for (shown, printed) in shown.lines().zip(run.stdout.lines()) {
        // Dots stand for what differs from day to day, or goes on.
        let (head, tail) = shown.split_once("...").unwrap_or((shown, shown));
        assert!(printed.starts_with(head) && printed.ends_with(tail.trim_start()), "{shown}\n{printed}");
    }
}

#[test]
fn the_task_that_failed_over_a_merge_can_be_resumed() {
    let (run, report) = analyze("merge-failed-task");
    assert_has(
        &report.row("incidents"),
        &[
            ("kind", "task-failed"),
            ("severity", "critical"),
            ("status", "open"),
            ("start", "2022-07-25T14:54:44.467Z"),
            ("end", ""),
            ("task", "task1"),
            ("stores", "1"),
            ("regions", "94812;94816"),
            ("cause", "region-merge"),
            ("verdict", "resume"),
            ("commands", "br log resume --task-name=task1 --pd 10.0.1.1:2379"),
        ],
    );
    assert_has(
        &report.row("tasks"),
        &[
            ("task", "task1"),
            ("status", "ERROR"),
            ("start_time", "2022-07-25T13:49:02.868Z"),
            ("storage", "s3://pitr-backup/cluster-a/log"),
            ("checkpoint_ts", "434834088949972992"),
            ("checkpoint_time", "2022-07-25T14:46:50.118Z"),
            ("observed_at", "2022-07-26T02:18:19.118Z"),
            ("gap_s", "41489"),
            ("resume_deadline", "2022-07-26T14:54:44.000Z"),
            ("deadline_basis", "pd"),
            ("verdict", "resume"),
            ("error_store", "1"),
            ("error_code", "KV:LogBackup:RaftReq"),
            ("error_region", "94812"),
            ("commands", "br log resume --task-name=task1 --pd 10.0.1.1:2379"),
        ],
    );
    let region = report.row_where("regions", "region_id", "94812");
    assert_has(
        &region,
        &[("stores", "1;4;5"), ("merge_source_of", "94816"), ("merge_target_of", ""), ("merge_result", "committed")],
    );
    assert!(region["merge_started"].starts_with("2022-07-25T14:54:21.9"), "{region:#?}");
    assert!(region["merge_ended"].starts_with("2022-07-25T14:54:55.1"), "{region:#?}");
    for text in
        ["task1  ERROR", "region merge", "CAN BE RESUMED until 2022-07-26 14:54:44Z", "br log resume --task-name=task1"]
    {
        assert!(run.stdout.contains(text), "{text}: {}", run.stdout);
    }
}

#[test]
fn every_step_of_the_evidence_stands_where_the_report_says() {
    let sandbox = Sandbox::with_testdata(&["merge-failed-task"]);
    let (_, report) = sandbox.analyze(["merge-failed-task"], "out");
    let evidence = report.row("incidents")["evidence"].clone();
    let line_of = |place: &str| {
        let (file, line) = place.rsplit_once(':').unwrap();
        sandbox.read(file).lines().nth(line.parse::<usize>().unwrap() - 1).unwrap().to_owned()
    };
    let lines: Vec<String> = evidence.split(';').map(line_of).collect();
    for text in
        ["read index not ready", "backup stream meet fatal error", "start rejecting new proposals before prepare merge"]
    {
        assert!(lines.iter().any(|line| line.to_lowercase().contains(text)), "{text}: {lines:#?}");
    }
    for row in report.rows("events") {
        let text = std::fs::read(sandbox.path(&row["file"])).unwrap();
        let offset = row["offset"].parse::<usize>().unwrap();
        let line = text[..offset].split(|byte| *byte == b'\n').count();
        assert_eq!(row["line"], line.to_string(), "{row:#?}");
    }
}

#[test]
fn clusters_that_share_stores_and_addresses_are_told_apart() {
    let sandbox = Sandbox::with_testdata(&FOLDERS);
    let (run, together) = sandbox.analyze(FOLDERS, "together");
    let incidents = together.rows("incidents");
    let told: Vec<[&str; 4]> =
        incidents.iter().map(|row| ["kind", "status", "task", "verdict"].map(|column| row[column].as_str())).collect();
    assert_eq!(
        told,
        [
            ["task-failed", "open", "pitr", "recreate-task"],
            ["resume-refused", "open", "pitr", "recreate-task"],
            // As of the newest record of all: its deadline has passed.
            ["task-failed", "open", "task1", "resume-or-recreate"],
            ["restore-incomplete", "open", "", "set-tiflash-replica"],
            ["task-failed", "recovered", "orders-pitr", "none"],
        ]
    );
    let tasks: Vec<_> = together.rows("tasks").iter().map(|row| format!("{} {}", row["task"], row["status"])).collect();
    assert_eq!(tasks, ["orders-pitr NORMAL", "pitr ERROR", "pitr-daily NORMAL", "task1 ERROR"]);
    assert!(run.stdout.contains("These are logs of 6 clusters"), "{}", run.stdout);
    // Each is told as by itself.
    let (_, alone) = sandbox.analyze(["resume-refused"], "alone");
    for (row, own) in incidents.iter().zip(alone.rows("incidents")) {
        for column in ["incident", "start", "stores", "regions", "cause", "commands", "events", "evidence"] {
            assert_eq!(row[column], own[column], "{column}");
        }
        assert!(row["summary"].ends_with(&own["summary"]), "{}", row["summary"]);
    }
    let events = together.rows("events");
    let of_the_refused = events.iter().filter(|row| row["file"].starts_with("resume-refused/"));
    for (row, own) in of_the_refused.zip(alone.rows("events")) {
        assert_eq!(*row, own);
    }
}

#[test]
fn the_refused_task_has_to_be_created_again() {
    let (run, report) = analyze("resume-refused");
    let again = "br log stop --task-name=pitr --pd 10.0.1.1:2379 \
        && br log start --task-name=pitr --pd 10.0.1.1:2379 --storage s3://pitr-backup/cluster-b/log \
        && br backup full --pd 10.0.1.1:2379 --storage '<FULL_BACKUP_STORAGE>'";
    assert_eq!(report.rows("incidents").len(), 2);
    assert_has(
        &report.row_where("incidents", "kind", "resume-refused"),
        &[
            ("severity", "critical"),
            ("status", "open"),
            ("task", "pitr"),
            ("cause", "gc-safepoint"),
            ("verdict", "recreate-task"),
            ("commands", again),
        ],
    );
    assert_has(
        &report.row_where("incidents", "kind", "task-failed"),
        &[
            ("severity", "critical"),
            ("status", "open"),
            ("start", "2022-05-13T11:54:41.873Z"),
            ("stores", "5"),
            ("regions", "51204;51208"),
            ("cause", "region-merge"),
            ("verdict", "recreate-task"),
        ],
    );
    assert_has(
        &report.row("tasks"),
        &[
            ("status", "ERROR"),
            ("checkpoint_ts", "433177834291200000"),
            ("checkpoint_time", "2022-05-13T11:45:00.000Z"),
            ("gc_safepoint_ts", "433193092308795392"),
            ("gc_safepoint_time", "2022-05-14T03:55:04.718Z"),
            ("exceeded_by_s", "58204"),
            ("verdict", "recreate-task"),
            ("commands", again),
        ],
    );
    assert!(run.stdout.contains("CANNOT BE RESUMED"), "{}", run.stdout);
}

#[test]
fn the_tables_that_lost_their_replicas_are_named_with_their_statements() {
    let (run, report) = analyze("restore-without-tiflash");
    let statements =
        "ALTER TABLE `app`.`order_items` SET TIFLASH REPLICA 1; ALTER TABLE `app`.`orders` SET TIFLASH REPLICA 2";
    assert_has(
        &report.row("incidents"),
        &[
            ("kind", "restore-incomplete"),
            ("status", "open"),
            ("cause", "tiflash-replica"),
            ("verdict", "set-tiflash-replica"),
            ("commands", statements),
        ],
    );
    assert!(run.stdout.contains("ALTER TABLE `app`.`orders` SET TIFLASH REPLICA 2"), "{}", run.stdout);
    assert!(!report.text("incidents.csv").contains("audit_log"));
}

#[test]
fn a_merge_that_the_retry_survived_is_no_incident() {
    let (run, report) = analyze("merge-survived");
    assert_eq!(report.rows("incidents").len(), 0);
    assert_has(
        &report.row("tasks"),
        &[
            ("task", "pitr-daily"),
            ("status", "NORMAL"),
            ("checkpoint_time", "2022-08-03T10:41:48.117Z"),
            ("verdict", "none"),
        ],
    );
    assert!(run.stdout.starts_with("Nothing wrong found.\npitr-daily NORMAL, checkpoint "), "{}", run.stdout);
    assert!(run.stdout.lines().count() <= 3, "{}", run.stdout);
}

#[test]
fn a_task_that_was_resumed_in_time_has_recovered() {
    let (_, report) = analyze("resume-in-time");
    for row in report.rows("incidents") {
        assert_has(
            &row,
            &[("kind", "task-failed"), ("status", "recovered"), ("severity", "notice"), ("verdict", "none")],
        );
    }
    assert_has(
        &report.row("tasks"),
        &[("status", "NORMAL"), ("checkpoint_time", "2022-08-10T11:01:30.610Z"), ("verdict", "none"), ("commands", "")],
    );
}

#[test]
fn a_restore_with_v65_is_no_incident() {
    let (run, report) = analyze("restore-v65");
    assert_eq!(report.rows("incidents").len(), 0);
    assert_eq!(report.rows("tasks").len(), 0);
    assert!(
        run.stdout.starts_with("No incident found, but 1 warning.\n  1 x clientgo-server-busy, first at "),
        "{}",
        run.stdout
    );
}

/// The folders share store ids and addresses, so they are one cluster's logs for the program: verdicts depend on what came
/// later, but what happened to each task must not.
/// What a person reads, word for word. The run's own data differ from run to run and are cut out.
#[test]
fn answers_and_reports_of_the_three_incidents() {
    for folder in ["merge-failed-task", "resume-refused", "restore-without-tiflash"] {
        let (run, report) = analyze(folder);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(project().join("tests/it/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.add_filter(r", \d+(\.\d+)? s\.  Everything", ", [time]  Everything");
        settings.add_filter(r"clock \([^)]+\)", "clock ([now])");
        settings.bind(|| {
            insta::assert_snapshot!(format!("{folder}-answer"), run.stdout);
            insta::assert_snapshot!(format!("{folder}-report"), report.lasting()["report.md"]);
        });
    }
}
