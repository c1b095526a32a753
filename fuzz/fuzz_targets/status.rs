//! Screens of `br log status`, however they were copied.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use tidescope::event::{Facts, Place};
use tidescope::record::{RawRecord, Record, Sink, split};

struct Screens;

impl Sink for Screens {
    fn record(&mut self, raw: RawRecord<'_>) {
        let record = Record::read(raw.bytes, raw.kind);
        let _ = Facts::of(&record).event_of(&record, None, Place { file: Arc::from("-"), line: 1, offset: 0 });
    }
}

fuzz_target!(|text: &[u8]| {
    let screen = ["● Total 1 Tasks.\n> #1 <\n".as_bytes(), text].concat();
    split(&screen, 0..screen.len(), &mut Screens);
});
