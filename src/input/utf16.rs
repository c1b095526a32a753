//! UTF-16 with a byte order mark, as UTF-8: what a Windows shell makes of `kubectl logs > file`.
//! The mark is dropped; offsets in such a source are those of the UTF-8 text.

use super::{damage, feed::Feed};
use std::io::{self, Read};

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

/// A reader of UTF-8. Half pairs become U+FFFD.
pub(super) struct Utf16<'f, 'a> {
    feed: &'f mut Feed<'a>,
    endian: Endian,
    begun: bool,
    /// The first half of a pair.
    high: Option<u16>,
    ready: String,
    at: usize,
}

impl<'f, 'a> Utf16<'f, 'a> {
    pub(super) fn new(feed: &'f mut Feed<'a>, endian: Endian) -> Self {
        Self { feed, endian, begun: false, high: None, ready: String::new(), at: 0 }
    }

    /// Makes the next text ready; none at the end.
    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.at = 0;
        if !self.begun {
            self.begun = true;
            self.feed.peek(2)?;
            self.feed.consume(2);
        }
        let bytes = match self.feed.peek(2) {
            Ok(bytes) => bytes,
            Err(error) => {
                if damage::goes_on(&error) {
                    self.high = None;
                }
                return Err(error);
            }
        };
        let used = match bytes {
            [] | [_] => {
                // The end, perhaps with half a unit or half a pair left.
                if self.high.take().is_some() || !bytes.is_empty() {
                    self.ready.push(char::REPLACEMENT_CHARACTER);
                }
                bytes.len()
            }
            bytes => {
                let decode = match self.endian {
                    Endian::Little => u16::from_le_bytes,
                    Endian::Big => u16::from_be_bytes,
                };
                let units = bytes.as_chunks::<2>().0;
                for unit in units {
                    push(&mut self.ready, &mut self.high, decode(*unit));
                }
                units.len() * 2
            }
        };
        self.feed.consume(used);
        Ok(())
    }
}

/// Adds one unit to the text.
fn push(text: &mut String, high: &mut Option<u16>, unit: u16) {
    let pair = high.take().map(|high| char::decode_utf16([high, unit]).next());
    match pair {
        Some(Some(Ok(char))) => return text.push(char),
        Some(_) => text.push(char::REPLACEMENT_CHARACTER),
        None => {}
    }
    match unit {
        0xd800..=0xdbff => *high = Some(unit),
        unit => text.push(char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER)),
    }
}

impl Read for Utf16<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.ready.len() {
            let before = self.feed.position();
            self.refill()?;
            if self.ready.is_empty() && self.feed.position() == before {
                return Ok(0);
            }
        }
        let count = (&self.ready.as_bytes()[self.at..]).read(out)?;
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(units: &[u16], odd: &[u8], endian: Endian, step: usize) -> String {
        let encode = if endian == Endian::Little { u16::to_le_bytes } else { u16::to_be_bytes };
        let mut bytes: Vec<u8> = units.iter().flat_map(|unit| encode(*unit)).collect();
        bytes.extend_from_slice(odd);
        let mut source = Steps(&bytes, step);
        let mut feed = Feed::new(&mut source);
        let mut text = String::new();
        Utf16::new(&mut feed, endian).read_to_string(&mut text).unwrap();
        text
    }

    /// Gives at most so many bytes a read.
    struct Steps<'a>(&'a [u8], usize);

    impl Read for Steps<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(out.len());
            self.0.read(&mut out[..most])
        }
    }

    #[test]
    fn text_is_the_same_whatever_the_reads() {
        let text = "[INFO] 日志 😀 ok\r\n";
        let units: Vec<u16> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).collect();
        for endian in [Endian::Little, Endian::Big] {
            for step in 1..8 {
                assert_eq!(decode(&units, &[], endian, step), text);
            }
        }
    }

    #[test]
    fn half_pairs_and_half_units_are_replaced() {
        for step in 1..4 {
            let broken = [0xfeff, 0xd83d, 0x41, 0xde00, 0x42, 0xd83d, 0xd83d, 0xde00, 0xd83d];
            assert_eq!(decode(&broken, &[], Endian::Little, step), "\u{fffd}A\u{fffd}B\u{fffd}😀\u{fffd}");
            assert_eq!(decode(&[0xfeff, 0x41], &[7], Endian::Little, step), "A\u{fffd}");
        }
    }
}
