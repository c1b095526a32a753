//! A buffered stream that can be looked into: what sniffing, decoders and archives read from.
//!
//! A quarter of the buffer keeps what has been consumed, so that after damage the search for the next member may begin a little
//! before the place where the damage was noticed. Large reads go past the buffer.

use super::damage;
use std::io::{self, Read};

/// Buffer of a stream that is not known to be small.
pub(super) const BUFFER: usize = 64 << 10;

/// Reads of this size fill the caller's buffer directly.
const LARGE: usize = 32 << 10;

/// See the module.
pub(super) struct Feed<'a> {
    source: &'a mut (dyn Read + Send + 'a),
    buffer: Vec<u8>,
    /// Where in the buffer the history begins, the unread bytes begin, and both end.
    floor: usize,
    at: usize,
    end: usize,
    /// Position in the stream of the buffer's first byte.
    start: u64,
    state: State,
}

enum State {
    Open,
    Ended,
    /// An error that comes once the bytes before it are consumed.
    Pending(io::Error),
    /// An error that has come and stays.
    Broken(String),
}

impl<'a> Feed<'a> {
    pub(super) fn new(source: &'a mut (dyn Read + Send + 'a)) -> Self {
        Self::with_buffer(source, BUFFER)
    }

    pub(super) fn with_buffer(source: &'a mut (dyn Read + Send + 'a), size: usize) -> Self {
        let buffer = vec![0; size.max(1 << 10)];
        Self { source, buffer, floor: 0, at: 0, end: 0, start: 0, state: State::Open }
    }

    /// Bytes consumed so far.
    pub(super) fn position(&self) -> u64 {
        self.start + self.at as u64
    }

    /// What is buffered already.
    pub(super) fn buffered(&self) -> &[u8] {
        &self.buffer[self.at..self.end]
    }

    /// At least `wanted` bytes; fewer only where the stream ends or breaks within them, none only at its end.
    pub(super) fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.end - self.at < wanted && self.pull() {}
        if self.at == self.end {
            self.raise()?;
        }
        Ok(self.buffered())
    }

    /// Takes `count` of the peeked bytes as read.
    pub(super) fn consume(&mut self, count: usize) {
        self.at = (self.at + count).min(self.end);
    }

    /// Goes back to a position, or as near to it as the history reaches.
    pub(super) fn rewind(&mut self, position: u64) {
        let wanted = usize::try_from(position.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.at = wanted.clamp(self.floor, self.at);
    }

    /// Consumes `count` bytes; says how many there were.
    pub(super) fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let have = self.peek(1)?.len() as u64;
            if have == 0 {
                break;
            }
            let now = have.min(left);
            self.consume(now as usize);
            left -= now;
        }
        Ok(count - left)
    }

    /// Goes on to the first place that `matcher` finds in some bytes (and their position); it needs up to `span` bytes to see a
    /// match. False: there is none.
    pub(super) fn find(&mut self, span: usize, matcher: impl Fn(u64, &[u8]) -> Option<usize>) -> io::Result<bool> {
        loop {
            let position = self.position();
            let bytes = self.peek(span)?;
            let have = bytes.len();
            if let Some(at) = matcher(position, bytes) {
                self.consume(at);
                return Ok(true);
            }
            if have < span {
                // The stream ends behind these bytes, or an error waits there.
                self.consume(have);
                if self.peek(1)?.is_empty() {
                    return Ok(false);
                }
            } else {
                self.consume(have - (span - 1));
            }
        }
    }

    /// Reads some bytes behind what is buffered.
    fn pull(&mut self) -> bool {
        if !matches!(self.state, State::Open) {
            return false;
        }
        self.make_room();
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.state = State::Ended,
                Ok(count) => {
                    self.end += count;
                    return true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => self.state = State::Pending(error),
            }
            return false;
        }
    }

    /// Forgets old history where the buffer is nearly full.
    fn make_room(&mut self) {
        let size = self.buffer.len();
        if size - self.end >= size / 4 {
            return;
        }
        let keep = self.floor.max(self.at.saturating_sub(size / 4));
        self.buffer.copy_within(keep..self.end, 0);
        self.start += keep as u64;
        self.at -= keep;
        self.end -= keep;
        self.floor = 0;
        if self.end == size {
            self.buffer.resize(size * 2, 0);
        }
    }

    /// Raises the error that waits where the buffer is empty. A gap is raised once, everything else again and again.
    fn raise(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Pending(error) if damage::goes_on(&error) => {
                self.state = State::Open;
                self.floor = self.at;
                Err(error)
            }
            State::Pending(error) => {
                self.state = State::Broken(crate::error::without_number(&error));
                Err(error)
            }
            State::Broken(text) => {
                self.state = State::Broken(text.clone());
                Err(damage::end(text))
            }
            state @ (State::Open | State::Ended) => {
                self.state = state;
                Ok(())
            }
        }
    }
}

impl Read for Feed<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.len() >= LARGE && self.at == self.end && matches!(self.state, State::Open) {
            (self.start, self.floor, self.at, self.end) = (self.position(), 0, 0, 0);
            return match self.source.read(out) {
                Ok(0) => {
                    self.state = State::Ended;
                    Ok(0)
                }
                Ok(count) => {
                    self.start += count as u64;
                    Ok(count)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
                Err(error) => {
                    self.state = State::Pending(error);
                    self.raise().map(|()| 0)
                }
            };
        }
        if out.is_empty() {
            return Ok(0);
        }
        let bytes = self.peek(1)?;
        let count = bytes.len().min(out.len());
        out[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// Exactly the next `left` bytes of a feed: a member of an archive. Whatever breaks it ends it.
pub(super) struct Slice<'f, 'a> {
    feed: &'f mut Feed<'a>,
    left: u64,
    broken: Option<io::Error>,
}

impl<'f, 'a> Slice<'f, 'a> {
    pub(super) fn new(feed: &'f mut Feed<'a>, left: u64) -> Self {
        Self { feed, left, broken: None }
    }

    /// Passes over what was not read. An error says that the feed broke within the slice; whether it goes on, the error knows.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        if self.feed.skip(self.left)? < self.left {
            return Err(damage::end(CUT_OFF));
        }
        Ok(())
    }
}

/// What is said of an archive that ends within a member.
pub(super) const CUT_OFF: &str = "the archive is cut off in this member";

impl Read for Slice<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = &self.broken {
            return Err(damage::end(error.to_string()));
        }
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
        if wanted == 0 {
            return Ok(0);
        }
        match self.feed.read(&mut out[..wanted]) {
            Ok(0) => {
                self.broken = Some(damage::end(CUT_OFF));
                Err(damage::end(CUT_OFF))
            }
            Ok(count) => {
                self.left -= count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let text = error.to_string();
                self.broken = Some(error);
                Err(damage::end(text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its parts one a read, then errors in between.
    struct Parts(Vec<Result<&'static [u8], io::Error>>);

    impl Read for Parts {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let part = self.0.remove(0)?;
            out[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }

    #[test]
    fn peek_waits_for_as_much_as_is_wanted() {
        let mut parts = Parts(vec![Ok(b"ab"), Ok(b"cd"), Ok(b"e")]);
        let mut feed = Feed::new(&mut parts);
        assert_eq!(feed.peek(3).unwrap(), b"abcd");
        feed.consume(3);
        assert_eq!(feed.position(), 3);
        assert_eq!(feed.peek(100).unwrap(), b"de");
        feed.consume(2);
        assert_eq!(feed.peek(1).unwrap(), b"");
        feed.rewind(1);
        assert_eq!(feed.peek(1).unwrap(), b"bcde");
    }

    #[test]
    fn an_error_comes_after_the_bytes_before_it() {
        let mut parts = Parts(vec![Ok(b"ab"), Err(damage::gap("hole")), Ok(b"cd"), Err(io::Error::other("dead"))]);
        let mut feed = Feed::new(&mut parts);
        assert_eq!(feed.peek(10).unwrap(), b"ab");
        feed.consume(2);
        assert_eq!(feed.peek(10).unwrap_err().to_string(), "hole");
        feed.rewind(0);
        assert_eq!(feed.position(), 2, "no way back over a gap");
        assert_eq!(feed.peek(10).unwrap(), b"cd");
        feed.consume(2);
        for _ in 0..2 {
            assert_eq!(feed.peek(1).unwrap_err().to_string(), "dead");
        }
    }

    #[test]
    fn find_sees_a_match_over_the_seam_of_two_reads() {
        let mut parts = Parts(vec![Ok(b"..ab"), Ok(b"cd..")]);
        let mut feed = Feed::new(&mut parts);
        assert!(feed.find(4, |_, bytes| memchr::memmem::find(bytes, b"abcd")).unwrap());
        assert_eq!(feed.position(), 2);
        feed.consume(1);
        assert!(!feed.find(4, |_, bytes| memchr::memmem::find(bytes, b"abcd")).unwrap());
        assert_eq!(feed.position(), 8);
    }

    #[test]
    fn large_and_small_reads_give_the_same_bytes() {
        let text: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        for sizes in [[1, 100_000], [40_000, 40_000], [3, 7]] {
            let mut source = &text[..];
            let mut feed = Feed::with_buffer(&mut source, 5_000);
            let mut got = Vec::new();
            let mut buffer = vec![0; 100_000];
            for size in sizes.into_iter().cycle() {
                let count = feed.read(&mut buffer[..size]).unwrap();
                if count == 0 {
                    break;
                }
                got.extend_from_slice(&buffer[..count]);
                assert_eq!(feed.position(), got.len() as u64);
            }
            assert!(got == text);
        }
    }

    #[test]
    fn a_slice_ends_where_it_should_or_says_that_it_was_cut() {
        let mut source = &b"abcdef"[..];
        let mut feed = Feed::new(&mut source);
        let mut slice = Slice::new(&mut feed, 4);
        let mut first = [0; 2];
        slice.read_exact(&mut first).unwrap();
        slice.finish().unwrap();
        assert_eq!(feed.position(), 4);
        let mut slice = Slice::new(&mut feed, 4);
        let mut all = Vec::new();
        assert_eq!(slice.read_to_end(&mut all).unwrap_err().to_string(), CUT_OFF);
        assert_eq!(all, b"ef");
        assert!(slice.finish().is_err());
    }
}
