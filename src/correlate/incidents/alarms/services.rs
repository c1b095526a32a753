//! What the system says of the processes that it ends and runs: which one, whether it was told to stop, and whether it starts
//! again.

use crate::correlate::episodes::{EpisodeId, Run};
use crate::correlate::incidents::World;
use crate::units::Component;

/// Who is told to stop and does not within this time is killed for it.
const STOP_MS: i64 = 15 * 60_000;

/// The service of systemd that a record is about, `tikv-20160`.
pub(super) fn unit(run: &Run) -> Option<&str> {
    let of_systemd = run.component == Some(Component::Os);
    run.summary.split_once(".service: ").map(|(unit, _)| unit).filter(|_| of_systemd)
}

/// The service or process that the system ended, where it says which.
pub(super) fn process(run: &Run) -> Option<&str> {
    unit(run).or_else(|| killed(&run.summary))
}

/// The process of `tiup says of java: signal: killed`, `Killed process 4321 (java)`, `reaped process 4321 (java)`,
/// `... segfault at 0 ... error 4 in java[55e0+1000]`.
pub(super) fn killed(message: &str) -> Option<&str> {
    if let Some((name, _)) = message.strip_prefix("tiup says of ").and_then(|text| text.split_once(": signal: ")) {
        return Some(name);
    }
    let name = match message.split_once("Killed process ").or_else(|| message.split_once("reaped process ")) {
        Some((_, rest)) => rest.split_once('(')?.1.split_once(')')?.0,
        None => {
            let crashes = ["segfault at ", "general protection", "trap invalid opcode"];
            let rest = crashes.iter().find_map(|crash| message.split_once(crash))?.1;
            rest.split_once(" in ")?.1.split_once('[')?.0
        }
    };
    // A library is no process.
    Some(name).filter(|name| !name.is_empty() && !name.contains(".so"))
}

/// Whether a service or process of this name is a store.
pub(super) fn is_store(name: &str) -> bool {
    name.starts_with("tikv") || name.starts_with("tiflash")
}

/// Whether systemd starts the same service after this.
pub(super) fn started_again(id: EpisodeId, world: &World<'_>) -> bool {
    let run = world.episodes.at(id);
    let Some(service) = unit(run) else { return false };
    world.graph.of_kind("unit-starts").iter().any(|start| {
        let other = world.episodes.at(*start);
        // Without times they stand in order.
        let later = match (run.last, other.last) {
            (Some(died), Some(started)) => started >= died,
            _ => other.line > run.line,
        };
        other.file == run.file && later && unit(other).is_none_or(|other| other == service)
    })
}

/// Whether systemd killed what did not stop.
pub(super) fn told_to_stop(id: EpisodeId, world: &World<'_>) -> bool {
    let run = world.episodes.at(id);
    unit(run).is_some()
        && world.graph.of_kind("stop").iter().map(|stop| world.episodes.at(*stop)).any(|stop| {
            let before = match (stop.last, run.first) {
                (Some(told), Some(died)) => (0..=STOP_MS).contains(&died.since(told)),
                _ => stop.line < run.line,
            };
            stop.file == run.file && before
        })
}
