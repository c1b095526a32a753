//! What differs between two summaries.

use super::read::{Incident, Summary, Task};
use crate::units::Severity;
use std::collections::BTreeMap;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An incident, by its id.
    Incident,
    /// A log backup task.
    Task,
    /// Events of a rule.
    Rule,
    /// Events with an error code.
    Code,
    /// Events about a store.
    Store,
    /// Events about a region.
    Region,
    /// Records that no rule knew.
    Template,
}

impl Subject {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 7] =
        [Self::Incident, Self::Task, Self::Rule, Self::Code, Self::Store, Self::Region, Self::Template];

    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Task => "task",
            Self::Rule => "rule",
            Self::Code => "error code",
            Self::Store => "store",
            Self::Region => "region",
            Self::Template => "template",
        }
    }
}

/// Which way something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Only in the later report.
    New,
    /// In both, but not the same.
    Changed,
    /// More of it.
    Grown,
    /// Less of it.
    Shrunk,
    /// Only in the earlier report.
    Gone,
}

impl Turn {
    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Grown => "grown",
            Self::Shrunk => "shrunk",
            Self::Gone => "gone",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What is counted.
    pub subject: Subject,
    /// Its id or name.
    pub name: String,
    /// Which way it went.
    pub turn: Turn,
    /// Events in the earlier report.
    pub old: Option<u64>,
    /// Events in the later one.
    pub new: Option<u64>,
    /// Severity, of incidents.
    pub severity: Option<Severity>,
    /// Whether it is an incident that somebody must act on now.
    pub is_open: bool,
    /// What else there is to say.
    pub note: String,
}

impl Change {
    /// By how much it grew.
    pub fn difference(&self) -> i128 {
        i128::from(self.new.unwrap_or(0)) - i128::from(self.old.unwrap_or(0))
    }
}

/// Everything that differs.
pub fn compare(old: &Summary, new: &Summary) -> Vec<Change> {
    let mut changes = Vec::new();
    incidents(old, new, &mut changes);
    tasks(old, new, &mut changes);
    let named = |counts: &BTreeMap<u64, u64>| counts.iter().map(|(id, count)| (id.to_string(), *count)).collect();
    let codes = |of: &Summary| of.errors.iter().map(|row| (row.error_code.clone(), row.count)).collect();
    let templates = |of: &Summary| {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        of.unmatched.iter().for_each(|row| *sums.entry(row.template.clone()).or_default() += row.count);
        sums
    };
    let none = BTreeMap::new();
    counts(Subject::Rule, &old.events.by_rule, &new.events.by_rule, &none, &mut changes);
    counts(Subject::Code, &codes(old), &codes(new), &meanings(old, new), &mut changes);
    counts(
        Subject::Store,
        &named(&old.events.by_store),
        &named(&new.events.by_store),
        &addresses(old, new),
        &mut changes,
    );
    counts(Subject::Region, &named(&old.events.by_region), &named(&new.events.by_region), &none, &mut changes);
    counts(Subject::Template, &templates(old), &templates(new), &writers(old, new), &mut changes);
    changes.sort_by(|a, b| {
        let key =
            |one: &Change| (one.subject, one.turn, std::cmp::Reverse((one.severity, one.difference().unsigned_abs())));
        // Ids are numbers: the shorter text is the smaller one.
        key(a).cmp(&key(b)).then_with(|| (a.name.len(), &a.name).cmp(&(b.name.len(), &b.name)))
    });
    changes
}

fn incidents(old: &Summary, new: &Summary, changes: &mut Vec<Change>) {
    let by_id = |of: &'_ Summary| -> BTreeMap<String, Incident> {
        of.incidents.iter().map(|row| (row.incident.clone(), row.clone())).collect()
    };
    let (before, after) = (by_id(old), by_id(new));
    let change = |turn, id: &str, shown: &Incident, note: String| Change {
        subject: Subject::Incident,
        name: id.to_owned(),
        turn,
        old: before.get(id).map(|row| row.events),
        new: after.get(id).map(|row| row.events),
        severity: Some(shown.severity),
        is_open: shown.status == "open",
        note,
    };
    let summary = |row: &Incident| format!("{}: {}", row.status, row.summary.as_deref().unwrap_or_default());
    for (id, row) in &after {
        match before.get(id) {
            None => changes.push(change(Turn::New, id, row, summary(row))),
            Some(known) => {
                let parts = [
                    ("", &known.status, &row.status),
                    ("cause ", &known.cause, &row.cause),
                    ("verdict ", &known.verdict, &row.verdict),
                ];
                let severity =
                    (known.severity != row.severity).then(|| format!("{} → {}", known.severity, row.severity));
                let told: Vec<String> = differing(&parts).into_iter().chain(severity).collect();
                if !told.is_empty() {
                    changes.push(change(Turn::Changed, id, row, told.join("; ")));
                } else if known.events != row.events {
                    let turn = if row.events > known.events { Turn::Grown } else { Turn::Shrunk };
                    changes.push(change(turn, id, row, summary(row)));
                }
            }
        }
    }
    for (id, row) in before.iter().filter(|(id, _)| !after.contains_key(*id)) {
        changes.push(Change { is_open: false, ..change(Turn::Gone, id, row, format!("was {}", summary(row))) });
    }
}

fn tasks(old: &Summary, new: &Summary, changes: &mut Vec<Change>) {
    let by_name = |of: &'_ Summary| -> BTreeMap<String, Task> {
        of.tasks.iter().map(|row| (row.task.clone(), row.clone())).collect()
    };
    let (before, after) = (by_name(old), by_name(new));
    let mut push = |name: &str, turn, note| {
        changes.push(Change {
            subject: Subject::Task,
            name: name.to_owned(),
            turn,
            old: None,
            new: None,
            severity: None,
            is_open: false,
            note,
        });
    };
    for (name, row) in &after {
        let Some(known) = before.get(name) else {
            push(name, Turn::New, row.status.clone());
            continue;
        };
        let mut told = differing(&[("", &known.status, &row.status), ("verdict ", &known.verdict, &row.verdict)]);
        // A checkpoint that moves on is the normal course.
        if let (Some(before), Some(now)) = (known.checkpoint_ts, row.checkpoint_ts) {
            if now < before {
                told.push("checkpoint went back".to_owned());
            } else if now == before && row.observed_at > known.observed_at {
                told.push("checkpoint stands still".to_owned());
            }
        }
        if !told.is_empty() {
            push(name, Turn::Changed, told.join("; "));
        }
    }
    for (name, row) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
        push(name, Turn::Gone, format!("was {}", row.status));
    }
}

/// `open → recovered`, for each part that is not the same.
fn differing(parts: &[(&str, &String, &String)]) -> Vec<String> {
    let differs = |(_, old, new): &&(&str, &String, &String)| old != new;
    parts.iter().filter(differs).map(|(name, old, new)| format!("{name}{old} → {new}")).collect()
}

fn counts(
    subject: Subject,
    old: &BTreeMap<String, u64>,
    new: &BTreeMap<String, u64>,
    notes: &BTreeMap<String, String>,
    changes: &mut Vec<Change>,
) {
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    for name in names {
        let (before, after) = (old.get(name).copied(), new.get(name).copied());
        let turn = match (before, after) {
            (None, _) => Turn::New,
            (_, None) => Turn::Gone,
            (before, after) if after > before => Turn::Grown,
            (before, after) if after < before => Turn::Shrunk,
            _ => continue,
        };
        changes.push(Change {
            subject,
            name: name.clone(),
            turn,
            old: before,
            new: after,
            severity: None,
            is_open: false,
            note: notes.get(name).cloned().unwrap_or_default(),
        });
    }
}

fn meanings(old: &Summary, new: &Summary) -> BTreeMap<String, String> {
    let rows = old.errors.iter().chain(&new.errors);
    rows.filter_map(|row| Some((row.error_code.clone(), row.meaning.clone()?))).collect()
}

fn addresses(old: &Summary, new: &Summary) -> BTreeMap<String, String> {
    let rows = old.stores.iter().chain(&new.stores);
    rows.filter_map(|row| Some((row.store_id?.to_string(), row.address.clone()?))).collect()
}

/// Who writes the records of a template, and at which level.
fn writers(old: &Summary, new: &Summary) -> BTreeMap<String, String> {
    let rows = old.unmatched.iter().chain(&new.unmatched);
    rows.map(|row| {
        let level = row.level.map(|level| level.as_str().to_owned());
        (row.template.clone(), row.component.clone().into_iter().chain(level).collect::<Vec<_>>().join(" "))
    })
    .collect()
}
