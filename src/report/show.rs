//! Tables as Markdown and HTML show them: the columns that matter, the first rows, and how many are left out.

use super::table::{Cell, Plain, Table, as_set};
use crate::safe::{Safe, SafeText};

/// A table cut to what is shown.
pub(super) struct Shown {
    /// Its CSV file, which has everything.
    pub(super) csv: String,
    /// Column names for people.
    pub(super) head: Vec<String>,
    /// Cells of the rows shown.
    pub(super) rows: Vec<Vec<SafeText<'static>>>,
    /// How many rows are left out.
    pub(super) hidden: usize,
}

/// The given columns of the first rows.
pub(super) fn shown<'r, R: Plain + 'r>(
    table: &Table<R>,
    columns: &[&str],
    rows: impl ExactSizeIterator<Item = &'r R>,
    most: usize,
    safe: Safe,
) -> Shown {
    let columns: Vec<_> =
        columns.iter().filter_map(|name| table.columns.iter().find(|column| column.name == *name)).collect();
    let all = rows.len();
    let cells = |row: &R| columns.iter().map(|column| text(&column.cell, row, safe)).collect();
    Shown {
        csv: format!("{}.csv", table.name),
        head: columns.iter().map(|column| column.name.replace('_', " ")).collect(),
        rows: rows.take(most).map(cells).collect(),
        hidden: all.saturating_sub(most),
    }
}

/// A cell as people read it.
fn text<R: Plain>(cell: &Cell<R>, row: &R, safe: Safe) -> SafeText<'static> {
    match cell {
        Cell::Word(get) | Cell::Text(get) => get(row).map(|text| safe.line(text).into_owned()).unwrap_or_default(),
        Cell::Time(get) => get(row).map(|time| safe.own(time.to_string().replace('T', " "))).unwrap_or_default(),
        Cell::Number(get) => get(row).map(|number| safe.own(number.to_string())).unwrap_or_default(),
        Cell::Signed(get) => get(row).map(|number| safe.own(number.to_string())).unwrap_or_default(),
        Cell::Numbers(get) => {
            let mut numbers = Vec::new();
            get(row, &mut numbers);
            as_set(&mut numbers);
            let texts: Vec<_> = numbers.iter().map(u64::to_string).collect();
            safe.own(texts.join(" "))
        }
        Cell::Words(get) => {
            let mut words = Vec::new();
            get(row, &mut words);
            as_set(&mut words);
            safe.own(words.join(" "))
        }
        Cell::List(get, separator) => safe.own(get(row).join(separator(row))),
    }
}
