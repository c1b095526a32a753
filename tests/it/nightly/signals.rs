//! What a night tells the outside: metrics, mail, webhook, the page over all nights, history.

use super::cluster::{DAY, Disk, HOUR, Script, moment, start};
use super::night::{Place, with_fault};
use super::prometheus;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

/// Nights up to a day.
fn nights(place: &Place, days: i64) {
    let mut disk = Disk::new(&place.logs(), Script::fortnight());
    for day in 1..=days {
        disk.advance(start() + day * DAY);
        place.night(start() + day * DAY);
    }
}

#[test]
fn metrics_are_what_a_collector_reads() {
    let place = Place::new("[metrics]\nfile = 'tidescope.prom'\n");
    nights(&place, 7);
    let metrics = prometheus::parse(&fs::read_to_string(place.path("tidescope.prom")).unwrap()).unwrap();
    let value = |name: &str, label: (&str, &str)| {
        let fits = |sample: &&prometheus::Sample| {
            sample.name == name
                && (label.0.is_empty() || sample.labels.get(label.0).is_some_and(|text| text == label.1))
        };
        metrics.iter().find(fits).map(|sample| sample.value)
    };
    let failed = start() + 6 * DAY + 9 * HOUR;
    let seconds = |time: i64| Some(time as f64 / 1_000.0);
    assert_eq!(value("tidescope_last_success_timestamp_seconds", ("", "")), seconds(start() + 7 * DAY));
    assert_eq!(value("tidescope_incidents_open", ("severity", "critical")), Some(1.0));
    assert_eq!(value("tidescope_incidents_open", ("severity", "error")), Some(0.0));
    assert_eq!(value("tidescope_incident", ("kind", "task-failed")), Some(1.0));
    assert_eq!(value("tidescope_task_status", ("status", "ERROR")), Some(1.0));
    assert_eq!(value("tidescope_resume_deadline_timestamp_seconds", ("task", "pitr")), seconds(failed + DAY));
    // The last checkpoint is three minutes older than the last upload, twenty minutes before the failure.
    assert_eq!(value("tidescope_checkpoint_lag_seconds", ("task", "pitr")), seconds(15 * HOUR + 23 * 60_000));
    let checkpoints = (6 * 24 + 9 - 1 - 33) * 3 - 2;
    let uploads = value("tidescope_events_total", ("rule", "adv-uploading-checkpoint")).unwrap();
    assert!((uploads - f64::from(checkpoints)).abs() <= 3.0, "{uploads} of {checkpoints}");
    assert!(value("tidescope_last_success_read_bytes", ("", "")).is_some_and(|bytes| bytes > 0.0));
}

/// Answers each request with the next status; gives the bodies of all.
fn server(statuses: &'static [u16]) -> (String, thread::JoinHandle<Vec<(String, String)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook?x=1", listener.local_addr().unwrap());
    let serve = thread::spawn(move || {
        statuses.iter().map(|status| answer(&mut listener.accept().unwrap().0, *status)).collect()
    });
    (url, serve)
}

fn answer(stream: &mut TcpStream, status: u16) -> (String, String) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "cut off: {head}");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    write!(stream, "HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n").unwrap();
    (head, String::from_utf8(body).unwrap())
}

#[test]
fn a_notice_arrives_after_two_refusals() {
    let (url, serve) = server(&[503, 500, 204]);
    let config = format!(
        "[webhook]\nurl = '{url}'\npause = '1ms'\nheaders = {{ Authorization = 'Bearer ${{TIDESCOPE_TEST_TOKEN}}' }}\n"
    );
    let place = Place::new(&config);
    let failed = start() + 6 * DAY + 10 * HOUR;
    Disk::new(&place.logs(), Script::fortnight()).advance(failed);
    let output = place.command(failed).env("TIDESCOPE_TEST_TOKEN", "s3cret").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let requests = serve.join().unwrap();
    let (head, body) = &requests[2];
    assert!(
        head.starts_with("POST /hook?x=1 HTTP/1.1\r\n") && head.contains("Authorization: Bearer s3cret\r\n"),
        "{head}"
    );
    let notice: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(notice["open"][0]["kind"], "task-failed");
    assert!(notice["text"].as_str().unwrap().contains("1 open (critical)"));
    assert!(requests.iter().all(|(_, sent)| sent == body));
    // A night without news says nothing: nobody listens any more, and nobody is missed.
    let quiet = place.command(failed + HOUR / 2).env("TIDESCOPE_TEST_TOKEN", "x").output().unwrap();
    assert!(!String::from_utf8_lossy(&quiet.stderr).contains("notice"));
}

#[test]
fn a_notice_that_a_killed_run_owes_is_sent_by_the_next() {
    let (url, serve) = server(&[200]);
    let place = Place::new(&format!("[webhook]\nurl = '{url}'\n"));
    let failed = start() + 6 * DAY + 10 * HOUR;
    Disk::new(&place.logs(), Script::fortnight()).advance(failed);
    let Some((output, _)) = with_fault(&place, failed, "connect", "signal=KILL:when=1") else {
        return println!("skipped: no strace here");
    };
    assert_eq!((output.status.code(), place.reports().len()), (None, 1));
    let said = String::from_utf8(place.night(failed + HOUR / 2).stderr).unwrap();
    assert!(said.contains("notice sent"), "{said}");
    let (_, body) = serve.join().unwrap().remove(0);
    let notice: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&notice["started"], &notice["new_incidents"]), (&moment(failed).into(), &2.into()));
}

#[test]
fn a_notice_that_fails_changes_nothing() {
    // Nobody listens on a port that was just given back.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let place = Place::new(&format!("[webhook]\nurl = 'http://127.0.0.1:{port}/'\ntries = 2\npause = '1ms'\n"));
    Disk::new(&place.logs(), Script::fortnight()).advance(start() + DAY);
    let output = place.night(start() + DAY);
    assert!(String::from_utf8_lossy(&output.stderr).contains("given up after 2 tries"));
    assert_eq!((output.status.code(), place.reports().len()), (Some(0), 1));
}

#[test]
fn a_missing_secret_is_named_before_anything_is_read() {
    let place = Place::new("[webhook]\nurl = 'http://x/${TIDESCOPE_TEST_MISSING}'\n");
    let output = place.command(start()).arg("--check").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("TIDESCOPE_TEST_MISSING"));
}

#[test]
fn the_check_says_what_the_config_means() {
    let place = Place::new("fail_on = 'error'\nretention = '90d'\n[mail]\nfile = 'mail.txt'\n");
    Disk::new(&place.logs(), Script::fortnight()).advance(start() + HOUR);
    let output = place.command(start()).arg("--check").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for words in ["logs: 6 files", "none yet", "error or worse", "90d", "mail.txt"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!place.path("out").exists(), "a check leaves nothing behind");
}

#[test]
fn nights_are_told_from_each_other() {
    let place = Place::new("[mail]\nfile = 'mail.txt'\n");
    nights(&place, 11);
    let history = |more: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_tidescope")).arg("history").arg(place.path("out")).args(more).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(history(&[]).lines().filter(|line| line.starts_with("2024-03-")).count(), 11);
    let stores = history(&["--by", "store", "--format", "csv"]);
    let of_5: Vec<&str> = stores.lines().filter_map(|line| Some(line.split_once(",5,")?.1)).collect();
    assert_eq!(of_5.len(), 11);
    assert!(of_5[0] != "0" && of_5[10] == "0", "store 5 is silent at last: {of_5:?}");
    assert!(history(&["--by", "rule", "--name", "fatal"]).contains("lb-fatal"));
    assert!(history(&["--by", "rule"]).contains('█'));

    // The first failure is new; the second is not, nor is it gone where it never was usual.
    let news = |day: i64| place.news(start() + day * DAY);
    assert!(news(4).contains("New code: KV:LogBackup:RaftReq"), "{}", news(4));
    assert!(!news(7).contains("New code"), "{}", news(7));
    assert!(news(8).contains("No more of rule adv-uploading-checkpoint"), "{}", news(8));

    let page = fs::read_to_string(place.path("out/index.html")).unwrap();
    for day in [1, 5, 11] {
        let name = place.report(start() + day * DAY).unwrap();
        assert!(page.contains(&format!("href=\"{}/report.html\"", name.file_name().unwrap().to_str().unwrap())));
    }
    assert!(page.contains("<td>store 5<td"));
    let mail = fs::read_to_string(place.path("mail.txt")).unwrap();
    assert!(mail.starts_with("Subject: tidescope: 1 open (critical), 0 new"), "{mail}");
}

#[test]
fn old_reports_go_whole() {
    let place = Place::new("retention = '3d'\n");
    nights(&place, 6);
    let names: Vec<_> =
        place.reports().iter().map(|path| path.file_name().unwrap().to_str().unwrap()[..10].to_owned()).collect();
    assert_eq!(names, ["2024-03-04", "2024-03-05", "2024-03-06", "2024-03-07"]);
    let page = fs::read_to_string(place.path("out/index.html")).unwrap();
    assert!(page.contains("nothing new") || page.contains("removed"));
}

#[test]
fn the_log_of_a_run_is_json_where_that_is_wanted() {
    let place = Place::new("");
    Disk::new(&place.logs(), Script::fortnight()).advance(start() + HOUR);
    let output = place.command(start() + HOUR).args(["--log-format", "json"]).output().unwrap();
    let lines: Vec<serde_json::Value> =
        String::from_utf8(output.stderr).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["message"] == "report written" && line["events"].as_u64() > Some(0)));
}
