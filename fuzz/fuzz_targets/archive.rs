//! Anything that may be a container: archives, compressed streams, and what is neither.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::Read;
use std::path::PathBuf;
use std::sync::LazyLock;
use tidescope::input::{Body, Limits, Options, discover};

static PLACE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("tidescope-fuzz-{}", std::process::id())));

fuzz_target!(|bytes: &[u8]| {
    if std::fs::write(&*PLACE, bytes).is_err() {
        return;
    }
    let limits = Limits { source_bytes: 1 << 20, ratio: 100, ratio_floor: 1 << 20, ..Limits::default() };
    let found = discover(&[&*PLACE], &Options { limits, ..Options::default() });
    let mut buffer = vec![0; 64 << 10];
    for input in &found.inputs {
        let mut given = 0;
        input.read(&mut |name, body| {
            assert!(!name.contains(|char: char| char.is_control()));
            match body {
                Body::Mapped(text) => given += text.len(),
                Body::Stream(stream) => {
                    while let Ok(count @ 1..) = stream.read(&mut buffer) {
                        given += count;
                    }
                }
            }
        });
        assert!(given <= 64 << 20, "{given} bytes out of {}", bytes.len());
    }
});
