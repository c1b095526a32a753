//! What correlation finds: one typed row for each row of the report's tables. Reports print these, and nothing else.

mod cluster;
mod incident;
mod task;
mod words;

pub use cluster::{Region, Source, Store};
pub use incident::{Episode, Incident, Step};
pub use task::Task;
pub use words::*;

use crate::event::Event;
use crate::units::{Component, Level, RegionId, Severity, StoreId, Timestamp};
use serde::{Deserialize, Serialize};

/// Everything a report shows but the events themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Findings {
    /// The moment the verdicts are for.
    pub now: Option<Timestamp>,
    /// Bytes, records and events read in all.
    pub totals: Totals,
    /// Incidents, worst first, then by start.
    pub incidents: Vec<Incident>,
    /// Log backup tasks by name.
    pub tasks: Vec<Task>,
    /// Episodes by first time.
    pub episodes: Vec<Episode>,
    /// Implicated regions by id.
    pub regions: Vec<Region>,
    /// Stores by id; instances that are no store follow, by address.
    pub stores: Vec<Store>,
    /// Error codes by name.
    pub errors: Vec<ErrorCode>,
    /// Rules of events of severity warning and worse, the worst first.
    pub troubles: Vec<Trouble>,
    /// Templates of records that no rule knew, by template.
    pub unmatched: Vec<Unmatched>,
    /// Sources by name.
    pub sources: Vec<Source>,
    /// What could make the report wrong: unread sources, gaps, missing evidence. One sentence each.
    pub caveats: Vec<String>,
}

impl Findings {
    /// The task that an incident is about.
    pub fn task_of(&self, incident: &Incident) -> Option<&Task> {
        let name = incident.task.as_ref()?;
        self.tasks.iter().find(|task| task.name == *name && task.cluster == incident.cluster)
    }

    /// Whether a task is in an incident of this kind.
    pub fn is_in_incident(&self, task: &Task, of: impl Fn(&Incident) -> bool) -> bool {
        let about = |one: &&Incident| one.task.as_ref() == Some(&task.name) && one.cluster == task.cluster;
        self.incidents.iter().filter(about).any(of)
    }
}

/// Sums over all sources that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Totals {
    /// Decompressed bytes.
    pub bytes: u64,
    /// Records.
    pub records: u64,
    /// Events.
    pub events: u64,
    /// Earliest time of a record.
    pub first: Option<Timestamp>,
    /// Latest time of a record.
    pub last: Option<Timestamp>,
}

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Source.
    pub file: std::sync::Arc<str>,
    /// First line of the record, from 1.
    pub line: u64,
    /// First byte of the record: several may stand on one line.
    pub offset: u64,
}

impl Place {
    /// Where an event's record stands.
    pub(crate) fn of(event: &Event) -> Self {
        Self { file: event.file.clone(), line: event.line, offset: event.offset }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// An error code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorCode {
    /// Code.
    pub code: String,
    /// The rules whose events carry it.
    pub rules: Vec<String>,
    /// Events.
    pub count: u64,
    /// First time.
    pub first: Option<Timestamp>,
    /// Last time.
    pub last: Option<Timestamp>,
    /// Stores.
    pub stores: Vec<StoreId>,
    /// Regions.
    pub regions: Vec<RegionId>,
    /// What it means.
    pub meaning: String,
    /// What to do.
    pub remedy: String,
}

/// Events of severity warning and worse of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Rule.
    pub rule: String,
    /// The worst of them.
    pub severity: Severity,
    /// How many.
    pub count: u64,
    /// What the rule says of it.
    pub meaning: String,
    /// Where the first one stands.
    pub place: Place,
}

/// A template that no rule knew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmatched {
    /// Template.
    pub template: String,
    /// Component.
    pub component: Option<Component>,
    /// Level.
    pub level: Option<Level>,
    /// How many.
    pub count: u64,
    /// First time.
    pub first: Option<Timestamp>,
    /// Last time.
    pub last: Option<Timestamp>,
    /// Example.
    pub example: String,
    /// Where it stands.
    pub place: Place,
}
