//! What correlation finds: one typed row for each row of the report's tables. Reports print these, and nothing else.

use crate::event::ReadStatus;
use crate::units::{Component, Level, PeerId, RegionId, Severity, StoreId, Timestamp, Tso};
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
    /// Rules of events of severity error and worse, the worst first.
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

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// The word used in every output.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// What kind of failure an incident is.
    IncidentKind {
        /// A fatal error put the task in ERROR.
        TaskFailed = "task-failed",
        /// Somebody or the lag check paused the task.
        TaskPaused = "task-paused",
        /// The checkpoint stands still though the task runs.
        CheckpointStalled = "checkpoint-stalled",
        /// `br log resume` (start, pause) was refused: GC passed the checkpoint.
        ResumeRefused = "resume-refused",
        /// A restore ended, but something it should have restored is missing.
        RestoreIncomplete = "restore-incomplete",
        /// A backup failed.
        BackupFailed = "backup-failed",
        /// A restore failed.
        RestoreFailed = "restore-failed",
        /// A region has no leader or cannot be reached.
        RegionUnavailable = "region-unavailable",
        /// A store is gone.
        StoreDown = "store-down",
        /// A store restarted.
        StoreRestarted = "store-restarted",
        /// Data on disk are damaged.
        DataCorrupted = "data-corrupted",
        /// Anything else a person must act on.
        Other = "other",
    }
);

words!(
    /// Why it happened. `unknown` is an honest answer; a guess is not.
    Cause {
        /// A region was merging.
        RegionMerge = "region-merge",
        /// A region was splitting.
        RegionSplit = "region-split",
        /// Leaders moved.
        LeaderChange = "leader-change",
        /// A store was gone.
        StoreDown = "store-down",
        /// A store restarted.
        StoreRestart = "store-restart",
        /// The network between nodes.
        Network = "network",
        /// PD could not be reached or had no leader.
        PdUnavailable = "pd-unavailable",
        /// The external storage refused access.
        StorageAccess = "storage-access",
        /// The external storage is full.
        StorageFull = "storage-full",
        /// The external storage throttles.
        StorageThrottled = "storage-throttled",
        /// The GC safe point passed the checkpoint.
        GcSafepoint = "gc-safepoint",
        /// A lock was not resolved.
        LockUnresolved = "lock-unresolved",
        /// The advancer's lag limit.
        LagCheck = "lag-check",
        /// A memory quota.
        MemoryQuota = "memory-quota",
        /// The kernel or the runtime ran out of memory.
        OutOfMemory = "out-of-memory",
        /// A store's disk is full.
        DiskFull = "disk-full",
        /// Damaged data.
        DataCorruption = "data-corruption",
        /// TiFlash replicas are not set.
        TiflashReplica = "tiflash-replica",
        /// Versions do not fit.
        Version = "version",
        /// Configuration.
        Configuration = "configuration",
        /// A person did it.
        Operator = "operator",
        /// A known bug.
        Bug = "bug",
        /// The logs do not say.
        Unknown = "unknown",
    }
);

words!(
    /// What to do.
    Verdict {
        /// Fix the cause, then `br log resume`.
        Resume = "resume",
        /// `br log stop`, `br log start`, then a full backup.
        RecreateTask = "recreate-task",
        /// Try to resume; recreate the task if that is refused.
        ResumeOrRecreate = "resume-or-recreate",
        /// Set the TiFlash replicas again.
        SetTiflashReplica = "set-tiflash-replica",
        /// Do it again.
        Retry = "retry",
        /// Wait.
        Wait = "wait",
        /// Fix the cause, then do it again.
        FixAndRetry = "fix-and-retry",
        /// Look further.
        Investigate = "investigate",
        /// Nothing to do.
        None = "none",
    }
);

words!(
    /// Whether an incident still needs somebody.
    IncidentStatus {
        /// Still so.
        Open = "open",
        /// Over.
        Recovered = "recovered",
    }
);

words!(
    /// Last known status of a task.
    TaskStatus {
        /// Runs.
        Normal = "NORMAL",
        /// Paused without an error.
        Paused = "PAUSED",
        /// Paused by a fatal error.
        Error = "ERROR",
        /// Stopped.
        Stopped = "STOPPED",
        /// No record says.
        Unknown = "UNKNOWN",
    }
);

words!(
    /// What a resume deadline rests on.
    DeadlineBasis {
        /// Service safe points in PD's log.
        Pd = "pd",
        /// Failure or pause plus `--gc-ttl`.
        Estimate = "estimate",
    }
);

words!(
    /// How a region's merge ended.
    MergeResult {
        /// Merged.
        Committed = "committed",
        /// Taken back.
        RolledBack = "rolled-back",
        /// No record says that it ended.
        Unfinished = "unfinished",
    }
);

words!(
    /// How sure a link of a chain is.
    Certainty {
        /// A record says so.
        Observed = "observed",
        /// Joined by id and time.
        Inferred = "inferred",
    }
);

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Source.
    pub file: std::sync::Arc<str>,
    /// First line of the record, from 1.
    pub line: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

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

/// An implicated region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Region.
    pub id: RegionId,
    /// Events that name it.
    pub events: u64,
    /// Of those, severity error or worse.
    pub errors: u64,
    /// First time.
    pub first: Option<Timestamp>,
    /// Last time.
    pub last: Option<Timestamp>,
    /// Stores with a peer or an event of it.
    pub stores: Vec<StoreId>,
    /// Last known leader store.
    pub leader: Option<StoreId>,
    /// Last known leader peer.
    pub leader_peer: Option<PeerId>,
    /// Rules of its events.
    pub rules: Vec<String>,
    /// The region that it merges into.
    pub merge_source_of: Vec<RegionId>,
    /// The regions that merge into it.
    pub merge_target_of: Vec<RegionId>,
    /// Start of its (last) merge as source.
    pub merge_started: Option<Timestamp>,
    /// End of it.
    pub merge_ended: Option<Timestamp>,
    /// How it ended.
    pub merge_result: Option<MergeResult>,
    /// First key, upper hex.
    pub start_key: Option<String>,
    /// Key after the last, upper hex.
    pub end_key: Option<String>,
    /// Incidents.
    pub incidents: Vec<String>,
}

/// A store, or another instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// Store id, where it is a store and known.
    pub id: Option<StoreId>,
    /// Address or host.
    pub address: Option<String>,
    /// Component.
    pub component: Option<Component>,
    /// Version.
    pub version: Option<String>,
    /// Number of sources.
    pub sources: u64,
    /// Records in them.
    pub records: u64,
    /// First time.
    pub first: Option<Timestamp>,
    /// Last time.
    pub last: Option<Timestamp>,
    /// Events.
    pub events: u64,
    /// Of those, severity error or worse.
    pub errors: u64,
    /// Regions that its events name.
    pub regions: u64,
    /// Restarts seen.
    pub restarts: u64,
    /// Estimated clock skew against the others, positive where its clock is ahead.
    pub clock_skew_ms: Option<i64>,
    /// How it was identified, in words: `put store record`, `folder name`, `inferred from peers`, `--store` ...
    pub identified_by: String,
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

/// Events of severity error and worse of one rule.
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

/// A source, with what was found out about its instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Name.
    pub file: std::sync::Arc<str>,
    /// Component.
    pub component: Option<Component>,
    /// Instance: address or host.
    pub instance: Option<String>,
    /// Store id.
    pub store: Option<StoreId>,
    /// Bytes.
    pub bytes: u64,
    /// Records.
    pub records: u64,
    /// Lines that continue a record.
    pub continuation_lines: u64,
    /// Lines that are no record.
    pub unparsed_lines: u64,
    /// First time.
    pub first: Option<Timestamp>,
    /// Last time.
    pub last: Option<Timestamp>,
    /// How reading went.
    pub status: ReadStatus,
    /// What went wrong, or what was assumed (a time zone).
    pub problem: Option<String>,
}
