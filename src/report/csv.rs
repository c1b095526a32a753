//! CSV: one writer for every table, and for the events, that may be many millions.

use super::html::{Crowd, Frame};
use super::table::{Cell, Plain, Rows, Table, as_set};
use super::tables::{self, EventRow, Events};
use super::tally::Tally;
use crate::correlate::{Correlation, Episode};
use crate::event::{Event, EventStream};
use crate::safe::Safe;
use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSlice;
use std::io::{self, Write};

/// Writes the rows of one table.
pub(super) struct CsvWriter<'t, R: Rows, W: Write> {
    table: &'t Table<R>,
    csv: csv::Writer<W>,
    record: csv::ByteRecord,
    safe: Safe,
    scratch: Scratch,
}

/// What is kept from cell to cell, so that a row costs no allocation.
#[derive(Default)]
pub(super) struct Scratch {
    text: Vec<u8>,
    numbers: Vec<u64>,
}

impl<'t, R: Rows, W: Write> CsvWriter<'t, R, W> {
    /// Begins the table: its line of column names.
    pub(super) fn new(table: &'t Table<R>, out: W, safe: Safe) -> io::Result<Self> {
        let mut csv = csv::WriterBuilder::new().buffer_capacity(1 << 18).from_writer(out);
        csv.write_record(table.columns.iter().map(|column| column.name))?;
        Ok(Self { table, csv, record: csv::ByteRecord::new(), safe, scratch: Scratch::default() })
    }

    /// Goes on with a table whose column names stand elsewhere.
    fn rows_only(table: &'t Table<R>, out: W, safe: Safe) -> Self {
        let csv = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(out);
        Self { table, csv, record: csv::ByteRecord::new(), safe, scratch: Scratch::default() }
    }

    /// Writes a row.
    pub(super) fn row<'r>(&mut self, row: &'r R::Row<'r>) -> io::Result<()> {
        self.record.clear();
        for column in &self.table.columns {
            self.record.push_field(self.scratch.text(&column.cell, row, self.safe)?);
        }
        Ok(self.csv.write_byte_record(&self.record)?)
    }

    /// Ends the table.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.csv.flush()
    }
}

impl Scratch {
    /// A cell as CSV has it, before quotes.
    pub(super) fn text<'r, R: Rows>(&mut self, cell: &Cell<R>, row: &'r R::Row<'r>, safe: Safe) -> io::Result<&[u8]> {
        self.text.clear();
        self.cell(cell, row, safe)?;
        Ok(&self.text)
    }

    fn cell<'r, R: Rows>(&mut self, cell: &Cell<R>, row: &'r R::Row<'r>, safe: Safe) -> io::Result<()> {
        match cell {
            Cell::Word(get) => self.text.write_all(get(row).unwrap_or_default().as_bytes()),
            Cell::Text(get) => get(row).map_or(Ok(()), |text| self.push_text(text, safe)),
            Cell::Time(get) => get(row).map_or(Ok(()), |time| write!(self.text, "{time}")),
            Cell::Number(get) => get(row).map_or(Ok(()), |number| self.push_number(number)),
            Cell::Signed(get) => get(row).map_or(Ok(()), |number| self.push_number(number)),
            Cell::Numbers(get) => {
                let mut numbers = std::mem::take(&mut self.numbers);
                numbers.clear();
                get(row, &mut numbers);
                as_set(&mut numbers);
                for (at, number) in numbers.iter().enumerate() {
                    if at > 0 {
                        self.text.push(b';');
                    }
                    self.push_number(*number)?;
                }
                self.numbers = numbers;
                Ok(())
            }
            Cell::Words(get) => {
                let mut words = Vec::new();
                get(row, &mut words);
                as_set(&mut words);
                if words.is_empty() { Ok(()) } else { self.push_text(&words.join(";"), safe) }
            }
            Cell::List(get, separator) => self.push_text(&get(row).join(separator(row)), safe),
        }
    }

    /// A text that a spreadsheet would take for a formula gets a quote in front.
    fn push_text(&mut self, raw: &str, safe: Safe) -> io::Result<()> {
        if raw.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            self.text.push(b'\'');
        }
        self.text.write_all(safe.text(raw).as_bytes())
    }

    fn push_number(&mut self, number: impl itoa::Integer) -> io::Result<()> {
        self.text.write_all(itoa::Buffer::new().format(number).as_bytes())
    }
}

/// Events that one thread formats at a time.
const CHUNK: usize = 1024;

/// Writes `events.csv` in one pass over the events, and counts them. Rows are formatted in parallel and written in order.
pub(super) fn write_events(
    correlation: &Correlation,
    events: &dyn EventStream,
    tally: &mut Tally,
    mut out: impl Write + Send,
    safe: Safe,
) -> io::Result<()> {
    let table = tables::events();
    CsvWriter::new(&table, &mut out, safe)?.finish()?;
    let mut result = Ok(());
    // What was formatted is written while the next batch is formatted.
    let mut made: Vec<io::Result<Vec<u8>>> = Vec::new();
    events.for_each_batch(&mut |batch| {
        let format = || batch.par_chunks(CHUNK).map(|chunk| format(&table, correlation, chunk, safe)).collect();
        let ready = std::mem::take(&mut made);
        (made, ()) = rayon::join(format, || {
            write_all(ready, &mut out, &mut result);
            for event in batch.iter().filter(|event| correlation.is_counted(event)) {
                tally.count(&EventRow { event, derived: correlation.derived(event) });
            }
        });
    })?;
    write_all(made, &mut out, &mut result);
    result?;
    out.flush()
}

fn write_all(texts: Vec<io::Result<Vec<u8>>>, out: &mut impl Write, result: &mut io::Result<()>) {
    for text in texts {
        if result.is_ok() {
            *result = text.and_then(|text| out.write_all(&text));
        }
    }
}

fn format(table: &Table<Events>, correlation: &Correlation, events: &[&Event], safe: Safe) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(events.len() * 384);
    let mut writer = CsvWriter::rows_only(table, &mut text, safe);
    for event in events.iter().filter(|event| correlation.is_counted(event)) {
        writer.row(&EventRow { event, derived: correlation.derived(event) })?;
    }
    writer.finish()?;
    Ok(text)
}

/// Writes `timeline.csv` in one pass over the episodes, and counts them. Rows are formatted in parallel and written in order.
pub(super) fn write_episodes(
    correlation: &Correlation,
    frame: Option<&Frame>,
    mut out: impl Write,
    safe: Safe,
) -> io::Result<Crowd> {
    let table = tables::timeline();
    CsvWriter::new(&table, &mut out, safe)?.finish()?;
    let make = |episodes: &[Episode]| {
        let mut text = Vec::with_capacity(episodes.len() * 384);
        let mut writer = CsvWriter::rows_only(&table, &mut text, safe);
        episodes.iter().try_for_each(|row| writer.row(row))?;
        writer.finish()?;
        Ok((text, Crowd::of(episodes, frame)))
    };
    let mut crowd = Crowd::default();
    correlation.each_made(&make, &mut |(text, counted)| {
        crowd.add(counted);
        out.write_all(&text)
    })?;
    out.flush()?;
    Ok(crowd)
}

/// Writes a whole table.
pub(super) fn write<R: Plain>(table: &Table<R>, rows: &[R], out: impl Write, safe: Safe) -> io::Result<()> {
    let mut writer = CsvWriter::new(table, out, safe)?;
    rows.iter().try_for_each(|row| writer.row(row))?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::super::table::{Column, Rows, Table};
    use super::write;
    use crate::safe::Safe;
    use crate::units::Timestamp;

    #[derive(Default)]
    struct Row {
        text: &'static str,
        time: Option<Timestamp>,
        ids: Vec<u64>,
        skew: Option<i64>,
    }

    impl Rows for Row {
        type Row<'r> = Self;
    }

    fn table() -> Table<Row> {
        Table {
            name: "test",
            columns: vec![
                Column::text("text", |row: &Row| Some(row.text)),
                Column::time("time", |row| row.time),
                Column::numbers("ids", |row, out| out.extend(&row.ids)),
                Column::signed("skew", |row| row.skew),
            ],
        }
    }

    fn csv_of(row: Row) -> String {
        let mut out = Vec::new();
        write(&table(), &[row], &mut out, Safe::new(true)).unwrap();
        String::from_utf8(out).unwrap().strip_prefix("text,time,ids,skew\n").unwrap().to_owned()
    }

    fn text(text: &'static str) -> String {
        csv_of(Row { text, ..Row::default() })
    }

    #[test]
    fn formulas_are_disarmed_and_numbers_stay_numbers() {
        assert_eq!(text("=HYPERLINK(1)"), "'=HYPERLINK(1),,,\n");
        assert_eq!(text("+1"), "'+1,,,\n");
        assert_eq!(text("-1"), "'-1,,,\n");
        assert_eq!(text("@SUM(A1)"), "'@SUM(A1),,,\n");
        assert_eq!(text("\t=1"), "'\\x09=1,,,\n");
        assert_eq!(text("\r=1"), "'\\x0d=1,,,\n");
        assert_eq!(csv_of(Row { text: "a", skew: Some(-5), ..Row::default() }), "a,,,-5\n");
    }

    #[test]
    fn cells_are_quoted_joined_and_without_secrets() {
        assert_eq!(text("say \"no\", twice"), "\"say \"\"no\"\", twice\",,,\n");
        assert_eq!(text("password=hunter2"), "password=[REDACTED],,,\n");
        assert_eq!(csv_of(Row { ids: vec![9, 1, 9], ..Row::default() }), ",,1;9,\n");
    }
}
