//! What a sink gets: a stream whose damage is told once, at its end.

use super::{damage, damage::Damages, feed::Feed};
use std::io::{self, Read};

/// Bytes of one source. Where bytes are lost in the middle a line end takes their place, so that what stands before them and
/// what stands behind them do not make one record together; the reason comes as an error after the last byte.
pub(super) struct Text<'f, 'a> {
    feed: &'f mut Feed<'a>,
    limit: u64,
    given: u64,
    damages: Damages,
    /// A line end is due before the next byte.
    torn: bool,
    last: u8,
    over: bool,
}

impl<'f, 'a> Text<'f, 'a> {
    /// `damages`: what was lost before the first byte.
    pub(super) fn new(feed: &'f mut Feed<'a>, limit: u64, damages: Damages) -> Self {
        Self { feed, limit, given: 0, damages, torn: false, last: b'\n', over: false }
    }

    /// The end, with everything there is to tell.
    fn finish(&mut self) -> io::Result<usize> {
        self.over = true;
        self.damages.take().map_or(Ok(0), |text| Err(damage::end(text)))
    }
}

impl Read for Text<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.limit - self.given).unwrap_or(usize::MAX).min(out.len());
        while !self.over && !out.is_empty() {
            // Where a line end or the limit comes next, it matters whether anything stands behind it.
            let step = if self.torn || room == 0 {
                self.feed.peek(1).map(<[u8]>::len)
            } else {
                self.feed.read(&mut out[..room])
            };
            match step {
                Ok(0) => return self.finish(),
                Ok(_) if room == 0 => {
                    let limit = damage::size(self.limit);
                    self.damages.add(format!("holds more than {limit}: limit reached, the rest is not read"));
                    return self.finish();
                }
                Ok(mut count) => {
                    if std::mem::take(&mut self.torn) {
                        (out[0], count) = (b'\n', 1);
                    }
                    self.last = out[count - 1];
                    self.given += count as u64;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => {
                    self.damages.add(crate::error::without_number(&error));
                    if !damage::goes_on(&error) {
                        return self.finish();
                    }
                    self.torn = self.last != b'\n';
                }
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Torn(u8);

    impl Read for Torn {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            let part: &[u8] = match self.0 {
                1 => b"ab",
                2 => return Err(damage::gap("first hole")),
                3 => return Err(damage::gap("second hole")),
                4 => b"cd\n",
                5 => return Err(damage::gap("third hole")),
                6 => b"ef",
                _ => return Ok(0),
            };
            out[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }

    fn read(limit: u64, step: usize) -> (Vec<u8>, Option<String>) {
        let mut source = Torn(0);
        let mut feed = Feed::new(&mut source);
        let mut text = Text::new(&mut feed, limit, Damages::default());
        let mut all = Vec::new();
        let mut buffer = vec![0; step];
        loop {
            match text.read(&mut buffer) {
                Ok(0) => return (all, None),
                Ok(count) => all.extend_from_slice(&buffer[..count]),
                Err(error) => {
                    assert_eq!(text.read(&mut buffer).unwrap(), 0, "nothing comes after the error");
                    return (all, Some(error.to_string()));
                }
            }
        }
    }

    #[test]
    fn lost_bytes_leave_a_line_end_and_are_told_at_the_end() {
        for step in [1, 2, 3, 100] {
            let (bytes, error) = read(u64::MAX, step);
            assert_eq!(bytes, b"ab\ncd\nef");
            assert_eq!(error.as_deref(), Some("first hole; and in 2 more places"));
        }
    }

    #[test]
    fn a_source_ends_at_its_limit() {
        for step in [1, 2, 3, 100] {
            let (bytes, error) = read(4, step);
            assert_eq!(bytes, b"ab\nc");
            assert_eq!(error.as_deref(), Some("first hole; and in 2 more places"));
            assert_eq!(read(8, step), (b"ab\ncd\nef".to_vec(), Some("first hole; and in 2 more places".into())));
        }
        let mut source = &b"abc"[..];
        let mut feed = Feed::new(&mut source);
        let mut text = Text::new(&mut feed, 2, Damages::default());
        let error = text.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "holds more than 2 bytes: limit reached, the rest is not read");
    }
}
