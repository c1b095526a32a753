//! `tidescope scan`: events only.

use super::logs::{Logs, complete, outcome_of};
use super::write_to;
use crate::cli::{Scan, ScanFormat};
use crate::event::{EventStream, Implicated, ReadStatus, RowRef};
use crate::outcome::Outcome;
use crate::rows::{self, Format};
use crate::scan::Context;
use anyhow::{Context as _, anyhow};
use std::ops::Range;
use std::path::PathBuf;

pub(super) fn run(args: &Scan) -> anyhow::Result<Outcome> {
    let mut paths = args.paths.clone();
    let split = args.split.as_deref().map(split).transpose()?;
    if let Some((path, _)) = &split {
        if paths.iter().any(|given| given != path) {
            return Err(anyhow!("--split reads only its own PATH, {}: leave the others out", path.display()));
        }
        paths = vec![path.clone()];
    }
    let context = match (args.context.as_deref(), &split) {
        (Some("auto"), _) | (None, None) => Context::Auto,
        (Some("none"), _) | (None, Some(_)) => Context::None,
        (Some(file), _) => Context::Only(implicated(file)?),
    };
    let with_rest = !matches!(context, Context::Only(_));
    let mut logs = Logs::open(&paths, &args.common)?;
    let outcome = logs.scan(context, split.map(|(_, range)| range))?;
    let format = match args.format {
        ScanFormat::Csv => None,
        ScanFormat::Jsonl => Some(Format::Jsonl),
        ScanFormat::Arrow => Some(Format::Arrow),
        ScanFormat::Parquet => Some(Format::Parquet),
    };
    // `report` knows the zones of all parts; csv is for people.
    let is_part = format.is_some() && logs.settings.zone_minutes.is_none();
    let (events, sources, unmatched) = if is_part { outcome.as_written() } else { outcome.sorted() };
    write_to(args.output.as_deref(), |out| {
        let Some(format) = format else { return Ok(crate::report::write_events(out, &events, logs.settings.safe)?) };
        let mut rows = rows::writer(format, out)?;
        if with_rest {
            sources.iter().try_for_each(|row| rows.row(RowRef::Source(row)))?;
            unmatched.iter().try_for_each(|row| rows.row(RowRef::Unmatched(row)))?;
        }
        let mut result = Ok(());
        events.for_each(&mut |event| {
            if result.is_ok() {
                result = rows.row(RowRef::Event(event));
            }
        })?;
        result?;
        Ok(rows.finish()?)
    })?;
    // The process ends: nobody needs the memory of millions of events back one by one.
    std::mem::forget(events);
    if !with_rest {
        return Ok(complete(&sources, &args.common));
    }
    // A split of a file that is no log is done: its row says so.
    let is_nothing = sources.iter().all(|row| row.status == ReadStatus::Skipped);
    if args.split.is_some() && is_nothing { Ok(Outcome::Done) } else { outcome_of(&sources, &args.common) }
}

/// `PATH:START-END`.
fn split(text: &str) -> anyhow::Result<(PathBuf, Range<u64>)> {
    let parsed = text.rsplit_once(':').and_then(|(path, range)| {
        let (start, end) = range.split_once('-')?;
        Some((PathBuf::from(path), start.parse::<u64>().ok()?..end.parse::<u64>().ok()?))
    });
    parsed
        .filter(|(path, range)| !path.as_os_str().is_empty() && range.start <= range.end)
        .ok_or_else(|| anyhow!("--split {text}: give PATH:START-END, such as tikv.log:0-268435456"))
}

fn implicated(file: &str) -> anyhow::Result<Implicated> {
    let text = std::fs::read(file)
        .with_context(|| format!("--context {file}: cannot be read; it takes auto, none or a file"))?;
    serde_json::from_slice(&text)
        .with_context(|| format!("--context {file}: no file that `tidescope implicated` wrote"))
}
