//! Rows: what `scan` writes and `report` reads. A row holds only what its own text says.

use super::{Event, SourceRow, UnmatchedRow};
use serde::{Deserialize, Serialize};

/// A row; its first column is `row`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
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

/// A row that is kept elsewhere, to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "row", rename_all = "lowercase")]
pub enum RowRef<'a> {
    /// A record that a rule matched.
    Event(&'a Event),
    /// A source, or one split of it.
    Source(&'a SourceRow),
    /// A template of records that no rule matched.
    Unmatched(&'a UnmatchedRow),
}

impl Row {
    /// The row, to be written.
    pub fn as_ref(&self) -> RowRef<'_> {
        match self {
            Self::Event(event) => RowRef::Event(event),
            Self::Source(source) => RowRef::Source(source),
            Self::Unmatched(template) => RowRef::Unmatched(template),
        }
    }
}
