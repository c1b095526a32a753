//! lz4 frames. Blocks say how long they are, so a damaged one costs nothing but itself (and those that lean on it).

use super::{Decode, Fault, Feed, Format, Resume, Step, exactly, is_skippable};
use lz4_flex::block::decompress_into_with_dict;
use std::hash::Hasher;
use std::io;
use twox_hash::XxHash32;

/// How far back a block may lean on those before it.
const WINDOW: usize = 64 << 10;

#[derive(Default)]
pub(super) struct Lz4 {
    frame: Frame,
    /// The decoded block, and how much of it has been given.
    block: Vec<u8>,
    at: usize,
    /// The end of the text so far, where blocks lean on it.
    window: Vec<u8>,
    /// The checksum over all blocks; none once a block is lost.
    checksum: Option<XxHash32>,
    /// Bytes of a skippable frame to pass over.
    skip: Option<u32>,
}

/// What a frame says of itself.
#[derive(Default)]
struct Frame {
    longest: usize,
    linked: bool,
    block_checksums: bool,
    checksum: bool,
}

impl Decode for Lz4 {
    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<(), Fault> {
        let damaged = || Fault::Corrupt("is damaged".into());
        let head = exactly(feed, 8)?;
        if is_skippable(head) {
            *self = Self { skip: Some(word(&head[4..])), ..Self::default() };
            feed.consume(8);
            return Ok(());
        }
        let (flags, sizes) = (head[4], head[5]);
        let has = |bit: u8| flags >> bit & 1 == 1;
        let length = 2 + if has(3) { 8 } else { 0 } + if has(0) { 4 } else { 0 };
        let head = exactly(feed, 4 + length + 1)?;
        let described = head[4 + length] == (XxHash32::oneshot(0, &head[4..4 + length]) >> 8) as u8;
        if flags >> 6 != 1 || !described || !(4..=7).contains(&(sizes >> 4)) {
            return Err(damaged());
        }
        if has(0) {
            return Err(Fault::Corrupt("was made with a dictionary, without which it cannot be read,".into()));
        }
        feed.consume(4 + length + 1);
        let longest = 1 << (8 + 2 * (sizes >> 4));
        self.frame = Frame { longest, linked: !has(5), block_checksums: has(4), checksum: has(2) };
        (self.at, self.skip, self.checksum) = (0, None, Some(XxHash32::with_seed(0)));
        self.block.clear();
        self.window.clear();
        Ok(())
    }

    fn step(&mut self, feed: &mut Feed<'_>, out: &mut [u8]) -> Result<Step, Fault> {
        if let Some(bytes) = self.skip.take() {
            return if feed.skip(bytes.into())? < bytes.into() { Err(Fault::CutOff) } else { Ok(Step::End) };
        }
        while self.at == self.block.len() {
            let size = word(exactly(feed, 4)?);
            if size == 0 {
                return self.end(feed);
            }
            let (stored, length) = (size >> 31 == 1, (size & 0x7fff_ffff) as usize);
            if length > self.frame.longest {
                return Err(Fault::Corrupt("is damaged".into()));
            }
            let checked = if self.frame.block_checksums { 4 } else { 0 };
            let bytes = &exactly(feed, 4 + length + checked)?[4..];
            let good = (checked == 0 || word(&bytes[length..]) == XxHash32::oneshot(0, &bytes[..length]))
                && self.decode(&bytes[..length], stored);
            feed.consume(4 + length + checked);
            self.at = 0;
            if !good {
                self.block.clear();
                self.window.clear();
                self.checksum = None;
                return Err(Fault::Lost);
            }
        }
        let count = out.len().min(self.block.len() - self.at);
        out[..count].copy_from_slice(&self.block[self.at..self.at + count]);
        self.at += count;
        Ok(Step::Bytes(count))
    }

    fn resume(&mut self, feed: &mut Feed<'_>) -> io::Result<Resume> {
        Format::Lz4.next_member(feed)
    }
}

impl Lz4 {
    /// Decodes one block, which is the text now.
    fn decode(&mut self, bytes: &[u8], stored: bool) -> bool {
        if stored {
            self.block.clear();
            self.block.extend_from_slice(bytes);
        } else {
            self.block.resize(self.frame.longest, 0);
            let Ok(length) = decompress_into_with_dict(bytes, &mut self.block, &self.window) else { return false };
            self.block.truncate(length);
        }
        if self.frame.checksum
            && let Some(checksum) = &mut self.checksum
        {
            checksum.write(&self.block);
        }
        if self.frame.linked {
            let from_block = self.block.len().min(WINDOW);
            let excess = (self.window.len() + from_block).saturating_sub(WINDOW);
            self.window.drain(..excess);
            self.window.extend_from_slice(&self.block[self.block.len() - from_block..]);
        }
        true
    }

    /// The end mark, and the checksum behind it.
    fn end(&mut self, feed: &mut Feed<'_>) -> Result<Step, Fault> {
        feed.consume(4);
        if self.frame.checksum {
            let expected = word(exactly(feed, 4)?);
            feed.consume(4);
            if self.checksum.as_ref().is_some_and(|checksum| checksum.finish_32() != expected) {
                return Err(Fault::Corrupt("does not fit its checksum".into()));
            }
        }
        Ok(Step::End)
    }
}

/// A number of four bytes, the lowest first.
fn word(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}
