//! The time of a log, kept as the 30 bytes that every header shows, so that a line costs three digits and not a calendar.

use jiff::Timestamp;

const TEXT: &[u8; 30] = b"2022/07/25 00:00:00.000 +00:00";

/// A clock that only moves forward.
#[derive(Debug)]
pub(crate) struct Clock {
    nanos: u64,
    second: u64,
    text: [u8; 30],
}

impl Clock {
    /// A clock at `second` since the Unix epoch.
    pub(crate) fn new(second: u64) -> Self {
        let mut clock = Self { nanos: second * 1_000_000_000, second: 0, text: *TEXT };
        clock.advance(0);
        clock
    }

    /// Moves on.
    pub(crate) fn advance(&mut self, nanos: u64) {
        self.nanos += nanos;
        let second = self.nanos / 1_000_000_000;
        if second != self.second {
            self.second = second;
            self.set_second();
        }
        let milli = self.nanos / 1_000_000 % 1000;
        self.text[20] = b'0' + (milli / 100) as u8;
        self.text[21] = b'0' + (milli / 10 % 10) as u8;
        self.text[22] = b'0' + (milli % 10) as u8;
    }

    fn set_second(&mut self) {
        let Ok(time) = Timestamp::from_second(self.second as i64) else { return };
        let time = time.strftime("%Y/%m/%d %H:%M:%S").to_string();
        self.text[..19].copy_from_slice(&time.as_bytes()[..19]);
    }

    /// `2022/07/25 14:54:44.467 +00:00`
    pub(crate) fn text(&self) -> &[u8; 30] {
        &self.text
    }

    /// This moment as a TSO.
    pub(crate) fn tso(&self) -> u64 {
        (self.nanos / 1_000_000) << 18
    }
}
