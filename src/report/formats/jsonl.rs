//! `events.jsonl`: the columns of `events.csv` as keys, lists as arrays, one event a line.

use super::each_event;
use crate::correlate::Correlation;
use crate::event::EventStream;
use crate::report::json::RowDoc;
use crate::report::tables;
use crate::safe::Safe;
use std::io::{self, BufWriter, Write};

pub(super) fn write(
    correlation: &Correlation,
    events: &dyn EventStream,
    safe: Safe,
    out: impl Write,
) -> io::Result<()> {
    let table = tables::events();
    let mut out = BufWriter::with_capacity(1 << 18, out);
    each_event(correlation, events, &mut |row| {
        serde_json::to_writer(&mut out, &RowDoc { table: &table, row, safe })?;
        out.write_all(b"\n")
    })?;
    out.flush()
}
