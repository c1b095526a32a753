//! Compressed streams: one reader for every format, over members (frames, streams) that follow each other.
//!
//! A damaged member costs what is left of it, no more: reading goes on at the next place that looks like the beginning of one;
//! in bzip2, lz4 and xz at the next block. Memory: gzip 40 KiB; bzip2 and lz4 8 MiB; zstd its window, at most 128 MiB
//! (`zstd --long=27`, and all levels); xz at most 128 MiB (`xz -9` needs 65). A member that asks for more is not read.

mod bzip2;
mod deflate;
mod format;
mod lz4;
mod pump;
mod xz;
mod zstd;

pub(super) use format::{Format, is_skippable};

use super::budget::{Budget, Meter};
use super::damage;
use super::feed::Feed;
use std::io::{self, Read};
use std::sync::Arc;

/// Most memory that a decoder may ask for, as a power of two: 128 MiB.
const MEMORY_LOG: u32 = 27;

/// A decoder of one member after the other.
trait Decode: Send {
    /// Begins the member at which the feed stands.
    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<(), Fault>;

    /// Decodes on.
    fn step(&mut self, feed: &mut Feed<'_>, out: &mut [u8]) -> Result<Step, Fault>;

    /// After [`Fault::Corrupt`]: goes on to the next place where something can be decoded.
    fn resume(&mut self, feed: &mut Feed<'_>) -> io::Result<Resume>;
}

/// What a step gave.
enum Step {
    /// So many bytes, at least one.
    Bytes(usize),
    /// The member is over.
    End,
}

/// What went wrong in a step. The bytes before it have been given.
enum Fault {
    /// The stream ends within the member.
    CutOff,
    /// A block is lost; the member goes on with the next step.
    Lost,
    /// The member cannot be decoded any further.
    Corrupt(String),
    /// The stream itself failed.
    Source(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Source(error)
    }
}

/// Where decoding can go on.
enum Resume {
    /// At a member.
    Member,
    /// At a block of the member that failed.
    Block,
    /// Nowhere.
    Nowhere,
}

/// Exactly so many bytes, not consumed. Where there are fewer they are consumed, and the reason is the fault.
fn exactly<'f>(feed: &'f mut Feed<'_>, count: usize) -> Result<&'f [u8], Fault> {
    let have = feed.peek(count)?.len();
    if have < count {
        feed.consume(have);
        feed.peek(1)?;
        return Err(Fault::CutOff);
    }
    Ok(&feed.buffered()[..count])
}

/// The decompressed bytes of a stream. Damage comes as an error behind which reading goes on, where there is something behind it.
pub(super) struct Decompressor<'f, 'a> {
    feed: &'f mut Feed<'a>,
    format: Format,
    decode: Box<dyn Decode>,
    state: State,
    /// Where the member begins.
    begun: u64,
    /// Ends after one member: the feed holds something else behind it.
    single: bool,
    failed: bool,
    meter: Meter,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Between { first: bool },
    Inside,
    Lost,
    Over,
}

impl<'f, 'a> Decompressor<'f, 'a> {
    /// All members that follow each other.
    pub(super) fn new(format: Format, feed: &'f mut Feed<'a>, budget: &Arc<Budget>) -> Self {
        let state = State::Between { first: true };
        let meter = Meter::new(budget, feed.buffered().len());
        Self { feed, format, decode: format.decoder(), state, begun: 0, single: false, failed: false, meter }
    }

    /// One member, and not a byte behind it.
    pub(super) fn single(format: Format, feed: &'f mut Feed<'a>, budget: &Arc<Budget>) -> Self {
        Self { single: true, ..Self::new(format, feed, budget) }
    }

    /// Goes to the next member. None: the stream is over.
    fn between(&mut self, first: bool) -> io::Result<State> {
        let head = self.feed.peek(Format::HEAD)?;
        if head.is_empty() || (self.single && !first) {
            return Ok(State::Over);
        }
        if first || self.format.begins(head) || self.format.begins_skippable(head) {
            self.begun = self.feed.position();
            return match self.decode.begin(self.feed) {
                Ok(()) => Ok(State::Inside),
                Err(fault) => self.fault(fault),
            };
        }
        // Padding, as tapes and xz have it.
        let zeros = head.iter().take_while(|byte| **byte == 0).count();
        if zeros > 0 {
            self.feed.consume(zeros);
            return Ok(State::Between { first });
        }
        self.state = State::Lost;
        Err(damage::gap(self.told("is followed by something else")))
    }

    /// The error that tells of a fault, with the state that follows from it.
    fn fault(&mut self, fault: Fault) -> io::Result<State> {
        let (state, error) = match fault {
            Fault::CutOff => (State::Over, damage::end(self.told("is cut off"))),
            Fault::Lost => (State::Inside, damage::gap(self.told("has a damaged block"))),
            Fault::Corrupt(why) if self.single => (State::Over, damage::end(self.told(&why))),
            Fault::Corrupt(why) => (State::Lost, damage::gap(self.told(&why))),
            Fault::Source(error) if damage::goes_on(&error) && !self.single => (State::Lost, error),
            Fault::Source(error) => (State::Over, damage::end(crate::error::without_number(&error))),
        };
        self.state = state;
        self.failed = true;
        Err(error)
    }

    /// Whether anything was lost.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Goes on behind damage, at least one byte further than before.
    fn resume(&mut self) -> io::Result<State> {
        if self.feed.position() <= self.begun {
            self.feed.consume(1);
        }
        Ok(match self.decode.resume(self.feed)? {
            Resume::Member => State::Between { first: false },
            Resume::Block => State::Inside,
            Resume::Nowhere => State::Over,
        })
    }

    /// `gzip stream is cut off after 41 MB`.
    fn told(&self, what: &str) -> String {
        format!("{} stream {what} after {}", self.format.name(), damage::size(self.meter.decoded()))
    }
}

impl Read for Decompressor<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if self.state != State::Over
            && let Err(error) = self.meter.check()
        {
            self.state = State::Over;
            self.failed = true;
            return Err(error);
        }
        loop {
            self.state = match self.state {
                State::Between { first } => self.between(first)?,
                State::Inside => match self.decode.step(self.feed, out) {
                    Ok(Step::Bytes(count)) => {
                        self.meter.add(count);
                        return Ok(count);
                    }
                    Ok(Step::End) => State::Between { first: false },
                    Err(fault) => self.fault(fault)?,
                },
                State::Lost => self.resume()?,
                State::Over => return Ok(0),
            };
        }
    }
}
