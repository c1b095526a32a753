//! Rows as Arrow record batches, in a stream or in Parquet.

mod columns;
mod decode;
mod encode;
mod guard;
mod kinds;
mod parquet;

pub(crate) use self::parquet::ParquetFile;

use super::{Error, Names, Writer};
use crate::event::{Row, RowRef};
use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, SchemaRef};
use guard::guarded;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::sync::Arc;

/// Rows of a batch.
const BATCH: usize = 4_096;

pub(super) fn stream_writer<'w>(out: &'w mut (dyn Write + Send)) -> io::Result<Box<dyn Writer + 'w>> {
    let schema = Arc::new(columns::schema());
    let out = StreamWriter::try_new(out, &schema).map_err(arrow_error)?;
    Ok(Box::new(Batches { schema, columns: columns::Builders::default(), out }))
}

pub(super) fn parquet_writer<'w>(out: &'w mut (dyn Write + Send)) -> io::Result<Box<dyn Writer + 'w>> {
    let schema = Arc::new(columns::schema());
    let out = ParquetFile::new(out, Arc::clone(&schema))?;
    Ok(Box::new(Batches { schema, columns: columns::Builders::default(), out }))
}

/// Where batches go.
trait Sink {
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()>;
    fn end(self) -> io::Result<()>;
}

impl<W: Write> Sink for StreamWriter<W> {
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.write(batch).map_err(arrow_error)
    }

    fn end(mut self) -> io::Result<()> {
        self.finish().map_err(arrow_error)?;
        self.get_mut().flush()
    }
}

impl<W: Write + Send> Sink for ParquetFile<W> {
    fn batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.write(batch)
    }

    fn end(self) -> io::Result<()> {
        self.finish()
    }
}

/// Puts rows together to batches.
struct Batches<S> {
    schema: SchemaRef,
    columns: columns::Builders,
    out: S,
}

impl<S: Sink> Batches<S> {
    fn flush(&mut self) -> io::Result<()> {
        let batch = self.columns.batch(&self.schema).map_err(arrow_error)?;
        self.out.batch(&batch)
    }
}

impl<S: Sink> Writer for Batches<S> {
    fn row(&mut self, row: RowRef<'_>) -> io::Result<()> {
        encode::row(row, &mut self.columns)?;
        if self.columns.rows() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.columns.rows() > 0 {
            self.flush()?;
        }
        self.out.end()
    }
}

/// Streams may stand one behind the other, as `cat` joins them. Each must have its end: one without was cut off.
pub(super) fn read_stream(
    input: impl Read,
    names: &mut Names,
    each: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<(), Error> {
    let mut input = Watched { input: BufReader::with_capacity(1 << 18, input), last: END };
    while !input.input.fill_buf()?.is_empty() {
        let stream = guarded(|| StreamReader::try_new(&mut input, None)).map_err(damaged)?.map_err(not_arrow)?;
        batches(stream, names, each)?;
        if input.last != END {
            return Err(damaged("it is cut off".to_owned()));
        }
    }
    Ok(())
}

/// The last bytes of a stream.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// An input, and the bytes that came last.
struct Watched<R> {
    input: R,
    last: [u8; 8],
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        let new = &buffer[count.saturating_sub(8)..count];
        self.last.rotate_left(new.len());
        self.last[8 - new.len()..].copy_from_slice(new);
        Ok(count)
    }
}

pub(super) fn read_file(
    file: File,
    names: &mut Names,
    each: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<(), Error> {
    batches(guarded(|| FileReader::try_new(file, None)).map_err(damaged)?.map_err(not_arrow)?, names, each)
}

pub(super) fn read_parquet(
    file: File,
    names: &mut Names,
    each: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<(), Error> {
    batches(guarded(|| self::parquet::reader(file, BATCH)).map_err(damaged)??, names, each)
}

fn batches(
    mut batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    names: &mut Names,
    each: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<(), Error> {
    let mut before = 0u64;
    while let Some(batch) = guarded(|| batches.next()).map_err(damaged)? {
        let batch = batch.map_err(not_arrow)?;
        let columns = guarded(|| columns::Columns::of(&batch)).flatten().map_err(damaged)?;
        for at in 0..batch.num_rows() {
            let row = decode::row(&columns, at, names)
                .map_err(|why| Error::NoRow { at: format!("row {}: ", before + at as u64 + 1), why })?;
            each(row)?;
        }
        before += batch.num_rows() as u64;
    }
    Ok(())
}

fn damaged(why: String) -> Error {
    Error::NoRow { at: String::new(), why }
}

fn not_arrow(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            damaged("it is cut off".to_owned())
        }
        ArrowError::IoError(_, error) => Error::Io(error),
        error => damaged(error.to_string()),
    }
}

/// The system's own error where there is one: a reader that went away is told by its kind.
fn arrow_error(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        error => io::Error::other(error),
    }
}
