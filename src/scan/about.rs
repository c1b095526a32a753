//! Which records speak of a region, a store, a task or a key: what a timeline shows, whether a rule knows them or not.

use crate::event::{Event, WRITER};
use crate::units::{FactKind, Level, RegionId, StoreId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a timeline is about. Several of one kind: any of them; several kinds: all of them.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Regions.
    pub regions: BTreeSet<RegionId>,
    /// Stores.
    pub stores: BTreeSet<StoreId>,
    /// Sources that those stores wrote.
    pub written: BTreeSet<Arc<str>>,
    /// Names by which rows call those stores as the writers of their records.
    pub row_names: BTreeSet<Box<str>>,
    /// Task.
    pub task: Option<String>,
    /// Key, upper hex.
    pub key: Option<String>,
    /// This level or worse.
    pub level: Option<Level>,
}

impl About {
    /// Whether a text can be about it: a quick test before a record is read.
    pub(super) fn may(&self, text: &[u8]) -> bool {
        let has = |word: &str| memchr::memmem::find(text, word.as_bytes()).is_some();
        (self.key.is_some() || self.regions.is_empty() || self.regions.iter().any(|id| has(&id.to_string())))
            && self.task.as_deref().is_none_or(has)
    }

    /// Whether a record is about it.
    pub(super) fn holds(&self, event: &Event, text: &[u8]) -> bool {
        let key = self.key.as_deref().is_none_or(|key| {
            let named = memchr::memmem::find(&text.to_ascii_uppercase(), key.as_bytes()).is_some();
            let ranges = event.descriptions.iter().filter_map(|one| one.range.as_ref()).chain(&event.ranges);
            named
                || ranges.into_iter().any(|range| range.contains(key))
                || event.regions.iter().any(|id| self.regions.contains(id))
        });
        let region =
            self.key.is_some() || self.regions.is_empty() || event.regions.iter().any(|id| self.regions.contains(id));
        let store = self.stores.is_empty()
            || self.written.contains(&event.file)
            || event.fact(FactKind::Addr, WRITER).is_some_and(|name| self.row_names.contains(name))
            || event.stores.iter().any(|id| self.stores.contains(id));
        let task = self.task.as_deref().is_none_or(|task| event.task.as_deref() == Some(task) || names(text, task));
        let level = self.level.is_none_or(|least| event.level.is_some_and(|level| level >= least));
        key && region && store && task && level
    }
}

/// Whether a name stands in the text as a word of its own.
fn names(text: &[u8], name: &str) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    memchr::memmem::find_iter(text, name.as_bytes()).any(|at| {
        let before = at.checked_sub(1).is_some_and(|before| is_part(&text[before]));
        let after = text.get(at + name.len()).is_some_and(is_part);
        !before && !after
    })
}
