//! `tidescope scan`: events only.

use super::logs::{Logs, complete, outcome_of};
use super::write_to;
use crate::cli::{IoChoice, Scan, ScanFormat};
use crate::event::{EventStream, Implicated, Row};
use crate::outcome::Outcome;
use crate::scan::Context;
use anyhow::{Context as _, anyhow};
use std::ops::Range;

pub(super) fn run(args: &Scan) -> anyhow::Result<Outcome> {
    let mut paths = args.paths.clone();
    let split = args.split.as_deref().map(split).transpose()?;
    if let Some((path, _)) = &split {
        if paths.iter().any(|given| given != path) {
            return Err(anyhow!("--split reads only its own PATH, {path}: leave the others out"));
        }
        paths = vec![path.clone()];
    }
    let context = match (args.context.as_deref(), &split) {
        (Some("auto"), _) | (None, None) => Context::Auto,
        (Some("none"), _) | (None, Some(_)) => Context::None,
        (Some(file), _) => Context::Only(implicated(file)?),
    };
    let with_rest = !matches!(context, Context::Only(_));
    let mut common = args.common.clone();
    if split.is_some() && common.io == IoChoice::Auto {
        // Only what is mapped can be read from the middle.
        common.io = IoChoice::Mmap;
    }
    let mut logs = Logs::open(&paths, &common)?;
    let (events, sources, unmatched) = logs.scan(context, split.map(|(_, range)| range))?.sorted();
    write_to(args.output.as_deref(), |out| match args.format {
        ScanFormat::Jsonl => {
            let mut failure = None;
            let mut write = |row: &Row| {
                if failure.is_none() {
                    failure = serde_json::to_writer(&mut *out, row)
                        .map_err(std::io::Error::from)
                        .and_then(|()| out.write_all(b"\n"))
                        .err();
                }
            };
            if with_rest {
                sources.iter().for_each(|row| write(&Row::Source(row.clone())));
                unmatched.iter().for_each(|row| write(&Row::Unmatched(row.clone())));
            }
            events.for_each(&mut |event| write(&Row::Event(event.clone())))?;
            failure.map_or(Ok(()), |error| Err(error.into()))
        }
        ScanFormat::Csv => Ok(crate::report::write_events(out, &events, logs.settings.redact)?),
    })?;
    if with_rest { outcome_of(&sources, &common) } else { Ok(complete(&sources, &common)) }
}

/// `PATH:START-END`.
fn split(text: &str) -> anyhow::Result<(String, Range<u64>)> {
    let parsed = text.rsplit_once(':').and_then(|(path, range)| {
        let (start, end) = range.split_once('-')?;
        Some((path.to_owned(), start.parse::<u64>().ok()?..end.parse::<u64>().ok()?))
    });
    parsed
        .filter(|(path, range)| !path.is_empty() && range.start <= range.end)
        .ok_or_else(|| anyhow!("--split {text}: give PATH:START-END, such as tikv.log:0-268435456"))
}

fn implicated(file: &str) -> anyhow::Result<Implicated> {
    let text = std::fs::read(file)
        .with_context(|| format!("--context {file}: cannot be read; it takes auto, none or a file"))?;
    serde_json::from_slice(&text)
        .with_context(|| format!("--context {file}: no file that `tidescope implicated` wrote"))
}
