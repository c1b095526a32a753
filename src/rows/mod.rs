//! Rows of `scan` as bytes, written and read back without loss: JSON lines, an Arrow stream, Parquet.
//! What a file of rows is, its bytes say. Memory does not grow with the number of rows.
//!
//! Not here: what the rows of several parts come to (`commands::rows`), and tables for people (`report`).

#[cfg(feature = "arrow")]
pub(crate) mod arrow;
#[cfg(not(feature = "arrow"))]
#[path = "no_arrow.rs"]
mod arrow;
mod jsonl;
mod names;
#[cfg(test)]
mod tests;

pub use names::Names;

use crate::event::{Row, RowRef};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// A format that `report` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// A stream of Arrow record batches.
    Arrow,
    /// A Parquet file.
    Parquet,
}

/// Why rows cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file, or a temporary one.
    #[error("cannot be read: {}", crate::error::without_number(.0))]
    Io(#[from] io::Error),
    /// The bytes are something else, or damaged.
    #[error("{at}no row that `tidescope scan` wrote: {why}")]
    NoRow {
        /// Where: `line 3: `, `row 17: `; empty where nobody can say.
        at: String,
        /// What is wrong.
        why: String,
    },
    /// A file of another kind.
    #[error("{0}")]
    Other(&'static str),
}

/// Takes rows, one at a time.
pub trait Writer {
    /// Writes a row.
    ///
    /// # Errors
    /// Where the output cannot be written.
    fn row(&mut self, row: RowRef<'_>) -> io::Result<()>;

    /// Ends the output.
    ///
    /// # Errors
    /// Where the output cannot be written.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// A writer of a format.
///
/// # Errors
/// Where the output cannot be written, or this program was built without the format.
pub fn writer<'w>(format: Format, out: &'w mut (dyn Write + Send)) -> io::Result<Box<dyn Writer + 'w>> {
    match format {
        Format::Jsonl => Ok(Box::new(jsonl::Lines::new(out))),
        Format::Arrow => arrow::stream_writer(out),
        Format::Parquet => arrow::parquet_writer(out),
    }
}

/// Reads the rows of a file, or of standard input (`-`).
///
/// # Errors
/// Where the file holds something else, or cannot be read; also those of `each`.
pub fn read(path: &Path, names: &mut Names, each: &mut dyn FnMut(Row) -> io::Result<()>) -> Result<(), Error> {
    if path.as_os_str() == "-" {
        return stream(io::stdin().lock(), names, each);
    }
    let mut file = File::open(path)?;
    // A pipe cannot be rewound; `stream` takes what has no end at hand.
    if !file.metadata()?.is_file() {
        return stream(file, names, each);
    }
    let kind = Kind::of(&head(&mut file)?);
    file.rewind()?;
    match kind {
        Kind::Parquet => arrow::read_parquet(file, names, each),
        Kind::ArrowFile => arrow::read_file(file, names, each),
        Kind::ArrowStream => arrow::read_stream(file, names, each),
        Kind::Jsonl => jsonl::read(file, names, each),
        Kind::Other(what) => Err(Error::Other(what)),
    }
}

/// Reads rows that come only once. Formats with their index at the end are kept in a temporary file.
fn stream(mut input: impl Read, names: &mut Names, each: &mut dyn FnMut(Row) -> io::Result<()>) -> Result<(), Error> {
    let head = head(&mut input)?;
    let kind = Kind::of(&head);
    let mut input = head.chain(input);
    match kind {
        Kind::ArrowStream => arrow::read_stream(input, names, each),
        Kind::Jsonl => jsonl::read(input, names, each),
        Kind::Other(what) => Err(Error::Other(what)),
        Kind::Parquet | Kind::ArrowFile => {
            let mut copy = tempfile::tempfile()?;
            io::copy(&mut input, &mut copy)?;
            copy.rewind()?;
            if kind == Kind::Parquet {
                arrow::read_parquet(copy, names, each)
            } else {
                arrow::read_file(copy, names, each)
            }
        }
    }
}

/// The first bytes, as many as `Kind::of` looks at.
fn head(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    input.take(64).read_to_end(&mut head)?;
    Ok(head)
}

/// What a file of rows is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Jsonl,
    ArrowStream,
    ArrowFile,
    Parquet,
    Other(&'static str),
}

impl Kind {
    fn of(head: &[u8]) -> Self {
        match head {
            [b'P', b'A', b'R', b'1', ..] => Self::Parquet,
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Self::ArrowFile,
            [0xff, 0xff, 0xff, 0xff, ..] => Self::ArrowStream,
            [b't', b'i', b'm', b'e', b',', ..] => {
                Self::Other("is csv, which is for people; scan with --format jsonl, arrow or parquet to read it here")
            }
            _ => match head.trim_ascii_start().first() {
                None | Some(b'{') => Self::Jsonl,
                Some(_) => Self::Other("is no file of rows; `tidescope scan --format jsonl|arrow|parquet` writes them"),
            },
        }
    }
}
