//! What a night comes to: what is new, who is silent, what could not be read, and the exit status of it all.

use super::counts::Counts;
use super::news::{self, News};
use super::night::Night;
use super::novelty::Novelty;
use super::read::Read;
use super::state::{OpenIncident, Summary, TaskNow, Told};
use super::tonight::Tonight;
use super::{inputs, narrow, notice};
use crate::correlate::{Correlation, Findings, IncidentStatus, TaskStatus};
use crate::event::ReadStatus;
use crate::input::Status;
use crate::outcome::Outcome;
use crate::units::Timestamp;
use std::collections::BTreeSet;

impl Night<'_> {
    pub(super) fn news(
        &self,
        correlation: &Correlation,
        read: &Read,
        tonight: &Tonight,
        voices: &BTreeSet<String>,
    ) -> anyhow::Result<(News, Vec<Told>, Counts)> {
        let counts = Counts::of(&read.fresh(), correlation, self.config.episode_gap_ms)?;
        let (mut news, told) = news::compare(&correlation.findings, &counts, &self.before.told, self.now, self.next());
        news.unmatched = read.unmatched.iter().map(|row| row.count).sum();
        if let Some(last) = &self.before.last {
            news.silent = news::silent(&self.before.voices, voices, self.now.since(last.started));
        }
        news.unread = self.newly_unread(unread(tonight, read));
        Ok((news, told, counts))
    }

    fn newly_unread(&self, all: Vec<String>) -> Vec<String> {
        let known = |said: &String| self.before.last.as_ref().is_some_and(|last| last.summary.unread.contains(said));
        all.into_iter().filter(|said| !known(said)).collect()
    }

    /// Whether nothing can have changed: no new text, nobody who falls silent, no deadline.
    pub(super) fn is_quiet(&self, tonight: &Tonight) -> bool {
        let Some(last) = &self.before.last else { return false };
        let silent = news::silent(&self.before.voices, &BTreeSet::new(), self.now.since(last.started));
        let nothing = Read::nothing(0);
        tonight.readings.is_empty()
            && tonight.cut.is_empty()
            && silent.is_empty()
            && !news::due(&self.before.told, self.now, self.next())
            && self.newly_unread(unread(tonight, &nothing)).is_empty()
    }

    /// Who gave records: stores and other servers, and inputs as the config names them.
    pub(super) fn voices(&self, correlation: &Correlation, read: &Read, tonight: &Tonight) -> BTreeSet<String> {
        let mut voices = narrow::voices(&correlation.findings, &read.rows);
        let spoke: BTreeSet<&str> = read
            .rows
            .iter()
            .filter(|row| row.records > 0)
            .filter_map(|row| Some(tonight.inputs[tonight.readings.get(&row.file)?.input].name()))
            .collect();
        for pattern in &self.config.inputs {
            let found = inputs::find(self.config, std::slice::from_ref(pattern));
            if found.inputs.iter().any(|input| spoke.contains(input.name())) {
                voices.insert(format!("input {pattern}"));
            }
        }
        voices
    }

    /// Whom the next run is to expect.
    pub(super) fn expected(&self, voices: BTreeSet<String>) -> BTreeSet<String> {
        let since = self.before.last.as_ref().map_or(i64::MAX, |last| self.now.since(last.started));
        news::expected(self.before.voices.clone(), voices, since)
    }

    #[allow(clippy::too_many_arguments, reason = "all that a night has found comes together here, once")]
    pub(super) fn summary(
        &self,
        correlation: &Correlation,
        read: &Read,
        news: &News,
        novelties: &[Novelty],
        tonight: &Tonight,
        voices: &BTreeSet<String>,
        newest: Option<Timestamp>,
    ) -> (Outcome, Summary) {
        let findings = &correlation.findings;
        let unread = unread(tonight, read);
        let fails = self.config.fail_on.is_some_and(|least| news.fails(least));
        let outcome = outcome(!unread.is_empty(), fails);
        let last = self.before.last.as_ref().map(|last| &last.summary.silent);
        let silent = last.into_iter().flatten().chain(&news.silent).filter(|name| !voices.contains(*name));
        let summary = Summary {
            bytes: read.bytes,
            records: findings.totals.records,
            events: news.events,
            duration_ms: 0,
            newest,
            open: open(findings),
            tasks: tasks(findings),
            silent: silent.cloned().collect(),
            new: news.new_incidents(),
            status: outcome.code(),
            news: notice::sentences(news, novelties),
            unread,
        };
        (outcome, summary)
    }

    /// Of a night without news: what was open is open, who was silent is silent.
    pub(super) fn quiet_summary(&self, tonight: &Tonight) -> (Outcome, Summary) {
        let last = self.before.last.as_ref().map(|last| last.summary.clone()).unwrap_or_default();
        let unread = unread(tonight, &Read::nothing(0));
        let fails = self.config.fail_on.is_some_and(|least| last.open.iter().any(|one| one.severity >= least));
        let outcome = outcome(!unread.is_empty(), fails);
        let summary = Summary {
            bytes: tonight.bytes,
            records: 0,
            events: 0,
            duration_ms: self.took_ms(),
            new: 0,
            status: outcome.code(),
            news: Vec::new(),
            unread,
            ..last
        };
        (outcome, summary)
    }
}

fn outcome(unread: bool, fails: bool) -> Outcome {
    match (unread, fails) {
        (true, _) => Outcome::Incomplete,
        (false, true) => Outcome::Found,
        (false, false) => Outcome::Done,
    }
}

/// What could not be read, a sentence each.
fn unread(tonight: &Tonight, read: &Read) -> Vec<String> {
    let failed = tonight.problems.iter().filter(|problem| problem.status != Status::Skipped);
    let failed = failed.map(|problem| format!("{} cannot be read: {}.", problem.file, problem.reason));
    let partial = read.rows.iter().filter(|row| matches!(row.status, ReadStatus::Partial | ReadStatus::Failed));
    let partial = partial.map(|row| {
        let problem = row.problem.as_deref().unwrap_or("no reason is known");
        format!("{} was not read to its end: {problem}.", row.file)
    });
    let mut all: Vec<String> = failed.chain(partial).collect();
    all.sort();
    all.dedup();
    all
}

fn open(findings: &Findings) -> Vec<OpenIncident> {
    let open = findings.incidents.iter().filter(|incident| incident.status == IncidentStatus::Open);
    open.map(|incident| OpenIncident {
        id: incident.id.clone(),
        kind: incident.kind,
        severity: incident.severity,
        task: incident.task.clone(),
        verdict: incident.verdict,
        start: incident.start,
        summary: incident.summary.clone(),
    })
    .collect()
}

fn tasks(findings: &Findings) -> Vec<TaskNow> {
    let now = |task: &crate::correlate::Task| TaskNow {
        name: task.name.clone(),
        status: task.status,
        checkpoint: task.checkpoint.map(crate::units::Tso::time).or(task.checkpoint_time),
        deadline: task.resume_deadline.filter(|_| task.status != TaskStatus::Normal),
    };
    findings.tasks.iter().filter(|task| task.status != TaskStatus::Stopped).map(now).collect()
}
