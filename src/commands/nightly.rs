//! `tidescope nightly`: what is new since the last run.

use super::{answer, logs};
use crate::cli::{LogFormat, Nightly};
use crate::nightly::{self, Config, Log};
use crate::outcome::Outcome;
use std::io::Write;

pub(super) fn run(args: &Nightly) -> anyhow::Result<Outcome> {
    let config = Config::read(args)?;
    let catalog = logs::catalog(&config.rules)?;
    if args.check {
        let (text, works) = nightly::check(&config);
        super::print(text.as_bytes())?;
        return Ok(if works { Outcome::Done } else { Outcome::Unusable });
    }
    logs::threads(config.limits.threads);
    let log = Log { json: args.log_format == LogFormat::Json, quiet: args.quiet };
    let done = nightly::run(&config, &catalog, &answer::command_line(), log)?;
    let mut out = std::io::stdout().lock();
    out.write_all(done.answer.as_bytes())?;
    out.flush()?;
    Ok(done.outcome)
}
