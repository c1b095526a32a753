//! The bare decoder that `scripts/bench-peers` holds `scan` of a packed log against: the same libraries, and nothing is done
//! with what comes out.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::PathBuf;

/// What one read asks for.
const CHUNK: usize = 1 << 18;

fn main() -> io::Result<()> {
    let path: PathBuf =
        std::env::args_os().nth(1).ok_or_else(|| io::Error::other("usage: decode FILE.gz|FILE.zst"))?.into();
    let packed = BufReader::with_capacity(CHUNK, File::open(&path)?);
    let bytes = match path.extension().and_then(OsStr::to_str) {
        Some("gz") => count(flate2::bufread::MultiGzDecoder::new(packed))?,
        Some("zst") => count(zstd::Decoder::with_buffer(packed)?)?,
        _ => return Err(io::Error::other(format!("{}: neither .gz nor .zst", path.display()))),
    };
    writeln!(io::stdout(), "{bytes}")
}

fn count(mut decoder: impl Read) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        match decoder.read(&mut chunk)? {
            0 => return Ok(bytes),
            read => bytes += read as u64,
        }
    }
}
