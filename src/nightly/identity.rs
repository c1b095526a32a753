//! Which known text each file of tonight goes on with: told by how it begins, through renames, rotation and compression.

use super::heads::{HEAD, Seen};
use super::state::{Head, KnownSource};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// The known one at this position.
    Known(usize),
    /// Not seen before.
    New,
    /// The same text as the source of this name.
    Copy(Arc<str>),
}

/// What may help to tell texts apart.
#[derive(Debug)]
pub(super) struct Hints<'h> {
    /// The number of each input's file.
    pub(super) inodes: &'h [u64],
    /// Known texts whose file is as it was: their positions.
    pub(super) unchanged: &'h FxHashSet<usize>,
}

/// Finds out what each text is.
pub(super) fn identify(seen: &[Seen], known: &[KnownSource], hints: &Hints<'_>) -> Vec<Identity> {
    let mut found = vec![Identity::New; seen.len()];
    let mut is_new: Vec<usize> = Vec::new();
    let mut claims: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let index = Index::of(known);
    for (at, text) in seen.iter().enumerate() {
        match index.find(text, hints.inodes[text.input]) {
            Some(source) => claims.entry(source).or_default().push(at),
            None => is_new.push(at),
        }
    }
    for (at, claims) in claims {
        let winner = winner(&claims, seen, &known[at], hints, hints.unchanged.contains(&at));
        for claim in claims {
            found[claim] = match winner {
                Some(winner) if winner == claim => Identity::Known(at),
                Some(winner) if seen[winner].head == seen[claim].head => Identity::Copy(Arc::clone(&seen[winner].name)),
                None if seen[claim].is_full() => Identity::Copy(Arc::from(known[at].name.as_str())),
                _ => {
                    is_new.push(claim);
                    Identity::New
                }
            };
        }
    }
    let mut same: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for at in is_new {
        same.entry(&seen[at].head).or_default().push(at);
    }
    for mut texts in same.into_values() {
        texts.sort_by_key(|at| (Reverse(seen[*at].len), Arc::clone(&seen[*at].name)));
        for copy in &texts[1..] {
            found[*copy] = Identity::Copy(Arc::clone(&seen[texts[0]].name));
        }
    }
    found
}

/// The file that goes on with a known text, of those that begin like it.
fn winner(claims: &[usize], seen: &[Seen], known: &KnownSource, hints: &Hints<'_>, is_there: bool) -> Option<usize> {
    let own = |at: &usize| {
        let text = &seen[*at];
        hints.inodes[text.input] == known.inode || *text.name == known.name
    };
    // A short beginning may be that of several texts: then only the file itself counts, while it is there.
    let sure = known.head.len == HEAD as u64;
    let any = sure || (!is_there && !claims.iter().any(own));
    claims.iter().copied().filter(|at| any || own(at)).max_by_key(|at| {
        let text = &seen[*at];
        let more = match text.len {
            Some(len) if len > known.offset => 2,
            // Only decoding it tells.
            None => 1,
            Some(_) => 0,
        };
        (more, text.len, own(at), Reverse(Arc::clone(&text.name)))
    })
}

/// Known texts by how they begin.
struct Index<'k> {
    known: &'k [KnownSource],
    lengths: BTreeSet<u64>,
    by_head: FxHashMap<Head, Vec<usize>>,
}

impl<'k> Index<'k> {
    fn of(known: &'k [KnownSource]) -> Self {
        let mut by_head: FxHashMap<Head, Vec<usize>> = FxHashMap::default();
        for (at, source) in known.iter().enumerate() {
            by_head.entry(source.head).or_default().push(at);
        }
        Self { known, lengths: known.iter().map(|source| source.head.len).collect(), by_head }
    }

    /// The one with which the text has most in common.
    fn find(&self, text: &Seen, inode: u64) -> Option<usize> {
        let longest = text.heads(self.lengths.iter().copied()).filter_map(|head| self.by_head.get(&head)).last()?;
        let own = |at: &&usize| self.known[**at].inode == inode || self.known[**at].name == *text.name;
        longest.iter().find(own).or(longest.first()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::SourceRow;

    fn seen(input: usize, name: &str, text: &str, len: Option<u64>) -> Seen {
        let head = text.bytes().cycle().take(if len == Some(text.len() as u64) { text.len() } else { HEAD }).collect();
        Seen { input, name: name.into(), head, len }
    }

    fn known(text: &Seen, offset: u64, inode: u64) -> KnownSource {
        KnownSource {
            id: 1,
            name: text.name.to_string(),
            head: text.known_by(),
            inode,
            offset,
            newlines: 0,
            seen: crate::units::Timestamp(1),
            marks: Vec::new(),
            row: SourceRow::default(),
        }
    }

    fn identities(seen: &[Seen], known: &[KnownSource], unchanged: &[usize]) -> Vec<Identity> {
        let inodes: Vec<u64> = (0..seen.len() as u64).map(|at| 100 + at).collect();
        identify(seen, known, &Hints { inodes: &inodes, unchanged: &unchanged.iter().copied().collect() })
    }

    #[test]
    fn a_rotated_and_compressed_file_is_the_same_text() {
        let before = seen(0, "tikv.log", "old", Some(90_000));
        let tonight = [seen(0, "tikv.log", "new", Some(500_000)), seen(1, "tikv-1.log.gz", "old", None)];
        let found = identities(&tonight, &[known(&before, 90_000, 7)], &[]);
        assert_eq!(found, [Identity::New, Identity::Known(0)]);
    }

    #[test]
    fn a_short_text_grows() {
        let before = seen(0, "tikv.log", "short", Some(5));
        let found = identities(&[seen(0, "tikv.log", "short", Some(90_000))], &[known(&before, 5, 7)], &[]);
        assert_eq!(found, [Identity::Known(0)]);
    }

    #[test]
    fn the_same_text_twice_counts_once() {
        let tonight = [
            seen(0, "b.log", "x", Some(90_000)),
            seen(1, "a.log", "x", Some(80_000)),
            seen(2, "a.log.gz", "x", None),
            seen(3, "c.log", "y", Some(90_000)),
        ];
        let of_b = || Identity::Copy("b.log".into());
        assert_eq!(identities(&tonight, &[], &[]), [Identity::New, of_b(), of_b(), Identity::New]);
        // A copy that goes on beyond what was read is the text; one that does not, while that is there, is a copy.
        let k = [known(&tonight[1], 80_000, 9)];
        assert_eq!(identities(&tonight[..1], &k, &[0]), [Identity::Known(0)]);
    }

    #[test]
    fn two_short_texts_that_begin_alike_are_two() {
        let before = seen(0, "a/stderr.log", "warning", Some(7));
        let tonight =
            [Seen { head: b"warning: other".to_vec(), len: Some(14), ..seen(0, "b/stderr.log", "x", Some(1)) }];
        assert_eq!(identities(&tonight, &[known(&before, 7, 7)], &[0]), [Identity::New]);
        assert_eq!(identities(&tonight, &[known(&before, 7, 7)], &[]), [Identity::Known(0)]);
    }
}
