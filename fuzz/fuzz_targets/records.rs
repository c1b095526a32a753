//! Any text splits into records as its parts do, and every record can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidescope::record::{Kind, RawRecord, Record, Sink, Tally, split};

#[derive(Default)]
struct Records(Vec<(usize, usize, Kind)>);

impl Sink for Records {
    fn record(&mut self, raw: RawRecord<'_>) {
        let _ = Record::read(raw.bytes, raw.kind);
        self.0.push((raw.start, raw.bytes.len(), raw.kind));
    }
}

fn counts(tally: Tally) -> [u64; 4] {
    [tally.records, tally.newlines, tally.continuation_lines, tally.unparsed_lines]
}

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, text) = input;
    let cut = usize::from(cut) % (text.len() + 1);
    let mut whole = Records::default();
    let all = counts(split(text, 0..text.len(), &mut whole));
    let mut parts = Records::default();
    let head = counts(split(text, 0..cut, &mut parts));
    let tail = counts(split(text, cut..text.len(), &mut parts));
    assert_eq!(parts.0, whole.0);
    assert_eq!(std::array::from_fn(|at| head[at] + tail[at]), all);
});
