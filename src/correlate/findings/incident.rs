//! What happened: incidents, the steps of their chains, and the episodes that all events are folded to.

use super::{Cause, Certainty, IncidentKind, IncidentStatus, Place, Verdict};
use crate::units::{Component, RegionId, Severity, StoreId, Timestamp};
use serde::{Deserialize, Serialize};

/// One failure that a person must act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Kind and 8 hex digits: the same incident has the same id in every run.
    pub id: String,
    /// Kind.
    pub kind: IncidentKind,
    /// Id of its cluster, where the logs are of several.
    pub cluster: Option<String>,
    /// Severity.
    pub severity: Severity,
    /// Open or recovered.
    pub status: IncidentStatus,
    /// First evidence.
    pub start: Option<Timestamp>,
    /// When it was over; empty while open.
    pub end: Option<Timestamp>,
    /// Task.
    pub task: Option<String>,
    /// Stores that take part.
    pub stores: Vec<StoreId>,
    /// Regions that take part.
    pub regions: Vec<RegionId>,
    /// Cause.
    pub cause: Cause,
    /// Whether the cause is in a record, or joined by id and time.
    pub certainty: Certainty,
    /// Verdict.
    pub verdict: Verdict,
    /// What happened, in one or two sentences.
    pub summary: String,
    /// What the rule of its telling record says to do.
    pub remedy: Option<String>,
    /// What to type, in order.
    pub commands: Vec<String>,
    /// How many events belong to it.
    pub events: u64,
    /// The chain, first cause first.
    pub chain: Vec<Step>,
}

/// One step of an incident's chain: the same kind of event, folded over repeats and stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// First time.
    pub first: Option<Timestamp>,
    /// Last time.
    pub last: Option<Timestamp>,
    /// How many records.
    pub count: u64,
    /// Rule.
    pub rule: std::sync::Arc<str>,
    /// Severity.
    pub severity: Severity,
    /// Who wrote it.
    pub component: Option<Component>,
    /// Stores.
    pub stores: Vec<StoreId>,
    /// Regions.
    pub regions: Vec<RegionId>,
    /// What happened, in plain words.
    pub what: String,
    /// The first record's message, redacted.
    pub message: String,
    /// Whether the link to the next step is in a record or inferred.
    pub certainty: Certainty,
    /// The first record.
    pub place: Place,
}

/// A run of events of one rule, region, store and task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// First time.
    pub first: Option<Timestamp>,
    /// Last time.
    pub last: Option<Timestamp>,
    /// How many events.
    pub count: u64,
    /// Rule.
    pub rule: std::sync::Arc<str>,
    /// Severity.
    pub severity: Severity,
    /// Component.
    pub component: Option<Component>,
    /// Store.
    pub store: Option<StoreId>,
    /// Region.
    pub region: Option<RegionId>,
    /// Task.
    pub task: Option<String>,
    /// Error codes.
    pub codes: Vec<String>,
    /// The first event's message.
    pub summary: String,
    /// Incidents that rest on it.
    pub incidents: Vec<String>,
    /// The first event.
    pub place: Place,
}
