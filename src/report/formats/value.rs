//! A cell out of its row, fit for output, with its type.

use crate::report::table::{Cell, Rows, as_set};
use crate::safe::{Safe, SafeText};
use crate::units::Timestamp;

/// What stands in a cell.
pub(super) enum Value<'r> {
    Empty,
    Text(SafeText<'r>),
    Time(Timestamp),
    Number(u64),
    Signed(i64),
    Numbers(Vec<u64>),
    Texts(Vec<SafeText<'r>>),
}

impl<'r> Value<'r> {
    pub(super) fn of<R: Rows>(cell: &Cell<R>, row: &'r R::Row<'r>, safe: Safe) -> Self {
        match cell {
            Cell::Word(get) | Cell::Text(get) => get(row).map_or(Self::Empty, |text| Self::Text(safe.text(text))),
            Cell::Time(get) => get(row).map_or(Self::Empty, Self::Time),
            Cell::Number(get) => get(row).map_or(Self::Empty, Self::Number),
            Cell::Signed(get) => get(row).map_or(Self::Empty, Self::Signed),
            Cell::Numbers(get) => {
                let mut numbers = Vec::new();
                get(row, &mut numbers);
                as_set(&mut numbers);
                Self::Numbers(numbers)
            }
            Cell::Words(get) => {
                let mut words = Vec::new();
                get(row, &mut words);
                as_set(&mut words);
                Self::Texts(words.into_iter().map(|word| safe.text(word)).collect())
            }
            Cell::List(get, _) => Self::Texts(get(row).iter().map(|text| safe.text(text).into_owned()).collect()),
        }
    }
}
