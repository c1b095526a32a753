//! Damages logs as copies, terminals, viewers and chats do, always the same for a seed.
//!
//! ```text
//! cargo run --example damage -- --kind cri --kind wrap-hard --seed 3 tikv.log
//! cargo run --example damage -- --list
//! ```
//!
//! `tests/it/damage.rs` measures how much of a damaged text is still understood.

mod kinds;
#[path = "../common/random.rs"]
mod random;

use clap::Parser;
use kinds::{Document, Random};
use std::io::{Read, Write};
use std::path::PathBuf;

/// Damages a log.
#[derive(Debug, Parser)]
#[command(name = "damage")]
struct Arguments {
    /// Which damage; several come about in their natural order.
    #[arg(long)]
    kind: Vec<String>,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Names all kinds.
    #[arg(long)]
    list: bool,
    /// The clean log, one record a line; standard input without it.
    file: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout().lock();
    if arguments.list {
        for kind in kinds::ALL {
            writeln!(out, "{:<12} {}", kind.family, kind.name)?;
        }
        return Ok(());
    }
    let Some(damages) = kinds::named(&arguments.kind) else { anyhow::bail!("no such kind: see --list") };
    let mut text = String::new();
    match &arguments.file {
        Some(path) => text = std::fs::read_to_string(path)?,
        None => drop(std::io::stdin().lock().read_to_string(&mut text)?),
    }
    let mut document = Document::new(text.lines());
    let mut random = Random::new(arguments.seed);
    for damage in damages {
        (damage.apply)(&mut document, &mut random);
    }
    out.write_all(document.render().as_bytes())?;
    Ok(())
}
