//! Times of clean records, read quickly: the day is worked out once, the rest is a few digits.

use crate::record::clean_time;
use crate::units::Timestamp;

/// The earliest and latest time seen, and the offset of the first.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// `yyyy/MM/dd` of the day that `midnight` belongs to.
    day: [u8; 10],
    midnight: i64,
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
        if head[1..11] != self.day {
            // A new day, or an impossible date: the careful way decides.
            let (time, zone) = clean_time(record)?;
            let clock = digits(head)?;
            self.day.copy_from_slice(&head[1..11]);
            self.midnight = time.0 + i64::from(zone) * 60_000 - clock;
            return Some((time, zone));
        }
        let clock = digits(head)?;
        let two = |at: usize| i32::from(head[at] - b'0') * 10 + i32::from(head[at + 1] - b'0');
        if !(head[26].is_ascii_digit()
            && head[27].is_ascii_digit()
            && head[29].is_ascii_digit()
            && head[30].is_ascii_digit())
        {
            return None;
        }
        let zone = two(26) * 60 + two(29);
        let zone = match head[25] {
            b'+' => zone,
            b'-' => -zone,
            _ => return None,
        };
        (zone.abs() <= 18 * 60).then(|| (Timestamp(self.midnight + clock - i64::from(zone) * 60_000), zone))
    }
}

/// Milliseconds of the day at `HH:mm:ss.SSS`.
#[inline]
fn digits(head: &[u8; 32]) -> Option<i64> {
    let at = |index: usize| i64::from(head[index].wrapping_sub(b'0'));
    let places = [12, 13, 15, 16, 18, 19, 21, 22, 23];
    if places.iter().any(|place| at(*place) > 9) {
        return None;
    }
    let (hour, minute, second) = (at(12) * 10 + at(13), at(15) * 10 + at(16), at(18) * 10 + at(19));
    (hour < 24 && minute < 60 && second <= 60)
        .then(|| ((hour * 60 + minute) * 60 + second) * 1_000 + at(21) * 100 + at(22) * 10 + at(23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_careful_way() {
        let mut clock = Clock::default();
        for line in [
            "[2022/07/25 14:54:44.467 +00:00] [INFO]",
            "[2022/07/25 23:59:59.999 +08:00] [INFO]",
            "[2022/07/26 00:00:00.000 -08:30] [INFO]",
            "[2022/13/26 00:00:00.000 -08:30] [INFO]",
            "[2022/07/26 24:00:00.000 +00:00] [INFO]",
        ] {
            assert_eq!(clock.read(line.as_bytes()), clean_time(line.as_bytes()), "{line}");
        }
    }
}
