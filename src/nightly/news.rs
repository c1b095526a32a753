//! What is new about incidents since they were last told, and who has fallen silent.

use super::counts::Counts;
use super::state::Told;
use crate::correlate::{Findings, Incident, IncidentStatus, Verdict};
use crate::units::{Severity, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What is new about an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// It is new.
    New,
    /// It was over and is open again.
    Reopened,
    /// It is over.
    Recovered,
    /// Something else is to be done.
    Verdict(Verdict),
    /// Its deadline has moved.
    Deadline(Timestamp),
    /// Its deadline comes before the next night.
    Due(Timestamp),
    /// More records belong to it.
    More(u64),
}

/// What is new.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Per incident, in the order of the table.
    pub(super) changes: Vec<(Incident, Vec<Change>)>,
    /// Open incidents that are now part of another, or turned out to be none.
    pub(super) gone: Vec<Told>,
    /// Who gave records last time and gives none now.
    pub(super) silent: BTreeSet<String>,
    /// What could not be read, where that is new.
    pub(super) unread: Vec<String>,
    /// New events.
    pub(super) events: u64,
    /// New records that no rule knows.
    pub(super) unmatched: u64,
}

impl News {
    /// Whether there is anything for a report.
    pub(super) fn is_any(&self) -> bool {
        let told = |changes: &[Change]| changes.iter().any(|change| !matches!(change, Change::More(_)));
        self.events > 0
            || self.unmatched > 0
            || self.changes.iter().any(|(_, changes)| told(changes))
            || !(self.gone.is_empty() && self.silent.is_empty() && self.unread.is_empty())
    }

    /// Incidents that the report shows: open ones, and those about which something is new.
    pub(super) fn listed(&self) -> BTreeSet<String> {
        let shown = |(incident, changes): &&(Incident, Vec<Change>)| {
            incident.status == IncidentStatus::Open || !changes.is_empty()
        };
        self.changes.iter().filter(shown).map(|(incident, _)| incident.id.clone()).collect()
    }

    /// Whether an incident at least this severe is open, or new.
    pub(super) fn fails(&self, least: Severity) -> bool {
        self.changes.iter().any(|(incident, changes)| {
            let counts = incident.status == IncidentStatus::Open || changes.contains(&Change::New);
            counts && incident.severity >= least
        })
    }

    /// How many incidents are new.
    pub(super) fn new_incidents(&self) -> u64 {
        self.changes.iter().filter(|(_, changes)| changes.contains(&Change::New)).count() as u64
    }

    /// A sentence each, worst first.
    pub(super) fn sentences(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (incident, changes) in &self.changes {
            for change in changes {
                all.push(sentence(incident, change));
            }
        }
        all.extend(self.gone.iter().map(|told| format!("{} is no longer an incident of its own.", told.id)));
        all.extend(self.silent.iter().map(|name| format!("{name} gave records last time and gives none now.")));
        all.extend(self.unread.iter().cloned());
        all
    }
}

fn sentence(incident: &Incident, change: &Change) -> String {
    let Incident { id, severity, summary, .. } = incident;
    match change {
        Change::New if incident.status == IncidentStatus::Recovered => format!("New, and over: {id}. {summary}"),
        Change::New => format!("New ({severity}): {id}. {summary}"),
        Change::Reopened => format!("Open again ({severity}): {id}. {summary}"),
        Change::Recovered => format!("Over: {id}. {summary}"),
        Change::Verdict(was) => format!("{id}: what to do has changed from {was} to {}. {summary}", incident.verdict),
        Change::Deadline(until) => format!("{id}: the data of its task are safe from GC until {}Z.", until.human()),
        Change::Due(until) => {
            format!("{id}: the time for a resume runs out at {}Z, before the next night.", until.human())
        }
        Change::More(events) => format!("{id}: goes on, {events} more records."),
    }
}

/// Compares incidents with how they were told. `next` is when the next night is expected.
pub(super) fn compare(
    findings: &Findings,
    counts: &Counts,
    told: &[Told],
    now: Timestamp,
    next: Timestamp,
) -> (News, Vec<Told>) {
    let mut before: BTreeMap<&str, &Told> = told.iter().map(|one| (one.id.as_str(), one)).collect();
    let mut news = News { events: counts.events, ..News::default() };
    let mut after: Vec<Told> = Vec::new();
    for incident in &findings.incidents {
        let known = before.remove(incident.id.as_str());
        let fresh = counts.by_incident.get(&incident.id).copied().unwrap_or_default();
        // Of what is over and was told long ago only the end may be remembered: that is no new incident.
        if known.is_none() && fresh == 0 && incident.status == IncidentStatus::Recovered {
            continue;
        }
        let deadline = deadline(findings, incident);
        let changes = changes(incident, known, deadline, fresh, now, next);
        let due = match changes.iter().find_map(|change| if let Change::Due(at) = change { Some(*at) } else { None }) {
            Some(due) => Some(due),
            None => known.and_then(|known| known.due),
        };
        after.push(Told {
            id: incident.id.clone(),
            kind: incident.kind,
            severity: incident.severity,
            status: incident.status,
            start: incident.start,
            task: incident.task.clone(),
            verdict: incident.verdict,
            deadline,
            due,
            since: known.map_or(now, |known| known.since),
            seen: now,
        });
        news.changes.push((incident.clone(), changes));
    }
    for gone in before.into_values() {
        if gone.status == IncidentStatus::Open {
            news.gone.push(gone.clone());
        } else if now.since(gone.seen) < KEPT_MS {
            after.push(gone.clone());
        }
    }
    after.sort_by(|a, b| a.id.cmp(&b.id));
    (news, after)
}

/// What is over is remembered this long, so that it is not told as new.
const KEPT_MS: i64 = 90 * 86_400_000;

fn changes(
    incident: &Incident,
    known: Option<&Told>,
    deadline: Option<Timestamp>,
    fresh: u64,
    now: Timestamp,
    next: Timestamp,
) -> Vec<Change> {
    let open = incident.status == IncidentStatus::Open;
    let soon = deadline.filter(|until| incident.verdict == Verdict::Resume && *until > now && *until <= next);
    let mut changes = Vec::new();
    let Some(known) = known else {
        changes.push(Change::New);
        changes.extend(soon.map(Change::Due));
        return changes;
    };
    match (known.status, incident.status) {
        (IncidentStatus::Open, IncidentStatus::Recovered) => changes.push(Change::Recovered),
        (IncidentStatus::Recovered, IncidentStatus::Open) => changes.push(Change::Reopened),
        _ => {}
    }
    if open {
        if known.verdict != incident.verdict && known.status == IncidentStatus::Open {
            changes.push(Change::Verdict(known.verdict));
        }
        changes.extend(deadline.filter(|_| known.deadline != deadline).map(Change::Deadline));
        changes.extend(soon.filter(|_| known.due != soon).map(Change::Due));
    }
    if changes.is_empty() && fresh > 0 {
        changes.push(Change::More(fresh));
    }
    changes
}

/// Until when the task of an open incident can be resumed.
fn deadline(findings: &Findings, incident: &Incident) -> Option<Timestamp> {
    findings.task_of(incident).filter(|_| incident.status == IncidentStatus::Open)?.resume_deadline
}

/// The next moment at which something falls due though no log says anything new.
pub(super) fn due(told: &[Told], now: Timestamp, next: Timestamp) -> bool {
    let open = told.iter().filter(|one| one.status == IncidentStatus::Open && one.verdict == Verdict::Resume);
    open.filter_map(|one| one.deadline.map(|until| (until, one.due)))
        // Past it the verdict changes; shortly before it a word is due.
        .any(|(until, due)| until < now || (until <= next && due != Some(until)))
}

/// When the next night is expected: as long after this one as this one is after the last; a day where that is not known.
pub(super) fn next_night(last: Option<Timestamp>, now: Timestamp) -> Timestamp {
    const DAY_MS: i64 = 86_400_000;
    const HOUR_MS: i64 = 3_600_000;
    let between = last.map_or(DAY_MS, |last| now.since(last));
    now.plus_ms(between.clamp(HOUR_MS, 8 * DAY_MS))
}

/// Who gave records last time and gives none now. Where nobody gives any, shortly after the last run, nobody can be expected to.
pub(super) fn silent(before: &BTreeSet<String>, voices: &BTreeSet<String>, since_last_ms: i64) -> BTreeSet<String> {
    if is_too_soon(voices, since_last_ms) { BTreeSet::new() } else { before.difference(voices).cloned().collect() }
}

/// Whom the next run is to expect: where it was too soon to tell, whoever was expected before.
pub(super) fn expected(before: BTreeSet<String>, voices: BTreeSet<String>, since_last_ms: i64) -> BTreeSet<String> {
    if is_too_soon(&voices, since_last_ms) { before } else { voices }
}

fn is_too_soon(voices: &BTreeSet<String>, since_last_ms: i64) -> bool {
    const SOON_MS: i64 = 3_600_000;
    voices.is_empty() && since_last_ms < SOON_MS
}
