//! What a table of the report is: its columns by name, and how to get each cell out of a row.
//! CSV, JSON and its schema are written from the same description, so that they cannot differ.

use crate::units::Timestamp;

/// The rows of a table. They may borrow what they show, as the rows of `events.csv` do.
pub(super) trait Rows {
    /// One row.
    type Row<'r>;
}

/// Rows that are kept as they are shown.
pub(super) trait Plain: for<'r> Rows<Row<'r> = Self> + Sized {}

impl<R: for<'r> Rows<Row<'r> = R>> Plain for R {}

/// A table: the name of its CSV file, and its columns in order.
pub(super) struct Table<R: Rows> {
    pub(super) name: &'static str,
    pub(super) columns: Vec<Column<R>>,
}

/// A column: its name, and its cell of a row.
pub(super) struct Column<R: Rows> {
    pub(super) name: &'static str,
    pub(super) cell: Cell<R>,
}

/// How to get a cell out of a row; the variant is the column's type. `None` is an empty cell.
pub(super) enum Cell<R: Rows> {
    /// A word of ours, or the id of a rule: fit for output as it is.
    Word(for<'r> fn(&'r R::Row<'r>) -> Option<&'r str>),
    /// Text of a log, or made of it.
    Text(for<'r> fn(&'r R::Row<'r>) -> Option<&'r str>),
    /// A moment.
    Time(for<'r> fn(&'r R::Row<'r>) -> Option<Timestamp>),
    /// An id, a TSO or a count.
    Number(for<'r> fn(&'r R::Row<'r>) -> Option<u64>),
    /// A difference.
    Signed(for<'r> fn(&'r R::Row<'r>) -> Option<i64>),
    /// Ids or TSOs; written sorted and without repeats.
    Numbers(for<'r> fn(&'r R::Row<'r>, &mut Vec<u64>)),
    /// Words; written sorted and without repeats.
    Words(for<'r> fn(&'r R::Row<'r>, &mut Vec<&'r str>)),
    /// Texts whose order matters, and what joins them in one cell.
    List(for<'r> fn(&'r R::Row<'r>) -> Vec<String>, for<'r> fn(&'r R::Row<'r>) -> &'static str),
}

/// Short constructors, for the descriptions to read as a list.
impl<R: Rows> Column<R> {
    pub(super) fn text(name: &'static str, cell: for<'r> fn(&'r R::Row<'r>) -> Option<&'r str>) -> Self {
        Self { name, cell: Cell::Text(cell) }
    }

    pub(super) fn word(name: &'static str, cell: for<'r> fn(&'r R::Row<'r>) -> Option<&'r str>) -> Self {
        Self { name, cell: Cell::Word(cell) }
    }

    pub(super) fn time(name: &'static str, cell: for<'r> fn(&'r R::Row<'r>) -> Option<Timestamp>) -> Self {
        Self { name, cell: Cell::Time(cell) }
    }

    pub(super) fn number(name: &'static str, cell: for<'r> fn(&'r R::Row<'r>) -> Option<u64>) -> Self {
        Self { name, cell: Cell::Number(cell) }
    }

    pub(super) fn signed(name: &'static str, cell: for<'r> fn(&'r R::Row<'r>) -> Option<i64>) -> Self {
        Self { name, cell: Cell::Signed(cell) }
    }

    pub(super) fn numbers(name: &'static str, cell: for<'r> fn(&'r R::Row<'r>, &mut Vec<u64>)) -> Self {
        Self { name, cell: Cell::Numbers(cell) }
    }

    pub(super) fn words(name: &'static str, cell: for<'r> fn(&'r R::Row<'r>, &mut Vec<&'r str>)) -> Self {
        Self { name, cell: Cell::Words(cell) }
    }

    pub(super) fn list(
        name: &'static str,
        cell: for<'r> fn(&'r R::Row<'r>) -> Vec<String>,
        separator: for<'r> fn(&'r R::Row<'r>) -> &'static str,
    ) -> Self {
        Self { name, cell: Cell::List(cell, separator) }
    }
}

/// Sorts and drops repeats; lists that are in order already, as most are, cost one look.
pub(super) fn as_set<T: Ord>(values: &mut Vec<T>) {
    if !values.is_sorted_by(|a, b| a < b) {
        values.sort_unstable();
        values.dedup();
    }
}
