//! Metrics for node_exporter's textfile collector: a text file of Prometheus' exposition format, replaced at the end of each run,
//! also of one that failed.

use super::state::{Run, State};
use crate::outcome::Outcome;
use crate::safe::Safe;
use crate::units::{Severity, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Labels that samples have by themselves.
pub(super) const LABELS: [&str; 10] =
    ["incident", "kind", "name", "rule", "severity", "status", "store", "task", "verdict", "version"];

/// All metrics after a run; `labels` stand on every sample.
///
/// # Errors
/// Where the state cannot be read.
pub(super) fn render(state: &State, run: &Run, labels: &[(String, String)]) -> anyhow::Result<String> {
    let summary = &run.summary;
    let mut page = Page::new(labels);
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.family("tidescope_build_info", "gauge", "Always 1.").sample(&version, 1.0);
    last_run(&mut page, run.started, summary.status);
    let success = "Start of the last run that came to its end.";
    page.family("tidescope_last_success_timestamp_seconds", "gauge", success).sample(&[], seconds(run.started));
    page.family("tidescope_last_success_duration_seconds", "gauge", "How long it took.")
        .sample(&[], summary.duration_ms as f64 / 1_000.0);
    page.family("tidescope_last_success_read_bytes", "gauge", "Bytes of logs that it read.")
        .sample(&[], summary.bytes as f64);
    page.family("tidescope_last_success_records", "gauge", "New records that it read.")
        .sample(&[], summary.records as f64);
    page.family("tidescope_last_success_new_incidents", "gauge", "Incidents that were new.")
        .sample(&[], summary.new as f64);
    page.family("tidescope_unreadable_inputs", "gauge", "Inputs that it could not read.")
        .sample(&[], summary.unread.len() as f64);

    let mut open: BTreeMap<Severity, u64> = SEVERITIES.iter().map(|severity| (*severity, 0)).collect();
    summary.open.iter().for_each(|incident| *open.entry(incident.severity).or_default() += 1);
    let family = page.family("tidescope_incidents_open", "gauge", "Open incidents.");
    for (severity, count) in open {
        family.sample(&[("severity", severity.as_str())], count as f64);
    }
    let family = page.family("tidescope_incident", "gauge", "1 for each incident that is open.");
    for one in &summary.open {
        let task = one.task.as_deref().unwrap_or_default();
        let labels = [
            ("incident", &*one.id),
            ("kind", one.kind.as_str()),
            ("severity", one.severity.as_str()),
            ("task", task),
            ("verdict", one.verdict.as_str()),
        ];
        family.sample(&labels, 1.0);
    }
    tasks(&mut page, run);
    let family =
        page.family("tidescope_silent", "gauge", "1 for who gave records before and gave none in the last run.");
    for name in &summary.silent {
        family.sample(&[("name", name)], 1.0);
    }
    let family = page.family("tidescope_events_total", "counter", "Events by rule and store, over all runs.");
    for (rule, store, count) in state.totals()? {
        family.sample(&[("rule", &rule), ("store", &store)], count as f64);
    }
    Ok(page.finish())
}

/// The metrics after a run that has done nothing: those that were there, but for what they say of the last run.
pub(super) fn after_failure(before: &str, started: Timestamp, labels: &[(String, String)]) -> String {
    let mut page = Page::new(labels);
    last_run(&mut page, started, Outcome::Unusable.code());
    let said = |line: &str| LAST_RUN.iter().any(|name| line.split(['{', ' ']).any(|word| word == *name));
    before.lines().filter(|line| !said(line)).for_each(|line| page.text.push_str(&format!("{line}\n")));
    page.finish()
}

/// What is said of every run, also of one that failed.
const LAST_RUN: [&str; 2] = ["tidescope_last_run_timestamp_seconds", "tidescope_last_run_status"];

fn last_run(page: &mut Page<'_>, started: Timestamp, status: u8) {
    page.family(LAST_RUN[0], "gauge", "Start of the last run, also where it failed.").sample(&[], seconds(started));
    page.family(LAST_RUN[1], "gauge", "Its exit status; 2: it has done nothing.").sample(&[], f64::from(status));
}

fn seconds(time: Timestamp) -> f64 {
    time.0 as f64 / 1_000.0
}

const SEVERITIES: [Severity; 5] =
    [Severity::Info, Severity::Notice, Severity::Warning, Severity::Error, Severity::Critical];

fn tasks(page: &mut Page<'_>, run: &Run) {
    let tasks = &run.summary.tasks;
    let family = page.family("tidescope_task_status", "gauge", "1 for the last known status of each log backup task.");
    for task in tasks {
        family.sample(&[("task", &task.name), ("status", task.status.as_str())], 1.0);
    }
    let family = page.family("tidescope_checkpoint_timestamp_seconds", "gauge", "Checkpoint of each task.");
    for (task, checkpoint) in tasks.iter().filter_map(|task| Some((task, task.checkpoint?))) {
        family.sample(&[("task", &task.name)], seconds(checkpoint));
    }
    let family = page.family("tidescope_checkpoint_lag_seconds", "gauge", "How far it was behind when the run began.");
    for (task, checkpoint) in tasks.iter().filter_map(|task| Some((task, task.checkpoint?))) {
        family.sample(&[("task", &task.name)], run.started.since(checkpoint) as f64 / 1_000.0);
    }
    let help = "Until when a stopped task can be resumed.";
    let family = page.family("tidescope_resume_deadline_timestamp_seconds", "gauge", help);
    for (task, deadline) in tasks.iter().filter_map(|task| Some((task, task.deadline?))) {
        family.sample(&[("task", &task.name)], seconds(deadline));
    }
}

/// A page of metrics in the making.
#[derive(Debug)]
struct Page<'l> {
    text: String,
    labels: &'l [(String, String)],
    /// The metric that samples are of; its head is written with the first.
    name: &'static str,
    head: Option<(&'static str, &'static str)>,
}

impl<'l> Page<'l> {
    fn new(labels: &'l [(String, String)]) -> Self {
        Self { text: String::new(), labels, name: "", head: None }
    }

    /// Begins a metric. Without a sample nothing of it is written.
    fn family(&mut self, name: &'static str, kind: &'static str, help: &'static str) -> &mut Self {
        self.name = name;
        self.head = Some((kind, help));
        self
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        let name = self.name;
        if let Some((kind, help)) = self.head.take() {
            let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        }
        self.text.push_str(name);
        let all = self.labels.iter().map(|(label, text)| (&**label, &**text)).chain(labels.iter().copied());
        let all: Vec<String> = all.map(|(label, text)| format!("{label}=\"{}\"", escaped(text))).collect();
        if !all.is_empty() {
            let _ = write!(self.text, "{{{}}}", all.join(","));
        }
        let _ = writeln!(self.text, " {value}");
    }

    fn finish(self) -> String {
        self.text
    }
}

/// A label's value: names of tasks come from logs.
fn escaped(text: &str) -> String {
    Safe::new(true).line(text).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_of_the_documentation_name_metrics_that_there_are() {
        let alerts = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/nightly/alerts.yaml"));
        let own = include_str!("metrics.rs");
        let words = alerts.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
        let named: Vec<&str> = words.filter(|word| word.starts_with("tidescope_")).collect();
        assert!(named.len() > 5);
        for name in named {
            assert!(own.contains(&format!("\"{name}\"")), "{name}");
        }
    }

    #[test]
    fn a_failure_changes_what_is_said_of_the_last_run() {
        let mut before = Page::new(&[]);
        last_run(&mut before, Timestamp(1_000), 0);
        before.family("other", "gauge", "Stays.").sample(&[], 7.0);
        let before = before.finish();
        let mut after = before.replace("seconds 1\n", "seconds 2.5\n");
        after = after.replace("status 0\n", "status 2\n");
        assert_eq!(after_failure(&before, Timestamp(2_500), &[]), after);
        let labels = [("site".to_owned(), "a".to_owned())];
        assert!(after_failure("", Timestamp(2_500), &labels).ends_with("tidescope_last_run_status{site=\"a\"} 2\n"));
    }

    #[test]
    fn labels_are_escaped_and_empty_metrics_left_out() {
        let mut page = Page::new(&[]);
        page.family("a", "gauge", "Nothing.");
        let family = page.family("b", "gauge", "Two.");
        family.sample(&[("task", "x\"y\\z\n")], 1.5);
        family.sample(&[], 2.0);
        assert_eq!(page.finish(), "# HELP b Two.\n# TYPE b gauge\nb{task=\"x\\\"y\\\\z \"} 1.5\nb 2\n");
    }
}
