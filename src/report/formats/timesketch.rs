//! `timesketch.csv`: what Timesketch asks for first (message, datetime, timestamp in microseconds, timestamp_desc), then the
//! other columns of `events.csv`. An event without a time has no place on a timeline and is left out.

use super::each_event;
use crate::correlate::Correlation;
use crate::event::EventStream;
use crate::report::csv::Scratch;
use crate::report::tables;
use crate::safe::Safe;
use std::io::{self, Write};

const REQUIRED: [&str; 4] = ["message", "datetime", "timestamp", "timestamp_desc"];

pub(super) fn write(
    correlation: &Correlation,
    events: &dyn EventStream,
    safe: Safe,
    out: impl Write,
) -> io::Result<()> {
    let mut columns = tables::events().columns;
    let message = columns.iter().position(|column| column.name == "message").map(|at| columns.remove(at));
    columns.retain(|column| column.name != "time");
    let mut csv = csv::WriterBuilder::new().buffer_capacity(1 << 18).from_writer(out);
    csv.write_record(REQUIRED.into_iter().chain(columns.iter().map(|column| column.name)))?;
    let mut scratch = Scratch::default();
    each_event(correlation, events, &mut |row| {
        let Some(time) = row.event.time else { return Ok(()) };
        if let Some(message) = &message {
            csv.write_field(scratch.text(&message.cell, row, safe)?)?;
        }
        let moment = time.to_string();
        csv.write_field(format!("{}+00:00", moment.trim_end_matches('Z')))?;
        csv.write_field(time.0.saturating_mul(1_000).to_string())?;
        csv.write_field("Event Logged")?;
        for column in &columns {
            csv.write_field(scratch.text(&column.cell, row, safe)?)?;
        }
        csv.write_record(None::<&[u8]>)?;
        Ok(())
    })?;
    csv.flush()
}
