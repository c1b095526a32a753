//! Rows: what `scan` writes and `report` reads, one JSON object a line. A row holds only what its own text says.

use super::{Event, SourceRow, UnmatchedRow};
use serde::{Deserialize, Serialize};

/// A row; its first column is `row`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "row", rename_all = "lowercase")]
#[allow(clippy::large_enum_variant, reason = "rows are made one at a time")]
pub enum Row {
    /// A record that a rule matched.
    Event(Event),
    /// A source, or one split of it.
    Source(SourceRow),
    /// A template of records that no rule matched.
    Unmatched(UnmatchedRow),
}
