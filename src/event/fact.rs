//! What an extractor of a rule took out of a record.

use crate::units::{FactKind, PeerId, RegionId, StoreId};
use serde::{Deserialize, Serialize};

/// A value with its meaning, such as (`Ts`, `checkpoint`, `434834088949972992`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fact {
    /// What the value is.
    pub kind: FactKind,
    /// Which of several it is (`source`, `target`, `checkpoint`, `safe-point` ...); empty for the main one.
    #[serde(default, skip_serializing_if = "str_is_empty")]
    pub role: std::sync::Arc<str>,
    /// The value as written, unescaped.
    pub value: Box<str>,
}

fn str_is_empty(text: &std::sync::Arc<str>) -> bool {
    text.is_empty()
}

/// A region as a record describes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RegionDescription {
    /// The region.
    pub id: RegionId,
    /// Its keys, where the record has them unredacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<KeyRange>,
    /// Epoch: configuration version, then region version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<(u64, u64)>,
    /// Peers and the stores they live on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<(PeerId, StoreId)>,
}

/// Keys from `start` up to, not including, `end`, in upper hex; an empty `end` is the end of all keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyRange {
    /// First key.
    pub start: Box<str>,
    /// Key after the last; empty: no end.
    pub end: Box<str>,
}

impl KeyRange {
    /// Whether two ranges share a key. Upper hex sorts as its bytes do.
    pub fn overlaps(&self, other: &Self) -> bool {
        (self.end.is_empty() || other.start < self.end) && (other.end.is_empty() || self.start < other.end)
    }

    /// Whether a key (upper hex) lies in the range.
    pub fn contains(&self, key: &str) -> bool {
        &*self.start <= key && (self.end.is_empty() || key < &*self.end)
    }
}
