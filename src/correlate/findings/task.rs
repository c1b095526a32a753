//! How a log backup task stands.

use super::{DeadlineBasis, TaskStatus, Verdict};
use crate::units::{RegionId, StoreId, Timestamp, Tso};
use serde::{Deserialize, Serialize};

/// A log backup task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Name.
    pub name: String,
    /// Id of its cluster, where the logs are of several.
    pub cluster: Option<String>,
    /// Last known status.
    pub status: TaskStatus,
    /// When it was started.
    pub start: Option<Timestamp>,
    /// Storage URL, redacted.
    pub storage: Option<String>,
    /// Last known global checkpoint.
    pub checkpoint: Option<Tso>,
    /// The same as a time; where a screen gives only the time, without `checkpoint`.
    pub checkpoint_time: Option<Timestamp>,
    /// When the checkpoint was last observed.
    pub observed_at: Option<Timestamp>,
    /// Newest known GC safe point.
    pub gc_safepoint: Option<Tso>,
    /// How far the GC safe point is past the checkpoint, in seconds; negative while it is behind.
    pub exceeded_by_s: Option<i64>,
    /// Until when the checkpoint's data are safe from GC.
    pub resume_deadline: Option<Timestamp>,
    /// What the deadline rests on.
    pub deadline_basis: Option<DeadlineBasis>,
    /// The service id that holds the checkpoint until the deadline.
    pub held_by: Option<String>,
    /// Verdict.
    pub verdict: Verdict,
    /// Store of the last error.
    pub error_store: Option<StoreId>,
    /// Code of the last error.
    pub error_code: Option<String>,
    /// Region of the last error.
    pub error_region: Option<RegionId>,
    /// When the status began, for a failed or paused task.
    pub since: Option<Timestamp>,
    /// What to type, in order.
    pub commands: Vec<String>,
    /// The global checkpoint over time: (seen at, checkpoint). At most 512 points, thinned evenly.
    pub checkpoints: Vec<(Timestamp, Tso)>,
    /// The GC safe point over time: (seen at, safe point). At most 512 points, thinned evenly.
    pub safepoints: Vec<(Timestamp, Tso)>,
}
