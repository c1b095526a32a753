//! Text that is split.
#![no_main]

#[path = "../entries.rs"]
#[allow(dead_code, reason = "of all targets")]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entries::records(bytes));
