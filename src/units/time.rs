//! A moment in UTC, to the millisecond: what every record, TSO and deadline is measured in.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Milliseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From a civil date and time, with the offset of its zone in minutes east of UTC.
    /// `None` where a part is out of range.
    pub fn from_civil(date: (i64, i64, i64), clock: (i64, i64, i64, i64), offset_minutes: i64) -> Option<Self> {
        let (year, month, day) = date;
        let (hour, minute, second, milli) = clock;
        let valid = (1970..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..=60).contains(&second)
            && (0..1000).contains(&milli)
            && offset_minutes.abs() <= 18 * 60;
        if !valid {
            return None;
        }
        let days = days_from_civil(year, month, day);
        let seconds = days * 86_400 + hour * 3_600 + (minute - offset_minutes) * 60 + second;
        Some(Self(seconds * 1_000 + milli))
    }

    /// The moment `millis` later.
    #[must_use]
    pub const fn plus_ms(self, millis: i64) -> Self {
        Self(self.0 + millis)
    }

    /// Milliseconds from `earlier` to this moment; negative where it is the other way round.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Reads RFC 3339, with `T` or a blank, any fraction, `Z` or an offset with or without colon.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let (naive, rest) = parse_naive(text.as_bytes())?;
        let offset = parse_offset(rest)?;
        Some(Self(naive - offset * 60_000))
    }

    /// Date and clock without fraction, `2022-07-25 14:54:44`, for people.
    pub fn human(self) -> String {
        let text = self.to_string();
        format!("{} {}", &text[..10], &text[11..19])
    }
}

/// Reads `yyyy-MM-dd HH:mm[:ss[.fraction]]` (also with `/`, `.` and `T`) as if it were UTC; gives milliseconds and the rest.
pub(crate) fn parse_naive(text: &[u8]) -> Option<(i64, &[u8])> {
    let number = |from: usize, to: usize| -> Option<i64> {
        text.get(from..to)?
            .iter()
            .try_fold(0i64, |acc, digit| digit.is_ascii_digit().then(|| acc * 10 + i64::from(digit - b'0')))
    };
    let is = |at: usize, any: &[u8]| text.get(at).is_some_and(|byte| any.contains(byte));
    if !(is(4, b"-/.") && is(7, b"-/.") && is(10, b"T ") && is(13, b":")) {
        return None;
    }
    let date = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute) = (number(11, 13)?, number(14, 16)?);
    let mut at = 16;
    let mut second = 0;
    let mut milli = 0;
    if is(16, b":") {
        second = number(17, 19)?;
        at = 19;
        if is(19, b".,") {
            let digits = text[20..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let mut scale = 100;
            for digit in text[20..20 + digits].iter().take(3) {
                milli += i64::from(digit - b'0') * scale;
                scale /= 10;
            }
            at = 20 + digits;
        }
    }
    let time = Timestamp::from_civil(date, (hour, minute, second, milli), 0)?;
    Some((time.0, &text[at..]))
}

/// Months as system logs name them.
pub(crate) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads `Z`, `+08:00`, `+0800` (a blank may stand before) as minutes east of UTC.
pub(crate) fn parse_offset(text: &[u8]) -> Option<i64> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let (sign, digits) = match text.first()? {
        b'Z' | b'z' => return Some(0),
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let pair = |at: usize| -> Option<i64> {
        let two = digits.get(at..at + 2)?;
        two.iter().all(u8::is_ascii_digit).then(|| i64::from(two[0] - b'0') * 10 + i64::from(two[1] - b'0'))
    };
    let hours = pair(0)?;
    let minutes = if digits.get(2) == Some(&b':') { pair(3)? } else { pair(2)? };
    Some(sign * (hours * 60 + minutes))
}

// Howard Hinnant's `days_from_civil`, public domain: proleptic Gregorian calendar, no table.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * (month + (if month > 2 { -3 } else { 9 })) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days - era * 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// As RFC 3339 has it, in UTC, with milliseconds. Reports have millions of them, so the digits are put down by hand.
impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (days, millis) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let (year, month, day) = civil_from_days(days);
        let (seconds, milli) = (millis / 1_000, millis % 1_000);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |at: Range<usize>, mut number: i64| {
            for digit in text[at].iter_mut().rev() {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        };
        let has_four_digits = (0..=9_999).contains(&year);
        put(0..4, if has_four_digits { year } else { 0 });
        put(5..7, month);
        put(8..10, day);
        put(11..13, seconds / 3_600);
        put(14..16, seconds / 60 % 60);
        put(17..19, seconds % 60);
        put(20..23, milli);
        let text = std::str::from_utf8(&text).map_err(|_| std::fmt::Error)?;
        if has_four_digits { f.write_str(text) } else { write!(f, "{year:04}{}", &text[4..]) }
    }
}

/// A span of milliseconds as people say it: `11h31m`, `6m28s`, `45s`, `320ms`.
pub fn hms(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    let seconds = millis / 1_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600, seconds / 60);
    match seconds {
        0 => format!("{sign}{millis}ms"),
        1..60 => format!("{sign}{seconds}s"),
        60..3_600 => format!("{sign}{minutes}m{:02}s", seconds % 60),
        3_600..172_800 => format!("{sign}{hours}h{:02}m", minutes % 60),
        _ => format!("{sign}{days}d{:02}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, civil_from_days, hms};
    use proptest::prelude::*;

    #[test]
    fn prints_and_reads_rfc3339() {
        for text in ["2022-07-25T14:54:44.467Z", "2024-02-29T00:00:00.000Z", "1970-01-01T00:00:00.000Z"] {
            assert_eq!(Timestamp::parse_rfc3339(text).map(|t| t.to_string()).as_deref(), Some(text));
        }
        let plus8 = Timestamp::parse_rfc3339("2025-03-14T14:35:06+08:00");
        assert_eq!(plus8.map(|t| t.to_string()).as_deref(), Some("2025-03-14T06:35:06.000Z"));
        assert_eq!(plus8, Timestamp::parse_rfc3339("2025-03-14 14:35:06 +0800"));
    }

    #[test]
    fn impossible_dates_are_refused() {
        for text in ["2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:00:00", "x"]
        {
            assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn spans_read_like_speech() {
        assert_eq!(hms(41_489_000), "11h31m");
        assert_eq!(hms(388_000), "6m28s");
        assert_eq!(hms(-45_000), "-45s");
        assert_eq!(hms(5 * 86_400_000), "5d00h");
    }

    proptest! {
        #[test]
        fn any_time_is_printed_digit_by_digit(millis in -200_000_000_000_000i64..400_000_000_000_000) {
            let (year, month, day) = civil_from_days(millis.div_euclid(86_400_000));
            let clock = millis.rem_euclid(86_400_000);
            let (hour, minute, second) = (clock / 3_600_000, clock / 60_000 % 60, clock / 1_000 % 60);
            let milli = clock % 1_000;
            let expected = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z");
            prop_assert_eq!(Timestamp(millis).to_string(), expected);
        }
    }
}
