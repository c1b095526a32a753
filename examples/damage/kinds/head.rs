//! Where the parts of a header stand, also in text that is damaged already.

/// Positions of the brackets `[time] [level] [caller] [message]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// Of the time's bracket; its date follows.
    pub(crate) time: usize,
    /// Of the level's.
    pub(crate) level: usize,
    /// Of the caller's.
    pub(crate) caller: usize,
    /// Of the message's.
    pub(crate) message: usize,
}

impl Head {
    /// Finds the first header.
    pub(crate) fn find(text: &str) -> Option<Self> {
        let time = text.match_indices("[2").map(|(at, _)| at).find(|at| is_date(&text[at + 1..]))?;
        // Brackets of colours are none of the header's.
        let is_colour = |at: usize| {
            let code = text[at + 1..].trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ';');
            text[..at].ends_with('\u{1b}') || (code.starts_with('m') && !text[at + 1..].starts_with('m'))
        };
        let next =
            |from: usize| text[from + 1..].match_indices('[').map(|(at, _)| from + 1 + at).find(|at| !is_colour(*at));
        let level = next(time)?;
        let caller = next(level)?;
        let message = next(caller)?;
        Some(Self { time, level, caller, message })
    }

    /// Date, clock and offset.
    pub(crate) fn stamp(self, text: &str) -> Option<(String, String, String)> {
        let inner = &text[self.time + 1..];
        let mut words = inner[..inner.find(']')?].split(' ');
        let stamp = (words.next()?.to_owned(), words.next()?.to_owned(), words.next()?.to_owned());
        (stamp.1.len() == 12 && stamp.2.len() == 6).then_some(stamp)
    }
}

/// Milliseconds since the epoch.
pub(crate) fn millis((date, clock, zone): &(String, String, String)) -> Option<i64> {
    let number = |text: &str| text.parse::<i64>().ok();
    let (year, month, day) = (number(&date[..4])?, number(&date[5..7])?, number(&date[8..10])?);
    // Days in a calendar whose years begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    let minutes = number(&clock[..2])? * 60 + number(&clock[3..5])?;
    let offset = number(&zone[1..3])? * 60 + number(&zone[4..6])?;
    let offset = if zone.starts_with('-') { -offset } else { offset };
    Some(((days * 1_440 + minutes - offset) * 60 + number(&clock[6..8])?) * 1_000 + number(&clock[9..12])?)
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 10
        && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => b"/-".contains(byte),
            _ => byte.is_ascii_digit(),
        })
}
