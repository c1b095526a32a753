//! `tidescope analyze`: the main job.

use super::answer::{Gathered, Place, finish};
use super::logs::Logs;
use crate::cli::Analyze;
use crate::outcome::Outcome;
use crate::scan::Context;
use std::time::Instant;

pub(super) fn run(args: &Analyze) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    let place = Place::new(&args.output, &args.format)?;
    let mut logs = Logs::open(&args.paths, &args.common)?;
    let (events, sources, unmatched) = logs.scan(Context::Auto, None)?.sorted();
    let gathered = Gathered { events: &events, sources: &sources, unmatched: &unmatched };
    let outcome = finish(&gathered, &logs.catalog, &logs.settings, &args.common, &place, began);
    // The process ends: nobody needs the memory of millions of events back one by one.
    std::mem::forget(events);
    outcome
}
