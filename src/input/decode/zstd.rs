//! zstd frames, skippable ones included.

use super::pump::{Outcome, Pump, Run};
use super::{Decode, Fault, Feed, Format, MEMORY_LOG, Resume, Step};
use std::io;
use zstd::stream::raw::{DParameter, Decoder, Operation};

#[derive(Default)]
pub(super) struct Zstd {
    stream: Option<Decoder<'static>>,
    pump: Pump,
    begun: u64,
    /// How much input the decoder wants. It is given no more: a call that fails loses what it decoded before, which is then nothing.
    wanted: usize,
}

/// The shortest frame header, which says how long it is.
const FIRST: usize = 5;

impl Decode for Zstd {
    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<(), Fault> {
        if let Some(stream) = &mut self.stream {
            stream.reinit()?;
        } else {
            let mut stream = Decoder::new()?;
            stream.set_parameter(DParameter::WindowLogMax(MEMORY_LOG))?;
            self.stream = Some(stream);
        }
        self.pump = Pump::default();
        self.wanted = FIRST;
        self.begun = feed.position();
        Ok(())
    }

    fn step(&mut self, feed: &mut Feed<'_>, out: &mut [u8]) -> Result<Step, Fault> {
        let Self { stream: Some(stream), pump, wanted, .. } = self else { return Ok(Step::End) };
        pump.step(feed, out, |input, out| {
            let input = &input[..input.len().min(*wanted)];
            match stream.run_on_buffers(input, out) {
                Ok(status) => {
                    *wanted = status.remaining.max(1);
                    Run {
                        consumed: status.bytes_read,
                        produced: status.bytes_written,
                        outcome: if status.remaining == 0 { Outcome::End } else { Outcome::More },
                    }
                }
                Err(error) => Run { consumed: 0, produced: 0, outcome: Outcome::Corrupt(why(&error)) },
            }
        })
    }

    fn resume(&mut self, feed: &mut Feed<'_>) -> io::Result<Resume> {
        feed.rewind(self.begun + 1);
        Format::Zstd.next_member(feed)
    }
}

/// The library's words, in ours where they ask for something to be done.
fn why(error: &io::Error) -> String {
    let text = error.to_string();
    if text.contains("too much memory") {
        format!("needs a window of more than {} MiB, which is not read,", (1 << MEMORY_LOG) >> 20)
    } else if text.contains("ictionary") {
        "was made with a dictionary, without which it cannot be read,".into()
    } else {
        "is damaged".into()
    }
}
