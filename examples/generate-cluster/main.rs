//! Simulates a cluster with log backup and writes the logs that its components would print, with what really happened in `truth.json`.
//!
//! ```text
//! cargo run --example generate-cluster -- --scenario merge-failed --seed 7 --out /tmp/cluster
//! cargo run --example generate-cluster -- --scenario merge-failed+skew+rotated --seed 7 --out /tmp/cluster
//! cargo run --example generate-cluster -- --list
//! ```
//!
//! The simulation itself stands in `examples/common/cluster`.

#[path = "../common/cluster/mod.rs"]
mod cluster;
#[path = "../common/random.rs"]
mod random;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Parser;

use crate::cluster::generate;
use crate::cluster::scenarios::{self, Request};

/// Simulates a cluster with log backup and writes its logs and the truth about them.
#[derive(Debug, Parser)]
#[command(name = "generate-cluster")]
struct Arguments {
    /// A name of the list, with variants joined by +: skew, missing, rotated, redacted.
    #[arg(long, required_unless_present = "list")]
    scenario: Option<String>,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder to write into.
    #[arg(long, required_unless_present = "list")]
    out: Option<PathBuf>,
    /// Print all scenarios.
    #[arg(long)]
    list: bool,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    if arguments.list {
        return list();
    }
    let (Some(name), Some(out)) = (arguments.scenario, arguments.out) else { return Ok(()) };
    let request =
        Request::parse(&name, arguments.seed).map_err(|text| io::Error::new(io::ErrorKind::InvalidInput, text))?;
    generate(&request, &out)
}

fn list() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for scenario in scenarios::ALL {
        writeln!(
            out,
            "{:24} {:8} {}",
            scenario.name,
            if scenario.healthy { "healthy" } else { "broken" },
            scenario.about
        )?;
    }
    writeln!(out, "\nvariants: {}", scenarios::VARIANTS.join(" "))
}
