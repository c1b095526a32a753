//! What a gate has stopped lately: a log says the same over and over, and what was stopped once need not be judged again.

use crate::search;

/// Beginnings of records, from the level to the first bytes of the message, that one gate has stopped.
#[derive(Debug)]
pub struct Chatter(Vec<Slot>);

#[derive(Debug, Clone, Copy)]
struct Slot {
    length: usize,
    text: [u8; MOST],
}

/// Longer beginnings are judged each time.
const MOST: usize = 64;
/// Bytes by which a slot is chosen: level, source file and line, of which hardly two write such records.
const KEY: usize = 24;
const SLOTS: usize = 256;

impl Default for Chatter {
    fn default() -> Self {
        Self(vec![Slot { length: 0, text: [0; MOST] }; SLOTS])
    }
}

impl Chatter {
    /// Whether a record, given from its level on, begins as one that was stopped.
    #[inline]
    pub(super) fn knows(&self, text: &[u8]) -> bool {
        let Some(slot) = slot(text) else { return false };
        let slot = &self.0[slot];
        slot.length > 0 && text.get(..slot.length) == Some(&slot.text[..slot.length])
    }

    /// Remembers the beginning of a record that was stopped, of which each byte had a say.
    pub(super) fn keep(&mut self, beginning: &[u8]) {
        if let Some(slot) = slot(beginning)
            && beginning.len() <= MOST
        {
            let slot = &mut self.0[slot];
            slot.length = beginning.len();
            slot.text[..beginning.len()].copy_from_slice(beginning);
        }
    }
}

#[inline]
fn slot(text: &[u8]) -> Option<usize> {
    let (words, _) = text.first_chunk::<KEY>()?.as_chunks::<8>();
    let word = |at: usize| u64::from_le_bytes(words[at]);
    let mixed = word(0) ^ word(1).rotate_left(23) ^ word(2).rotate_left(41);
    Some(search::hash(mixed) as usize % SLOTS)
}

#[cfg(test)]
mod tests {
    use super::super::Gate;
    use super::*;
    use crate::rules::{Catalog, Kind};

    /// Chatter and rules' own examples in turn: what was stopped before makes no difference to any record.
    #[test]
    fn what_was_stopped_before_changes_nothing() {
        let catalog = Catalog::embedded().unwrap();
        let examples = catalog.rules().iter().flat_map(|rule| &rule.examples).map(|text| text.as_bytes());
        let records: Vec<&[u8]> = examples.filter(|text| crate::record::is_clean(text)).collect();
        for kind in [Kind::Signal, Kind::Context] {
            let gate = Gate::new(catalog.rules().iter().filter(|rule| rule.kind == kind));
            let mut chatter = Chatter::default();
            let (mut stopped, mut known) = (0, 0);
            for record in records.iter().chain(&records) {
                for length in [record.len(), record.len().min(80), record.len().min(64), record.len().min(50)] {
                    let record = &record[..length];
                    let fresh = gate.passes(record, &mut Chatter::default());
                    known += usize::from(chatter.knows(&record[crate::record::CLEAN_HEADER..]));
                    assert_eq!(gate.passes(record, &mut chatter), fresh, "{}", String::from_utf8_lossy(record));
                    stopped += usize::from(!fresh);
                }
            }
            assert!(known > 100 && known < stopped, "{known} of {stopped}");
        }
    }

    #[test]
    fn only_the_same_beginning_is_known() {
        let mut chatter = Chatter::default();
        let beginning = b"INFO] [raft.rs:1120] [\"became follower a";
        chatter.keep(beginning);
        assert!(chatter.knows(b"INFO] [raft.rs:1120] [\"became follower at term 7\"]"));
        assert!(!chatter.knows(b"INFO] [raft.rs:1120] [\"became follower"));
        assert!(!chatter.knows(b"INFO] [raft.rs:1120] [\"became leader at term 7\"]"));
        assert!(!chatter.knows(b"INFO] [raft.rs:1121] [\"became follower at term 7\"]"));
        chatter.keep(&[b'x'; MOST + 1]);
        assert!(!chatter.knows(&[b'x'; 2 * MOST]));
    }
}
