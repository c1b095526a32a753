//! Templates of records that no rule knew, summed over all sources.

use super::findings::{Place, Unmatched};
use super::learned::Learned;
use crate::event::UnmatchedRow;
use std::collections::BTreeMap;

/// The rows of the table: by template, component and level. The example is the first by source and offset.
pub(super) fn rows(rows: &[UnmatchedRow], learned: &Learned) -> Vec<Unmatched> {
    let mut all: BTreeMap<_, (Unmatched, u64)> = BTreeMap::new();
    for row in rows.iter().filter(|row| learned.counts(&row.file)) {
        let place = Place { file: row.file.clone(), line: row.line, offset: row.offset };
        let new = || Unmatched {
            template: row.template.to_string(),
            component: row.component,
            level: row.level,
            count: 0,
            first: None,
            last: None,
            example: row.example.to_string(),
            place: place.clone(),
        };
        let key = (row.template.clone(), row.component, row.level);
        let (one, offset) = all.entry(key).or_insert_with(|| (new(), row.offset));
        one.count += row.count;
        one.first = one.first.into_iter().chain(row.first).min();
        one.last = one.last.max(row.last);
        if (&row.file, row.offset) < (&one.place.file, *offset) {
            (one.example, one.place, *offset) = (row.example.to_string(), place, row.offset);
        }
    }
    all.into_values().map(|(one, _)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::rows;
    use crate::correlate::Options;
    use crate::correlate::learned::Learned;
    use crate::correlate::testing::at;
    use crate::event::{Event, SourceRow, UnmatchedRow};

    #[test]
    fn sources_are_summed_and_duplicates_left_out() {
        let source = |file: &str, hash| SourceRow {
            file: file.into(),
            head_hash: hash,
            tail_hash: Some(0),
            ..SourceRow::default()
        };
        let sources = [source("a", 1), source("b", 2), source("copy-of-a", 1)];
        let row = |file: &str, time: &str| UnmatchedRow {
            template: "x.rs: odd".into(),
            component: None,
            level: None,
            count: 2,
            first: Some(at(time)),
            last: Some(at(time)),
            example: file.into(),
            file: file.into(),
            line: 1,
            offset: 0,
        };
        let learned = Learned::read(&Vec::<Event>::new(), &sources, &Options::default()).unwrap();
        let all = [
            row("b", "2022-07-25T14:00:00Z"),
            row("a", "2022-07-25T15:00:00Z"),
            row("copy-of-a", "2022-07-25T15:00:00Z"),
        ];
        let found = rows(&all, &learned);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].count, &*found[0].example), (4, "a"));
        assert_eq!(
            (found[0].first, found[0].last),
            (Some(at("2022-07-25T14:00:00Z")), Some(at("2022-07-25T15:00:00Z")))
        );
    }
}
