//! What really happened, in the words of the report: written as `truth.json`.
//!
//! A checker should find every incident of `incidents` (recall), and beyond these only what `allowed` lists (precision). A field that
//! is missing from an incident is not judged; `accept` gives further values that are also right.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cluster::time::{Ms, rfc3339};

/// One failure that a person must act on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incident {
    /// Kind of failure.
    pub(crate) kind: &'static str,
    /// First cause.
    pub(crate) cause: &'static str,
    /// `open` or `recovered`.
    pub(crate) status: &'static str,
    /// What to do.
    pub(crate) verdict: &'static str,
    /// Log backup task, empty if it is about none.
    pub(crate) task: String,
    /// Regions that the chain rests on.
    pub(crate) regions: Vec<u64>,
    /// Stores at fault.
    pub(crate) stores: Vec<u64>,
    /// First record of the chain, as written.
    pub(crate) start: Option<Ms>,
    /// Until when the checkpoint is safe.
    pub(crate) deadline: Option<Ms>,
    /// Statements that put it right.
    pub(crate) commands: Vec<String>,
    /// Other right values by field.
    pub(crate) accept: BTreeMap<&'static str, Vec<&'static str>>,
}

impl Incident {
    /// `incident.or("cause", &["unknown"])`
    pub(crate) fn or(mut self, field: &'static str, values: &[&'static str]) -> Self {
        self.accept.entry(field).or_default().extend(values);
        self
    }

    fn json(&self) -> Value {
        let mut out = Map::new();
        for (key, value) in [
            ("kind", self.kind),
            ("cause", self.cause),
            ("status", self.status),
            ("verdict", self.verdict),
            ("task", &self.task),
        ] {
            if !value.is_empty() {
                out.insert(key.to_owned(), json!(value));
            }
        }
        for (key, ids) in [("regions", &self.regions), ("stores", &self.stores)] {
            if !ids.is_empty() {
                let mut ids = ids.clone();
                ids.sort_unstable();
                ids.dedup();
                out.insert(key.to_owned(), json!(ids));
            }
        }
        for (key, time) in [("start", self.start), ("deadline", self.deadline)] {
            if let Some(time) = time {
                out.insert(key.to_owned(), json!(rfc3339(time)));
            }
        }
        if !self.commands.is_empty() {
            out.insert("commands".to_owned(), json!(self.commands));
        }
        if !self.accept.is_empty() {
            out.insert("accept".to_owned(), json!(self.accept));
        }
        Value::Object(out)
    }
}

/// The last state of the task.
#[derive(Clone, Debug)]
pub(crate) struct TaskTruth {
    /// Name.
    pub(crate) name: String,
    /// `NORMAL`, `PAUSED`, `ERROR`.
    pub(crate) status: &'static str,
    /// Global checkpoint, where a record names it.
    pub(crate) checkpoint: Option<u64>,
    /// GC safe point at the end.
    pub(crate) gc_safepoint: u64,
    /// Empty: nothing to do.
    pub(crate) verdict: &'static str,
    /// Until when a stopped task can be resumed.
    pub(crate) deadline: Option<Ms>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    /// Must be found.
    pub(crate) incidents: Vec<Incident>,
    /// May be found.
    pub(crate) allowed: Vec<Incident>,
    /// What is there, looks bad, and is nothing.
    pub(crate) noise: Vec<String>,
    /// The task at the end.
    pub(crate) task: Option<TaskTruth>,
}

impl Truth {
    /// The members of `truth.json` that the scenario decides.
    pub(crate) fn json(&self) -> Map<String, Value> {
        let mut out = Map::new();
        out.insert("incidents".into(), self.incidents.iter().map(Incident::json).collect());
        out.insert("allowed".into(), self.allowed.iter().map(Incident::json).collect());
        out.insert("noise".into(), json!(self.noise));
        if let Some(task) = &self.task {
            out.insert(
                "task".into(),
                json!({
                    "name": task.name,
                    "status": task.status,
                    "checkpoint_ts": task.checkpoint,
                    "gc_safepoint_ts": task.gc_safepoint,
                    "verdict": task.verdict,
                    "resume_deadline": task.deadline.map(rfc3339),
                }),
            );
        }
        out
    }
}
