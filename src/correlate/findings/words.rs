//! The words of the tables: each kind, status, cause and verdict has one, the same in every output.

use serde::{Deserialize, Serialize};

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
