//! Records that are JSON objects, whole or cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidescope::record::{Kind, RawRecord, Record, Sink, split};

struct Read;

impl Sink for Read {
    fn record(&mut self, raw: RawRecord<'_>) {
        let _ = Record::read(raw.bytes, raw.kind);
    }
}

fuzz_target!(|text: &[u8]| {
    let _ = Record::read(text, Kind::Json);
    let _ = Record::read(text, Kind::StatusJson);
    for frame in ["{\"time\":\"2022/07/25 14:54:44.467 +00:00\",\"level\":\"WARN\",", "[{\"name\":\"task1\",", "{\"log\":\""] {
        let framed = [frame.as_bytes(), text].concat();
        split(&framed, 0..framed.len(), &mut Read);
    }
});
