//! The versions and what they print differently. Facts only; what follows from them is in the writers.

use crate::cluster::time::{MINUTE, Ms, SECOND};

/// The version that all components of a cluster have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// v6.1.0
    V61,
    /// v6.2.0
    V62,
    /// v6.5.0
    V65,
    /// v7.5.0
    V75,
    /// v8.1.0
    V81,
    /// v8.5.0
    V85,
}

/// Every version.
pub(crate) const ALL: &[Version] =
    &[Version::V61, Version::V62, Version::V65, Version::V75, Version::V81, Version::V85];

/// How long a store tries to take an initial snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryBudget {
    /// Attempts inside one scan, and the time after each.
    pub(crate) attempts: u64,
    /// Time after an attempt.
    pub(crate) pause: Ms,
    /// Scans, and the longest time between two.
    pub(crate) scans: u64,
    /// Longest time between two scans; from v8.0 on it doubles from a second.
    pub(crate) back_off: Ms,
}

impl Version {
    /// Without the v in front.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::V61 => "6.1.0",
            Self::V62 => "6.2.0",
            Self::V65 => "6.5.0",
            Self::V75 => "7.5.0",
            Self::V81 => "8.1.0",
            Self::V85 => "8.5.0",
        }
    }

    /// The day of its release, days since the Unix epoch: logs are younger.
    pub(crate) fn released(self) -> i64 {
        match self {
            Self::V61 => 19_156,
            Self::V62 => 19_227,
            Self::V65 => 19_355,
            Self::V75 => 19_692,
            Self::V81 => 19_867,
            Self::V85 => 20_076,
        }
    }

    /// The last field of TiKV lines, for a thread of this number.
    pub(crate) fn thread_id(self, thread: u64) -> Option<String> {
        match self {
            Self::V61 | Self::V62 | Self::V65 => None,
            Self::V75 => Some(format!("0x{thread:x}")),
            Self::V81 | Self::V85 => Some(thread.to_string()),
        }
    }

    /// None: a failed initial scan is not fatal.
    pub(crate) fn retry_budget(self) -> Option<RetryBudget> {
        let budget = |attempts, pause, scans, back_off| Some(RetryBudget { attempts, pause, scans, back_off });
        match self {
            Self::V61 => None,
            Self::V62 | Self::V65 => budget(3, SECOND / 2, 11, SECOND / 2),
            Self::V75 => budget(5, SECOND, 11, SECOND / 2),
            Self::V81 | Self::V85 => budget(5, SECOND, 25, 16 * SECOND),
        }
    }

    /// So many flushes in a row may fail.
    pub(crate) fn flush_failures(self) -> u64 {
        if self == Self::V61 { 16 } else { 30 }
    }

    /// Default time between two flushes of a store.
    pub(crate) fn flush_interval(self) -> Ms {
        if self <= Self::V62 { 5 * MINUTE } else { 3 * MINUTE }
    }

    /// How long the service safe point of a flush lives.
    pub(crate) fn flush_ttl(self) -> Ms {
        if self <= Self::V62 { 30 * MINUTE } else { 120 * MINUTE }
    }

    /// Whether the safe point of a flush is one below the checkpoint.
    pub(crate) fn flush_safepoint_below(self) -> bool {
        self >= Self::V65
    }

    /// Whether errors are printed for people, with the Debug text in a field of its own.
    pub(crate) fn display_errors(self) -> bool {
        self >= Self::V65
    }

    /// Whether regions stand in log backup lines as `Region { id: ..` and `r.id`.
    pub(crate) fn short_regions(self) -> bool {
        self >= Self::V75
    }

    /// Whether subscriptions are managed without blocking: other retry lines, another code.
    pub(crate) fn async_subscription(self) -> bool {
        self >= Self::V81
    }

    /// Whether TiDB has an advancer.
    pub(crate) fn advancer(self) -> bool {
        self >= Self::V62
    }

    /// Whether the advancer holds back GC itself.
    pub(crate) fn coordinator(self) -> bool {
        self >= Self::V75
    }

    /// Whether the advancer resolves locks.
    pub(crate) fn resolves_locks(self) -> bool {
        self >= Self::V75
    }

    /// `KV:LogBackup:` and the code of I/O errors.
    pub(crate) fn io_code(self) -> &'static str {
        if self <= Self::V62 { "KV:LogBackup:IO" } else { "KV:LogBackup:Io" }
    }

    /// A message of a TiDB module that puts its name in front of the message, later into a field.
    pub(crate) fn tagged(self, tag: &str, message: &str) -> (String, Option<String>) {
        if self < Self::V75 { (format!("[{tag}] {message}"), None) } else { (message.to_owned(), Some(tag.to_owned())) }
    }
}
