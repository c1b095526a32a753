//! `tidescope nightly`: what is new since the last run.

use super::{answer, logs};
use crate::cli::{LogFormat, Nightly};
use crate::nightly::{self, Config, Log};
use crate::outcome::Outcome;
use std::io::Write;

pub(super) fn run(args: &Nightly) -> anyhow::Result<Outcome> {
    let log = Log { json: args.log_format == LogFormat::Json, quiet: args.quiet };
    let prepared = Config::read(args).and_then(|config| Ok((logs::catalog(&config.rules)?, config)));
    let (catalog, config) = match prepared {
        Ok(prepared) => prepared,
        // What is wrong with a file is shown with its lines.
        Err(error) if args.check || !log.json => return Err(error),
        Err(error) => return Ok(failed(&error, log)),
    };
    if args.check {
        let (text, works) = nightly::check(&config);
        super::print(text.as_bytes())?;
        return Ok(if works { Outcome::Done } else { Outcome::Unusable });
    }
    logs::threads(config.limits.threads);
    let done = match nightly::run(&config, &catalog, &answer::command_line(), log) {
        Ok(done) => done,
        Err(error) => return Ok(failed(&error, log)),
    };
    let mut out = std::io::stdout().lock();
    // The run counts, and its report is in its place, whoever reads this.
    if let Err(error) = out.write_all(done.answer.as_bytes()).and_then(|()| out.flush()) {
        log.warn(&format!("the answer could not be written: {error}"), &[]);
    }
    Ok(done.outcome)
}

fn failed(error: &anyhow::Error, log: Log) -> Outcome {
    log.error(&format!("{error:#}"), &[]);
    Outcome::Unusable
}
