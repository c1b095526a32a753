//! Stands in for Arrow and Parquet where the program was built without them.

use super::{Error, Names, Writer};
use crate::event::Row;
use std::io::{self, Read, Write};

const WITHOUT: &str =
    "this tidescope was built without Arrow and Parquet: use jsonl, or build it with --features arrow";

pub(super) fn stream_writer<'w>(_: &'w mut (dyn Write + Send)) -> io::Result<Box<dyn Writer + 'w>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, WITHOUT))
}

pub(super) use stream_writer as parquet_writer;

pub(super) fn read_stream(_: impl Read, _: &mut Names, _: &mut dyn FnMut(Row) -> io::Result<()>) -> Result<(), Error> {
    Err(Error::Other(WITHOUT))
}

pub(super) use read_stream as read_file;
pub(super) use read_stream as read_parquet;
