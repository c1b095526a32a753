//! Writes large TiKV logs for benches: realistic raft chatter with a known share of signals, always the same for a seed.
//!
//! ```text
//! cargo run --release --example generate-logs -- --kind calm --size 1GiB --seed 7 --out /tmp/calm.log
//! ```
//!
//! The content is plausible line by line; nothing joins over many lines. For clusters with a story see `generate-cluster`.

mod clock;
mod kinds;
mod messages;
mod regions;
mod template;

#[path = "../common/random.rs"]
mod random;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Parser;
use clock::Clock;
use kinds::{Kind, Stream};

/// Writes large TiKV logs for benches.
#[derive(Debug, Parser)]
#[command(name = "generate-logs")]
struct Arguments {
    /// What the log is like.
    #[arg(long, value_enum)]
    kind: Kind,
    /// How much to write: 100000, 64MiB, 8GiB. `many` without it writes 300 files.
    #[arg(long, value_parser = parse_size)]
    size: Option<u64>,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The time the log spans.
    #[arg(long, default_value_t = 24)]
    hours: u64,
    /// A file, or with `many` a folder.
    #[arg(long)]
    out: PathBuf,
}

const MIB: u64 = 1 << 20;
/// The size of a rotated file of `many`.
const ROTATED: u64 = 4 * MIB;
/// Bytes gathered before they are written.
const BUFFER: usize = 4 << 20;

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let size = arguments.size.unwrap_or(if arguments.kind == Kind::Many { 300 * ROTATED } else { 64 * MIB });
    let mut stream = Stream::new(arguments.kind, arguments.seed, size, arguments.hours);
    if arguments.kind == Kind::Many {
        write_rotated(&mut stream, size, &arguments.out)
    } else {
        write_one(&mut stream, size, &arguments.out)
    }
}

fn write_one(stream: &mut Stream, size: u64, path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    let mut buffer = Vec::with_capacity(BUFFER + (128 << 10));
    let mut written = 0;
    while written + (buffer.len() as u64) < size {
        stream.line(&mut buffer);
        if buffer.len() >= BUFFER {
            file.write_all(&buffer)?;
            written += buffer.len() as u64;
            buffer.clear();
        }
    }
    file.write_all(&buffer)
}

/// Cuts the stream after the record that fills a file; a file is named by the time it was closed, as TiKV does.
fn write_rotated(stream: &mut Stream, size: u64, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut buffer = Vec::with_capacity(BUFFER + (128 << 10));
    let mut written = 0;
    while written < size {
        while (buffer.len() as u64) < ROTATED.min(size - written) {
            stream.line(&mut buffer);
        }
        written += buffer.len() as u64;
        let name = if written < size { rotated_name(stream.clock()) } else { "tikv.log".to_owned() };
        fs::write(folder.join(name), &buffer)?;
        buffer.clear();
    }
    Ok(())
}

fn rotated_name(clock: &Clock) -> String {
    let time: String =
        clock.text()[..23].iter().map(|&b| if b == b'/' || b == b':' { '-' } else { char::from(b) }).collect();
    format!("tikv-{}.log", time.replace(' ', "T"))
}

fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| format!("{text} is no size"))?;
    let unit = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => MIB,
        "g" | "gib" => 1 << 30,
        other => return Err(format!("{other} is no unit; use KiB, MiB or GiB")),
    };
    number.checked_mul(unit).ok_or_else(|| format!("{text} is too large"))
}
