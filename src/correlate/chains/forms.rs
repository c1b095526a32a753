//! The chains as their file writes them.

use crate::correlate::findings::{Cause, IncidentKind, Verdict};
use crate::units::{Component, Severity};
use serde::Deserialize;

/// A name for records that mean the same.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::correlate) struct KindForm {
    pub(in crate::correlate) name: String,
    #[serde(default)]
    pub(super) rules: Vec<String>,
    #[serde(default)]
    pub(super) groups: Vec<String>,
    #[serde(default)]
    pub(super) least: Option<Severity>,
    #[serde(default)]
    pub(super) words: Vec<String>,
    pub(in crate::correlate) says: String,
    #[serde(default)]
    pub(in crate::correlate) cause: Option<Cause>,
    #[serde(default)]
    pub(super) many: bool,
    /// Whether its records are about another store than their writer's.
    #[serde(default)]
    pub(in crate::correlate) other: bool,
}

/// On what two records must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::correlate) enum Join {
    /// The region, or its merge partner or split child.
    Region,
    /// The store.
    Store,
    /// The machine.
    Host,
    /// The task.
    Task,
    /// The source.
    Source,
    /// A TSO, or the one before it.
    Ts,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkForm {
    pub(super) cause: String,
    pub(super) effect: String,
    pub(super) join: Vec<Join>,
    pub(super) within: String,
    #[serde(default)]
    pub(super) observed: bool,
    #[serde(default)]
    pub(super) ends: bool,
    #[serde(default)]
    pub(super) from: Option<String>,
    #[serde(default)]
    pub(super) before: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonForm {
    pub(super) cause: Cause,
    #[serde(default)]
    pub(super) rules: Vec<String>,
    #[serde(default)]
    pub(super) words: Vec<String>,
    #[serde(default)]
    pub(super) says: Option<String>,
    #[serde(default)]
    pub(super) verdict: Option<Verdict>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::correlate) enum By {
    /// One for each store, or writer where no store is named.
    Store,
    /// One for each region.
    Region,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlarmForm {
    pub(super) kind: IncidentKind,
    pub(super) of: Vec<String>,
    pub(super) by: By,
    pub(super) gap: String,
    #[serde(default)]
    pub(super) over: Vec<String>,
    #[serde(default)]
    pub(super) cause: Option<Cause>,
    #[serde(default)]
    pub(super) verdict: Option<Verdict>,
    pub(super) severity: Severity,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BlockerForm {
    pub(super) of: Vec<String>,
    #[serde(default)]
    pub(super) cause: Option<Cause>,
    pub(super) by: By,
    #[serde(default)]
    pub(super) ts: bool,
    #[serde(default)]
    pub(super) once: bool,
}

/// What a run was to do, as far as its name hangs on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::correlate) enum Asked {
    Backup,
    Restore,
    #[default]
    Other,
}

/// What a run that failed is called by its records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CalledForm {
    #[serde(default)]
    pub(super) asked: Asked,
    #[serde(default)]
    pub(super) rules: Vec<String>,
    #[serde(default)]
    pub(super) groups: Vec<String>,
    #[serde(default)]
    pub(super) component: Option<Component>,
    #[serde(default)]
    pub(super) except: Vec<String>,
    pub(super) says: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) kind: Vec<KindForm>,
    pub(super) link: Vec<LinkForm>,
    pub(super) reason: Vec<ReasonForm>,
    pub(super) alarm: Vec<AlarmForm>,
    pub(super) blocker: Vec<BlockerForm>,
    pub(super) called: Vec<CalledForm>,
}
