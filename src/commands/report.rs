//! `tidescope report`: the report folder, out of what `scan` wrote. Opens no source.

use super::answer::{Gathered, Place, finish};
use super::{logs, rows};
use crate::cli::Report;
use crate::outcome::Outcome;
use std::time::Instant;

pub(super) fn run(args: &Report) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    let place = Place::new(&args.output, &args.format)?;
    let settings = logs::settings(&args.common)?;
    let catalog = logs::catalog(&settings.rules)?;
    let rows = rows::read(&args.events, &settings)?;
    let gathered = Gathered { events: &rows.events, sources: &rows.sources, unmatched: &rows.unmatched };
    finish(&gathered, &catalog, &settings, &args.common, &place, began)
}
