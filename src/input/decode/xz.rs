//! xz streams. Where a block is damaged the next one is looked for by its header, which has a checksum of its own.

use super::pump::{Outcome, Pump, Run};
use super::{Decode, Fault, Feed, Format, MEMORY_LOG, Resume, Step};
use flate2::Crc;
use liblzma::stream::{Action, Error, Status, Stream};
use memchr::memmem;
use std::io;

#[derive(Default)]
pub(super) struct Xz {
    stream: Option<Stream>,
    pump: Pump,
    /// Where the stream begins: its parts are aligned to four bytes from there.
    begun: u64,
    /// The stream's header, to be given again before a block that is taken up. Empty where no block can be.
    header: Vec<u8>,
    /// A block was lost, and the damage told.
    damaged: bool,
}

/// Bytes of a stream's header, most bytes of a block's header.
const STREAM_HEADER: usize = 12;
const BLOCK_HEADER: usize = 1_024;

impl Xz {
    fn restart(&mut self) -> Result<(), Fault> {
        self.stream = Some(Stream::new_stream_decoder(1 << MEMORY_LOG, 0).map_err(|error| Fault::Corrupt(why(error)))?);
        self.pump = Pump::default();
        Ok(())
    }
}

impl Decode for Xz {
    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<(), Fault> {
        self.begun = feed.position();
        self.header = feed.peek(STREAM_HEADER)?.iter().copied().take(STREAM_HEADER).collect();
        self.damaged = false;
        self.restart()
    }

    fn step(&mut self, feed: &mut Feed<'_>, out: &mut [u8]) -> Result<Step, Fault> {
        let Self { stream: Some(stream), pump, header, damaged, .. } = self else { return Ok(Step::End) };
        let mut position = feed.position() - self.begun;
        let mut index_does_not_fit = false;
        let step = pump.step(feed, out, |input, out| {
            let before = (stream.total_in(), stream.total_out());
            let result = stream.process(input, out, Action::Run);
            let consumed = (stream.total_in() - before.0) as usize;
            let produced = (stream.total_out() - before.1) as usize;
            position += consumed as u64;
            let outcome = match result {
                Ok(Status::StreamEnd) => Outcome::End,
                Ok(_) => Outcome::More,
                Err(Error::Data) if *damaged && ends_in_index(position, &input[..consumed]) => {
                    index_does_not_fit = true;
                    Outcome::End
                }
                Err(error) => {
                    if !matches!(error, Error::Data) {
                        header.clear();
                    }
                    Outcome::Corrupt(why(error))
                }
            };
            Run { consumed, produced, outcome }
        });
        if index_does_not_fit {
            // It counts more blocks than were seen. Behind it stands the footer with the same flags as the header.
            let footer = [self.header[6], self.header[7], b'Y', b'Z'];
            if feed.find(footer.len(), |_, bytes| memmem::find(bytes, &footer))? {
                feed.consume(footer.len());
            }
        }
        step
    }

    fn resume(&mut self, feed: &mut Feed<'_>) -> io::Result<Resume> {
        if self.header.len() < STREAM_HEADER {
            return Format::Xz.next_member(feed);
        }
        let begun = self.begun;
        let is_member = |bytes: &[u8]| Format::Xz.begins(bytes);
        let found = feed.find(BLOCK_HEADER, |position, bytes| {
            let aligned = |at: usize| (position + at as u64 - begun).is_multiple_of(4);
            (0..bytes.len()).find(|at| is_member(&bytes[*at..]) || aligned(*at) && is_block_header(&bytes[*at..]))
        })?;
        if !found {
            return Ok(Resume::Nowhere);
        }
        if is_member(feed.buffered()) {
            return Ok(Resume::Member);
        }
        self.damaged = true;
        if self.restart().is_err() {
            return Ok(Resume::Nowhere);
        }
        if let Some(stream) = &mut self.stream {
            stream.process(&self.header, &mut [], Action::Run)?;
        }
        Ok(Resume::Block)
    }
}

/// Whether a decoder that has just consumed `bytes` up to `position` has stopped after the number of records of an index: a zero
/// at an aligned place, and a number.
fn ends_in_index(position: u64, bytes: &[u8]) -> bool {
    (2..=6).any(|length| {
        bytes.len() >= length
            && (position - length as u64).is_multiple_of(4)
            && match &bytes[bytes.len() - length..] {
                [0, more @ .., last] => last & 0x80 == 0 && more.iter().all(|byte| byte & 0x80 != 0),
                _ => false,
            }
    })
}

/// Whether a block's header stands here: its size, flags, and a checksum over them that fits.
fn is_block_header(bytes: &[u8]) -> bool {
    let [size, flags, ..] = *bytes else { return false };
    let size = (usize::from(size) + 1) * 4;
    if size == 4 || flags & 0x3c != 0 || bytes.len() < size {
        return false;
    }
    let (fields, checksum) = bytes[..size].split_at(size - 4);
    let mut crc = Crc::new();
    crc.update(fields);
    checksum == crc.sum().to_le_bytes()
}

fn why(error: Error) -> String {
    match error {
        Error::MemLimit => format!("needs more than {} MiB to be decoded, which is not read,", (1 << MEMORY_LOG) >> 20),
        Error::Options => "has options that are not known".into(),
        _ => "is damaged".into(),
    }
}
