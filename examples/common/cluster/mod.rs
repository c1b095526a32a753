//! A simulated cluster with log backup: what its components would print, and what really happened.
//!
//! It is written apart from the rules: what it prints follows the components, not the catalogue. One seed of one scenario is always the
//! same cluster, version and course, byte for byte.
//!
//! An example writes clusters to disk, the tests of the program are put to them: each has this as its module `cluster`, and
//! `random.rs` as `random`.

mod backup;
mod gc;
mod noise;
mod record;
mod region;
pub(crate) mod scenarios;
mod sink;
mod time;
mod truth;
mod version;
mod world;
mod writers;

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use scenarios::Request;
use time::rfc3339;

/// Simulates, and writes logs and truth below `root`.
pub(crate) fn generate(request: &Request, root: &Path) -> io::Result<()> {
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
