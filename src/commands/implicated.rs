//! `tidescope implicated`: what events draw in, for `scan --context`.

use super::{logs, rows, write_to};
use crate::cli::Implicated as Args;
use crate::event::Implicated;
use crate::outcome::Outcome;

pub(super) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let settings = logs::settings(&args.common)?;
    let rows = rows::read(&args.events, &settings)?;
    let found = Implicated::by(&rows.events)?;
    write_to(args.output.as_deref(), |out| {
        serde_json::to_writer(&mut *out, &found)?;
        Ok(out.write_all(b"\n")?)
    })?;
    Ok(Outcome::Done)
}
