//! Parquet files: how they are written, whatever stands in them, and how they are read.

use super::super::Error;
use super::{ArrowError, SchemaRef, arrow_error, not_arrow};
use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::io::{self, Write};

/// Rows of a row group: enough for good compression, few enough to skip by time.
const GROUP_ROWS: usize = 128 << 10;
/// Bytes of a row group while it is in memory.
const GROUP_BYTES: usize = 32 << 20;

/// A Parquet file in the making: zstd, strings as dictionaries, bounded memory.
pub(crate) struct ParquetFile<W: Write + Send> {
    out: ArrowWriter<W>,
}

impl<W: Write + Send> ParquetFile<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub(crate) fn new(out: W, schema: SchemaRef) -> io::Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_max_row_group_bytes(Some(GROUP_BYTES))
            .build();
        Ok(Self { out: ArrowWriter::try_new(out, schema, Some(properties)).map_err(parquet_error)? })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.out.write(batch).map_err(parquet_error)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.out.into_inner().map_err(parquet_error)?.flush()
    }
}

/// The batches of a file. Types are those of Parquet itself, whoever wrote it.
pub(super) fn reader(file: File, batch: usize) -> Result<impl Iterator<Item = Result<RecordBatch, ArrowError>>, Error> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .map_err(|error| not_arrow(ArrowError::from(error)))?;
    builder.with_batch_size(batch).build().map_err(|error| not_arrow(ArrowError::from(error)))
}

fn parquet_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => arrow_error(error.into()),
    }
}
