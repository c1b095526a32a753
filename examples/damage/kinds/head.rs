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
        let next = |from: usize| text.get(from + 1..)?.find('[').map(|at| from + 1 + at);
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

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 10
        && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => b"/-".contains(byte),
            _ => byte.is_ascii_digit(),
        })
}
