//! zip archives, zip64 included: a file by its directory, so that damage or an encrypted member costs nothing else; what comes as
//! a stream (standard input, a zip in an archive) or has lost its directory by the records before each member.
//!
//! Neither holds more than one record in memory, however many members there are.

mod central;
mod record;
mod stored;
mod stream;

pub(super) use central::walk_file;
pub(super) use stream::walk_stream;

use self::record::Member;
use super::damage;
use super::decode::Format;
use flate2::Crc;
use std::io::{self, Read};

/// How a member is stored.
enum Method {
    Stored,
    Compressed(Format),
}

/// How a member is stored, or why it is not read.
fn method(member: &Member) -> Result<Method, String> {
    if member.encrypted {
        return Err("is encrypted".into());
    }
    let name = match member.method {
        0 => return Ok(Method::Stored),
        8 => return Ok(Method::Compressed(Format::Deflate)),
        12 => return Ok(Method::Compressed(Format::Bzip2)),
        93 => return Ok(Method::Compressed(Format::Zstd)),
        95 => return Ok(Method::Compressed(Format::Xz)),
        9 => "Deflate64",
        14 => "LZMA",
        98 => "PPMd",
        other => return Err(format!("is compressed with method {other} of zip, which is not read: unpack it first")),
    };
    Err(format!("is compressed with {name}, which is not read: unpack it first"))
}

/// Compares what was read with the checksum that the archive has for it, at the end.
struct Checked<'c> {
    content: &'c mut (dyn Read + Send + 'c),
    crc: Crc,
    /// None: it follows the content, and is compared by whoever reads it.
    expected: Option<u32>,
}

impl<'c> Checked<'c> {
    fn new(content: &'c mut (dyn Read + Send + 'c), expected: Option<u32>) -> Self {
        Self { content, crc: Crc::new(), expected }
    }
}

impl Read for Checked<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(out)?;
        self.crc.update(&out[..count]);
        match self.expected {
            Some(expected) if count == 0 && !out.is_empty() && expected != self.crc.sum() => {
                self.expected = None;
                Err(damage::end("does not fit its checksum: something in it is damaged"))
            }
            _ => Ok(count),
        }
    }
}
