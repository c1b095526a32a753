//! `nightly --check`: what a config means, in plain words, and what of it cannot work.

use super::config::Config;
use super::inputs;
use super::state::State;
use crate::input;
use crate::units::hms;
use std::fmt::Write;

/// Explains a config. False: a run with it would do nothing.
pub fn check(config: &Config) -> (String, bool) {
    let mut out = format!("{} is well formed.\n", config.file.display());
    let mut works = true;
    for pattern in &config.inputs {
        let found = inputs::find(config, std::slice::from_ref(pattern));
        let bytes: u64 = found.inputs.iter().map(input::Input::size).sum();
        let _ = writeln!(out, "reads       {pattern}: {} files, {:.1} MB", found.inputs.len(), bytes as f64 / 1e6);
        if found.inputs.iter().any(|input| !input.is_rereadable()) {
            let _ =
                writeln!(out, "            a FIFO cannot be read again: what is in it is taken once, without context");
        }
        for problem in found.problems.iter().filter(|problem| problem.status == input::Status::Failed) {
            let _ = writeln!(out, "            cannot be read: {}: {}", problem.file, problem.reason);
        }
    }
    let _ =
        writeln!(out, "writes      {}/<start of the run>/ where something is new, index.html", config.output.display());
    match state(config) {
        Ok(text) => {
            let _ = writeln!(out, "state       {text}");
        }
        Err(error) => {
            works = false;
            let _ = writeln!(out, "state       {error:#}");
        }
    }
    match config.fail_on {
        Some(severity) => {
            let _ = writeln!(out, "status 1    while an incident of {severity} or worse is open, or new");
        }
        None => out.push_str("status 1    never: findings do not change the exit status\n"),
    }
    let kept = config.retention_ms.map_or_else(|| "for ever".to_owned(), |ms| format!("for {}", hms(ms)));
    let _ = writeln!(out, "keeps       reports {kept}, events that nothing rests on for {}", hms(config.remember_ms));
    let _ = writeln!(out, "context     of new records up to {} back", hms(config.context_lookback_ms));
    let _ = writeln!(
        out,
        "GC          holds data of a stopped task for {} where PD's log says nothing",
        hms(config.gc_ttl_ms)
    );
    let limits = config.limits;
    let threads = limits.threads.map_or_else(|| "as many threads as processors".to_owned(), |n| format!("{n} threads"));
    let time = limits.time_ms.map_or_else(|| "no time limit".to_owned(), |ms| format!("ends after {}", hms(ms)));
    let _ = writeln!(out, "limits      {threads}, {:.0} MiB for events, {time}", limits.memory as f64 / 1_048_576.0);
    if !config.redact {
        out.push_str("secrets     are left in\n");
    }
    let metrics = config.metrics.as_ref().map(|metrics| &metrics.file);
    for (what, file) in [("metrics", metrics), ("mail", config.mail.as_ref())] {
        if let Some(file) = file {
            let _ = writeln!(out, "{what:<11} {}", file.display());
        }
    }
    if let Some(hook) = &config.webhook {
        let when = if hook.always { "after each run" } else { "where something is new" };
        let scheme = hook.url.split(':').next().unwrap_or_default();
        let _ = writeln!(out, "webhook     {when}, by {scheme}, up to {} tries", hook.tries);
    }
    (crate::safe::visible(&out).into_owned(), works)
}

/// Looks at the state without making one.
fn state(config: &Config) -> anyhow::Result<String> {
    let Some(state) = State::look(&config.output)? else {
        return Ok("none yet: the first run reads everything".into());
    };
    let last =
        state.last_run()?.map_or_else(|| "no run".to_owned(), |run| format!("last run {}Z", run.started.human()));
    let sources = state.sources()?;
    Ok(format!("{last}; {} texts and {} files known", sources.sources.len(), sources.files.len()))
}
