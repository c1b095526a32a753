//! bzip2 streams, block by block: each is cut out (blocks begin at any bit) and decoded as a stream of its own, as bzip2recover
//! does, so that a damaged block costs nothing but itself.

use super::{Decode, Fault, Feed, Format, Resume, Step, exactly};
use bzip2::{Decompress, Status};
use std::io;

/// The 48 bits that a block begins with (the digits of pi), and those of the end of a stream (of its square root).
const BLOCK: u64 = 0x3141_5926_5359;
const END: u64 = 0x1772_4538_5090;
const MARK_BITS: usize = 48;
const MARK: u64 = (1 << MARK_BITS) - 1;

/// No block is longer than this.
const LONGEST: usize = 4 << 20;

/// The text of a block (at most 900 kB, but for long runs of one byte) is held back until its checksum is known to fit: where it
/// does not, the text is scrambled from end to end. Only what is longer than this is given unchecked.
const HELD_BACK: usize = 2 << 20;

#[derive(Default)]
pub(super) struct Bzip2 {
    /// Bit of the feed's first byte at which the next mark stands.
    bit: usize,
    level: u8,
    block: Option<Block>,
    /// The checksum over all blocks; none once a block is lost.
    checksum: Option<u32>,
}

/// A block as a stream of its own.
struct Block {
    stream: Vec<u8>,
    at: usize,
    decoder: Decompress,
    /// It has ended, well or not, with the text given last.
    ended: Option<Result<usize, ()>>,
    /// Text that was held back, and how much of it has been given.
    text: Vec<u8>,
    given: usize,
}

impl Decode for Bzip2 {
    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<(), Fault> {
        let level = exactly(feed, 4)?[3];
        feed.consume(4);
        *self = Self { bit: 0, level, block: None, checksum: Some(0) };
        Ok(())
    }

    fn step(&mut self, feed: &mut Feed<'_>, out: &mut [u8]) -> Result<Step, Fault> {
        loop {
            if let Some(block) = &mut self.block {
                match block.step(out) {
                    Ok(0) => self.block = None,
                    Ok(count) => return Ok(Step::Bytes(count)),
                    Err(()) => {
                        (self.block, self.checksum) = (None, None);
                        return Err(Fault::Lost);
                    }
                }
            }
            // A stream whose last mark begins with a byte has not one byte more.
            let head = exactly(feed, (self.bit + MARK_BITS + 32).div_ceil(8))?;
            let checksum = bits(head, self.bit + MARK_BITS, 32) as u32;
            match bits(head, self.bit, MARK_BITS) {
                BLOCK => {
                    self.checksum = self.checksum.map(|sum| sum.rotate_left(1) ^ checksum);
                    self.cut_out(feed, checksum)?;
                }
                END => {
                    feed.consume((self.bit + MARK_BITS + 32).div_ceil(8));
                    return match self.checksum {
                        Some(sum) if sum != checksum => Err(Fault::Corrupt("does not fit its checksum".into())),
                        _ => Ok(Step::End),
                    };
                }
                _ => return Err(Fault::Corrupt("is damaged".into())),
            }
        }
    }

    fn resume(&mut self, feed: &mut Feed<'_>) -> io::Result<Resume> {
        self.checksum = None;
        self.block = None;
        // A stream's header and the mark of its first block, or a mark alone at any bit.
        let mark = |bytes: &[u8]| find_mark(bytes, 0, &[BLOCK]);
        let found = feed.find(11, |_, bytes| {
            let bit = mark(bytes)?;
            let header = (bit / 8).checked_sub(4).filter(|at| bit % 8 == 0 && Format::Bzip2.begins(&bytes[*at..]));
            Some(header.unwrap_or(bit / 8))
        })?;
        if !found {
            return Ok(Resume::Nowhere);
        }
        if Format::Bzip2.begins(feed.buffered()) {
            return Ok(Resume::Member);
        }
        self.bit = mark(feed.buffered()).unwrap_or(0);
        Ok(Resume::Block)
    }
}

impl Bzip2 {
    /// Cuts the block out at which the feed stands, and goes on to the next mark.
    fn cut_out(&mut self, feed: &mut Feed<'_>, checksum: u32) -> Result<(), Fault> {
        let begin = self.bit;
        let mut wanted = 64 << 10;
        let mut searched = begin + MARK_BITS;
        let (end, bytes) = loop {
            let bytes = feed.peek(wanted)?;
            let have = bytes.len();
            if let Some(bit) = find_mark(bytes, searched, &[BLOCK, END]) {
                break (bit, feed.buffered());
            }
            if have < wanted {
                exactly(feed, have + 1)?;
                return Err(Fault::CutOff);
            }
            if have > LONGEST {
                feed.consume(have - MARK_BITS);
                return Err(Fault::Corrupt("is damaged".into()));
            }
            searched = (have * 8).saturating_sub(MARK_BITS);
            wanted = have * 2;
        };
        let mut stream = Bits { bytes: vec![b'B', b'Z', b'h', self.level], free: 0 };
        stream.copy(bytes, begin, end);
        stream.push(END, MARK_BITS);
        stream.push(checksum.into(), 32);
        self.block = Some(Block::new(stream.bytes));
        feed.consume(end / 8);
        self.bit = end % 8;
        Ok(())
    }
}

impl Block {
    fn new(stream: Vec<u8>) -> Self {
        Self { stream, at: 0, decoder: Decompress::new(false), ended: None, text: Vec::new(), given: 0 }
    }

    /// Gives text; 0 at its end.
    fn step(&mut self, out: &mut [u8]) -> Result<usize, ()> {
        if self.at == 0 {
            let mut text = vec![0; HELD_BACK];
            let mut len = 0;
            while len < text.len() {
                match self.decode(&mut text[len..])? {
                    0 => break,
                    count => len += count,
                }
            }
            text.truncate(len);
            self.text = text;
        }
        if self.given == self.text.len() {
            return self.decode(out);
        }
        let count = out.len().min(self.text.len() - self.given);
        out[..count].copy_from_slice(&self.text[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }

    /// Decodes on; 0 at its end.
    fn decode(&mut self, out: &mut [u8]) -> Result<usize, ()> {
        loop {
            if let Some(end) = self.ended {
                return end;
            }
            let before = (self.decoder.total_in(), self.decoder.total_out());
            let result = self.decoder.decompress(&self.stream[self.at..], out);
            let consumed = (self.decoder.total_in() - before.0) as usize;
            let produced = (self.decoder.total_out() - before.1) as usize;
            self.at += consumed;
            self.ended = match result {
                Ok(Status::StreamEnd) => Some(Ok(0)),
                Ok(_) if consumed + produced > 0 => None,
                _ => Some(Err(())),
            };
            if produced > 0 {
                return Ok(produced);
            }
        }
    }
}

/// Up to 48 bits from a place on, the first one highest.
fn bits(bytes: &[u8], at: usize, count: usize) -> u64 {
    let window = bytes[at / 8..].iter().take(8).fold(0, |window, byte| window << 8 | u64::from(*byte));
    let missing = 64 - 8 * bytes[at / 8..].len().min(8);
    (window << missing << (at % 8)) >> (64 - count)
}

/// The first bit, not before `from`, at which one of the marks begins.
fn find_mark(bytes: &[u8], from: usize, marks: &[u64]) -> Option<usize> {
    let mut window = 0_u64;
    for (at, byte) in bytes.iter().enumerate().skip(from / 8) {
        window = window << 8 | u64::from(*byte);
        for shift in (0..8).rev() {
            if marks.contains(&(window >> shift & MARK)) {
                let begin = ((at + 1) * 8 - shift).checked_sub(MARK_BITS);
                if begin.is_some_and(|begin| begin >= from) {
                    return begin;
                }
            }
        }
    }
    None
}

/// A writer of bits.
struct Bits {
    bytes: Vec<u8>,
    /// Bits of the last byte that are still free.
    free: usize,
}

impl Bits {
    fn push(&mut self, value: u64, count: usize) {
        for shift in (0..count).rev() {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            self.free -= 1;
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> shift & 1) as u8) << self.free;
            }
        }
    }

    /// Copies bits to a writer that stands at a byte.
    fn copy(&mut self, from: &[u8], begin: usize, end: usize) {
        let (shift, whole) = (begin % 8, (end - begin) / 8);
        let from_here = &from[begin / 8..];
        self.bytes.extend((0..whole).map(|at| {
            let next = from_here.get(at + 1).copied().unwrap_or(0);
            (u16::from_be_bytes([from_here[at], next]) << shift >> 8) as u8
        }));
        let rest = (end - begin) % 8;
        if rest > 0 {
            self.push(bits(from, end - rest, rest), rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_marks_are_found_at_any_place() {
        for lead in 0..16 {
            let mut writer = Bits { bytes: Vec::new(), free: 0 };
            writer.push(0, lead);
            writer.push(BLOCK, MARK_BITS);
            writer.push(0xdead_beef, 32);
            writer.push(END, MARK_BITS);
            assert_eq!(find_mark(&writer.bytes, 0, &[BLOCK, END]), Some(lead));
            assert_eq!(find_mark(&writer.bytes, lead + 1, &[BLOCK, END]), Some(lead + 80));
            assert_eq!(find_mark(&writer.bytes, lead + 1, &[BLOCK]), None);
            assert_eq!(bits(&writer.bytes, lead, MARK_BITS), BLOCK);
            assert_eq!(bits(&writer.bytes, lead + 48, 32), 0xdead_beef);
            let mut copy = Bits { bytes: Vec::new(), free: 0 };
            copy.copy(&writer.bytes, lead, lead + 80);
            copy.push(END, MARK_BITS);
            assert_eq!(bits(&copy.bytes, 0, MARK_BITS), BLOCK);
            assert_eq!(bits(&copy.bytes, 80, MARK_BITS), END);
            for cut in 81..88 {
                let mut copy = Bits { bytes: Vec::new(), free: 0 };
                copy.copy(&writer.bytes, lead, lead + cut);
                copy.push(BLOCK, MARK_BITS);
                assert_eq!(bits(&copy.bytes, cut, MARK_BITS), BLOCK);
            }
        }
    }
}
