//! Times of clean records, read quickly: records of one second differ in three digits.

use crate::record::clean_time;
use crate::units::Timestamp;

/// The earliest and latest time seen, and the offset of the first.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// `yyyy/MM/dd HH:mm:ss` and ` +hh:mm` of the record before; the second's start and the offset in minutes.
    second: [u8; 19],
    zone: [u8; 7],
    start: i64,
    minutes: i32,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    /// Times without an offset, as if they were UTC.
    pub(super) local: Option<(Timestamp, Timestamp)>,
    pub(super) zone_minutes: Option<i32>,
}

impl Clock {
    /// Takes note of a clean record's time.
    #[inline]
    pub(super) fn clean(&mut self, record: &[u8]) {
        let Some((time, zone)) = self.read(record) else { return };
        if self.zone_minutes.is_none() {
            self.zone_minutes = Some(zone);
        }
        self.see(time);
    }

    /// Takes note of any record's time.
    pub(super) fn any(&mut self, time: Timestamp, zone: Option<i32>, is_local: bool) {
        if is_local {
            let (first, last) = self.local.unwrap_or((time, time));
            self.local = Some((first.min(time), last.max(time)));
            return;
        }
        self.zone_minutes = self.zone_minutes.or(zone);
        self.see(time);
    }

    #[inline]
    fn see(&mut self, time: Timestamp) {
        if self.last.is_none_or(|last| last < time) {
            self.last = Some(time);
        }
        if self.first.is_none_or(|first| first > time) {
            self.first = Some(time);
        }
    }

    #[inline]
    fn read(&mut self, record: &[u8]) -> Option<(Timestamp, i32)> {
        let head = record.first_chunk::<32>()?;
        if head[1..20] != self.second || head[24..31] != self.zone {
            // A new second, or an impossible time: the careful way decides.
            let (time, zone) = clean_time(record)?;
            let milli = milli(head)?;
            self.second.copy_from_slice(&head[1..20]);
            self.zone.copy_from_slice(&head[24..31]);
            (self.start, self.minutes) = (time.0 - milli, zone);
            return Some((time, zone));
        }
        Some((Timestamp(self.start + milli(head)?), self.minutes))
    }
}

/// The three digits behind the second.
#[inline]
fn milli(head: &[u8; 32]) -> Option<i64> {
    let digits = [head[21], head[22], head[23]].map(|byte| i64::from(byte.wrapping_sub(b'0')));
    (digits.iter().max()? <= &9).then_some(digits[0] * 100 + digits[1] * 10 + digits[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_careful_way() {
        let mut clock = Clock::default();
        for line in [
            "[2022/07/25 14:54:44.467 +00:00] [INFO]",
            "[2022/07/25 14:54:44.009 +00:00] [INFO]",
            "[2022/07/25 14:54:44.x09 +00:00] [INFO]",
            "[2022/07/25 14:54:44.468 +08:00] [INFO]",
            "[2022/07/25 14:54:44.999 -08:00] [INFO]",
            "[2022/07/25 23:59:59.999 +08:00] [INFO]",
            "[2022/07/26 00:00:00.000 -08:30] [INFO]",
            "[2022/13/26 00:00:00.000 -08:30] [INFO]",
            "[2022/07/26 24:00:00.000 +00:00] [INFO]",
        ] {
            assert_eq!(clock.read(line.as_bytes()), clean_time(line.as_bytes()), "{line}");
        }
    }
}
