//! True time in milliseconds, and the ways in which the components print it.

/// Milliseconds since the Unix epoch, or a span of them.
pub(crate) type Ms = i64;

/// A second.
pub(crate) const SECOND: Ms = 1_000;
/// A minute.
pub(crate) const MINUTE: Ms = 60 * SECOND;
/// An hour.
pub(crate) const HOUR: Ms = 60 * MINUTE;
/// A day.
pub(crate) const DAY: Ms = 24 * HOUR;

/// A zone as its distance to UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Zone(pub(crate) Ms);

impl Zone {
    /// `+08:00`, or without the colon.
    fn offset(self, colon: &str) -> String {
        let minutes = self.0.abs() / MINUTE;
        let sign = if self.0 < 0 { '-' } else { '+' };
        format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
    }

    /// What Go calls it.
    fn name(self) -> &'static str {
        if self.0 == 0 { "UTC" } else { "CST" }
    }
}

/// Year, month, day, hour, minute, second, millisecond.
fn civil(time: Ms) -> [i64; 7] {
    let days = time.div_euclid(DAY);
    let rest = time.rem_euclid(DAY);
    // Days to a date of the Gregorian calendar, counted in eras of 400 years that begin in March.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    [year, month, day, rest / HOUR, rest / MINUTE % 60, rest / SECOND % 60, rest % SECOND]
}

/// `2022/07/25 14:54:44.467 +00:00`, as every log header has it.
pub(crate) fn log_time(time: Ms, zone: Zone) -> String {
    let [y, mo, d, h, mi, s, ms] = civil(time + zone.0);
    format!("{y:04}/{mo:02}/{d:02} {h:02}:{mi:02}:{s:02}.{ms:03} {}", zone.offset(":"))
}

/// `2022-07-25T14-54-44.467`, as rotated files are named.
pub(crate) fn file_time(time: Ms, zone: Zone) -> String {
    let [y, mo, d, h, mi, s, ms] = civil(time + zone.0);
    format!("{y:04}-{mo:02}-{d:02}T{h:02}-{mi:02}-{s:02}.{ms:03}")
}

/// `2022-07-25T14:54:44.467Z`
pub(crate) fn rfc3339(time: Ms) -> String {
    let [y, mo, d, h, mi, s, ms] = civil(time);
    format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{ms:03}Z")
}

/// `2022-07-25 14:46:50.118 +0000`; Go drops the zeros at the end of the fraction, and an empty fraction.
pub(crate) fn go_date(time: Ms, zone: Zone) -> String {
    let [y, mo, d, h, mi, s, ms] = civil(time + zone.0);
    let fraction = format!(".{ms:03}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}{fraction} {}", zone.offset(""))
}

/// `2022-07-25 14:46:50.118 +0000 UTC`, Go's default for a time.
pub(crate) fn go_time(time: Ms, zone: Zone) -> String {
    format!("{} {}", go_date(time, zone), zone.name())
}

/// `11h31m29s`, `1m30.5s`, `105ms`
pub(crate) fn go_duration(span: Ms) -> String {
    let sign = if span < 0 { "-" } else { "" };
    let span = span.abs();
    if span < SECOND {
        return if span == 0 { "0s".to_owned() } else { format!("{sign}{span}ms") };
    }
    let (hours, minutes) = (span / HOUR, span / MINUTE % 60);
    let fraction = format!("{}.{:03}", span / SECOND % 60, span % SECOND);
    let seconds = fraction.trim_end_matches('0').trim_end_matches('.');
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// The same, rounded to seconds.
pub(crate) fn go_seconds(span: Ms) -> String {
    go_duration((span + SECOND / 2).div_euclid(SECOND) * SECOND)
}

/// A TSO of this moment with logical part 0.
pub(crate) fn tso(time: Ms) -> u64 {
    (time as u64) << 18
}

/// The moment of a TSO.
pub(crate) fn tso_time(tso: u64) -> Ms {
    (tso >> 18) as Ms
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTC: Zone = Zone(0);

    #[test]
    fn dates() {
        let time = tso_time(434_834_088_949_972_992);
        assert_eq!(log_time(time, UTC), "2022/07/25 14:46:50.118 +00:00");
        assert_eq!(log_time(time, Zone(8 * HOUR)), "2022/07/25 22:46:50.118 +08:00");
        assert_eq!(go_time(time - 18, Zone(8 * HOUR)), "2022-07-25 22:46:50.1 +0800 CST");
        assert_eq!(go_date(time - 118, UTC), "2022-07-25 14:46:50 +0000");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(tso(time), 434_834_088_949_972_992);
    }

    #[test]
    fn durations() {
        assert_eq!(go_duration(11 * HOUR + 31 * MINUTE + 29 * SECOND), "11h31m29s");
        assert_eq!(go_duration(100 * HOUR), "100h0m0s");
        assert_eq!(go_duration(90_500), "1m30.5s");
        assert_eq!(go_duration(105), "105ms");
        assert_eq!(go_seconds(-1_600), "-2s");
        assert_eq!(go_seconds(0), "0s");
    }
}
