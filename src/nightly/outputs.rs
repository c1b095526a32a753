//! What a run leaves outside of its report: metrics, a mail, the page over all nights, a notice to the webhook. None of it changes
//! the run's result: what fails is logged.

use super::log::Log;
use super::state::{Run, State};
use super::{Config, Metrics, index, metrics, notice, publish, webhook};
use crate::safe::Safe;
use crate::units::Timestamp;

/// Writes and sends all that the config asks for.
pub(super) fn all(config: &Config, state: &mut State, run: &Run, answer: &str, log: Log) {
    let safe = Safe::new(config.redact);
    let page = index::render(state, &config.output, safe)
        .and_then(|page| publish::replace(&config.output.join("index.html"), page.as_bytes()));
    warn(log, page);
    if let Some(Metrics { file, labels }) = &config.metrics {
        let page = metrics::render(state, run, labels);
        warn(log, page.and_then(|page| publish::replace(file, page.as_bytes())));
    }
    if let Some(path) = &config.mail {
        warn(log, publish::replace(path, notice::mail(run, answer, safe).as_bytes()));
    }
    send(config, state, run, log);
}

/// Notes a run that has done nothing where somebody watches for that.
pub(super) fn failed(metrics: Option<&Metrics>, started: Timestamp, log: Log) {
    let Some(Metrics { file, labels }) = metrics else { return };
    let before = std::fs::read_to_string(file).unwrap_or_default();
    warn(log, publish::replace(file, metrics::after_failure(&before, started, labels).as_bytes()));
}

/// Sends what a run owes the webhook.
pub(super) fn send(config: &Config, state: &mut State, run: &Run, log: Log) {
    let Some(body) = &run.owed else { return };
    if let Some(hook) = &config.webhook {
        match webhook::send(hook, body) {
            Ok(tries) => log.info("notice sent", &[("tries", tries.into())]),
            Err(error) => log.warn(&format!("the notice could not be sent: {error:#}"), &[]),
        }
    }
    warn(log, state.sent(run.id));
}

fn warn(log: Log, result: anyhow::Result<()>) {
    if let Err(error) = result {
        log.warn(&format!("{error:#}"), &[]);
    }
}
