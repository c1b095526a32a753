//! A stored member of a stream, whose size and checksum follow it: it ends where both fit what was read.

use super::record::{DESCRIPTOR_MAGIC, long, wide};
use crate::input::damage;
use crate::input::feed::Feed;
use flate2::Crc;
use memchr::memmem;
use std::io::{self, Read};

/// Bytes of a record behind the content: mark, checksum, two sizes.
const NARROW: usize = 16;
const WIDE: usize = 24;

/// The content.
pub(super) struct Stored<'f, 'a> {
    feed: &'f mut Feed<'a>,
    zip64: bool,
    crc: Crc,
    given: u64,
    over: bool,
}

impl<'f, 'a> Stored<'f, 'a> {
    pub(super) fn new(feed: &'f mut Feed<'a>, zip64: bool) -> Self {
        Self { feed, zip64, crc: Crc::new(), given: 0, over: false }
    }

    /// Whether the bytes behind the content are the record that describes it.
    fn fits(&self, record: &[u8]) -> bool {
        let size = if self.zip64 { wide(record, 8) } else { long(record, 8).into() };
        record.starts_with(DESCRIPTOR_MAGIC) && long(record, 4) == self.crc.sum() && size == self.given
    }
}

impl Read for Stored<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.over || out.is_empty() {
            return Ok(0);
        }
        let record = if self.zip64 { WIDE } else { NARROW };
        let have = self.feed.peek(record)?.len();
        if have == 0 {
            self.over = true;
            return Err(damage::end("the archive is cut off in this member"));
        }
        if self.fits(self.feed.buffered()) {
            self.feed.consume(record);
            self.over = true;
            return Ok(0);
        }
        // Up to the next mark, or what may be the beginning of one.
        let bytes = self.feed.buffered();
        let next = memmem::find(&bytes[1..], DESCRIPTOR_MAGIC).map(|at| at + 1);
        let count = next.unwrap_or((have + 1).saturating_sub(DESCRIPTOR_MAGIC.len()).max(1)).min(out.len());
        out[..count].copy_from_slice(&bytes[..count]);
        self.crc.update(&out[..count]);
        self.given += count as u64;
        self.feed.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &[u8], zip64: bool, step: usize) -> (Vec<u8>, Option<String>, Vec<u8>) {
        let mut source = stream;
        let mut feed = Feed::with_buffer(&mut source, 1);
        let mut stored = Stored::new(&mut feed, zip64);
        let (mut all, mut buffer) = (Vec::new(), vec![0; step]);
        let error = loop {
            match stored.read(&mut buffer) {
                Ok(0) => break None,
                Ok(count) => all.extend_from_slice(&buffer[..count]),
                Err(error) => break Some(error.to_string()),
            }
        };
        let mut rest = Vec::new();
        feed.read_to_end(&mut rest).unwrap();
        (all, error, rest)
    }

    #[test]
    fn content_ends_where_its_record_fits() {
        let content = [&b"PK\x07\x08 looks like the end"[..], &b"abc".repeat(1_000), b"PK\x07\x08PK\x07"].concat();
        let mut crc = Crc::new();
        crc.update(&content);
        for zip64 in [false, true] {
            let mut stream = [&content[..], DESCRIPTOR_MAGIC, &crc.sum().to_le_bytes()].concat();
            for _ in 0..2 {
                stream.extend_from_slice(&(content.len() as u64).to_le_bytes()[..if zip64 { 8 } else { 4 }]);
            }
            stream.extend_from_slice(b"rest");
            for step in [1, 7, 100_000] {
                assert_eq!(read(&stream, zip64, step), (content.clone(), None, b"rest".to_vec()));
            }
            let (all, error, _) = read(&content, zip64, 10);
            assert_eq!((all, error.is_some()), (content.clone(), true));
        }
    }
}
