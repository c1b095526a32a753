//! A report folder's `summary.json`, as much of it as is compared.

use crate::units::{Level, Severity};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

/// The form of the document that is understood here.
const SCHEMA: u64 = 1;

/// Why a folder cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such folder, or it is none.
    #[error("no report folder: {}", crate::error::without_number(.0))]
    NoFolder(io::Error),
    /// A folder without `summary.json`.
    #[error("no report folder: it has no summary.json")]
    NoSummary,
    /// Its `summary.json` is something else.
    #[error("no report of tidescope: its summary.json is {0}")]
    NoReport(serde_json::Error),
    /// A report of another version.
    #[error("its summary.json has schema {0}, this tidescope reads {SCHEMA}: use the version that wrote it")]
    Schema(u64),
}

/// What is compared.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Summary {
    pub(super) totals: Totals,
    pub(super) events: Events,
    pub(super) incidents: Vec<Incident>,
    pub(super) tasks: Vec<Task>,
    pub(super) stores: Vec<Store>,
    pub(super) errors: Vec<ErrorCode>,
    pub(super) unmatched: Vec<Template>,
    pub(super) sources: Vec<Source>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Totals {
    pub(super) bytes: u64,
    pub(super) events: u64,
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Events {
    pub(super) by_rule: BTreeMap<String, u64>,
    pub(super) by_store: BTreeMap<u64, u64>,
    pub(super) by_region: BTreeMap<u64, u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Incident {
    pub(super) incident: String,
    pub(super) severity: Severity,
    pub(super) status: String,
    pub(super) cause: String,
    pub(super) verdict: String,
    pub(super) summary: Option<String>,
    pub(super) events: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Task {
    pub(super) task: String,
    pub(super) status: String,
    pub(super) checkpoint_ts: Option<u64>,
    pub(super) observed_at: Option<String>,
    pub(super) verdict: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Store {
    pub(super) store_id: Option<u64>,
    pub(super) address: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ErrorCode {
    pub(super) error_code: String,
    pub(super) count: u64,
    pub(super) meaning: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Template {
    pub(super) template: String,
    pub(super) component: Option<String>,
    pub(super) level: Option<Level>,
    pub(super) count: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Source {
    pub(super) status: String,
}

impl Summary {
    /// Reads the summary of a report folder.
    ///
    /// # Errors
    /// Where the folder is none of a report.
    pub fn of(folder: &Path) -> Result<Self, Refusal> {
        let meta = std::fs::metadata(folder).map_err(Refusal::NoFolder)?;
        if !meta.is_dir() {
            return Err(Refusal::NoFolder(io::ErrorKind::NotADirectory.into()));
        }
        let file = File::open(folder.join("summary.json")).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Refusal::NoSummary,
            _ => Refusal::NoFolder(error),
        })?;
        // The version first: a document of another one may have another form.
        let document: Document = serde_json::from_reader(BufReader::new(file)).map_err(Refusal::NoReport)?;
        if document.schema != SCHEMA {
            return Err(Refusal::Schema(document.schema));
        }
        serde_json::from_value(document.rest.into()).map_err(Refusal::NoReport)
    }
}

#[derive(Deserialize)]
struct Document {
    schema: u64,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}
