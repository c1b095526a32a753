//! The loop around decoders that work on slices.

use super::{Fault, Feed, Step};

/// What one call of such a decoder did.
pub(super) struct Run {
    pub(super) consumed: usize,
    pub(super) produced: usize,
    pub(super) outcome: Outcome,
}

/// Whether the member goes on.
pub(super) enum Outcome {
    More,
    End,
    Corrupt(String),
}

/// Feeds the decoder and remembers how it ended while its last bytes are given.
#[derive(Default)]
pub(super) struct Pump {
    /// The last call filled its output: there may be more without any input.
    full: bool,
    ended: Option<Result<(), String>>,
}

impl Pump {
    pub(super) fn step(
        &mut self,
        feed: &mut Feed<'_>,
        out: &mut [u8],
        mut run: impl FnMut(&[u8], &mut [u8]) -> Run,
    ) -> Result<Step, Fault> {
        loop {
            match self.ended.take() {
                Some(Ok(())) => return Ok(Step::End),
                Some(Err(why)) => return Err(Fault::Corrupt(why)),
                None => {}
            }
            let input = if self.full { feed.buffered() } else { feed.peek(1)? };
            let had = input.len();
            let Run { consumed, produced, outcome } = run(input, out);
            feed.consume(consumed);
            let was_full = std::mem::replace(&mut self.full, produced == out.len());
            self.ended = match outcome {
                Outcome::More => None,
                Outcome::End => Some(Ok(())),
                Outcome::Corrupt(why) => Some(Err(why)),
            };
            if produced > 0 {
                return Ok(Step::Bytes(produced));
            }
            if self.ended.is_none() && consumed == 0 && !was_full {
                return Err(if had == 0 { Fault::CutOff } else { Fault::Corrupt("is damaged".into()) });
            }
        }
    }
}
