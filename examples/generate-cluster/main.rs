//! Simulates a cluster with log backup and writes the logs that its components would print, with what really happened in `truth.json`.
//!
//! ```text
//! cargo run --example generate-cluster -- --scenario merge-failed --seed 7 --out /tmp/cluster
//! cargo run --example generate-cluster -- --scenario merge-failed+skew+rotated --seed 7 --out /tmp/cluster
//! cargo run --example generate-cluster -- --list
//! ```
//!
//! It is written apart from the rules: what it prints follows the components, not the catalogue. One seed of one scenario is always the
//! same cluster, version and course, byte for byte.

mod backup;
mod gc;
mod noise;
mod record;
mod region;
mod scenarios;
mod sink;
mod time;
mod truth;
mod version;
mod world;
mod writers;

#[path = "../common/random.rs"]
mod random;

#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::{Map, Value, json};

use crate::scenarios::Request;
use crate::time::rfc3339;

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

/// Simulates, and writes logs and truth below `root`.
fn generate(request: &Request, root: &Path) -> io::Result<()> {
    let (world, truth) = request.simulate();
    world.write(root)?;
    let nodes = |nodes: &[world::Node], port: u64| -> Vec<Value> {
        nodes
            .iter()
            .map(|n| json!({"store_id": n.id, "address": format!("{}:{port}", n.host), "clock_skew_ms": n.skew}))
            .collect()
    };
    let mut document = Map::new();
    document.insert("scenario".into(), json!(request.name()));
    document.insert("seed".into(), json!(request.seed));
    document.insert("version".into(), json!(format!("v{}", world.version.text())));
    document.insert("now".into(), json!(rfc3339(world.now())));
    document.insert("stores".into(), json!(nodes(&world.stores, 20160)));
    document.insert("pd".into(), json!(nodes(&world.pds, 2379)));
    document.insert("tidb".into(), json!(nodes(&world.tidbs, 4000)));
    document.append(&mut truth.json());
    fs::write(root.join("truth.json"), serde_json::to_string_pretty(&document)? + "\n")
}
