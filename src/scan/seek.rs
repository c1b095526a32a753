//! Which part of a large text can hold the records of a time window: found by bisection where the text is in order.

use super::part::TimeWindow;
use crate::record::{clean_time, is_clean};
use crate::units::Timestamp;
use std::ops::Range;

/// Smaller texts are read whole: that takes no longer.
#[cfg(not(test))]
const LARGE: usize = 16 << 20;
#[cfg(test)]
const LARGE: usize = 4 << 10;

/// Places at which the order of a text is looked at. A clock that was set back shows in one of them, unless only for moments.
const SAMPLES: usize = 256;

/// Records of several threads are written a little out of order; this much is read on both sides of the window.
const SLACK_MS: i64 = 60_000;

/// A record is looked for in so many bytes behind a place.
const NEAR: usize = 256 << 10;

/// The bisection ends where so few bytes are left.
const FINE: usize = 64 << 10;

/// What of `own` can hold records of the window, from a record's start to a record's start; `None` where all of it can, or
/// where the text does not say.
pub(super) fn window(text: &[u8], own: Range<usize>, time: TimeWindow) -> Option<Range<usize>> {
    if (time.since.is_none() && time.until.is_none()) || own.len() < LARGE {
        return None;
    }
    let samples: Vec<Stamp> =
        (0..SAMPLES).map(|at| stamp(text, own.start + own.len() / SAMPLES * at..own.end)).collect::<Option<_>>()?;
    let is_ordered = samples.windows(2).all(|pair| pair[1].time.since(pair[0].time) >= -SLACK_MS);
    if !is_ordered {
        return None;
    }
    let begin =
        time.since.map_or(own.start, |since| first(text, &own, &samples, |time| time.since(since) >= -SLACK_MS).0);
    let end = time.until.map_or(own.end, |until| first(text, &own, &samples, |time| time.since(until) > SLACK_MS).1);
    Some(begin..end.max(begin))
}

/// A record's time, and where the record starts.
#[derive(Clone, Copy)]
struct Stamp {
    time: Timestamp,
    at: usize,
}

/// The first clean record that starts in a range, near its start.
fn stamp(text: &[u8], range: Range<usize>) -> Option<Stamp> {
    let near = &text[..range.end.min(range.start + NEAR)];
    let mut at = range.start;
    if at > 0 && near.get(at - 1) != Some(&b'\n') {
        at += memchr::memchr(b'\n', near.get(at..)?)? + 1;
    }
    loop {
        let line = near.get(at..)?;
        if is_clean(line)
            && let Some((time, _)) = clean_time(line)
        {
            return Some(Stamp { time, at });
        }
        at += memchr::memchr(b'\n', line)? + 1;
    }
}

/// Between which two records the first one of `is_late` lies: not later than the second, not before the first.
fn first(text: &[u8], own: &Range<usize>, samples: &[Stamp], is_late: impl Fn(Timestamp) -> bool) -> (usize, usize) {
    let at = samples.partition_point(|stamp| !is_late(stamp.time));
    let mut low = at.checked_sub(1).map_or(own.start, |at| samples[at].at);
    let mut high = samples.get(at).map_or(own.end, |stamp| stamp.at);
    while high.saturating_sub(low) > FINE {
        let middle = low + (high - low) / 2;
        match stamp(text, middle..high) {
            Some(found) if !is_late(found.time) => low = found.at,
            Some(found) if found.at < high => high = found.at,
            // Nothing but a long record: it is read.
            _ => break,
        }
    }
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(times: impl Iterator<Item = i64>) -> String {
        times
            .map(|second| {
                let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
                format!("[2022/07/25 {clock}.000 +00:00] [INFO] [a.rs:1] [\"second {second}\"]\n  more of it\n")
            })
            .collect()
    }

    fn second(at: i64) -> Option<Timestamp> {
        clean_time(format!("[2022/07/25 {:02}:{:02}:00.000 +00:00]", at / 3600, at / 60 % 60).as_bytes())
            .map(|found| found.0)
    }

    #[test]
    fn a_window_of_ordered_records_is_found() {
        let text = log((0..80_000).step_by(4));
        let time = TimeWindow { since: second(40_020), until: second(40_080) };
        let found = window(text.as_bytes(), 0..text.len(), time).unwrap();
        let part = &text[found.clone()];
        for at in [40_020, 40_080, 40_020 - 60, 40_080 + 60] {
            assert!(part.contains(&format!("\"second {at}\"")), "{at}");
        }
        assert!(part.starts_with("[2022") && text[found.end..].starts_with("[2022"));
        assert!(part.len() < text.len() / 8, "{} of {}", part.len(), text.len());
    }

    #[test]
    fn all_before_or_behind_is_nothing() {
        let text = log((40_000..60_000).step_by(4));
        let range = |since, until| window(text.as_bytes(), 0..text.len(), TimeWindow { since, until }).unwrap();
        assert_eq!(range(second(0), second(600)).len(), 0);
        assert!(range(second(80_400), None).len() <= FINE);
        assert_eq!(range(second(0), second(86_340)), 0..text.len());
    }

    #[test]
    fn where_a_clock_was_set_back_all_is_read() {
        let text = log((40_000..60_000).chain(20_000..60_000).step_by(4));
        let time = TimeWindow { since: second(40_020), until: second(40_080) };
        assert_eq!(window(text.as_bytes(), 0..text.len(), time), None);
        assert_eq!(window(b"no log", 0..6, time), None);
        let prose = "no record at all\n".repeat(1 << 10);
        assert_eq!(window(prose.as_bytes(), 0..prose.len(), time), None);
    }
}
