//! How damage travels up through the layers: as an [`io::Error`] that knows whether reading may go on behind it.

use std::io;

/// The payload of an error that this stage raises itself.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Damage {
    text: String,
    goes_on: bool,
}

/// A hole in a stream: bytes are lost here, and the next read goes on behind them.
pub(super) fn gap(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Damage { text: text.into(), goes_on: true })
}

/// The early end of a stream: nothing comes any more.
pub(super) fn end(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Damage { text: text.into(), goes_on: false })
}

/// Whether the next read goes on behind the damage.
pub(super) fn goes_on(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Damage>()).is_some_and(|damage| damage.goes_on)
}

/// Damage noted on the way, to be told once at the end: the first in words, the others as a number.
#[derive(Debug, Default)]
pub(super) struct Damages {
    first: Option<String>,
    more: u64,
}

impl Damages {
    /// Notes one.
    pub(super) fn add(&mut self, text: impl Into<String>) {
        if self.first.is_none() {
            self.first = Some(text.into());
        } else {
            self.more += 1;
        }
    }

    /// What there is to tell; nothing is left.
    pub(super) fn take(&mut self) -> Option<String> {
        let text = self.first.take()?;
        match std::mem::take(&mut self.more) {
            0 => Some(text),
            1 => Some(format!("{text}; and in one more place")),
            more => Some(format!("{text}; and in {more} more places")),
        }
    }
}

/// A number of bytes for people: `912 bytes`, `4.2 kB`, `41 MB`.
pub(super) fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    if bytes < 1_000 {
        return format!("{bytes} bytes");
    }
    for unit in ["kB", "MB", "GB", "TB"] {
        value /= 1_000.0;
        if value < 9.95 {
            return format!("{value:.1} {unit}");
        }
        if value < 999.5 || unit == "TB" {
            return format!("{value:.0} {unit}");
        }
    }
    unreachable!("the last unit takes every number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (9_960, "10 kB"),
            (41_200_000, "41 MB"),
            (999_600_000, "1.0 GB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn only_a_gap_goes_on() {
        assert!(goes_on(&gap("x")));
        assert!(!goes_on(&end("x")));
        assert!(!goes_on(&io::Error::other("x")));
    }

    #[test]
    fn many_damages_are_told_in_one_line() {
        let mut damages = Damages::default();
        assert_eq!(damages.take(), None);
        damages.add("a");
        damages.add("b");
        assert_eq!(damages.take().as_deref(), Some("a; and in one more place"));
        assert_eq!(damages.take(), None);
    }
}
