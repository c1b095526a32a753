//! What a scan says of a source besides its events.

use crate::units::{Component, Level, PeerId, RegionId, Timestamp};
use serde::{Deserialize, Serialize};

/// A source, or one split of it: what was read and who wrote it, as far as its own text says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct SourceRow {
    /// Name, as the contract spells it.
    pub file: std::sync::Arc<str>,
    /// First byte of the split; 0 for a whole source.
    pub start: u64,
    /// Byte after the last of the split.
    pub end: u64,
    /// Bytes read (decompressed).
    pub bytes: u64,
    /// Records that start in the split.
    pub records: u64,
    /// Line ends in the split: what later splits add to their line numbers.
    pub newlines: u64,
    /// Lines that continue a record.
    pub continuation_lines: u64,
    /// Lines that are no record and continue none.
    pub unparsed_lines: u64,
    /// Earliest time of a record.
    pub first: Option<Timestamp>,
    /// Latest time of a record.
    pub last: Option<Timestamp>,
    /// Earliest and latest time written without an offset, as if they were UTC.
    pub local: Option<(Timestamp, Timestamp)>,
    /// Offset (minutes east of UTC) that the first record with one has.
    pub zone_minutes: Option<i32>,
    /// Hash of the first 64 KiB.
    pub head_hash: u64,
    /// Hash of the last 64 KiB; only the split that holds the end has it.
    pub tail_hash: Option<u64>,
    /// How reading went.
    pub status: ReadStatus,
    /// What went wrong, where something did.
    pub problem: Option<String>,
    /// Who wrote it, as far as seen.
    pub writer: Writer,
}

/// What a source's own text says of the process that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Writer {
    /// Component by the look of the first 64 KiB (caller names), where it is clear.
    pub component: Option<Component>,
    /// Peers that raft records of this source name as their own: (region, peer), at most 64.
    /// Together with a description that says on which store a peer lives they identify the store.
    pub peers: Vec<(RegionId, PeerId)>,
}

/// How reading a source went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum ReadStatus {
    /// Read to its end.
    #[default]
    Read,
    /// A container, decoder or read failed: what could be read was.
    Partial,
    /// Not read, with a reason (a duplicate, encrypted, an unknown format).
    Skipped,
    /// Could not be read at all.
    Failed,
}

impl ReadStatus {
    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Partial => "partial",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// A template of WARN-and-worse records that no rule matched, with its counts in one source or split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmatchedRow {
    /// Caller file, message and masked error.
    pub template: Box<str>,
    /// Component by the caller, where it is clear.
    pub component: Option<Component>,
    /// Level of the records.
    pub level: Option<Level>,
    /// How many.
    pub count: u64,
    /// Earliest time.
    pub first: Option<Timestamp>,
    /// Latest time.
    pub last: Option<Timestamp>,
    /// The first record's message, redacted.
    pub example: Box<str>,
    /// Source of the example.
    pub file: std::sync::Arc<str>,
    /// Line of the example.
    pub line: u64,
    /// Offset of the example.
    pub offset: u64,
}
