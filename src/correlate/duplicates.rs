//! Which sources count: the same text given twice counts once, under the bytewise smallest name.

use crate::event::{ReadStatus, SourceRow};
use std::collections::BTreeMap;

/// For each source the index of the one that counts in its place; itself where it counts.
pub(super) fn counted_in_place(sources: &[SourceRow]) -> Vec<usize> {
    let mut first: BTreeMap<(u64, u64, u64, Option<u64>), usize> = BTreeMap::new();
    let mut by_name: Vec<usize> = (0..sources.len()).collect();
    by_name.sort_by(|a, b| sources[*a].file.cmp(&sources[*b].file));
    let mut place: Vec<usize> = (0..sources.len()).collect();
    for index in by_name {
        let row = &sources[index];
        if !matches!(row.status, ReadStatus::Read | ReadStatus::Partial) {
            continue;
        }
        let key = (row.bytes, row.records, row.head_hash, row.tail_hash);
        place[index] = *first.entry(key).or_insert(index);
    }
    place
}

#[cfg(test)]
mod tests {
    use super::counted_in_place;
    use crate::event::{ReadStatus, SourceRow};

    fn row(file: &str, bytes: u64, head: u64) -> SourceRow {
        SourceRow { file: file.into(), bytes, records: 3, head_hash: head, tail_hash: Some(9), ..SourceRow::default() }
    }

    #[test]
    fn the_smallest_name_of_the_same_text_counts() {
        let rows = [row("b/tikv.log", 10, 1), row("a/tikv.log", 10, 1), row("c/tikv.log", 10, 2)];
        assert_eq!(counted_in_place(&rows), [1, 1, 2]);
    }

    #[test]
    fn what_could_not_be_read_is_no_duplicate() {
        let mut rows = [row("a", 0, 0), row("b", 0, 0)];
        for row in &mut rows {
            row.status = ReadStatus::Failed;
        }
        assert_eq!(counted_in_place(&rows), [0, 1]);
    }
}
