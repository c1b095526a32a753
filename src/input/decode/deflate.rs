//! gzip, and the bare deflate streams of zip.

use super::pump::{Outcome, Pump, Run};
use super::{Decode, Fault, Feed, Format, Resume, Step};
use flate2::{Decompress, FlushDecompress, Status};
use std::io;

pub(super) struct Deflate {
    format: Format,
    stream: Decompress,
    pump: Pump,
    begun: u64,
}

impl Deflate {
    pub(super) fn new(format: Format) -> Self {
        Self { format, stream: stream(format), pump: Pump::default(), begun: 0 }
    }
}

fn stream(format: Format) -> Decompress {
    match format {
        Format::Gzip => Decompress::new_gzip(15),
        _ => Decompress::new(false),
    }
}

impl Decode for Deflate {
    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<(), Fault> {
        self.stream = stream(self.format);
        self.pump = Pump::default();
        self.begun = feed.position();
        Ok(())
    }

    fn step(&mut self, feed: &mut Feed<'_>, out: &mut [u8]) -> Result<Step, Fault> {
        let stream = &mut self.stream;
        self.pump.step(feed, out, |input, out| {
            let before = (stream.total_in(), stream.total_out());
            let result = stream.decompress(input, out, FlushDecompress::None);
            Run {
                consumed: (stream.total_in() - before.0) as usize,
                produced: (stream.total_out() - before.1) as usize,
                outcome: match result {
                    Ok(Status::StreamEnd) => Outcome::End,
                    Ok(Status::Ok | Status::BufError) => Outcome::More,
                    Err(_) => Outcome::Corrupt("is damaged".into()),
                },
            }
        })
    }

    fn resume(&mut self, feed: &mut Feed<'_>) -> io::Result<Resume> {
        feed.rewind(self.begun + 1);
        self.format.next_member(feed)
    }
}
