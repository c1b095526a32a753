//! Tables as Markdown and HTML show them: the columns that matter, the first rows, and how many are left out.

use super::table::{Cell, Plain, Table, as_set};
use crate::safe::{Safe, SafeText};

/// A table cut to what is shown.
pub(super) struct Shown {
    /// The file that has everything.
    pub(super) file: Option<String>,
    /// Columns.
    pub(super) head: Vec<Head>,
    /// Cells of the rows shown.
    pub(super) rows: Vec<Vec<SafeText<'static>>>,
    /// How many rows are left out.
    pub(super) hidden: usize,
}

/// A column as people read it.
pub(super) struct Head {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// On the right.
    Number,
    /// Never broken.
    Time,
    /// A few words.
    Text,
    /// Sentences, which need room.
    Long,
    /// Sentences of ours, with code between backquotes.
    Prose,
    /// Names that are never broken, though there are hyphens in them.
    Names,
    /// How bad it is.
    Severity,
}

impl Kind {
    /// Its class on the page.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Number => "n",
            Self::Time => "t",
            Self::Text => "",
            Self::Long => "w",
            Self::Prose => "p",
            Self::Names => "k",
            Self::Severity => "s",
        }
    }
}

impl Shown {
    /// Without the columns in which nothing stands.
    pub(super) fn without_empty(mut self) -> Self {
        let is_filled: Vec<_> =
            (0..self.head.len()).map(|at| self.rows.iter().any(|row| !row[at].is_empty())).collect();
        let mut at = is_filled.iter();
        self.head.retain(|_| at.next().copied().unwrap_or_default());
        for row in &mut self.rows {
            let mut at = is_filled.iter();
            row.retain(|_| at.next().copied().unwrap_or_default());
        }
        self
    }

    /// With a file and a line in it as one column, `file:line`.
    pub(super) fn with_places(mut self, safe: Safe) -> Self {
        let Some(at) = self.head.windows(2).position(|pair| pair[0].name == "file" && pair[1].name == "line") else {
            return self;
        };
        self.head.remove(at + 1);
        "evidence".clone_into(&mut self.head[at].name);
        for row in &mut self.rows {
            let line = row.remove(at + 1);
            row[at] = safe.own(format!("{}:{}", &*row[at], &*line));
        }
        self
    }
}

/// Letters from which on a text is long.
const LONG: usize = 44;
/// Letters of a text that are shown.
const MOST: usize = 300;

/// The given columns of the first rows.
pub(super) fn shown<'r, R: Plain + 'r>(
    table: &Table<R>,
    columns: &[&str],
    rows: impl ExactSizeIterator<Item = &'r R>,
    most: usize,
    safe: Safe,
) -> Shown {
    let column = |name: &&str| {
        let found = table.columns.iter().find(|column| column.name == *name);
        debug_assert!(found.is_some(), "{} has no column {name}", table.name);
        found
    };
    let columns: Vec<_> = columns.iter().filter_map(column).collect();
    let all = rows.len();
    let cells = |row: &R| columns.iter().map(|column| text(&column.cell, row, safe)).collect();
    let rows: Vec<Vec<SafeText<'static>>> = rows.take(most).map(cells).collect();
    let is_long = |at: usize| rows.iter().any(|row| row[at].len() > LONG);
    let head = columns.iter().enumerate().map(|(at, column)| Head {
        name: column.name.replace('_', " "),
        kind: match column.cell {
            Cell::Number(_) | Cell::Signed(_) => Kind::Number,
            Cell::Time(_) => Kind::Time,
            _ if column.name == "severity" => Kind::Severity,
            _ if matches!(column.name, "meaning" | "remedy") => Kind::Prose,
            _ if matches!(column.name, "rule" | "error_code") => Kind::Names,
            _ if is_long(at) => Kind::Long,
            _ => Kind::Text,
        },
    });
    Shown { file: Some(format!("{}.csv", table.name)), head: head.collect(), hidden: all.saturating_sub(most), rows }
}

/// A text, cut where it is very long: the CSV file has the rest.
fn cut(text: &str, safe: Safe) -> SafeText<'static> {
    match text.char_indices().nth(MOST) {
        Some((end, _)) => safe.own(format!("{}…", &text[..end])),
        None => safe.line(text).into_owned(),
    }
}

/// A cell as people read it.
fn text<R: Plain>(cell: &Cell<R>, row: &R, safe: Safe) -> SafeText<'static> {
    match cell {
        Cell::Word(get) | Cell::Text(get) => get(row).map(|text| cut(text, safe)).unwrap_or_default(),
        Cell::Time(get) => get(row).map(|time| safe.own(time.to_string().replace('T', " "))).unwrap_or_default(),
        Cell::Number(get) => get(row).map(|number| safe.own(number.to_string())).unwrap_or_default(),
        Cell::Signed(get) => get(row).map(|number| safe.own(number.to_string())).unwrap_or_default(),
        Cell::Numbers(get) => {
            let mut numbers = Vec::new();
            get(row, &mut numbers);
            as_set(&mut numbers);
            let texts: Vec<_> = numbers.iter().map(u64::to_string).collect();
            cut(&texts.join(" "), safe)
        }
        Cell::Words(get) => {
            let mut words = Vec::new();
            get(row, &mut words);
            as_set(&mut words);
            cut(&words.join(" "), safe)
        }
        Cell::List(get, separator) => cut(&get(row).join(separator(row)), safe),
    }
}
