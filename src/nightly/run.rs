//! One run, from the lock to what it leaves outside of its report.

use super::config::Config;
use super::lock::{AtWork, Lock};
use super::log::{Log, clock};
use super::night::{Before, Night};
use super::state::State;
use super::watch::Watch;
use super::{outputs, publish};
use crate::outcome::Outcome;
use crate::rules::Catalog;
use crate::units::Timestamp;
use anyhow::Context;
use std::sync::Arc;
use std::time::Instant;

/// How a run ended.
#[derive(Debug)]
pub struct Done {
    /// The exit status.
    pub outcome: Outcome,
    /// What a person is told; empty where nothing is new.
    pub answer: String,
}

/// A run at work.
struct Job<'a> {
    config: &'a Config,
    catalog: &'a Arc<Catalog>,
    command_line: &'a str,
    log: Log,
    began: Instant,
    now: Timestamp,
}

/// Runs a night.
///
/// # Errors
/// Why it could not come to its end. Nothing of it counts then, or the next run finishes it.
pub fn run(config: &Config, catalog: &Arc<Catalog>, command_line: &str, log: Log) -> anyhow::Result<Done> {
    let now = config.now.unwrap_or_else(clock);
    let job = Job { config, catalog, command_line, log, began: Instant::now(), now };
    let done = job.run(&job.watch());
    // Where another run is at work, that one says how it went.
    if done.as_ref().is_err_and(|error| !error.is::<AtWork>()) {
        outputs::failed(config.metrics.as_ref(), now, log);
    }
    done
}

impl Job<'_> {
    fn watch(&self) -> Watch {
        let (metrics, now, log) = (self.config.metrics.clone(), self.now, self.log);
        self.config.limits.time_ms.map_or_else(Watch::default, |limit_ms| {
            Watch::start(limit_ms, move || {
                let said = "the time limit is reached: the run ends here, and nothing of it counts";
                log.error(said, &[("limit_ms", limit_ms.into())]);
                outputs::failed(metrics.as_ref(), now, log);
            })
        })
    }

    fn run(&self, watch: &Watch) -> anyhow::Result<Done> {
        let &Self { config, catalog, command_line, log, began, now } = self;
        std::fs::create_dir_all(&config.output)
            .with_context(|| format!("the folder {} cannot be made", config.output.display()))?;
        let lock = Lock::take(&config.output, now)?;
        let mut state = State::open(&config.output)?;
        if let Some(holder) = &lock.died {
            log.warn(&format!("a run did not come to its end{holder}"), &[]);
        }
        for repaired in publish::repair(&mut state, &config.output)? {
            log.warn(&repaired, &[]);
        }
        let night = Night { config, catalog, command_line, log, began, now, watch, before: Before::read(&state)? };
        if let Some(last) = &night.before.last {
            outputs::send(config, &mut state, last, log);
        }
        let (run, done) = night.run(&mut state)?;
        outputs::all(config, &mut state, &run, &done.answer, log);
        self.clear(&mut state);
        Ok(done)
    }

    /// Takes away what nobody needs any more. What cannot be taken away is in nobody's way.
    fn clear(&self, state: &mut State) {
        let Self { config, log, .. } = self;
        if let Some(kept) = config.retention_ms {
            match publish::forget(state, &config.output, self.now.plus_ms(-kept)) {
                Ok(0) => {}
                Ok(removed) => log.info("old reports removed", &[("reports", removed.into())]),
                Err(error) => log.warn(&format!("{error:#}"), &[]),
            }
        }
        if let Err(error) = publish::clear(&config.output) {
            log.warn(&format!("{error:#}"), &[]);
        }
    }
}
