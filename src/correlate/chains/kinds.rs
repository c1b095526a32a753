//! Kinds of records by their position, and sets of them.

/// Position of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::correlate) struct KindId(pub(in crate::correlate) u8);

/// A set of kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::correlate) struct Kinds(u128);

impl Kinds {
    /// Most kinds, with a user's own.
    pub(super) const MOST: usize = 128;

    pub(in crate::correlate) const fn has(self, kind: KindId) -> bool {
        self.0 >> kind.0 & 1 == 1
    }

    pub(in crate::correlate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn add(&mut self, kind: KindId) {
        self.0 |= 1 << kind.0;
    }

    pub(in crate::correlate) fn iter(self) -> impl Iterator<Item = KindId> {
        (0..Self::MOST as u8).map(KindId).filter(move |kind| self.has(*kind))
    }
}
