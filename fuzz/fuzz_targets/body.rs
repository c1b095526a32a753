//! Message and fields of a clean record; what an event takes out of it; what is printed of that.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use tidescope::event::{Facts, Place};
use tidescope::record::Record;
use tidescope::safe::Safe;

fuzz_target!(|body: &[u8]| {
    let text = [&b"[2022/07/25 14:54:44.467 +00:00] [WARN] [endpoint.rs:209] "[..], body].concat();
    let record = Record::clean(&text);
    let event = Facts::of(&record).event_of(&record, None, Place { file: Arc::from("-"), line: 1, offset: 0 });
    assert!(event.message.len() <= 1024 && !event.message.contains('\n'));
    let safe = Safe::new(true);
    let shown = safe.line(&event.message).to_string();
    assert!(!shown.contains(|char: char| char.is_control()));
    assert_eq!(&*safe.line(&shown), shown);
});
